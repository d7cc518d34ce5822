"""Elements in order of size: sort and what is read off a sorted row."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import Array, as_int64, dtype_of
from ....autograd.codegen.forward import UNSET
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ...doors import doors
from ..backward_ops import add_reduce, index_along, numbered, one_axis, scatter_along, unordered
from .extrema import check_along, share_equal


def _order(x: Any, axis: int, descending: bool = False) -> Any:
    """Return the numbers that sort ``x`` along ``axis``. Equal elements stay in order; NaN is the largest."""
    if not descending:
        return as_int64(x.argsort(axis, "stable"))
    turned = as_int64(np.flip(x, axis).argsort(axis, "stable"))
    return x.shape[axis] - 1 - np.flip(turned, axis)


def _unsupported(name: str, x: Any) -> None:
    if x.dtype.char == "?":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{dtype_of(x.dtype).legacy}'")


# ------------------------------------------------------------------ whole rows


@primitive(
    input=lambda g, found, dim: unordered(g, found, dim),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.sort.of(values, indices),
    grad_fn_name=lambda stable: "SortBackward0" if stable is None else "SortBackward1",
    integers=("dim",),
    doors="torch Tensor",
)
def sort(input: Array, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Any:
    """Return ``(values, indices)``: the elements along ``dim`` in order, and where each was.

    Always stable: equal elements stay in order. NaN is the largest.
    https://pytorch.org/docs/stable/generated/torch.sort.html

    >>> import rushlight as torch
    >>> torch.sort(torch.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    axis = one_axis(input, dim)
    if not input.ndim:
        return input.copy(), np.int64(0), np.int64(0)
    indices = _order(input, axis, descending)
    return input[index_along(indices, axis)], indices, indices.copy()


@primitive(input=None, integers=("dim",), doors="torch Tensor")
def argsort(input: Array, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """Return the numbers of the elements along ``dim`` in order of size, int64; always stable.

    https://pytorch.org/docs/stable/generated/torch.argsort.html
    """
    axis = one_axis(input, dim)
    return _order(input, axis, descending) if input.ndim else np.int64(0)


@doors("torch Tensor")
def msort(input: Any, *, out: Any = None) -> Any:
    """Return ``input`` sorted along its first dim.

    https://pytorch.org/docs/stable/generated/torch.msort.html
    """
    values = sort(input, 0).values
    return values if out is None else write_out("msort", values, out)


def _largest(x: Any, k: int, axis: int, largest: bool) -> Any:
    """Return the numbers of the ``k`` largest or smallest along ``axis``, in order."""
    n = x.shape[axis]
    if not 0 < 8 * k < n:
        return np.take(_order(x, axis, largest), range(k), axis)
    split = as_int64(np.argpartition(x, n - k if largest else k - 1, axis))
    some = np.sort(np.take(split, range(n - k, n) if largest else range(k), axis), axis)
    return some[index_along(_order(x[index_along(some, axis)], axis, largest), axis)]


@primitive(
    input=lambda g, input_shape, found, dim: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.topk.of(values, indices),
    integers=("k", "dim"),
    doors="torch Tensor",
)
def topk(input: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Return ``(values, indices)`` of the ``k`` largest (or smallest) elements along ``dim``, in order.

    NaN is the largest. Without ``sorted`` they come in order as well. RuntimeError if there are fewer than ``k``.
    https://pytorch.org/docs/stable/generated/torch.topk.html

    >>> import rushlight as torch
    >>> torch.topk(torch.tensor([1.0, 4.0, 3.0]), 2).indices
    tensor([1, 2])
    """
    axis = one_axis(input, dim)
    if not 0 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"selected index k out of range: {k} of {input.shape[axis] if input.ndim else 1}")
    if input.dtype.char == "?":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    if not input.ndim:
        return input.copy(), np.int64(0), np.int64(0)
    indices = _largest(input, k, axis, largest)
    return input[index_along(indices, axis)], indices, indices.copy()


# ------------------------------------------------------------------ one element of each row


def _at_rank(x: Any, axis: int, rank: int) -> Any:
    """Return the element of ``rank`` along ``axis``, which stays with one element."""
    return np.take(np.partition(x, rank, axis), [rank], axis)


def _first(x: Any, axis: int, values: Any, keepdim: bool) -> tuple[Any, Any, Any]:
    """Return ``values``, of which there is one along ``axis``, and where in ``x`` the first such element is.

    The place comes twice, as a caller may write into what it gets.
    """
    hit = x == values
    if x.dtype.kind == "f":
        hit |= np.isnan(x) & np.isnan(values)
    return _shown(values, as_int64(hit.argmax(axis, keepdims=True)), axis, keepdim)


def _shown(values: Any, found: Any, axis: int, keepdim: bool) -> tuple[Any, Any, Any]:
    indices = found.copy()
    return (values, indices, found) if keepdim else (values.squeeze(axis), indices.squeeze(axis), found)


@primitive(
    input=lambda g, input_shape, found, dim: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.kthvalue.of(values, indices),
    integers=("k", "dim"),
    doors="torch Tensor",
)
def kthvalue(input: Array, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return ``(values, indices)`` of the ``k``-th smallest element along ``dim``, counted from 1.

    NaN is the largest. RuntimeError if there is no such element.
    https://pytorch.org/docs/stable/generated/torch.kthvalue.html
    """
    axis = one_axis(input, dim)
    check_along("kthvalue", input, axis)
    if not 1 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    _unsupported("kthvalue", input)
    if not input.ndim:
        return input.copy(), np.int64(0), np.int64(0)
    return _first(input, axis, _at_rank(input, axis, k - 1), keepdim)


def _middle(x: Any, axis: int, ignore_nan: bool) -> Any:
    """Return the lower median along ``axis``, which stays with one element; NaN if there is one that counts."""
    found = _at_rank(x, axis, (x.shape[axis] - 1) // 2)
    if x.dtype.kind != "f":
        return found
    numbers = add_reduce(x == x, axis, np.int64, None, True)  # noqa: PLR0124
    if numbers.min(initial=x.shape[axis]) == x.shape[axis]:
        return found
    if not ignore_nan:
        return np.where(numbers < x.shape[axis], x.dtype.type(np.nan), found)
    return np.take_along_axis(np.sort(x, axis), np.maximum(numbers - 1, 0) // 2, axis)


def _median(input: Any, dim: int, keepdim: bool, ignore_nan: bool) -> tuple[Any, Any, Any]:
    axis = one_axis(input, dim)
    check_along("nanmedian" if ignore_nan else "median", input, axis)
    _unsupported("median", input)
    if not input.ndim:
        return input.copy(), np.int64(0), np.int64(0)
    return _first(input, axis, _middle(input, axis, ignore_nan), keepdim)


@primitive(
    input=lambda g, input_shape, found, dim: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.median.of(values, indices),
    grad_fn_name="MedianBackward1",
)
def _median_along(input: Array, dim: int, keepdim: bool) -> Any:
    return _median(input, dim, keepdim, False)


@primitive(
    input=lambda g, input_shape, found, dim: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.nanmedian.of(values, indices),
    grad_fn_name="NanmedianBackward1",
)
def _nanmedian_along(input: Array, dim: int, keepdim: bool) -> Any:
    return _median(input, dim, keepdim, True)


def _middle_of_all(input: Any, ignore_nan: bool) -> Any:
    _unsupported("median", input)
    flat = np.asarray(input).reshape(-1)
    if not flat.size:
        return flat.dtype.type(np.nan if flat.dtype.kind == "f" else np.iinfo(flat.dtype).min)
    return _middle(flat, 0, ignore_nan)[0]


@primitive(input=share_equal, grad_fn_name="MedianBackward0")
def _median_all(input: Array) -> Any:
    return _middle_of_all(input, False)


@primitive(input=share_equal, grad_fn_name="NanmedianBackward0")
def _nanmedian_all(input: Array) -> Any:
    return _middle_of_all(input, True)


@doors("torch Tensor")
def median(
    input: Any, dim: Any = UNSET, keepdim: bool = False, *, out: Any = None, axis: Any = UNSET, keepdims: Any = UNSET
) -> Any:
    """Return the median of all elements, or along ``dim`` ``(values, indices)``; of two middle ones the lower.

    NaN if there is one. https://pytorch.org/docs/stable/generated/torch.median.html

    >>> import rushlight as torch
    >>> torch.median(torch.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    dim = dim if axis is UNSET else axis
    if dim is UNSET:
        return _median_all(input, out=out)  # type: ignore[call-arg]
    return _median_along(input, dim, keepdim if keepdims is UNSET else keepdims, out=out)  # type: ignore[call-arg]


@doors("torch Tensor")
def nanmedian(
    input: Any, dim: Any = UNSET, keepdim: bool = False, *, out: Any = None, axis: Any = UNSET, keepdims: Any = UNSET
) -> Any:
    """Return the median as :func:`median` does, of the elements that are not NaN.

    https://pytorch.org/docs/stable/generated/torch.nanmedian.html
    """
    dim = dim if axis is UNSET else axis
    if dim is UNSET:
        return _nanmedian_all(input, out=out)  # type: ignore[call-arg]
    return _nanmedian_along(input, dim, keepdim if keepdims is UNSET else keepdims, out=out)  # type: ignore[call-arg]


@primitive(
    input=lambda g, input_shape, found, dim: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.mode.of(values, indices),
    integers=("dim",),
    doors="torch Tensor",
)
def mode(input: Array, dim: int = -1, keepdim: bool = False) -> Any:
    """Return ``(values, indices)`` of the most frequent element along ``dim``, and where it is last.

    Of equally frequent ones the smallest. Every NaN stands for itself.
    https://pytorch.org/docs/stable/generated/torch.mode.html
    """
    axis = one_axis(input, dim)
    check_along("mode", input, axis)
    if not input.ndim:
        return input.copy(), np.int64(0), np.int64(0)
    order = _order(input, axis)
    rows = input[index_along(order, axis)]
    new = np.ones(rows.shape, bool)
    late, early = [slice(None)] * rows.ndim, [slice(None)] * rows.ndim
    late[axis], early[axis] = slice(1, None), slice(None, -1)
    new[tuple(late)] = rows[tuple(late)] != rows[tuple(early)]
    place_in_row = numbered(rows.shape, axis)
    run = place_in_row - np.maximum.accumulate(np.where(new, place_in_row, 0), axis)
    longest = run.argmax(axis, keepdims=True)
    found = order[index_along(longest, axis)]
    return _shown(input[index_along(found, axis)], found, axis, keepdim)
