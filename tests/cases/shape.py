"""Cases of tensors/ops/shape."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays, dims, shapes
from rushlight.arrays.kernels.pad import pad

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ views, order, diagonal


@st.composite
def indexed(draw: Any, dual: bool = False) -> dict[str, Any]:
    """A basic index beside what it looks at; for the dual, beside what it gives."""
    x = draw(arrays())
    index = draw(hnp.basic_indices(x.shape, allow_newaxis=True))
    index = index if isinstance(index, tuple) else (index,)
    if dual:
        return {"g": draw(arrays(np.asarray(x[index]).shape)), "shape": x.shape, "index": index}
    return {"input": x, "index": index}


@st.composite
def reshaped(draw: Any, view: bool) -> dict[str, Any]:
    """A shape with as many elements, dims joined or cut."""
    x = draw(hnp.arrays(np.float64, shapes(), elements=st.integers(-3, 3))) if view else draw(arrays())
    shape = draw(st.sampled_from([(x.size,), (1, *x.shape, 1), x.shape[::-1], (-1,)]))
    return {"input": x, "shape": shape}


@st.composite
def with_dim(draw: Any, extra: int = 0, **more: Any) -> dict[str, Any]:
    """An input and one dim, of one more dim with ``extra``."""
    x = draw(arrays())
    return {"input": x, "dim": draw(dims(x.ndim + extra, several=False, none=False))} | {
        name: draw(value) for name, value in more.items()
    }


@st.composite
def squeezed(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    return {"input": x, "dim": draw(dims(x.ndim))}


@st.composite
def expanded(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    lead = draw(st.lists(st.integers(0, 2), max_size=2))
    sizes = [draw(st.integers(0, 3)) if n == 1 else draw(st.sampled_from([n, -1])) for n in x.shape]
    return {"input": x, "size": (*lead, *sizes)}


@st.composite
def two_dims(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    each = dims(x.ndim, several=False, none=False)
    return {"input": x, "dim0": draw(each), "dim1": draw(each)}


@st.composite
def permuted(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    order = draw(st.permutations(range(x.ndim)))
    return {"input": x, "dims": tuple(d - x.ndim if d % 2 else d for d in order)}


@st.composite
def flipped(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    return {"input": x, "dims": draw(dims(x.ndim, none=False))}


@st.composite
def turned(draw: Any) -> dict[str, Any]:
    x = draw(arrays(min_dims=2))
    plane = draw(st.permutations(range(x.ndim)))[:2]
    return {"input": x, "k": draw(st.integers(-4, 4)), "dims": tuple(plane)}


@st.composite
def rolled(draw: Any) -> dict[str, Any]:
    x = draw(arrays())
    if not x.ndim or draw(st.booleans()):
        return {"input": x, "shifts": draw(st.integers(-4, 4)), "dims": None}
    where = draw(st.lists(st.integers(-x.ndim, x.ndim - 1), min_size=1, max_size=3))
    return {"input": x, "shifts": tuple(draw(st.integers(-4, 4)) for _ in where), "dims": tuple(where)}


@st.composite
def diagonals(draw: Any, dual: bool = False) -> dict[str, Any]:
    x = draw(arrays(min_dims=2))
    dim1, dim2 = draw(st.permutations(range(x.ndim)))[:2]
    offset = draw(st.integers(-2, 2))
    where = {"offset": offset, "dim1": dim1, "dim2": dim2 - x.ndim}
    if dual:
        return {"g": draw(arrays(np.diagonal(x, offset, dim1, dim2).shape)), "shape": x.shape} | where
    return {"input": x} | where


@st.composite
def embedded(draw: Any) -> dict[str, Any]:
    x = draw(arrays(min_dims=1, max_dims=2))
    dim1, dim2 = draw(st.permutations(range(x.ndim + 1)))[:2]
    return {"input": x, "offset": draw(st.integers(-2, 2)), "dim1": dim1, "dim2": dim2}


@st.composite
def windows(draw: Any, dual: bool = False) -> dict[str, Any]:
    x = draw(arrays(max_side=4))
    dim = draw(dims(x.ndim, several=False, none=False))
    length = x.shape[dim] if x.ndim else 1
    size, step = draw(st.integers(0, length)), draw(st.integers(1, 3))
    where = {"dimension": dim, "size": size, "step": step}
    if not dual:
        return {"input": x} | where
    shape = list(x.shape)
    if x.ndim:
        shape[dim] = (length - size) // step + 1
    return {"g": draw(arrays((*shape, size))), "shape": x.shape} | where


def matrix(**more: Any) -> Any:
    return st.fixed_dictionaries({"input": arrays(min_dims=2), **more})


CASES |= {
    "getitem": indexed(),
    "scatter_slice": indexed(dual=True),
    "view": reshaped(view=True),
    "unsafe_view": reshaped(view=False),
    "unsqueeze": with_dim(extra=1),
    "squeeze": squeezed(),
    "expand": expanded(),
    "transpose": two_dims(),
    "t": st.fixed_dictionaries({"input": arrays(max_dims=2)}),
    "permute": permuted(),
    "flip": flipped(),
    "rot90": turned(),
    "roll": rolled(),
    "diagonal": diagonals(),
    "place_diagonal": diagonals(dual=True),
    "diag_embed": embedded(),
    "tril": matrix(diagonal=st.integers(-3, 3)),
    "triu": matrix(diagonal=st.integers(-3, 3)),
    "unfold_dim": windows(),
    "place_windows": windows(dual=True),
}


# ------------------------------------------------------------------ join


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


CASES |= {"cat": joined(), "stack": stacked(), "repeat": repeated()}


# ------------------------------------------------------------------ pad


@st.composite
def constant(draw: Any) -> dict[str, Any]:
    x = draw(shapes(max_dims=3).flatmap(arrays))
    pads: list[int] = []
    for size in reversed(x.shape[x.ndim - draw(st.integers(0, x.ndim)) :]):
        before = draw(st.integers(-size, 2))
        pads += [before, draw(st.integers(-(size + min(before, 0)), 2))]
    return {"input": x, "pad": tuple(pads), "value": draw(st.sampled_from([0.0, 1.5]))}


@st.composite
def copies(draw: Any, dual: bool) -> dict[str, Any]:
    dims, how = draw(st.integers(1, 3)), draw(st.sampled_from(["reflect", "replicate", "circular"]))
    size = tuple(draw(st.integers(2, 3)) for _ in range(dims))
    shape = (*draw(st.sampled_from([(1,), (2,), (1, 2), (0, 2)])), *size)
    pads: list[int] = []
    for n in reversed(size):
        before = draw(st.integers(-1, n - 1))
        room = n + min(before, 0)
        most = {"reflect": n - 1, "replicate": 3, "circular": room}[how]
        after = draw(st.integers(0, most))
        pads += [min(before, room) if how == "circular" else before, after]
    if dual:
        return {"grad": draw(arrays(pad(draw(arrays(shape)), tuple(pads), how).shape)), "shape": shape} | {
            "pad": tuple(pads),
            "how": how,
        }
    return {"input": draw(arrays(shape)), "pad": tuple(pads), "how": how}


CASES |= {
    "constant_pad_nd": constant(),
    "pad_copies": copies(dual=False),
    "pad_copies_back": copies(dual=True),
}
