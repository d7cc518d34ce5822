"""Cases of tensors/ops/reduce."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import AWAY, LINE, UNIT, arrays, broadcast, dims, distinct, laid_out, reduced, shapes, unary
from rushlight.tensors.ops.backward_ops import axes_of, count_along

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ sums, vector_norms


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


CASES |= {
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


# ------------------------------------------------------------------ softmax


@st.composite
def along(draw: Any, names: tuple[str, ...] = ("input",), elements: Any = None) -> dict[str, Any]:
    """Inputs of one shape, and a dim."""
    x = draw(arrays(max_dims=3))
    found = {names[0]: x} | {
        name: draw(arrays(x.shape, *([] if elements is None else [elements]))) for name in names[1:]
    }
    return found | {"dim": draw(dims(x.ndim, several=False, none=False))}


CASES |= {
    "softmax": along(),
    "log_softmax": along(),
    "softmax_backward_data": along(("grad", "output"), UNIT),
    "log_softmax_backward_data": along(("grad", "output"), UNIT),
}


# ------------------------------------------------------------------ cumulative


@st.composite
def running(draw: Any, elements: Any = LINE, **fixed: Any) -> dict[str, Any]:
    """An input and one dim."""
    x = draw(arrays(elements=elements))
    return {"input": x, "dim": draw(dims(x.ndim, several=False, none=False)), **fixed}


@st.composite
def untied(draw: Any) -> dict[str, Any]:
    """Different elements, and one dim."""
    args = draw(running())
    return args | {"input": draw(distinct(args["input"].shape).map(np.asarray))}


CASES |= {
    "cumsum": running(dtype=None),
    "cumprod": running(LINE | st.just(0.0), dtype=None),
    "logcumsumexp": running(),
    "cummax": untied(),
    "cummin": untied(),
}


# ------------------------------------------------------------------ extrema, sorting


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


CASES |= {
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
