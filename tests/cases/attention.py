"""Cases for attention."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays


@st.composite
def attention(draw: Any) -> dict[str, Any]:
    """Queries, keys and values, with or without an added bias, a mask, and dropped weights."""
    lead = draw(st.sampled_from([(), (2,), (2, 1)]))
    queries, keys, width, out = (draw(st.integers(1, 3)) for _ in range(4))
    grid = (*lead, queries, keys)
    mask = np.array(draw(st.lists(st.booleans(), min_size=queries * keys, max_size=queries * keys)))
    kept = np.full(grid, 2.0, np.float32)
    kept[..., 0] = 0
    return {
        "query": draw(arrays((*lead, queries, width))),
        "key": draw(arrays((*lead, keys, width))),
        "value": draw(arrays((*lead, keys, out))),
        "bias": draw(st.none() | arrays((queries, keys)) | arrays(grid)),
        "mask": draw(st.none() | st.just(mask.reshape(queries, keys))),
        "kept": draw(st.none() | st.just(kept)),
        "scale": draw(st.sampled_from([1.0, 0.5])),
    }


CASES = {"attention": attention()}
