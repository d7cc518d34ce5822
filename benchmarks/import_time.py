"""The time of ``import rushlight`` beyond ``import numpy``, in fresh processes.

``python benchmarks/import_time.py [--runs N] [--top N]``: the two imports alternate, each in a
process of its own; the cost is the median of the paired differences. ``--top`` also lists the
modules that took longest themselves, by Python's ``-X importtime``. The target: 15 ms.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

from single_thread import single_threaded

TARGET_MS = 15.0
# The processor's time: other processes on the machine do not count.
TIMED = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"


def fresh(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return a finished Python process; ``-P`` keeps the current folder off its path."""
    command = [sys.executable, "-P", *arguments]
    environment = single_threaded(os.environ)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def milliseconds(module: str) -> float:
    """Return the time one import takes in a process of its own."""
    return float(fresh("-c", TIMED.format(module)).stdout) * 1e3


def slowest(module: str, count: int) -> list[tuple[float, str]]:
    """Return the `count` modules beyond NumPy's that took longest themselves, in ms."""
    told = fresh("-X", "importtime", "-c", f"import numpy, {module}").stderr.splitlines()
    fields = [line.removeprefix("import time:").split("|") for line in told if line.count("|") == 2]
    modules = [(own.strip(), name.strip()) for own, _, name in fields]
    after_numpy = modules[[name for _, name in modules].index("numpy") + 1 :]
    return sorted(((int(own) / 1e3, name) for own, name in after_numpy), reverse=True)[:count]


def main(given: Sequence[str] | None = None) -> int:
    """Return 0 after printing the times."""
    parser = argparse.ArgumentParser(description="Time the import beyond NumPy's.")
    parser.add_argument("--engine-module", default="rushlight", metavar="NAME")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--top", type=int, default=0, metavar="N", help="list the slowest modules")
    options = parser.parse_args(given)
    module = options.engine_module
    for name in ("numpy", module):  # the first import may compile to bytecode
        milliseconds(name)
    pairs = [(milliseconds("numpy"), milliseconds(module)) for _ in range(options.runs)]
    cost = median(ours - numpy for numpy, ours in pairs)
    sign = "≤" if cost <= TARGET_MS else ">"
    mark = "✓" if cost <= TARGET_MS else "✗"
    print(f"| import numpy | import {module} | beyond NumPy |")
    print("|--:|--:|--:|")
    numpy, ours = (median(each) for each in zip(*pairs, strict=True))
    print(f"| {numpy:.1f} ms | {ours:.1f} ms | {cost:.1f} {sign} {TARGET_MS:.0f} ms {mark} |")
    if options.top:
        print("\n| module | itself, ms |\n|---|--:|")
        for own, name in slowest(module, options.top):
            print(f"| {name} | {own:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
