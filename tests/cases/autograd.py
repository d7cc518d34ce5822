"""Cases of autograd/: ops that fit gradients to their inputs, and writes through views."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays, unary
from rushlight.tensors.ops.shape.views import getitem


@st.composite
def broadcast_shapes(draw: Any, wide_input: bool) -> dict[str, Any]:
    """An input and a target shape, one of them broadcast from the other."""
    narrow = draw(arrays())
    lead = draw(st.lists(st.integers(0, 2), max_size=2))
    wide = (*lead, *(draw(st.integers(0, 3)) if n == 1 else n for n in narrow.shape))
    if wide_input:
        return {"input": draw(arrays(wide)), "shape": narrow.shape}
    return {"input": narrow, "shape": wide}


@st.composite
def written(draw: Any) -> dict[str, Any]:
    """A base, steps that look at a part of it, and a value that fits there."""
    base = draw(arrays((3, 4)))
    index = draw(st.sampled_from([(0,), (slice(1, None),), (slice(None), 1), (Ellipsis, slice(0, 4, 2)), ()]))
    steps = ((getitem, (index,)),)
    return {"base": base, "value": draw(arrays(np.zeros((3, 4))[index].shape)), "view_ops": steps}


CASES = {
    "sum_to": broadcast_shapes(wide_input=True),
    "expand_to": broadcast_shapes(wide_input=False),
    "convert": unary(dtype=np.dtype(np.float64)),
    "copied": st.fixed_dictionaries({"input": arrays(), "order": st.sampled_from("CK")}),
    "copy_slices": written(),
}
