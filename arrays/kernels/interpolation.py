"""Interpolation of images: along each dim, every new element is a weighted sum of a few old ones; and its adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..dtypes import Array
from .gather import add_along, take_along
from .windows import Ints

Taps = tuple[tuple[Array, Array | None], ...]
"""For each tap, which old element each new one takes, and its weight (None: all of it)."""


def resample(x: Array, output_size: Ints, mode: str, align_corners: bool, scales: Sequence[float] | None) -> Array:
    """Return (N, C, ...) ``x`` with its spatial dims resized to ``output_size``.

    ``mode`` is nearest, nearest-exact, linear, cubic, or one of ``_FILTERS``. ``scales`` are the factors that the sizes
    came from, if they are to be used as given. Half precision is summed in single.
    """
    kind = x.dtype
    sides = _taps_of(_reading_taps, x.shape[2:], output_size, mode, align_corners, scales, kind)
    for axis, taps in enumerate(sides, start=2):
        if len(taps) > 1 and x.dtype == np.float16:
            x = x.astype(np.float32)
        parts = [_weighted(take_along(x, index, axis), weight, axis) for index, weight in taps]
        x = parts[0]
        for part in parts[1:]:
            x += part
    return x.astype(kind, copy=False)


def resample_adjoint(g: Array, x_shape: Ints, mode: str, align_corners: bool, scales: Sequence[float] | None) -> Array:
    """Return the adjoint of ``resample``: ``g`` added up where its elements were taken from."""
    kind = g.dtype
    sides = _taps_of(_taps, x_shape[2:], g.shape[2:], mode, align_corners, scales, kind)
    for axis, taps in enumerate(sides, start=2):
        if len(taps) > 1 and g.dtype == np.float16:
            g = g.astype(np.float32)
        parts = [add_along(_weighted(g, weight, axis), index, x_shape[axis], axis) for index, weight in taps]
        g = parts[0]
        for part in parts[1:]:
            g += part
    return g.astype(kind, copy=False)


def _weighted(x: Array, weight: Array | None, axis: int) -> Array:
    if weight is None:
        return x
    product: Array = x * weight.reshape(-1, *(1,) * (x.ndim - 1 - axis))
    return product


def _taps_of(
    each: Any, size: Ints, out: Ints, mode: str, align: bool, scales: Sequence[float] | None, kind: np.dtype[Any]
) -> list[Taps]:
    """Return the taps of each spatial dim, as ``each`` makes them."""
    given = [0.0] * len(size) if scales is None else [float(s) for s in scales]
    if mode == "nearest" and len(size) == 2:  # PyTorch ignores the scale where the size stays or doubles
        given = [0.0 if m in (n, 2 * n) else s for n, m, s in zip(size, out, given, strict=True)]
    wide = np.float64 if kind == np.float64 else np.float32
    return [each(n, m, mode, align, s, wide) for n, m, s in zip(size, out, given, strict=True)]


@lru_cache(256)
def _taps(size: int, out: int, mode: str, align: bool, scale: float, kind: Any) -> Taps:
    if mode == "nearest":
        return ((_nearest(size, out, scale), None),)
    if mode == "nearest-exact":
        step = np.float32(1.0 / scale) if scale > 0 else np.float32(size) / np.float32(out)
        index = np.floor((np.arange(out).astype(np.float32) + np.float32(0.5)) * step).astype(np.int64)
        return ((np.clip(index, 0, size - 1), None),)
    if mode in _FILTERS:
        return _filtered(size, out, mode, align, scale, kind)
    source = _places(size, out, align, scale, kind)
    if mode == "linear":
        source = np.arange(out, dtype=kind) if size == out else np.maximum(source, 0)
        first = np.clip(np.floor(source).astype(np.int64), 0, size - 1)
        part = np.clip(source - first, 0, 1).astype(kind)
        return (first, 1 - part), (np.minimum(first + 1, size - 1), part)
    first = np.floor(source).astype(np.int64)
    weights = _cubic((source - first).astype(kind))
    return tuple((np.clip(first + shift, 0, size - 1), w) for shift, w in zip((-1, 0, 1, 2), weights, strict=True))


@lru_cache(256)
def _reading_taps(size: int, out: int, mode: str, align: bool, scale: float, kind: Any) -> Taps:
    """Return taps that read nothing with a weight of zero, where NaN would leave a trace: the main element instead."""
    taps = _taps(size, out, mode, align, scale, kind)
    if len(taps) == 1:
        return taps
    main, most = taps[0]
    for index, weight in taps[1:]:
        main, most = np.where(np.abs(weight) > np.abs(most), (index, weight), (main, most))  # type: ignore[arg-type]
    return tuple((np.where(weight == 0, main.astype(index.dtype), index), weight) for index, weight in taps)


def _nearest(size: int, out: int, scale: float) -> Array:
    """Return which of ``size`` elements each of ``out`` is a copy of.

    PyTorch multiplies by the inverse scale in single precision, and its rounding decides ties:
    ``1 / scale`` if the scale is given, else ``size / out``.
    """
    step = np.float32(1.0 / scale) if scale > 0 else np.float32(size) / np.float32(out)
    index = np.floor(np.arange(out).astype(np.float32) * step).astype(np.int64)
    clipped: Array = np.clip(index, 0, size - 1)
    return clipped


def _triangle(d: Any) -> Any:
    return np.maximum(1 - np.abs(d), 0)


def _smooth_cubic(d: Any) -> Any:
    """Return cubic convolution with a = -0.5."""
    d, a = np.abs(d), -0.5
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = (((d - 5) * d + 8) * d - 4) * a
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def _lanczos(d: Any) -> Any:
    return np.where(np.abs(d) < 3, np.sinc(d) * np.sinc(d / 3), 0)


_FILTERS: dict[str, Any] = {
    "linear-smooth": (_triangle, 1),
    "cubic-smooth": (_smooth_cubic, 2),
    "lanczos-smooth": (_lanczos, 3),
}
"""Filters with half their widths: shrinking, they are stretched over all elements that become one."""


def _filtered(size: int, out: int, mode: str, align: bool, scale: float, kind: Any) -> Taps:
    """Return the taps of a filter as wide as the elements it makes, its weights scaled to add up to 1."""
    shape, half = _FILTERS[mode]
    step = 1.0 / scale if scale > 0 else size / out
    if align:
        step = (size - 1) / (out - 1) if out > 1 else 0.0
    stretch = max(step, 1.0)
    middle = step * (np.arange(out) + 0.5)
    first = np.maximum(np.trunc(middle - half * stretch + 0.5), 0).astype(np.int64)
    last = np.minimum(np.trunc(middle + half * stretch + 0.5), size).astype(np.int64)
    index = first[:, None] + np.arange(max(int((last - first).max()), 1))
    weight = np.where(index < last[:, None], shape((index - middle[:, None] + 0.5) / stretch), 0.0)
    total = weight.sum(1, keepdims=True)
    weight = np.divide(weight, total, out=weight, where=total != 0).astype(kind)
    index = np.minimum(index, size - 1)
    return tuple((index[:, tap].copy(), weight[:, tap].copy()) for tap in range(index.shape[1]))


def _places(size: int, out: int, align: bool, scale: float, kind: Any) -> Any:
    """Return where among ``size`` elements each of ``out`` lies: first and last on first and last if ``align``."""
    where: Any = np.arange(out, dtype=kind)
    if align:
        return where * (kind(size - 1) / kind(out - 1) if out > 1 else kind(0))
    step = kind(1.0 / scale) if scale > 0 else kind(size) / kind(out)
    return step * (where + kind(0.5)) - kind(0.5)


def _cubic(t: Array) -> tuple[Array, ...]:
    """Return the weights of the four neighbours for fractions ``t``: cubic convolution with a = -0.75.

    Keys, Cubic convolution interpolation for digital image processing, 1981.
    """
    a = -0.75

    def near(d: Array) -> Array:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Array) -> Array:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)
