"""Cases for extremes and for what is read off sorted rows: no ties, as there a gradient jumps."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import dims, distinct, laid_out, shapes


@st.composite
def whole(draw: Any, least: int = 1) -> dict[str, Any]:
    """Different elements in any shape that is not empty."""
    shape = draw(shapes(min_side=least))
    return {"input": draw(laid_out(draw(distinct(shape).map(np.asarray))))}


@st.composite
def one_dim(draw: Any, keepdim: bool = True, **fixed: Any) -> dict[str, Any]:
    """Different elements, and one dim."""
    args = draw(whole())
    args["dim"] = draw(dims(args["input"].ndim, several=False, none=False))
    if keepdim:
        args["keepdim"] = draw(st.booleans())
    return args | {name: draw(each) for name, each in fixed.items()}


@st.composite
def several(draw: Any) -> dict[str, Any]:
    """Different elements, and any dims."""
    args = draw(whole())
    return args | {"dim": draw(dims(args["input"].ndim)), "keepdim": draw(st.booleans())}


@st.composite
def ranked(draw: Any, least: int, **fixed: Any) -> dict[str, Any]:
    """Different elements, one dim, and a number up to its size."""
    args = draw(one_dim(**fixed))
    size = args["input"].shape[args["dim"]] if args["input"].ndim else 1
    return args | {"k": draw(st.integers(least, size))}


@st.composite
def pairs(draw: Any) -> dict[str, Any]:
    """Two arrays without ties between them."""
    both = draw(distinct((2, 3, 2)))
    right = both[1]
    other = draw(st.sampled_from([right, right[0], right[:, :1], np.asarray(right[0, 0])]))
    return {"input": both[0], "other": other}


CASES = {
    "maximum": pairs(),
    "minimum": pairs(),
    "max_all": whole(),
    "min_all": whole(),
    "max_along": one_dim(),
    "min_along": one_dim(),
    "amax": several(),
    "amin": several(),
    "sort": one_dim(keepdim=False, descending=st.booleans(), stable=st.none() | st.booleans()),
    "topk": ranked(0, keepdim=False, largest=st.booleans(), sorted=st.booleans()),
    "kthvalue": ranked(1),
    "median_all": whole(),
    "nanmedian_all": whole(),
    "median_along": one_dim(),
    "nanmedian_along": one_dim(),
    "mode": one_dim(),
}
