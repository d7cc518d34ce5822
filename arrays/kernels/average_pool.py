"""Average pooling over the last dims, fixed and adaptive, each with its adjoint.

A mean over a box is a sum along each dim in turn, divided once at the end.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..dtypes import Array
from .max_pool import max_pool_forward
from .output_sizes import adaptive_output_size, pool_output_size
from .windows import Ints, overlap

_FEW_TAPS = 25  # beyond, one argmax per window is as fast or faster: benchmarks/claims.py


def _counts(size: int, kernel: int, stride: int, padding: int, out: int, pad: bool) -> Array:
    """Return how many elements each window along a dim holds; ``pad`` counts the border too."""
    start = np.arange(out) * stride - padding
    end = np.minimum(start + kernel, size + padding)
    inside: Array = np.minimum(end, size) - np.maximum(start, 0)
    return end - start if pad else inside


def _divisor(size: Ints, kernel: Ints, stride: Ints, padding: Ints, out: Ints, pad: bool) -> Array:
    """Return the number of elements of each window: shape ``out``, or one number for all."""
    counts = np.ones((), np.int64)
    for dims in zip(size, kernel, stride, padding, out, strict=True):
        counts = counts[..., None] * _counts(*dims, pad)
    same = counts.size > 0 and bool((counts == counts.flat[0]).all())
    return counts.reshape(-1)[0] if same else counts


def _divided(total: Array, divisor: Array | int, dtype: np.dtype[np.generic]) -> Array:
    """Return ``total / divisor`` as ``dtype``; integers are cut towards zero, as in C++."""
    if dtype.kind in "iu":
        whole: Array = np.abs(total) // np.abs(divisor) * np.sign(total) * np.sign(divisor)
        return whole.astype(dtype)
    mean: Array = (total / np.asarray(divisor).astype(total.dtype)).astype(dtype, copy=False)
    return mean


def _wide(x: Array) -> Array:
    """Return half precision as single, in which sums are taken; anything else as it is."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def avg_pool_forward(
    x: Array,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Return the mean of each window over the last ``len(kernel)`` dims.

    Raises RuntimeError, as PyTorch, for arguments out of range and a divisor of zero.
    """
    dims = len(kernel)
    _check_divisor(divisor_override)
    if x.dtype.kind != "f" and x.dtype != np.int64:
        raise NotImplementedError(f"\"avg_pool{dims}d\" not implemented for '{x.dtype.name}'")
    out = pool_output_size(x.shape, kernel, stride, padding, (1,) * dims, ceil_mode)
    size = x.shape[-dims:]
    total = _wide(x)
    for dim, (n, k, s, p, count) in enumerate(
        zip(size, kernel, stride, padding, out, strict=True), start=x.ndim - dims
    ):
        sums = np.zeros((*total.shape[:dim], count, *total.shape[dim + 1 :]), total.dtype)
        every: tuple[Any, ...] = (slice(None),) * dim
        for tap in range(k):
            target, source = overlap(count, tap - p, s, n)
            part = sums[(*every, target)]
            np.add(part, total[(*every, source)], out=part)
        total = sums
    divisor = divisor_override or _divisor(size, kernel, stride, padding, out, count_include_pad)
    return _divided(total, divisor, x.dtype)


def avg_pool_adjoint(
    g: Array,
    x_shape: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Return the adjoint of ``avg_pool_forward``: each ``g`` shared out over its window."""
    dims = len(kernel)
    _check_divisor(divisor_override)
    size, out = x_shape[-dims:], g.shape[-dims:]
    divisor = divisor_override or _divisor(size, kernel, stride, padding, out, count_include_pad)
    share = _wide(g)
    share = share / np.asarray(divisor).astype(share.dtype)
    for dim, (n, k, s, p, count) in enumerate(
        zip(size, kernel, stride, padding, out, strict=True), start=g.ndim - dims
    ):
        image = np.zeros((*share.shape[:dim], n, *share.shape[dim + 1 :]), share.dtype)
        every: tuple[Any, ...] = (slice(None),) * dim
        for tap in range(k):
            target, source = overlap(count, tap - p, s, n)
            part = image[(*every, source)]
            np.add(part, share[(*every, target)], out=part)
        share = image
    return share.astype(g.dtype, copy=False)


def _check_divisor(divisor_override: int | None) -> None:
    """Raise RuntimeError if the divisor is given and zero."""
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")


def _adaptive_bounds(size: int, out: int) -> list[tuple[int, int]]:
    """Return start and end of each of ``out`` windows that cover ``size`` elements."""
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def _adaptive_area(size: Ints, out: Ints, dtype: np.dtype[np.generic]) -> Array:
    """Return the number of elements of each adaptive window: shape ``out``."""
    area = np.ones((), np.int64)
    for n, count in zip(size, out, strict=True):
        spans = [end - start for start, end in _adaptive_bounds(n, count)]
        area = area[..., None] * np.array(spans, np.int64)
    return area.astype(dtype)


def adaptive_avg_pool(x: Array, output_size: Ints) -> Array:
    """Return the means of windows chosen so that ``output_size`` of them cover the last dims.

    Window ``i`` of ``m`` over ``n`` elements is ``floor(i n / m)`` to ``ceil((i + 1) n / m)``.
    Raises RuntimeError, as PyTorch, for negative sizes and empty dims.
    """
    dims = len(output_size)
    adaptive_output_size(f"adaptive_avg_pool{dims}d", x.shape, output_size)
    if x.dtype.kind not in "fc":
        raise NotImplementedError(f"\"adaptive_avg_pool{dims}d\" not implemented for '{x.dtype.name}'")
    total = _wide(x)
    size = x.shape[-dims:]
    for dim, (n, count) in enumerate(zip(size, output_size, strict=True), start=x.ndim - dims):
        every: tuple[Any, ...] = (slice(None),) * dim
        sums = np.empty((*total.shape[:dim], count, *total.shape[dim + 1 :]), total.dtype)
        for i, (start, end) in enumerate(_adaptive_bounds(n, count)):
            np.add.reduce(total[(*every, slice(start, end))], axis=dim, out=sums[(*every, i)])
        total = sums
    mean: Array = total / _adaptive_area(size, output_size, total.dtype)
    return mean.astype(x.dtype, copy=False)


def adaptive_avg_pool_adjoint(g: Array, x_shape: Ints, dims: int) -> Array:
    """Return the adjoint of ``adaptive_avg_pool`` over the last ``dims`` dims of ``x_shape``."""
    share = _wide(g)
    size, out = x_shape[-dims:], g.shape[-dims:]
    share = share / _adaptive_area(size, out, share.dtype)
    for dim, (n, count) in enumerate(zip(size, out, strict=True), start=g.ndim - dims):
        every: tuple[Any, ...] = (slice(None),) * dim
        image = np.zeros((*share.shape[:dim], n, *share.shape[dim + 1 :]), share.dtype)
        for i, (start, end) in enumerate(_adaptive_bounds(n, count)):
            image[(*every, slice(start, end))] += share[(*every, slice(i, i + 1))]
        share = image
    return share.astype(g.dtype, copy=False)


def adaptive_max_pool(x: Array, output_size: Ints) -> tuple[Array, Array]:
    """Return the maximum of each adaptive window and its int64 index, flat within the image.

    Windows as in ``adaptive_avg_pool``. The first of equals wins, and the last NaN before all.
    """
    dims = len(output_size)
    adaptive_output_size(f"adaptive_max_pool{dims}d", x.shape, output_size)
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"adaptive_max_pool{dims}d\" not implemented for '{x.dtype.name}'")
    size = x.shape[-dims:]
    if 0 not in output_size and all(n % m == 0 for n, m in zip(size, output_size, strict=True)):
        kernel = tuple(n // m for n, m in zip(size, output_size, strict=True))
        if prod(kernel) <= _FEW_TAPS and x.size:
            return max_pool_forward(x, kernel, kernel, (0,) * dims, (1,) * dims, False)
    lead = x.shape[:-dims]
    out = np.empty((*lead, *output_size), x.dtype)
    indices = np.empty(out.shape, np.int64)
    numbers = np.arange(prod(size)).reshape(size)
    bounds = [_adaptive_bounds(n, m) for n, m in zip(size, output_size, strict=True)]
    for place in np.ndindex(*output_size):
        box: tuple[Any, ...] = tuple(slice(*bounds[dim][i]) for dim, i in enumerate(place))
        window = x[(..., *box)].reshape(*lead, numbers[box].size)
        winner = np.argmax(window, axis=-1)
        best = np.take_along_axis(window, winner[..., None], -1)[..., 0]
        if np.isnan(best).any():
            last = window.shape[-1] - 1 - np.argmax(np.isnan(window)[..., ::-1], axis=-1)
            winner = np.where(np.isnan(best), last, winner)
        out[(..., *place)] = best
        indices[(..., *place)] = numbers[box].reshape(-1)[winner]
    return out, indices
