"""Softmax attention on arrays: ``softmax(q @ k.T * scale + bias) @ v`` and its gradients.

The weights are kept as they come from exp, with the reciprocals of their sums beside them, one a row: to divide results
is cheaper than to divide weights (``benchmarks/claims.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array

_SAFE = 40.0
"""Scores below this in size need no shift before exp: sums of e ** ±40 neither overflow nor lose digits."""
_BLAS = (np.dtype(np.float32), np.dtype(np.float64))


def _length(x: Array) -> Any:
    """Return the length of the longest row."""
    return np.sqrt(np.maximum.reduce(np.einsum("...d,...d->...", x, x), axis=None))


def times(a: Array, b: Array, like: Array) -> Any:
    """Return ``a @ b``, its last two dims but one laid out in memory as those of ``like``."""
    shape = (*like.shape[:-1], b.shape[-1])
    if a.dtype != b.dtype or a.dtype not in _BLAS or like.flags.c_contiguous or 0 in like.strides or a.ndim != b.ndim:
        return np.matmul(a, b)
    if a.shape[:-2] != b.shape[:-2] or (*a.shape[:-1], b.shape[-1]) != shape:
        return np.matmul(a, b)
    order = [*sorted(range(like.ndim - 1), key=lambda dim: -like.strides[dim]), like.ndim - 1]
    made = np.empty([shape[dim] for dim in order], a.dtype).transpose(np.argsort(order))
    return np.matmul(a, b, out=made)


def weights(q: Array, k: Array, bias: Array | None, refused: Array | None, scale: float) -> tuple[Array, Array]:
    """Return ``exp(scores)``, shifted if need be, and the reciprocals of their sums over keys, 0 where that is 0."""
    q = q * q.dtype.type(scale)
    scores = np.matmul(q, k.swapaxes(-1, -2))
    if not scores.size:
        return scores, np.zeros((*scores.shape[:-1], 1), scores.dtype)
    small = bias is None and _length(q) * _length(k) < _SAFE
    for added in (bias, refused):
        if added is None:
            continue
        if np.broadcast_shapes(added.shape, scores.shape) == scores.shape:
            scores += added
        else:
            scores = scores + added
    if not small:
        most = np.maximum.reduce(scores, -1, keepdims=True)
        most[np.isneginf(most)] = 0  # a query that may look at nothing gets zeros, not NaN
        scores -= most
    np.exp(scores, scores)
    if scores.dtype in _BLAS:
        sums = scores.reshape(-1, scores.shape[-1]).dot(np.ones(scores.shape[-1], scores.dtype))
        sums = sums.reshape(*scores.shape[:-1], 1)
    else:
        sums = np.add.reduce(scores, -1, keepdims=True)
    empty = sums == 0
    np.reciprocal(sums, sums)
    sums[empty] = 0
    return scores, sums


def gradients(
    g: Array, inputs: tuple[Array, Array, Array], powers: Array, share: Array, kept: Array | None,
    scale: float, needs: list[bool],
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """Return the gradients for queries, keys, values and bias, None where not needed; ``share`` are the reciprocals."""
    q, k, v = inputs
    g = g * share
    dropped = powers if kept is None or not needs[2] else powers * kept
    by_value = times(dropped.swapaxes(-1, -2), g, v) if needs[2] else None
    if not (needs[0] or needs[1] or needs[3]):
        return None, None, by_value, None
    by_scores = np.matmul(g, v.swapaxes(-1, -2))
    if kept is not None:
        by_scores *= kept
    by_scores -= np.einsum("...k,...k->...", by_scores, powers)[..., None] * share
    by_scores *= powers
    by_bias = by_scores if needs[3] else None
    scaled = by_scores * q.dtype.type(scale) if needs[3] else np.multiply(by_scores, q.dtype.type(scale), by_scores)
    return (
        times(scaled, k, q) if needs[0] else None,
        times(scaled.swapaxes(-1, -2), q, k) if needs[1] else None,
        by_value,
        by_bias,
    )
