"""Random differentiable programs: computing, looking, writing in place, hooks, several walks backward.

A program is a list of lines of ordinary code, so a failing one can be shortened line by line, printed and run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from .. import lazy
from ..autograd.variable import Variable
from .phrases import PHRASES, Phrase, endings

_ENGINE: Any = lazy.load("")
Choose = Callable[[int], int]
LARGEST, WIDEST = 1e4, 64
"""Values beyond, and tensors of more elements, do not get into programs."""


@dataclass(frozen=True)
class Program:
    """Leaves by name, as ``(name, dtype, shape, seed)``, and lines that compute with them on the engine ``T``."""

    leaves: tuple[tuple[str, str, tuple[int, ...], int], ...]
    lines: tuple[str, ...]

    def arrays(self, shift: int = 0) -> dict[str, np.ndarray[Any, Any]]:
        """Return values for the leaves; others for another ``shift``."""
        made: dict[str, np.ndarray[Any, Any]] = {}
        for name, kind, shape, seed in self.leaves:
            rng = np.random.default_rng([seed, shift])
            made[name] = np.asarray(rng.uniform(0.2, 1.5, shape) * rng.choice([-1, 1], shape)).round(3).astype(kind)
        return made

    def run(self, engine: Any, shift: int = 0) -> Run:
        """Return the outcome of running the lines on ``engine``, which is rushlight or PyTorch."""
        seen: list[Any] = []
        names: dict[str, Any] = {"T": engine, "F": engine.nn.functional, "note": noting(seen), "math": math}
        for name, array in self.arrays(shift).items():
            kind = getattr(engine, str(array.dtype))
            names[name] = engine.tensor(array.tolist(), dtype=kind, requires_grad=True).reshape(array.shape)
            if names[name].shape != array.shape or not names[name].is_leaf:
                names[name] = engine.tensor(array, requires_grad=True)
        errors: list[Exception | None] = []
        for line in self.lines:
            try:
                exec(compiled(line), names)
                errors.append(None)
            except Exception as error:  # any error is a result
                errors.append(error)
        return Run(names, errors, seen)

    def code(self, shift: int = 0) -> str:
        """Return the program as text that runs."""
        text = ["import rushlight as T  # or: import torch as T", "F = T.nn.functional"]
        if any("note" in line for line in self.lines):
            text += ["def note(g):", "    print(g)"]
        for name, array in self.arrays(shift).items():
            text.append(f"{name} = T.tensor({array.tolist()}, dtype=T.{array.dtype}, requires_grad=True)")
        return "\n".join([*text, *self.lines])

    def without(self, place: int, count: int) -> Program:
        """Return the program with ``count`` lines from ``place`` on left out."""
        return replace(self, lines=self.lines[:place] + self.lines[place + count :])

    def __call__(self, *leaves: Any) -> Any:
        """Return the last tensor that the lines compute from ``leaves``, to be differentiated; lines may not fail."""
        names: dict[str, Any] = {"math": math, "T": _ENGINE, "F": _ENGINE.nn.functional}
        names |= dict(zip((leaf[0] for leaf in self.leaves), leaves, strict=True))
        last = leaves[0]
        for line in self.lines:
            exec(compiled(line), names)
            target = re.match(r"(t\d+)(\[.*\])? = ", line)
            last = names[target[1]] if target else last
        return last

    def __repr__(self) -> str:
        return f"<program>\n{self.code()}\n</program>"


@dataclass
class Run:
    """The outcome of a program on one engine: all names, the error of each line or None, and what hooks saw."""

    names: dict[str, Any]
    errors: list[Exception | None]
    seen: list[Any] = field(default_factory=list)


def noting(seen: list[Any]) -> Callable[[Any], None]:
    """Return a hook that keeps a copy of each gradient it sees."""

    def note(g: Any) -> None:
        seen.append(None if g is None else np.array(g.detach().numpy()))

    return note


@lru_cache(maxsize=4096)
def compiled(line: str) -> CodeType:
    """Return the code of one line."""
    return compile(line, "<program>", "exec")


class Builder:
    """Writes a program line by line, and runs it on rushlight meanwhile to know names, shapes and what fails.

    ``choose(n)`` decides everything: it returns a number below ``n``.
    """

    def __init__(self, choose: Choose, engine: Any, smooth: bool, dtypes: tuple[str, ...]) -> None:
        self.choose, self.engine, self.smooth = choose, engine, smooth
        leaves = []
        for number in range(1 + choose(3)):
            shape = ((3,), (2, 3), (3, 2), (), (2,), (1, 3), (2, 2), (2, 1, 3), (0, 2))[choose(8 if smooth else 9)]
            leaves.append((f"x{number}", dtypes[choose(len(dtypes))], shape, choose(1000)))
        self.program = Program(tuple(leaves), ())
        self.names = self.program.run(engine).names
        self.lines: list[str] = []
        self.count = 0

    def tensors(self) -> list[str]:
        """Return the names of all tensors, the newest first."""
        return [name for name, value in reversed(self.names.items()) if isinstance(value, Variable)]

    def pick(self) -> str:
        """Return the name of a tensor, more often a new one."""
        found = self.tensors()
        return found[min(self.choose(len(found)), self.choose(len(found)))]

    def add(self, phrase: Phrase) -> bool:
        """Write one line; return whether it stays."""
        line = phrase(self)
        target = line.split(" = ")[0] if " = " in line.split("[")[0].split("(")[0] else ""
        try:
            exec(compiled(line), self.names)
        except Exception:
            failed = True
        else:
            failed = False
        if failed:
            if self.smooth or self.choose(2):
                return False
        elif target and not self._fits(self.names.get(target)):
            del self.names[target]
            return False
        self.lines.append(line)
        return True

    @staticmethod
    def _fits(value: Any) -> bool:
        if not isinstance(value, Variable):
            return True
        array = np.asarray(value.array)
        return array.size <= WIDEST and array.ndim < 5 and bool(np.all(np.abs(array) < LARGEST))

    def new(self) -> str:
        """Return a name that is not taken."""
        self.count += 1
        return f"t{self.count}"

    def finish(self) -> Program:
        """Return the program, its last tensors differentiated twice."""
        leaves = ", ".join(leaf[0] for leaf in self.program.leaves)
        last = [name for name in self.tensors() if self.names[name].requires_grad][:3]
        lines = self.lines if self.smooth else [*self.lines, *endings(last, leaves)]
        return replace(self.program, lines=tuple(lines))


def draw_program(
    choose: Choose, engine: Any, size: int, smooth: bool = False, dtypes: tuple[str, ...] = ("float64",)
) -> Program:
    """Return a program of about ``size`` lines; a ``smooth`` one only computes, looks and writes, without a kink."""
    builder = Builder(choose, engine, smooth, dtypes)
    phrases = [phrase for phrase, kind in PHRASES if not smooth or kind == "smooth"]
    for _ in range(3 * size):
        builder.add(phrases[choose(len(phrases))])
        if len(builder.lines) >= size:
            break
    return builder.finish()
