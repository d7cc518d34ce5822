"""Elements picked and placed along one dim by an index tensor; every look-up here has its adjoint."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels.scatter_add import add_rows, flat_places
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.variable import CONSTANT, Variable
from ...doors import doors
from ..common import drop
from ..shape.views import reshape, scatter_slice

# ------------------------------------------------------------------ checks


def _whole(index: Any, name: str) -> Array:
    """Return ``index`` as intp; RuntimeError unless it holds int32 or int64."""
    if index.dtype.kind != "i" or index.dtype.itemsize < 4:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, but got {dtype_of(index.dtype)}")
    return np.asarray(index).astype(np.intp, copy=False)


def _within(index: Array, size: int, dim: int, error: type[Exception] = RuntimeError, low: int = 0) -> None:
    """Raise ``error`` that names the first entry of ``index`` that is no place of a dim of ``size``."""
    if index.size and (index.min() < low or index.max() >= size):
        wrong = index[(index < low) | (index >= size)].flat[0]
        raise error(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def spots_of(shape: tuple[int, ...], dim: int, index: Any, name: str) -> tuple[Any, ...]:
    """Return the index arrays that name, for each entry of ``index``, its place in an array of ``shape``.

    An array without dims is treated as one of shape (1,), here and in all functions below.
    """
    if not index.size:  # what is empty may be of any dtype
        index = index.astype(np.int64)
    shape, whole = shape or (1,), np.atleast_1d(_whole(index, name))
    if whole.ndim != len(shape) and whole.size:
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as input tensor, but got {whole.ndim} and "
            f"{len(shape)}"
        )
    for d, (n, m) in enumerate(zip(whole.shape, shape, strict=False)):
        if n > m and d != dim and whole.size:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(whole.shape)} to be no larger than self "
                f"{list(shape)} apart from dimension {dim}"
            )
    _within(whole, shape[dim], dim)
    ndim = whole.ndim
    return tuple(
        [
            whole if d == dim else np.arange(n).reshape([-1 if k == d else 1 for k in range(ndim)])
            for d, n in enumerate(whole.shape)
        ]
    )


def covered(index: Any, src: Any, name: str) -> Array:
    """Return the part of ``src`` that ``index`` covers, with at least one dim; RuntimeError if ``src`` is too small."""
    index, src = np.atleast_1d(index), np.atleast_1d(src)
    if not index.size:
        return np.empty(index.shape, src.dtype)
    if index.ndim != src.ndim:
        raise RuntimeError(
            f"{name}(): Index tensor must have the same number of dimensions as src tensor, but got {index.ndim} and "
            f"{src.ndim}"
        )
    if any(n > m for n, m in zip(index.shape, src.shape, strict=True)):
        raise RuntimeError(
            f"{name}(): Expected index {list(index.shape)} to be no larger size than src {list(src.shape)}"
        )
    return np.asarray(src[tuple([slice(0, n) for n in index.shape])])


def one_dtype(name: str, input: Any, source: Any) -> None:
    """Raise RuntimeError unless both arrays have one dtype."""
    if input.dtype != source.dtype:
        raise RuntimeError(
            f"{name}(): self ({dtype_of(input.dtype).legacy}) and source ({dtype_of(source.dtype).legacy}) must have "
            "the same scalar type"
        )


# ------------------------------------------------------------------ gather and scatter


@primitive(
    input=lambda g, input_shape, dim, index: place_along(g, input_shape, dim, index),
    index=None,
    integers=("dim",),
    doors="torch Tensor",
)
def gather(input: Array, dim: int, index: Any, *, sparse_grad: bool = False) -> Array:
    """Return, for each entry of ``index``, the element of ``input`` at that place of ``dim``.

    The shape is that of ``index``, which in other dims may be smaller than ``input``.

    https://pytorch.org/docs/stable/generated/torch.gather.html
    """
    dim = norm_dim(dim, input.ndim)
    spots = spots_of(input.shape, dim, index, "gather")
    if not index.size:
        return np.empty(index.shape, input.dtype)
    return np.asarray(np.atleast_1d(input)[spots]).reshape(index.shape)


@primitive(
    g=lambda g, dim, index: gather(g, dim, index),
    index=None,
    grad_fn_name="GatherBackward0_backward",
    integers=("dim",),
)
def place_along(g: Array, shape: tuple[int, ...], dim: int, index: Any) -> Array:
    """Return zeros of ``shape`` with ``g`` added in at ``index`` along ``dim``; the adjoint of ``gather``."""
    spots = spots_of(shape, norm_dim(dim, len(shape)), index, "scatter_add")
    if not index.size:
        return np.zeros(shape, g.dtype)
    places = np.broadcast_to(flat_places(spots, shape or (1,)), index.shape or (1,))
    return add_rows(g.reshape(-1, 1), places.reshape(-1), prod(shape)).reshape(shape)


def _source_back(g: Any, dim: int, index: Any, src_shape: tuple[int, ...]) -> Any:
    """Return the gradient of the source of ``scatter_add``: zero for the part that the index did not cover."""
    found, shape = gather(g, dim, index), index.shape
    if len(shape) != len(src_shape):  # one of them has no dims, or nothing was read
        shape = (min(prod(shape), 1),) * len(src_shape)
        found = reshape(found, shape) if src_shape or 0 not in index.shape else place_along(found, (), 0, index)
    return found if shape == src_shape else scatter_slice(found, src_shape, tuple([slice(0, n) for n in shape]))


@primitive(input=lambda g: g, src=_source_back, index=None, integers=("dim",), doors="torch Tensor Tensor_")
def scatter_add(input: Array, dim: int, index: Any, src: Any) -> Array:
    """Return ``input`` with the elements of ``src`` added in at ``index`` along ``dim``, repeated places several times.

    https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html
    """
    dim = norm_dim(dim, input.ndim)
    one_dtype("scatter_add", input, src)
    return np.asarray(input + place_along(covered(index, src, "scatter_add"), input.shape, dim, index))


def _emptied(g: Any, dim: int, index: Any) -> Any:
    """Return the gradient of the input of ``scatter``: zero at the elements that were overwritten."""
    return scatter_value(g, dim, index, 0)


def _placed(input: Array, dim: int, index: Any, values: Any) -> Array:
    """Return a copy of ``input`` with ``values`` written at ``index`` along ``dim``."""
    out = np.array(input, order="C")
    dim = norm_dim(dim, input.ndim)
    spots = spots_of(input.shape, dim, index, "scatter")
    if index.size:
        np.reshape(out, input.shape or 1)[spots] = values
    return out


@primitive(input=_emptied, index=None, grad_fn_name="ScatterBackward1", integers=("dim",))
def scatter_value(input: Array, dim: int, index: Any, value: Any) -> Array:
    """Return ``input`` with the number ``value`` at ``index`` along ``dim``."""
    return _placed(input, dim, index, value)


def _source_of_last(g: Any, dim: int, index: Any, src_shape: tuple[int, ...]) -> Any:
    """Return the gradient of a source of which each element was written, and some were overwritten by a later one."""
    found = _source_back(g, dim, index, src_shape)
    places = index.array if isinstance(index, Variable) else index
    if places.size < 2 or places.ndim != len(src_shape):
        return found
    numbers = np.arange(places.size).reshape(places.shape)
    last = gather(_placed(np.zeros(tuple(g.shape), np.intp), dim, places, numbers), dim, places)
    lost = np.zeros(src_shape, bool)
    lost[tuple([slice(0, n) for n in places.shape])] = last != numbers
    return drop(found, lost) if lost.any() else found


@primitive(input=_emptied, src=_source_of_last, index=None, grad_fn_name="ScatterBackward0", integers=("dim",))
def scatter_src(input: Array, dim: int, index: Any, src: Any) -> Array:
    """Return ``input`` with the elements of ``src`` at ``index`` along ``dim``."""
    dim = norm_dim(dim, input.ndim)
    if input.dtype != src.dtype:
        raise RuntimeError(
            f"scatter(): Expected self.dtype to be equal to src.dtype, but got {dtype_of(input.dtype)} and "
            f"{dtype_of(src.dtype)}"
        )
    return _placed(input, dim, index, covered(index, src, "scatter"))


# ------------------------------------------------------------------ rows along one dim


def vector(index: Any, name: str) -> Array:
    """Return ``index`` as a vector of intp; a value without dims counts as one entry."""
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got shape {list(index.shape)}")
    return _whole(index, name).reshape(-1)


@primitive(
    input=lambda g, input_shape, dim, index: place_rows(g, input_shape, dim, index),
    index=None,
    integers=("dim",),
    doors="torch Tensor",
)
def index_select(input: Array, dim: int, index: Any) -> Array:
    """Return the slices of ``input`` that ``index``, a vector, names along ``dim``.

    https://pytorch.org/docs/stable/generated/torch.index_select.html
    """
    rows, dim = vector(index, "index_select"), norm_dim(dim, input.ndim)
    size = input.shape[dim] if input.ndim else 1
    if rows.size != 1 and not input.ndim:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {rows.size} value(s)")
    if rows.size and not size:
        raise (RuntimeError if input.ndim > 1 else IndexError)(
            f"index_select(): self has no elements along dim {dim} to select"
        )
    if rows.size and (rows.min() < 0 or rows.max() >= size):
        wrong = rows[(rows < 0) | (rows >= size)][0]
        raise IndexError(f"index out of range in self: {wrong} is no index of dimension {dim} with size {size}")
    if not input.ndim:
        return np.array(input)
    return np.take(input, rows, dim)


@primitive(
    g=lambda g, dim, index: index_select(g, dim, index), index=None, grad_fn_name="IndexAddBackward0", integers=("dim",)
)
def place_rows(g: Array, shape: tuple[int, ...], dim: int, index: Any) -> Array:
    """Return zeros of ``shape`` with the slices of ``g`` added in at ``index`` of ``dim``: the adjoint of a select."""
    if not shape:
        return np.asarray(g).reshape(())
    rows, dim = vector(index, "index_add"), norm_dim(dim, len(shape))
    _within(rows, shape[dim], dim)
    rest = (*shape[:dim], *shape[dim + 1 :])
    moved = np.moveaxis(g, dim, 0).reshape(rows.size, prod(rest))
    added = add_rows(moved, rows, shape[dim]).reshape(shape[dim], *rest)
    return np.moveaxis(added, 0, dim)


def matching(input: Any, dim: int, index: Array, source: Any, name: str) -> int:
    """Return ``dim`` counted from the front; raise unless ``source`` is ``input`` with ``index.size`` slices."""
    dim = norm_dim(dim, input.ndim)
    if dim and dim >= source.ndim:
        raise RuntimeError(
            f"{name}_(): Indexing dim {dim} is out of bounds of the source tensor with dim {source.ndim}"
        )
    one_dtype(f"{name}_", input, source)
    if index.size != (source.shape[dim] if source.ndim else 1):
        error = RuntimeError if source.ndim else IndexError
        raise error(
            f"{name}_(): Number of indices ({index.size}) should be equal to source.size(dim): (source has shape "
            f"{list(source.shape)}), for dim: {dim}"
        )
    both = input.ndim and source.ndim
    if (_sliced(input, dim) if both else input.shape) != (_sliced(source, dim) if both else source.shape):
        raise RuntimeError(
            f"{name}_(): source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {list(input.shape)} source.shape = {list(source.shape)}"
        )
    if input.size or input.ndim < 2:  # PyTorch does not check the indices of an empty tensor
        size = input.shape[dim] if input.ndim else 1
        _within(index, size, dim, RuntimeError if input.ndim > 1 and name == "index_add" else IndexError)
    return dim


def _sliced(array: Any, dim: int) -> tuple[int, ...]:
    """Return the shape of a slice across ``dim``."""
    shape: tuple[int, ...] = array.shape
    return (*shape[:dim], *shape[dim + 1 :])


def _added_back(g: Any, dim: int, index: Any, alpha: Any, source_shape: tuple[int, ...]) -> Any:
    """Return the gradient of the source of ``index_add``, in its shape."""
    found = index_select(g, dim, index)
    if found.shape != source_shape:
        found = reshape(found, source_shape)
    return found if alpha == 1 else found * alpha


@primitive(input=lambda g: g, source=_added_back, index=None, integers=("dim",), doors="torch Tensor Tensor_")
def index_add(input: Array, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Array:
    """Return ``input`` with ``alpha`` times the slices of ``source`` added in at ``index`` of ``dim``.

    https://pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html
    """
    rows = vector(index, "index_add")
    dim = matching(input, dim, rows, source, "index_add")
    part = source if alpha == 1 else np.asarray(source * np.asarray(alpha)).astype(input.dtype)
    if not input.ndim:
        return np.asarray(input + part.reshape(()))
    return np.asarray(input + place_rows(part, input.shape, dim, index)) if input.size else np.array(input)


def _rows_emptied(g: Any, dim: int, index: Any) -> Any:
    """Return the gradient of an input whose slices ``index`` of ``dim`` were overwritten: zero there."""
    return fill_rows(g, dim, index, _ZERO)


def _copied_back(g: Any, dim: int, index: Any, source_shape: tuple[int, ...]) -> Any:
    """Return the gradient of the source of ``index_copy``, in its shape."""
    found = index_select(g, dim, index)
    places = (index.array if isinstance(index, Variable) else index).reshape(-1)
    numbers, last = np.arange(places.size), np.zeros(g.shape[dim] if g.shape else 1, np.intp)
    last[places] = numbers
    lost = last[places] != numbers
    if lost.any():  # a later slice overwrote it
        column = lost.reshape([-1 if d == dim % len(found.shape) else 1 for d in range(len(found.shape))])
        found = drop(found, np.broadcast_to(column, tuple(found.shape)))
    return found if found.shape == source_shape else reshape(found, source_shape)


def _copyable(input: Any, dim: int, index: Array, source: Any) -> int:
    """Return ``dim`` counted from the front; raise unless the slices of ``source`` fit into those of ``input``."""
    dim = norm_dim(dim, input.ndim)
    if not source.ndim and index.size != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.size})")
    if source.ndim != input.ndim and source.ndim and input.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    one_dtype("index_copy_", input, source)
    if _sliced(input, dim) != _sliced(source, dim):
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{list(_sliced(input, dim))} at dimension {dim} and source slice shape: {list(_sliced(source, dim))} at "
            f"dimension {dim}."
        )
    if source.ndim and index.size != source.shape[dim]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) ({source.shape[dim]})"
        )
    size = input.shape[dim] if input.ndim else 1
    _within(index, size, dim, IndexError if size else RuntimeError)
    if index.size > 1 and not input.ndim:
        raise RuntimeError("index_copy_(): a destination without dims takes one element")
    return dim


@primitive(input=_rows_emptied, source=_copied_back, index=None, integers=("dim",), doors="torch Tensor Tensor_")
def index_copy(input: Array, dim: int, index: Any, source: Any) -> Array:
    """Return ``input`` with the slices of ``source`` at ``index`` of ``dim``.

    https://pytorch.org/docs/stable/generated/torch.Tensor.index_copy_.html
    """
    if index.dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {dtype_of(index.dtype).legacy}")
    rows = vector(index, "index_copy")
    dim = _copyable(input, dim, rows, source)
    return _rows_set(np.asarray(input, order="C"), dim, rows, source)


_ZERO = np.zeros(())


def _rows_set(input: Array, dim: int, rows: Array, values: Any) -> Array:
    """Return a copy of ``input`` with ``values`` written into the slices ``rows`` of ``dim``."""
    out = np.array(input)
    if out.ndim:
        place: tuple[Any, ...] = (*(slice(None),) * dim, rows)
        out[place] = values
    elif rows.size:
        out[...] = np.reshape(values, ())
    return out


def _filled_back(g: Any, dim: int, index: Any) -> Any:
    """Return the filled slices of ``g``, each once even if its index came twice; unbroadcasting sums them."""
    rows = np.asarray(index.array if isinstance(index, Variable) else index).reshape(-1)
    size = g.shape[norm_dim(dim, g.ndim)] if g.ndim else 1
    return index_select(g, dim, np.unique(np.where(rows < 0, rows + size, rows)))


@primitive(
    input=_rows_emptied,
    value=_filled_back,
    index=None,
    grad_fn_name=lambda value: "IndexFillBackward0" if value is CONSTANT else "IndexFillBackward1",
    integers=("dim",),
)
def fill_rows(input: Array, dim: int, index: Any, value: Any) -> Array:
    """Return ``input`` with ``value``, which has no dims, in the slices ``index`` of ``dim``."""
    dim = norm_dim(dim, input.ndim)
    if index.ndim > 1:
        raise RuntimeError(f"Index has to be a vector/scalar, but index_fill() got shape {list(index.shape)}")
    rows, size = vector(index, "index_fill"), input.shape[dim] if input.ndim else 1
    _within(rows, size, dim, IndexError if size else RuntimeError, -size)
    return _rows_set(input, dim, rows, value)


@doors("torch Tensor Tensor_")
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """Return ``input`` with ``value``, a number or a tensor without dims, in the slices ``index`` of ``dim``.

    https://pytorch.org/docs/stable/generated/torch.Tensor.index_fill_.html
    """
    kind = array_of(input, "index_fill").dtype
    if array_of(index, "index_fill", "index", 3).dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if isinstance(value, bool | int | float):
        value = np.array(value).astype(kind)
    elif array_of(value, "index_fill", "value", 4).ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{array_of(value, 'index_fill').ndim} dimension(s)."
        )
    return fill_rows(input, dim, index, value)
