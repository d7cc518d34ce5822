"""Cases for shape functions."""

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from cases.draw import arrays
from hypothesis import strategies as st


@st.composite
def indexed(draw: Any, dual: bool = False) -> dict[str, Any]:
    """A basic index beside what it looks at; for the dual, beside what it gives."""
    x = draw(arrays())
    index = draw(hnp.basic_indices(x.shape, allow_newaxis=True))
    index = index if isinstance(index, tuple) else (index,)
    if dual:
        return {"g": draw(arrays(np.asarray(x[index]).shape)), "shape": x.shape, "index": index}
    return {"input": x, "index": index}


CASES = {
    "getitem": indexed(),
    "scatter_slice": indexed(dual=True),
}
