"""Cases for look-ups by arrays and masks, and for writes."""

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cases.draw import LINE, arrays, broadcast

ALL = slice(None)


@st.composite
def places(draw: Any) -> tuple[np.ndarray, tuple[Any, ...]]:
    """An array and what may look it up: integer arrays that broadcast, repeats likely, or one mask."""
    x = draw(arrays(min_dims=1, min_side=1))
    if draw(st.booleans()):
        begin = draw(st.integers(0, x.ndim - 1))
        mask = draw(hnp.arrays(np.bool_, x.shape[begin : draw(st.integers(begin + 1, x.ndim))]))
        return x, (*(ALL,) * begin, mask)
    spots = sorted(draw(st.lists(st.integers(0, x.ndim - 1), unique=True, min_size=1)))
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=len(spots), max_dims=2, max_side=3, min_side=0))
    index: list[Any] = [ALL] * x.ndim
    for d, shape in zip(spots, found.input_shapes, strict=True):
        index[d] = draw(hnp.arrays(np.intp, shape or (1,), elements=st.integers(-x.shape[d], x.shape[d] - 1)))
    return x, tuple(index)


@st.composite
def looked_up(draw: Any, dual: bool = False) -> dict[str, Any]:
    x, index = draw(places())
    return (
        {"g": draw(arrays(x[index].shape)), "shape": x.shape, "index": index} if dual else {"input": x, "index": index}
    )


@st.composite
def put(draw: Any) -> dict[str, Any]:
    x, index = draw(places())
    accumulate = draw(st.booleans())
    shape = x[index].shape
    values = draw(arrays(draw(st.sampled_from([shape, shape[-1:], ()]))))
    if not accumulate:  # which of several values wins is nobody's promise
        counts = np.zeros(x.shape)
        np.add.at(counts, index, 1)
        accumulate = bool(counts.size) and counts.max() > 1
    return {"input": x, "values": values, "index": index, "accumulate": accumulate}


@st.composite
def copied(draw: Any) -> dict[str, Any]:
    case = draw(broadcast({"input": LINE, "src": LINE}))
    shape = np.broadcast_shapes(case["input"].shape, case["src"].shape)
    return {"input": draw(arrays(shape)), "src": case["src"]}


CASES = {
    "look_up": looked_up(),
    "place_at": looked_up(dual=True),
    "put_at": put(),
    "copy_into": copied(),
    "filled": st.fixed_dictionaries({"input": arrays(), "value": arrays(())}),
    "zeroed": st.fixed_dictionaries({"input": arrays()}),
}
