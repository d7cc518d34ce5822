"""Cases for interpolation and for channels traded for space."""

from typing import Any

from hypothesis import strategies as st

from cases.draw import arrays

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


CASES = {
    "upsample": resized(dual=False),
    "upsample_back": resized(dual=True),
    "pixel_shuffle": shuffled("shuffle"),
    "pixel_unshuffle": shuffled("unshuffle"),
    "channel_shuffle": shuffled("channels"),
}
