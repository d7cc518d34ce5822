"""Statistics of the numbers in a tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .model import Stats

BINS = 24
FEW = 8
"""Tensors of at most so many elements are shown as they are."""


def stats(array: Any) -> Stats:
    """Return the statistics of ``array``, worked out in float64; bools count as 0 and 1.

    >>> import numpy as np
    >>> from rushlight.viz.values import stats
    >>> stats(np.array([0.0, 3.0, 4.0])).norm
    5.0
    """
    array = np.asarray(array)
    numbers = array.astype(np.float64).ravel()
    finite = np.isfinite(numbers)
    all_finite = bool(finite.all())
    nans = 0 if all_finite else int(np.isnan(numbers).sum())
    infs = 0 if all_finite else int(numbers.size - finite.sum()) - nans
    values = tuple(numbers.tolist()) if numbers.size <= FEW else ()
    good = numbers if all_finite else numbers[finite]
    if not good.size:
        return Stats(int(numbers.size), nans, infs, values=values)
    low, high = float(good.min()), float(good.max())
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std, norm = float(good.mean()), float(good.std()), root_of_squares(good)
        bins = histogram(good, low, high) if numbers.size > FEW and np.isfinite(high - low) else ()
    zeros = float(good.size - np.count_nonzero(good)) / numbers.size
    return Stats(int(numbers.size), nans, infs, low, high, mean, std, norm, zeros, _dead(array), bins, values)


def _dead(array: Any) -> float:
    """Return the share of places along dim 1 that are zero for the whole batch, which dim 0 is."""
    if array.ndim < 2 or array.shape[0] < 2:
        return 0.0
    alive = np.any(array, axis=(0, *range(2, array.ndim)))
    units = int(alive.size)
    return 1.0 - int(np.count_nonzero(alive)) / units if units else 0.0


def root_of_squares(numbers: Any) -> float:
    """Return the Euclidean norm of finite numbers, without overflow."""
    scale = float(np.abs(numbers).max(initial=0.0))
    if not 1e-150 < scale < 1e150:
        total: float = np.square(numbers / scale).sum() if scale else 0.0
        return math.sqrt(total) * scale
    return float(np.sqrt(np.dot(numbers, numbers)))


def histogram(numbers: Any, low: float, high: float) -> tuple[int, ...]:
    """Return how many ``numbers`` lie in each of ``BINS`` equal steps; all in the first if they are equal."""
    if low == high:
        return (int(numbers.size),) + (0,) * (BINS - 1)
    places = ((numbers - low) * (BINS / (high - low))).astype(np.int64)
    return tuple(np.bincount(np.minimum(places, BINS - 1), minlength=BINS).tolist())


def norm_of(array: Any) -> tuple[float, bool]:
    """Return the Euclidean norm of ``array``, NaN or inf where it holds one, and whether all is finite."""
    numbers = np.asarray(array).astype(np.float64).ravel()
    total = float(np.dot(numbers, numbers))
    if np.isfinite(total) and total > 1e-290:
        return float(np.sqrt(total)), True
    if np.isnan(numbers).any():
        return float("nan"), False
    if np.isinf(numbers).any():
        return float("inf"), False
    return root_of_squares(numbers), True
