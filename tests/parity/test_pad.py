"""Padding against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight.nn.functional  # noqa: F401 - makes T.nn.functional known
from support.oracle import DTYPES, same
from support.values import normals

MODES = ["constant", "reflect", "replicate", "circular"]
RNG = np.random.default_rng(0)
normal = normals(RNG)


def padded(T: Any, x: Any, *how: Any) -> Any:
    """The square: of a linear function the engines may disagree whether 0 or None is the second derivative."""
    out = T.nn.functional.pad(x, *how)
    return out * out


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "pad", [(1, 2), (0, 0), (2, 0, 1, 1), (-1, 1, 0, -1), (1, 0, 0, 2, 1, 1), (3, 3), (-2, -2), (4, 0)]
)
def test_pad(mode: str, pad: tuple[int, ...]) -> None:
    size = (3, 4, 4)[: len(pad) // 2]
    for lead in ((2,), (2, 3), (2, 3, 1), ()):
        x = normal(*lead, *size)
        same(lambda T, x: padded(T, x, pad, mode), x)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_names(mode: str, dims: int) -> None:
    if mode == "circular":  # PyTorch writes into slices; here it is one node
        return
    name = lambda T, x: T.nn.functional.pad(x.requires_grad_(), (1, 1) * dims, mode).grad_fn.name()
    same(name, normal(2, *(3,) * dims), grad=False)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("mode", MODES)
def test_dtypes(kind: str, mode: str) -> None:
    x = (normal(1, 2, 4) * 3).astype(kind)
    same(lambda T, x: padded(T, x, (1, 2), mode), x)
    if mode == "constant":
        for value in (2.7, -1, True, float("inf") if kind.startswith("f") else 3):
            same(lambda T, x, value=value: T.constant_pad_nd(x, (1, 2), value), x, grad=False)


BAD: list[tuple[Any, ...]] = [
    ((1,),),
    ((-4, -4),),
    ((1, 1), "foo"),
    ((1, 1), "reflect", 2.0),
    ((1, 1, 1, 1), "reflect", 0.0),
    ((1, 1), "reflect"),
    ((6, 1, 0, 0), "reflect"),
    ((7, 1, 0, 0), "circular"),
    ((0, 0, -6, 0), "replicate"),
    (1,),
    ((),),
    ((1.5, 1),),
    ((1,) * 10,),
]


@pytest.mark.parametrize("how", BAD, ids=str)
def test_bad_arguments(how: tuple[Any, ...]) -> None:
    same(lambda T, x: padded(T, x, *how), normal(2, 4, 6, 6))
    same(lambda T: T.nn.functional.pad([1.0], (1, 1)))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3, 4), (2, 0, 4), (2, 3, 0)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_empty(shape: tuple[int, ...], mode: str) -> None:
    x = np.asarray(normal(*shape))
    same(lambda T, x: padded(T, x, (1, 1), mode), x, grad=False)
    same(lambda T, x: padded(T, x, (), mode), x, grad=False)


@settings(max_examples=60)
@given(st.data())
def test_drawn_pads(data: st.DataObject) -> None:
    dims, mode = data.draw(st.integers(1, 3)), data.draw(st.sampled_from(MODES))
    size = [data.draw(st.integers(1, 4)) for _ in range(dims)]
    pads = tuple(data.draw(st.integers(-2, 4)) for _ in range(2 * dims))
    x = normal(2, *size)
    # where one side crops more than the other side needs, PyTorch copies what it has not written
    kept = [n + min(pads[2 * i], 0) + min(pads[2 * i + 1], 0) for i, n in enumerate(reversed(size))]
    if mode == "circular" and any(max(pads[2 * i : 2 * i + 2]) > n or n <= 0 for i, n in enumerate(kept)):
        return
    same(lambda T, x: padded(T, x, pads, mode), x)
