"""Differences of neighbours, and sums under a curve through points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array
from ....autograd.arguments import array_of, as_number
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.recording import inference_version
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..backward_ops import part, reshape_to
from ..elementwise.arithmetic import _mul, _sub
from ..shape.join import cat
from ..shape.views import clone, getitem
from .cumulative import cumsum
from .sums import sum


@primitive(input=None, other=None)
def _differ(input: Array, other: Array) -> Any:
    """Return where two arrays differ."""
    return np.not_equal(input, other)


def _neighbours(x: Any, axis: int) -> tuple[Any, Any]:
    """Return ``x`` along ``axis`` without its first element, and without its last."""
    return getitem(x, part(axis, 1, None)), getitem(x, part(axis, None, -1))


@doors("torch Tensor")
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *, out: Any = None) -> Any:
    """Return the ``n``-th differences of neighbours along ``dim``, with ``prepend`` and ``append`` joined on first.

    Of bools, whether they differ. RuntimeError for a tensor without dims.
    https://pytorch.org/docs/stable/generated/torch.diff.html

    >>> import rushlight as torch
    >>> torch.diff(torch.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    array = array_of(input, "diff")
    if not array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not n and prepend is None and append is None:
        return clone(input) if out is None else write_out("diff", clone(input), out)
    axis = norm_dim(dim, array.ndim)
    for one in (prepend, append):
        if one is not None and array_of(one, "diff", "prepend or append").ndim != array.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    if not n:
        return clone(input) if out is None else write_out("diff", clone(input), out)
    parts = [one for one in (prepend, input, append) if one is not None]
    result = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, max(array_of(result, "diff").shape[axis], 1))):
        late, early = _neighbours(result, axis)
        result = _differ(late, early) if array_of(late, "diff").dtype.char == "?" else _sub(late, early)
    return result if out is None else write_out("diff", result, out)


def _half(name: str, dx: Any) -> float:
    """Return half of a step; RuntimeError for a bool."""
    step = as_number(name, "dx", dx)
    if isinstance(step, bool):
        raise RuntimeError(f"{name}: Currently, we only support dx as a real number.")
    return float(step) / 2.0


def _areas(name: str, y: Any, x: Any, dim: int) -> tuple[Any, int]:
    """Return twice the areas between neighbours along ``dim`` (without ``x``: at steps of 1), and that dim."""
    array = array_of(y, name, "y")
    axis = norm_dim(dim, array.ndim)
    if array.dtype.kind == "b" or (x is not None and array_of(x, name, "x", 2).dtype.kind == "b"):
        raise RuntimeError(f"{name}: received a bool input for `x` or `y`, but bool is not supported")
    late, early = _neighbours(y, axis)
    if x is None:
        return late + early, axis
    points = array_of(x, name, "x", 2)
    if points.ndim == 1:
        if points.size != array.shape[axis]:
            raise RuntimeError(
                f"{name}(): There must be one `x` value for each sample point, got {points.size} for "
                f"{array.shape[axis]} points"
            )
        x = reshape_to(x, tuple([-1 if d == axis else 1 for d in range(array.ndim)]))
        points = array_of(x, name)
    right, left = _neighbours(x, min(axis, axis - array.ndim + points.ndim))  # as PyTorch counts, also if x has more
    return _mul(late + early, right - left), axis


@doors("torch")
def trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """Return the area under the points ``y`` along ``dim`` joined by lines, at places ``x`` or ``dx`` apart.

    https://pytorch.org/docs/stable/generated/torch.trapezoid.html

    >>> import rushlight as torch
    >>> torch.trapezoid(torch.tensor([1.0, 2.0, 3.0]), dx=2.0)
    tensor(8.)
    """
    array = array_of(y, "trapezoid", "y")
    if not array.size and not array.shape[axis := norm_dim(dim, array.ndim)]:
        nothing = np.zeros((*array.shape[:axis], *array.shape[axis + 1 :]), array.dtype)
        return wrap(Variable.result, nothing, None, inference_version.get()) if isinstance(y, Variable) else nothing
    areas, axis = _areas("trapezoid", y, x, dim)
    return sum(areas, axis) * _half("trapezoid", dx) if x is None else sum(areas, axis) / 2.0


@doors("torch")
def trapz(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """Return the area under the points ``y``: another word for :func:`trapezoid`."""
    return trapezoid(y, x, dx=dx, dim=dim)


@doors("torch")
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """Return the areas under the points ``y`` along ``dim`` up to each but the first, as :func:`trapezoid`.

    https://pytorch.org/docs/stable/generated/torch.cumulative_trapezoid.html
    """
    areas, axis = _areas("cumulative_trapezoid", y, x, dim)
    if x is None:
        return cumsum(areas * _half("cumulative_trapezoid", dx), axis)
    return cumsum(areas, axis) / 2.0
