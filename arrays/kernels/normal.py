"""The normal distribution, and the scaled complementary error function it is computed from.

Computed in double precision. ``exp(-x * x)`` is taken in two factors, one of a square without rounding: else its error
would grow like ``x * x``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array
from .erf import erf, erfc, erfinv, scaled_tail
from .pieces import piecewise

_ROOT_HALF = math.sqrt(0.5)
_FAR = 10.0
"""From here on the asymptotic series of erfcx is exact to double precision."""


def gauss(x: Array, factor: float) -> Array:
    """Return ``exp(factor * x * x)`` to the last digits, for a ``factor`` of -1, 1, -1/2 or 1/2."""
    near = x.astype(np.float32).astype(np.float64)  # its square is exact
    rest = np.where(np.isfinite(near), (x - near) * (x + near), 0.0)
    return np.exp(factor * near * near) * np.exp(factor * rest)


def _erfcx_far(order: int, x: Array) -> Array:
    """Return the derivative of erfcx of an order, for large ``x``: Abramowitz and Stegun 7.1.23, term by term."""
    total = np.zeros_like(x)
    for k in range(16, -1, -1):
        ratio = -(2 * k + 1) / 2.0 * (2 * k + 1 + order) * (2 * k + 2 + order) / ((2 * k + 1) * (2 * k + 2))
        total = 1 + (total / x) / x * ratio if k < 16 else np.ones_like(x)
    sign = -1.0 if order % 2 else 1.0
    return sign * math.factorial(order) / math.sqrt(math.pi) * total * (1 / x) ** (order + 1)


def _erfcx_near(order: int, x: Array) -> Array:
    """Return the derivative of erfcx of an order, by its differential equation."""
    low = np.minimum(x, 1.0)
    value = np.where(x >= 1, scaled_tail(np.maximum(x, 1.0)), gauss(low, 1.0) * erfc(low))
    if not order:
        return value
    late, early = 2 * x * value - 2 / math.sqrt(math.pi), value
    for n in range(1, order):
        late, early = 2 * x * late + 2 * n * early, late
    return late


def erfcx(x: Any, order: int = 0) -> Array:
    """Return ``exp(x * x) * erfc(x)`` in the dtype of ``x``, or its derivative of an ``order``."""
    found = piecewise(x, (_FAR,), lambda t: _erfcx_near(order, t), lambda t: _erfcx_far(order, t))
    return found.astype(x.dtype)


def _low(x: Array) -> Array:
    """Return :func:`ndtr` of negative ``x``."""
    return 0.5 * gauss(x, -0.5) * erfcx(np.maximum(x, -1e150) * -_ROOT_HALF)


def ndtr(x: Any) -> Array:
    """Return the probability that a normal number is at most ``x``, in the dtype of ``x``."""
    found = piecewise(x, (-1.0, 1.0), _low, lambda t: 0.5 + 0.5 * erf(t * _ROOT_HALF), lambda t: 1 - _low(-t))
    return found.astype(x.dtype)


def _log_low(x: Array) -> Array:
    return np.log(0.5 * erfcx(x * -_ROOT_HALF)) - 0.5 * x * x


def log_ndtr(x: Any) -> Array:
    """Return the logarithm of :func:`ndtr`, in the dtype of ``x``."""
    found = piecewise(
        x,
        (-1e150, -1.0, 1.0),
        lambda t: np.full_like(t, -np.inf),
        _log_low,
        lambda t: np.log1p(-0.5 * erfc(t * _ROOT_HALF)),
        lambda t: np.log1p(-_low(-t)),
    )
    return found.astype(x.dtype)


def _ndtri_low(p: Array) -> Array:
    """Return :func:`ndtri` of ``p`` in 0 … 0.3: an estimate (Abramowitz and Stegun 26.2.23), made exact by Halley."""
    logarithm = np.log(np.maximum(p, 5e-324))
    t = np.sqrt(-2 * logarithm)
    y = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
    for _ in range(3):
        mills = math.sqrt(math.pi / 2) * erfcx(y * -_ROOT_HALF)
        step = -mills * np.expm1(logarithm - _log_low(y))
        y = y - step / (1 + y * step / 2)
    return np.where(p == 0, -np.inf, y)


def ndtri(p: Any) -> Array:
    """Return the number whose :func:`ndtr` is ``p``, NaN outside 0 … 1; in the dtype of ``p``."""
    found = piecewise(
        p,
        (0.0, 0.3, math.nextafter(0.7, 1), math.nextafter(1, 2)),
        lambda t: np.full_like(t, np.nan),
        _ndtri_low,
        lambda t: erfinv(2 * t - 1) / _ROOT_HALF,
        lambda t: -_ndtri_low(1 - t),
        lambda t: np.full_like(t, np.nan),
    )
    return found.astype(p.dtype)


def entr(x: Any) -> Array:
    """Return ``-x * log(x)`` in the dtype of ``x``: 0 at 0, -inf below."""
    inside = np.where(x > 0, x, x.dtype.type(1))
    found: Array = np.where(x > 0, -x * np.log(inside), np.where(x == 0, x.dtype.type(0), np.where(x < 0, -np.inf, x)))
    return found.astype(x.dtype)
