"""Scaled dot-product attention as one step.

Vaswani et al., Attention Is All You Need, 2017, section 3.2.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....arrays.kernels import attention as attend
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.tangents import SHORTCUTS
from ....autograd.variable import Variable
from ..common import drop
from ..matrix.matmul import gemm
from ..reduce.softmax import softmax, softmax_backward_data


def _weights(query: Any, key: Any, bias: Any, refused: Any, scale: float) -> Any:
    """Return the attention weights, computed with ops: for a backward pass that is itself recorded."""
    scores = gemm(query, key, False, True) * scale
    if bias is not None:
        scores = scores + bias
    if refused is not None:
        scores = scores + refused
    array = np.asarray(array_of(scores, "attention"))
    most = np.maximum.reduce(array, -1, keepdims=True, initial=-np.inf)
    blind = np.isneginf(most)  # a query with all keys masked gets zeros, not NaN
    if not blind.any():
        return softmax(scores, -1)
    return drop(softmax(drop(scores, blind), -1), blind)


def _attention_rule(
    g: Any, query: Any, key: Any, value: Any, bias: Any, scale: float, kept: Any, powers: Any, share: Any,
    refused: Any, needs: Any,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    recorded: bool = isinstance(g, Variable)
    if not recorded:
        return attend.gradients(g, (query, key, value), powers, share, kept, scale, needs)
    weights = _weights(query, key, bias, refused, scale)
    dropped = weights if kept is None else weights * kept
    by_value = gemm(dropped, g, True, False) if needs[2] else None
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
    aux=("powers", "share", "refused"),
    grad_fn_name="ScaledDotProductFlashAttentionForCpuBackward0",
    numbers=("scale",),
)
def attention(
    query: Array, key: Array, value: Array, bias: Any = None, *, mask: Any = None, kept: Any = None, scale: float = 1.0
) -> Any:
    """Return the mean of ``value``, weighted by how well each key fits the query.

    ``bias`` is added to the scores; ``mask`` (bool) is True for keys that take part; ``kept`` multiplies the weights.
    """
    kind = query.dtype
    if kind.char == "e":  # half precision is computed in single
        given: list[Any] = [None if x is None else x.astype(np.float32) for x in (query, key, value, bias)]
    else:
        given = [query, key, value, bias]
    q, k, v, added = given
    refused = None if mask is None else np.where(mask, q.dtype.type(0), q.dtype.type(-np.inf))
    powers, share = attend.weights(q, k, added, refused, scale)
    out = attend.times(powers if kept is None else powers * kept, v, q)
    out *= share
    return out.astype(kind, copy=False), powers, share, refused


def _attention_tangent(moved: dict[str, Any], saved: dict[str, Any]) -> Array:
    """Return the tangent: scores move the weights as softmax does, and values go with them."""
    names = ("query", "key", "value", "powers", "share", "kept", "scale")
    query, key, value, powers, share, kept, scale = (saved[name] for name in names)
    weights, total, turned = powers * share, None, None
    if "query" in moved:
        turned = gemm(moved["query"], key, False, True) * scale
    if "key" in moved:
        part = gemm(query, moved["key"], False, True) * scale
        turned = part if turned is None else turned + part
    if "bias" in moved:
        turned = moved["bias"] if turned is None else turned + moved["bias"]
    if turned is not None:
        turned = weights * turned
        turned -= weights * np.add.reduce(turned, -1, keepdims=True)
        total = gemm(turned if kept is None else turned * kept, value, False, False)
    if "value" in moved:
        part = gemm(weights if kept is None else weights * kept, moved["value"], False, False)
        total = part if total is None else total + part
    return total.astype(query.dtype, copy=False)  # type: ignore[union-attr,no-any-return]


SHORTCUTS["attention"] = _attention_tangent
