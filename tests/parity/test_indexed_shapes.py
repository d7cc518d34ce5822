"""Which shapes of input, index and source the indexed ops take, and what comes out, over all small ones."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from support.oracle import builtin

SHAPES = ((), (0,), (1,), (2,), (1, 1), (2, 1), (2, 3), (0, 2))
INDICES: tuple[Any, ...] = ([0], [1], [], [0, 0], [3], 0, [[0]], [[0, 1]], np.zeros((0, 2)))
WITH_SOURCE = {
    "index_copy_": lambda x, dim, index, source: x.index_copy_(dim, index, source),
    "index_add_": lambda x, dim, index, source: x.index_add_(dim, index, source),
    "index_reduce_": lambda x, dim, index, source: x.index_reduce_(dim, index, source, "prod"),
    "scatter_": lambda x, dim, index, source: x.scatter_(dim, index, source),
    "scatter_add_": lambda x, dim, index, source: x.scatter_add_(dim, index, source),
    "scatter_reduce_": lambda x, dim, index, source: x.scatter_reduce_(dim, index, source, "sum"),
    "index_put_": lambda x, dim, index, source: x.index_put_((index,), source),
}
ALONE = {
    "scatter_ of a number": lambda x, dim, index, _: x.scatter_(dim, index, 0.5),
    "index_fill_": lambda x, dim, index, _: x.index_fill_(dim, index, 0.5),
    "index_select": lambda x, dim, index, _: x.index_select(dim, index),
    "gather": lambda x, dim, index, _: x.gather(dim, index),
}
OTHER_TYPE = (
    "INDICES element is out of DATA bounds",  # index_select along the last dim
    "Dimension specified as 0 but tensor has no dimensions",
    "Dimension out of range (expected to be in range of [-1, 0], but got 1)",  # of the source, not of the input
    "shape mismatch: value tensor",  # where an index is out of range as well
)
"""Where PyTorch's type of error follows from its order of checks."""


def numbers(engine: Any, shape: tuple[int, ...], start: float) -> Any:
    values = start + np.arange(prod(shape), dtype=np.float64)
    return engine.tensor(values.tolist(), dtype=engine.float64).reshape(shape)


def result(engine: Any, call: Any, x: tuple[int, ...], index: Any, dim: int, source: tuple[int, ...]) -> Any:
    places = np.array(index).astype(np.int64)
    args = engine.tensor(places.tolist(), dtype=engine.int64).reshape(places.shape), numbers(engine, source, 10.0)
    try:
        return call(numbers(engine, x, 1.0), dim, *args).tolist()
    except Exception as error:
        return error


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*WITH_SOURCE, *ALONE])
def test_shapes(name: str) -> None:
    call, sources = (WITH_SOURCE[name], SHAPES) if name in WITH_SOURCE else (ALONE[name], ((),))
    for x, index, dim, source in product(SHAPES, INDICES, (0, 1, -1), sources):
        mine, other = (result(engine, call, x, index, dim, source) for engine in (rushlight, torch))
        where = f"{name}: {x} at {np.array(index).tolist()} of {dim} from {source}: {mine!r}, PyTorch {other!r}"
        if isinstance(mine, IndexError | RuntimeError) and (0 in x or (x, str(index), source) == ((), "[0, 0]", (2,))):
            continue  # no place in what is empty; two values for one place
        if isinstance(other, Exception):
            assert isinstance(mine, builtin(other)) or (
                isinstance(mine, IndexError | RuntimeError) and any(text in str(other) for text in OTHER_TYPE)
            ), where
        else:
            assert mine == other, where


@pytest.mark.parametrize(
    ("index", "source"), [([1], ()), (1, (1,)), (1, ()), ([2, 0], (3,)), ([], ()), ([], (2,)), ([[1]], (1, 1))]
)
@pytest.mark.parametrize("name", ["scatter", "scatter_add", "index_copy"])
def test_gradient_of_a_source(name: str, index: Any, source: tuple[int, ...]) -> None:
    """A source without dims, or one of which nothing is read, gets a gradient of its own shape."""
    mine, other = (gradients(engine, name, index, source) for engine in (rushlight, torch))
    if not isinstance(other, Exception):
        assert mine == other
    elif "returned an invalid gradient" not in str(other):  # PyTorch's has the shape of the index
        assert isinstance(mine, builtin(other))


def gradients(engine: Any, name: str, index: Any, source: tuple[int, ...]) -> Any:
    """Return the first and second derivatives of a sum of cubes, or the error."""
    x, values = numbers(engine, (3,), 1.0).requires_grad_(), numbers(engine, source, 10.0).requires_grad_()
    places = np.array(index).astype(np.int64)
    place = engine.tensor(places.tolist(), dtype=engine.int64).reshape(places.shape)
    try:
        made = getattr(x, name)(0, place, values)
        first = engine.autograd.grad((made * made * made).sum(), (x, values), create_graph=True)
        total = sum((g * g).sum() for g in first)
        return [g.tolist() for g in (*first, *engine.autograd.grad(total, (x, values)))]
    except Exception as error:
        return error
