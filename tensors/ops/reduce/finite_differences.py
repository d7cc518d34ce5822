"""``torch.gradient``: the slopes of a function that is known at points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import dtype_of
from ....autograd.arguments import array_of
from ....autograd.variable import Variable
from ...doors import doors
from ..backward_ops import part, reshape_to
from ..shape.join import cat
from ..shape.views import getitem


def _between(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return getitem(x, part(axis, start, stop))


def _even(x: Any, axis: int, step: Any, edge_order: int) -> Any:
    """Return the slopes along ``axis`` of points that lie ``step`` apart."""

    def at(place: int) -> Any:
        return _between(x, axis, place, place + 1 or None)

    inner = (_between(x, axis, 2, None) - _between(x, axis, None, -2)) / (2 * step)
    if edge_order == 1:
        return cat([(at(1) - at(0)) / step, inner, (at(-1) - at(-2)) / step], axis)
    first = (-1.5 * at(0) + 2.0 * at(1) - 0.5 * at(2)) / step
    last = (0.5 * at(-3) - 2.0 * at(-2) + 1.5 * at(-1)) / step
    return cat([first, inner, last], axis)


def _uneven(x: Any, axis: int, points: Any, edge_order: int) -> Any:
    """Return the slopes along ``axis`` at the places ``points``: those of parabolas through three neighbours."""
    ndim = array_of(x, "gradient").ndim
    points = reshape_to(points, tuple([-1 if d == axis else 1 for d in range(ndim)]))
    steps = _between(points, axis, 1, None) - _between(points, axis, None, -1)

    def at(place: int) -> Any:
        return _between(x, axis, place, place + 1 or None)

    def step(place: int) -> Any:
        return _between(steps, axis, place, place + 1 or None)

    left, right = _between(steps, axis, None, -1), _between(steps, axis, 1, None)
    both = left + right
    inner = -right / (left * both) * _between(x, axis, None, -2)
    inner = inner + (right - left) / (left * right) * _between(x, axis, 1, -1)
    inner = inner + left / (right * both) * _between(x, axis, 2, None)
    if edge_order == 1:
        return cat([(at(1) - at(0)) / step(0), inner, (at(-1) - at(-2)) / step(-1)], axis)
    near, next_one = step(0), step(1)
    whole = near + next_one
    first = -(2.0 * near + next_one) / (near * whole) * at(0) + whole / (near * next_one) * at(1)
    first = first - near / (next_one * whole) * at(2)
    near, next_one = step(-1), step(-2)
    whole = near + next_one
    last = near / (next_one * whole) * at(-3) - whole / (near * next_one) * at(-2)
    return cat([first, inner, last + (2.0 * near + next_one) / (near * whole) * at(-1)], axis)


def _dims(dim: Any, ndim: int) -> list[int]:
    given = range(ndim) if dim is None else dim if isinstance(dim, Sequence) else (dim,)
    found = [norm_dim(each, ndim) for each in given]
    for place, each in enumerate(found):
        if each in found[:place]:
            raise RuntimeError(f"dim {each} appears multiple times in the list of dims")
    return found


def _spacings(spacing: Any, dims: list[int], dim: Any) -> list[Any]:
    """Return the step, or the places, of each dim."""
    if spacing is None:
        return [1.0] * len(dims)
    if isinstance(spacing, int | float) or (isinstance(spacing, Variable) and not spacing.array.ndim):
        return [spacing] * len(dims)
    if not isinstance(spacing, Sequence):
        raise TypeError(
            f"gradient(): argument 'spacing' must be a number or a sequence of numbers or of tensors, not "
            f"{type(spacing).__name__}"
        )
    if len(spacing) == len(dims):
        return list(spacing)
    if dim is None:
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = "
            f"{len(dims)}', since dim argument was not given, but got a list of length {len(spacing)}"
        )
    raise RuntimeError(
        "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the "
        f"same length, but got a spacing argument of length {len(spacing)} and a dim argument of length {len(dims)}."
    )


def _check(x: Any, axis: int, spacing: Any, edge_order: int) -> None:
    """Raise RuntimeError unless there are points enough, and as many places as points."""
    if x.shape[axis] < edge_order + 1:
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    if not isinstance(spacing, Variable) or not spacing.array.ndim:
        return
    if spacing.array.ndim != 1:
        raise RuntimeError(
            "torch.gradient expected each element of spacing to have one dimension, but got an element with "
            f"{spacing.array.ndim} dimensions!"
        )
    if spacing.array.size != x.shape[axis]:
        raise RuntimeError(
            f"torch.gradient expected as many coordinates as elements, but got {spacing.array.size} for the "
            f"{x.shape[axis]} elements of dim {axis}"
        )


@doors("torch")
def gradient(input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """Return the slopes along each dim (or those of ``dim``) of a function whose values at points are ``input``.

    Inside they are central differences, of second order; at the edges one-sided ones of ``edge_order`` 1 or 2.
    ``spacing`` is the distance of points, one for all dims or one for each, or a sequence of one-dimensional tensors
    of their coordinates. RuntimeError where a dim has fewer than ``edge_order + 1`` points.
    https://pytorch.org/docs/stable/generated/torch.gradient.html

    >>> import rushlight as torch
    >>> torch.gradient(torch.tensor([1.0, 4.0, 9.0, 16.0]))
    (tensor([3., 4., 6., 7.]),)
    >>> torch.gradient(torch.tensor([1.0, 4.0, 16.0]), spacing=(torch.tensor([1.0, 2.0, 4.0]),), edge_order=2)
    (tensor([2.0000, 4.0000, 8.0000]),)
    """
    x = array_of(input, "gradient")
    dims = _dims(dim, x.ndim)
    spacings = _spacings(spacing, dims, dim)
    if x.dtype == np.uint8:
        raise RuntimeError(f"torch.gradient does not support {str(dtype_of(x.dtype)).removeprefix('torch.')} input.")
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for axis, each in zip(dims, spacings, strict=True):
        _check(x, axis, each, edge_order)
    return tuple([
        (_uneven if isinstance(each, Variable) and each.array.ndim else _even)(input, axis, each, edge_order)
        for axis, each in zip(dims, spacings, strict=True)
    ])  # fmt: skip
