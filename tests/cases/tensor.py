"""Cases of tensors/tensor: writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import LINE, arrays, broadcast


@st.composite
def copied(draw: Any) -> dict[str, Any]:
    case = draw(broadcast({"input": LINE, "src": LINE}))
    shape = np.broadcast_shapes(case["input"].shape, case["src"].shape)
    return {"input": draw(arrays(shape)), "src": case["src"]}


CASES = {
    "copy_into": copied(),
    "filled": st.fixed_dictionaries({"input": arrays(), "value": arrays(())}),
    "zeroed": st.fixed_dictionaries({"input": arrays()}),
}
