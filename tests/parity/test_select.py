"""where, masked_fill, clamp, lerp, addcmul and addcdiv against PyTorch, at ties, bounds, NaN and infinity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.oracle import DTYPES, same

NAN, INF = float("nan"), float("inf")
POINTS = np.array([-INF, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, INF, NAN])
MASK = np.array([True, False] * 5 + [True])


def values(dtype: str) -> np.ndarray:
    if dtype.startswith("float"):
        return POINTS.astype(dtype)
    whole = np.array([3, 2, 1, 0, 5, 7, 4, 0, 1, 2, 100])
    return whole.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", ["float16", "float64", "int64", "uint8", "bool"])
def test_where(dtype: str, other: str) -> None:
    x, y = values(dtype), values(other)[::-1].copy()
    same(lambda T, m, x, y: T.where(m, x, y), MASK, x, y, names=True)
    same(lambda T, m, x, y: x.where(m, y), MASK, x, y)
    same(lambda T, m, x, y: T.where(m, x, y), MASK, x, np.asarray(y[3]), grad=dtype == other)  # sums in either dtype
    same(lambda T, m, x, y: T.where(m, x, y), MASK[:, None], x, y[:1])
    same(lambda T, m, x, y: T.where(m, x, y, out=T.zeros(11, dtype=T.result_type(x, y))), MASK, x, y, grad=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [0, 2, -1, 2.5, True, INF])
def test_where_number(dtype: str, number: Any) -> None:
    if number == INF and dtype[0] != "f":
        number = 1.5
    x = values(dtype)
    same(lambda T, m, x: T.where(m, x, number), MASK, x, names=True)
    same(lambda T, m, x: T.where(m, number, x), MASK, x)
    same(lambda T, m, x: x.where(m, number), MASK, x)
    same(lambda T, m, x: T.where(m, number, x), np.asarray(True), np.asarray(x[1]))


def test_where_of_numbers_and_alone() -> None:
    for pair in ((0.0, 1.0), (0, 1), (True, False), (1, 2.5), (True, 2)):
        same(lambda T, m, p=pair: T.where(m, *p), MASK)
    same(lambda T, x: T.where(x), np.array([[1.0, 0.0], [NAN, 2.0]]))
    same(lambda T, x: T.where(x > 0), np.array([1.0, -1.0, 2.0]))
    same(lambda T, x: T.where(x), np.asarray(1.0), grad=False)
    same(lambda T, x: T.where(x, x, x), np.arange(3))
    same(lambda T, m: T.where(True, m, m), MASK)
    same(lambda T, m: T.where(m, "a", m), MASK)
    same(lambda T, m, x: T.where(m, x, 0), MASK, np.ones(3))
    same(lambda T, m, x: T.where(m, x, 0), np.ones((0,), bool), np.ones((0,)))


@pytest.mark.filterwarnings("ignore:where received a uint8 condition")
def test_where_of_bytes() -> None:
    same(lambda T, m, x: T.where(m, x, 0), np.array([0, 2, 255], np.uint8), np.ones(3))


def test_large_masks_without_a_pattern() -> None:
    """From 1024 elements on, bits are chosen."""
    rng = np.random.default_rng(0)
    for dtype in ("float16", "float32", "float64", "int64", "int8", "bool"):
        x, y = rng.normal(size=(2, 40, 50)).astype(dtype)
        x, y = (a if a.dtype.kind != "f" else np.where(a > 1.9, NAN, a).astype(dtype) for a in (x, y))
        m = rng.random((40, 50)) > 0.5
        same(lambda T, m, x, y: T.where(m, x, y), m, x, y)
        same(lambda T, m, x, y: T.where(m.t(), x.t(), y.t()), m, x, y)
        same(lambda T, m, x, y: T.where(m[:, :1], x, y[0]), m, x, y)
        same(lambda T, m, x, y: T.where(m, x[0], y[:, :1]), m, x, y)
        same(lambda T, m, x: T.where(m, x, 1), m, x)
        same(lambda T, m, x: x.masked_fill(m, 1), m, x)
        same(lambda T, m, x: T.where(m, x.sum(), 1.0), m, x[0, 0:1].astype(np.float64))
        if dtype != "bool":
            same(lambda T, x: x.relu(), x)
            same(lambda T, x: x.clamp(-1, 1), x)
            same(lambda T, x: x.abs(), x)


def test_what_is_not_chosen_leaves_no_trace() -> None:
    x = np.array([-1.0, 0.0, 4.0])
    same(lambda T, x: T.where(x > 0, x, 0).sqrt(), x)
    same(lambda T, x: T.relu(x).sqrt(), x)
    same(lambda T, x: x.clamp(min=0).sqrt(), x)
    same(lambda T, x: x.masked_fill(x <= 0, 0).sqrt(), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [0, 2, -1, 2.5, True, NAN, 300, -300])
def test_masked_fill(dtype: str, number: Any) -> None:
    if number is NAN and dtype[0] != "f":
        number = 1
    x = values(dtype)
    same(lambda T, x, m: T.masked_fill(x, m, number), x, MASK, names=True)
    same(lambda T, x, m: x.masked_fill(m, number), x, MASK[:, None])
    same(lambda T, x, m: x.clone().masked_fill_(m, number), x, MASK)
    same(lambda T, x, m: x.masked_fill(m, number), np.asarray(x[1]), np.asarray(True))


def test_masked_fill_with_a_tensor() -> None:
    x = np.arange(11.0)
    same(lambda T, x, m, v: x.masked_fill(m, v), x, MASK, np.asarray(2.5), names=True)
    same(lambda T, x, m, v: x.masked_fill(m, v), x.astype(np.float32), MASK, np.asarray(2.5), grad=False)
    same(lambda T, x, m, v: x.clone().masked_fill_(m, v), x, MASK, np.asarray(2.5))
    same(lambda T, x, m, v: x.masked_fill(m, v), x.astype(np.int64), MASK, np.asarray(2.5), grad=False)
    same(lambda T, x, m, v: x.masked_fill(m, v), x, MASK, np.ones(11))
    same(lambda T, x, m: x.masked_fill(m, 1), x, np.arange(11))
    same(lambda T, x, m: x.masked_fill(m, 1), x, np.arange(11, dtype=np.uint8))
    same(lambda T, x, m: x.masked_fill_(m, 1), x, np.ones((2, 11), bool), grad=False)
    same(lambda T, x: x.masked_fill([True] * 11, 1), x)


BOUNDS = [(-1, 1), (0, None), (None, 1), (0.5, 0.5), (2, 1), (-0.5, INF), (NAN, 1), (None, NAN), (None, None), ("a", 1)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_clamp(dtype: str, bounds: Any) -> None:
    x = values(dtype)
    low, high = bounds
    for name in ("clamp", "clip"):
        same(lambda T, x, n=name: getattr(T, n)(x, low, high), x, names=True)
        same(lambda T, x, n=name: getattr(x, n)(min=low, max=high), x)
        same(lambda T, x, n=name: getattr(x.clone(), f"{n}_")(low, high), x)
    same(lambda T, x: x.clamp(low, high), np.asarray(x[1]))
    same(lambda T, x: x.clamp(low, high), np.tile(x, 300))
    for name, bound in (("clamp_min", low), ("clamp_max", high)):
        if bound is not None:
            same(lambda T, x, n=name, b=bound: getattr(T, n)(x, b), x, names=True)
            same(lambda T, x, n=name, b=bound: getattr(x.clone(), f"{n}_")(b), x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8"])
def test_clamp_tensors(dtype: str) -> None:
    grid = np.array([-1.0, 0.0, 1.0, NAN, INF]) if dtype[0] == "f" else np.arange(4)
    x, low, high = (a.ravel().astype(dtype) for a in np.meshgrid(grid, grid, grid))
    same(lambda T, x, a, b: T.clamp(x, a, b), x, low, high)
    same(lambda T, x, a: T.clamp(x, a), x, low)
    same(lambda T, x, a: T.clamp(x, max=a), x, low)
    same(lambda T, x, a: T.clamp_min(x, a), x, low)
    same(lambda T, x, a: x.clamp_max(a), x, low)
    same(lambda T, x, a: x.clone().clamp_(a), x, low)
    same(lambda T, x, a: x.clamp(a), x[:3], low[:1].astype(np.float64))
    same(lambda T, x, a: x.clamp(a), x[:3], np.asarray(low[0]))
    same(lambda T, x, a: x.clamp(a, 1), x, low)
    same(lambda T, x, a: x.clamp(0, a), x, low)


@pytest.mark.parametrize("dtype", DTYPES)
def test_lerp(dtype: str) -> None:
    x, y = values(dtype), np.roll(values(dtype), 3)
    for weight in (0, 0.3, 0.5, 0.7, 1, 2.0, -1.0):
        same(lambda T, x, y, w=weight: T.lerp(x, y, w), x, y, names=True)
        same(lambda T, x, y, w=weight: x.clone().lerp_(y, w), x, y)
    weights = np.linspace(-0.5, 1.5, 11).astype(dtype)
    same(lambda T, x, y, w: x.lerp(y, w), x, y, weights)
    same(lambda T, x, y, w: x.lerp(y, w), x[1:6], y[:1], np.asarray(weights[2]))
    same(lambda T, x, y: x.lerp(y, 0.5), x, y.astype(np.float64))
    same(lambda T, x, y, w: x.lerp(y, w), x, y, weights.astype(np.float64))


@pytest.mark.parametrize("dtype", DTYPES)
def test_addcmul_and_addcdiv(dtype: str) -> None:
    x = np.array([1, 2, 3, 0, 5]).astype(dtype)
    y, z = np.array([2, 1, 3, 4, 0]).astype(dtype), np.array([1, 3, 2, 5, 4]).astype(dtype)
    for name in ("addcmul", "addcdiv"):
        for value in (1, 2, -1, 0.5, 2.5):
            same(lambda T, x, y, z, n=name, v=value: getattr(T, n)(x, y, z, value=v), x, y, z, names=True)
            same(lambda T, x, y, z, n=name, v=value: getattr(x.clone(), f"{n}_")(y, z, value=v), x, y, z)
        same(lambda T, x, y, z, n=name: getattr(x, n)(y, z), x[:, None], y, z[:1])
        if dtype == "float64":
            same(lambda T, x, y, z, n=name: getattr(x, n)(y, z), x, y.astype(np.float32), z, tol=1e-6)
        same(lambda T, x, n=name: getattr(x, n)(x, 2.0), x)
