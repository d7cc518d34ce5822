"""Random programs under PyTorch and under rushlight: equal values, gradients, hooks and types of errors.

    python tools/fuzz_programs.py --programs 10000 --seed 1

Programs of 2 to 40 lines with views, writes in place, hooks, several walks backward and recorded ones. One that
differs is made as short as it can be and printed as code that runs. Exit status 1 if there was one.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import math
import random
import re
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Any

import numpy as np

sys.path.extend(str(Path(__file__).resolve().parents[1] / folder) for folder in ("tests", "tools"))
import torch

import rushlight
from deliberate_differences import EXPLAINED, HOOKED, reads_its_target, safe
from rushlight.testing.program import Program, Run, draw_program
from support.oracle import builtin

STALE = "modified by an inplace operation"
WALK = re.compile(r"backward\(|autograd\.grad\(")
MIDWAY = re.compile(
    f"{STALE}|Trying to backward through the graph a second time|is a view and its base|invalid gradient"
)
"""What PyTorch says in the middle of a walk, when part of the gradients has arrived."""
REFUSALS = (RuntimeError, IndexError, ValueError)
COMPARED = re.compile(r"[xt]\d+|first|second|loss2?")
DELIBERATE = {
    "is a view and its base or another view of its base has been modified inplace": "views of several results",
    "returns multiple views": "views of several results",
    "Trying to backward through the graph a second time": "rushlight had nothing saved to free",
    "A view was created in no_grad mode": "PyTorch's gradients may be views",
    "returned an invalid gradient": "PyTorch fails",
    "Found dtype": "mixed dtypes in losses",
    "some elements of the input tensor and the written-to tensor": "what is written is read as well",
}
"""What PyTorch refuses and rushlight does not, on purpose (docs/differences.md): such a line is left out."""


Notes = list[tuple[str, str]]
"""Why something was left out of a comparison, and what."""


def outcome(program: Program, shift: int = 0, changes: tuple[Callable[[str], str], ...] = ()) -> tuple[str, Notes]:
    """Return how both engines differ on ``program``, or '', and why anything was left out of the comparison.

    A line after which they may differ is left out, and the others are compared. ``changes`` are made to the lines
    that PyTorch gets.
    """
    notes: Notes = []
    while True:
        for_torch = program
        for change in (safe, *changes):
            for_torch = replace(for_torch, lines=tuple(map(change, for_torch.lines)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours, theirs = program.run(rushlight, shift), for_torch.run(torch, shift)
        for place, (line, mine, other) in enumerate(zip(program.lines, ours.errors, theirs.errors, strict=True)):
            if mine is None and other is None:
                continue
            found, note = errors(line, mine, other)
            if found and reads_its_target(program, place):
                found, note = "", DELIBERATE["some elements of the input tensor and the written-to tensor"]
            if found:
                return found, notes
            if note:
                notes.append((note, f"{line}: PyTorch {other!r}, rushlight {mine!r}"))
                program = program.without(place, 1)
                break
        else:
            found = values(program, ours, theirs, notes)
            place = next((n for n in range(len(program.lines)) if found and reads_its_target(program, n)), -1)
            if place < 0:
                return found, notes
            notes.append((DELIBERATE["some elements of the input tensor and the written-to tensor"], found))
            program = program.without(place, 1)


def errors(line: str, mine: Exception | None, other: Exception | None) -> tuple[str, str]:  # noqa: PLR0911 - one answer for each way to differ
    """Return how the errors of one line differ, or why the line is to be left out, or two empty texts."""
    if mine is not None and other is not None:
        if isinstance(mine, NameError) or isinstance(other, NameError):
            return "", ""  # of a line that was left out
        if not isinstance(mine, builtin(other)):
            for words, reason in DELIBERATE.items():
                if words in str(other):
                    return "", reason
            if isinstance(mine, REFUSALS) and isinstance(other, REFUSALS):
                return "", "both refuse, with other types of error"
            return f"{line}: PyTorch {other!r}, rushlight {mine!r}", ""
        return "", "gradients after an error inside a walk" if WALK.search(line) and MIDWAY.search(str(other)) else ""
    text = str(mine or other)
    if STALE in text:
        return "", f"only {'rushlight' if other is None else 'PyTorch'} refuses a saved value that was written"
    if other is None and "refers to a single memory location" in text:
        return "", "only rushlight refuses to write expanded memory"
    if mine is None and "refers to a single memory location" in text and WALK.search(line):
        return "", "only rushlight has a gradient of a write into expanded memory"
    for words, reason in DELIBERATE.items():
        if other is not None and words in text:
            return "", reason
    if other is None:
        return f"{line}: rushlight raised {mine!r}, PyTorch did not", ""
    return f"{line}: PyTorch raised {str(other)[:300]!r}, rushlight did not", ""


def values(program: Program, ours: Run, theirs: Run, notes: Notes) -> str:
    """Return which value differs once all lines have run; add to ``notes`` what was left out."""
    single = any("float()" in line for line in program.lines) or any(leaf[1] == "float32" for leaf in program.leaves)
    tol = 2e-4 if single else 1e-8
    for name in sorted(theirs.names):
        if not COMPARED.fullmatch(name):
            continue
        if name not in ours.names:
            return f"{name}: missing"
        try:
            found = compare(name, ours.names[name], theirs.names[name], tol, notes)
        except RuntimeError as error:
            found, note = errors(name, None, error)
            notes += [(note, f"{name}: {error!r}")] * bool(note)
        if found:
            return found
    if len(ours.seen) != len(theirs.seen):
        return f"hooks: rushlight saw {len(ours.seen)} gradients, PyTorch {len(theirs.seen)}"
    for mine, other in zip(ours.seen, theirs.seen, strict=True):
        if not close(mine, other, tol, notes):
            return f"hooks: rushlight saw {mine}, PyTorch {other}"
    return ""


def compare(name: str, mine: Any, other: Any, tol: float, notes: Notes) -> str:  # noqa: PLR0911 - one answer for each way to differ
    """Return how two values of one name differ, gradients included."""
    if name == "first" and isinstance(mine, rushlight.Tensor) and isinstance(other, torch.Tensor):
        mine, other = mine.detach(), other.detach()  # rushlight's may depend on the leaves by a zero, and the reverse
    if isinstance(other, tuple):
        found = (compare(name, a, b, tol, notes) for a, b in zip(mine, other, strict=True))
        return next((text for text in found if text), "")
    if not isinstance(other, torch.Tensor):
        return f"{name}: rushlight {mine!r}, PyTorch None" if other is None and mine is not None else ""
    if not isinstance(mine, rushlight.Tensor):
        return f"{name}: rushlight {mine!r}, PyTorch a tensor"
    for what in ("requires_grad", "is_leaf"):
        if getattr(mine, what) != getattr(other, what):
            return f"{name}.{what}: rushlight {getattr(mine, what)}, PyTorch {getattr(other, what)}"
    if str(mine.dtype) != str(other.dtype) or tuple(mine.shape) != tuple(other.shape):
        return f"{name}: rushlight {mine.dtype} {tuple(mine.shape)}, PyTorch {other.dtype} {tuple(other.shape)}"
    if not close(mine.detach().numpy(), other.detach().numpy(), tol, notes):
        return f"{name}: rushlight {mine.tolist()}, PyTorch {other.tolist()}"
    if (mine.is_leaf or mine.retains_grad) and other.requires_grad and mine.grad is not None and other.grad is not None:
        return compare(f"{name}.grad", mine.grad.detach(), other.grad.detach(), tol, notes)
    if (mine.is_leaf or mine.retains_grad) and other.requires_grad:
        return compare(f"{name}.grad", mine.grad, other.grad, tol, notes)
    return ""


NAN = "numbers where PyTorch has NaN"


def close(mine: Any, other: Any, tol: float, notes: Notes) -> bool:
    """Return whether two arrays agree, relative to the largest value, inf in place; PyTorch may have more NaN."""
    mine, other = np.asarray(mine, np.float64), np.asarray(other, np.float64)
    if mine.shape != other.shape:
        return False
    more = np.isnan(other) & ~np.isnan(mine)
    if more.any():
        notes.append((NAN, f"rushlight {mine}, PyTorch {other}"))
        other = np.where(more, mine, other)
    rounded = np.isnan(mine) & (np.abs(other) < math.sqrt(tol))
    if rounded.any():
        notes.append(("a root of what is zero but for rounding", f"rushlight {mine}, PyTorch {other}"))
        other = np.where(rounded, mine, other)
    finite = np.abs(other[np.isfinite(other)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    return bool(np.allclose(mine, other, rtol=tol, atol=tol * scale, equal_nan=True))


def differs(program: Program) -> str:
    """Return why both engines differ; not by chance of rounding at a kink, as other values say the same."""
    bad = [text for shift in range(3) if (text := outcome(program, shift)[0])]
    return bad[0] if len(bad) > 1 and not explained(program) else ""


def in_double(program: Program) -> Program:
    """Return the program with all in float64."""
    leaves = tuple((name, "float64", shape, seed) for name, _, shape, seed in program.leaves)
    return Program(leaves, tuple(line.replace("float()", "double()") for line in program.lines))


def explained(program: Program) -> tuple[str, ...]:
    """Return the reasons for which the engines differ on purpose, if PyTorch then does as rushlight; or nothing."""
    precise = in_double(program)
    if precise != program and not outcome(precise)[0]:
        return ("rounding of float32: in float64 both agree",)
    for reason, without in HOOKED.items():
        if (fewer := without(program)) != program and not outcome(fewer)[0]:
            return (reason,)
    for reasons in (*combinations(EXPLAINED, 1), *combinations(EXPLAINED, 2)):
        if not outcome(program, 0, tuple(EXPLAINED[reason] for reason in reasons))[0]:
            return reasons
    return ()


def shrink(program: Program) -> Program:
    """Return the program with every line left out that it can do without and still differ."""
    size = max(1, len(program.lines) // 2)
    while size:
        place = 0
        while place < len(program.lines):
            shorter = program.without(place, size)
            if differs(shorter):
                program = shorter
            else:
                place += size
        size //= 2
    return program


def made(seed: int) -> Program:
    """Return the program of a seed."""
    rng = random.Random(seed)
    dtypes = (("float64",), ("float64",), ("float64", "float32"))[rng.randrange(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draw_program(rng.randrange, rushlight, rng.randint(2, 40), dtypes=dtypes)


def judged(seed: int) -> dict[str, Any]:
    """Return what came of the program of a seed: notes on what was left out; a difference, and code that shows it."""
    program = made(seed)
    text, notes = outcome(program)
    if text and (reasons := explained(program)):
        notes += [(reason, text) for reason in reasons]
        text = ""
    elif text and not differs(program):
        notes.append(("differs for some values only: rounding at a kink", text))
        text = ""
    record: dict[str, Any] = {"seed": seed, "notes": sorted({reason for reason, _ in notes}), "details": notes}
    if text:
        short = shrink(program)
        record |= {"difference": differs(short), "code": short.code()}
    return record


def main() -> int:
    """Fuzz as the command line says; return how to exit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--jobs", type=int, default=1, help="how many processes run programs")
    parser.add_argument("--log", help="a file that gets a line of JSON for each program as soon as it has run")
    parser.add_argument("--here", action="store_true", help="in this process, one line of JSON for each program")
    given = parser.parse_args()
    if given.here:
        for seed in range(given.seed, given.seed + given.programs):
            print(json.dumps(judged(seed)), flush=True)
        return 0
    deadline, end = time.monotonic() + given.seconds, given.seed + given.programs
    parts = [(place, min(place + PART, end)) for place in range(given.seed, end, PART)]
    tally = Tally(given.log)
    with ThreadPoolExecutor(given.jobs) as pool:
        list(pool.map(lambda part: run_part(*part, deadline, tally.add), parts))
    tally.show()
    return 1 if tally.differing else 0


PART = 250


def run_part(place: int, end: int, deadline: float, add: Callable[[dict[str, Any]], None]) -> None:
    """Run the programs from ``place`` up to ``end`` in other processes, since some make PyTorch itself crash."""
    while place < end and time.monotonic() < deadline:
        command = [sys.executable, "-P", __file__, "--here", "--programs", str(end - place), "--seed", str(place)]
        with (
            TemporaryFile("w+", encoding="utf-8", errors="replace") as said,  # a pipe that nobody reads would fill up
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                add(json.loads(line))
                place += 1
            process.wait()
            said.seek(0)
            trace = said.read()
        if place < end:
            add({"seed": place, "notes": [], "crash": f"{process.returncode}: {crashed_in(trace)}"})
            place += 1


class Tally:
    """Counts what came of the programs, one by one."""

    def __init__(self, log: str | None) -> None:
        self.ran = self.crashes = self.whole = self.differing = 0
        self.notes, self.kinds = Counter[str](), set[str]()
        self.log, self.lock = Path(log) if log else None, Lock()

    def add(self, record: dict[str, Any]) -> None:
        """Count one program, and print how it differs if none before did so alike."""
        with self.lock:
            if self.log is not None:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
            self.ran += 1
            self.notes.update(record["notes"])
            if crash := record.get("crash"):
                self.crashes += 1
                print(f"--- seed {record['seed']}: the process died ({crash})", flush=True)
            elif why := record.get("difference"):
                self.differing += 1
                key = re.sub(r"\d[\d.]*|\[.*", "", why)[:100]
                if key not in self.kinds:
                    print(f"--- seed {record['seed']}: {why}\n{record['code']}\n", flush=True)
                self.kinds.add(key)
            else:
                self.whole += not record["notes"]

    def show(self) -> None:
        """Print the counts; a program may count for several reasons."""
        print(f"{self.differing:6}  differing programs\n{self.whole:6}  equal in all")
        for reason, times in self.notes.most_common():
            print(f"{times:6}  left out: {reason}")
        print(f"{self.ran} programs, {self.crashes} crashes of PyTorch")


def crashed_in(text: str) -> str:
    """Return the frame in which the process died."""
    frames = re.findall(r'File ".*?([^/"]+)", line \d+ in (\w+)', text)
    return " ".join(frames[0]) if frames else text[-200:]


if __name__ == "__main__":
    faulthandler.enable()
    raise SystemExit(main())
