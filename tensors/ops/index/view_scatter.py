"""A view of a copy replaced: ``select_scatter``, ``slice_scatter``, ``diagonal_scatter``; and ``as_strided``."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ....arrays.dims import ints, norm_dim
from ....arrays.dtypes import Array
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from ..common import as_kind
from ..elementwise.ternary import where
from ..shape.views import reshape
from .scatter import place_rows

Ints = tuple[int, ...]


# ------------------------------------------------------------------ a part replaced


def _replaced(name: str, input: Any, src: Any, look: Any) -> Any:
    """Return ``input`` with its view ``look(input)`` replaced by ``src``, which has the shape of that view."""
    x, y = array_of(input, name), array_of(src, name, "src", 2)
    places = look(np.arange(x.size).reshape(x.shape))
    if places.shape != y.shape:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the part of self, {list(places.shape)}, but got size "
            f"{list(y.shape)}"
        )
    mask = np.zeros(x.size, bool)
    mask[places.reshape(-1)] = True
    spread = place_rows(reshape(as_kind(src, x.dtype), (-1,)), (x.size,), 0, places.reshape(-1))
    return where(mask.reshape(x.shape), reshape(spread, x.shape), input)


@doors("torch Tensor")
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """Return ``input`` with the slice ``index`` of ``dim`` replaced by ``src``.

    https://pytorch.org/docs/stable/generated/torch.select_scatter.html
    """
    shape = array_of(input, "select_scatter").shape
    axis = norm_dim(dim, len(shape))
    if not shape or not -shape[axis] <= index < shape[axis]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    return _replaced("select_scatter", input, src, lambda x: np.take(x, index, axis))


@doors("torch Tensor")
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """Return ``input`` with the slice ``start:end:step`` of ``dim`` replaced by ``src``.

    https://pytorch.org/docs/stable/generated/torch.slice_scatter.html
    """
    axis = norm_dim(dim, array_of(input, "slice_scatter").ndim)
    if step <= 0:
        raise RuntimeError(f"slice step must be positive, not {step}")
    return _replaced("slice_scatter", input, src, lambda x: x[(*(slice(None),) * axis, slice(start, end, step))])


@doors("torch Tensor")
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Return ``input`` with a diagonal replaced by ``src``.

    https://pytorch.org/docs/stable/generated/torch.diagonal_scatter.html
    """
    ndim = array_of(input, "diagonal_scatter").ndim
    first, second = norm_dim(dim1, ndim), norm_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _replaced("diagonal_scatter", input, src, lambda x: x.diagonal(offset, first, second))


# ------------------------------------------------------------------ strides


def _places(size: Ints, stride: Ints, offset: int) -> Array:
    """Return the offset in memory of each element of a strided tensor, counted in elements."""
    total = np.full(size, offset, np.int64)
    for d, (n, step) in enumerate(zip(size, stride, strict=True)):
        total += (np.arange(n) * step).reshape(-1, *(1,) * (len(size) - 1 - d))
    return total


def _strided_back(g: Any, input_shape: Ints, size: Ints, stride: Ints, storage_offset: int) -> Any:
    places = _places(size, stride, storage_offset).reshape(-1)
    return reshape(place_rows(reshape(g, (-1,)), (prod(input_shape),), 0, places), input_shape)


@primitive(view=True, input=_strided_back, grad_fn_name="AsStridedBackward0")
def _as_strided(input: Array, size: Ints, stride: Ints, storage_offset: int) -> Array:
    """Return the memory of contiguous ``input`` as a view of other sizes and strides."""
    flat = input.reshape(-1)[storage_offset:]
    steps = tuple(step * input.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(flat, size, steps) if flat.size or 0 in size else np.empty(size, input.dtype)


@doors("torch Tensor Tensor_ torch_")
def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """Return a view of the memory of ``input`` with other sizes and strides, counted in elements.

    Elements may be seen several times. RuntimeError where the view would reach beyond the memory, NotImplementedError
    unless ``input`` is contiguous. https://pytorch.org/docs/stable/generated/torch.as_strided.html

    >>> import rushlight as torch
    >>> torch.as_strided(torch.arange(4.0), (2, 2), (1, 1))
    tensor([[0., 1.],
            [1., 2.]])
    """
    x = array_of(input, "as_strided")
    sizes, strides = ints(size, "as_strided", "size"), ints(stride, "as_strided", "stride")
    if len(sizes) != len(strides):
        raise RuntimeError(f"mismatch in length of strides {list(strides)} and shape {list(sizes)}")
    if min((*sizes, *strides), default=0) < 0:
        raise RuntimeError(f"as_strided: sizes and strides must not be negative, but are {sizes} and {strides}")
    if not x.flags.c_contiguous:
        raise NotImplementedError(
            f"as_strided: tensors that are not contiguous (shape {list(x.shape)}) are not supported"
        )
    start = 0
    if storage_offset is not None:
        own = input.storage_offset() if hasattr(input, "storage_offset") else 0
        start = storage_offset - own
    last = start + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    if 0 not in sizes and (start < 0 or last >= x.size):
        raise RuntimeError(
            f"setStorage: sizes {list(sizes)}, strides {list(strides)}, storage offset {start} reach element {last} of "
            f"a tensor of {x.size} elements"
        )
    return _as_strided(input, sizes, strides, max(start, 0))


@doors("torch Tensor")
def as_strided_scatter(input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """Return ``input`` with what :func:`as_strided` would show of it replaced by ``src``.

    https://pytorch.org/docs/stable/generated/torch.as_strided_scatter.html

    >>> import rushlight as torch
    >>> torch.as_strided_scatter(torch.zeros(2, 2), torch.ones(2), (2,), (3,))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _replaced("as_strided_scatter", input, src, lambda x: as_strided(x, size, stride, storage_offset))
