"""Cases for functions of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays


@st.composite
def square(draw: Any) -> dict[str, Any]:
    n, lead = draw(st.integers(0, 3)), draw(st.sampled_from([(), (2,), (0,)]))
    return {"input": draw(arrays((*lead, n, n)))}


@st.composite
def system(draw: Any) -> dict[str, Any]:
    """Matrices that are far from singular, and right sides."""
    n, k, lead = draw(st.integers(0, 3)), draw(st.integers(0, 2)), draw(st.sampled_from([(), (2,)]))
    drawn = draw(arrays((*lead, n, n)))
    return {"input": np.tanh(drawn) + 5 * np.eye(n), "other": draw(arrays((*lead, n, k)))}


CASES = {"matrix_exp": square(), "solve": system()}
