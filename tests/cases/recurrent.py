"""Cases for recurrent layers: a cell, as many sequences at each step, or sequences that end or begin on the way."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import ABOVE, LINE, arrays

SMALL = LINE.map(lambda v: v / 3)  # far from where the gates are flat


@st.composite
def layers(draw: Any, gates: int, cells: bool = False, **fixed: Any) -> dict[str, Any]:
    """All inputs of a layer with so many gates."""
    batch, size, inputs = draw(st.integers(0, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    projected = draw(st.none() | st.integers(1, 2)) if cells else None
    width = projected or size
    kind = draw(st.sampled_from(["cell", "rows", "packed"]))
    if kind == "cell" or batch == 0:
        steps, rows = None, (batch,)
    elif kind == "rows":
        long = draw(st.integers(1, 3))
        steps, rows = tuple((n * batch, (n + 1) * batch) for n in range(long)), (long, batch)
    else:
        sizes = sorted(draw(st.lists(st.integers(1, batch), min_size=1, max_size=3)), reverse=True)
        sizes[0] = batch
        ends = np.cumsum(sizes).tolist()
        steps, rows = tuple(zip([0, *ends[:-1]], ends, strict=True)), (ends[-1],)
    if steps is not None and draw(st.booleans()):
        steps = steps[::-1]
    given = {
        "input": draw(arrays((*rows, inputs), SMALL)),
        "hx": draw(arrays((batch, width), SMALL)),
        "weight_ih": draw(arrays((gates * size, inputs), SMALL)),
        "weight_hh": draw(arrays((gates * size, width), SMALL)),
        "bias_ih": draw(st.none() | arrays((gates * size,), SMALL)),
        "bias_hh": draw(st.none() | arrays((gates * size,), SMALL)),
        "steps": steps,
        **fixed,
    }
    if cells:
        given["cx"] = draw(arrays((batch, size), SMALL))
        given["weight_hr"] = None if projected is None else draw(arrays((width, size), SMALL))
    return given


@st.composite
def elman(draw: Any) -> dict[str, Any]:
    """With relu, all that goes into it is far from 0: the input decides."""
    nonlinearity = draw(st.sampled_from(["tanh", "relu"]))
    given = draw(layers(1, nonlinearity=nonlinearity))
    if nonlinearity == "relu":
        rows, inputs, size = given["input"].shape[:-1], given["input"].shape[-1], given["hx"].shape[1]
        signs = np.where(np.arange(size) % 2, -1.0, 1.0)
        given["input"] = draw(arrays((*rows, inputs), ABOVE))
        given["weight_ih"] = signs[:, None] * draw(arrays((size, inputs), ABOVE))
        given["weight_hh"] = signs[:, None] * np.abs(draw(arrays((size, size), SMALL))) * 0.1
        given["hx"] = np.abs(given["hx"])
        given["bias_ih"] = given["bias_hh"] = None
    return given


CASES = {"lstm_steps": layers(4, cells=True), "gru_steps": layers(3), "elman_steps": elman()}
