"""Cases of tensors/ops/index."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cases.draw import LINE, arrays, dims, shapes

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ advanced

ALL = slice(None)


@st.composite
def places(draw: Any) -> tuple[np.ndarray, tuple[Any, ...]]:
    """An array and what may look it up: integer arrays that broadcast, repeats likely, or one mask."""
    x = draw(arrays(min_dims=1, min_side=1))
    if draw(st.booleans()):
        begin = draw(st.integers(0, x.ndim - 1))
        mask = draw(hnp.arrays(np.bool_, x.shape[begin : draw(st.integers(begin + 1, x.ndim))]))
        return x, (*(ALL,) * begin, mask)
    spots = sorted(draw(st.lists(st.integers(0, x.ndim - 1), unique=True, min_size=1)))
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=len(spots), max_dims=2, max_side=3, min_side=0))
    index: list[Any] = [ALL] * x.ndim
    for d, shape in zip(spots, found.input_shapes, strict=True):
        index[d] = draw(hnp.arrays(np.intp, shape or (1,), elements=st.integers(-x.shape[d], x.shape[d] - 1)))
    return x, tuple(index)


@st.composite
def looked_up(draw: Any, dual: bool = False) -> dict[str, Any]:
    x, index = draw(places())
    return (
        {"g": draw(arrays(x[index].shape)), "shape": x.shape, "index": index} if dual else {"input": x, "index": index}
    )


@st.composite
def put(draw: Any) -> dict[str, Any]:
    x, index = draw(places())
    accumulate = draw(st.booleans())
    shape = x[index].shape
    values = draw(arrays(draw(st.sampled_from([shape, shape[-1:], ()]))))
    if not accumulate:  # which of several values wins is nobody's promise
        counts = np.zeros(x.shape)
        np.add.at(counts, index, 1)
        accumulate = bool(counts.size) and counts.max() > 1
    return {"input": x, "values": values, "index": index, "accumulate": accumulate}


CASES |= {
    "look_up": looked_up(),
    "place_at": looked_up(dual=True),
    "put_at": put(),
}


# ------------------------------------------------------------------ scatter, scatter_reduce, masked, take


@st.composite
def along(draw: Any, *roles: str, repeats: bool = True, wider: bool = True) -> dict[str, Any]:
    """An input of shape ``shape``, a dim, and an index that is no larger than it in the other dims."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    dim = draw(dims(len(shape), several=False, none=False))
    sizes = [draw(st.integers(1, n)) for n in shape]
    sizes[dim] = draw(st.integers(0, 4 if repeats else shape[dim]))
    index = draw(hnp.arrays(np.int64, tuple(sizes), elements=st.integers(0, shape[dim] - 1)))
    if not repeats:
        index = np.argsort(draw(arrays(shape)), dim)[tuple(slice(0, n) for n in sizes)]
    larger = tuple(n + draw(st.integers(0, 1)) for n in index.shape) if wider else index.shape
    values = {"input": shape, "g": index.shape, "src": larger}
    found: dict[str, Any] = {role: draw(arrays(values[role])) for role in roles}
    if "g" in roles:
        found["shape"] = shape
    return found | {"dim": dim, "index": index}


@st.composite
def rows(draw: Any, *roles: str, repeats: bool = True) -> dict[str, Any]:
    """An input, a dim, and a vector of indices along it, with a source that has a slice for each."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    dim = draw(dims(len(shape), several=False, none=False))
    n = shape[dim]
    index = np.array(draw(st.lists(st.integers(0, n - 1), max_size=4, unique=not repeats)), np.int64)
    slices = list(shape)
    slices[dim] = index.size
    values = {"input": shape, "g": tuple(slices), "source": tuple(slices), "value": ()}
    found: dict[str, Any] = {role: draw(arrays(values[role])) for role in roles}
    if "g" in roles:
        found["shape"] = shape
    return found | {"dim": dim, "index": index}


@st.composite
def masked(draw: Any, role: str) -> dict[str, Any]:
    """A mask and an input that broadcast together, or what the mask chose."""
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
    mask = draw(hnp.arrays(np.bool_, found.input_shapes[1]))
    if role == "g":
        chosen = int(np.broadcast_to(mask, found.result_shape).sum())
        return {"g": draw(arrays((chosen,))), "mask": mask, "shape": found.result_shape}
    case = {"input": draw(arrays(found.input_shapes[0])), "mask": mask}
    if role == "source":
        size = int(np.broadcast_to(mask, found.result_shape).sum()) + draw(st.integers(0, 2))
        case |= {"input": draw(arrays(found.result_shape)), "source": draw(arrays((size,)))}
    return case


@st.composite
def taken(draw: Any) -> dict[str, Any]:
    x = draw(arrays(min_side=1))
    return {"input": x, "index": draw(hnp.arrays(np.int64, (2, 2), elements=st.integers(-x.size, x.size - 1)))}


@st.composite
def unmasked(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    return {"input": x, "mask": draw(hnp.arrays(np.bool_, x.shape))}


@st.composite
def extremes(draw: Any) -> dict[str, Any]:
    """Values without ties: a shuffled range cut into an input and a source."""
    case = draw(along("input", "src", wider=False))
    n, m = case["input"].size, case["src"].size
    values = np.array(draw(st.permutations(range(n + m))), float) * 0.25
    case |= {"input": values[:n].reshape(case["input"].shape), "src": values[n:].reshape(case["src"].shape)}
    return case | {"largest": draw(st.booleans())}


CASES |= {
    "scatter_extreme": extremes(),
    "gather": along("input"),
    "place_along": along("g"),
    "scatter_add": along("input", "src"),
    "scatter_value": along("input").map(lambda case: case | {"value": 1.5}),
    "scatter_src": along("input", "src", repeats=False),
    "index_select": rows("input"),
    "place_rows": rows("g"),
    "index_add": rows("input", "source").flatmap(
        lambda case: st.sampled_from([1, -0.5, 2]).map(lambda alpha: case | {"alpha": alpha})
    ),
    "index_copy": rows("input", "source", repeats=False),
    "fill_rows": rows("input", "value"),
    "masked_select": masked("input"),
    "place_masked": masked("g"),
    "masked_scatter": masked("source"),
    "unmasked": unmasked(),
    "take": taken(),
}


# ------------------------------------------------------------------ embedding


@st.composite
def gathered_rows(draw: Any, dual: bool = False) -> dict[str, Any]:
    """A table, an index into it, and maybe a share of each gradient; for the dual, rows for the index."""
    height, width = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    shape = draw(shapes(max_dims=2))
    size = int(np.prod(shape))
    index = np.array(draw(st.lists(st.integers(0, height - 1), min_size=size, max_size=size)), np.int64).reshape(shape)
    share = draw(st.none() | st.just(np.full((*shape, 1), 0.5, np.float32)))
    if dual:
        return {"g": draw(arrays((*shape, width))), "index": index, "share": share, "rows": height}
    return {"input": draw(arrays((height, width))), "index": index, "share": share}


@st.composite
def table(draw: Any) -> dict[str, Any]:
    """A table whose gradient is that of its value: no padding, no scaling."""
    found = draw(gathered_rows())
    return {"input": found["index"], "weight": found["input"], "padding_idx": -1, "scale_grad_by_freq": False}


CASES |= {
    "gather_rows": gathered_rows(),
    "scatter_rows": gathered_rows(dual=True),
    "embedding": table(),
}


# ------------------------------------------------------------------ view_scatter


@st.composite
def strided(draw: Any) -> dict[str, Any]:
    size = draw(st.sampled_from([(2, 2), (3,), (), (2, 0)]))
    stride = draw(st.tuples(*[st.integers(0, 2)] * len(size)))
    x = np.array(draw(arrays((7,), LINE)))
    return {"input": x, "size": size, "stride": stride, "storage_offset": draw(st.integers(0, 2))}


CASES |= {"as_strided": strided()}
