"""The regularized incomplete gamma functions: P(a, x), the integral of ``t ** (a - 1) * exp(-t)`` to x, and Q = 1 - P.

A series below ``x = a``, a continued fraction above (NIST Digital Library of Mathematical Functions, 8.7.1 and 8.9.2);
where ``a`` is large and ``x`` near it Temme's expansion (there, 8.12), whose coefficients are worked out at first use.
In double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from typing import Any

import numpy as np

from ..dtypes import Array
from .erf import erfc
from .gamma import lgamma

_LARGE = 20.0
_TERMS, _ORDERS = 26, 11


def _log_excess(a: Array, x: Array) -> Array:
    """Return ``q - 1 - log(q)`` of ``q = x / a``, to its last digits near 1."""
    y = (x - a) / a
    t = y / (2 + y)
    square = t * t
    series = np.zeros_like(t)
    for k in range(12, 0, -1):
        series = (series + 2.0 / (2 * k + 1)) * square
    return np.where(np.abs(y) < 0.3, y * t - t * series, y - np.log(x / a))


def _stirling(a: Array) -> Any:
    """Return the logarithm of the gamma function of ``a`` of 10 or more over Stirling's formula for it."""
    square = 1 / (a * a)
    total = np.zeros_like(a)
    for c in (-3617 / 122400, 1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12):
        total = total * square + c
    return total / a


def _front(a: Array, x: Array) -> Any:
    """Return ``x ** a * exp(-x) / gamma(a + 1)``."""
    wide = np.maximum(a, 10.0)
    large: Array = np.exp(-wide * _log_excess(wide, x) - _stirling(wide)) / np.sqrt(2 * math.pi * wide)
    small = np.minimum(a, 10.0)
    return np.where(a >= 10, large, np.exp(small * np.log(x) - x - lgamma(small + 1)))


def _lower(a: Array, x: Array) -> Any:
    """Return P by its power series."""
    total = term = np.ones_like(a)
    n = a.copy()
    while term.size:
        n = n + 1
        term = term * (x / n)
        total = total + term
        if not (term > total * 1e-17).any():
            break
    return total * _front(a, x)


def _upper(a: Array, x: Array) -> Any:
    """Return Q by a continued fraction, summed from the front (Steed)."""
    b = x + 1 - a
    d = 1 / b
    change = total = d
    for k in range(1, 100_000):
        step = k * (a - k)
        b = b + 2
        d = 1 / (step * d + b)
        change = change * (b * d - 1)
        total = total + change
        if not (np.abs(change) > np.abs(total) * 1e-17).any():
            break
    return total * _front(a, x) * a


def _upper_small(a: Array, x: Array) -> Any:
    """Return Q of small numbers, where 1 - P would lose digits: the difference is taken in the series."""
    total, term = np.zeros_like(a), np.ones_like(a)
    for k in range(1, 30):
        term = term * (-x / k)
        total = total + term / (a + k)
    log_gamma = lgamma(a + 1)
    power = a * np.log(x)
    return -np.expm1(power - log_gamma) - np.exp(power - log_gamma) * a * total


@cache
def _temme() -> list[list[float]]:
    """Return the coefficients by powers of eta, for each power of 1 / a."""
    size = _TERMS + 2 * _ORDERS + 3
    # lambda - 1 is the sum of alpha[n] eta^n: eta^2 / 2 = lambda - 1 - log(lambda), so that
    # eta lambda = lambda' (lambda - 1)
    alpha = [Fraction(0), Fraction(1)]
    for n in range(2, size + 1):
        rest = sum((m * alpha[m] * alpha[n + 1 - m] for m in range(2, n)), Fraction(0))
        alpha.append((alpha[n - 1] - rest) / (n + 1))
    inverse = [Fraction(1)]  # of (lambda - 1) / eta
    for n in range(1, size):
        inverse.append(-sum((alpha[k + 1] * inverse[n - k] for k in range(1, n + 1)), Fraction(0)))
    pole_free = inverse[1:]  # 1 / (lambda - 1) - 1 / eta
    stirling = _gamma_star()
    rows = [pole_free]
    for k in range(1, _ORDERS):
        last, g = rows[-1], stirling[k] * (-1) ** k
        rows.append([(n + 2) * last[n + 2] + g * pole_free[n] for n in range(len(last) - 2)])
    return [[float(c) for c in row[:_TERMS]] for row in rows]


def _gamma_star() -> list[Fraction]:
    """Return the coefficients of gamma(a) over Stirling's formula by powers of 1 / a, the exponential of a series."""
    logs = [Fraction(0)] * (_ORDERS + 1)
    for k, (over, under) in enumerate(((1, 12), (-1, 360), (1, 1260), (-1, 1680), (1, 1188), (-691, 360360)), start=1):
        logs[2 * k - 1] = Fraction(over, under)
    found = [Fraction(1)]
    for n in range(1, _ORDERS + 1):
        found.append(sum((k * logs[k] * found[n - k] for k in range(1, n + 1)), Fraction(0)) / n)
    return found


def _uniform(a: Array, x: Array, upper: bool) -> Array:
    """Return Q, or P unless ``upper``, by Temme's expansion."""
    excess = _log_excess(a, x)
    eta = np.sqrt(2 * excess) * np.where(x < a, -1.0, 1.0)
    total = np.zeros_like(a)
    for row in reversed(_temme()):
        inner = np.zeros_like(a)
        for c in reversed(row):
            inner = inner * eta + c
        total = total / a + inner
    sign = 1.0 if upper else -1.0
    rest = np.exp(-a * excess) / np.sqrt(2 * math.pi * a) * total
    found: Array = 0.5 * erfc(sign * eta * np.sqrt(a / 2)) + sign * rest
    return found


def _way(a: Array, x: Array) -> Array:
    """Return which function computes each: 0 the series, 1 the fraction, 2 Temme's, 3 the small series of Q."""
    near = np.abs(x - a) < np.where(a > 200, np.maximum(4.5 / np.sqrt(a), 0.02), 0.3) * a
    series = np.where((x <= 1.1) & (a < 1) & (x > 0.3 * a), 3.0, np.where(x < np.maximum(a, 1.0), 0.0, 1.0))
    return np.where((a > _LARGE) & near, 2.0, series)


def _inside(a: Array, x: Array, upper: bool) -> Array:
    """Return Q, or P unless ``upper``, of positive numbers that are finite."""
    out, way = np.empty_like(a), _way(a, x)
    functions: tuple[Callable[..., Any], ...] = (_lower, _upper, partial(_uniform, upper=upper), _upper_small)
    for k, function in enumerate(functions):
        here = way == k
        if here.any():
            found = function(a[here], x[here])
            out[here] = found if k == 2 or (k == 0) != upper else 1 - found
    return out


def regularized(a: Any, x: Any, upper: bool) -> Array:
    """Return Q(a, x) if ``upper``, else P: NaN where one is negative or both are 0 or infinite."""
    kind = np.result_type(a, x)
    a, x = (np.array(t, np.float64) for t in np.broadcast_arrays(a, x))
    bad = np.isnan(a) | np.isnan(x) | (a < 0) | (x < 0) | ((a == 0) & (x == 0)) | (np.isinf(a) & np.isinf(x))
    none = ~bad & ((x == 0) | np.isinf(a))
    whole = ~bad & ~none & ((a == 0) | np.isinf(x))
    found = np.full(a.shape, np.nan)
    found[none], found[whole] = float(upper), float(not upper)
    rest = ~(bad | none | whole)
    found[rest] = _inside(a[rest], x[rest], upper)
    return found.astype(kind)
