"""Unbroadcast: fit a gradient to the value it belongs to, broadcasting and promotion undone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.dtypes import Array
from .node import Node
from .primitive import primitive
from .variable import Variable


def _expand_again(g: Any, input_shape: tuple[int, ...]) -> Any:
    return expand_to(g, input_shape)


def _sum_again(g: Any, input_shape: tuple[int, ...]) -> Any:
    return sum_to(g, input_shape)


@primitive(input=_expand_again, grad_fn_name="SumBackward1")
def sum_to(input: Array, shape: tuple[int, ...]) -> Array:
    """Return ``input`` summed to ``shape``, from which it can be broadcast; the dual of ``expand_to``."""
    lead = input.ndim - len(shape)
    dims = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and input.shape[lead + i] != 1))
    return np.add.reduce(input, dims, input.dtype, keepdims=True).reshape(shape)


@primitive(input=_sum_again, grad_fn_name="ExpandBackward0")
def expand_to(input: Array, shape: tuple[int, ...]) -> Array:
    """Return ``input`` broadcast to ``shape``, read-only; the dual of ``sum_to``."""
    return broadcast_view(input, shape)


def broadcast_view(x: Array, shape: tuple[int, ...]) -> Array:
    """Return ``x`` broadcast to ``shape``, a view: ``np.broadcast_to``, but faster (``benchmarks/claims.py``)."""
    x = np.asarray(x)
    if not x.flags.c_contiguous:
        return np.broadcast_to(x, shape)
    lead = len(shape) - x.ndim
    strides = tuple(0 if n == 1 else s for n, s in zip(x.shape, x.strides, strict=True))
    return np.ndarray(shape, x.dtype, x, 0, (0,) * lead + strides)


@primitive(input=lambda g: g, grad_fn_name="ToCopyBackward0")
def convert(input: Array, dtype: Any) -> Array:
    """Return ``input`` in NumPy's ``dtype``, a copy; the engine brings the gradient back."""
    return np.asarray(input).astype(dtype)


def is_expandable(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Return whether a gradient of ``shape`` can be summed to ``wanted``."""
    lead = len(shape) - len(wanted)
    return lead >= 0 and all(n in (1, m) for n, m in zip(wanted, shape[lead:], strict=True))


def unbroadcast(part: Any, edge: Node, node: Node) -> Any:
    """Return the gradient that ``node`` sends to ``edge`` in the shape and dtype of the value there."""
    array = part.array if isinstance(part, Variable) else part
    shape, kind = edge.shape, edge.dtype
    if array.shape != shape:
        if not is_expandable(array.shape, shape):
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index {node.edges.index(edge)} - got "
                f"{list(array.shape)} but expected shape compatible with {list(shape)}"
            )
        part = sum_to(part, shape)
    return part if array.dtype is kind else convert(part, kind)
