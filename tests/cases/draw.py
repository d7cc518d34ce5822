"""Strategies that cases are built from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

LINE = st.floats(-3, 3).map(lambda v: round(v, 3))
AWAY = LINE.filter(lambda v: abs(v) > 0.1)  # away from a kink or a pole at zero
ABOVE = st.floats(0.2, 3).map(lambda v: round(v, 3))
UNIT = st.floats(0.05, 0.95).map(lambda v: round(v, 3))


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> Any:
    """Shapes, 0-d and empty included."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=max(min_side, 1), max_side=max_side) | (
        hnp.array_shapes(min_dims=max(min_dims, 1), max_dims=max(max_dims, 1), min_side=min_side, max_side=max_side)
        if min_side == 0
        else st.nothing()
    )


@st.composite
def laid_out(draw: Any, array: np.ndarray) -> np.ndarray:
    """The same values, maybe in another memory layout: transposed or strided (no tensor has negative strides)."""
    layout = draw(st.sampled_from(["plain", "fortran", "strided"]))
    if layout == "fortran" and array.ndim:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]))
        wide[..., ::2] = array
        return wide[..., ::2]
    return array


def arrays(shape: Any = None, elements: Any = LINE, **kwargs: Any) -> Any:
    """Float64 arrays of a shape, or of drawn shapes, in drawn memory layouts."""
    drawn = shapes(**kwargs) if shape is None else st.just(shape) if isinstance(shape, tuple) else shape
    return drawn.flatmap(lambda s: hnp.arrays(np.float64, s, elements=elements)).flatmap(laid_out)


def unary(elements: Any = LINE, **fixed: Any) -> Any:
    """One ``input`` of any shape; ``fixed`` parameters are values or strategies."""
    return st.fixed_dictionaries({"input": arrays(elements=elements), **_strategies(fixed)})


def binary(input: Any = LINE, other: Any = LINE, names: Sequence[str] = ("input", "other"), **fixed: Any) -> Any:
    """Two inputs whose shapes broadcast together."""
    return broadcast(dict(zip(names, (input, other), strict=True)), **fixed)


@st.composite
def broadcast(draw: Any, elements: dict[str, Any], **fixed: Any) -> dict[str, Any]:
    """Inputs by name, each with a strategy for its elements, whose shapes broadcast together."""
    least = draw(st.sampled_from([1, 1, 0]))  # where nothing is empty, more is seen
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=len(elements), max_dims=3, min_side=least, max_side=3))
    args = {
        name: draw(arrays(shape, each))
        for (name, each), shape in zip(elements.items(), found.input_shapes, strict=True)
    }
    return args | {name: draw(each) for name, each in _strategies(fixed).items()}


def _strategies(fixed: dict[str, Any]) -> dict[str, Any]:
    return {n: v if isinstance(v, st.SearchStrategy) else st.just(v) for n, v in fixed.items()}


def distinct(shape: tuple[int, ...], gap: float = 0.25) -> Any:
    """Arrays without ties: shuffled multiples of ``gap``, far enough apart for finite differences."""
    size = int(np.prod(shape))
    return st.permutations(range(size)).map(lambda p: (np.array(p, float) - size / 2).reshape(shape) * gap)


@st.composite
def dims(draw: Any, ndim: int, several: bool = True, none: bool = True) -> Any:
    """A dim, negative or not; with ``several`` maybe a tuple of different ones; with ``none`` maybe None."""
    choices: list[Any] = [st.none()] if none else []
    if ndim:
        choices.append(st.integers(-ndim, ndim - 1))
        if several:
            chosen = st.lists(st.integers(0, ndim - 1), unique=True, min_size=1, max_size=ndim)
            choices.append(chosen.map(lambda ds: tuple(d - ndim if d % 2 else d for d in ds)))
    elif not none:
        choices.append(st.sampled_from([0, -1]))
    return draw(st.one_of(choices))


@st.composite
def reduced(draw: Any, elements: Any = LINE, several: bool = True, none: bool = True, **kwargs: Any) -> dict[str, Any]:
    """``input``, ``dim`` and ``keepdim`` of a reduction."""
    x = draw(arrays(elements=elements, **kwargs))
    return {"input": x, "dim": draw(dims(x.ndim, several, none)), "keepdim": draw(st.booleans())}
