"""``torch.quasirandom.SobolEngine``: PyTorch's points, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from rushlight.arrays.random import sobol
from support.expressions import check, lines

ENGINES = torch, rushlight


def test_direction_numbers_of_all_dimensions() -> None:
    state = torch.zeros(sobol.DIMENSIONS, sobol.BITS, dtype=torch.long)
    torch._sobol_engine_initialize_state_(state, sobol.DIMENSIONS)
    np.testing.assert_array_equal(sobol.direction_numbers(sobol.DIMENSIONS), state.numpy())
    np.testing.assert_array_equal(sobol.direction_numbers(40), state.numpy()[:40])


def walk(engine: Any, dimension: int, scramble: bool, dtype: Any) -> list[np.ndarray]:
    made = engine.quasirandom.SobolEngine(dimension, scramble, seed=3 if scramble else None)
    kind = getattr(engine, dtype)
    found = [made.draw(dtype=kind), made.draw(6, dtype=kind)]
    found += [made.fast_forward(1000).draw(2, dtype=kind), made.fast_forward(0).draw(1, dtype=kind)]
    found += [made.reset().draw(3, dtype=kind), made.reset().fast_forward(1).draw(2), made.reset().draw_base2(4)]
    assert made.num_generated == 16
    return [one.numpy() for one in found]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scramble", [False, True])
@pytest.mark.parametrize("dimension", [1, 3, 1111])
def test_points(dimension: int, scramble: bool, dtype: str) -> None:
    theirs, ours = (walk(engine, dimension, scramble, dtype) for engine in ENGINES)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)


def test_default_generator_scrambles() -> None:
    found = []
    for engine in ENGINES:
        engine.manual_seed(5)
        found.append(engine.quasirandom.SobolEngine(4, scramble=True).draw(5).numpy())
    np.testing.assert_array_equal(*found)


CALLS = """
T.quasirandom.SobolEngine(3)
T.quasirandom.SobolEngine(3, True, 4)
T.quasirandom.SobolEngine(0)
T.quasirandom.SobolEngine(30000)
T.quasirandom.SobolEngine(2).draw(3, out=T.zeros(0))
T.quasirandom.SobolEngine(2).fast_forward(3).draw_base2(1)
T.quasirandom.SobolEngine(2).draw(0)
"""


@pytest.mark.parametrize("line", lines(CALLS))
def test_call(line: str) -> None:
    check(line)
