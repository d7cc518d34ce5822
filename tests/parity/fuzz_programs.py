"""Random programs under PyTorch and under rushlight: equal values, gradients, hooks and types of errors.

    python tests/parity/fuzz_programs.py --programs 10000 --seed 1

Programs of 2 to 40 lines with views, writes in place, hooks, several walks backward and recorded ones. One that
differs is made as short as it can be and printed as code that runs. Exit status 1 if there was one.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import re
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import torch

import rushlight
from parity.oracle import builtin
from rushlight.testing.program import Program, Run, draw_program

STALE = "modified by an inplace operation"
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
"""What PyTorch refuses and rushlight does not, on purpose (docs/differences.md): the comparison ends there."""


def outcome(program: Program, shift: int = 0) -> str:
    """Return why both engines differ on ``program``, or '' if they agree; 'skipped: ...' where they may differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = program.run(rushlight, shift), program.run(torch, shift)
    for line, mine, other in zip(program.lines, ours.errors, theirs.errors, strict=True):
        found = errors(line, mine, other)
        if not found and mine is not None and "backward(" in line:
            found = "skipped: after an error inside a backward pass gradients differ"
        if found:
            return found
    return values(program, ours, theirs)


def errors(line: str, mine: Exception | None, other: Exception | None) -> str:  # noqa: PLR0911 - one answer for each way to differ
    """Return how the errors of one line differ."""
    if mine is None and other is None:
        return ""
    if mine is not None and other is not None:
        if isinstance(mine, builtin(other)):
            return ""
        if isinstance(mine, REFUSALS) and isinstance(other, REFUSALS):
            return "skipped: both refuse, with other types of error"
        return f"{line}: PyTorch {other!r}, rushlight {mine!r}"
    text = str(mine or other)
    if mine is not None and "view size" in text:
        return "skipped: another memory layout, so view() refuses"
    if "single memory location" in text:
        return "skipped: only one engine's gradient is expanded memory, which is not written"
    if STALE in text:
        return f"skipped: only {'rushlight' if other is None else 'PyTorch'} refuses a saved value that was written"
    for words, reason in DELIBERATE.items():
        if other is not None and words in text:
            return f"skipped: {reason}"
    if other is None:
        return f"{line}: rushlight raised {mine!r}, PyTorch did not"
    return f"{line}: PyTorch raised {str(other)[:300]!r}, rushlight did not"


def values(program: Program, ours: Run, theirs: Run) -> str:
    """Return which value differs once all lines have run."""
    single = any("float()" in line for line in program.lines) or any(leaf[1] == "float32" for leaf in program.leaves)
    tol = 2e-4 if single else 1e-8
    for name in sorted(theirs.names):
        if not COMPARED.fullmatch(name):
            continue
        if name not in ours.names:
            return f"{name}: missing"
        try:
            found = compare(name, ours.names[name], theirs.names[name], tol)
        except RuntimeError as error:
            found = errors(name, None, error)
        if found:
            return found
    if len(ours.seen) != len(theirs.seen):
        return f"hooks: rushlight saw {len(ours.seen)} gradients, PyTorch {len(theirs.seen)}"
    for mine, other in zip(ours.seen, theirs.seen, strict=True):
        if np.isnan(other).any() and not np.isnan(mine).any():
            return "skipped: PyTorch has NaN where rushlight has none"
        if not close(mine, other, tol):
            return f"hooks: rushlight saw {mine}, PyTorch {other}"
    return ""


def compare(name: str, mine: Any, other: Any, tol: float) -> str:  # noqa: PLR0911 - one answer for each way to differ
    """Return how two values of one name differ, gradients included."""
    if name == "first" and isinstance(mine, rushlight.Tensor) and isinstance(other, torch.Tensor):
        mine, other = mine.detach(), other.detach()  # rushlight's may depend on the leaves by a zero, and the reverse
    if isinstance(other, tuple):
        return next((text for a, b in zip(mine, other, strict=True) if (text := compare(name, a, b, tol))), "")
    if not isinstance(other, torch.Tensor):
        return f"{name}: rushlight {mine!r}, PyTorch None" if other is None and mine is not None else ""
    if not isinstance(mine, rushlight.Tensor):
        return f"{name}: rushlight {mine!r}, PyTorch a tensor"
    for what in ("requires_grad", "is_leaf"):
        if getattr(mine, what) != getattr(other, what):
            return f"{name}.{what}: rushlight {getattr(mine, what)}, PyTorch {getattr(other, what)}"
    if str(mine.dtype) != str(other.dtype) or tuple(mine.shape) != tuple(other.shape):
        return f"{name}: rushlight {mine.dtype} {tuple(mine.shape)}, PyTorch {other.dtype} {tuple(other.shape)}"
    if other.isnan().any() and not np.isnan(mine.detach().numpy()).any():
        return "skipped: PyTorch has NaN where rushlight has none"
    if not close(mine.detach().numpy(), other.detach().numpy(), tol):
        return f"{name}: rushlight {mine.tolist()}, PyTorch {other.tolist()}"
    if (mine.is_leaf or mine.retains_grad) and other.requires_grad and mine.grad is not None and other.grad is not None:
        return compare(f"{name}.grad", mine.grad.detach(), other.grad.detach(), tol)
    if (mine.is_leaf or mine.retains_grad) and other.requires_grad:
        return compare(f"{name}.grad", mine.grad, other.grad, tol)
    return ""


def close(mine: Any, other: Any, tol: float) -> bool:
    """Return whether two arrays agree, relative to the largest value, NaN and inf in place."""
    mine, other = np.asarray(mine, np.float64), np.asarray(other, np.float64)
    if mine.shape != other.shape:
        return False
    finite = np.abs(other[np.isfinite(other)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    return bool(np.allclose(mine, other, rtol=tol, atol=tol * scale, equal_nan=True))


def differs(program: Program) -> str:
    """Return why both engines differ; not by chance of rounding at a kink, as other values say the same."""
    found = [outcome(program, shift) for shift in range(3)]
    bad = [text for text in found if text and not text.startswith("skipped")]
    return bad[0] if len(bad) > 1 else ""


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


def fuzz(
    count: int, seed: int, seconds: float = float("inf"), trace: bool = False
) -> tuple[int, list[tuple[Program, str]], Counter[str]]:
    """Return how many programs ran, those that differ, shrunk, with why, and how often each reason to skip came up."""
    found: list[tuple[Program, str]] = []
    skipped: Counter[str] = Counter()
    start, reasons = time.monotonic(), set()
    ran = 0
    for number in range(count):
        if time.monotonic() - start > seconds:
            break
        if trace:
            print(f"seed {seed + number}", file=sys.stderr, flush=True)
        program = made(seed + number)
        ran += 1
        text = outcome(program)
        if text.startswith("skipped"):
            skipped[text] += 1
        elif text and differs(program):
            short = shrink(program)
            why = differs(short)
            if known(short, why):
                skipped[f"known: {known(short, why)}"] += 1
                continue
            key = kind(why, short)
            if key not in reasons:
                reasons.add(key)
                found.append((short, why))
                print(f"--- seed {seed + number}: {why}\n{short.code()}\n", flush=True)
            skipped["differing programs"] += 1
    return ran, found, skipped


WRITE = re.compile(r"(?<!inputs)_\(| [-+*/]= |\] = ")
SHAPES = re.compile(r"(scatter|index_copy|index_add|index_put|index_fill|index_select)_?\(")


def known(program: Program, why: str) -> str:
    """Return the reason why a difference, once shrunk, is as documented, or ''."""
    text = "\n".join(program.lines)
    writes = any(WRITE.search(line) for line in program.lines)
    if re.search(r"inputs=\[t", text):
        return "backward(inputs=...) of a tensor inside the graph"
    hooked = "register_hook" in text or "retain_grad" in text
    if hooked and (writes or "materialize_grads" in text):
        return "hooks on views written later, and on roots that lead nowhere"
    if hooked and ("second" in text or "create_graph" in text):
        return "which share of a second derivative passes a hooked result"
    if "no_grad" in text and writes:
        return "views of what was written under no_grad"
    if re.search(r"\bt\d+\.backward\(t\d+\)", text) and writes:
        return "PyTorch's gradient shares memory with the one that came in"
    if ("raised" in why or "Error" in why) and SHAPES.search(why):
        return "which shapes indexed writes refuse"
    return "a leaf that is a view" if "requires_grad_()" in text and writes else ""


def kind(why: str, program: Program) -> str:
    """Return what alike failures have in common: the last lines without names and numbers."""
    body = (
        program.lines[-2:]
        if not program.lines or not program.lines[-1].startswith(("second", "first"))
        else program.lines[:1]
    )
    return "".join(char for char in "".join(body) + why.rsplit(":", maxsplit=1)[-1][:40] if not char.isdigit())


def main() -> int:
    """Fuzz as the command line says; return how to exit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--here", action="store_true", help="in this process: PyTorch may crash it")
    given = parser.parse_args()
    if not given.here:
        return in_parts(given.programs, given.seed, given.seconds)
    ran, found, skipped = fuzz(given.programs, given.seed, given.seconds, trace=True)
    for reason, times in skipped.most_common():
        print(f"{times:6}  {reason}")
    print(f"{ran} programs, {len(found)} kinds of difference")
    return 1 if found else 0


PART = 500


def in_parts(count: int, seed: int, seconds: float) -> int:
    """Run the programs in other processes, since some make PyTorch itself crash; return how to exit."""
    start, ran, crashes = time.monotonic(), 0, 0
    totals, seen = Counter[str](), set[str]()
    place, end = seed, seed + count
    while place < end and time.monotonic() - start < seconds:
        size = min(PART, end - place)
        command = [sys.executable, "-P", __file__, "--here", "--programs", str(size), "--seed", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        steps = [int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("seed ")]
        if done.returncode in {0, 1}:
            last = steps[-1] + 1 if steps else place
        else:
            crashes += 1
            last = (steps[-1] if steps else place) + 1
            print(f"--- seed {last - 1}: the process died ({done.returncode}): {crashed_in(done.stderr)}", flush=True)
        ran += last - place
        place = last
        tally = [line.split(maxsplit=1) for line in done.stdout.splitlines() if re.match(r" *\d+  ", line)]
        totals.update({reason: int(times) for times, reason in tally})
        for text in done.stdout.split("--- ")[1:]:
            key = re.sub(r"seed \d+|[tx]?\d[\d.]*|\[.*", "", text.split("\n", maxsplit=1)[0])[:100]
            if key not in seen:
                seen.add(key)
                print("--- " + re.sub(r"(?m)^ *\d+  .*\n|^\d+ programs.*\n", "", text), flush=True)
    for reason, times in totals.most_common():
        print(f"{times:6}  {reason}")
    print(f"{ran} programs, {crashes} crashes of PyTorch")
    return 1 if totals["differing programs"] else 0


def crashed_in(text: str) -> str:
    """Return the frame in which the process died."""
    frames = [line.strip() for line in text.splitlines() if line.strip().startswith("File")]
    return frames[0] if frames else text[-200:]


if __name__ == "__main__":
    faulthandler.enable()
    raise SystemExit(main())
