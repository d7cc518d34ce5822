"""Numbers of every size: where float32 holds a result, it is right, though squares and products of them do not fit.

Every op runs at its case's numbers times 1e-30 … 1e30, all inputs together and each alone; what float32 gives is held
against what float64 gives for the same numbers. The functions made of ops follow, and the places where differences of
numbers near each other would leave nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch
from cases import CASES
from rushlight import tensors
from rushlight.autograd.primitive import PRIMITIVES
from rushlight.nn.utils.weight_norm import weight_of
from support.magnitudes import scaled, wrong_at
from support.op_gradients import inputs_of

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):  # some load on demand
    import_module(_module.name)

F = torch.nn.functional
FACTORS = [1e-30, 1e-20, 1e20, 1e30]

_PRODUCTS = "sums of products that do not fit, as in any matrix product: inf less inf"
OPT_OUT = {
    "addbmm": _PRODUCTS,
    "addmv": _PRODUCTS,
    "addr": _PRODUCTS,
    "attention": _PRODUCTS,
    "baddbmm": _PRODUCTS,
    "elman_step": _PRODUCTS,
    "elman_steps": _PRODUCTS,
    "gru_step": _PRODUCTS,
    "gru_steps": _PRODUCTS,
    "lstm_step": _PRODUCTS,
    "lstm_steps": _PRODUCTS,
    "recurrence": "powers of the factors, which do not fit, times zero",
    "cumprod": "its second derivative is made of products that do not fit",
    "prod": "its second derivative is made of products that do not fit",
    "determinant": "a product of as many numbers as the matrix has rows",
    "qr_factors": "its second derivative divides by two small numbers in turn",
    "solved": "divides by a small matrix in turn",
    "log_ndtr": "its second derivative divides by the square of a number that is tiny far below 0",
    "pow_tensor": "its second derivative is an exponent times a power that does not fit",
    "binary_cross_entropy": "refuses what is no probability",
    "ctc_loss": "logarithms of probabilities have no such size",
}
"""Ops that are not held to it, each with the reason."""


@pytest.mark.parametrize("name", sorted({name for name, op in PRIMITIVES.items() if op.inputs} - OPT_OUT.keys()))
@given(data=st.data(), factor=st.sampled_from(FACTORS))
@settings(max_examples=8)
def test_float32_is_right_wherever_it_holds_the_result(name: str, data: Any, factor: float) -> None:
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    which = data.draw(st.sampled_from([None, *inputs_of(op, args)]))
    assert not wrong_at(op, scaled(op, args, factor, which))


# ------------------------------------------------------------------ functions made of ops

POINTS = np.array([[1.0, 2.5, -4.0, 0.7], [3.0, -1.0, 0.5, 2.0], [-2.0, 1.5, 1.0, -3.5]])
SQUARE = np.array([[4.0, 1.0, 0.3], [1.0, -3.0, 1.0], [0.2, 1.0, 2.0]])
OTHER = POINTS[::-1] * [0.5, 1.5, -1.0, 2.0]
IMAGES = np.resize(POINTS, (2, 6, 4)) * np.linspace(0.5, 1.5, 48).reshape(2, 6, 4)


def _like(values: np.ndarray, x: Any, by: float = 1.0) -> Any:
    return torch.tensor(values * by).to(x.dtype)


ALIKE: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "std": (lambda x, by: torch.std(x, 1), POINTS),
    "std_mean": (lambda x, by: torch.std_mean(x, 0)[0], POINTS),
    "hypot": (lambda x, by: torch.hypot(x[0], x[1]), POINTS),
    "dist": (lambda x, by: torch.dist(x, _like(OTHER, x, by), 2), POINTS),
    "cdist by a product": (
        lambda x, by: torch.cdist(x, _like(OTHER, x, by), compute_mode="use_mm_for_euclid_dist"),
        POINTS,
    ),
    "pairwise_distance": (lambda x, by: F.pairwise_distance(x, _like(OTHER, x, by), eps=0.0), POINTS),
    "lp_pool2d": (lambda x, by: F.lp_pool2d(x, 2.0, 2), IMAGES),
    "lp_pool1d, 3": (lambda x, by: F.lp_pool1d(x.abs(), 3.0, 2), IMAGES),
    **{
        f"matrix_norm {order}": (lambda x, by, order=order: torch.linalg.matrix_norm(x, order), SQUARE)
        for order in ("fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf)
    },
    **{
        f"vector_norm {order}": (lambda x, by, order=order: torch.linalg.vector_norm(x, order, 1), POINTS)
        for order in (0.5, 1, 1.5, 2, 3, 4, -1, math.inf, -math.inf)
    },
    "norm of all": (lambda x, by: x.norm(), POINTS),
    "svdvals": (lambda x, by: torch.linalg.svdvals(x), POINTS),
    "cosine_similarity": (lambda x, by: F.cosine_similarity(x, _like(OTHER, x, by), eps=0.0), POINTS),
    "normalize": (lambda x, by: F.normalize(x, eps=0.0), POINTS),
    "weight_norm": (lambda x, by: weight_of(x, _like(POINTS[:, :1], x), 0), POINTS),
    "layer_norm, eps=0": (lambda x, by: F.layer_norm(x, (4,), eps=0.0), POINTS),
    "rms_norm, eps=0": (lambda x, by: F.rms_norm(x, (4,), eps=0.0), POINTS),
}
"""Functions of x in which all numbers grow with x, or not at all."""

LARGE: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "layer_norm": (lambda x, by: F.layer_norm(x, (4,)), POINTS),
    "rms_norm": (lambda x, by: F.rms_norm(x, (4,)), POINTS),
    "batch_norm": (lambda x, by: F.batch_norm(x, None, None, training=True), POINTS),
    "batch_norm of images": (lambda x, by: F.batch_norm(x, None, None, training=True), IMAGES),
    "group_norm": (lambda x, by: F.group_norm(x, 2), IMAGES),
    "instance_norm": (lambda x, by: F.instance_norm(x), IMAGES),
    "local_response_norm": (lambda x, by: F.local_response_norm(x, 3), IMAGES),
    "cosine_embedding_loss": (
        lambda x, by: F.cosine_embedding_loss(x, _like(OTHER, x, by), _like(np.ones(3), x)),
        POINTS,
    ),
    "renorm": (lambda x, by: torch.renorm(x, 2, 0, by), POINTS),
    "asinh": (lambda x, by: torch.asinh(x), POINTS),
    "acosh": (lambda x, by: torch.acosh(x.abs()), POINTS),
}
"""Functions in which a number is added that counts beside small ones."""


def _derivatives(function: Callable[..., Any], values: np.ndarray, by: float, kind: Any) -> list[np.ndarray]:
    x = torch.tensor(values.astype(np.float32)).to(kind)
    x = (x * float(np.float32(by))).detach().requires_grad_()
    out = function(x, float(np.float32(by)))
    weights = torch.tensor(1.0 + 0.3 * np.cos(np.arange(out.numel()))).reshape(out.shape).to(kind)
    (first,) = torch.autograd.grad(out, x, weights, create_graph=True)
    again = torch.tensor(1.0 + 0.3 * np.sin(np.arange(first.numel()))).reshape(first.shape).to(kind)
    found = [out, first]
    if first.requires_grad:
        found += torch.autograd.grad(first, x, again)
    return [one.detach().double().numpy() for one in found]


CASES_OF_FUNCTIONS = [(name, by) for name in ALIKE for by in FACTORS] + [
    (name, by) for name in LARGE for by in FACTORS if by > 1
]


@pytest.mark.parametrize(("name", "by"), CASES_OF_FUNCTIONS)
def test_functions_of_numbers_of_any_size(name: str, by: float) -> None:
    function, values = (ALIKE | LARGE)[name]
    single, double = (_derivatives(function, values, by, kind) for kind in (torch.float32, torch.float64))
    for got, right in zip(single, double, strict=True):
        scale = np.abs(right).max()
        if 1e-36 < scale < 1e37 or scale == 0:
            np.testing.assert_allclose(got, right, rtol=1e-3, atol=3e-5 * max(scale, 1e-38))


def test_gradients_of_any_size_are_clipped() -> None:
    for by in FACTORS:
        p = torch.nn.Parameter(torch.zeros(2))
        p.grad = torch.tensor([3.0, 4.0]) * by
        total = torch.nn.utils.clip_grad_norm_([p], 1.0)
        np.testing.assert_allclose(total.numpy() / np.float32(by), 5, rtol=1e-5)
        if by > 1:
            np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-5)


def test_a_small_column_beside_a_large_one() -> None:
    x = torch.tensor([[3e-25, 3e25, 3.0, 0.0], [4e-25, 4e25, 4.0, 0.0]], requires_grad=True)
    np.testing.assert_allclose(x.norm(dim=0).detach().numpy(), [5e-25, 5e25, 5, 0], rtol=1e-6)
    (g,) = torch.autograd.grad(x.norm(dim=0).sum(), x)
    np.testing.assert_allclose(g.numpy(), [[0.6, 0.6, 0.6, 0], [0.8, 0.8, 0.8, 0]], rtol=1e-6)


# ------------------------------------------------------------------ differences of numbers near each other


def _second(function: Callable[..., Any], x: float) -> float:
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(function(leaf), leaf, create_graph=True)
    (second,) = torch.autograd.grad(first, leaf)
    return float(second)


@pytest.mark.parametrize("x", [-40.0, -20.0, -3.0, 0.5, 20.0, 40.0])
def test_second_derivatives_far_out(x: float) -> None:
    """Of silu, logsigmoid and softplus with s = sigmoid: s' = s(x) s(-x)."""
    slope = math.exp(-abs(x)) / (1 + math.exp(-abs(x))) ** 2
    half = math.tanh(x / 2)
    assert math.isclose(_second(F.logsigmoid, x), -slope, rel_tol=1e-12)
    assert math.isclose(_second(F.silu, x), slope * (2 - x * half), rel_tol=1e-12)
    assert math.isclose(_second(lambda t: F.softplus(t, threshold=100.0), x), slope, rel_tol=1e-12)


def test_softplus_without_a_threshold() -> None:
    x = torch.tensor([-200.0, 1.0, 90.0, 200.0], requires_grad=True)
    y = F.softplus(x, threshold=1e4)
    np.testing.assert_allclose(y.detach().numpy(), [0, math.log1p(math.e), 90, 200], rtol=1e-6)
    np.testing.assert_allclose(torch.autograd.grad(y.sum(), x)[0].numpy(), [0, 1 / (1 + 1 / math.e), 1, 1], rtol=1e-6)


def test_logaddexp_far_apart() -> None:
    for function, far in ((torch.logaddexp, 800.0), (torch.logaddexp2, 2000.0)):
        a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.0, far))
        first = torch.autograd.grad(function(a, b), (a, b), create_graph=True)
        for second in torch.autograd.grad(first[0] + 2 * first[1], (a, b)):
            assert float(second) == 0


LGAMMA = {
    1.0000001: -5.772155829918507e-08, 1.00001: -5.7720744027504825e-06, 0.99999: 5.772238896093089e-06,
    2.0000001: 4.227843666532498e-08, 1.9999: -4.227520877215346e-05, 1.5: -0.12078223763524522,
}  # fmt: skip
"""By mpmath in 40 digits."""


def test_lgamma_beside_its_zeros() -> None:
    got = torch.lgamma(torch.tensor(list(LGAMMA), dtype=torch.float64)).numpy()
    np.testing.assert_allclose(got, list(LGAMMA.values()), rtol=1e-13)
    assert torch.lgamma(torch.tensor([1.0, 2.0], dtype=torch.float64)).tolist() == [0.0, 0.0]


def test_polygamma_at_its_poles() -> None:
    for n in (1, 2, 3):
        sign = 1 if n % 2 else -1
        found = torch.polygamma(n, torch.tensor([0.0, -1.0, -2.0, -30.0]))
        assert (found * sign).tolist() == [math.inf] * 4
        assert float(torch.polygamma(n, torch.tensor(math.inf))) == 0


def test_half_precision_near_the_origin() -> None:
    y, x = (torch.tensor(v, dtype=torch.float16, requires_grad=True) for v in (0.002, 0.003))
    torch.atan2(y, x).backward()
    square = float(y) ** 2 + float(x) ** 2
    np.testing.assert_allclose([float(y.grad), float(x.grad)], [float(x) / square, -float(y) / square], rtol=3e-3)


def test_distances_of_points_that_lie_close() -> None:
    """Of many points PyTorch subtracts squares, and the diagonal is not 0."""
    points = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) + 10
    found = torch.cdist(points, points).numpy()
    array = points.numpy().astype(np.float64)
    np.testing.assert_allclose(found, np.linalg.norm(array[:, None] - array[None], axis=-1), rtol=2e-4, atol=0)


def test_channels_of_equal_numbers_become_zero() -> None:
    x = torch.tensor([1e10, 3.3e7, 0.1]).reshape(1, 3, 1).expand(2, 3, 4)
    for found in (F.batch_norm(x, None, None, training=True), F.group_norm(x, 3), F.instance_norm(x)):
        np.testing.assert_allclose(found.numpy(), 0, atol=1e-3)
    np.testing.assert_allclose(F.layer_norm(x[0], (4,)).numpy(), 0, atol=1e-3)
