"""Where programs differ on purpose: how to give PyTorch the meaning that rushlight has, and so to tell faults apart."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import rushlight
from rushlight.testing.program import Program

WRITE = re.compile(r"(?:with T.no_grad\(\): )?([xt]\d+)(.*?)(?:_\(| [-+*/]?= )")
UNRECORDED = re.compile(r"(?s)with T.no_grad\(\): (?!t\d+ = ).*|.*\.(detach\(\)|grad)\.?(\w+_\(| ).*")
QUIETLY = """\
_held = [(v, v._version) for v in list(globals().values()) if isinstance(v, T.Tensor) and v._version < 2 ** 31]
{line}
T._C._autograd._unsafe_set_version_counter(tuple(v for v, _ in _held), tuple(n for _, n in _held))"""


def names_before(program: Program, place: int) -> dict[str, Any]:
    """Return what rushlight's names stand for when line ``place`` is about to run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return replace(program, lines=program.lines[:place]).run(rushlight).names


def safe(line: str) -> str:
    """Return ``line`` such that PyTorch does not crash: ask a view whose base was written for its history first."""
    return re.sub(r"^(\w+)\.register_hook", r"\1.grad_fn; \1.register_hook", line)


def _quiet(line: str) -> str:
    """Return ``line`` such that a write under ``no_grad`` does not let PyTorch make the history of views anew."""
    return QUIETLY.format(line=line) if UNRECORDED.fullmatch(line) else line


def _cloned(line: str) -> str:
    """Return ``line`` such that a gradient in PyTorch does not share the memory of another."""
    line = re.sub(r"= (T\.autograd\.grad\(.*\)\[0\])$", r"= (lambda g: None if g is None else g.clone())(\1)", line)
    return re.sub(r"\.backward\((\w+)\)", r".backward(\1.clone())", line)


def _asked(line: str) -> str:
    """Return ``line`` such that PyTorch takes no view for a leaf whose base began to require grad."""
    found = WRITE.match(line)
    return line if found is None else f"try: {found[1]}.grad_fn\nexcept (NameError, RuntimeError): pass\n{line}"


def _told(line: str) -> str:
    """Return ``line`` such that PyTorch lets views know that their base has come to require grad."""
    return re.sub(r"^(\w+)\.requires_grad_\(\)$", r"\1.requires_grad_(); T.autograd.graph.increment_version(\1)", line)


EXPLAINED: dict[str, Callable[[str], str]] = {
    "hooks on views stay when their base is written under no_grad": _quiet,
    "gradients do not share memory with others, the one passed to backward among them": _cloned,
    "a view may be written whose base has come to require grad": _asked,
    "a view of what comes to require grad requires grad as well": _told,
}
"""What differs on purpose, and how to change a line such that PyTorch does as rushlight."""


def _hooks_left_out(program: Program, wanted: Callable[[str, int], bool]) -> Program:
    """Return ``program`` without the hooks on the tensors, and the lines, for which ``wanted`` says so."""
    found = [re.match(r"(\w+)\.(?:register_hook|retain_grad)\(", line) for line in program.lines]
    lines = zip(program.lines, found, strict=True)
    kept = [line for n, (line, hook) in enumerate(lines) if hook is None or not wanted(hook[1], n)]
    return replace(program, lines=tuple(kept))


def _without_written(program: Program) -> Program:
    """Return ``program`` without the hooks on what a later line writes."""

    def written(name: str, place: int) -> bool:
        made = names_before(program, place).get(name)
        if getattr(made, "view_of", None) is None:
            return False
        return any((found := WRITE.match(line)) and found[1] == name for line in program.lines[place + 1 :])

    return _hooks_left_out(program, written)


def _without_products(program: Program) -> Program:
    """Return ``program`` without the hooks on results of ``prod`` and ``cumprod``."""
    made = {line.split(" = ")[0] for line in program.lines if re.search(r"\.(cum)?prod\(", line)}
    return _hooks_left_out(program, lambda name, place: name in made)


HOOKED: dict[str, Callable[[Program], Program]] = {
    "a hook on a view that is written later": _without_written,
    "which share of a second derivative a hook on a product sees": _without_products,
}
"""Where hooks differ on purpose, and how to leave them out of a program."""


def reads_its_target(program: Program, place: int) -> bool:
    """Return whether a line writes memory that it reads in another order, so that the values are left to chance."""
    line = program.lines[place]
    found, names = WRITE.match(line), re.findall(r"\b[xt]\d+\b", line)
    if found is None or len(names) < 2:
        return False
    known = names_before(program, place)
    arrays = [known[name].array for name in names if isinstance(known.get(name), rushlight.Tensor)]
    if len(arrays) < len(names):
        return False
    first = arrays[0]
    same = [a is first or a.__array_interface__ == first.__array_interface__ for a in arrays[1:]]
    return any(
        np.shares_memory(first, other) and (bool(found[2]) or not alike)
        for other, alike in zip(arrays[1:], same, strict=True)
    )
