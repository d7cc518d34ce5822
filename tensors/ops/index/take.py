"""Elements taken, put, repeated and combined by index, and binary search in sorted sequences."""

from __future__ import annotations

from itertools import combinations as _combinations
from itertools import combinations_with_replacement
from math import prod
from typing import Any

import numpy as np

from ....arrays.dims import ints, norm_dim
from ....arrays.dtypes import Array, dtype_of
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..common import no_bool
from ..shape.join import common_shape, repeat_each
from ..shape.views import expand, flatten, getitem, reshape
from .advanced import index_put, place_at
from .scatter import gather, index_select, scatter_add, scatter_src, scatter_value
from .scatter_reduce import multiplied

# ------------------------------------------------------------------ indices into the flattened tensor


def _taken_back(g: Any, input_shape: tuple[int, ...], index: Any) -> Any:
    """Return the gradient of the input of ``take``: ``g`` added in at ``index`` of the flattened input."""
    places = np.array(index.array if isinstance(index, Variable) else index).reshape(-1)
    return reshape(place_at(reshape(g, (-1,)), (prod(input_shape),), (places,)), input_shape)


@primitive(input=_taken_back, index=None, doors="torch Tensor")
def take(input: Array, index: Any) -> Array:
    """Return the elements of the flattened ``input`` that ``index`` names, in the shape of ``index``.

    https://pytorch.org/docs/stable/generated/torch.take.html
    """
    return np.asarray(input).reshape(-1)[_flat(input, np.asarray(index), "take")]


def _flat(array: Any, places: Any, name: str) -> Array:
    """Return a copy of ``places``; raise unless they are int64 and within the flattened ``array``."""
    if places.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {dtype_of(places.dtype).legacy}")
    copied = np.array(places)
    size = array.size
    if copied.size and (copied.min() < -size or copied.max() >= size):
        wrong = copied[(copied < -size) | (copied >= size)].flat[0]
        raise IndexError(f"out of range: tried to access index {wrong} on a tensor of {size} elements.")
    return copied


@doors("torch Tensor Tensor_")
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """Return ``input`` with the elements of ``source`` at the places ``index`` of the flattened tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.put_.html
    """
    array, places = array_of(input, "put"), array_of(index, "put", "index", 2)
    count = array_of(source, "put", "source", 3).size
    if count != places.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{count}, index.numel() = {places.size}"
        )
    where = _flat(array, places, "put").reshape(-1)
    flat = index_put(reshape(input, (-1,)), (where,), reshape(source, (-1,)), accumulate)
    return reshape(flat, array.shape)


@doors("torch Tensor")
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """Return the elements of ``input`` at ``indices`` along ``dim``, the other dims broadcast; of all without ``dim``.

    https://pytorch.org/docs/stable/generated/torch.take_along_dim.html
    """
    shape = array_of(input, "take_along_dim").shape
    places = array_of(indices, "take_along_dim", "indices", 2)
    if dim is None:
        return gather(reshape(input, (-1,)), 0, np.reshape(places, -1))
    if places.dtype != np.int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {dtype_of(places.dtype).legacy}"
        )
    if len(shape) != places.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{len(shape)} dimensions for input, and {places.ndim} dimensions for indices"
        )
    dim = norm_dim(dim, len(shape))
    rest = common_shape((*shape[:dim], 1, *shape[dim + 1 :]), (*places.shape[:dim], 1, *places.shape[dim + 1 :]))
    wide = expand(input, (*rest[:dim], shape[dim], *rest[dim + 1 :]))
    places = np.where(places < 0, places + shape[dim], places)
    return gather(wide, dim, np.broadcast_to(places, (*rest[:dim], places.shape[dim], *rest[dim + 1 :])))


@doors("torch")
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Return the coordinates, one tensor for each dim, of elements counted through an array of ``shape``.

    https://pytorch.org/docs/stable/generated/torch.unravel_index.html
    """
    index = array_of(indices, "unravel_index", "indices")
    if index.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {dtype_of(index.dtype)}")
    sizes = ints(shape, "unravel_index", "shape")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    if 0 in sizes:
        raise RuntimeError(f"unravel_index: there is no element in a tensor of shape {list(sizes)}")
    found, rest = [], index.astype(np.int64)
    for n in reversed(sizes):
        found.append(np.asarray(rest % n))
        rest = rest // n
    return tuple(wrap(type(indices), part) if isinstance(indices, Variable) else part for part in reversed(found))


# ------------------------------------------------------------------ repetitions and combinations


@doors("torch Tensor")
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Return ``input`` with each element along ``dim`` (None: of all) repeated in a row, all as often or each its own.

    Called with one integer tensor, it returns the indices that do this.

    https://pytorch.org/docs/stable/generated/torch.repeat_interleave.html
    """
    made = _repeated(input, repeats, dim)
    if output_size is not None:
        given = array_of(made, "repeat_interleave").shape[dim or 0]
        if given != output_size:
            raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {given} but got {output_size}")
    return made


def _repeated(input: Any, repeats: Any, dim: int | None) -> Any:
    if isinstance(repeats, int):
        return repeat_each(input, repeats, dim)
    counts = array_of(input if repeats is None else repeats, "repeat_interleave", "repeats", 2)
    if counts.dtype.char not in "ilq":
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{dtype_of(counts.dtype).legacy}'")
    if counts.size and counts.min() < 0:
        raise RuntimeError("repeats can not be negative")
    if repeats is None:
        return _indices_of(input)
    if dim is None:
        input, dim = flatten(input), 0
    size = array_of(input, "repeat_interleave").shape[dim]
    if counts.size == 1:
        counts = np.full(size, counts.reshape(-1)[0])
    if counts.size != size:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and "
            f"input.size({dim}) = {size}"
        )
    return index_select(input, dim, np.repeat(np.arange(size), counts.reshape(-1)))


@primitive(input=None)
def _indices_of(input: Array) -> Array:
    """Return every index as often as ``input`` says."""
    if input.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    return np.repeat(np.arange(input.size, dtype=input.dtype), input)


@doors("torch")
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """Return the combinations of ``r`` elements of a vector, one a row, in the order of itertools.

    https://pytorch.org/docs/stable/generated/torch.combinations.html
    """
    x = array_of(input, "combinations")
    if x.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input[:0]
    choose = combinations_with_replacement if with_replacement else _combinations
    rows = np.array(list(choose(range(len(x)), r)), np.int64).reshape(-1, r)
    return reshape(index_select(input, 0, rows.reshape(-1)), rows.shape)


# ------------------------------------------------------------------ scatter in its several forms


@doors("torch Tensor Tensor_")
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """Return ``input`` with the elements of ``src``, or one number, at ``index`` along ``dim``.

    ``reduce="add"`` or ``"multiply"`` combines them with what is there.

    https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_.html
    """
    given = src if value is None else value
    number = isinstance(given, bool | int | float)
    if reduce is None:
        return scatter_value(input, dim, index, given) if number else scatter_src(input, dim, index, given)
    if reduce not in ("add", "multiply"):
        raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
    if number:
        array = array_of(input, "scatter")
        given = np.full(array_of(index, "scatter", "index", 3).shape, given).astype(array.dtype)
    if reduce == "add":
        return scatter_add(input, dim, index, given)
    places = array_of(index, "scatter", "index", 3)
    if not number:
        given = getitem(given, tuple([slice(0, n) for n in places.shape]))
    return multiplied(input, dim, index, given, "scatter()")


# ------------------------------------------------------------------ binary search


def _side(side: str | None, right: bool, name: str) -> str:
    """Return the ``side`` that both arguments name; RuntimeError if they contradict each other."""
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.{name}(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            f"torch.{name}(): side and right can't be set to opposites, got side of left while right was True"
        )
    return "right" if right or side == "right" else "left"


@primitive(sorted_sequence=None, input=None, sorter=None)
def _insertion_index(sorted_sequence: Array, input: Any, kind: Any, side: Any, sorter: Any = None) -> Array:
    """Return the index at which each element of ``input`` would be inserted in the rows of ``sorted_sequence``."""
    rows, values = np.asarray(sorted_sequence), np.asarray(input)
    if sorter is not None:
        if sorter.dtype != np.int64:
            raise RuntimeError(f"torch.searchsorted(): sorter must be a tensor of long dtype but got {sorter.dtype}")
        if sorter.shape != rows.shape or not rows.ndim:
            raise RuntimeError(
                "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                f"{list(rows.shape)} and sorter tensor {list(sorter.shape)}"
            )
        rows = np.take_along_axis(rows, np.asarray(sorter), -1)
    if rows.ndim != 1 and (rows.ndim != values.ndim or rows.shape[:-1] != values.shape[:-1]):
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input "
            f"value tensor {list(values.shape)}"
        )
    if rows.ndim == 1:
        return np.asarray(np.searchsorted(rows, values, side)).astype(kind)
    out = np.empty(values.shape, kind)
    for place in np.ndindex(rows.shape[:-1]):
        out[place] = np.searchsorted(rows[place], values[place], side)
    return out


@doors("torch")
def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
    out: Any = None,
) -> Any:
    """Return, for each element of ``input``, the index at which it would keep ``sorted_sequence`` in order.

    Rows of the last dim are searched, each for its own row of ``input``; one row serves any ``input``. Equal elements
    stay behind, or with ``right`` in front.

    https://pytorch.org/docs/stable/generated/torch.searchsorted.html
    """
    array = array_of(sorted_sequence, "searchsorted", "sorted_sequence")
    if isinstance(input, int | float):
        input = np.asarray(input, array.dtype)
    if array_of(input, "searchsorted", "input", 2).dtype == array.dtype:
        no_bool("searchsorted_out_cpu", array)
    kind = np.dtype(np.int32 if out_int32 else np.int64)
    found: Any = _insertion_index
    return found(sorted_sequence, input, kind, _side(side, right, "searchsorted"), sorter, out=out)


@doors("torch")
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False, out: Any = None) -> Any:
    """Return, for each element of ``input``, the number of ``boundaries`` below it; with ``right`` equal ones count.

    https://pytorch.org/docs/stable/generated/torch.bucketize.html
    """
    array = array_of(boundaries, "bucketize", "boundaries", 2)
    if array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({array.ndim})")
    if not isinstance(input, int | float | Variable | np.ndarray):
        raise TypeError(f"bucketize(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)
