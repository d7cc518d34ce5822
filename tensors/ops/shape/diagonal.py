"""Diagonals and triangles of matrices, batches of them included."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from .views import clone

# ------------------------------------------------------------------ diagonals


def _dims(ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    first, second = norm_dim(dim1, ndim), norm_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def _diagonal_of(x: Array, offset: int, dim1: int, dim2: int) -> Array:
    """Return a view that can be written where ``x`` can, unlike ``np.diagonal``."""
    first, second = _dims(x.ndim, dim1, dim2)
    out: Array = np.diagonal(x, offset, first, second)
    if x.flags.writeable:
        out.flags.writeable = True
    return out


@primitive(
    view=True,
    input=lambda g, input_shape, offset, dim1, dim2: place_diagonal(g, input_shape, offset, dim1, dim2),
    integers=("offset", "dim1", "dim2"),
    doors="torch Tensor",
)
def diagonal(input: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """Return the diagonal of ``dim1`` and ``dim2`` as the last dim, ``offset`` above the main one: a view.

    https://pytorch.org/docs/stable/generated/torch.diagonal.html
    """
    return _diagonal_of(np.asarray(input), offset, dim1, dim2)


@primitive(g=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2), integers=("offset", "dim1", "dim2"))
def place_diagonal(g: Array, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Array:
    """Return zeros of ``shape`` with ``g`` on a diagonal; the adjoint of ``diagonal``."""
    out = np.zeros(shape, g.dtype)
    _diagonal_of(out, offset, dim1, dim2)[...] = g
    return out


@primitive(
    input=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2),
    integers=("offset", "dim1", "dim2"),
    doors="torch Tensor",
)
def diag_embed(input: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """Return zeros with the last dim of ``input`` on the diagonal of the new dims ``dim1`` and ``dim2``.

    https://pytorch.org/docs/stable/generated/torch.diag_embed.html
    """
    first, second = _dims(input.ndim + 1, dim1, dim2)
    side = input.shape[-1] + abs(offset)
    rest = iter(input.shape[:-1])
    shape = [side if d in (first, second) else next(rest) for d in range(input.ndim + 1)]
    out = np.zeros(shape, input.dtype)
    _diagonal_of(out, offset, first, second)[...] = input
    return out


@doors("torch Tensor")
def diag(input: Any, diagonal: int = 0) -> Any:
    """Return a matrix with the vector ``input`` on a diagonal, or a copy of the diagonal of a matrix.

    https://pytorch.org/docs/stable/generated/torch.diag.html
    """
    ndim = array_of(input, "diag").ndim
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return clone(_look(input, diagonal))


_look = diagonal


@doors("torch Tensor")
def diagflat(input: Any, offset: int = 0) -> Any:
    """Return a matrix with the elements of ``input`` on a diagonal."""
    return diag_embed(input.reshape(-1), offset)


# ------------------------------------------------------------------ triangles


def _triangle(input: Array, diagonal: int, name: str) -> Array:
    """Return a mask of the elements of a matrix on or below a diagonal."""
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, but got shape {list(input.shape)}")
    below: Array = np.tri(input.shape[-2], input.shape[-1], diagonal, np.bool_)
    return below


@primitive(input=lambda g, diagonal: tril(g, diagonal), integers=("diagonal",), doors="torch Tensor Tensor_")
def tril(input: Array, diagonal: int = 0) -> Array:
    """Return ``input`` with zeros above a diagonal of the last two dims.

    https://pytorch.org/docs/stable/generated/torch.tril.html
    """
    return np.where(_triangle(input, diagonal, "tril"), input, input.dtype.type(0))


@primitive(input=lambda g, diagonal: triu(g, diagonal), integers=("diagonal",), doors="torch Tensor Tensor_")
def triu(input: Array, diagonal: int = 0) -> Array:
    """Return ``input`` with zeros below a diagonal of the last two dims.

    https://pytorch.org/docs/stable/generated/torch.triu.html
    """
    return np.where(_triangle(input, diagonal - 1, "triu"), input.dtype.type(0), input)


# ------------------------------------------------------------------ windows along one dim


@primitive(
    view=True,
    input=lambda g, input_shape, dimension, size, step: place_windows(g, input_shape, dimension, size, step),
    grad_fn_name="UnfoldBackward0",
    integers=("dimension", "size", "step"),
    doors="Tensor.unfold",
)
def unfold_dim(input: Array, dimension: int, size: int, step: int) -> Array:
    """Return the windows of ``size`` elements of a dim, ``step`` apart, as a new last dim: a view.

    https://pytorch.org/docs/stable/generated/torch.Tensor.unfold.html
    """
    array, dim = np.asarray(input), norm_dim(dimension, input.ndim)
    length = array.shape[dim] if array.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not array.ndim:
        return array.reshape(1)[:size]
    shape, strides = list(array.shape), list(array.strides)
    shape[dim], strides[dim] = (length - size) // step + 1, strides[dim] * step
    return np.lib.stride_tricks.as_strided(array, (*shape, size), (*strides, array.strides[dim]))


@primitive(
    g=lambda g, dimension, size, step: unfold_dim(g, dimension, size, step),
    grad_fn_name="UnfoldBackwardBackward0",
    integers=("dimension", "size", "step"),
)
def place_windows(g: Array, shape: tuple[int, ...], dimension: int, size: int, step: int) -> Array:
    """Return zeros of ``shape`` with the windows ``g`` added in; the adjoint of ``unfold_dim``."""
    out = np.zeros(shape or (1,), g.dtype)
    if not shape:
        out[:size] = g
        return out.reshape(())
    dim = norm_dim(dimension, len(shape))
    lead = (slice(None),) * dim
    count = g.shape[dim]
    for offset in range(size):
        out[(*lead, slice(offset, offset + (count - 1) * step + 1, step))] += g[..., offset]
    return out
