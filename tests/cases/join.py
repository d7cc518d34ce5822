"""Cases for joins and repeats."""

from typing import Any

from hypothesis import strategies as st

from cases.draw import arrays, dims


@st.composite
def joined(draw: Any) -> dict[str, Any]:
    """One to three tensors that differ in size along one dim, an empty one maybe among them."""
    first = draw(arrays(min_dims=1))
    dim = draw(dims(first.ndim, several=False, none=False))
    tensors = [first]
    for _ in range(draw(st.integers(0, 2))):
        shape = list(first.shape)
        shape[dim] = draw(st.integers(0, 2))
        tensors.append(draw(arrays(tuple(shape))))
    if draw(st.booleans()):
        tensors.insert(draw(st.integers(0, len(tensors))), draw(arrays((0,))))
    return {"tensors": tensors, "dim": dim}


@st.composite
def stacked(draw: Any) -> dict[str, Any]:
    first = draw(arrays())
    tensors = [first] + [draw(arrays(first.shape)) for _ in range(draw(st.integers(0, 2)))]
    return {"tensors": tensors, "dim": draw(dims(first.ndim + 1, several=False, none=False))}


@st.composite
def repeated(draw: Any) -> dict[str, Any]:
    x = draw(arrays(max_dims=2))
    times = st.lists(st.integers(0, 2), min_size=x.ndim, max_size=x.ndim + 1)
    return {"input": x, "repeats": tuple(draw(times))}


CASES = {"cat": joined(), "stack": stacked(), "repeat": repeated()}
