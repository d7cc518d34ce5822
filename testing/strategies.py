"""Hypothesis strategies for tensors and programs: shapes, layouts and points where gradients break.

Loaded by ``rushlight.testing`` when first asked for; needs ``pip install 'rushlight[testing]'``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from .. import lazy
from ..arrays.dtypes import as_numpy, float64
from .program import Program, draw_program
from .subject import leaf

ENGINE = lazy.load("")
LAYOUTS = ("contiguous", "transposed", "strided", "offset", "broadcast")
LINE = st.floats(-3, 3).map(lambda v: round(v, 3))
AWAY = LINE.filter(lambda v: abs(v) > 0.1)
"""Numbers away from zero, where many functions have a kink or a pole."""
POSITIVE = st.floats(0.2, 3).map(lambda v: round(v, 3))


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> st.SearchStrategy[Any]:
    """Shapes, those of 0-d and empty tensors included; the simplest come first."""
    full = hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=max(min_side, 1), max_side=max_side)
    if min_side:
        return full
    return full | hnp.array_shapes(min_dims=max(min_dims, 1), max_dims=max(max_dims, 1), min_side=0, max_side=max_side)


def broadcastable_shapes(
    count: int = 2, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """Tuples of ``count`` shapes that broadcast together."""
    found = hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=max_dims, min_side=min_side, max_side=max_side)
    return found.map(lambda each: each.input_shapes)


@st.composite
def dims(draw: Any, ndim: int, several: bool = True, none: bool = True) -> Any:
    """A dim of a tensor of ``ndim`` dims, negative or not; ``several``: maybe a tuple of them; ``none``: maybe None."""
    choices: list[Any] = [st.none()] if none else []
    if ndim:
        choices.append(st.integers(-ndim, ndim - 1))
        if several:
            chosen = st.lists(st.integers(0, ndim - 1), unique=True, min_size=1, max_size=ndim)
            choices.append(chosen.map(lambda ds: tuple(d - ndim if d % 2 else d for d in ds)))
    elif not none:
        choices.append(st.sampled_from([0, -1]))
    return draw(st.one_of(choices))


def indices(shape: Sequence[int]) -> st.SearchStrategy[Any]:
    """Indices of a tensor of ``shape``: numbers, slices of positive step, None, ``...``."""
    return hnp.basic_indices(tuple(shape), allow_newaxis=True, allow_ellipsis=True).filter(_forward)


def _forward(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(part.step is None or part.step > 0 for part in parts if isinstance(part, slice))


@st.composite
def tensors(
    draw: Any,
    dtype: Any = float64,
    shape: Any = None,
    elements: Any = None,
    requires_grad: bool = True,
    layout: Any = LAYOUTS,
    distinct: bool = False,
) -> Any:
    """Tensors of ``shape``: a tuple, or a strategy; any by default, 0-d and empty ones included.

    ``dtype`` and ``elements`` may be strategies too. ``layout`` names how they may lie in memory: of ``"contiguous"``,
    ``"transposed"``, ``"strided"``, ``"offset"``, ``"broadcast"`` (several places look at one number), one or a choice;
    what does not fit a shape is contiguous. ``distinct``: no two elements are equal, nor close, so that maxima and
    orders are smooth.
    """
    kind = as_numpy(draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype)
    size = draw(shapes() if shape is None else shape if isinstance(shape, st.SearchStrategy) else st.just(tuple(shape)))
    way = draw(st.sampled_from([layout] if isinstance(layout, str) else list(layout)))
    if distinct:
        order = draw(st.permutations(range(prod(size))))
        array = np.asarray(((np.array(order, float) - prod(size) / 2) * 0.25).reshape(size).astype(kind))
        way = "contiguous" if way == "broadcast" else way
    else:
        values = elements if elements is not None else _elements(kind)
        narrow = tuple(1 if n and way == "broadcast" else n for n in size[:1]) + tuple(size[1:])
        array = draw(hnp.arrays(kind, narrow, elements=values))
    made = leaf(arranged(array, tuple(size), way), False)
    return made.requires_grad_() if requires_grad and kind.kind == "f" and way != "broadcast" else made


def _elements(kind: np.dtype[Any]) -> Any:
    if kind.kind == "f":
        return LINE.map(lambda v: float(kind.type(v)))
    return st.booleans() if kind.kind == "b" else st.integers(0 if kind.kind == "u" else -5, 5)


def arranged(array: np.ndarray[Any, Any], shape: tuple[int, ...], layout: str) -> np.ndarray[Any, Any]:
    """Return the numbers of ``array`` in another place in memory."""
    if layout == "broadcast":
        return np.lib.stride_tricks.as_strided(array, shape, _repeated(array, shape))
    if not array.ndim or layout == "contiguous":
        return array
    if layout == "transposed":
        return np.asfortranarray(array)
    step = 2 if layout == "strided" else 1
    wide = np.zeros((*array.shape[:-1], step * array.shape[-1] + 1), array.dtype)
    part = wide[..., 1:] if layout == "offset" else wide[..., : step * array.shape[-1] : step]
    part[...] = array
    return part


def _repeated(array: np.ndarray[Any, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(0 if n != m else s for n, m, s in zip(array.shape, shape, array.strides, strict=True))


SIZES = st.integers(1, 12)


@st.composite
def programs(draw: Any, size: Any = SIZES, smooth: bool = True) -> Program:
    """Random differentiable programs of views, writes in place and arithmetic, as lines of code that run.

    ``smooth`` ones call like a function of their leaves, and are differentiable there; the others also hold hooks,
    kinks, several walks backward and lines that raise.
    """
    return draw_program(lambda n: draw(st.integers(0, n - 1)), ENGINE, draw(size), smooth)
