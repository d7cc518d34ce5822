"""Cases for distances of all pairs, and for the loss over all alignments."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import LINE, arrays, distinct
from rushlight.arrays.kernels.ctc import alignment


@st.composite
def vectors(draw: Any, two: bool) -> dict[str, Any]:
    """Vectors of which no two share a coordinate, and no two differences the largest size."""
    lead = draw(st.sampled_from([(), (2,), (0,)])) if two else ()
    first, second, width = (draw(st.integers(1, 3)) for _ in range(3))
    count = first + second if two else first + 1
    x = draw(distinct((*lead, count, width), gap=0.5)) * np.array([1.0, 1.2345, 1.6789])[:width]
    p = draw(st.sampled_from([3.0, 2.0, 1.0, np.inf, 1.5, 0.0] if width > 1 else [1.0, 1.5, 2.0, 3.0]))
    if not two:
        return {"input": x, "p": p}
    return {"x1": x[..., :first, :], "x2": x[..., first:, :], "p": p, "matrix": p == 2 and draw(st.booleans())}


@st.composite
def sequences(draw: Any) -> dict[str, Any]:
    """Scores, and alignments of labels that differ or do not, with enough steps for them."""
    steps, batch, classes = draw(st.sampled_from([3, 4, 5, 2, 1])), draw(st.integers(1, 2)), 3
    longest = min(draw(st.sampled_from([2, 1, 0])), (steps + 1) // 2)
    targets = np.array([draw(st.sampled_from([(2, 1), (1, 2), (1, 1)])) for _ in range(batch)], np.int64)
    lengths = np.array([draw(st.sampled_from([longest, longest // 2])) for _ in range(batch)], np.int64)
    times = np.array([draw(st.sampled_from([steps, max(2 * n - 1, steps - 1)])) for n in lengths], np.int64)
    how = alignment(targets[:, :longest], times, lengths, 0)
    return {"log_probs": draw(arrays((steps, batch, classes), LINE)), "how": how, "zero_infinity": False,
            "normalized": False}  # fmt: skip


CASES = {"cdist": vectors(two=True), "pdist": vectors(two=False), "ctc_loss": sequences()}
