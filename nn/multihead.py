"""MultiheadAttention: several heads of attention with their projections."""

from __future__ import annotations

from typing import Any

from . import functional as F
from . import init
from .linear import Linear
from .module import Module
from .parameter import Parameter, empty_parameter


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear; the name tells it apart in the text of a model, as in PyTorch."""


class MultiheadAttention(Module):
    """Attention in ``num_heads`` parts of the features, each with projections of queries, keys and values of its own.

    ``query`` is (L, N, embed_dim), ``key`` (S, N, kdim), ``value`` (S, N, vdim), with ``batch_first`` N comes first;
    without a batch N is left out. The result is a pair: (L, N, embed_dim), and the weights (N, L, S) or None.

    Vaswani et al., Attention Is All You Need, 2017.
    https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html

    >>> import rushlight as torch
    >>> attend = torch.nn.MultiheadAttention(4, 2)
    >>> out, weights = attend(torch.ones(3, 1, 4), torch.ones(5, 1, 4), torch.ones(5, 1, 4))
    >>> out.shape, weights.shape
    (torch.Size([3, 1, 4]), torch.Size([1, 3, 5]))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = kdim if kdim is not None else embed_dim
        self.vdim = vdim if vdim is not None else embed_dim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(f"embed_dim must be divisible by num_heads, but {embed_dim} % {num_heads} is not 0")
        together, apart = ("in_proj_weight",), ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        sizes = {"in_proj_weight": (3 * embed_dim, embed_dim), "q_proj_weight": (embed_dim, embed_dim)}
        sizes |= {"k_proj_weight": (embed_dim, self.kdim), "v_proj_weight": (embed_dim, self.vdim)}
        wanted, others = (together, apart) if self._qkv_same_embed_dim else (apart, together)
        for name in wanted:
            self.register_parameter(name, empty_parameter(*sizes[name], device=device, dtype=dtype))
        for name in others:
            self.register_parameter(name, None)
        in_bias = empty_parameter(3 * embed_dim, device=device, dtype=dtype) if bias else None
        self.register_parameter("in_proj_bias", in_bias)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        if add_bias_kv:
            self.bias_k = empty_parameter(1, 1, embed_dim, device=device, dtype=dtype)
            self.bias_v = empty_parameter(1, 1, embed_dim, device=device, dtype=dtype)
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the weights of the projections anew, and set their biases to zero."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            if self.out_proj.bias is not None:
                init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("_qkv_same_embed_dim", True)
        super().__setstate__(state)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Return what the queries take from the values, and the weights, or None without ``need_weights``.

        True in ``key_padding_mask`` (N, S) and ``attn_mask`` (L, S) or (N * heads, L, S) hides; floats are added to
        the scores. ``is_causal`` says that ``attn_mask`` hides what comes after each query.
        """
        swap = self.batch_first and query.ndim == 3
        if swap:
            query, key, value = _transposed(query, key, value)
        out, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (out.transpose(1, 0), weights) if swap else (out, weights)

    def merge_masks(self, attn_mask: Any, key_padding_mask: Any, query: Any) -> tuple[Any, int | None]:
        """Return both masks as one, and what it is: 0 for (L, L), 1 for padding alone, 2 for (N, heads, L, L)."""
        mask, kind = None, None
        if key_padding_mask is not None:
            mask, kind = key_padding_mask, 1
        if attn_mask is None:
            return mask, kind
        batch, length, _ = query.shape
        if attn_mask.ndim == 3:
            wide = attn_mask.view(batch, -1, length, length)
        else:
            wide = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            wide = wide + key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1)
        return wide, 2


def _transposed(query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
    """Return all three with the batch second; what was one tensor stays one."""
    if key is value:
        both = key.transpose(1, 0)
        return (both if query is key else query.transpose(1, 0)), both, both
    return query.transpose(1, 0), key.transpose(1, 0), value.transpose(1, 0)
