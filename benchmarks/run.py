"""The speed suite: the same steps in NumPy by hand, rushlight and PyTorch, in one process.

``python benchmarks/run.py [--only NAME] [--quick] [--json FILE]`` prints a Markdown table. One
thread everywhere; engines alternate many times; a cell shows the median time, a ratio is the
median of ratios within a turn. A workload whose results differ shows no time at all.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from single_thread import restart_single_threaded

if __name__ == "__main__":
    restart_single_threaded()

from engines import Engine, load_engines, versions
from measure import FULL, QUICK, DisagreementError, Effort, measure, paired_ratio
from workloads import WORKLOADS, Workload

Engines = tuple[Engine, Engine, Engine | None]


@dataclass(frozen=True)
class Row:
    """The report on one workload; times are seconds a step, None where there is nothing."""

    name: str
    title: str
    nodes: int
    numpy: float | None = None
    engine: float | None = None
    pytorch: float | None = None
    over_torch: float | None = None
    over_torch_target: float | None = None
    over_numpy: float | None = None
    over_numpy_target: float | None = None
    refused: str | None = None


def row(workload: Workload, engines: Engines, effort: Effort) -> Row:
    """Return the times and ratios of `workload`, or why there are none."""
    present = [engine for engine in engines if engine is not None]
    try:
        times = measure(workload, present, effort)
    except DisagreementError as reason:
        return Row(workload.name, workload.title, workload.nodes, refused=str(reason))
    with_torch = len(times) == 3
    return Row(
        workload.name,
        workload.title,
        workload.nodes,
        numpy=median(times[0]),
        engine=median(times[1]),
        pytorch=median(times[2]) if with_torch else None,
        over_torch=paired_ratio(times[1], times[2]) if with_torch else None,
        over_torch_target=workload.over_torch,
        over_numpy=None if workload.over_numpy is None else paired_ratio(times[1], times[0]),
        over_numpy_target=workload.over_numpy,
    )


def duration(seconds: float | None, nodes: int) -> str:
    """Return a time a step, or a node where a step has many, in a unit that suits it."""
    if seconds is None:
        return ""
    if nodes > 1:
        return f"{seconds / nodes * 1e9:.0f} ns/node"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def verdict(ratio: float | None, target: float | None) -> str:
    """Return the ratio beside its target and whether it is met."""
    if ratio is None or target is None:
        return ""
    return f"{ratio:.2f} ≤ {target:.2f} ✓" if ratio <= target else f"{ratio:.2f} > {target:.2f} ✗"


def line(told: Row) -> str:
    """Return one line of the Markdown table."""
    if told.refused is not None:
        return f"| {told.title} | refused: {told.refused} | | | | |"
    cells = [
        told.title,
        *(duration(time, told.nodes) for time in (told.numpy, told.engine, told.pytorch)),
        verdict(told.over_torch, told.over_torch_target),
        verdict(told.over_numpy, told.over_numpy_target),
    ]
    return f"| {' | '.join(cells)} |"


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description="Time rushlight beside NumPy and PyTorch.")
    parser.add_argument("--only", action="append", choices=WORKLOADS, help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="few repetitions: a rough look")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--engine-module", default="rushlight", metavar="NAME", help="what to import as the engine")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Return 1 if a workload was refused, else 0, after printing the table."""
    options = arguments(given)
    engines = load_engines(options.engine_module)
    title = engines[1].title
    print(f"| workload | NumPy | {title} | PyTorch | {title} / PyTorch | {title} / NumPy |")
    print("|---|--:|--:|--:|--:|--:|")
    rows = []
    for name in options.only or WORKLOADS:
        rows.append(row(WORKLOADS[name], engines, QUICK if options.quick else FULL))
        print(line(rows[-1]), flush=True)
    found = versions(engines)
    print("\n1 thread;", ", ".join(f"{name} {version}" for name, version in found.items()))
    if options.json is not None:
        told = {"versions": found, "workloads": [asdict(each) for each in rows]}
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return int(any(each.refused is not None for each in rows))


if __name__ == "__main__":
    sys.exit(main())
