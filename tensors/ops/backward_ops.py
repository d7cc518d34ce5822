"""Ops that the backward rules of reductions, sorts and cumulative ops are written in.

The gradient of each is another of them, so that derivatives of any order exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arrays.dims import norm_dim, norm_dims
from ...arrays.dtypes import Array
from ...autograd.broadcast import broadcast_view
from ...autograd.primitive import primitive
from ...autograd.variable import Variable

Axes = tuple[int, ...] | None
"""Dims counted from the front; None for all of them."""

add_reduce: Any = np.add.reduce
max_reduce: Any = np.maximum.reduce
min_reduce: Any = np.minimum.reduce


def axes_of(x: Any, dim: int | Sequence[int] | None) -> Axes:
    """Return the dims that ``dim`` names, as NumPy's reductions take them; a value without dims has only None."""
    if dim is None:
        return None
    ndim = x.ndim
    if type(dim) is int and 0 <= dim < ndim:
        return (dim,)
    dims = norm_dims(dim, ndim)
    return dims if ndim else None


def as_array(x: Any) -> Any:
    """Return the array of a tensor, or the array itself: for what a rule decides, not for what it computes."""
    return x.array if isinstance(x, Variable) else x


def keepdim_shape(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """Return ``shape`` with one element along each of ``axes``."""
    if axes is None:
        return (1,) * len(shape)
    return tuple([1 if place in axes else n for place, n in enumerate(shape)])


def count_along(shape: tuple[int, ...], axes: Axes) -> int:
    """Return how many elements meet in one result of a reduction."""
    total = 1
    for place, n in enumerate(shape):
        if axes is None or place in axes:
            total *= n
    return total


def sum_floats(x: Any, axes: Axes, keepdim: bool = False) -> Any:
    """Return the sum of floats over ``axes``: half precision is summed in single, long columns in blocks."""
    if x.dtype.char == "e":
        return add_reduce(x, axes, np.float32, None, keepdim).astype(np.float16)
    if axes is not None and x.size > _LONG and _in_columns(x, axes):
        return _add_columns(x, axes, keepdim)
    return add_reduce(x, axes, None, None, keepdim)


_LONG = 1024
_BLOCK = 128


def _in_columns(x: Array, axes: tuple[int, ...]) -> bool:
    """Return whether NumPy would sum over ``axes`` row by row, in one long chain: adjacent dims before the last."""
    low, high = min(axes), max(axes)
    if high == x.ndim - 1 or high - low + 1 != len(axes) or not x.flags.c_contiguous:
        return False
    return count_along(x.shape, axes) >= 2 * _BLOCK


def _add_columns(x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
    """Return the sum over adjacent dims in blocks: the rounding error grows with the block, not with the column."""
    low, high = min(axes), max(axes)
    before, after = x.shape[:low], x.shape[high + 1 :]
    shape = keepdim_shape(x.shape, axes) if keepdim else before + after
    count, inner = count_along(x.shape, axes), int(np.prod(after))
    rows = x.reshape(-1, count, inner)
    ones = np.ones((1, _BLOCK), x.dtype)
    while (count := rows.shape[1]) >= 2 * _BLOCK:
        whole = count - count % _BLOCK
        blocks = rows[:, :whole].reshape(-1, _BLOCK, inner) if whole == count or len(rows) == 1 else None
        if blocks is None:
            blocks = np.ascontiguousarray(rows[:, :whole]).reshape(-1, _BLOCK, inner)
        sums = np.matmul(ones, blocks).reshape(len(rows), whole // _BLOCK, inner)
        rows = sums if whole == count else np.concatenate([sums, rows[:, whole:]], axis=1)
    total: Array = add_reduce(rows, 1).reshape(shape)
    return total


# ------------------------------------------------------------------ sums and what they came from


def sum_back(g: Any, input_shape: tuple[int, ...], axes: Axes) -> Any:
    """Return the gradient of a sum: ``g`` repeated."""
    return expand_along(g, input_shape, axes)


@primitive(input=sum_back, aux=("axes",), grad_fn_name="SumBackward1")
def _sum_along(input: Array, dim: Axes, shape: tuple[int, ...]) -> Any:
    """Return ``input`` summed over ``dim``, in ``shape``; the adjoint of ``expand_along``."""
    return np.asarray(sum_floats(input, dim)).reshape(shape), dim


@primitive(input=lambda g, input_shape, axes: _sum_along(g, axes, input_shape), grad_fn_name="ExpandBackward0")
def expand_along(input: Array, shape: tuple[int, ...], axes: Axes) -> Array:
    """Return what was reduced over ``axes``, with or without them, repeated to ``shape``: a read-only view."""
    input = np.asarray(input)
    return broadcast_view(input if input.ndim == len(shape) else input.reshape(keepdim_shape(shape, axes)), shape)


@primitive(input=lambda g, input_shape: reshape_to(g, input_shape), grad_fn_name="ReshapeAliasBackward0")
def reshape_to(input: Array, shape: tuple[int, ...]) -> Array:
    """Return ``input`` in ``shape``."""
    return np.asarray(input).reshape(shape)


def keep_dims(x: Any, shape: tuple[int, ...], axes: Axes) -> Any:
    """Return what was reduced from ``shape`` over ``axes`` with those dims kept, broadcastable to ``shape``."""
    wanted = keepdim_shape(shape, axes)
    return x if x.shape == wanted else reshape_to(x, wanted)


@primitive(input=lambda g, mask: masked(g, mask), grad_fn_name="MaskedFillBackward0")
def masked(input: Array, mask: Any) -> Array:
    """Return ``input`` where ``mask`` holds and 0 elsewhere, even where ``input`` is inf or NaN."""
    return np.where(mask, input, input.dtype.type(0))


def share_evenly(g: Any, mask: Array, axes: Axes) -> Any:
    """Return ``g`` divided equally among the elements that ``mask`` marks along ``axes``: how ties share a gradient."""
    kind = as_array(g).dtype
    count = add_reduce(mask, axes, np.int64, None, True)
    return g * np.asarray(np.divide(mask, count, dtype=np.float64)).astype(kind)


# ------------------------------------------------------------------ elements by their number along a dim


def index_along(index: Array, axis: int) -> tuple[Any, ...]:
    """Return the index that reads or writes at ``index`` along ``axis``."""
    grids: list[Any] = []
    for number, n in enumerate(index.shape):
        side = [1] * index.ndim
        side[number] = -1
        grids.append(index if number == axis else np.arange(n).reshape(side))
    return tuple(grids)


def _whole_index(index: Array, ndim: int, dim: int) -> tuple[Array, int]:
    """Return ``index`` with the dim it was taken along restored, and that dim counted from the front."""
    axis = norm_dim(dim, ndim)
    return (index if index.ndim == ndim else np.expand_dims(index, axis)), axis


@primitive(
    input=lambda g, input_shape, index, dim: scatter_along(g, index, dim, input_shape),
    grad_fn_name="GatherBackward0",
    integers=("dim",),
)
def gather_along(input: Array, index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    """Return the elements at ``index`` along ``dim``, in ``shape``; the adjoint of ``scatter_along``."""
    if not input.ndim:
        return np.asarray(input).reshape(shape)
    index, axis = _whole_index(index, input.ndim, dim)
    found: Array = input[index_along(index, axis)].reshape(shape)
    return found


@primitive(
    input=lambda g, input_shape, index, dim: gather_along(g, index, dim, input_shape),
    grad_fn_name="ScatterAddBackward0",
    integers=("dim",),
)
def scatter_along(input: Array, index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    """Return zeros of ``shape`` with ``input`` added in at ``index`` along ``dim``; the adjoint of ``gather_along``."""
    if not shape:
        return np.asarray(input).reshape(shape)
    index, axis = _whole_index(index, len(shape), dim)
    out = np.zeros(shape, input.dtype)
    got = np.asarray(input).reshape(index.shape)
    if index.shape[axis] == 1:
        out[index_along(index, axis)] = got
    else:
        np.add.at(out, index_along(index, axis), got)
    return out


def unordered(g: Any, index: Array, dim: int) -> Any:
    """Return the elements of ``g`` where they were before they were brought into the order ``index``."""
    if not index.ndim:
        return g
    axis = norm_dim(dim, index.ndim)
    back = np.empty_like(index)
    back[index_along(index, axis)] = numbered(index.shape, axis)
    return ordered(g, back, dim)


@primitive(input=unordered, grad_fn_name="GatherBackward0", integers=("dim",))
def ordered(input: Array, index: Array, dim: int) -> Array:
    """Return ``input`` with the elements along ``dim`` in the order ``index``."""
    return input[index_along(index, norm_dim(dim, input.ndim))] if input.ndim else input


def numbered(shape: tuple[int, ...], axis: int) -> Array:
    """Return 0, 1, 2, ... along ``axis``, to be broadcast to ``shape``."""
    return np.arange(shape[axis], dtype=np.int64).reshape([-1 if number == axis else 1 for number in range(len(shape))])


# ------------------------------------------------------------------ along a dim


def one_axis(x: Any, dim: int) -> int:
    """Return ``dim`` counted from the front; IndexError if ``x`` has no such dim."""
    return norm_dim(dim, x.ndim)


def part(axis: int, start: int | None, stop: int | None, step: int | None = None) -> tuple[Any, ...]:
    """Return the index of a slice along ``axis``."""
    return (*(slice(None),) * axis, slice(start, stop, step))


@primitive(input=lambda g, axis: reverse(g, axis), grad_fn_name="FlipBackward0", integers=("axis",))
def reverse(input: Array, axis: int) -> Array:
    """Return ``input`` in reverse order along ``axis``: a view."""
    return input[part(axis, None, None, -1)] if input.ndim else input


@primitive(
    input=lambda g, axis, by: shifted(g, axis, -by, 0.0),
    grad_fn_name="RollBackward0",
    numbers=("fill",),
    integers=("axis", "by"),
)
def shifted(input: Array, axis: int, by: int, fill: float) -> Array:
    """Return ``input`` moved one place along ``axis``, forward if ``by`` is 1 and back if -1; ``fill`` moves in."""
    if not input.ndim:
        return np.asarray(fill, input.dtype)
    out = np.full(input.shape, fill, input.dtype)
    to, source = (part(axis, 1, None), part(axis, None, -1)) if by > 0 else (part(axis, None, -1), part(axis, 1, None))
    out[to] = input[source]
    return out


def _recurrence_rule(g: Any, input: Any, factor: Any, axis: int, out: Any, needs: list[bool]) -> tuple[Any, Any]:
    back = reverse(recurrence(reverse(g, axis), reverse(shifted(factor, axis, -1, 0.0), axis), axis), axis)
    return back, back * shifted(out, axis, 1, 0.0) if needs[1] else None


@primitive(_recurrence_rule, ("input", "factor"), grad_fn_name="RecurrenceBackward0", integers=("axis",))
def recurrence(input: Array, factor: Array, axis: int) -> Array:
    """Return ``y[k] = input[k] + factor[k] * y[k - 1]`` along ``axis``, with ``y[-1] = 0``.

    By doubling: after step ``s`` each element knows the ``2 ** s`` before it (Hillis and Steele, Data parallel
    algorithms, 1986). No division, so zeros among the factors do no harm.
    """
    if not input.ndim:
        return input
    total, chain, reach = np.array(input), np.array(factor), 1
    while reach < total.shape[axis]:
        late, early = part(axis, reach, None), part(axis, None, -reach)
        total[late] += chain[late] * total[early]
        chain[late] *= chain[early].copy()
        reach *= 2
    return total


# ------------------------------------------------------------------ powers that are 0 at 0


def _slope(g: Any, power: Any, input: Any, exponent: float) -> Any:
    """Return ``g`` times the slope of a power whose other form is ``power``: 0 for a constant, whatever is near."""
    if exponent == 0:
        return masked(g, np.False_)
    return g * (exponent * power(input, exponent - 1))


@primitive(
    input=lambda g, input, exponent: _slope(g, absolute_power, input, exponent),
    grad_fn_name="PowBackward0",
    numbers=("exponent",),
)
def signed_power(input: Array, exponent: float) -> Array:
    """Return ``sign(x) * |x| ** exponent``, and 0 where ``x`` is 0, whatever the exponent."""
    if exponent == 1:
        return np.array(input)
    if exponent == 0:
        return np.subtract(input > 0, input < 0, dtype=input.dtype)
    return np.where(input == 0, input.dtype.type(0), np.sign(input) * np.abs(input) ** exponent)


@primitive(
    input=lambda g, input, exponent: _slope(g, signed_power, input, exponent),
    grad_fn_name="PowBackward0",
    numbers=("exponent",),
)
def absolute_power(input: Array, exponent: float) -> Array:
    """Return ``|x| ** exponent``, and 0 where ``x`` is 0 unless the exponent is 0."""
    if exponent == 0:
        return np.ones_like(input)
    if exponent > 0:
        return np.abs(input) ** exponent
    return np.where(input == 0, input.dtype.type(0), np.abs(input) ** exponent)


# ------------------------------------------------------------------ quotients that are 0 where the divisor is 0


@primitive(
    input=lambda g, other: quotient(g, other),
    other=lambda g, other, out: -quotient(g * out, other),
    promote="same",
    grad_fn_name="DivBackward0",
)
def quotient(input: Array, other: Array) -> Any:
    """Return ``input / other``, broadcast together, and 0 where ``other`` is 0 and ``input`` finite.

    Its rules divide by ``other`` again instead of by a square of it, which might not be a number.
    """
    return input / np.where(other == 0, other.dtype.type(np.inf), other)
