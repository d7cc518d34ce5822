"""Cases of tensors/ops/window."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from cases.draw import arrays, distinct, shapes
from rushlight.arrays.kernels.average_pool import adaptive_max_pool
from rushlight.arrays.kernels.max_pool import max_pool_taps, pool_windows
from rushlight.arrays.kernels.output_sizes import conv_output_size, unfold_output_size

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ conv, fold


@st.composite
def convolution(draw: Any, which: str) -> dict[str, Any]:
    """The operands of one of the three maps, in one to three dims, bias or not."""
    dims, groups, batch = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    longest = 4 if dims < 3 else 2
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(dims))
    kernel, stride, padding, dilation = each(1, min(longest, 3)), each(1, 3), each(0, 1), each(1, 2)
    reach = [d * (k - 1) + 1 - 2 * p for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = tuple(max(draw(st.integers(1, longest)), n) for n in reach)
    x = (batch, groups * draw(st.integers(1, 2)), *size)
    w = (groups * draw(st.integers(1, 2)), x[1] // groups, *kernel)
    most = conv_output_size(x, w, stride, padding, dilation, groups)
    spare = [0 if n == 1 else draw(st.integers(0, 1)) for n in most]
    y = (batch, w[0], *(n - k for n, k in zip(most, spare, strict=True)))  # the last window may be left out
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    bias = draw(arrays((x[1] if which == "transposed" else w[0],))) if draw(st.booleans()) else None
    if which == "forward":
        return {"input": draw(arrays(x)), "weight": draw(arrays(w)), "bias": bias, "size": y[2:], **how}
    if which == "transposed":
        return {"input": draw(arrays(y)), "weight": draw(arrays(w)), "bias": bias, "shape": x, **how}
    return {"grad": draw(arrays(y)), "input": draw(arrays(x)), "shape": w, **how}


@st.composite
def blocks(draw: Any, dual: bool) -> dict[str, Any]:
    """An image and the blocks to take of it, or their columns."""
    pair = lambda low, high: (draw(st.integers(low, high)), draw(st.integers(low, high)))
    kernel, dilation, padding, stride = pair(1, 2), pair(1, 2), pair(0, 1), pair(1, 2)
    size = tuple(max(n, d * (k - 1) + 1) for n, k, d in zip(pair(1, 4), kernel, dilation, strict=True))
    lead, channels = draw(st.sampled_from([(2,), (1,), (), (0,)])), draw(st.integers(1, 2))
    how = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    if not dual:
        return {"input": draw(arrays((*lead, channels, *size))), **how}
    counts = unfold_output_size(size, kernel, dilation, padding, stride)
    columns = *lead, channels * int(np.prod(kernel)), int(np.prod(counts))
    return {"input": draw(arrays(columns)), "output_size": size, **how}


CASES |= {
    "convolution": convolution("forward"),
    "conv_transposed": convolution("transposed"),
    "conv_weight": convolution("weight"),
    "im2col": blocks(dual=False),
    "col2im": blocks(dual=True),
    "channel_sum": st.fixed_dictionaries({"input": arrays(min_dims=2, max_dims=4)}),
    "channel_expand": shapes(min_dims=2, max_dims=4).flatmap(
        lambda shape: st.fixed_dictionaries({"input": arrays((shape[1],)), "shape": st.just(shape)})
    ),
}


# ------------------------------------------------------------------ max_pool, average_pool


@st.composite
def image(draw: Any, dims: int, least: tuple[int, ...], values: Any = None) -> Any:
    """An image, with or without a batch dim, at least so large."""
    size = tuple(draw(st.integers(n, n + 2)) for n in least)
    lead = draw(st.sampled_from([(1,), (2,), (2, 1), (0, 2)]))
    return draw((values or arrays)((*lead, *size)))


@st.composite
def windows(draw: Any, average: bool = False) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The numbers of a pooling, and the least size of an image for them."""
    dims = draw(st.integers(1, 3))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(dims))
    kernel, stride, dilation = each(1, 3), each(1, 3), (1,) * dims if average else each(1, 2)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    least = tuple(max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True))
    how = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil": draw(st.booleans())}
    return how, least


@st.composite
def maximum(draw: Any, which: str) -> dict[str, Any]:
    how, least = draw(windows())
    x = draw(image(len(least), least, distinct))
    given = pool_windows(x.shape, *how.values())
    out, taps = max_pool_taps(x, given)
    assume(np.isfinite(out).all())  # a dilated window that lies in the padding alone has no slope
    if which == "forward":
        return {"input": x, "windows": given}
    if which == "pick":
        return {"input": x, "taps": taps, "windows": given}
    return {"grad": draw(arrays(out.shape)), "taps": taps, "windows": given}


@st.composite
def mean(draw: Any, dual: bool) -> dict[str, Any]:
    how, least = draw(windows(average=True))
    x = draw(image(len(least), least))
    rest = {
        "kernel_size": how["kernel"],
        "stride": how["stride"],
        "padding": how["padding"],
        "ceil_mode": how["ceil"],
        "count_include_pad": draw(st.booleans()),
        "divisor_override": draw(st.sampled_from([None, 3, -2])),
    }
    if not dual:
        return {"input": x, **rest}
    out = pool_windows(x.shape, *how.values()).out
    return {"grad": draw(arrays((*x.shape[: -len(least)], *out))), "shape": x.shape, **rest}


@st.composite
def adaptive(draw: Any, which: str) -> dict[str, Any]:
    dims = draw(st.integers(1, 3))
    x = draw(image(dims, (1,) * dims, distinct))
    out = tuple(draw(st.integers(1, 4)) for _ in range(dims))
    if which == "adjoint":
        return {"grad": draw(arrays((*x.shape[:-dims], *out))), "shape": x.shape, "dims": dims}
    return {"input": x, "dims": dims} if which == "global" else {"input": x, "output_size": out}


@st.composite
def indexed(draw: Any, which: str) -> dict[str, Any]:
    """Elements at flat indices: repeated ones for adding, distinct ones for placing."""
    lead, size = draw(st.sampled_from([(), (2,), (2, 2)])), (3, 4)
    if which == "unpool":
        indices = np.array([draw(st.permutations(range(12)))[:4] for _ in range(int(np.prod(lead)))], np.int64)
        indices = indices.reshape(*lead, 2, 2)
        return {"input": draw(arrays(indices.shape)), "indices": indices, "size": size}
    indices = adaptive_max_pool(draw(distinct((*lead, *size))), (2, 3))[1]
    if which == "gather":
        return {"input": draw(arrays((*lead, *size))), "indices": indices, "dims": 2}
    return {"input": draw(arrays(indices.shape)), "indices": indices, "size": size}


CASES |= {
    "max_pool": maximum("forward"),
    "max_pool_adjoint": maximum("adjoint"),
    "max_pick": maximum("pick"),
    "avg_pool": mean(dual=False),
    "avg_pool_adjoint": mean(dual=True),
    "global_mean": adaptive("global"),
    "adaptive_mean": adaptive("mean"),
    "adaptive_mean_adjoint": adaptive("adjoint"),
    "adaptive_maximum": adaptive("maximum"),
    "image_gather": indexed("gather"),
    "image_scatter": indexed("scatter"),
    "unpool": indexed("unpool"),
}


# ------------------------------------------------------------------ interpolate

_MODES = {
    1: ["nearest", "nearest-exact", "linear"],
    2: ["nearest", "nearest-exact", "bilinear", "bicubic", "bilinear, antialias", "lanczos, antialias"],
    3: ["nearest", "nearest-exact", "trilinear"],
}


@st.composite
def resized(draw: Any, dual: bool) -> dict[str, Any]:
    dims = draw(st.integers(1, 3))
    sizes = st.tuples(*[st.integers(1, 4)] * dims)
    shape, out = (draw(st.integers(0, 2)), draw(st.integers(1, 2)), *draw(sizes)), draw(sizes)
    how = draw(st.sampled_from(_MODES[dims]))
    scales = draw(st.none() | st.tuples(*[st.sampled_from([0.7, 1.3, 2.0])] * dims))
    rest = {"how": how, "align_corners": draw(st.booleans()) and "nearest" not in how, "scales": scales}
    if dual:
        return {"grad": draw(arrays((*shape[:2], *out))), "shape": shape, **rest}
    return {"input": draw(arrays(shape)), "output_size": out, **rest}


@st.composite
def shuffled(draw: Any, which: str) -> dict[str, Any]:
    factor, c, h, w = (draw(st.integers(1, 3)) for _ in range(4))
    lead = draw(st.sampled_from([(), (2,), (0,), (1, 2)]))
    if which == "shuffle":
        return {"input": draw(arrays((*lead, c * factor**2, h, w))), "upscale_factor": factor}
    if which == "unshuffle":
        return {"input": draw(arrays((*lead, c, h * factor, w * factor))), "downscale_factor": factor}
    return {"input": draw(arrays((draw(st.integers(0, 2)), c * factor, h, w))), "groups": factor}


CASES |= {
    "upsample": resized(dual=False),
    "upsample_back": resized(dual=True),
    "pixel_shuffle": shuffled("shuffle"),
    "pixel_unshuffle": shuffled("unshuffle"),
    "channel_shuffle": shuffled("channels"),
}
