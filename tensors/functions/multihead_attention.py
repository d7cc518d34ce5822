"""Attention of several heads with the projections around it, as ``nn.functional`` has it.

Vaswani et al., Attention Is All You Need, 2017, section 3.2.2.
"""

from __future__ import annotations

from math import sqrt
from typing import Any
from warnings import warn

import numpy as np

from ...autograd.variable import Variable, wrap
from ..doors import doors
from ..ops.common import drop
from ..ops.matrix.linear import linear
from ..ops.reduce.softmax import softmax
from ..ops.shape.join import cat
from .attention import scaled_dot_product_attention
from .dropout import dropout

Pair = tuple[Any, Any]


def float_mask(mask: Any, name: str, other: Any, other_name: str, kind: Any, check: bool = True) -> Any:
    """Return ``mask`` as numbers to add to scores of dtype ``kind``: a bool one as -inf where it is true.

    AssertionError for a mask of integers; a warning if ``other`` is a mask of another dtype, unless ``check`` is false.
    """
    if mask is None:
        return None
    array = np.asarray(mask.array)
    if array.dtype.kind not in "bf":
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if check and other is not None and other.array.dtype != array.dtype:
        warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            UserWarning,
            stacklevel=3,
        )
    if array.dtype.kind == "f":
        return mask
    return wrap(Variable.result, np.where(array, kind.type(-np.inf), kind.type(0)))


# ------------------------------------------------------------------ shapes


def _check_shapes(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> bool:
    """Return whether there is a batch dim; AssertionError unless all agree about it."""
    if query.ndim not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor"
        )
    batched: bool = query.ndim == 3
    kind = "batched (3-D)" if batched else "unbatched (2-D)"
    if key.ndim != query.ndim or value.ndim != query.ndim:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {query.ndim}-D but found {key.ndim}-D and "
            f"{value.ndim}-D tensors respectively"
        )
    if padding is not None and padding.ndim != query.ndim - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {query.ndim - 1}-D but found "
            f"{padding.ndim}-D tensor instead"
        )
    if mask is None:
        return batched
    if mask.ndim not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D tensor instead"
        )
    if not batched and mask.ndim == 3 and tuple(mask.shape) != (heads, len(query), len(key)):
        raise AssertionError(
            f"Expected `attn_mask` shape to be {(heads, len(query), len(key))} but got {tuple(mask.shape)}"
        )
    return batched


def _check_mask(mask: Any, batch: int, heads: int, queries: int, keys: int) -> None:
    wanted = (queries, keys) if mask.ndim == 2 else (batch * heads, queries, keys)
    if mask.ndim not in (2, 3):
        raise RuntimeError(f"attn_mask's dimension {mask.ndim} is not supported")
    if tuple(mask.shape) != wanted:
        raise RuntimeError(f"The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be {wanted}.")


def _check_width(query: Any, key: Any, value: Any, wanted: int, heads: int, separate: bool) -> int:
    """Return the width of a head; AssertionError for sizes that do not fit."""
    width = query.shape[-1]
    if width != wanted:
        raise AssertionError(f"was expecting embedding dimension of {wanted}, but got {width}")
    if width % heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {heads}")
    shapes = tuple(key.shape), tuple(value.shape)
    if separate and shapes[0][:2] != shapes[1][:2]:
        raise AssertionError(f"key's sequence and batch dims {shapes[0][:2]} do not match value's {shapes[1][:2]}")
    if not separate and shapes[0] != shapes[1]:
        raise AssertionError(f"key shape {shapes[0]} does not match value shape {shapes[1]}")
    return int(width) // heads


def _in_batch(query: Any, key: Any, value: Any, padding: Any) -> tuple[Any, Any, Any, Any]:
    """Return the same as a batch of one; what was one tensor stays one."""
    rows = query.unsqueeze(1)
    keys = rows if key is query else key.unsqueeze(1)
    values = keys if value is key else value.unsqueeze(1)
    return rows, keys, values, None if padding is None else padding.unsqueeze(0)


# ------------------------------------------------------------------ projections


def _project(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    """Return queries, keys and values from one matrix that holds the three projections: few large products."""
    if weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    width = query.shape[-1]
    if key is value and query is key:
        q, k, v = linear(query, weight, bias).split(width, -1)
        return q, k, v
    if key is value:
        first, rest = weight.split([width, 2 * width])
        shift, others = (None, None) if bias is None else bias.split([width, 2 * width])
        k, v = linear(key, rest, others).split(width, -1)
        return linear(query, first, shift), k, v
    shifts = (None,) * 3 if bias is None else bias.split(width)
    q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weight.split(width), shifts, strict=True))
    return q, k, v


def _project_apart(given: tuple[Any, Any, Any], weights: tuple[Any, Any, Any], bias: Any) -> tuple[Any, Any, Any]:
    """Return queries, keys and values from a matrix each."""
    width = given[0].shape[-1]
    for x, weight, name in zip(given, weights, "qkv", strict=True):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        if tuple(weight.shape) != (width, x.shape[-1]):
            raise AssertionError(
                f"expecting {name} weights shape of {(width, x.shape[-1])}, but got {tuple(weight.shape)}"
            )
    shifts = (None,) * 3 if bias is None else bias.split(width)
    q, k, v = (linear(x, w, b) for x, w, b in zip(given, weights, shifts, strict=True))
    return q, k, v


def _in_heads(x: Any, heads: int, width: int) -> Any:
    """Return (length, batch, heads * width) as (batch, heads, length, width)."""
    return x.reshape(x.shape[0], x.shape[1], heads, width).permute(1, 2, 0, 3)


def _given_heads(x: Any, name: str, batch: int, heads: int, width: int) -> Any:
    """Return ``static_k`` or ``static_v``, (batch * heads, length, width), as (batch, heads, length, width)."""
    if x.shape[0] != batch * heads:
        raise AssertionError(f"expecting {name}.size(0) of {batch * heads}, but got {x.shape[0]}")
    if x.shape[2] != width:
        raise AssertionError(f"expecting {name}.size(2) of {width}, but got {x.shape[2]}")
    return x.reshape(batch, heads, x.shape[1], width)


# ------------------------------------------------------------------ what may be looked at


def _mask_or_hint(mask: Any, padding: Any, kind: Any, is_causal: bool, shown: bool) -> tuple[Any, bool]:
    """Return ``mask`` as numbers to add and false; or None and true: later keys are hidden without a mask.

    The hint ``is_causal`` is taken where there is no ``padding`` and the weights are not ``shown``.
    """
    if is_causal and mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint: it says that the mask is causal, but is no mask itself"
        )
    if is_causal and padding is None and not shown:
        return None, True
    return float_mask(mask, "attn_mask", None, "", kind, False), False


def _wider(mask: Any) -> Any:
    """Return ``mask`` with one more key, which may be looked at; None stays None."""
    if mask is None:
        return None
    return cat([mask, mask.new_zeros((*mask.shape[:-1], 1))], -1)


def _more_keys(x: Any, row: Any) -> Any:
    """Return (length, batch, width) ``x`` with ``row``, (1, 1, width), after the last of each batch."""
    return cat([x, row.expand(1, x.shape[1], x.shape[2])], 0)


def _merged(mask: Any, padding: Any, batch: int, heads: int) -> Any:
    """Return both masks as one to add to (batch, heads, queries, keys)."""
    if mask is not None:
        mask = mask if mask.ndim == 2 else mask.reshape(batch, heads, *mask.shape[1:])
    if padding is None:
        return mask
    padding = padding.reshape(batch, 1, 1, padding.shape[1])
    return padding if mask is None else mask + padding


def _keys_and_mask(
    qkv: tuple[Any, Any, Any], heads: int, width: int, mask: Any, padding: Any, extra: tuple[Any, Any, Any, Any, bool]
) -> tuple[Any, Any, Any, Any]:
    """Return queries, keys and values by head, and one mask; ``extra`` says which further keys there are."""
    (q, k, v), (bias_k, bias_v, static_k, static_v, add_zero) = qkv, extra
    batch = q.shape[1]
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k, v, mask, padding = _more_keys(k, bias_k), _more_keys(v, bias_v), _wider(mask), _wider(padding)
    elif bias_k is not None or bias_v is not None:
        raise AssertionError("bias_k and bias_v: one is given, the other is None")
    q = _in_heads(q, heads, width)
    k = _in_heads(k, heads, width) if static_k is None else _given_heads(static_k, "static_k", batch, heads, width)
    v = _in_heads(v, heads, width) if static_v is None else _given_heads(static_v, "static_v", batch, heads, width)
    if add_zero:
        k, v = (cat([x, x.new_zeros((batch, heads, 1, width))], -2) for x in (k, v))
        mask, padding = _wider(mask), _wider(padding)
    if padding is not None and tuple(padding.shape) != (batch, k.shape[2]):
        raise AssertionError(
            f"expecting key_padding_mask shape of {(batch, k.shape[2])}, but got {tuple(padding.shape)}"
        )
    return q, k, v, _merged(mask, padding, batch, heads)


def _masked_softmax(scores: Any, mask: Any) -> Any:
    """Return the softmax of ``scores``, to which ``mask`` was added: zeros for a query that may look at nothing."""
    blind = np.isneginf(np.maximum.reduce(mask.array, -1, keepdims=True, initial=-np.inf))
    if not blind.any():
        return softmax(scores, -1)
    return drop(softmax(drop(scores, blind), -1), blind)


def _attend(
    q: Any, k: Any, v: Any, mask: Any, p: float, is_causal: bool, need_weights: bool, average_weights: bool
) -> Pair:
    """Return the attended values by head, and the weights by head or as their average; None if not needed."""
    if not need_weights:
        return scaled_dot_product_attention(q, k, v, mask, p, is_causal), None
    scores = (q * sqrt(1.0 / q.shape[-1])) @ k.transpose(-2, -1)
    weights = softmax(scores, -1) if mask is None else _masked_softmax(scores + mask, mask)
    if p > 0.0:
        weights = dropout(weights, p)
    return weights @ v, weights.mean(1) if average_weights else weights


@doors("functional")
def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Pair:
    """Return the attention of ``num_heads`` heads, (L, N, E), and the weights, (N, L, S), or None if not needed.

    ``query`` is (L, N, E), ``key`` (S, N, kdim), ``value`` (S, N, vdim); all without N if there is no batch.
    ``attn_mask`` is (L, S) or (N * heads, L, S), ``key_padding_mask`` (N, S); true bools hide, floats are added.
    ``average_attn_weights=False`` keeps the weights apart by head, (N, heads, L, S). ``is_causal`` says that
    ``attn_mask`` hides all keys after each query. Raises AssertionError or RuntimeError for shapes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.multi_head_attention_forward.html
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value, key_padding_mask = _in_batch(query, key, value, key_padding_mask)
    kind = query.array.dtype
    padding = float_mask(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", kind)
    mask, is_causal = _mask_or_hint(attn_mask, padding, kind, is_causal, need_weights)
    width = _check_width(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if use_separate_proj_weight:
        qkv = _project_apart((query, key, value), (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    else:
        qkv = _project(query, key, value, in_proj_weight, in_proj_bias)
    if mask is not None:
        _check_mask(mask, query.shape[1], num_heads, query.shape[0], key.shape[0])
    extra = bias_k, bias_v, static_k, static_v, add_zero_attn
    q, k, v, mask = _keys_and_mask(qkv, num_heads, width, mask, padding, extra)
    p = dropout_p if training else 0.0
    out, weights = _attend(q, k, v, mask, p, is_causal, need_weights, average_attn_weights)
    out = linear(out.permute(2, 0, 1, 3).reshape(query.shape), out_proj_weight, out_proj_bias)
    if batched:
        return out, weights
    return out.squeeze(1), None if weights is None else weights.squeeze(0)
