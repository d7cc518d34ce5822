"""Cases of tensors/ops/common.py."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays


@st.composite
def masked(draw: Any) -> dict[str, Any]:
    """A tensor and a mask of its shape."""
    x = draw(arrays())
    return {"input": x, "mask": draw(hnp.arrays(np.bool_, x.shape))}


CASES = {"keep": masked(), "drop": masked()}
