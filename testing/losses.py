"""How to draw the losses of ``nn``, its layers for sequences, and those that learn their sizes from their input."""

from __future__ import annotations

from typing import Any

from .layers import INNER_UNIT, UNIT, Draw, Made, Recipe, for_dims
from .strategies import ENGINE, POSITIVE

LAYERS: dict[str, Recipe] = {}
LARGE = POSITIVE.map(lambda v: v + 1)
"""Numbers that no step of a difference makes negative."""


def _values(name: str, elements: Any = None, *ways: str) -> None:
    """Note a loss of two tensors of one shape; both have a gradient."""

    def recipe(d: Draw) -> Made:
        shape, more = d.shape(1, 2), {} if elements is None else {"elements": elements}
        return getattr(d.nn, name)(reduction=d.of(*ways)), d.x(*shape, **more), d.x(*shape, **more)

    LAYERS[name] = recipe


def _classes(d: Draw, name: str, *space: int) -> Made:
    weight = d.x(3, elements=POSITIVE, grad=False)
    layer = getattr(d.nn, name)(weight=d.of(None, weight), ignore_index=d.of(-100, 0), reduction=d.of("sum", "none"))
    return layer, d.x(2, 3, *space), d.ints(3, 2, *space)


def _cross_entropy(d: Draw) -> Made:
    layer = d.nn.CrossEntropyLoss(label_smoothing=d.of(0.0, 0.1), reduction=d.reduction())
    space = d.shape(0, 1)
    return layer, d.x(2, 3, *space), d.of(d.ints(3, 2, *space), d.x(2, 3, *space, elements=UNIT))


def _gaussian(d: Draw) -> Made:
    shape = d.shape(1, 2)
    layer = d.nn.GaussianNLLLoss(full=d.of(True, False), reduction=d.reduction())
    return layer, d.x(*shape), d.x(*shape), d.x(*shape, elements=LARGE)


def _poisson(d: Draw) -> Made:
    shape = d.shape(0, 2)
    layer = d.nn.PoissonNLLLoss(d.of(True, False), full=d.of(True, False), reduction=d.reduction())
    return layer, d.x(*shape, elements=POSITIVE), d.x(*shape, elements=POSITIVE, grad=False)


def _ctc(d: Draw) -> Made:
    """Its gradient is that of normalized probabilities, so a softmax stands before it."""
    layer = d.nn.CTCLoss(reduction=d.of("sum", "none"), zero_infinity=d.of(True, False))
    layer.register_forward_pre_hook(lambda _, given: (given[0].log_softmax(-1), *given[1:]))
    return layer, d.x(5, 2, 3), d.ints(3, 2, 2, low=1), (5, d.size(4, 5)), (2, d.size(0, 2))


def _triplet(d: Draw, name: str) -> Made:
    options = {"swap": d.of(True, False), "reduction": d.reduction(), "margin": 9.0}
    return getattr(d.nn, name)(**options), d.x(2, 3), d.x(2, 3, distinct=True), d.x(2, 3, distinct=True)


def _embedded(d: Draw) -> Made:
    layer = d.nn.CosineEmbeddingLoss(margin=-2.0, reduction=d.reduction())
    return layer, d.x(3, 2), d.x(3, 2), d.signs(3)


def _ranked(d: Draw) -> Made:
    return d.nn.MarginRankingLoss(9.0, reduction=d.reduction()), d.x(3), d.x(3), d.signs(3)


def _adaptive(d: Draw) -> Made:
    layer = d.nn.AdaptiveLogSoftmaxWithLoss(4, 6, [d.size(1, 2), 4], div_value=2.0, head_bias=d.of(True, False))
    return layer, d.x(3, 4), d.ints(6, 3)


def _projected(d: Draw) -> Made:
    layer = d.nn.LinearCrossEntropyLoss(2, 3, bias=d.of(True, False), label_smoothing=d.of(0.0, 0.1))
    return layer, d.x(4, 2), d.ints(3, 4)


for _name in ("HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss", "BCEWithLogitsLoss", "SoftMarginLoss"):
    _values(_name, None, "mean", "sum", "none")
_values("BCELoss", INNER_UNIT, "mean", "sum", "none")
_values("KLDivLoss", POSITIVE, "batchmean", "sum", "none")
LAYERS |= {
    "NLLLoss": lambda d: _classes(d, "NLLLoss", *d.shape(0, 2)),
    "NLLLoss2d": lambda d: _classes(d, "NLLLoss2d", *d.space(2)),
    "CrossEntropyLoss": _cross_entropy,
    "GaussianNLLLoss": _gaussian,
    "PoissonNLLLoss": _poisson,
    "CTCLoss": _ctc,
    "TripletMarginLoss": lambda d: _triplet(d, "TripletMarginLoss"),
    "TripletMarginWithDistanceLoss": lambda d: _triplet(d, "TripletMarginWithDistanceLoss"),
    "CosineEmbeddingLoss": _embedded,
    "MarginRankingLoss": _ranked,
    "HingeEmbeddingLoss": lambda d: (d.nn.HingeEmbeddingLoss(9.0, reduction=d.reduction()), d.x(3), d.signs(3)),
    "MultiMarginLoss": lambda d: (d.nn.MultiMarginLoss(d.of(1, 2), 9.0), d.x(2, 3), d.ints(3, 2)),
    "MultiLabelMarginLoss": lambda d: (d.nn.MultiLabelMarginLoss(), d.x(2, 3), d.ints(3, 2, 3, low=-1)),
    "MultiLabelSoftMarginLoss": lambda d: (d.nn.MultiLabelSoftMarginLoss(), d.x(2, 3), d.x(2, 3, elements=UNIT)),
    "AdaptiveLogSoftmaxWithLoss": _adaptive,
    "LinearCrossEntropyLoss": _projected,
}


# ------------------------------------------------------------------ sequences


def _embedding(d: Draw) -> Made:
    """Padding gets no gradient, which is no derivative: it is not looked up."""
    return d.nn.Embedding(3, d.size(), padding_idx=d.of(None, 0)), d.ints(3, *d.shape(0, 2), low=1)


def _bag(d: Draw) -> Made:
    options = {"mode": d.of("sum", "mean", "max"), "padding_idx": d.of(None, 0)}
    return d.nn.EmbeddingBag(4, d.size(), **options), d.ints(4, 2, d.size())


def _recurrent(d: Draw, name: str) -> Made:
    options: dict[str, Any] = {"bias": d.of(True, False), "bidirectional": d.of(True, False)}
    if name == "LSTM":
        options["proj_size"] = d.of(0, 1)
    layer = getattr(d.nn, name)(2, 2, d.size(1, 2), batch_first=d.of(True, False), **options)
    return layer, d.x(d.size(), *d.lead(), 2)


def _attention(d: Draw) -> Made:
    options = {"bias": d.of(True, False), "add_zero_attn": d.of(True, False), "add_bias_kv": d.of(True, False)}
    layer = d.nn.MultiheadAttention(4, d.of(1, 2), kdim=3, vdim=2, batch_first=d.of(True, False), **options)
    lead, n = d.size(1, 2), d.of(2, 3)
    size = (lambda t: (lead, t)) if layer.batch_first else (lambda t: (t, lead))
    return layer, d.x(*size(2), 4), d.x(*size(n), 3), d.x(*size(n), 2)


def _options(d: Draw) -> dict[str, Any]:
    options = {"dropout": d.of(0.0, 0.2), "norm_first": d.of(True, False), "batch_first": d.of(True, False)}
    return {"activation": "gelu", **options}


def _stacked(d: Draw, name: str) -> Made:
    layer = getattr(d.nn, f"{name}Layer")(4, 2, 3, **_options(d))
    inputs = [d.x(2, 2, 4) for _ in range(1 + (name == "TransformerDecoder"))]
    return getattr(d.nn, name)(layer, d.size(1, 2)), *inputs


LAYERS |= {
    "Embedding": _embedding,
    "EmbeddingBag": _bag,
    "RNN": lambda d: _recurrent(d, "RNN"),
    "LSTM": lambda d: _recurrent(d, "LSTM"),
    "GRU": lambda d: _recurrent(d, "GRU"),
    "RNNCell": lambda d: (d.nn.RNNCell(2, 3, bias=d.of(True, False)), d.x(*d.lead(), 2)),
    "GRUCell": lambda d: (d.nn.GRUCell(2, 3, bias=d.of(True, False)), d.x(*d.lead(), 2)),
    "LSTMCell": lambda d: (d.nn.LSTMCell(2, 3, bias=d.of(True, False)), d.x(*d.lead(), 2)),
    "MultiheadAttention": _attention,
    "TransformerEncoderLayer": lambda d: (d.nn.TransformerEncoderLayer(4, 2, 3, **_options(d)), d.x(2, 2, 4)),
    "TransformerDecoderLayer": lambda d: (
        d.nn.TransformerDecoderLayer(4, 2, 3, **_options(d)), d.x(2, 2, 4), d.x(2, 2, 4),
    ),
    "TransformerEncoder": lambda d: _stacked(d, "TransformerEncoder"),
    "TransformerDecoder": lambda d: _stacked(d, "TransformerDecoder"),
    "Transformer": lambda d: (d.nn.Transformer(4, 2, 1, 1, 3, **_options(d)), d.x(2, 2, 4), d.x(2, 2, 4)),
}  # fmt: skip


# ------------------------------------------------------------------ sizes from the first input


def _learned(layer: Any, x: Any) -> Made:
    layer = layer.double()
    with ENGINE.no_grad():
        layer(x.detach())
    return layer, x


def _lazy(d: Draw, n: int, name: str) -> Made:
    layer = getattr(d.nn, name)
    made = layer() if "Norm" in name else layer(d.size(1, 2), 2)
    return _learned(made, d.x(2, 2, *d.space(n, 3 if n < 3 else 2), distinct=True))


for _kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm"):
    LAYERS |= for_dims(f"Lazy{_kind}?d", _lazy)
LAYERS["LazyLinear"] = lambda d: _learned(d.nn.LazyLinear(2), d.x(*d.shape(1, 3)))
