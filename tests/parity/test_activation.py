"""Activations against PyTorch: values, first and second gradients at kinks, NaN and infinity, in all dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from rushlight.tensors.functions import activation
from support.oracle import DTYPES, same

NAN, INF = float("nan"), float("inf")
KINKS = np.array(
    [-INF, -800.0, -30.0, -20.0, -6.0, -3.0, -1.0, -0.5, -0.1, -0.0, 0.0, 0.1, 0.5, 1.0, 3.0, 6.0, 19.9, 20.0, 20.1,
     800.0, INF, NAN]
)  # fmt: skip
NUMBERS = KINKS[np.isfinite(KINKS) & (np.abs(KINKS) < 100)]

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {}), ("relu6", {}), ("leaky_relu", {}), ("leaky_relu", {"negative_slope": 0.0}),
    ("leaky_relu", {"negative_slope": 1.5}), ("leaky_relu", {"negative_slope": -0.5}), ("elu", {}),
    ("elu", {"alpha": 2.0}), ("elu", {"alpha": -1.0}), ("selu", {}), ("celu", {}), ("celu", {"alpha": 0.5}),
    ("celu", {"alpha": -2.0}), ("gelu", {}), ("gelu", {"approximate": "tanh"}), ("silu", {}),
    ("mish", {}), ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 3.0}), ("softplus", {"beta": 0.5}), ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 3.0}), ("hardsigmoid", {}), ("hardswish", {}), ("softsign", {}),
    ("tanhshrink", {}), ("hardshrink", {}), ("hardshrink", {"lambd": 1.0}), ("softshrink", {}),
    ("softshrink", {"lambd": 1.0}), ("logsigmoid", {}), ("threshold", {"threshold": 0.5, "value": 20.0}), ("rrelu", {}),
]  # fmt: skip
IN_PLACE = {
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "silu",
    "mish",
    "hardtanh",
    "hardsigmoid",
    "hardswish",
}


def named(T: Any, name: str) -> Any:
    return getattr(activation if T is rushlight else torch.nn.functional, name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "words"), CALLS)
def test_values_and_gradients(name: str, words: dict[str, Any], dtype: str) -> None:
    floats = dtype.startswith("float")
    x = NUMBERS.astype(dtype) if floats else np.array([1, 0, 3, 7, 100]).astype(dtype)
    nodes = floats and name != "rrelu"
    if dtype == "float16":  # PyTorch rounds second gradients less often
        same(first_order(name, words), x, grad=False)
        return
    if name == "hardsigmoid" and floats:  # PyTorch has no second gradient, and in double the first only to 3e-8
        same(lambda T, x: named(T, name)(x), x, grad=False)
        same(first_order(name, words), x.astype(np.float32), grad=False)
        return
    same(lambda T, x: named(T, name)(x, **words), x, names=nodes)
    same(lambda T, x: named(T, name)(x, **words), np.asarray(x[2]))
    same(lambda T, x: named(T, name)(x, **words), x.reshape(-1, 1)[:, :0])
    if floats:
        same(lambda T, x: named(T, name)(x.t(), **words), np.tile(x, (150, 1)))
    if name in IN_PLACE and min(words.values(), default=0) >= 0:  # else PyTorch has no gradient
        same(lambda T, x: named(T, name)(x.clone(), inplace=True, **words), x)
        same(lambda T, x: [named(T, name)(x, inplace=True, **words) is x, x], x, grad=False)


def first_order(name: str, words: dict[str, Any]) -> Any:
    def run(T: Any, x: Any) -> list[Any]:
        x.requires_grad_()
        out = named(T, name)(x, **words)
        return [out, *T.autograd.grad(out.sum(), [x])]

    return run


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "words"), CALLS)
def test_kinks_and_extremes(name: str, words: dict[str, Any], dtype: str) -> None:
    if name == "hardsigmoid":
        dtype = "float32"
    if name != "gelu" or dtype == "float64":  # PyTorch's single precision gives either NaN or 0 for -inf * 0
        same(first_order(name, words), KINKS.astype(dtype), grad=False)
    # PyTorch's gradient at NaN depends on whether the element falls into a full vector.
    same(first_order(name, words), np.tile(KINKS[1:-2], 200).astype(dtype), grad=False)


def test_bad_arguments() -> None:
    x = np.array([1.0, 2.0])
    same(lambda T, x: named(T, "gelu")(x, approximate="cubic"), x)
    same(lambda T, x: named(T, "hardtanh")(x, 2.0, 1.0), x)
    same(lambda T, x: named(T, "celu")(x, 0.0), x)
    same(lambda T, x: named(T, "softshrink")(x, -1.0), x)
    same(lambda T, x: named(T, "hardtanh")(x, -1.0, 1.0), np.array([1, 2], np.uint8))
    for name in ("relu", "elu", "gelu", "silu", "softplus", "leaky_relu", "logsigmoid", "hardshrink", "prelu"):
        same(lambda T, n=name: named(T, n)("a"))


def test_top_level() -> None:
    x = np.array([-1.0, -0.0, 0.5, 2.0])
    for name in ("relu", "selu", "celu", "sigmoid", "tanh", "hardshrink"):
        same(lambda T, x, n=name: getattr(T, n)(x), x, names=True)
    for name in ("relu_", "selu_", "celu_"):
        same(lambda T, x, n=name: getattr(T, n)(x.clone()), x)
    same(lambda T, x: T.threshold(x, 0.1, 5.0), x)
    same(lambda T, x: T.rrelu(x, 0.1, 0.3, False), x)
    same(lambda T, x: x.relu_(), x, grad=False)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (0, 3), (2, 3, 2, 2)])
@pytest.mark.parametrize("count", [None, 1, 2, 3, 4])
def test_prelu(shape: tuple[int, ...], count: int | None) -> None:
    rng = np.random.default_rng(0)
    x = np.asarray(rng.normal(size=shape))
    weight = np.asarray(0.25) if count is None else rng.random(count)
    same(lambda T, x, w: T.prelu(x, w), x, weight)
    same(lambda T, x, w: x.prelu(w), np.where(np.abs(x) < 0.5, 0.5, x), weight)
    same(lambda T, x, w: T.prelu(x, w), x, weight.astype(np.float32))


@pytest.mark.parametrize(("shape", "dim"), [((4,), -1), ((4,), 0), ((2, 6), 1), ((2, 6), 0), ((2, 3, 4), -1), ((3,), 0),
                                            ((4,), 1), ((0, 4), 1), ((), 0), ((2, 4), -3)])  # fmt: skip
def test_glu(shape: tuple[int, ...], dim: int) -> None:
    x = np.asarray(np.random.default_rng(1).normal(size=shape))
    same(lambda T, x: named(T, "glu")(x, dim), x, names=True)
    same(lambda T, x: named(T, "glu")(x, dim), x.astype(np.float32))


def test_erf_to_a_few_ulp() -> None:
    """The error functions are computed here; PyTorch's in double precision are the judge."""
    x = np.concatenate([np.linspace(-7, 7, 20001), 10.0 ** np.linspace(-30, 0, 500)])
    for dtype, most in ((np.float64, 4), (np.float32, 5)):
        points = x.astype(dtype)
        exact = torch.erf(torch.from_numpy(points.astype(np.float64))).numpy()
        got = rushlight.erf(rushlight.from_numpy(points)).numpy().astype(np.float64)
        assert np.max(np.abs(got - exact) / np.spacing(np.abs(exact).astype(dtype))) <= most
    tail = np.linspace(0, 26, 5001)
    exact = torch.erfc(torch.from_numpy(tail)).numpy()
    assert np.max(np.abs(rushlight.erfc(rushlight.from_numpy(tail)).numpy() - exact) / np.spacing(exact)) <= 12
