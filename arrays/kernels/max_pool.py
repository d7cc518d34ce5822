"""Max pooling over the last dims, and the pair of adjoint maps that carry its gradient.

Which element of its window won is found first as a *tap*, its number within the kernel, a byte
each where that is enough: cheap arithmetic on slices. PyTorch's indices, flat within the image,
follow from the taps.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..dtypes import Array
from .output_sizes import pool_output_size
from .windows import Ints, Windows, overlap

_BLOCK_BYTES = 500_000


def pool_windows(x_shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool) -> Windows:
    """Return the windows of a pooling; RuntimeError, as PyTorch, if there can be none."""
    out = pool_output_size(x_shape, kernel, stride, padding, dilation, ceil_mode)
    return Windows(x_shape[-len(kernel) :], kernel, stride, padding, dilation, out)


def tap_slices(windows: Windows) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Yield, for each tap in order, the windows that have it and the elements it falls on."""
    per_dim = [
        [overlap(n, k * d - p, s, size) for k in range(taps)] for size, taps, s, p, d, n in zip(*windows, strict=True)
    ]
    for pairs in product(*per_dim):
        yield (..., *(pair[0] for pair in pairs)), (..., *(pair[1] for pair in pairs))


def lowest(dtype: np.dtype[Any]) -> Any:
    """Return the least value of ``dtype``; NotImplementedError unless it is floating or integer."""
    if dtype.kind == "f":
        return -np.inf
    if dtype.kind in "iu":
        return np.iinfo(dtype).min
    raise NotImplementedError(f"\"max_pool\" not implemented for '{dtype.name}'")


def max_pool_taps(x: Array, windows: Windows) -> tuple[Array, Array]:
    """Return the largest element of each window, and which tap of the window it is.

    The first of equals wins, and the last NaN before all: PyTorch's order.
    """
    lowest(x.dtype)
    lead = x.shape[: x.ndim - len(windows.size)]
    planes = x.reshape(-1, *windows.size)
    out = np.empty((len(planes), *windows.out), x.dtype)
    code = np.uint8 if prod(windows.kernel) <= 256 else np.int32
    taps = np.empty(out.shape, code)
    slices = list(tap_slices(windows))
    step = max(1, _BLOCK_BYTES // max(1, prod(windows.size) * x.itemsize))
    for start in range(0, len(planes), step):  # a block at a time stays in the cache
        block = slice(start, start + step)
        _window_max(planes[block], windows, out[block])
        _find_taps(planes[block], slices, out[block], taps[block])
    return out.reshape(*lead, *windows.out), taps.reshape(*lead, *windows.out)


def _window_max(x: Array, windows: Windows, out: Array) -> None:
    """Write the maximum of each window to ``out``, one dim after the other."""
    last = len(windows.size) - 1
    for dim, (size, kernel, stride, padding, dilation, count) in enumerate(zip(*windows, strict=True)):
        shape = (*x.shape[: dim + 1], count, *x.shape[dim + 2 :])
        best = out if dim == last else np.empty(shape, x.dtype)
        pairs = [overlap(count, k * dilation - padding, stride, size) for k in range(kernel)]
        every = (slice(None),) * (dim + 1)
        full = [pair for pair in pairs if pair[0] == slice(0, count)]
        if len(full) >= 2:
            np.maximum(x[(*every, full[0][1])], x[(*every, full[1][1])], out=best)
            pairs = [pair for pair in pairs if pair not in full[:2]]
        elif full:
            best[...] = x[(*every, full[0][1])]
        else:
            best.fill(lowest(x.dtype))
        for target, source in pairs:
            part = best[(*every, target)]
            np.maximum(part, x[(*every, source)], out=part)
        x = best


def _find_taps(x: Array, slices: list[tuple[Any, Any]], out: Array, taps: Array) -> None:
    """Write to ``taps`` the first tap of each window that equals its maximum ``out``."""
    taps.fill(0)
    numbers = range(len(slices) - 2, -1, -1)
    for number in numbers:  # from the last: one more than before, unless this one wins
        target, source = slices[number]
        np.add(taps, 1, out=taps)
        part = taps[target]
        np.multiply(part, x[source] != out[target], out=part)
    if out.dtype.kind == "f" and np.isnan(out).any():
        for number, (target, source) in enumerate(slices):
            np.copyto(taps[target], number, where=np.isnan(x[source]))


def tap_indices(taps: Array, windows: Windows) -> Array:
    """Return PyTorch's indices of ``taps``: int64, flat within the image."""
    dims = len(windows.size)
    index = np.zeros(windows.kernel, np.int64)
    start = np.zeros(windows.out, np.int64)
    jump = 1
    for dim in reversed(range(dims)):
        size, kernel, stride, padding, dilation, count = (field[dim] for field in windows)
        shape = (-1,) + (1,) * (dims - 1 - dim)
        index += (np.arange(kernel) * (dilation * jump)).reshape(shape)
        start += ((np.arange(count) * stride - padding) * jump).reshape(shape)
        jump *= size
    flat: Array = np.take(index, taps)
    return np.add(flat, start, out=flat)


def max_pool_forward(
    x: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> tuple[Array, Array]:
    """Return the largest element of each window and its int64 index, flat within the image.

    Pools the last ``len(kernel)`` dims. Raises RuntimeError, as PyTorch, for arguments out of
    range.
    """
    windows = pool_windows(x.shape, kernel, stride, padding, dilation, ceil_mode)
    out, taps = max_pool_taps(x, windows)
    return out, tap_indices(taps, windows)


def max_pool_scatter(g: Array, indices: Array, spatial_shape: Ints) -> Array:
    """Return zeros of ``spatial_shape`` with ``g`` added in at flat ``indices``, per channel.

    ``g`` and ``indices`` have as many spatial dims as ``spatial_shape``. Raises RuntimeError for
    an index outside the image.
    """
    lead = g.shape[: g.ndim - len(spatial_shape)]
    flat, size = _flat_indices(indices, lead, spatial_shape)
    x = np.zeros(prod(lead) * size, g.dtype)
    np.add.at(x, flat.ravel(), g.ravel())
    return x.reshape(*lead, *spatial_shape)


def max_pool_gather(x: Array, indices: Array, dims: int) -> Array:
    """Return the elements of each channel of ``x`` at flat ``indices``: shape of ``indices``.

    The last ``dims`` dims of both are spatial. The adjoint of ``max_pool_scatter``, and like it
    RuntimeError for an index outside the image.
    """
    lead = x.shape[: x.ndim - dims]
    flat, _ = _flat_indices(indices, lead, x.shape[x.ndim - dims :])
    return x.reshape(-1)[flat].reshape(indices.shape)


def _flat_indices(indices: Array, lead: Ints, spatial: Ints) -> tuple[Array, int]:
    """Return ``indices`` as indices of the whole flat array, and the size of an image."""
    size = prod(spatial)
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise RuntimeError(
            f"Found an invalid max index: {int(indices.min())} to {int(indices.max())}, "
            f"output volumes are of size {'x'.join(map(str, spatial))}"
        )
    rows = np.arange(prod(lead), dtype=np.int64)[:, None] * size
    return indices.reshape(prod(lead), prod(indices.shape[len(lead) :])) + rows, size


def max_pool_adjoint(g: Array, taps: Array, windows: Windows) -> Array:
    """Return zeros of the image's size with ``g`` added in where each window's tap ``taps`` lies.

    Elements are masked as bits, so that an infinite gradient leaves the losers at zero.
    """
    lead = g.shape[: g.ndim - len(windows.size)]
    grads, codes = g.reshape(-1, *windows.out), taps.reshape(-1, *windows.out)
    out = np.zeros((len(grads), *windows.size), g.dtype)
    masked, code = _bits(grads), _bits(out)
    apart = all(s > d * (k - 1) for k, s, d in zip(windows.kernel, windows.stride, windows.dilation, strict=True))
    step = max(1, _BLOCK_BYTES // max(1, prod(windows.size) * g.itemsize))
    for start in range(0, len(grads), step):
        block = slice(start, start + step)
        for number, (target, source) in enumerate(tap_slices(windows)):
            won = codes[block][target] == number
            part = masked[block][target]
            if apart:
                np.multiply(part, won, out=code[block][source])
            else:
                landing = out[block][source]
                np.add(landing, (part * won).view(g.dtype), out=landing)
    return out.reshape(*lead, *windows.size)


def max_pool_pick(x: Array, taps: Array, windows: Windows) -> Array:
    """Return the elements of ``x`` at each window's tap ``taps``: the adjoint of ``max_pool_adjoint``."""
    lead = x.shape[: x.ndim - len(windows.size)]
    planes, codes = x.reshape(-1, *windows.size), taps.reshape(-1, *windows.out)
    out = np.zeros(codes.shape, x.dtype)
    bits, picked = _bits(planes), _bits(out)
    for number, (target, source) in enumerate(tap_slices(windows)):
        part = picked[target]
        np.add(part, bits[source] * (codes[target] == number), out=part)
    return out.reshape(*lead, *windows.out)


def _bits(x: Array) -> Array:
    """Return the floats of ``x`` as the integers that their bits spell, on the same memory."""
    return x.view(f"i{x.itemsize}")


def max_unpool(x: Array, indices: Array, spatial_shape: Ints) -> Array:
    """Return zeros of ``spatial_shape`` with ``x`` at flat ``indices``, per channel; of several the last one stays.

    Raises RuntimeError for an index outside the image.
    """
    lead = x.shape[: x.ndim - len(spatial_shape)]
    flat, size = _flat_indices(indices, lead, spatial_shape)
    out = np.zeros(prod(lead) * size, x.dtype)
    out[flat.ravel()] = x.ravel()
    return out.reshape(*lead, *spatial_shape)
