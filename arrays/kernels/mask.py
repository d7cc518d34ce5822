"""Choosing by a mask: NaN and infinity that are not chosen leave no trace, unlike in ``x * mask``.

``np.where`` stalls on a mask without a pattern, so large arrays are chosen bit by bit (``benchmarks/claims.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import DTYPES, Array

ZERO = {each.numpy: np.zeros((), each.numpy) for each in DTYPES}
ONE = {each.numpy: np.ones((), each.numpy) for each in DTYPES}
"""Constants as 0-d arrays: beside an array they are cheaper than Python numbers (``benchmarks/claims.py``)."""


def one(x: Any) -> Any:
    """Return 1 in the form that is cheapest beside ``x``, an array or a NumPy scalar."""
    return ONE[x.dtype] if type(x) is np.ndarray else 1


_BYTE = np.dtype(np.int8)
_WORDS = {size: np.dtype(f"i{size}") for size in (1, 2, 4, 8)}
_LARGE = 1024


def keep(x: Any, mask: Any) -> Array:
    """Return ``x`` where ``mask`` holds, else 0."""
    if type(x) is not np.ndarray or type(mask) is not np.ndarray or x.size < _LARGE:
        return np.where(mask, x, ZERO[x.dtype])
    bits = np.negative(mask.view(_BYTE), dtype=_WORDS[x.itemsize])
    return _blank(bits, x)


def drop(x: Any, mask: Any) -> Array:
    """Return 0 where ``mask`` holds, else ``x``."""
    if type(x) is not np.ndarray or type(mask) is not np.ndarray or x.size < _LARGE:
        return np.where(mask, ZERO[x.dtype], x)
    bits = np.subtract(mask.view(_BYTE), ONE[_BYTE], dtype=_WORDS[x.itemsize])
    return _blank(bits, x)


def _blank(bits: Array, x: Array) -> Array:
    """Return the bitwise and of ``x`` and ``bits``; the memory of ``bits`` is reused for the result."""
    out = bits if bits.shape == x.shape else None
    return np.bitwise_and(bits, x.view(bits.dtype), out=out).view(x.dtype)


def choose(mask: Any, x: Any, y: Any) -> Any:
    """Return ``x`` where ``mask`` holds, else ``y``; both of one dtype."""
    if type(mask) is not np.ndarray or mask.size < _LARGE:
        return np.where(mask, x, y)
    word = _WORDS[x.dtype.itemsize]
    bits = np.negative(mask.view(_BYTE), dtype=word)
    low, high = np.asarray(y).view(word), np.asarray(x).view(word)
    differ = np.bitwise_xor(low, high)
    if bits.shape != np.broadcast_shapes(bits.shape, differ.shape):
        return np.where(mask, x, y)
    bits &= differ
    bits ^= low
    return bits.view(x.dtype)
