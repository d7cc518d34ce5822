"""Running sums, products and extremes, differences, norms and distances as PyTorch does them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from support.oracle import DTYPES, ENGINES, same

RNG = np.random.default_rng(0)
NAN, INF = np.nan, np.inf
X = RNG.normal(size=(2, 3, 4)).astype(np.float32)
INPUTS = [
    X,
    X.astype(np.float64),
    X.transpose(2, 0, 1),
    np.array([1.0, 2.0, 3.0]),
    np.zeros((0, 3), np.float32),
    np.zeros((3, 0), np.float32),
]


@pytest.mark.parametrize("dim", [0, 1, -1, 2, -2, 5])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp"])
def test_running(name: str, dim: int) -> None:
    for x in INPUTS:
        grad = x.size > 0  # PyTorch has no second derivative there
        same(lambda T, x: getattr(T, name)(x, dim), x, names=True, grad=grad)
        same(lambda T, x: getattr(x, name)(dim=dim), x, grad=grad)
    same(lambda T, x: getattr(T, name)(x, dim), np.array(1.5), grad=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp", "cummax", "cummin", "diff"])
def test_dtypes(name: str, dtype: str) -> None:
    x = np.array([[1, 0, 3], [2, 1, 1]]).astype(dtype)
    same(lambda T, x: getattr(T, name)(x, dim=1), x, grad=dtype == "float64")


@pytest.mark.parametrize("row", [[0.0, 2, 3], [2, 0, 3, 4], [0, 0, 3], [2, 0, 3, 0, 5], [0, 0, 0]])
def test_cumprod_beside_zeros(row: list[float]) -> None:
    same(lambda T, x: T.cumprod(x, 0), np.array(row, float))


def test_logcumsumexp_after_zeros() -> None:
    """PyTorch's gradient is NaN there."""
    x = rushlight.tensor([-INF, -INF, 0, 1], dtype=rushlight.float64, requires_grad=True)
    rushlight.logcumsumexp(x, 0).sum().backward()
    share = 1 / (1 + np.e)
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, 1 + share, 1 - share])


@pytest.mark.parametrize("row", [[0, INF, 1], [NAN, 0], [1000, 1000], [-1000, 5]])
def test_logcumsumexp_of_extremes(row: list[float]) -> None:
    found = []
    for T in ENGINES:
        x = T.tensor(row, dtype=T.float64, requires_grad=True)
        out = T.logcumsumexp(x, 0)
        out.sum().backward()
        found.append([out.detach().numpy(), x.grad.numpy()])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10)


def test_long_sums_round_as_little() -> None:
    x = np.random.default_rng(1).random((2, 500_000), dtype=np.float32)
    for name in ("cumsum", "logcumsumexp"):
        mine = getattr(rushlight, name)(rushlight.from_numpy(x), 1).numpy()
        theirs = getattr(torch, name)(torch.from_numpy(x), 1).numpy()
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_in_place_and_out() -> None:
    def written(T: Any, x: Any, name: str) -> Any:
        y = x * 1.0
        assert getattr(y, name)(1) is y
        return y

    same(lambda T, x: written(T, x, "cumsum_"), X)
    same(lambda T, x: written(T, x, "cumprod_"), X)
    for name in ("cumsum", "cumprod", "logcumsumexp"):
        same(lambda T, x, n=name: getattr(T, n)(x, 1, out=T.from_numpy(np.zeros(x.shape, "f"))), X, grad=False)
    same(lambda T, x: T.cumsum(x, 1, out=T.from_numpy(np.zeros(x.shape))), np.round(X), grad=False)


def test_missing_and_bad_dims() -> None:
    for name in ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"):
        same(lambda T, x, n=name: getattr(T, n)(x), X)
        same(lambda T, x, n=name: getattr(x, n)("a"), X)


DIFFERENCES: list[Callable[..., Any]] = [
    lambda T, x: T.diff(x),
    lambda T, x: T.diff(x, 0),
    lambda T, x: T.diff(x, 2),
    lambda T, x: T.diff(x, 9),
    lambda T, x: T.diff(x, -1),
    lambda T, x: x.diff(dim=0),
    lambda T, x: T.diff(x, 1, 1),
    lambda T, x: T.diff(x, dim=7),
    lambda T, x: T.diff(x, prepend=x, append=x * 2, n=2),
    lambda T, x: T.diff(x, prepend=T.tensor([1.0])),
    lambda T, x: T.trapezoid(x),
    lambda T, x: T.trapezoid(x, dx=2.5, dim=0),
    lambda T, x: T.trapezoid(x, T.tensor([0.0, 1.0, 3.0, 4.0])),
    lambda T, x: T.trapezoid(x, T.tensor([0.0, 1.0])),
    lambda T, x: T.trapezoid(x, T.tensor([0.0, 1.0, 3.0]), dim=1),
    lambda T, x: T.trapezoid(x, x * 2),
    lambda T, x: T.trapz(x),
    lambda T, x: T.cumulative_trapezoid(x, dx=2, dim=1),
    lambda T, x: T.cumulative_trapezoid(x, T.tensor([0.0, 1.0, 3.0, 4.0])),
]


@pytest.mark.parametrize("code", DIFFERENCES)
def test_differences(code: Callable[..., Any]) -> None:
    same(code, X)


def test_differences_of_odd_inputs() -> None:
    same(lambda T, x: T.diff(x), np.array(1.0))
    same(lambda T, x: T.diff(x), np.array([True, False, True]))
    for x in (np.zeros(0), np.zeros((2, 0)), np.ones((2, 1))):
        same(lambda T, x: T.diff(x), x, grad=False)
        same(lambda T, x: T.trapezoid(x), x, grad=False)


# ------------------------------------------------------------------ norms

ORDERS = [0, 0.5, 1, 1.5, 2, 3, INF, -INF, -1, "fro", None]


@pytest.mark.parametrize("p", ORDERS)
def test_norms(p: Any) -> None:
    x = X.astype(np.float64)
    second = p not in (0, 1, INF, -INF)  # PyTorch's second derivative of those is a tensor it cannot show
    for dim in (None, 0, -1, (0, 1), [1, 2], (), (0, 0), 4):
        for keepdim in (False, True):
            same(lambda T, x, d=dim, k=keepdim: T.norm(x, p, d, k), x, grad=second)
    same(lambda T, x: x.norm(p), x, grad=second)
    for empty in (np.zeros(0), np.zeros((0, 3)), np.zeros((3, 0))):
        same(lambda T, x: T.norm(x, p), empty, grad=False)
        same(lambda T, x: T.norm(x, p, 0), empty, grad=False)


@pytest.mark.parametrize("p", ORDERS)
def test_first_gradient_of_norms(p: Any) -> None:
    rows = ([3.0, 0, -3], [0.0, 0], [1.0, 2, -2], [NAN, 1.0], [-5.0])
    for row in rows:
        found = []
        for T in ENGINES:
            x = T.tensor(row, dtype=T.float64, requires_grad=True)
            y = T.tensor([0.0] * len(row), dtype=T.float64)
            results = [x.norm(p)] if isinstance(p, str) or p is None else [x.norm(p), T.dist(x, y, p)]
            each = []
            for out in results:
                (grad,) = T.autograd.grad(out, x, allow_unused=True)
                each += [out.detach().numpy(), np.zeros(len(row)) if grad is None else grad.numpy()]
            found.append(each)
        for mine, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-10, err_msg=str(row))


@pytest.mark.parametrize("dtype", DTYPES)
def test_norm_dtypes(dtype: str) -> None:
    x = np.array([3, 0, 4]).astype(dtype)
    same(lambda T, x: T.norm(x), x, grad=False)
    same(lambda T, x: T.dist(x, x), x, grad=False)
    for into in ("float16", "float32", "float64"):
        same(lambda T, x, d=into: T.norm(x, dtype=getattr(T, d)), x, grad=False)


def test_distances() -> None:
    for p in (2, 3, 1.5, 0.5):
        same(lambda T, x, y, p=p: T.dist(x, y, p), X.astype(np.float64), X[0, 0].astype(np.float64) + 5, names=True)
        same(lambda T, x, y, p=p: x.dist(y, p), X, np.array(9.0), grad=False)
    same(lambda T, x, y: T.dist(x, y), X, X.astype(np.float64) + 1)
    same(lambda T, x, y: T.dist(x, y), X, X[:, :2])


def test_no_difference_is_the_input_alone() -> None:
    same(lambda T, x: T.diff(x, 0, 0, x, x * 2), np.arange(3.0))
