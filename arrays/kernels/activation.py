"""Sigmoid and the activations that are ``x`` times a share of it: values and slopes, in blocks that stay in the cache.

All are ``x / (1 + exp(-v))`` for some odd v(x): v = x for silu, a cubic for the approximate GELU, and for the exact one
the logarithm of the odds of a normal distribution, ``log(P(x) / P(-x)) = 2 atanh(erf(x / sqrt(2)))``, of which
``erf.py`` has a rational fit in single precision. In a block the steps write over one another, so that an element costs
arithmetic, not memory. Beyond the range of exp the quotients become 0 or 1 by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..dtypes import Array
from . import erf as erfs

BLOCK_BYTES = 1 << 18
"""Bytes of a block: two or three of them fit the second cache, and a call of NumPy is a small part of its time."""

ROOT = math.sqrt(2 / math.pi)
CUBE = 0.044715 * ROOT
Step = Callable[..., None]

_SINGLE = np.dtype(np.float32)


def in_blocks(step: Step, x: Array, *others: Array, scratch: int = 0) -> Array:
    """Return a new array like ``x``, filled by ``step(out, *scratch, x, *others)`` on one block after the other.

    ``others`` have the shape and dtype of ``x``. Arrays that are not contiguous are done at once.
    """
    out = np.empty_like(x)
    size, block = x.size, BLOCK_BYTES // x.itemsize
    flat = out.flags.c_contiguous and x.flags.c_contiguous and all(one.flags.c_contiguous for one in others)
    if size <= block or not flat:
        step(out, *[np.empty_like(out) for _ in range(scratch)], x, *others)
        return out
    work = [np.empty(block, x.dtype) for _ in range(scratch)]
    arrays = [one.reshape(-1) for one in (x, *others)]
    result = out.reshape(-1)
    for low in range(0, size, block):
        high = min(low + block, size)
        step(result[low:high], *[w[: high - low] for w in work], *[one[low:high] for one in arrays])
    return out


_ONES = {kind: np.array(1, kind) for kind in (np.float16, np.float32, np.float64)}


def _constants(x: Array, *values: float) -> list[Array]:
    return [np.array(value, x.dtype) for value in values]


# ------------------------------------------------------------------ sigmoid


def sigmoid(out: Array, x: Array) -> None:
    """Write ``1 / (1 + exp(-x))`` to ``out``."""
    one = _ONES[x.dtype.type]
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, one, out)
    np.divide(one, out, out)


def silu(out: Array, x: Array) -> None:
    """Write ``x * sigmoid(x)`` to ``out``."""
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, _ONES[x.dtype.type], out)
    np.divide(x, out, out)


def silu_slope(out: Array, s: Array, x: Array, g: Array) -> None:
    """Write the slope of silu times ``g``: ``g s (1 + x (1 - s))`` where ``s = sigmoid(x)``."""
    one = _ONES[x.dtype.type]
    sigmoid(s, x)
    np.subtract(one, s, out)
    np.multiply(out, x, out)
    np.add(out, one, out)
    np.multiply(out, s, out)
    np.multiply(out, g, out)


# ------------------------------------------------------------------ GELU by tanh


def _cubic_odds(out: Array, x: Array) -> None:
    """Write ``exp(-v)`` for ``v = 2 (root x + cube x^3)``."""
    square, line = _constants(x, -2 * CUBE, -2 * ROOT)
    np.multiply(x, x, out)
    np.multiply(out, square, out)
    np.add(out, line, out)
    np.multiply(out, x, out)
    np.exp(out, out)


def gelu_tanh(out: Array, x: Array) -> None:
    """Write ``x / 2 * (1 + tanh(root x + cube x^3))``, which is ``x * sigmoid(v)``."""
    _cubic_odds(out, x)
    np.add(out, _ONES[x.dtype.type], out)
    np.divide(x, out, out)


def gelu_tanh_slope(out: Array, s: Array, rest: Array, x: Array, g: Array) -> None:
    """Write the slope of gelu_tanh times ``g``: ``g s (1 + x (1 - s) v')``."""
    one = _ONES[x.dtype.type]
    square, line, top, far = _constants(x, 6 * CUBE, 2 * ROOT, 1e37, 1e10)
    _cubic_odds(rest, x)
    np.add(rest, one, s)
    np.divide(one, s, s)
    rest.clip(None, top, rest)  # where s is 0, so that the product is not NaN
    np.multiply(rest, s, rest)  # 1 - s, to the last digit
    np.multiply(x, x, out)
    np.minimum(out, far, out=out)  # where 1 - s is 0, for the same reason
    np.multiply(out, square, out)
    np.add(out, line, out)
    np.multiply(out, rest, out)
    np.multiply(out, x, out)
    np.add(out, one, out)
    np.multiply(out, s, out)
    np.multiply(out, g, out)


# ------------------------------------------------------------------ GELU

_HALF_ROOT = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)


def _of_odds() -> tuple[list[Array], list[Array]]:
    """Return the fit of ``-log(P(x) / P(-x)) / x`` by ``x * x``, made from that of atanh(erf(x)) / x by ``x * x``."""
    top, bottom = ([c * 0.5**k for k, c in enumerate(part)] for part in erfs.SINGLE)
    top, lead = [-2 * _HALF_ROOT * c for c in top], bottom[-1]
    each = [[np.array(c / lead, _SINGLE) for c in reversed(part)] for part in (top, bottom)]
    return each[0], each[1][1:]  # the denominator begins with 1, which needs no product


_TOP, _BOTTOM = _of_odds()
_FAR = np.array(1e6, _SINGLE)  # the square of an x whose share is 0 or 1, where the fit does not overflow


def _normal_odds(out: Array, square: Array, work: Array, x: Array) -> None:
    """Write ``1 + P(-x) / P(x)`` to ``out`` and ``x * x`` to ``square``; single precision only."""
    np.multiply(x, x, square)
    t = square
    if x.size and not np.maximum.reduce(square, None) <= _FAR:
        t = np.minimum(square, _FAR)  # NaN stays
    np.multiply(t, _TOP[0], out)
    for c in _TOP[1:-1]:
        np.add(out, c, out)
        np.multiply(out, t, out)
    np.add(out, _TOP[-1], out)
    np.add(t, _BOTTOM[0], work)
    for c in _BOTTOM[1:]:
        np.multiply(work, t, work)
        np.add(work, c, work)
    np.divide(out, work, out)
    np.multiply(out, x, out)
    np.exp(out, out)
    np.add(out, _ONES[np.float32], out)


def gelu(out: Array, square: Array, work: Array, x: Array) -> None:
    """Write ``x`` times the share of a normal distribution below it."""
    if x.dtype == _SINGLE:
        _normal_odds(out, square, work, x)
        np.divide(x, out, out)
    else:
        np.multiply(normal_share(x), x, out)


def gelu_slope(out: Array, square: Array, work: Array, x: Array, g: Array) -> None:
    """Write the slope of gelu times ``g``: ``g (P(x) + x p(x))``."""
    if x.dtype == _SINGLE:
        _normal_odds(out, square, work, x)
        np.divide(_ONES[np.float32], out, out)
    else:
        out[...] = normal_share(x)
        np.multiply(x, x, square)
    half, density = _constants(x, -0.5, _DENSITY)
    np.multiply(square, half, square)
    np.exp(square, square)
    np.multiply(square, density, square)
    np.multiply(square, x, square)
    np.add(out, square, out)
    np.multiply(out, g, out)


def normal_share(x: Array) -> Array:
    """Return the share of a standard normal distribution below ``x``."""
    root, half = _constants(x, _HALF_ROOT, 0.5)
    share = erfs.erf(x * root)
    share += _ONES[x.dtype.type]
    share *= half
    return share
