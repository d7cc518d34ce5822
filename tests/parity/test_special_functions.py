"""The functions of ``torch.special`` that are computed by series and fits: against PyTorch, and against more digits."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
import torch

import rushlight
from support.expressions import check, lines
from support.oracle import same

RNG = np.random.default_rng(11)
LINE = np.concatenate([RNG.uniform(-30, 30, 200), RNG.uniform(-3, 3, 200), [0.0, -0.0, 1.0, -1.0, 2.0, 8.0, 20.0]])
POSITIVE = np.concatenate([np.abs(LINE[:400]), 10 ** RNG.uniform(-6, 3, 100)])
UNIT = np.concatenate([RNG.uniform(0, 1, 200), 10 ** RNG.uniform(-300, -1, 100), [0.0, 1.0, 0.5, 0.3, 0.7]])
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, np.nan, 1e10, -1e10])


def ndtr(x: np.ndarray) -> np.ndarray:
    """Return the truth in many digits, since SciPy's own error is 1e-13 where the result is tiny."""
    with mpmath.workdps(40):
        return np.array([float(mpmath.ncdf(v)) for v in x.tolist()])


def log_ndtr(x: np.ndarray) -> np.ndarray:
    with mpmath.workdps(400):
        return np.array([float(mpmath.log(mpmath.ncdf(v))) for v in x.tolist()])


ONE: dict[str, tuple[Any, Any]] = {
    "entr": (POSITIVE, scipy.special.entr),
    "ndtr": (LINE, ndtr),
    "log_ndtr": (LINE, log_ndtr),
    "ndtri": (UNIT, scipy.special.ndtri),
    "erfcx": (LINE[LINE > -3], scipy.special.erfcx),
    "i0": (LINE, scipy.special.i0),
    "i0e": (LINE, scipy.special.i0e),
    "i1": (LINE, scipy.special.i1),
    "i1e": (LINE, scipy.special.i1e),
    "modified_bessel_i0": (LINE, scipy.special.i0),
    "modified_bessel_i1": (LINE, scipy.special.i1),
    "modified_bessel_k0": (POSITIVE, scipy.special.k0),
    "modified_bessel_k1": (POSITIVE, scipy.special.k1),
    "scaled_modified_bessel_k0": (POSITIVE, scipy.special.k0e),
    "scaled_modified_bessel_k1": (POSITIVE, scipy.special.k1e),
}
WAVES: dict[str, tuple[Any, Any]] = {
    "bessel_j0": (LINE, scipy.special.j0),
    "bessel_j1": (LINE, scipy.special.j1),
    "bessel_y0": (POSITIVE, scipy.special.y0),
    "bessel_y1": (POSITIVE, scipy.special.y1),
    "spherical_bessel_j0": (LINE, lambda x: np.sinc(x / np.pi)),
}


@pytest.mark.parametrize("name", [*ONE, *WAVES])
def test_digits(name: str) -> None:
    x, truth = (ONE | WAVES)[name]
    absolute = 4e-15 if name in WAVES else 1e-300  # a wave has no relative error near its zeros
    got = getattr(rushlight.special, name)(rushlight.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, truth(x), rtol=1e-13 if name == "entr" else 2e-14, atol=absolute)
    single = x.astype(np.float32)
    got = getattr(rushlight.special, name)(rushlight.from_numpy(single)).numpy()
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, truth(single.astype(float)).astype(np.float32), rtol=3e-7, atol=1e-38)


@pytest.mark.parametrize("name", [*ONE, *WAVES])
def test_special_points_dtypes_and_layout(name: str) -> None:
    for kind in ("float32", "float64"):
        points = EDGES[:6] if name in WAVES else EDGES  # of a phase of 1e10 PyTorch has no digit in single precision
        same(lambda T, x: getattr(T.special, name)(x), points.astype(kind), grad=False, tol=1e-5)
    same(lambda T, x: getattr(T.special, name)(x), np.arange(1, 5), grad=False)
    same(lambda T, x: getattr(T.special, name)(x.t()), np.linspace(0.1, 0.9, 6).reshape(2, 3), grad=False, tol=1e-7)


@pytest.mark.parametrize("name", ["entr", "ndtr", "log_ndtr", "ndtri", "erfcx", "i0", "i0e", "i1", "i1e"])
def test_gradients(name: str) -> None:
    x = np.array([0.01, 0.2, 0.5, 0.7, 0.95]) if name in ("entr", "ndtri") else np.array([-4.0, -0.3, 0.6, 2.0, 7.5])
    same(lambda T, x: getattr(T.special, name)(x).sin(), x, tol=1e-7)
    if name in ("i0e", "i1e", "i1"):
        same(lambda T, x: getattr(T.special, name)(x), np.array([0.0, 1.0]), tol=1e-7)


def test_erfcx_slope_keeps_its_digits() -> None:
    x = rushlight.tensor([1e2, 1e4, 1e8], dtype=rushlight.float64, requires_grad=True)
    rushlight.special.erfcx(x).sum().backward()
    far = x.detach().numpy()
    truth = (1.5 / far**2 - 1) / (np.sqrt(np.pi) * far**2)  # the first terms of a series
    np.testing.assert_allclose(x.grad.numpy(), truth, rtol=1e-7)


@pytest.mark.parametrize("upper", [False, True])
def test_incomplete_gamma(upper: bool) -> None:
    name, truth = ("gammaincc", scipy.special.gammaincc) if upper else ("gammainc", scipy.special.gammainc)
    a = np.concatenate([10 ** RNG.uniform(-2, 1.5, 200), RNG.uniform(20, 200, 100), 10 ** RNG.uniform(2, 5, 100)])
    x = a * np.concatenate([10 ** RNG.uniform(-2, 1, 200), RNG.uniform(0.4, 2, 100), 1 + RNG.normal(size=100) * 0.01])
    got = getattr(rushlight.special, name)(rushlight.from_numpy(a), rushlight.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, truth(a, x), rtol=1e-12, atol=1e-280)
    edges = np.array([0.0, 1.0, -1.0, 0.5, np.inf, 3.0])
    same(lambda T, a, x: getattr(T.special, name)(a, x), np.repeat(edges, 6), np.tile(edges, 6), grad=False, tol=1e-9)
    same(lambda T, x: getattr(T.special, name)(T.tensor([0.5, 1.0, 3.0], dtype=x.dtype), x).sin(), np.ones(3), tol=1e-7)


def test_zeta() -> None:
    s, q = RNG.uniform(1.01, 30, 300), np.concatenate([RNG.uniform(0.01, 30, 200), 10 ** RNG.uniform(1, 6, 100)])
    got = rushlight.special.zeta(rushlight.from_numpy(s), rushlight.from_numpy(q)).numpy()
    np.testing.assert_allclose(got, scipy.special.zeta(s, q), rtol=1e-13)
    edges = np.array([0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -0.5, -2.5])
    same(lambda T, s, q: T.special.zeta(s, q), np.repeat(edges, 8), np.tile(edges, 8), grad=False, tol=1e-9)
    same(lambda T, q: T.special.zeta(2.5, q), np.array([0.3, 1.0, 4.0]), tol=1e-7)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 12])
def test_polygamma_digits(n: int) -> None:
    x = np.concatenate([RNG.uniform(0.01, 40, 200), 10 ** RNG.uniform(1, 6, 50), -RNG.integers(0, 20, 50) - 0.4])
    got = rushlight.polygamma(n, rushlight.from_numpy(x)).numpy()
    np.testing.assert_allclose(got[:250], scipy.special.polygamma(n, x[:250]), rtol=3e-14)
    np.testing.assert_allclose(got[250:], torch.polygamma(n, torch.from_numpy(x[250:])).numpy(), rtol=1e-9)


POLYNOMIALS = [name for name in rushlight.special.__all__ if "polynomial" in name]


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name: str) -> None:
    assert len(POLYNOMIALS) == 12
    x = np.array([-1.0, -0.7, 0.0, 0.3, 0.5, 1.0, 1.5])
    for n in (-1, 0, 1, 2, 5, 9, 20):
        same(lambda T, x, n=n: getattr(T.special, name)(x, n), x, grad=False, tol=1e-9)
    degrees = np.array([0.0, 1.0, 2.7, 3.0, 4.0, 8.0, 30.0])
    same(lambda T, x, n: getattr(T.special, name)(x, n), x, degrees, grad=False, tol=1e-8)
    same(lambda T, n: getattr(T.special, name)(0.3, n), degrees, grad=False, tol=1e-8)


CALLS = """
T.igamma(T.tensor([0.5, 2.0]), T.tensor([0.5, 2.0], dtype=T.float64))
T.igamma(T.tensor([True]), T.tensor([0.5, 2.0]))
T.igamma(T.tensor([1]), T.tensor([2]))
T.igammac(T.tensor([0.5, 2.0]), T.tensor([[0.5], [2.0]]))
T.tensor([0.5, 2.0]).igamma_(T.tensor([0.5, 2.0]))
T.tensor([0.5, 2.0]).igammac(T.tensor(1.5))
T.igamma(T.tensor([0.5, 2.0]), 1)
T.igamma(T.tensor([0.5, 2.0]), T.tensor([0.5, 2.0]), out=T.zeros(2))
T.special.zeta(2, T.tensor([0.5, 2.0]))
T.special.zeta(T.tensor([2]), T.tensor([1]))
T.special.zeta(2, 2)
T.special.zeta(T.tensor([2.0]).half(), 1)
T.special.erfcx(T.tensor([2.0]).half())
T.special.ndtri(T.tensor([0.5]).half())
T.special.log_ndtr(T.tensor([0.5]).half())
T.special.bessel_j0(T.tensor([0.5]).half())
T.special.legendre_polynomial_p(T.tensor([0.5]).half(), 2)
T.special.legendre_polynomial_p(T.tensor([2]), T.tensor([1]))
T.special.entr(T.tensor([True, False]))
T.special.i0(T.tensor([2.0]).half())
T.i0(T.tensor([0.0, 1.0]))
T.i0_(T.tensor([0.0, 1.0]))
T.tensor([0.0, 1.0]).i0_()
T.special.bessel_j1(T.ones(2, requires_grad=True)).requires_grad
T.special.zeta(T.tensor([2.0], requires_grad=True), 1).sum().backward()
T.igamma(T.tensor([2.0], requires_grad=True), T.ones(1)).sum().backward()
T.igammac(T.tensor([2.0], requires_grad=True), T.ones(1)).sum().backward()
"""


@pytest.mark.parametrize("line", lines(CALLS))
def test_call(line: str) -> None:
    check(line)
