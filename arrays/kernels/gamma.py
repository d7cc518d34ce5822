"""The logarithm of the gamma function and its derivatives, which NumPy lacks.

Arguments are moved up to where Stirling's series converges, and those below zero reflected first (Abramowitz and
Stegun, Handbook of Mathematical Functions, 1964, chapter 6). Computed in double precision.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ..dtypes import Array
from .zeta import hurwitz

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
"""The Bernoulli numbers of even order, from the second."""

_FAR = 10.0
"""From here on the series are exact to double precision."""


def _rising(x: Array, term: Any) -> tuple[Array, Array]:
    """Return ``x`` raised by whole steps to at least ``_FAR``, and the sum of ``term`` over the steps."""
    total, x = np.zeros_like(x), x.copy()
    for _ in range(int(_FAR) + 1):
        low = x < _FAR
        if not low.any():
            break
        total += np.where(low, term(np.where(low, x, 1.0)), 0.0)
        x += low
    return x, total


def _above(x: Array) -> Array:
    """Return lgamma of positive ``x``."""
    high, passed = x.copy(), np.ones_like(x)
    while (low := high < _FAR).any():
        passed *= np.where(low, high, 1.0)
        high += low
    series = sum(b / (2 * k * (2 * k - 1)) * high ** (1.0 - 2 * k) for k, b in enumerate(_BERNOULLI, start=1))
    found = np.asarray((high - 0.5) * np.log(high) - high + 0.5 * math.log(2 * math.pi) + series - np.log(passed))
    zeros = (x > 0.5) & (x < 2.5)
    if zeros.any():  # there the sum above is a difference of numbers near each other
        found[zeros] = _beside_zeros(x[zeros])
    return np.where(np.isinf(x), np.inf, found)


@cache
def _zeta_less_one() -> list[float]:
    """Return the values of Riemann's zeta function less 1, for 2, 3 and so on up to 29."""
    return [float(hurwitz(k, np.array(2.0))) for k in range(2, 30)]


def _beside_zeros(x: Array) -> Array:
    """Return lgamma of ``x`` between 0.5 and 2.5, to its last digits at 1 and 2: Abramowitz and Stegun 6.1.33."""
    first = x < 1.5
    z = x - np.where(first, 1.0, 2.0)
    total = np.zeros_like(z)
    for k, zeta in zip(range(29, 1, -1), reversed(_zeta_less_one()), strict=True):
        total = (total + (-1.0) ** k * zeta / k) * z
    found: Array = z * ((1 - np.euler_gamma) + total)
    return np.where(first, found - np.log1p(np.where(first, z, 0.0)), found)


def lgamma(x: Array) -> Array:
    """Return the logarithm of the size of the gamma function: inf at 0, -1, -2, … and at the infinities."""
    wide = x.astype(np.float64)
    below = wide <= 0
    found = _above(np.where(below, 1 - np.where(below, wide, 0), wide))
    if below.any():
        turned = math.log(math.pi) - np.log(np.abs(np.sin(math.pi * (wide - np.rint(wide))))) - found
        whole = (wide == np.floor(wide)) | np.isinf(wide)
        found = np.where(below, np.where(whole, np.inf, turned), found)
    return found.astype(x.dtype)


def digamma(x: Array) -> Array:
    """Return the derivative of :func:`lgamma`: NaN at -1, -2, …, and -inf at 0 (inf at -0)."""
    wide = x.astype(np.float64)
    below = wide < 0
    high, total = _rising(np.where(below, 1 - wide, np.where(wide == 0, 1.0, wide)), lambda t: 1 / t)
    series = sum(b / (2 * k) * high ** (-2.0 * k) for k, b in enumerate(_BERNOULLI, start=1))
    found = np.log(high) - 0.5 / high - series - total
    if below.any():
        part = wide - np.rint(wide)
        turned = found - math.pi / np.tan(math.pi * part)
        found = np.where(below, np.where((part == 0) | np.isinf(wide), np.nan, turned), found)
    found = np.where(wide == 0, np.copysign(np.inf, -wide), found)
    return np.where(np.isposinf(wide), np.inf, found).astype(x.dtype)


def polygamma(n: int, x: Array) -> Array:
    """Return the derivative of order ``n`` of :func:`digamma`."""
    if n == 0:
        return digamma(x)
    wide = x.astype(np.float64)
    sign = 1.0 if n % 2 else -1.0
    if n == 1:  # below zero reflected, which is fast for any size
        below = wide < 0.5
        part = np.sin(math.pi * (wide - np.rint(np.where(below, wide, 0))))
        found = hurwitz(2, np.where(below, 1 - wide, wide))
        found = np.where(below, -found + (math.pi / part) ** 2, found)
    else:
        found = sign * math.factorial(n) * hurwitz(n + 1, wide)
    return np.where(np.isnan(wide), np.nan, found).astype(x.dtype)
