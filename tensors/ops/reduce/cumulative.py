"""Running sums, products and extremes along one dim."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import Array, as_numpy, dtype_of
from ....autograd.primitive import primitive
from ..backward_ops import add_reduce, as_array, masked, numbered, one_axis, recurrence, reverse, scatter_along, shifted
from ..elementwise.unary import exp

_WIDE: dict[str, Any] = {"e": np.dtype(np.float32), "f": np.dtype(np.float64)}
"""The dtypes that floats are accumulated in, one step wider: a chain of roundings is as long as the dim."""


def _running(name: str, ufunc: Any, input: Any, axis: int, dtype: Any) -> Any:
    """Return the running ``ufunc`` along ``axis``; integers give int64 unless ``dtype`` says otherwise."""
    if dtype is not None:
        input = input.astype(as_numpy(dtype))
        if input.dtype.char == "?":
            raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for 'Bool'")
    kind = input.dtype if dtype is not None or input.dtype.kind == "f" else np.dtype(np.int64)
    if not input.ndim:
        return input.astype(kind)
    input = np.asarray(input, order="C")  # PyTorch's result is contiguous
    return ufunc.accumulate(input, axis, _WIDE.get(kind.char, kind)).astype(kind, copy=False)


@primitive(
    input=lambda g, axis: reverse(cumsum(reverse(g, axis), axis), axis),
    aux=("axis",),
    integers=("dim",),
    doors="torch Tensor Tensor_",
)
def cumsum(input: Array, dim: int, *, dtype: Any = None) -> Any:
    """Return the sums of the elements up to each one along ``dim``, in the shape of ``input``.

    Integers and bools give int64; ``dtype`` casts first. https://pytorch.org/docs/stable/generated/torch.cumsum.html

    >>> import rushlight as torch
    >>> torch.cumsum(torch.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    axis = one_axis(input, dim)
    return _running("cumsum", np.add, input, axis, dtype), axis


def products_before(x: Any, axis: int) -> Any:
    """Return for each element the product of those before it along ``axis``."""
    return shifted(cumprod(x, axis), axis, 1, 1.0)


def _prod_back(g: Any, input: Any, axis: int) -> Any:
    """Return the gradient of ``cumprod`` without a division, so that zeros are no exception.

    Element k is a factor of every product from k on: what comes before it, times what is summed over those after.
    """
    shape = input.shape
    if not shape or 0 in shape or shape[axis] == 1:
        return g  # and nothing that depends on the input
    after = reverse(recurrence(reverse(g, axis), reverse(shifted(input, axis, -1, 0.0), axis), axis), axis)
    return products_before(input, axis) * after


@primitive(input=_prod_back, aux=("axis",), integers=("dim",), doors="torch Tensor Tensor_")
def cumprod(input: Array, dim: int, *, dtype: Any = None) -> Any:
    """Return the products of the elements up to each one along ``dim``, in the shape of ``input``.

    Integers and bools give int64; ``dtype`` casts first. The gradient is exact beside zeros too.
    https://pytorch.org/docs/stable/generated/torch.cumprod.html

    >>> import rushlight as torch
    >>> torch.cumprod(torch.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    axis = one_axis(input, dim)
    return _running("cumprod", np.multiply, input, axis, dtype), axis


def _latest(input: Any, axis: int, ufunc: Any) -> tuple[Any, Any, Any]:
    """Return the running extreme along ``axis``, and twice the number of the last element that equals it.

    Twice, as a caller may write into what it gets.
    """
    if not input.ndim:
        return input.copy(), np.int64(0), np.int64(0)
    input = np.asarray(input, order="C")
    values = ufunc.accumulate(input, axis)
    hit = input == values
    if input.dtype.kind == "f":
        hit |= np.isnan(input)
    indices = np.maximum.accumulate(np.where(hit, numbered(input.shape, axis), 0), axis)
    return values, indices, indices.copy()


@primitive(
    input=lambda g, input_shape, found, dim: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.cummax.of(values, indices),
    integers=("dim",),
    doors="torch Tensor",
)
def cummax(input: Array, dim: int) -> Any:
    """Return ``(values, indices)``: the largest element up to each one along ``dim``, and where it is.

    Of equal ones the last counts; NaN is larger than anything.
    https://pytorch.org/docs/stable/generated/torch.cummax.html
    """
    return _latest(input, one_axis(input, dim), np.maximum)


@primitive(
    input=lambda g, input_shape, found, dim: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.cummin.of(values, indices),
    integers=("dim",),
    doors="torch Tensor",
)
def cummin(input: Array, dim: int) -> Any:
    """Return ``(values, indices)``: the smallest element up to each one along ``dim``, and where it is.

    Of equal ones the last counts; NaN is smaller than anything.
    https://pytorch.org/docs/stable/generated/torch.cummin.html
    """
    return _latest(input, one_axis(input, dim), np.minimum)


def share_of_sum(input: Any, out: Any) -> Any:
    """Return ``exp(input - out)``, where ``out`` is the logarithm of a sum: 0 where that is of nothing but zeros."""
    array = as_array(out)
    if not isfinite(add_reduce(array, None)):
        out = masked(out, np.asarray(array != -np.inf))
    return exp(input - out)


def _logcumsumexp_back(g: Any, input: Any, out: Any, axis: int) -> Any:
    """Return the gradient of ``logcumsumexp``, in which no exponent is positive.

    Element k gets ``exp(input[k] - out[i])`` of each gradient i from k on; the product of the ratios
    ``exp(out[i] - out[i + 1])`` leads from one to the next.
    """
    following = shifted(out, axis, -1, np.inf)
    here, there = as_array(out), as_array(following)
    ratio = exp(masked(out - following, here != there))
    after = reverse(recurrence(reverse(g, axis), reverse(ratio, axis), axis), axis)
    return share_of_sum(input, out) * after


@primitive(input=_logcumsumexp_back, aux=("axis",), integers=("dim",), doors="torch Tensor")
def logcumsumexp(input: Array, dim: int) -> Any:
    """Return ``log(cumsum(exp(input), dim))`` without overflow, in the shape of ``input``.

    NotImplementedError for integers. https://pytorch.org/docs/stable/generated/torch.logcumsumexp.html
    """
    axis = one_axis(input, dim)
    if input.dtype.kind != "f":
        name = dtype_of(input.dtype).legacy
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{name}'")
    if not input.ndim:
        return input.copy(), axis
    wide, input = _WIDE.get(input.dtype.char), np.asarray(input, order="C")
    return np.logaddexp.accumulate(input, axis, wide).astype(input.dtype, copy=False), axis
