"""Orthogonal polynomials of a degree that may differ from element to element, by their recurrences of three terms.

Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, table 22.7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array

Step = Callable[[Array, int, Array, Array], Any]
"""From x, k and the polynomials of the degrees k and k - 1 to that of degree k + 1."""


def _chebyshev(x: Array, k: int, late: Array, early: Array) -> Any:
    return 2 * x * late - early


def _hermite_h(x: Array, k: int, late: Array, early: Array) -> Any:
    return 2 * (x * late - k * early)


def _hermite_he(x: Array, k: int, late: Array, early: Array) -> Any:
    return x * late - k * early


def _laguerre(x: Array, k: int, late: Array, early: Array) -> Any:
    return ((2 * k + 1 - x) * late - k * early) / (k + 1)


def _legendre(x: Array, k: int, late: Array, early: Array) -> Any:
    return ((2 * k + 1) * x * late - k * early) / (k + 1)


FAMILIES: dict[str, tuple[Callable[[Array], Any], Step]] = {
    "chebyshev_t": (lambda x: x, _chebyshev),
    "chebyshev_u": (lambda x: 2 * x, _chebyshev),
    "chebyshev_v": (lambda x: 2 * x - 1, _chebyshev),
    "chebyshev_w": (lambda x: 2 * x + 1, _chebyshev),
    "hermite_h": (lambda x: 2 * x, _hermite_h),
    "hermite_he": (lambda x: x, _hermite_he),
    "laguerre_l": (lambda x: 1 - x, _laguerre),
    "legendre_p": (lambda x: x, _legendre),
}
"""For each family the polynomial of degree 1, and the step to the next."""


def polynomial(family: str, x: Any, n: Any, shifted: bool = False) -> Array:
    """Return the polynomials of ``family`` and degree ``n``, whose fraction is cut off, at ``x``; 0 of a negative one.

    ``shifted`` ones are those at ``2 x - 1``. Computed in double precision.
    """
    kind = np.result_type(x, n)
    first, step = FAMILIES[family]
    place, degree = np.broadcast_arrays(np.asarray(x, np.float64), np.trunc(np.asarray(n, np.float64)))
    place = 2 * place - 1 if shifted else place
    early, late = np.ones_like(place), first(place)
    found = np.where(degree == 0, early, np.where(degree == 1, late, 0.0))
    for k in range(1, int(degree.max(initial=0, where=np.isfinite(degree)))):
        early, late = late, step(place, k, late, early)
        found = np.where(degree == k + 1, late, found)
    return np.where(np.isnan(degree), np.nan, found).astype(kind)
