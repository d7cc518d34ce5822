"""Sums of powers that neither overflow nor vanish: seen afterwards, and then computed of scaled numbers.

The square of 1e-25 or of 1e20 is no number in single precision, though the root of a sum of such squares is one.
Numbers of ordinary size are squared as they are, at the cost of a look at the sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array

_LEAST: dict[np.dtype[Any], float] = {np.dtype(np.float32): 1e-30, np.dtype(np.float64): 1e-290}
"""Below this the terms of a sum may have lost digits."""

_MOST: dict[np.dtype[Any], float] = {each: float(np.finfo(each).max) for each in _LEAST}


def in_range(sums: Any) -> bool:
    """Return whether all ``sums`` of powers are so large that nothing was lost, and none is infinite or NaN."""
    kind = sums.dtype
    if not sums.ndim:
        return bool(_LEAST[kind] < sums <= _MOST[kind])
    flat = sums.ravel()
    with_small = np.divide(_MOST[kind] * _LEAST[kind], flat)  # infinite where a sum is too small, and 0 where infinite
    return bool(with_small.dot(flat) < np.inf)


def powers_fit(x: Array, power: float) -> bool:
    """Return whether the powers of all numbers but 0 are far from overflow and underflow in single precision."""
    size = np.abs(x)
    most, least = float(size.max(initial=0)), float(size.min(where=size > 0, initial=np.inf))
    return bool(most**power < 1e30) and bool(least**power > 1e-30)


def scale(x: Array, axes: Any) -> Array:
    """Return a power of two of the size of the largest element along ``axes``, which stay as dims of size 1.

    1 where that is infinite or NaN. To divide by it costs no digits.
    """
    top = np.max(np.abs(x), axes, keepdims=True, initial=0)
    exponents = np.where(np.isfinite(top), np.frexp(top)[1] - 1, 0)
    return np.ldexp(np.ones((), x.dtype), exponents)
