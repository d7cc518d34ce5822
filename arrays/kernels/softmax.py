"""Softmax and its logarithm on arrays, and their gradients: a block of rows goes through all steps while in the cache.

The sum of a row is a product with ones, which BLAS does at several times the speed of a reduction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import Array

_BLOCK_BYTES = 1 << 20
_BLAS = ("f", "d")


def _blocks(x: Array, dim: int) -> tuple[bool, Iterator[slice]]:
    """Return whether ``x``, contiguous, can be cut along its first dim into blocks, and the slices of these."""
    if dim == 0 or x.nbytes <= 2 * _BLOCK_BYTES:
        return False, iter(())
    step = max(1, _BLOCK_BYTES * len(x) // x.nbytes)
    return True, (slice(low, low + step) for low in range(0, len(x), step))


def _same_layout(*arrays: Array) -> bool:
    return all(one.flags.c_contiguous for one in arrays)


def sums(x: Array, dim: int) -> Array:
    """Return the sums over ``dim``, which stays with one element."""
    if dim == x.ndim - 1 and x.dtype.char in _BLAS and x.flags.c_contiguous and x.size and x.shape[-1] <= 1024:
        ones = np.ones(x.shape[-1], x.dtype)
        found: Array = x.reshape(-1, x.shape[-1]).dot(ones).reshape(*x.shape[:-1], 1)
        return found
    return np.asarray(np.add.reduce(x, dim, keepdims=True))


def _softmax(x: Array, out: Array, work: Array, dim: int) -> None:
    np.subtract(x, np.maximum.reduce(x, dim, keepdims=True), out)
    np.exp(out, out)
    out /= sums(out, dim)


def _log_softmax(x: Array, out: Array, work: Array, dim: int) -> None:
    np.subtract(x, np.maximum.reduce(x, dim, keepdims=True), out)
    np.exp(out, work)
    out -= np.log(sums(work, dim))


def _forward(step: Any, x: Array, dim: int) -> Array:
    out = np.empty(x.shape, x.dtype)  # contiguous, as in PyTorch, whatever the input
    if not x.size:
        return out
    cut, blocks = _blocks(x, dim)
    if not (cut and _same_layout(x, out)):
        step(x, out, np.empty_like(out), dim)
        return out
    work = None
    for block in blocks:
        part = out[block]
        if work is None:
            work = np.empty_like(part)
        step(x[block], part, work[: len(part)], dim)
    return out


def softmax(x: Array, dim: int) -> Array:
    """Return the softmax of ``x``, which has dims, along ``dim``."""
    return _forward(_softmax, x, dim)


def log_softmax(x: Array, dim: int) -> Array:
    """Return the logarithm of the softmax of ``x``, which has dims, along ``dim``."""
    return _forward(_log_softmax, x, dim)


def _softmax_slope(g: Array, y: Array, out: Array, dim: int) -> None:
    np.multiply(g, y, out)
    np.subtract(g, sums(out, dim), out)
    out *= y


def _log_softmax_slope(g: Array, y: Array, out: Array, dim: int) -> None:
    np.exp(y, out)
    out *= sums(g, dim)
    np.subtract(g, out, out)


def _backward(step: Any, g: Array, y: Array, dim: int) -> Array:
    out = np.empty(np.broadcast_shapes(g.shape, y.shape), np.result_type(g, y))
    cut, blocks = _blocks(out, dim)
    if not (cut and g.shape == y.shape == out.shape and _same_layout(g, y)):
        step(g, y, out, dim)
        return out
    for block in blocks:
        step(g[block], y[block], out[block], dim)
    return out


def softmax_slope(g: Array, y: Array, dim: int) -> Array:
    """Return ``y (g - sum(g y))``: the gradient of the softmax whose result is ``y``."""
    return _backward(_softmax_slope, g, y, dim)


def log_softmax_slope(g: Array, y: Array, dim: int) -> Array:
    """Return ``g - exp(y) sum(g)``: the gradient of the log_softmax whose result is ``y``."""
    return _backward(_log_softmax_slope, g, y, dim)
