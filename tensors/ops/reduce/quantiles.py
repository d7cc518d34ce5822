"""Quantiles: elements at given parts of a sorted row, or between two of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....autograd.arguments import array_of
from ....autograd.out_argument import write_out
from ....autograd.variable import Variable
from ...doors import doors
from ..backward_ops import add_reduce, as_array, gather_along, reshape_to
from ..common import drop
from ..elementwise.ternary import where
from ..shape.order import permute
from .sorting import sort

_WAYS = ("linear", "lower", "higher", "midpoint", "nearest")


@doors("torch Tensor")
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear", out: Any = None
) -> Any:
    """Return the values below which a part ``q`` of the elements lies: of all, or along ``dim``.

    A 1-d tensor ``q`` gives one slice each, along a new first dim. Between two elements the result is interpolated
    (``linear``), or one of them (``lower``, ``higher``, ``nearest``), or their ``midpoint``. NaN where there is one.
    RuntimeError unless ``input`` is float32 or float64 and not empty, and ``q`` in [0, 1].
    https://pytorch.org/docs/stable/generated/torch.quantile.html

    >>> import rushlight as torch
    >>> torch.quantile(torch.tensor([1.0, 2.0, 3.0, 6.0]), 0.5)
    tensor(2.5000)
    """
    result = _quantile("quantile", input, q, dim, keepdim, interpolation)
    return result if out is None else write_out("quantile", result, out)


@doors("torch Tensor")
def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear", out: Any = None
) -> Any:
    """Return quantiles as :func:`quantile` does, of the elements that are not NaN.

    https://pytorch.org/docs/stable/generated/torch.nanquantile.html
    """
    result = _quantile("nanquantile", input, q, dim, keepdim, interpolation)
    return result if out is None else write_out("nanquantile", result, out)


def _checked(name: str, x: Any, q: Any, interpolation: str) -> Any:
    """Return ``q`` as an array in the dtype of ``x``, or raise RuntimeError that says what is wrong."""
    if not x.size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if x.dtype.char not in "fd":
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in _WAYS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if not isinstance(q, Variable):
        if isinstance(q, bool) or not isinstance(q, float | int):
            raise TypeError(f"{name}(): argument 'q' must be Tensor or float, not {type(q).__name__}")
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        return np.asarray(q, x.dtype)
    part = np.asarray(q.array)
    if part.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if part.dtype is not x.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    return part


def _quantile(name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str) -> Any:
    x = array_of(input, name)
    part = _checked(name, x, q, interpolation)
    axis = 0 if dim is None else norm_dim(dim, x.ndim)
    if not ((part >= 0) & (part <= 1)).all():
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    if dim is None or not x.ndim:
        rows, rest, one = reshape_to(input, (x.size,)), (), (1,) * x.ndim
    else:
        rows = permute(input, (*(d for d in range(x.ndim) if d != axis), axis))
        rest, one = x.shape[:axis] + x.shape[axis + 1 :], (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    rows = sort(rows).values
    factors = reshape_to(q, (part.size,)) if isinstance(q, Variable) else part.reshape(-1)
    found = _between(as_array(rows), rows, factors, name == "nanquantile", interpolation)
    last = len(rest)
    return reshape_to(permute(found, (last, *range(last))), part.shape + (one if keepdim else rest))


def _between(x: Any, rows: Any, q: Any, ignore_nan: bool, interpolation: str) -> Any:
    """Return the quantiles ``q`` of the sorted ``rows``, whose values are ``x``: shape ``(..., len(q))``."""
    last = x.shape[-1] - 1
    numbers = add_reduce(x == x, -1, np.int64, None, True)  # noqa: PLR0124
    scale = (np.maximum(numbers - 1, 0) if ignore_nan else np.full_like(numbers, last)).astype(x.dtype)
    rank = as_array(q) * scale
    if not ignore_nan:
        rank = np.where(numbers > last, rank, x.dtype.type(last))
    if interpolation in ("lower", "higher", "nearest"):
        rounding: dict[str, Any] = {"lower": np.floor, "higher": np.ceil, "nearest": np.round}
        rank = rounding[interpolation](rank)
    below, above = np.floor(rank).astype(np.int64), np.ceil(rank).astype(np.int64)
    low = gather_along(rows, below, -1, below.shape)
    if interpolation in ("lower", "higher", "nearest"):
        return low
    weight = x.dtype.type(0.5) if interpolation == "midpoint" else q * scale - below.astype(x.dtype)
    return _between_two(low, gather_along(rows, above, -1, above.shape), weight)


def _between_two(low: Any, high: Any, weight: Any) -> Any:
    """Return what lies between ``low`` and ``high`` at ``weight``: beside an infinity, all but ``low`` is infinite."""
    endless = np.asarray(np.isinf(as_array(low)) | np.isinf(as_array(high)))
    if not endless.any():
        return low + (high - low) * weight
    start = drop(low, endless)
    inner = start + (drop(high, endless) - start) * weight
    outer = where(as_array(weight) == 0, low, low * (1 - weight) + high * weight)
    return where(endless, outer, inner)
