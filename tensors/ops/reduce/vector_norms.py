"""Vector norms over dims, the distance of two tensors, and ``renorm``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array, as_numpy, dtype_of, promote_two
from ....arrays.kernels.magnitude import in_range, scale
from ....autograd.arguments import array_of
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ...doors import doors
from ..backward_ops import (
    add_reduce,
    as_array,
    axes_of,
    count_along,
    keep_dims,
    max_reduce,
    min_reduce,
    quotient,
    share_evenly,
    signed_power,
    sum_floats,
)
from ..elementwise.rounding import sgn
from ..elementwise.ternary import where
from .sums import Dims


def power_norm(x: Any, order: float, axes: Any, keepdim: bool) -> Any:
    """Return ``sum(|x| ** order) ** (1 / order)``, and its limits for 0 and the infinities."""
    if order == 2:
        squares = sum_floats(x * x, axes, keepdim)
        return np.sqrt(squares) if in_range(squares) else _scaled_norm(x, 2.0, axes, keepdim)
    size = np.abs(x)
    if order == 1:
        return sum_floats(size, axes, keepdim)
    if order == np.inf:
        return max_reduce(size, axes, None, None, keepdim)
    if order == -np.inf:
        return min_reduce(size, axes, None, None, keepdim)
    if order == 0:
        return add_reduce(x != 0, axes, x.dtype, None, keepdim)
    powers = sum_floats(size**order, axes, keepdim)
    return powers ** (1 / order) if in_range(powers) else _scaled_norm(x, order, axes, keepdim)


def _scaled_norm(x: Any, order: float, axes: Any, keepdim: bool) -> Any:
    """Return the norm of numbers whose powers are too small or too large: that of their shares of the largest."""
    by = scale(x, axes)
    powers = sum_floats(np.abs(x / by) ** order, axes, keepdim)
    return powers ** (1 / order) * by.reshape(powers.shape)


def _norm(x: Any, order: float, axes: Any, keepdim: bool) -> Any:
    """Return the norm in the dtype of ``x``; half precision is computed in single."""
    if (order < 0 or order == np.inf) and not count_along(x.shape, axes):
        number = order if np.isinf(order) else f"{order:g}"
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {number} norm on an empty tensor because the operation does not "
            "have an identity"
        )
    wide = x.astype(np.float32) if x.dtype.char == "e" else x
    return power_norm(wide, order, axes, keepdim).astype(x.dtype, copy=False)


def norm_back(g: Any, x: Any, out: Any, axes: Any, ord: float) -> Any:
    """Return the gradient of a norm: 0 wherever the formula would divide by a norm or an element that is 0."""
    if ord == 0:
        return None
    g, out = keep_dims(g, x.shape, axes), keep_dims(out, x.shape, axes)
    if ord == 2:
        return g * quotient(x, out)
    if ord == 1:
        return g * sgn(x)
    if np.isinf(ord):
        size = np.abs(as_array(x))
        mask = (size == as_array(out)) | np.isnan(size)
        return share_evenly(g, np.asarray(mask), axes) * sgn(x)
    return g * signed_power(quotient(x, out), ord - 1)


@primitive(
    x=norm_back,
    aux=("axes",),
    grad_fn_name="LinalgVectorNormBackward0",
    numbers=("ord",),
)
def vector_norm(x: Array, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return ``sum(|x| ** ord) ** (1 / ord)`` of all elements or over ``dim``.

    ``inf`` gives the largest size, ``-inf`` the smallest, 0 the number of elements that are not 0. RuntimeError for
    integers. Where the norm is 0, so is its gradient.
    https://pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html
    """
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {dtype_of(x.dtype).legacy}"
        )
    axes = axes_of(x, dim)
    if dtype is not None:
        kind = as_numpy(dtype)
        if kind.kind != "f" or kind.itemsize < x.dtype.itemsize:
            raise RuntimeError(
                f"linalg.vector_norm: the dtype of the input ({dtype_of(x.dtype).legacy}) should be convertible "
                f"without narrowing to the specified dtype ({dtype_of(kind).legacy})"
            )
        x = x.astype(kind)
    return _norm(x, float(ord), axes, keepdim), axes


def _distance_rule(g: Any, input: Any, other: Any, out: Any, p: float, needs: list[bool]) -> tuple[Any, Any]:
    back = norm_back(g, input - other, out, None, float(p))
    return back, None if back is None or not needs[1] else -back


@primitive(_distance_rule, ("input", "other"), numbers=("p",), doors="torch Tensor")
def dist(input: Array, other: Array, p: float = 2) -> Any:
    """Return the ``p``-norm of ``input - other``, broadcast together; a tensor without dims.

    RuntimeError for integers. https://pytorch.org/docs/stable/generated/torch.dist.html
    """
    if "b" in (input.dtype.kind, other.dtype.kind):
        raise RuntimeError("Subtraction, the `-` operator, with a bool tensor is not supported.")
    input, other = promote_two(input, other)
    if input.dtype.kind != "f":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{dtype_of(input.dtype).legacy} instead."
        )
    return _norm(input - other, float(p), None, False)


@doors("torch Tensor Tensor_")
def renorm(input: Any, p: float, dim: int, maxnorm: float, *, out: Any = None) -> Any:
    """Return ``input`` with each slice of ``dim`` whose ``p``-norm is above ``maxnorm`` scaled down to that.

    https://pytorch.org/docs/stable/generated/torch.renorm.html
    """
    x = array_of(input, "renorm")
    if not p > 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, p is {p}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if x.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {x.ndim} dimensions")
    axis = norm_dim(dim, x.ndim)
    norms = vector_norm(input, p, tuple(d for d in range(x.ndim) if d != axis), True)
    long = array_of(norms, "renorm") > maxnorm
    made = input * where(long, maxnorm / (norms + 1e-7), np.ones((), x.dtype))
    return made if out is None else write_out("renorm", made, out)
