"""Hurwitz's zeta function, the sum of ``(q + k) ** -s`` over k = 0, 1 and so on.

Terms are summed until ``q + k`` is large, and the rest is that of Euler and Maclaurin. In double precision.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ..dtypes import Array
from .pieces import piecewise

_BERNOULLI = (
    *(1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6),
    *(-3617 / 510, 43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730),
)
"""Bernoulli's numbers of even order, from the second."""

_FAR = 10.0
"""From here on the series is exact to double precision, for orders that are not large."""


def _whole_power(x: Array, n: int) -> Array:
    """Return ``x ** n`` by squaring, which is several times faster than a power of floats."""
    found: Array | None = None
    while n:
        if n % 2:
            found = x if found is None else found * x
        n //= 2
        x = x * x if n else x
    return np.ones_like(x) if found is None else found


@cache
def _rests(s: int) -> tuple[float, list[float]]:
    """Return where the terms of order ``s`` end, and the coefficients of the rest by powers of the inverse square."""
    far = max(_FAR, s + 5.0)
    found, rising = [], float(s)
    for k, b in enumerate(_BERNOULLI, start=1):
        if abs(rising / far ** (2 * k - 1)) < 1e-17 * math.factorial(2 * k) / abs(b):
            break
        found.append(b / math.factorial(2 * k) * rising)
        rising *= (s + 2 * k - 1) * (s + 2 * k)
    return far, found[::-1]


def _rest(s: int, x: Array) -> Array:
    """Return the sum of the terms from ``x`` on."""
    inverse = 1 / x
    square = inverse * inverse
    coefficients = _rests(s)[1]
    total = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        total = total * square + c
    return _whole_power(inverse, s) * (x / (s - 1) + 0.5 + total * inverse)


def _stepped(s: int, x: Array) -> Array:
    """Return the sum for ``x`` above 1: term by term, and the rest."""
    far = _rests(s)[0]
    total = np.zeros_like(x)
    for _ in range(max(0, math.ceil(far - float(x.min(initial=far))))):
        total += _whole_power(1 / x, s)
        x = x + 1
    return total + _rest(s, x)


def hurwitz(s: int, x: Array) -> Array:
    """Return the sum for a whole order ``s`` above 1; inf at 0, -1, -2 and so on."""
    x = np.asarray(x, np.float64)

    def below(t: Array) -> Array:
        poles = t == np.floor(t)
        t = np.where(poles, 0.5, t)
        total = np.zeros_like(t)
        while (low := t < 1).any():
            total += np.where(low, _whole_power(1 / t, s), 0.0)
            t = t + low
        return np.where(poles, np.inf, total + _stepped(s, t))

    def above(t: Array) -> Array:
        found: Array = _whole_power(1 / t, s) + _stepped(s, t + 1)
        return found

    found = piecewise(
        x, (5e-324, 1.0, 4.0, _rests(s)[0]), below, above, lambda t: _stepped(s, t), lambda t: _stepped(s, t),
        lambda t: np.where(np.isinf(t), 0.0, _rest(s, t)),
    )  # fmt: skip
    return np.asarray(found)


def zeta(s: Any, q: Any) -> Array:
    """Return the sum for real ``s``: inf at 1 and at whole ``q`` up to 0, NaN for smaller ``s`` and what is no number.

    Negative ``q`` need a whole ``s``.
    """
    kind = np.result_type(s, q)
    order, x = (t.astype(np.float64).copy() for t in np.broadcast_arrays(s, q))
    whole = x == np.floor(x)
    poles = (order == 1) | ((order > 1) & (x <= 0) & whole)
    bad = (order < 1) | np.isnan(order) | np.isnan(x) | ((x < 0) & ~whole & (order != np.floor(order)))
    idle = poles | bad | np.isposinf(order) | np.isinf(x)
    order, high = np.where(idle, 2.0, order), np.where(idle, 1.0, x)
    total = np.zeros_like(high)
    far = np.maximum(_FAR, np.minimum(order, 60.0) + 5)
    while (low := high < far).any():
        total += np.where(low, np.power(np.where(low, high, 1.0), -order), 0.0)
        high = high + low
    inverse = 1 / high
    rest, factor = 0.5 + high / (order - 1), order * inverse
    for k, b in enumerate(_BERNOULLI, start=1):
        rest = rest + b / math.factorial(2 * k) * factor
        factor = factor * ((order + 2 * k - 1) * inverse) * ((order + 2 * k) * inverse)
    found = total + np.power(high, -order) * rest
    return np.where(bad, np.nan, np.where(poles, np.inf, np.where(idle, _edge(s, q), found))).astype(kind)


def _edge(s: Any, q: Any) -> Array:
    """Return the sum where an argument is infinite: 0, or 1 for ``q`` of 1 and infinite for smaller ones."""
    s, q = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(q, np.float64))
    found: Array = np.where(np.isposinf(q), 0.0, np.where(q == 1, 1.0, np.where((q > 0) & (q < 1), np.inf, 0.0)))
    return np.where(np.isneginf(q), np.nan, found)
