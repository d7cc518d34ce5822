"""Cases for shape functions: views, their duals, and changes of order."""

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays, dims, shapes


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


CASES = {
    "getitem": indexed(),
    "scatter_slice": indexed(dual=True),
    "view": reshaped(view=True),
    "unsafe_view": reshaped(view=False),
    "unsqueeze": with_dim(extra=1),
    "squeeze": squeezed(),
    "expand": expanded(),
    "copied": st.fixed_dictionaries({"input": arrays(), "order": st.sampled_from("CK")}),
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
