"""How to draw the layers of ``nn`` that look through windows: convolutions, pooling, padding, resizing."""

from __future__ import annotations

from typing import Any

from .layers import Draw, Made, Recipe, for_dims
from .strategies import POSITIVE

LAYERS: dict[str, Recipe] = {}


def _convolution(d: Draw, n: int, name: str) -> Made:
    groups, kernel, dilation = d.of(1, 2), d.size(1, 2 if n > 2 else 3), d.of(1, 2)
    options: dict[str, Any] = {
        "stride": d.size(1, 2),
        "dilation": dilation,
        "groups": groups,
        "bias": d.of(True, False),
    }
    if name.startswith("ConvTranspose"):
        options |= {"padding": d.size(0, min(1, dilation * (kernel - 1)))}
        least = 2
    else:
        options |= {"padding": d.size(0, 1), "padding_mode": d.of("zeros", "circular", "reflect", "replicate")}
        least = dilation * (kernel - 1) + 1
    layer = getattr(d.nn, name)(groups, groups * d.size(1, 2), kernel, **options)
    return layer, d.x(*d.lead(), groups, *d.space(n, max(least, 2)))


def _max_pool(d: Draw, n: int, name: str) -> Made:
    kernel = d.size(1, 2 if n > 2 else 3)
    options = {"stride": d.of(None, 1, 2), "padding": d.size(0, kernel // 2), "ceil_mode": d.of(True, False)}
    layer = getattr(d.nn, name)(kernel, **options, return_indices=d.of(True, False))
    return layer, d.x(*d.lead(), d.size(1, 2), *d.space(n, kernel), distinct=True)


def _mean_pool(d: Draw, n: int, name: str) -> Made:
    kernel = d.size(1, 2 if n > 2 else 3)
    options = {"padding": d.size(0, kernel // 2), "count_include_pad": d.of(True, False)}
    layer = getattr(d.nn, name)(kernel, d.of(None, 1, 2), **options)
    return layer, d.x(*d.lead(), d.size(1, 2), *d.space(n, kernel))


def _adaptive(d: Draw, n: int, name: str) -> Made:
    size = d.size(1, 2) if n == 1 else tuple(d.of(None, 1, 2) for _ in range(n))
    return getattr(d.nn, name)(size), d.x(*d.lead(), d.size(1, 2), *d.space(n, 2), distinct=True)


def _norm_pool(d: Draw, n: int, name: str) -> Made:
    layer = getattr(d.nn, name)(d.of(1.5, 2.0, 3.0), d.size(1, 2), d.of(None, 1))
    return layer, d.x(*d.lead(), 1, *d.space(n, 2), elements=POSITIVE)


def _unpool(d: Draw, n: int, name: str) -> Made:
    pool = getattr(d.nn, name.replace("Unpool", "Pool"))(2, return_indices=True)
    sizes = [d.of(2, 4) if n < 3 else 2 for _ in range(n)]  # those that pooling divides without a rest
    x, indices = pool(d.x(*d.lead(), d.size(1, 2), *sizes, distinct=True, grad=False))
    return getattr(d.nn, name)(2), x.requires_grad_(), indices


def _fractional(d: Draw, n: int, name: str) -> Made:
    return getattr(d.nn, name)(d.size(1, 2), output_size=2), d.x(*d.lead(), 2, *d.space(n, 4), distinct=True)


LAYERS |= for_dims("Conv?d", _convolution)
LAYERS |= for_dims("ConvTranspose?d", _convolution)
LAYERS |= for_dims("MaxPool?d", _max_pool)
LAYERS |= for_dims("AvgPool?d", _mean_pool)
LAYERS |= for_dims("AdaptiveMaxPool?d", _adaptive)
LAYERS |= for_dims("AdaptiveAvgPool?d", _adaptive)
LAYERS |= for_dims("LPPool?d", _norm_pool)
LAYERS |= for_dims("MaxUnpool?d", _unpool)
for _dims in (2, 3):
    LAYERS[f"FractionalMaxPool{_dims}d"] = lambda d, n=_dims: _fractional(d, n, f"FractionalMaxPool{n}d")  # type: ignore[misc]


# ------------------------------------------------------------------ padding and resizing


def _pad(d: Draw, n: int, name: str) -> Made:
    sizes = d.of(1, tuple(d.size(0, 1) for _ in range(2 * n)))
    layer = getattr(d.nn, name)(sizes, *((0.5,) if name.startswith("Constant") else ()))
    return layer, d.x(*d.lead(), 2, *d.space(n, 2))


def _upsample(d: Draw) -> Made:
    mode, n = d.of(("nearest", 1), ("linear", 1), ("bilinear", 2), ("bicubic", 2), ("trilinear", 3), ("nearest", 3))
    options = {} if mode == "nearest" else {"align_corners": d.of(True, False)}
    sizes = d.of({"size": tuple(d.size(1, 4) for _ in range(n))}, {"scale_factor": d.of(0.7, 1.5, 2.0)})
    return d.nn.Upsample(**sizes, mode=mode, **options), d.x(*d.lead(batched=True), d.size(1, 2), *d.space(n, 2))


def _unfold(d: Draw) -> Made:
    kernel = d.size(1, 2)
    layer = d.nn.Unfold(kernel, dilation=d.size(1, 2), padding=d.size(0, 1), stride=d.size(1, 2))
    return layer, d.x(*d.lead(), d.size(1, 2), *d.space(2, 3))


def _fold(d: Draw) -> Made:
    height, width = d.space(2, 2)
    return d.nn.Fold((height, width), 2), d.x(*d.lead(), 4 * d.size(1, 2), (height - 1) * (width - 1))


for _kind in ("Circular", "Constant", "Reflection", "Replication", "Zero"):
    LAYERS |= for_dims(f"{_kind}Pad?d", _pad)
LAYERS |= {
    "Upsample": _upsample,
    "UpsamplingNearest2d": lambda d: (d.nn.UpsamplingNearest2d(scale_factor=d.of(1.5, 2)), d.x(1, 2, *d.space(2, 2))),
    "UpsamplingBilinear2d": lambda d: (d.nn.UpsamplingBilinear2d((3, d.size(1, 4))), d.x(1, 2, *d.space(2, 2))),
    "ChannelShuffle": lambda d: (d.nn.ChannelShuffle(2), d.x(*d.lead(batched=True), 4, *d.space(d.size(1, 2)))),
    "PixelShuffle": lambda d: (d.nn.PixelShuffle(2), d.x(*d.lead(), 4 * d.size(1, 2), *d.space(2))),
    "PixelUnshuffle": lambda d: (d.nn.PixelUnshuffle(2), d.x(*d.lead(), d.size(1, 2), 4, 2)),
    "Unfold": _unfold,
    "Fold": _fold,
}
