"""Cases for softmax."""

from typing import Any

from hypothesis import strategies as st

from cases.draw import UNIT, arrays, dims


@st.composite
def along(draw: Any, names: tuple[str, ...] = ("input",), elements: Any = None) -> dict[str, Any]:
    """Inputs of one shape, and a dim."""
    x = draw(arrays(max_dims=3))
    found = {names[0]: x} | {
        name: draw(arrays(x.shape, *([] if elements is None else [elements]))) for name in names[1:]
    }
    return found | {"dim": draw(dims(x.ndim, several=False, none=False))}


CASES = {
    "softmax": along(),
    "log_softmax": along(),
    "softmax_backward_data": along(("grad", "output"), UNIT),
    "log_softmax_backward_data": along(("grad", "output"), UNIT),
}
