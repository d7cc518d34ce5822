"""Measure how reliable the gradients are, and write docs/reliability.md.

    python tools/reliability.py [ops] [mutants] [fuzz] [coverage] [--programs N]

Without words everything is measured, which takes an hour; else the named parts, and the rest is as last measured
(tools/reliability.json).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.extend(str(ROOT / folder) for folder in ("tests", "tools"))
PAGE, DATA = ROOT / "docs" / "reliability.md", HERE / "reliability.json"
ENV = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(*words: str) -> str:
    """Return what a Python command prints."""
    done = subprocess.run([sys.executable, "-P", *words], capture_output=True, text=True, env=ENV, check=False)
    return done.stdout + done.stderr[-2000:]


def ops() -> dict[str, Any]:
    """Return how many ops are checked, and how long a check takes."""
    from cases import CASES  # noqa: PLC0415 - slow to load, and only this part needs them
    from mutants import PRIMITIVES, examples, second  # noqa: PLC0415

    times: list[float] = []
    count = 0
    for name in sorted(CASES):
        op = PRIMITIVES[name]
        drawn = examples(op)
        second(op, drawn[0])  # the functions of an op are written when first called
        count += len(drawn)
        start = time.process_time()
        for args in drawn:
            second(op, args)
        times.append(1000 * (time.process_time() - start) / len(drawn))
    return {
        "ops": len(CASES),
        "examples": count,
        "mean_ms": round(float(np.mean(times)), 2),
        "slowest_ms": round(max(times), 1),
        "slowest": sorted(CASES)[int(np.argmax(times))],
    }


def mutants() -> dict[str, Any]:
    """Return the score of the mutants, and the survivors."""
    text = run(str(HERE / "mutants.py"))
    found = re.search(
        r"(\d+) mutants of (\d+) ops: (\d+) caught, (\d+) equivalent, (\d+) survived; score ([\d.]+)%", text
    )
    if found is None:
        raise SystemExit(text[-2000:])
    names = ("mutants", "ops", "caught", "equivalent", "survived")
    listed = {"survivors": re.findall(r"SURVIVED (.*)", text), "excused": re.findall(r"EQUIVALENT (.*)", text)}
    return dict(zip(names, map(int, found.groups()), strict=False)) | {"score": found[6]} | listed


def fuzz(programs: int) -> dict[str, Any]:
    """Return what a run of random programs found."""
    return read_log(
        run(str(HERE / "fuzz_programs.py"), "--programs", str(programs), "--seed", "1000000", "--jobs", "2")
    )


LEFT_OUT = "left out: "


def read_log(text: str) -> dict[str, Any]:
    """Return the figures that a run of random programs printed."""
    ran = sum(int(n) for n in re.findall(r"(\d+) programs, \d+ crashes", text))
    crashes = sum(int(n) for n in re.findall(r"\d+ programs, (\d+) crashes", text))
    counts = Counter[str]()
    for times, what in re.findall(r"(?m)^ *(\d+)  (\S.*)$", text):
        counts[what] += int(times)
    reasons = {what.removeprefix(LEFT_OUT): times for what, times in counts.items() if what.startswith(LEFT_OUT)}
    differing, equal = counts["differing programs"], counts["equal in all"]
    return {"programs": ran, "crashes": crashes, "differing": differing, "equal": equal, "reasons": reasons}


def coverage() -> dict[str, Any]:
    """Return the share of lines and branches that the tests run."""
    file = ROOT / "coverage.json"
    words = ("-m", "pytest", "-q", "-n", "2", "--cov", f"--cov-report=json:{file}", "-p", "no:cacheprovider")
    text = run(*words)
    totals = json.loads(file.read_text(encoding="utf-8"))["totals"]
    file.unlink()
    return {
        "lines": round(100 * totals["covered_lines"] / totals["num_statements"], 1),
        "branches": round(100 * totals["covered_branches"] / totals["num_branches"], 1),
        "result": text.strip().splitlines()[-1],
    }


OPS = """\
- {ops} differentiable ops, each checked at order 1 and 2 (25 drawn inputs) and order 3 (4 drawn inputs) in
  float64 against differences that estimate their own error; in float32 for dtype, shape and inputs left alone; for
  writes between call and walk (right or refused); for memory shared with inputs.
- A check at order 2 takes {mean_ms} ms of processor time on average, {slowest_ms} ms for the slowest
  (`{slowest}`), over {examples} inputs.
"""
MUTANTS = """\
Each rule, and each helper that only rules use, is changed in every small way: a sign flipped, a term dropped,
operands or arguments swapped, a number off by one, the version check left out, a broadcast not undone.

- {mutants} mutants of {ops} ops; {caught} caught, {equivalent} known to compute the same, {survived} survived:
  **{score} %** caught.
"""
FUZZ = """\
Programs of 2 to 40 lines with views, writes in place, hooks, several walks backward and recorded ones, run
under PyTorch and under rushlight: equal values, gradients, second derivatives, what hooks see, and kinds of errors.

- {programs} programs, {crashes} of which crashed PyTorch itself; {differing} differ, {equal} are equal in all that can
  be seen. In the others a line, or a value, is left out of the comparison, as PyTorch refuses or does something else
  there on purpose (see [Differences](differences.md)), and all the rest is equal. A program counts for each reason.
  Those that differed so far, once shortened and looked at, came from hooks on views that are written later, from
  views of several results after a write, from results that lie otherwise in memory (so that `flatten` copies in one
  engine), from whether a gradient of no elements can be differentiated, and from rounding that a program amplifies;
  faults of the engine that they showed are mended, each with a test.

| programs | reason |
| --- | --- |
"""
COVERAGE = "- {lines} % of lines, {branches} % of branches.\n"
HEAD = """\
# Reliability

How far the gradients of rushlight are tested. Every number is measured by `make figures`. The checks are those of
[rushlight.testing](testing-gradients.md).
"""


def page(data: dict[str, Any]) -> str:
    """Return the page."""
    text = HEAD
    if found := data.get("ops"):
        text += "\n## Ops\n\n" + OPS.format(**found)
    if found := data.get("mutants"):
        text += "\n## Mutants\n\n" + MUTANTS.format(**found)
        if found.get("survivors"):
            text += "\nSurvivors:\n\n" + "".join(f"- `{each}`\n" for each in found["survivors"])
        if found.get("excused"):
            parts = [each.rsplit(": ", 1) for each in found["excused"]]
            text += "\nKnown to compute the same:\n\n" + "".join(f"- `{what}`: {why}\n" for what, why in parts)
    if found := data.get("fuzz"):
        text += "\n## Random programs\n\n" + FUZZ.format(**found)
        reasons = sorted(found["reasons"].items(), key=lambda r: -r[1])
        text += "".join(f"| {times} | {reason} |\n" for reason, times in reasons)
    if found := data.get("coverage"):
        text += "\n## Coverage\n\n" + COVERAGE.format(**found)
    return text


def main() -> None:
    """Measure what the command line asks for, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="ops, mutants, fuzz, coverage; all by default")
    parser.add_argument("--programs", type=int, default=20000)
    parser.add_argument("--fuzz-logs", nargs="*", default=[], help="what runs of fuzz_programs.py printed")
    given = parser.parse_args()
    data = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    if given.fuzz_logs:
        data["fuzz"] = read_log("\n".join(Path(name).read_text(encoding="utf-8") for name in given.fuzz_logs))
    parts = {"ops": ops, "mutants": mutants, "fuzz": lambda: fuzz(given.programs), "coverage": coverage}
    for name in given.parts or ([] if given.fuzz_logs else parts):
        data[name] = parts[name]()
        print(name, {key: value for key, value in data[name].items() if not isinstance(value, list)}, flush=True)
    DATA.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(data), encoding="utf-8")


if __name__ == "__main__":
    main()
