"""Padding the last dims."""

from __future__ import annotations

from typing import Any

from ....arrays.dims import ints
from ....arrays.dtypes import Array
from ....arrays.kernels import pad as kernels
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors

Ints = tuple[int, ...]


@primitive(
    input=lambda g, pad: constant_pad_nd(g, tuple(-n for n in pad), 0),
    doors="torch",
)
def constant_pad_nd(input: Array, pad: Ints, value: Any = 0) -> Array:
    """Return ``input`` in a border of ``value``; negative pads crop. Padded by the negatives it is its own adjoint."""
    return kernels.pad(input, pad, "constant", value)


_NODES = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


def _title(pad: Ints, how: str) -> str:
    return f"{_NODES[how]}{len(pad) // 2}DBackward0"


@primitive(
    input=lambda g, input_shape, pad, how: _pad_copies_back(g, input_shape, pad, how),
    connected=("input",),
    grad_fn_name=_title,
)
def _pad_copies(input: Array, pad: Ints, how: str) -> Array:
    """Return ``input`` in a border of copies of its elements."""
    out = kernels.pad(input, pad, how)
    return out if any(pad) else out.copy()


@primitive(
    grad=lambda g, pad, how: _pad_copies(g, pad, how), grad_fn_name=lambda pad, how: _title(pad, how)[:-1] + "Backward0"
)
def _pad_copies_back(grad: Array, shape: Ints, pad: Ints, how: str) -> Array:
    """Return ``grad`` added back to the elements of which ``_pad_copies`` made copies; its adjoint."""
    return kernels.pad_adjoint(grad, shape, pad, how)


@doors("functional")
def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Return ``input`` with its last dims padded.

    ``pad`` holds two numbers for each padded dim, before and after, the last dim first; negative ones crop. ``mode``
    is ``"constant"`` (``value``, 0 by default), or for the last one to three dims of (N, C, ...) or (C, ...):
    ``"reflect"`` (mirrored at the outermost element), ``"replicate"`` (the outermost element again) or ``"circular"``
    (from the other end). Raises RuntimeError for pads that do not fit the shape, NotImplementedError for a mode or rank
    that is not padded. https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html

    >>> import rushlight as torch
    >>> x = torch.tensor([[1.0, 2.0, 3.0]])
    >>> torch.nn.functional.pad(x, (1, 2))
    tensor([[0., 1., 2., 3., 0., 0.]])
    >>> torch.nn.functional.pad(x, (1, 2), mode="reflect")
    tensor([[2., 1., 2., 3., 2., 1.]])
    """
    array = array_of(input, "pad")
    if isinstance(pad, int):
        raise TypeError(f"pad(): argument 'pad' (position 2) must be tuple of ints, not {type(pad).__name__}")
    sides = ints(pad, "pad", "pad")
    if mode == "constant":
        return constant_pad_nd(input, sides, 0.0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    kernels.check_pads(array.shape, sides, mode)
    if mode != "circular" and array.dtype.kind == "b":
        raise NotImplementedError(f"\"{mode}_pad{len(sides) // 2}d\" not implemented for 'Bool'")
    return _pad_copies(input, sides, mode)
