"""Cases for Einstein summation."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays

SIZES = {0: 2, 1: 3, 2: 1, 3: 2}


@st.composite
def arranged(draw: Any, dual: bool = False) -> dict[str, Any]:
    """An operand, maybe with repeated labels, and the labels it is to have."""
    labels = tuple(draw(st.lists(st.sampled_from(sorted(SIZES)), max_size=4)))
    wanted = tuple(draw(st.permutations(sorted(set(labels)))))[: draw(st.integers(0, 4))]
    shape, small = (tuple(SIZES[one] for one in own) for own in (labels, wanted))
    if dual:
        return {"g": draw(arrays(small)), "shape": shape, "labels": labels, "wanted": wanted}
    return {"input": draw(arrays(shape)), "labels": labels, "wanted": wanted}


@st.composite
def contracted(draw: Any) -> dict[str, Any]:
    """Two operands that share some labels."""
    left = tuple(draw(st.permutations(sorted(SIZES))))[: draw(st.integers(0, 4))]
    right = tuple(draw(st.permutations(sorted(SIZES))))[: draw(st.integers(0, 4))]
    alone = set(left) ^ set(right)
    wanted = [one for one in {*left, *right} if one in alone or draw(st.booleans())]
    x, y = (draw(arrays(tuple(SIZES[one] for one in own))) for own in (left, right))
    order = tuple(draw(st.permutations(wanted)))
    return {"input": np.asarray(x), "other": np.asarray(y), "left": left, "right": right, "wanted": order}


CASES = {
    "arrange": arranged(),
    "disarrange": arranged(dual=True),
    "contract": contracted(),
}
