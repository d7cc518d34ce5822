"""Cases for running sums, products and extremes."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import LINE, arrays, dims, distinct


@st.composite
def running(draw: Any, elements: Any = LINE, **fixed: Any) -> dict[str, Any]:
    """An input and one dim."""
    x = draw(arrays(elements=elements))
    return {"input": x, "dim": draw(dims(x.ndim, several=False, none=False)), **fixed}


@st.composite
def untied(draw: Any) -> dict[str, Any]:
    """Different elements, and one dim."""
    args = draw(running())
    return args | {"input": draw(distinct(args["input"].shape).map(np.asarray))}


CASES = {
    "cumsum": running(dtype=None),
    "cumprod": running(LINE | st.just(0.0), dtype=None),
    "logcumsumexp": running(),
    "cummax": untied(),
    "cummin": untied(),
}
