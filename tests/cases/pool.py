"""Cases for pooling, each op with its dual."""

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from cases.draw import arrays, distinct
from rushlight.arrays.kernels.average_pool import adaptive_max_pool
from rushlight.arrays.kernels.max_pool import max_pool_taps, pool_windows


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
    if which == "spread":
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


CASES = {
    "max_pool": maximum("forward"),
    "max_spread": maximum("spread"),
    "max_pick": maximum("pick"),
    "avg_pool": mean(dual=False),
    "avg_spread": mean(dual=True),
    "global_mean": adaptive("global"),
    "adaptive_mean": adaptive("mean"),
    "adaptive_spread": adaptive("spread"),
    "adaptive_maximum": adaptive("maximum"),
    "image_gather": indexed("gather"),
    "image_scatter": indexed("scatter"),
    "unpool": indexed("unpool"),
}
