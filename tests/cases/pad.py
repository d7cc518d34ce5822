"""Cases for padding."""

from typing import Any

from hypothesis import strategies as st

from cases.draw import arrays, shapes
from rushlight.arrays.kernels.pad import pad


@st.composite
def constant(draw: Any) -> dict[str, Any]:
    x = draw(shapes(max_dims=3).flatmap(arrays))
    pads: list[int] = []
    for size in reversed(x.shape[x.ndim - draw(st.integers(0, x.ndim)) :]):
        before = draw(st.integers(-size, 2))
        pads += [before, draw(st.integers(-(size + min(before, 0)), 2))]
    return {"input": x, "pad": tuple(pads), "value": draw(st.sampled_from([0.0, 1.5]))}


@st.composite
def copies(draw: Any, dual: bool) -> dict[str, Any]:
    dims, how = draw(st.integers(1, 3)), draw(st.sampled_from(["reflect", "replicate", "circular"]))
    size = tuple(draw(st.integers(2, 3)) for _ in range(dims))
    shape = (*draw(st.sampled_from([(1,), (2,), (1, 2), (0, 2)])), *size)
    pads: list[int] = []
    for n in reversed(size):
        before = draw(st.integers(-1, n - 1))
        room = n + min(before, 0)
        most = {"reflect": n - 1, "replicate": 3, "circular": room}[how]
        after = draw(st.integers(0, most))
        pads += [min(before, room) if how == "circular" else before, after]
    if dual:
        return {"grad": draw(arrays(pad(draw(arrays(shape)), tuple(pads), how).shape)), "shape": shape} | {
            "pad": tuple(pads),
            "how": how,
        }
    return {"input": draw(arrays(shape)), "pad": tuple(pads), "how": how}


CASES = {
    "constant_pad_nd": constant(),
    "pad_copies": copies(dual=False),
    "pad_copies_back": copies(dual=True),
}
