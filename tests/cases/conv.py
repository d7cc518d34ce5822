"""Cases for convolution, its adjoints, and blocks as columns."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays, shapes
from rushlight.arrays.kernels.window_sizes import conv_output_size, unfold_output_size


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
    spare = [0 if which == "forward" or n == 1 else draw(st.integers(0, 1)) for n in most]
    y = (batch, w[0], *(n - k for n, k in zip(most, spare, strict=True)))  # the last window may be left out
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    bias = draw(arrays((x[1] if which == "transposed" else w[0],))) if draw(st.booleans()) else None
    if which == "forward":
        return {"input": draw(arrays(x)), "weight": draw(arrays(w)), "bias": bias, **how}
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


CASES = {
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
