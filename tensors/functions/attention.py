"""Scaled dot-product attention, as users call it.

Vaswani et al., Attention Is All You Need, 2017, section 3.2.1.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ...autograd.arguments import array_of, as_number
from ...autograd.broadcast import convert
from ...autograd.variable import Variable
from ..doors import doors
from ..ops.layer.attention import attention
from ..ops.shape.views import expand, reshape
from ..random.inplace import DEFAULT

_C_NAMES = {"float16": "c10::Half", "float32": "float", "float64": "double", "int64": "long int", "int32": "int"}


def _check(query: Any, key: Any, value: Any, mask: Any) -> None:
    dims = query.ndim, key.ndim, value.ndim
    if min(dims) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{dims[0]} key.dim: {dims[1]} and value.dim: {dims[2]} instead."
        )
    names = [_C_NAMES.get(x.dtype.name, x.dtype.name) for x in (query, key, value)]
    if len(set(names)) > 1:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {names[0]} key.dtype: "
            f"{names[1]} and value.dtype: {names[2]} instead."
        )
    if query.dtype.kind != "f":
        raise NotImplementedError(f"scaled_dot_product_attention is not implemented for '{query.dtype.name}'")
    if query.shape[-1] != key.shape[-1]:
        raise RuntimeError(
            f"scaled_dot_product_attention: query has {query.shape[-1]} features but key has {key.shape[-1]}"
        )
    if key.shape[-2] != value.shape[-2]:
        raise RuntimeError(f"scaled_dot_product_attention: there are {key.shape[-2]} keys but {value.shape[-2]} values")
    if mask is None:
        return
    if mask.dtype.kind != "b" and mask.dtype not in (query.dtype, np.float32):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{_C_NAMES.get(mask.dtype.name, mask.dtype.name)} and  query.dtype: {names[0]} instead."
        )


def _grouped(query: Any, other: Any) -> Any:
    """Return keys or values with each head repeated for the heads of ``query`` that share it."""
    heads, shape = query.shape[-3], other.shape
    if heads % shape[-3]:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in query")
    times = heads // shape[-3]
    wide = expand(reshape(other, (*shape[:-2], 1, *shape[-2:])), (*shape[:-2], times, *shape[-2:]))
    return reshape(wide, (*shape[:-3], heads, *shape[-2:]))


@doors("functional")
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Return ``softmax(query @ key.T * scale + mask) @ value``: (..., L, Ev).

    ``query`` is (..., L, E), ``key`` (..., S, E), ``value`` (..., S, Ev). A bool ``attn_mask`` says what may be looked
    at, a float one is added; ``is_causal`` lets query i look at keys up to i, as far as the mask does. ``scale`` is
    1 / sqrt(E) by default. With ``enable_gqa`` the heads (dim -3) of ``key`` and ``value`` are shared by groups of
    heads of ``query``. A query that may look at nothing gets zeros. Raises RuntimeError for shapes and dtypes that do
    not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
    """
    name = "scaled_dot_product_attention"
    q, k = array_of(query, name, "query"), array_of(key, name, "key", 2)
    mask = None if attn_mask is None else array_of(attn_mask, name, "attn_mask", 4)
    _check(q, k, array_of(value, name, "value", 3), mask)
    if enable_gqa:
        key, value = _grouped(query, key), _grouped(query, value)
    allowed = bias = None
    if mask is not None and mask.dtype.kind == "b":
        allowed = np.asarray(mask)
    elif mask is not None:
        bias = attn_mask if mask.dtype == q.dtype else convert(attn_mask, q.dtype)
    if is_causal:
        if isinstance(attn_mask, Variable) and attn_mask.node is not None:
            raise RuntimeError(f"_{name}: Explicit attn_mask should not be set when is_causal=True")
        causal = np.tri(q.shape[-2], k.shape[-2], dtype=bool)
        allowed = causal if allowed is None else allowed & causal
    kept = _kept(query, key, dropout_p)
    usual = 1 / sqrt(q.shape[-1]) if q.shape[-1] else 1.0
    factor = usual if scale is None else float(as_number(name, "scale", scale))
    return attention(query, key, value, bias, mask=allowed, kept=kept, scale=factor)


def _kept(query: Any, key: Any, p: float) -> Any:
    """Return what each weight is multiplied by: 0 with probability ``p``, else 1 / (1 - p); None for p = 0."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not p:
        return None
    lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    like = np.empty((*lead, query.shape[-2], key.shape[-2]), array_of(query, "dropout").dtype)
    return DEFAULT.stream.dropout_mask(like, p) if like.size else None
