"""Cases for distances of all pairs, and for the loss over all alignments."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import LINE, arrays, distinct
from rushlight.autograd.kernels.ctc import alignment


@st.composite
def vectors(draw: Any, two: bool) -> dict[str, Any]:
    """Vectors of which no two share a coordinate, and no two differences the largest size."""
    lead = draw(st.sampled_from([(), (2,), (0,)])) if two else ()
    first, second, width = (draw(st.integers(1, 3)) for _ in range(3))
    count = first + second if two else first + 1
    x = draw(distinct((*lead, count, width), gap=0.5)) * np.array([1.0, 1.25, 1.6])[:width]
    p = draw(st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0] if width > 1 else [1.0, 1.5, 2.0, 3.0]))
    if not two:
        return {"input": x, "p": p}
    return {"x1": x[..., :first, :], "x2": x[..., first:, :], "p": p, "matrix": p == 2 and draw(st.booleans())}


@st.composite
def sequences(draw: Any) -> dict[str, Any]:
    steps, batch, classes, longest = draw(st.integers(1, 4)), draw(st.integers(1, 2)), 3, draw(st.integers(0, 2))
    targets = np.array(draw(st.lists(st.integers(1, 2), min_size=batch * longest, max_size=batch * longest)), np.int64)
    lengths = np.array([draw(st.integers(0, longest)) for _ in range(batch)], np.int64)
    times = np.array([draw(st.integers(min(2 * n, steps), steps)) for n in lengths], np.int64)
    how = alignment(targets.reshape(batch, longest), times, np.minimum(lengths, times // 2), 0)
    return {"log_probs": draw(arrays((steps, batch, classes), LINE)), "how": how, "zero_infinity": False,
            "normalized": False}  # fmt: skip


CASES = {"cdist": vectors(two=True), "pdist": vectors(two=False), "ctc_loss": sequences()}
