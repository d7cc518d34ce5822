"""Scaled dot-product attention as one step.

Vaswani et al., Attention Is All You Need, 2017, section 3.2.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import array_of
from ..dtypes import Array
from ..node import Variable
from ..primitive import primitive
from .matmul import gemm, product
from .softmax import softmax, softmax_backward_data


def _weights(query: Any, key: Any, bias: Any, allowed: Any, scale: float) -> Any:
    """Return how much each query looks at each key, in operators: for the walk that is recorded."""
    scores = gemm(query, key, False, True) * scale
    if bias is not None:
        scores = scores + bias
    if allowed is None:
        return softmax(scores, -1)
    refused = np.where(allowed, 0.0, -np.inf).astype(array_of(scores, "attention").dtype)
    seen = allowed.any(-1, keepdims=True)  # a query that may look at nothing gets zeros, not NaN
    return softmax(scores + np.where(seen, refused, scores.array.dtype.type(0)), -1) * seen.astype(refused.dtype)


def _attention_rule(
    g: Any, query: Any, key: Any, value: Any, bias: Any, scale: float, kept: Any, weights: Any, allowed: Any, needs: Any
) -> tuple[Any, Any, Any, Any]:
    if isinstance(g, Variable):  # the weights were kept as numbers: for a second derivative they come anew
        weights = _weights(query, key, bias, allowed, scale)
    dropped = weights if kept is None else weights * kept
    by_value = gemm(dropped, g, True, False) if needs[2] else None
    if not (needs[0] or needs[1] or needs[3]):
        return None, None, by_value, None
    by_weights = gemm(g, value, False, True)
    if kept is not None:
        by_weights = by_weights * kept
    by_scores = softmax_backward_data(by_weights, weights, -1)
    scaled = by_scores * scale
    return (
        gemm(scaled, key, False, False) if needs[0] else None,
        gemm(scaled, query, True, False) if needs[1] else None,
        by_value,
        by_scores if needs[3] else None,
    )


@primitive(
    _attention_rule,
    ("query", "key", "value", "bias"),
    keeps=("weights", "allowed"),
    title="ScaledDotProductFlashAttentionForCpuBackward0",
)
def attention(
    query: Array, key: Array, value: Array, bias: Any = None, *, mask: Any = None, kept: Any = None, scale: float = 1.0
) -> Any:
    """Return the mean of ``value``, weighted by how well each key fits the query.

    ``bias`` is added to the scores; ``mask`` (bool) says what may be looked at; ``kept`` multiplies the weights.
    """
    scores = product(query * query.dtype.type(scale), key.swapaxes(-1, -2))
    if bias is not None:
        scores = scores + bias
    allowed: Any = None
    if mask is not None:
        allowed = mask
        scores = np.where(mask, scores, scores.dtype.type(-np.inf))
    if scores.size:
        most = np.maximum.reduce(scores, -1, keepdims=True)
        if mask is not None:
            most = np.where(np.isneginf(most), most.dtype.type(0), most)
        scores -= most
        np.exp(scores, scores)
        total = np.add.reduce(scores, -1, keepdims=True)
        if mask is not None:
            total = np.where(total == 0, total.dtype.type(1), total)
        scores /= total
    return product(scores if kept is None else scores * kept, value), scores, allowed
