"""Cases for reductions and norms."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import AWAY, LINE, broadcast, dims, distinct, reduced, unary
from rushlight.tensors.ops.backward_ops import axes_of, count_along


@st.composite
def product(draw: Any) -> dict[str, Any]:
    """One dim or all, with zeros now and then."""
    return draw(reduced(LINE | st.just(0.0), several=False)) | {"dtype": None}


@st.composite
def variance(draw: Any, root: bool) -> dict[str, Any]:
    """Enough elements for the correction; for the root, none of them equal."""
    correction = draw(st.sampled_from([0, 1, 1.5]))
    args = draw(reduced(min_dims=1, min_side=1))
    if root:
        args["input"] = draw(distinct(args["input"].shape).map(np.asarray))
    least = 2 if correction == 0 and root else correction + 1
    if count_along(args["input"].shape, axes_of(args["input"], args["dim"])) < least:
        args["input"], args["dim"] = draw(distinct((3, 2))), draw(dims(2))
        if args["dim"] not in (None, 0, -2) and not isinstance(args["dim"], tuple):
            correction = 0
        args["dim"] = 0 if isinstance(args["dim"], tuple) else args["dim"]
    return args | {"correction": correction}


@st.composite
def norms(draw: Any) -> dict[str, Any]:
    """Elements of different sizes, none of them 0."""
    args = draw(reduced(min_side=1))
    x = draw(distinct(args.pop("input").shape).map(np.asarray))
    order = draw(st.sampled_from([0.5, 1, 1.5, 2, 3, -1, np.inf, -np.inf]))
    return {"x": np.asarray(x + np.sign(x + 0.1) * 0.1 + 0.05), "ord": order, "dtype": None, **args}


@st.composite
def logsums(draw: Any) -> dict[str, Any]:
    args = draw(reduced(min_side=1))
    return args | {"dim": draw(dims(args["input"].ndim, none=False))}


@st.composite
def distances(draw: Any) -> dict[str, Any]:
    args = draw(broadcast({"input": AWAY, "other": st.just(0.0)}))
    other = args["other"]
    far = np.asarray(10 + np.arange(other.size, dtype=float).reshape(other.shape))  # no difference is 0
    return args | {"other": far, "p": draw(st.sampled_from([1, 2, 3, 0.5]))}


CASES = {
    "sum": reduced().map(lambda args: args | {"dtype": None}),
    "nansum": reduced().map(lambda args: args | {"dtype": None}),
    "mean": reduced(min_side=1).map(lambda args: args | {"dtype": None}),
    "divided": unary(by=st.integers(1, 5)),
    "prod": product(),
    "var": variance(root=False),
    "std": variance(root=True),
    "logsumexp": logsums(),
    "vector_norm": norms(),
    "dist": distances(),
}
