"""Cases of tensors/ops/backward_ops.py."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import AWAY, arrays, binary, dims, unary
from rushlight.tensors.ops.backward_ops import axes_of, keepdim_shape


@st.composite
def reduced_shape(draw: Any, back: bool) -> dict[str, Any]:
    """A whole and the shape of its sum, with or without the dims; or the sum and the shape of the whole."""
    whole = draw(arrays())
    axes = axes_of(whole, draw(dims(whole.ndim)))
    shape = keepdim_shape(whole.shape, axes)
    if draw(st.booleans()):
        gone = range(whole.ndim) if axes is None else axes
        shape = tuple(n for d, n in enumerate(shape) if d not in gone)
    if back:
        return {"input": draw(arrays(shape)), "shape": whole.shape, "axes": axes}
    return {"input": whole, "dim": axes, "shape": shape}


@st.composite
def reshaped(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    return {"input": x, "shape": draw(st.sampled_from([(x.size,), (1, x.size), x.shape, (*x.shape, 1)]))}


@st.composite
def masked(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    return {"input": x, "mask": draw(arrays(x.shape)) > 0}


@st.composite
def numbered(draw: Any, back: bool) -> dict[str, Any]:
    """Numbers along a dim, maybe the same twice; or what was found there, to be put back."""
    x = draw(arrays(min_dims=1, min_side=1))
    dim = draw(st.integers(-x.ndim, x.ndim - 1))
    count = draw(st.integers(1, 4))
    shape = list(x.shape)
    shape[dim] = count
    size = int(np.prod(shape))
    numbers = st.lists(st.integers(0, x.shape[dim] - 1), min_size=size, max_size=size)
    index = np.array(draw(numbers)).reshape(shape)
    if back:
        return {"input": draw(arrays(tuple(shape))), "index": index, "dim": dim, "shape": x.shape}
    return {"input": x, "index": index, "dim": dim, "shape": tuple(shape)}


@st.composite
def ordered(draw: Any) -> dict[str, Any]:
    x = draw(arrays(min_dims=1))
    dim = draw(st.integers(-x.ndim, x.ndim - 1))
    return {"input": x, "index": draw(arrays(x.shape)).argsort(dim), "dim": dim}


@st.composite
def along(draw: Any, *names: str, **fixed: Any) -> dict[str, Any]:
    """Arrays of one shape, and an axis counted from the front."""
    first = draw(arrays(min_dims=1))
    rest = {name: draw(arrays(first.shape)) for name in names}
    more = {name: draw(each) for name, each in fixed.items()}
    return {"input": first, **rest, "axis": draw(st.integers(0, first.ndim - 1)), **more}


CASES = {
    "sum_along": reduced_shape(back=False),
    "expand_along": reduced_shape(back=True),
    "reshape_to": reshaped(),
    "masked": masked(),
    "gather_along": numbered(back=False),
    "scatter_along": numbered(back=True),
    "ordered": ordered(),
    "reverse": along(),
    "shifted": along(by=st.sampled_from([1, -1]), fill=st.sampled_from([0.0, 1.0])),
    "recurrence": along("factor"),
    "signed_power": unary(AWAY, exponent=st.sampled_from([-1, 0, 1, 2, 0.5, 3.0])),
    "quotient": binary(AWAY, AWAY),
    "absolute_power": unary(AWAY, exponent=st.sampled_from([-1, 0, 1, 2, 0.5, 3.0])),
}
