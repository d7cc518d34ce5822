"""Reductions: sums, means, products, variances, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....arrays.dtypes import Array, as_numpy, dtype_of, floating
from ....arrays.kernels.magnitude import in_range, scale
from ....autograd.arguments import array_of
from ....autograd.broadcast import is_expandable, sum_to
from ....autograd.codegen.forward import UNSET
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ...doors import doors
from ..backward_ops import (
    Axes,
    add_reduce,
    as_array,
    axes_of,
    count_along,
    expand_along,
    keep_dims,
    masked,
    max_reduce,
    one_axis,
    quotient,
    reshape_to,
    reverse,
    sum_back,
    sum_floats,
)
from ..common import as_kind
from ..shape.views import reshape
from .cumulative import products_before, share_of_sum

Dims = int | Sequence[int] | None


_multiply_reduce: Any = np.multiply.reduce


def _sum(input: Any, axes: Axes, keepdim: bool, dtype: Any) -> Any:
    """Return the sum as PyTorch does it: of integers in int64, of ``dtype`` if given."""
    if dtype is not None:
        input = input.astype(as_numpy(dtype))
    kind = input.dtype
    if kind.kind == "f":
        return sum_floats(input, axes, keepdim)
    return add_reduce(input, axes, np.int64 if dtype is None else kind, None, keepdim)


@primitive(
    input=sum_back,
    aux=("axes",),
    grad_fn_name=lambda dim: "SumBackward0" if dim is None else "SumBackward1",
    doors="torch Tensor",
)
def sum(input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the sum of all elements, or over ``dim``: one dim, or several.

    The reduced dims go, or stay with one element if ``keepdim``. Integers and bools give int64; ``dtype`` casts
    first. IndexError if there is no such dim. https://pytorch.org/docs/stable/generated/torch.sum.html

    >>> import rushlight as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.sum(x), x.sum(0), x.sum(-1, keepdim=True)
    (tensor(10.), tensor([4., 6.]), tensor([[3.],
            [7.]]))
    """
    axes = None if dim is None else axes_of(input, dim)
    return _sum(input, axes, keepdim, dtype), axes


@primitive(
    input=lambda g, axes, mask: masked(expand_along(g, mask.shape, axes), mask),
    aux=("axes", "mask"),
    doors="torch Tensor",
)
def nansum(input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the sum as :func:`sum` does, with NaN counted as 0.

    https://pytorch.org/docs/stable/generated/torch.nansum.html
    """
    axes = axes_of(input, dim)
    mask = input == input  # noqa: PLR0124 - only NaN differs from itself
    return _sum(np.where(mask, input, input.dtype.type(0)), axes, keepdim, dtype), axes, mask


@primitive(input=lambda g, by: divided(g, by), grad_fn_name="DivBackward0", integers=("by",))
def divided(input: Array, by: int) -> Any:
    """Return ``input / by`` for a count, which half precision could not hold."""
    if input.dtype.char == "e":
        return (input.astype(np.float32) / by).astype(np.float16)
    return input / by


def _mean_back(g: Any, input_shape: tuple[int, ...], axes: Axes) -> Any:
    count = count_along(input_shape, axes)
    return expand_along(divided(g, count) if count else g, input_shape, axes)


@primitive(
    input=_mean_back,
    aux=("axes",),
    grad_fn_name=lambda dim: "MeanBackward0" if dim is None else "MeanBackward1",
    doors="torch Tensor",
)
def mean(input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the mean of all elements, or over ``dim``; NaN of no elements.

    RuntimeError for integers, unless ``dtype`` makes them floats.
    https://pytorch.org/docs/stable/generated/torch.mean.html

    >>> import rushlight as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).mean()
    tensor(3.)
    """
    axes = None if dim is None else axes_of(input, dim)
    if dtype is not None or input.dtype.kind != "f":
        input = _float_mean(input, dtype)
    count = count_along(input.shape, axes)
    if input.dtype.char == "e":
        wide = add_reduce(input, axes, np.float32, None, keepdim)
        return (wide / np.float32(count)).astype(np.float16), axes
    return sum_floats(input, axes, keepdim) / count if count else _nothing(input, axes, keepdim), axes


def _nothing(input: Any, axes: Axes, keepdim: bool) -> Any:
    """Return NaN for each mean over no elements."""
    return add_reduce(input, axes, None, None, keepdim) + input.dtype.type(np.nan)


def _float_mean(input: Any, dtype: Any) -> Any:
    """Return ``input`` in a float dtype, or raise RuntimeError."""
    kind = input.dtype if dtype is None else as_numpy(dtype)
    if kind.kind != "f":
        which = "Input dtype" if dtype is None else "Optional dtype"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} must be either a floating point or complex dtype. "
            f"Got: {dtype_of(kind).legacy}"
        )
    return input.astype(kind, copy=False)


@primitive(input=None)
def _count_numbers(input: Array, dim: Dims, keepdim: bool, dtype: Any) -> Any:
    """Return how many elements are not NaN."""
    kind = input.dtype if dtype is None else as_numpy(dtype)
    return add_reduce(input == input, axes_of(input, dim), kind, None, keepdim)  # noqa: PLR0124


@doors("torch Tensor")
def nanmean(input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Any:
    """Return the mean as :func:`mean` does, of the elements that are not NaN.

    RuntimeError for integers. https://pytorch.org/docs/stable/generated/torch.nanmean.html
    """
    array = array_of(input, "nanmean")
    if array.dtype.kind != "f":
        name = dtype_of(array.dtype).legacy
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {name}")
    if dtype is not None and as_numpy(dtype).kind != "f":
        raise RuntimeError(f"nanmean(): could not infer output dtype. dtype must be floating, not {dtype}")
    result = nansum(input, dim, keepdim, dtype=dtype) / _count_numbers(input, dim, keepdim, dtype)
    return result if out is None else write_out("nanmean", result, out)


# ------------------------------------------------------------------ products


def _prod_back(g: Any, input: Any, out: Any, axis: int | None) -> Any:
    """Return ``g`` times the product of the others: by division or, beside zeros, by products from both sides."""
    shape = input.shape
    if not shape:  # the product of one number is that number
        return g
    if axis is None:
        input, axis = reshape_to(input, (as_array(input).size,)), 0
    one = tuple([1 if place == axis else n for place, n in enumerate(input.shape)])
    g = g if g.shape == one else reshape_to(g, one)
    if (as_array(input) != 0).all():
        grad = g * (out if out.shape == one else reshape_to(out, one)) / input
    else:
        grad = g * products_before(input, axis) * reverse(products_before(reverse(input, axis), axis), axis)
    return grad if grad.shape == shape else reshape_to(grad, shape)


@primitive(
    input=_prod_back,
    aux=("axis",),
    grad_fn_name=lambda dim: "ProdBackward0" if dim is None else "ProdBackward1",
    doors="torch Tensor",
)
def prod(input: Array, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the product of all elements, or over one ``dim``; 1 of no elements.

    Integers and bools give int64; ``dtype`` casts first. The gradient is exact beside zeros too.
    https://pytorch.org/docs/stable/generated/torch.prod.html
    """
    axis = None if dim is None else one_axis(input, dim)
    if dtype is not None:
        input = input.astype(as_numpy(dtype))
    kind = input.dtype if dtype is not None or input.dtype.kind == "f" else np.dtype(np.int64)
    wide = np.dtype(np.float32) if kind.char == "e" else kind
    found = _multiply_reduce(input, axis if input.ndim else None, wide, None, keepdim)
    return found.astype(kind, copy=False), axis


# ------------------------------------------------------------------ variances


def _var_back(g: Any, input: Any, axes: Axes, correction: float) -> Any:
    return (
        keep_dims(g, input.shape, axes)
        * (2.0 * _per_freedom(input, axes, correction))
        * (input - mean(input, axes, True))
    )


def _std_back(g: Any, input: Any, out: Any, axes: Axes, correction: float) -> Any:
    apart = (input - mean(input, axes, True)) * _per_freedom(input, axes, correction)
    return quotient(keep_dims(g, input.shape, axes) * apart, keep_dims(out, input.shape, axes))


def _per_freedom(input: Any, axes: Axes, correction: float) -> float:
    """Return 1 by the number that sums of squares are divided by."""
    freedom = count_along(input.shape, axes) - correction
    return 1.0 / freedom if freedom > 0 else np.inf


def _variance(input: Any, axes: Axes, correction: float, keepdim: bool, root: bool) -> Any:
    """Return the variance, or its ``root``, by two passes, which lose no digits."""
    if input.dtype.kind != "f":
        raise RuntimeError(
            f"std and var only support floating point and complex dtypes, not {dtype_of(input.dtype).legacy}"
        )
    wide = input.astype(np.float32) if input.dtype.char == "e" else input
    count = count_along(input.shape, axes)
    centre = sum_floats(wide, axes, True) / (count or 1)
    apart = wide - centre
    total, by = sum_floats(apart * apart, axes, keepdim), None
    if not in_range(total):
        by = scale(apart, axes)
        apart = apart / by
        total, by = sum_floats(apart * apart, axes, keepdim), by.reshape(total.shape)
    if axes is None or axes:
        total = _of_equals(wide, axes, centre, total, by)
    found = total / wide.dtype.type(max(count - correction, 0))
    found = np.sqrt(found) if root else found
    if by is None:
        return found
    return found * by if root else found * by * by


def _of_equals(x: Any, axes: Axes, centre: Any, total: Any, by: Any) -> Any:
    """Return sums of squares with those of equal elements set to 0, which the rounding of their mean kept from it.

    The sums are those of shares of ``by``, unless that is None.
    """
    near = centre if by is None else centre / by.reshape(centre.shape)
    small = total.reshape(centre.shape) <= x.size * (4 * np.finfo(x.dtype).eps * near) ** 2
    if not x.size or not small.any():
        return total
    first = x[tuple([slice(0, 1) if axes is None or d in axes else slice(None) for d in range(x.ndim)])]
    equal = np.all(x == first, axes, keepdims=True)
    return np.where(equal.reshape(total.shape), x.dtype.type(0), total)


@primitive(input=_var_back, aux=("axes",), numbers=("correction",))
def _var(input: Array, dim: Dims, correction: float, keepdim: bool) -> Any:
    axes = axes_of(input, dim)
    return _variance(input, axes, correction, keepdim, False).astype(input.dtype, copy=False), axes


@primitive(input=_std_back, aux=("axes",), numbers=("correction",))
def _std(input: Array, dim: Dims, correction: float, keepdim: bool) -> Any:
    axes = axes_of(input, dim)
    return _variance(input, axes, correction, keepdim, True).astype(input.dtype, copy=False), axes


def _corrected(
    name: str, dim: Any, unbiased: Any, keepdim: bool, correction: Any, axis: Any, keepdims: Any
) -> tuple[Any, float, bool]:
    """Return ``(dim, correction, keepdim)`` from PyTorch's overloads: ``(dim, unbiased)``, ``(unbiased)``, ..."""
    dim = dim if axis is UNSET else axis
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not UNSET and correction is not UNSET:
        raise TypeError(f"{name}() takes 'unbiased' or 'correction', not both")
    if correction is UNSET or correction is None:
        correction = 1 if unbiased is UNSET or unbiased else 0
    return dim, correction, keepdim if keepdims is UNSET else keepdims


@doors("torch Tensor")
def var(
    input: Any, dim: Any = None, unbiased: Any = UNSET, keepdim: bool = False, *,
    correction: Any = UNSET, out: Any = None, axis: Any = UNSET, keepdims: Any = UNSET,
) -> Any:  # fmt: skip
    """Return the variance of all elements, or over ``dim``.

    Squares are divided by the number of elements less ``correction`` (1; ``unbiased=False`` means 0): NaN where that
    leaves nothing. RuntimeError for integers. https://pytorch.org/docs/stable/generated/torch.var.html

    >>> import rushlight as torch
    >>> torch.var(torch.tensor([1.0, 2.0, 3.0])), torch.var(torch.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(1.))
    """
    result = _var(input, *_corrected("var", dim, unbiased, keepdim, correction, axis, keepdims))
    return result if out is None else write_out("var", result, out)


@doors("torch Tensor")
def std(
    input: Any, dim: Any = None, unbiased: Any = UNSET, keepdim: bool = False, *,
    correction: Any = UNSET, out: Any = None, axis: Any = UNSET, keepdims: Any = UNSET,
) -> Any:  # fmt: skip
    """Return the standard deviation: the root of :func:`var`. Where it is 0, so is its gradient.

    https://pytorch.org/docs/stable/generated/torch.std.html
    """
    result = _std(input, *_corrected("std", dim, unbiased, keepdim, correction, axis, keepdims))
    return result if out is None else write_out("std", result, out)


@doors("torch")
def var_mean(
    input: Any, dim: Any = None, unbiased: Any = UNSET, keepdim: bool = False, *,
    correction: Any = UNSET, axis: Any = UNSET, keepdims: Any = UNSET,
) -> tuple[Any, Any]:  # fmt: skip
    """Return :func:`var` and :func:`mean` over ``dim``.

    https://pytorch.org/docs/stable/generated/torch.var_mean.html
    """
    dim, correction, keepdim = _corrected("var_mean", dim, unbiased, keepdim, correction, axis, keepdims)
    return _var(input, dim, correction, keepdim), mean(input, dim, keepdim)


@doors("torch")
def std_mean(
    input: Any, dim: Any = None, unbiased: Any = UNSET, keepdim: bool = False, *,
    correction: Any = UNSET, axis: Any = UNSET, keepdims: Any = UNSET,
) -> tuple[Any, Any]:  # fmt: skip
    """Return :func:`std` and :func:`mean` over ``dim``.

    https://pytorch.org/docs/stable/generated/torch.std_mean.html
    """
    dim, correction, keepdim = _corrected("std_mean", dim, unbiased, keepdim, correction, axis, keepdims)
    return _std(input, dim, correction, keepdim), mean(input, dim, keepdim)


# ------------------------------------------------------------------ logsumexp, counts


@primitive(
    input=lambda g, input, out, axes: (
        keep_dims(g, input.shape, axes) * share_of_sum(input, keep_dims(out, input.shape, axes))
    ),
    aux=("axes",),
    doors="torch Tensor special",
)
def logsumexp(input: Array, dim: Dims, keepdim: bool = False) -> Any:
    """Return ``log(sum(exp(input), dim))`` without overflow; -inf of no elements, or of only -inf.

    Integers give floats. https://pytorch.org/docs/stable/generated/torch.logsumexp.html

    >>> import rushlight as torch
    >>> torch.logsumexp(torch.tensor([0.0, 0.0]), 0)
    tensor(0.6931)
    """
    axes = axes_of(input, dim)
    x = floating(input)
    wide = x.astype(np.float32) if x.dtype.char == "e" else x
    top = max_reduce(wide, axes, None, None, True, initial=-np.inf)
    top = np.where(np.isinf(top), wide.dtype.type(0), top)
    sums = np.log(sum_floats(np.exp(wide - top), axes, True)) + top
    found = sums if keepdim or not input.ndim else add_reduce(sums, axes)
    return found.astype(x.dtype, copy=False), axes


def _truth(ufunc: Any, input: Any, dim: Dims, keepdim: bool) -> Any:
    if isinstance(dim, Sequence) and not dim:
        found = input != 0
    else:
        found = ufunc.reduce(input, axes_of(input, dim), None, None, keepdim)
    return found.astype(np.uint8) if input.dtype.char == "B" else found


@primitive(input=None, doors="torch Tensor")
def all(input: Array, dim: Dims = None, keepdim: bool = False) -> Any:
    """Return whether no element is 0, of all or over ``dim``: bool, or uint8 of uint8.

    https://pytorch.org/docs/stable/generated/torch.all.html
    """
    return _truth(np.logical_and, input, dim, keepdim)


@primitive(input=None, doors="torch Tensor")
def any(input: Array, dim: Dims = None, keepdim: bool = False) -> Any:
    """Return whether some element is not 0, of all or over ``dim``: bool, or uint8 of uint8.

    https://pytorch.org/docs/stable/generated/torch.any.html
    """
    return _truth(np.logical_or, input, dim, keepdim)


@primitive(input=None, doors="torch Tensor")
def count_nonzero(input: Array, dim: Dims = None) -> Any:
    """Return how many elements are not 0, of all or over ``dim``: int64.

    https://pytorch.org/docs/stable/generated/torch.count_nonzero.html
    """
    return add_reduce(input != 0, axes_of(input, dim), np.int64)


@doors("Tensor")
def sum_to_size(input: Any, *size: Any) -> Any:
    """Return ``input`` summed over the dims along which ``size`` would be broadcast to its shape.

    https://pytorch.org/docs/stable/generated/torch.Tensor.sum_to_size.html
    """
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    x = array_of(input, "sum_to_size")
    if not is_expandable(x.shape, shape):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(x.shape)}}}.")
    if shape and x.shape == shape:
        return reshape(input, shape)
    return sum_to(input if x.dtype.kind == "f" else as_kind(input, np.dtype(np.int64)), shape)
