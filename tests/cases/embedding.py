"""Cases for look-up tables."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays, shapes


@st.composite
def rows(draw: Any, dual: bool = False) -> dict[str, Any]:
    """A table, an index into it, and maybe a share of each gradient; for the dual, rows for the index."""
    height, width = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    shape = draw(shapes(max_dims=2))
    size = int(np.prod(shape))
    index = np.array(draw(st.lists(st.integers(0, height - 1), min_size=size, max_size=size)), np.int64).reshape(shape)
    share = draw(st.none() | st.just(np.full((*shape, 1), 0.5, np.float32)))
    if dual:
        return {"g": draw(arrays((*shape, width))), "index": index, "share": share, "rows": height}
    return {"input": draw(arrays((height, width))), "index": index, "share": share}


@st.composite
def table(draw: Any) -> dict[str, Any]:
    """A table whose gradient is that of its value: no padding, no scaling."""
    found = draw(rows())
    return {"input": found["index"], "weight": found["input"], "padding_idx": -1, "scale_grad_by_freq": False}


CASES = {
    "gather_rows": rows(),
    "scatter_rows": rows(dual=True),
    "embedding": table(),
}
