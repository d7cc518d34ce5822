"""Scatter that combines what meets at one place: sums, means, products, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import array_of, norm_dim
from ..dtypes import Array
from ..mode import recording
from ..node import Variable
from ..primitive import primitive
from .mask import keep
from .scatter import gather, one_dtype, place_along, scatter_add, scatter_value, spots_of
from .shape import getitem


def _met(input: Array, dim: int, index: Any, src: Any, ufunc: Any) -> Array:
    """Return ``input`` with each element of ``src`` brought in at its place by ``ufunc``."""
    one_dtype("scatter_reduce", input, src)
    out = np.array(input)
    if index.size:
        places: Any = spots_of(input.shape, norm_dim(dim, input.ndim), index, "scatter_reduce") if input.ndim else ()
        ufunc.at(out, places, src)
    return out


@primitive(input=None, src=None, index=None)
def scatter_times(input: Array, dim: int, index: Any, src: Any) -> Array:
    """Return ``input`` multiplied by the elements of ``src`` at ``index`` along ``dim``. It has no gradient."""
    return _met(input, dim, index, src, np.multiply)


def multiplied(input: Any, dim: int, index: Any, src: Any, name: str) -> Any:
    """Return :func:`scatter_times`; NotImplementedError where a gradient would be asked for."""
    if recording.get() and any(isinstance(x, Variable) and x.node is not None for x in (input, src)):
        raise NotImplementedError(f"{name}: products have no gradient here; detach() the tensors to compute them")
    return scatter_times(input, dim, index, src)


def _extreme_back(g: Any, input: Any, out: Any, src: Any, dim: int, index: Any) -> tuple[Any, Any]:
    """Share the gradient equally among the elements that equal the extreme, as PyTorch does."""
    kind = (g.array if isinstance(g, Variable) else g).dtype
    own, won = input == out, src == gather(out, dim, index)
    ties = keep(np.ones(g.shape, kind), own) + place_along(keep(np.ones(src.shape, kind), won), g.shape, dim, index)
    share = g / ties
    return keep(share, own), keep(gather(share, dim, index), won)


@primitive(_extreme_back, ("input", "src"), index=None, title="ScatterReduceBackward0")
def scatter_extreme(input: Array, dim: int, index: Any, src: Any, largest: bool) -> Array:
    """Return ``input`` with the largest or smallest of what meets at each place of ``index`` along ``dim``."""
    return _met(input, dim, index, src, np.maximum if largest else np.minimum)


def _neutral(kind: np.dtype[Any], reduce: str) -> Any:
    """Return the number that changes nothing it meets."""
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


def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """Return ``input`` with the elements of ``src`` combined in at ``index`` along ``dim``.

    ``reduce`` is ``"sum"``, ``"mean"``, ``"prod"``, ``"amax"`` or ``"amin"``. Without ``include_self`` the values of
    ``input`` at those places are left out. A product has no gradient here.

    https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_reduce_.html
    """
    if reduce not in ("sum", "mean", "prod", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    array, places = array_of(input, "scatter_reduce"), array_of(index, "scatter_reduce", "index", 3)
    if array_of(src, "scatter_reduce", "src", 4).shape != places.shape and places.ndim:
        if places.ndim != array_of(src, "scatter_reduce").ndim:
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
        src = getitem(src, tuple([slice(0, n) for n in places.shape]))
        if src.shape != places.shape:
            raise RuntimeError(f"Expected index {list(places.shape)} to be no larger size than src {list(src.shape)}")
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
