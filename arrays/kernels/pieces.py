"""Functions that are computed in one way here and in another there, and sums of Chebyshev polynomials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array

_BLOCK = 8192  # elements that stay in the cache while a series is summed


def piecewise(x: Any, bounds: Sequence[float], *functions: Callable[[Array], Any]) -> Array:
    """Return float64 ``functions[k]`` of the elements from ``bounds[k - 1]`` up to below ``bounds[k]``; NaN of NaN."""
    x = np.asarray(x, np.float64)
    flat = np.ascontiguousarray(x).reshape(-1)
    out = np.empty_like(flat)
    edges = [-np.inf, *bounds, np.inf]
    for start in range(0, flat.size, _BLOCK):
        here, there = flat[start : start + _BLOCK], out[start : start + _BLOCK]
        there[...] = np.nan
        for low, high, function in zip(edges, edges[1:], functions, strict=False):
            mask = (here >= low) & ((here < high) | (high == np.inf))
            if mask.all():
                there[...] = function(here)
            elif mask.any():
                there[mask] = function(here[mask])
    return out.reshape(x.shape)


def chebyshev(coefficients: Sequence[float], t: Array) -> Array:
    """Return the sum of Chebyshev polynomials of ``t`` in -1 … 1 with these coefficients, by Clenshaw's recurrence."""
    twice = t + t
    late, later = np.full_like(t, coefficients[-1]), np.zeros_like(t)
    for c in coefficients[-2:0:-1]:
        late, later = twice * late - later + c, late
    return t * late - later + coefficients[0]
