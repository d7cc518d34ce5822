"""Scatter that combines the elements with the same index: sums, means, products, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array
from ....arrays.kernels.scatter_add import flat_places
from ....autograd.arguments import array_of
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.recording import recording
from ....autograd.variable import Variable
from ...doors import doors
from ..common import keep
from ..reduce.sums import prod
from ..shape.join import cat
from ..shape.views import getitem, reshape
from .scatter import (
    covered,
    gather,
    index_select,
    matching,
    one_dtype,
    place_along,
    scatter_add,
    scatter_value,
    spots_of,
    vector,
)


def _met(input: Array, dim: int, index: Any, src: Any, ufunc: Any) -> Array:
    """Return ``input`` with each element of ``src`` combined, by ``ufunc``, with the one at its index."""
    one_dtype("scatter_reduce", input, src)
    out = np.array(input)
    if index.size:
        places: Any = spots_of(input.shape, norm_dim(dim, input.ndim), index, "scatter_reduce") if input.ndim else ()
        ufunc.at(out, places, src)
    return out


@primitive(input=None, src=None, index=None, integers=("dim",))
def scatter_times(input: Array, dim: int, index: Any, src: Any) -> Array:
    """Return ``input`` multiplied by the elements of ``src`` at ``index`` along ``dim``."""
    return _met(input, dim, index, src, np.multiply)


def multiplied(input: Any, dim: int, index: Any, src: Any, name: str) -> Any:
    """Return :func:`scatter_times`, put together from steps that have gradients where one is asked for."""
    one_dtype(name, array_of(input, name), array_of(src, name))
    if not recording.get() or not any(isinstance(x, Variable) and x.node is not None for x in (input, src)):
        return scatter_times(input, dim, index, src)
    array, places = array_of(input, name), array_of(index, name)
    if not places.size:
        return input * 1
    spots = spots_of(array.shape, norm_dim(dim, array.ndim), places, name) if array.ndim else (np.zeros((), np.int64),)
    flat = np.broadcast_to(flat_places(spots, array.shape or (1,)), places.shape).reshape(-1)
    factors = prod(_by_place(reshape(src, (-1,)), flat, array.size), 1)
    return input * reshape(factors, array.shape)


def _by_place(src: Any, flat: Array, size: int) -> Any:
    """Return a row for each of ``size`` places: the elements of ``src`` with that index, padded with ones."""
    order = np.argsort(flat, kind="stable")
    met = flat[order]
    counts = np.bincount(flat, minlength=size)
    rank = np.arange(flat.size) - (np.cumsum(counts) - counts)[met]
    slots = np.full((size, max(int(counts.max(initial=0)), 1)), flat.size)
    slots[met, rank] = order
    one = np.ones(1, array_of(src, "scatter_reduce").dtype)
    return reshape(index_select(cat([src, one]), 0, slots.reshape(-1)), slots.shape)


def _extreme_back(g: Any, input: Any, out: Any, src: Any, dim: int, index: Any) -> tuple[Any, Any]:
    """Share the gradient equally among the elements that equal the extreme, as PyTorch does."""
    kind = (g.array if isinstance(g, Variable) else g).dtype
    own, won = input == out, src == gather(out, dim, index)
    ties = own + place_along(keep(np.ones(src.shape, kind), won), g.shape, dim, index)
    share = g / ties
    return keep(share, own), keep(gather(share, dim, index), won)


@primitive(_extreme_back, ("input", "src"), index=None, grad_fn_name="ScatterReduceBackward0", integers=("dim",))
def scatter_extreme(input: Array, dim: int, index: Any, src: Any, largest: bool) -> Array:
    """Return ``input`` with the largest or smallest of the elements with the same ``index`` along ``dim``."""
    return _met(input, dim, index, src, np.maximum if largest else np.minimum)


def _neutral(kind: np.dtype[Any], reduce: str) -> Any:
    """Return the identity of a reduction in dtype ``kind``: the start that changes no result."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    largest = reduce == "amax"
    if kind.kind == "f":
        return -np.inf if largest else np.inf
    if kind.kind == "b":
        return not largest
    return np.iinfo(kind).min if largest else np.iinfo(kind).max


@doors("torch Tensor Tensor_")
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """Return ``input`` with the elements of ``src`` combined in at ``index`` along ``dim``.

    ``reduce`` is ``"sum"``, ``"mean"``, ``"prod"``, ``"amax"`` or ``"amin"``. Without ``include_self`` the values of
    ``input`` at those places are left out.

    https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_reduce_.html
    """
    if reduce not in ("sum", "mean", "prod", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    array, places = array_of(input, "scatter_reduce"), array_of(index, "scatter_reduce", "index", 3)
    values = array_of(src, "scatter_reduce", "src", 4)
    dim = norm_dim(dim, array.ndim)
    one_dtype("scatter_reduce", array, values)
    if not places.size:
        return input * 1
    if 0 in (array.ndim, places.ndim, values.ndim) and max(array.ndim, places.ndim, values.ndim) == 1:
        x, where, what = (reshape(one, (-1,)) for one in (input, index, src))
        return reshape(scatter_reduce(x, 0, where, what, reduce, include_self=include_self), array.shape)
    if places.ndim != array.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if values.shape != places.shape:
        covered(places, values, "scatter_reduce")  # raises if the source is too small
        src = getitem(src, tuple([slice(0, n) for n in places.shape]))
    base = input if include_self else scatter_value(input, dim, index, _neutral(array.dtype, reduce))
    if reduce == "prod":
        return multiplied(base, dim, index, src, "scatter_reduce()")
    if reduce in ("amax", "amin"):
        return scatter_extreme(base, dim, index, src, reduce == "amax")
    total = scatter_add(base, dim, index, src)
    if reduce == "sum":
        return total
    counts = place_along(np.ones(places.shape, array.dtype), array.shape, dim, places)
    counts = np.maximum(counts + (1 if include_self else 0), 1).astype(array.dtype)
    return total / counts if array.dtype.kind == "f" else total // counts


@doors("torch Tensor Tensor_")
def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True, out: Any = None
) -> Any:
    """Return ``input`` with the slices of ``source`` combined in at ``index``, a vector, of ``dim``.

    ``reduce`` is ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``; see :func:`scatter_reduce`.

    https://pytorch.org/docs/stable/generated/torch.Tensor.index_reduce_.html
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    x, rows = array_of(input, "index_reduce"), array_of(index, "index_reduce", "index", 3)
    part = array_of(source, "index_reduce", "source", 4)
    rows = vector(rows, "index_reduce")
    axis = matching(x, dim, rows, part, "index_reduce")
    size = x.shape[axis] if x.ndim else 1
    if rows.size and (rows.min() < 0 or rows.max() >= size):
        raise IndexError(f"index out of range in self: dim {axis} has size {size}, but the index is {rows.tolist()}")
    shape = [1] * part.ndim
    if part.ndim:
        shape[axis] = -1
    spread = np.broadcast_to(rows.reshape(shape), part.shape)
    made = scatter_reduce(input, dim, spread, source, reduce, include_self=include_self)
    return made if out is None else write_out("index_reduce", made, out)
