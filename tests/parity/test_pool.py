"""Pooling against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight.nn.functional
from support.oracle import DTYPES
from support.oracle import same as same_plain
from support.values import normals

RNG = np.random.default_rng(0)
normal = normals(RNG)
SIZE = {1: (7,), 2: (7, 6), 3: (5, 6, 4)}


def same(code: Any, *args: Any, grad: bool = True, names: bool = False) -> None:
    """Compare the square, since of a linear function PyTorch and rushlight may disagree whether 0 or None is second."""

    def squared(T: Any, *given: Any) -> Any:
        out = code(T, *given)
        if isinstance(out, tuple):
            return out[0] * out[0], *out[1:]
        return out * out if isinstance(out, T.Tensor) else out

    same_plain(squared, *args, grad=grad)
    if names:
        same_plain(lambda T, x, *rest: code(T, x.requires_grad_(), *rest).grad_fn.name(), *args, grad=False)


def whole(*shape: int) -> np.ndarray:
    """Few different values, so that many are equal."""
    return RNG.integers(0, 3, shape).astype(float)


MAX: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "dilation": 2, "stride": 1},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    {"kernel_size": 3, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": ()},
]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("how", MAX, ids=str)
def test_max_pool(dims: int, how: dict[str, Any]) -> None:
    name = f"max_pool{dims}d"
    for x in (normal(2, 3, *SIZE[dims]), whole(2, *SIZE[dims])):
        same(lambda T, x: getattr(T.nn.functional, name)(x, **how), x, names=dims > 1)
        same(lambda T, x: getattr(T, name)(x, **how), x)
        same(lambda T, x: getattr(T.nn.functional, name)(x, **how, return_indices=True), x)


def test_max_pool_of_nan_and_infinity() -> None:
    x = whole(2, 6, 6)
    x[0, 1, 1] = x[0, 3, 4] = x[0, 3, 5] = np.nan
    x[1, 2, 2], x[1, 4, 4:] = np.inf, -np.inf
    same(lambda T, x: T.nn.functional.max_pool2d(x, 2, return_indices=True), x)
    same(lambda T, x: T.nn.functional.max_pool2d(x, 3, stride=1, return_indices=True), x)


def test_an_infinite_gradient_leaves_the_losers_at_zero() -> None:
    def slope(T: Any, x: Any, g: Any) -> Any:
        return T.autograd.grad(T.nn.functional.max_pool2d(x.requires_grad_(), 2), x, g)

    g = np.array([[[np.inf, np.nan], [-np.inf, 1.0]]])
    for kind in ("float16", "float32", "float64"):
        same(slope, normal(1, 4, 4, kind=kind), g.astype(kind), grad=False)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_max_pool_dtypes(kind: str, dims: int) -> None:
    x = (whole(2, *SIZE[dims]) * 4 - (0 if kind == "uint8" else 5)).astype(kind)
    same(lambda T, x: getattr(T.nn.functional, f"max_pool{dims}d")(x, 2), x)


@pytest.mark.parametrize(
    "shape", [(), (6,), (6, 6), (0, 6, 6), (2, 0, 6), (0, 2, 6, 6), (2, 0, 6, 6), (1, 2, 0, 6), (1, 1, 1, 6, 6)]
)
@pytest.mark.parametrize(
    "name", ["max_pool2d", "avg_pool2d", "adaptive_max_pool2d", "adaptive_avg_pool2d", "max_pool1d"]
)
def test_shapes(shape: tuple[int, ...], name: str) -> None:
    if (name == "avg_pool2d" and len(shape) < 3) or (name == "adaptive_avg_pool2d" and len(shape) in (0, 1)):
        with pytest.raises((IndexError, RuntimeError)):
            getattr(rushlight.nn.functional, name)(rushlight.tensor(normal(*shape)), 2)
        return
    same(lambda T, x: getattr(T.nn.functional, name)(x, 2), np.asarray(normal(*shape)), grad=0 not in shape)


BAD: list[dict[str, Any]] = [
    {"kernel_size": (1, 2, 3)},
    {"kernel_size": 2.0},
    {"kernel_size": 0, "stride": 1},
    {"kernel_size": 2, "stride": 0},
    {"kernel_size": 2, "stride": -1},
    {"kernel_size": 2, "padding": 2},
    {"kernel_size": 2, "padding": -1},
    {"kernel_size": 9},
    {"kernel_size": "2"},
]


@pytest.mark.parametrize("how", BAD, ids=str)
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_bad_numbers(how: dict[str, Any], name: str) -> None:
    same(lambda T, x: getattr(T.nn.functional, name)(x, **how), normal(2, 3, 6, 6))


def test_no_tensor() -> None:
    for name in ("max_pool2d", "avg_pool2d"):
        same(lambda T, x, name=name: getattr(T.nn.functional, name)([1.0], 2), normal(1))


@settings(max_examples=30)
@given(st.data())
def test_drawn_windows(data: st.DataObject) -> None:
    pick = lambda low, high: data.draw(st.integers(low, high))
    kernel, stride, dilation, ceil = pick(1, 4), pick(1, 4), pick(1, 2), data.draw(st.booleans())
    padding = pick(0, kernel // 2)
    x = whole(2, pick(1, 9), pick(1, 9))
    how = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}
    same(lambda T, x: T.nn.functional.max_pool2d(x, dilation=dilation, **how), x)
    same(lambda T, x: T.nn.functional.avg_pool2d(x, **how), x)


# ------------------------------------------------------------------ max pooling undone


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_max_unpool(dims: int, kind: str) -> None:
    def undone(T: Any, x: Any, **how: Any) -> Any:
        F = T.nn.functional
        out, places = getattr(F, f"max_pool{dims}d")(x, 2, return_indices=True)
        return getattr(F, f"max_unpool{dims}d")(out * out, places, 2, **how)

    x = normal(2, 3, *SIZE[dims], kind=kind)
    same(undone, x)
    same(undone, x[0].copy(), names=dims > 1)
    same(lambda T, x: undone(T, x, output_size=SIZE[dims]), x)
    same(lambda T, x: undone(T, x, output_size=x.shape), x)
    same(lambda T, x: undone(T, x, output_size=tuple(n + 9 for n in SIZE[dims])), x)
    same(lambda T, x: undone(T, x, output_size=(1, 2, 3, 4, 5, 6, 7)), x)


def test_max_unpool_of_bad_indices() -> None:
    x, places = normal(2, 3, 3), np.arange(18).reshape(2, 3, 3) % 9
    same(lambda T, x, i: T.nn.functional.max_unpool2d(x, i, 2), x, places)
    same(lambda T, x, i: T.nn.functional.max_unpool2d(x, i, 2), x, places + 40)
    same(lambda T, x, i: T.nn.functional.max_unpool2d(x, i, 2), x, -places)
    same(lambda T, x, i: T.nn.functional.max_unpool2d(x, i, 2), x, places.astype("int32"))
    same(lambda T, x, i: T.nn.functional.max_unpool2d(x, i, 2), x, places[:1].copy())


# ------------------------------------------------------------------ means

AVG: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 1, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    {"kernel_size": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False},
]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("how", AVG, ids=str)
def test_avg_pool(dims: int, how: dict[str, Any]) -> None:
    name = f"avg_pool{dims}d"
    for x in (normal(2, 3, *SIZE[dims]), normal(2, *SIZE[dims])):
        same(lambda T, x: getattr(T.nn.functional, name)(x, **how), x, names=dims > 1)
        if dims > 1:
            same(lambda T, x: getattr(T.nn.functional, name)(x, **how, divisor_override=3), x)
    if dims > 1:
        same(lambda T, x: getattr(T.nn.functional, name)(x, **how, divisor_override=0), normal(2, *SIZE[dims]))
    else:
        same(lambda T, x: T.avg_pool1d(x, **how), normal(2, 7))


@pytest.mark.parametrize("kind", DTYPES)
def test_avg_pool_dtypes(kind: str) -> None:
    x = (whole(2, 6, 6) * 4).astype(kind)
    same(lambda T, x: T.nn.functional.avg_pool2d(x, 2), x)
    same(lambda T, x: T.nn.functional.avg_pool2d(x, 2, divisor_override=-3), x)
    same(lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, 2), x)
    same(lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, 1), x)
    same(lambda T, x: T.nn.functional.adaptive_max_pool2d(x, 2), x)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("out", [1, 2, 3, 5, 7])
def test_adaptive(dims: int, out: int) -> None:
    for x in (normal(2, 3, *SIZE[dims]), whole(2, *SIZE[dims])):
        same(lambda T, x: getattr(T.nn.functional, f"adaptive_avg_pool{dims}d")(x, out), x, names=dims > 1)
        same(lambda T, x: getattr(T.nn.functional, f"adaptive_max_pool{dims}d")(x, out), x, names=dims > 1)
        same(lambda T, x: getattr(T.nn.functional, f"adaptive_max_pool{dims}d")(x, out, return_indices=True), x)


@pytest.mark.parametrize("out", [None, (None, 2), (3, None), 0, (0, 2), -1, (1, 2, 3), (2,), (1, 1), 2.0])
def test_adaptive_sizes(out: Any) -> None:
    x = normal(2, 3, 6, 5)
    grad = out not in (0, (0, 2))
    same(lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, out), x, grad=grad)
    same(lambda T, x: T.nn.functional.adaptive_max_pool2d(x, out), x, grad=grad)
    same(lambda T, x: T.nn.functional.adaptive_avg_pool1d(x[0], out), x, grad=grad)
    same(lambda T, x: T.adaptive_avg_pool1d(x[0], out), x, grad=grad)


def test_adaptive_max_of_nan() -> None:
    x = whole(2, 7, 6)
    x[0, 1, 1] = x[0, 2, 2] = x[1, 6, 5] = np.nan
    same(lambda T, x: T.nn.functional.adaptive_max_pool2d(x, (3, 4), return_indices=True), x, grad=False)


# ------------------------------------------------------------------ power means


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("power", [1, 2, 3.0, 0.5, np.inf, -np.inf])
def test_lp_pool(dims: int, power: float) -> None:
    x = abs(normal(2, 3, *SIZE[dims])) + 0.1
    for how in (
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 1},
        {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    ):
        same(lambda T, x, how=how: getattr(T.nn.functional, f"lp_pool{dims}d")(x, power, **how), x)


def test_lp_pool_at_zero_and_below() -> None:
    x = normal(2, 4, 4)
    x[0] = 0
    same(lambda T, x: T.nn.functional.lp_pool2d(x, 2, 2), x, grad=False)
    same(lambda T, x: T.nn.functional.lp_pool2d(x, 3, 2), x, grad=False)
