"""The kernels that work in blocks: as accurate as promised, right at the edges, in any memory layout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.arrays.kernels import activation, argmax, attention, softmax

F = torch.nn.functional
POINTS = np.concatenate([np.linspace(-12, 12, 4001), [0.0, -0.0, 1e-30, 1e-8, 30.0, -30.0, 88.0, -88.0, 700.0, -700.0]])


def share(x: float) -> float:
    return 0.5 * math.erfc(-x * math.sqrt(0.5))


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else math.exp(x)


def by_cubic(x: float) -> float:
    return x * logistic(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)) if x > -12 else 0.0


def bell(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


VALUES: dict[str, Any] = {
    "sigmoid": (torch.sigmoid, logistic, lambda x: logistic(x) * logistic(-x)),
    "silu": (F.silu, lambda x: x * logistic(x), lambda x: logistic(x) * (1 + x * logistic(-x))),
    "gelu": (F.gelu, lambda x: x * share(x), lambda x: share(x) + x * bell(x)),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), by_cubic, None),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(("dtype", "within"), [("float32", 2.5e-7), ("float64", 1e-14)])
def test_accuracy(name: str, dtype: str, within: float) -> None:
    function, value, slope = VALUES[name]
    points = np.tile(POINTS.astype(dtype), 20)  # several blocks
    assert points.nbytes > activation.BLOCK_BYTES
    x = torch.tensor(points, requires_grad=True)
    out = function(x)
    exact = np.array([value(float(v)) for v in POINTS.astype(dtype)])
    error = np.abs(out.detach().numpy().reshape(20, -1) - exact) / np.maximum(1, np.abs(exact))
    assert error.max() < within
    if slope is not None:
        (g,) = torch.autograd.grad(out.sum(), x)
        exact = np.array([slope(float(v)) for v in POINTS.astype(dtype)])
        assert np.abs(g.numpy().reshape(20, -1) - exact).max() < 8 * within


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_edges(name: str, dtype: Any) -> None:
    function = VALUES[name][0]
    odd = [math.inf, math.nan, 1e5, -1e5, 1e15, -1e15]
    x = torch.tensor(odd * 20000, dtype=dtype, requires_grad=True)
    out = function(x)
    top, nan, *rest = out.detach()[:6].tolist()
    assert top == (1.0 if name == "sigmoid" else math.inf)
    assert math.isnan(nan)
    large = torch.tensor(odd[2::2], dtype=dtype).tolist()
    wanted = [1.0, 0.0, 1.0, 0.0] if name == "sigmoid" else [large[0], 0.0, large[1], 0.0]
    assert rest == wanted
    (g,) = torch.autograd.grad(out.sum(), x)
    slopes = g[2:6].tolist()
    assert slopes == ([0.0] * 4 if name == "sigmoid" else [1.0, 0.0, 1.0, 0.0])
    assert torch.equal(out[:6].isnan(), out[-6:].isnan())


@pytest.mark.parametrize("name", VALUES)
def test_layouts(name: str) -> None:
    function = VALUES[name][0]
    base = np.random.default_rng(0).normal(size=(300, 400)).astype(np.float32)
    plain = function(torch.tensor(base)).numpy()
    turned = torch.tensor(base.T.copy(), requires_grad=True)
    out = function(turned.T)
    np.testing.assert_array_equal(out.detach().numpy(), plain)
    wide = torch.tensor(np.repeat(base, 2, 1))[:, ::2]
    np.testing.assert_array_equal(function(wide).numpy(), plain)
    (g,) = torch.autograd.grad(out, turned, torch.ones(300, 400))
    x = torch.tensor(base, requires_grad=True)
    (wanted,) = torch.autograd.grad(function(x), x, torch.ones(300, 400))
    np.testing.assert_array_equal(g.numpy(), wanted.numpy().T)


@pytest.mark.parametrize("shape", [(2000, 300), (8, 70000), (40, 50, 90), (200001,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_in_blocks(shape: tuple[int, ...], dtype: str) -> None:
    x, g = np.random.default_rng(1).normal(size=(2, *shape)).astype(dtype) * 2
    within = 2e-6 if dtype == "float32" else 1e-14
    for dim in range(len(shape)):
        wide = x.astype(np.float128 if dtype == "float64" else np.float64)
        powers = np.exp(wide - wide.max(dim, keepdims=True))
        exact = powers / powers.sum(dim, keepdims=True)
        y, z = softmax.softmax(x, dim), softmax.log_softmax(x, dim)
        assert np.abs(y - exact).max() < within
        assert (np.abs(z - np.log(exact)) / np.maximum(1, np.abs(z))).max() < within
        size = np.abs(g * exact).sum(dim, keepdims=True) + np.abs(g)
        assert (
            np.abs(softmax.softmax_slope(g, y, dim) - exact * (g - (g * exact).sum(dim, keepdims=True))) / size
        ).max() < (within)
        total = g.astype(wide.dtype).sum(dim, keepdims=True)
        scale = np.abs(g).sum(dim, keepdims=True)
        assert (np.abs(softmax.log_softmax_slope(g, z, dim) - (g - exact * total)) / scale).max() < within


def test_softmax_of_rows_with_nan_and_infinity() -> None:
    x = np.zeros((3000, 100), np.float32)
    x[1, 3], x[2, 4], x[3], x[4, 5] = np.nan, np.inf, -np.inf, -np.inf
    y = softmax.softmax(x, 1)
    assert np.isnan(y[1:4]).all()
    assert not np.isnan(y[[0, *range(4, 3000)]]).any()
    assert y[4, 5] == 0


@pytest.mark.parametrize("shape", [(300, 40), (5, 70, 30), (2, 3, 500, 17), (40000, 20)])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool"])
def test_first_places(shape: tuple[int, ...], dtype: str) -> None:
    x = np.random.default_rng(2).integers(0, 9, shape).astype(dtype)  # many ties
    for axis in range(len(shape)):
        for keepdim in (False, True):
            for best, place in ((np.maximum, np.ndarray.argmax), (np.minimum, np.ndarray.argmin)):
                values = best.reduce(x, axis, keepdims=keepdim)
                found = argmax.first_place(x, values, axis, keepdim, place)
                np.testing.assert_array_equal(found, place(x, axis, keepdims=keepdim))
                assert found.dtype == np.int64


def test_first_places_of_nan() -> None:
    x = np.random.default_rng(3).normal(size=(300, 40)).astype(np.float32)
    x[7, 3] = x[9, 3] = np.nan
    values, places = torch.tensor(x).max(0)
    assert values.isnan().tolist() == [n == 3 for n in range(40)]
    np.testing.assert_array_equal(places.numpy(), x.argmax(0))


def test_attention_shifts_scores_only_where_it_must() -> None:
    """Both ways give the same weights; with scores of 200 only the shifted one has no infinity."""
    q, k = np.random.default_rng(4).normal(size=(2, 3, 6, 8))
    plain, share_of = attention.weights(q, k, None, None, 0.3)
    shifted, share_too = attention.weights(q, k, np.zeros((6, 6)), None, 0.3)
    assert np.abs(shifted.max(-1) - 1).max() == 0
    assert np.abs(plain.max(-1) - 1).min() > 1e-3
    np.testing.assert_allclose(plain * share_of, shifted * share_too, rtol=1e-13)
    powers, sums = attention.weights(q * 1e3, k, None, None, 1.0)
    assert np.isfinite(powers).all()
    np.testing.assert_allclose((powers * sums).sum(-1), 1, rtol=1e-12)


def test_attention_lays_results_out_as_queries() -> None:
    """So that a transposed result of heads becomes one tensor of features without a copy."""
    x = torch.randn(2, 5, 3, 4)  # batch, places, heads, features
    q = x.transpose(1, 2)
    out = F.scaled_dot_product_attention(q, q, q).transpose(1, 2)
    assert out.is_contiguous()
