"""The facts of one recorded step in a picture: its name, shape and source line, and the kinds of its arrows."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np

from ..autograd.function import FunctionBackward
from ..autograd.node import Node, SavedArray
from ..autograd.primitive import PRIMITIVES
from ..autograd.variable import Variable
from ..nn import functional
from .held import KEPT, dtype_name
from .model import Shape, Source
from .notes import Note, note_of
from .sources import near, text_of


def age(node: Node) -> int:
    """Return the place of ``node`` in time."""
    return node.seq


_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def said(value: Any) -> str:
    """Return an argument as text that is the same in every run: functions by their names, nothing by its address."""
    if isinstance(value, KEPT) and value.size == 1:
        value = value.item()
    if isinstance(value, tuple | list):
        inner = ", ".join(repr(each) if isinstance(each, str) else said(each) for each in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    name = getattr(value, "__name__", None) if callable(value) else None
    return name if isinstance(name, str) else _ADDRESS.sub("", str(value))


def plain_shape(shape: Any) -> Shape | None:
    """Return a shape as a tuple; a step with several results has none."""
    return None if shape is None else tuple(shape)


_words: dict[str, str] = {}


def word(step: Node) -> str:
    """Return the name of the function behind a step: ours if users can call it by that, else PyTorch's."""
    op = step.backward
    if op is None:
        return ""
    if isinstance(op, FunctionBackward):
        return op.name
    if op.grad_fn_name == "CopySlices":
        return "write"
    key = f"{op.name} {op.grad_fn_name}"
    found = _words.get(key)
    if found is None:
        callable_as = hasattr(Variable.result, op.name) or hasattr(functional, op.name)
        title = re.sub(r"(WithIndices)?Backwards?\d*$", "", op.grad_fn_name)
        found = _words[key] = op.name if callable_as else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", title).lower()
    return found


def result_of(step: Node) -> tuple[Shape | None, str, tuple[Shape, ...]]:
    """Return shape and dtype of the step's result, and the shapes of its results if there are several."""
    shape = plain_shape(step.shape)
    if shape is not None:
        return shape, dtype_name(step.dtype), ()
    if isinstance(step.backward, FunctionBackward):
        return None, "", tuple(tuple(fact[0]) for fact in step.backward.output_facts if fact is not None)
    return None, "", ()


def bytes_of(shape: Shape | None, kind: Any) -> int:
    """Return the bytes of a value; 0 where there is no single shape."""
    return 0 if shape is None else prod(shape) * int(kind.itemsize)


def arrow_kind(step: Node, slot: int) -> str:
    """Return whether ``step`` looks into what it reads at ``slot``, wrote into it, or just read it."""
    name = step.backward.name if step.backward is not None else ""
    if slot:
        return "data"
    note = note_of(step)
    if name == "copy_slices" or (note is not None and note.write is not None):
        return "inplace"
    return "view" if is_view(step) else "data"


def is_view(step: Node) -> bool:
    """Return whether the results of ``step`` look into the memory of what it read."""
    name = step.backward.name if step.backward is not None else ""
    primitive = PRIMITIVES.get(name)
    return name in _SPLITS or (primitive is not None and primitive.view)


CALLED = {"self": "input", "saved_tensors": "saved"}
_SPLITS = {"unbind", "split_with_sizes"}


def write_of(note: Note | None) -> tuple[int, int] | None:
    """Return the versions before and after a noted write in place."""
    if note is not None and note.write is not None:
        return note.write.before, note.write.before + 1
    return None


def written(tensor: Any) -> bool:
    """Return whether the memory of ``tensor`` was ever written in place."""
    return not tensor.is_inference() and tensor._version > 0


def is_constant(one: SavedArray) -> bool:
    """Return whether a saved array is an input to draw: one with dims that requires no grad."""
    return isinstance(one.array, np.ndarray) and one.array.ndim > 0 and one.version is not None


def hooks_on(node: Node) -> int:
    """Return the number of hooks on ``node``."""
    hooks = node.hooks
    return 0 if hooks is None else sum(map(len, (hooks.tensor, hooks.before, hooks.after, hooks.accumulated)))


def source_of(note: Note | None) -> Source | None:
    """Return the line of the program that was noted."""
    if note is None or not note.line:
        return None
    return Source(near(note.file), note.line, note.function, text_of(note.file, note.line))
