"""Transformers: layers of attention and perceptrons, stacked to encoders and decoders.

Vaswani et al., Attention Is All You Need, 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from ...arrays.device import require_cpu
from ...arrays.dtypes import as_numpy, default_numpy
from ...autograd.node import wrap
from ...tensors.functions.multihead_attention import float_mask
from ...tensors.tensor.methods import Tensor
from .. import functional as F
from .. import init
from .activation import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

Activation = str | Callable[[Any], Any]


def _activation(given: Activation) -> Callable[[Any], Any]:
    """Return the function that ``given`` names, or ``given`` itself; RuntimeError for an unknown name."""
    if not isinstance(given, str):
        return given
    known: dict[str, Callable[[Any], Any]] = {"relu": F.relu, "gelu": F.gelu}
    if given not in known:
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return known[given]


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([deepcopy(layer) for _ in range(count)])


def _masks(mask: Any, padding: Any, kind: Any, name: str, padding_name: str) -> tuple[Any, Any]:
    """Return both masks as numbers to add."""
    padding = float_mask(padding, padding_name, mask, name, kind)
    return float_mask(mask, name, None, "", kind, False), padding


class _Layer(Module):
    """What layers of encoders and decoders share: attention to itself, and a perceptron."""

    self_attn: MultiheadAttention
    linear1: Linear
    linear2: Linear
    dropout: Dropout
    activation: Callable[[Tensor], Tensor]

    def _perceptron(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _attend_self(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        return self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal, need_weights=False
        )[0]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "activation" not in self._modules:
            self.__dict__.setdefault("activation", F.relu)


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself and a perceptron, each beside a short cut and followed by a norm.

    ``norm_first`` puts the norms before instead. Sequences are (L, N, d_model), or (N, L, d_model) if ``batch_first``,
    or (L, d_model). ``activation`` is "relu", "gelu" or a function.

    https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html

    >>> import rushlight as torch
    >>> layer = torch.nn.TransformerEncoderLayer(d_model=8, nhead=2, batch_first=True)
    >>> layer(torch.ones(2, 5, 8)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        where = {"device": device, "dtype": dtype}
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Return ``src`` after the layer; the masks are those of :class:`MultiheadAttention`."""
        mask, padding = _masks(src_mask, src_key_padding_mask, src.array.dtype, "src_mask", "src_key_padding_mask")
        if self.norm_first:
            src = src + self.dropout1(self._attend_self(self.norm1(src), mask, padding, is_causal))
            return src + self.dropout2(self._perceptron(self.norm2(src)))
        src = self.norm1(src + self.dropout1(self._attend_self(src, mask, padding, is_causal)))
        return self.norm2(src + self.dropout2(self._perceptron(src)))


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself, attention to ``memory``, and a perceptron, each beside a short cut.

    The options are those of :class:`TransformerEncoderLayer`.

    https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        where = {"device": device, "dtype": dtype}
        super().__init__()
        heads = {"dropout": dropout, "batch_first": batch_first, "bias": bias, **where}
        self.self_attn = MultiheadAttention(d_model, nhead, **heads)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **heads)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def _attend_memory(self, x: Any, memory: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        return self.multihead_attn(
            x, memory, memory, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal, need_weights=False
        )[0]

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return ``tgt`` after the layer, which also looks at ``memory``, what an encoder made."""
        own = tgt_mask, tgt_key_padding_mask, tgt_is_causal
        other = memory_mask, memory_key_padding_mask, memory_is_causal
        x = tgt
        if self.norm_first:
            x = x + self.dropout1(self._attend_self(self.norm1(x), *own))
            x = x + self.dropout2(self._attend_memory(self.norm2(x), memory, *other))
            return x + self.dropout3(self._perceptron(self.norm3(x)))
        x = self.norm1(x + self.dropout1(self._attend_self(x, *own)))
        x = self.norm2(x + self.dropout2(self._attend_memory(x, memory, *other)))
        return self.norm3(x + self.dropout3(self._perceptron(x)))


class TransformerEncoder(Module):
    """``num_layers`` copies of ``encoder_layer``, one after another, and ``norm`` at the end if there is one.

    ``enable_nested_tensor`` and ``mask_check`` are accepted: there are no nested tensors, so padded places are
    computed like all others.

    https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
    """

    layers: ModuleList

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = False
        self.mask_check = mask_check

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        """Return ``src`` after all layers."""
        mask, padding = _masks(mask, src_key_padding_mask, src.array.dtype, "mask", "src_key_padding_mask")
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=padding, is_causal=bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """``num_layers`` copies of ``decoder_layer``, one after another, and ``norm`` at the end if there is one.

    https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
    """

    layers: ModuleList

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return ``tgt`` after all layers, each of which looks at ``memory``."""
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of ``src`` and a decoder of ``tgt`` that looks at what the encoder made.

    ``custom_encoder`` and ``custom_decoder`` stand in for the stacks of layers. All matrices start evenly, as Glorot
    and Bengio have it.

    https://pytorch.org/docs/stable/generated/torch.nn.Transformer.html

    >>> import rushlight as torch
    >>> model = torch.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> model(torch.ones(2, 5, 8), torch.ones(2, 3, 8)).shape
    torch.Size([2, 3, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        where = {"device": device, "dtype": dtype}
        super().__init__()
        options: list[Any] = [d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first]
        options += [norm_first, bias, device, dtype]
        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            layer: Module = TransformerEncoderLayer(*options)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
            self.encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            layer = TransformerDecoderLayer(*options)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
            self.decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        """Draw all matrices anew."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return what the decoder makes of ``tgt``; RuntimeError if batches or features do not fit."""
        dim = 0 if self.batch_first else 1
        if src.ndim != tgt.ndim or (src.ndim == 3 and src.shape[dim] != tgt.shape[dim]):
            raise RuntimeError(
                f"the batch number of src and tgt must be equal: {list(src.shape)} does not go with {list(tgt.shape)}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"the feature number of src and tgt must be equal to d_model: {src.shape[-1]} and {tgt.shape[-1]} are "
                f"not both {self.d_model}"
            )
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return (sz, sz) zeros with -inf above the diagonal: what a query must not look at.

        >>> import rushlight as torch
        >>> torch.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        if device is not None:
            require_cpu(device)
        kind = default_numpy() if dtype is None else as_numpy(dtype)
        made: Tensor = wrap(Tensor, np.triu(np.full((sz, sz), -np.inf, kind), 1))
        return made
