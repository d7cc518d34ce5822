"""Special functions, scatters into copies, statistics, windows and in-place twins against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rushlight
from support.expressions import check, lines
from support.oracle import same
from support.values import normals

RNG = np.random.default_rng(3)
normal = normals(RNG)


EDGES = np.array([0.0, -0.0, 1, 2, 3, -1, -2, -2.5, 1e-3, 1e5, np.inf, -np.inf, np.nan, 0.5, 10, -30.5])


@pytest.mark.parametrize("name", ["lgamma", "digamma", "sinc"])
def test_one_number(name: str) -> None:
    for kind in ("float32", "float64"):
        x = np.concatenate([EDGES, normal(40) * 6]).astype(kind)
        same(lambda T, x: getattr(T, name)(x), x, grad=False)
        same(lambda T, x: getattr(x, name)(), x, grad=False)
    same(lambda T, x: getattr(T, name)(x), normal(3, 4, kind="float16"), grad=False)
    same(lambda T, x: getattr(T, name)(x), np.arange(1, 5), grad=False)
    same(lambda T, x: getattr(T, name)(x.reshape(3, 4).t()).float(), np.linspace(0.4, 3, 12), names=True, tol=1e-5)
    same(lambda T, x: getattr(x * 1, name + "_")().float(), np.linspace(0.4, 3, 12), tol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_polygamma(n: int) -> None:
    x = np.concatenate([EDGES[2:9], np.abs(normal(20)) + 0.2, [-1.5, -3.2]])
    if n == 1:  # at its poles PyTorch has large numbers of either sign
        x = x[(x > 0) | (x != np.floor(x))]
    same(lambda T, x: T.polygamma(n, x).float(), x, grad=False, tol=1e-5)
    same(lambda T, x: (x.polygamma(n) * 1e-3).float(), np.linspace(0.7, 3, 12), tol=1e-5)


@pytest.mark.parametrize("name", ["xlogy", "copysign", "nextafter", "ldexp"])
def test_two_numbers(name: str) -> None:
    x, y = normal(3, 4), np.abs(normal(4)) + 0.1
    x[0, 0] = 0 if name == "xlogy" else 0.3
    same(lambda T, x, y: getattr(T, name)(x, y) ** 2, x, y)
    same(lambda T, x, y: getattr(x, name)(y), x.astype("float32"), y.astype("float32"), grad=False)
    same(lambda T, x, y: getattr(x * 1, name + "_")(y) ** 2, x, y)
    edges = np.array([0.0, -0.0, 1.0, -1.0, np.inf, np.nan])
    same(lambda T, x, y: getattr(T, name)(x, y), edges[:, None].copy(), edges, grad=False)


CALLS = """
T.xlogy(2, T.tensor([0.0, 1.0, 2.0]))
T.xlogy(T.tensor([0, 1, 2]), 3)
T.special.xlog1py(T.tensor([0.0, 0.0, 2.0, -1.0, 0.0]), T.tensor([-1.0, 3.0, 0.5, 0.25, -2.0]))
T.special.xlog1py(T.tensor([1, 2]), 2)
T.copysign(T.tensor([1, -2]), T.tensor([-1, 1]))
T.copysign(T.tensor([1.0, -2.0]), -0.0)
T.ldexp(T.tensor([1.5, 2.0]), T.tensor([1, -2]))
T.frexp(T.tensor([0.0, 1.0, -3.5, 1e-40, 100.0]))
T.frexp(T.tensor([T.inf, -T.inf]))[0]
T.frexp(T.tensor([1, 2]))
T.polygamma(-1, T.ones(2))
T.mvlgamma(T.tensor([3.0, 4.5]), 2)
T.tensor([3.0, 4.5]).mvlgamma(3)
T.mvlgamma(T.tensor([3.0]), 0)
T.gcd(T.tensor([12, 18, 0, -4]), T.tensor([8, 12, 5, 6]))
T.lcm(T.tensor([12, 18, 0, -4]), T.tensor([8, 12, 5, 6]))
T.gcd(T.tensor([12.0]), T.tensor([8.0]))
T.tensor([12, 18]).gcd_(T.tensor(4))
T.nextafter(T.tensor([1]), T.tensor([2]))
T.select_scatter(T.zeros(2, 3), T.ones(3), 0, -1)
T.select_scatter(T.zeros(2, 3), T.ones(2), 0, 0)
T.select_scatter(T.zeros(2, 3), T.ones(3), 0, 2)
T.slice_scatter(T.zeros(4, 3), T.ones(2, 3), 0, 1, None, 2)
T.slice_scatter(T.zeros(4, 3), T.ones(4, 1), -1, 2)
T.slice_scatter(T.zeros(4, 3), T.ones(4, 2), -1, 2)
T.slice_scatter(T.zeros(4, 3), T.ones(4, 2), 0, step=0)
T.diagonal_scatter(T.zeros(3, 4), T.ones(3), 1)
T.diagonal_scatter(T.zeros(2, 3, 3), T.ones(2, 3), 0, 1, 2)
T.diagonal_scatter(T.zeros(3, 4), T.ones(4))
T.ones(4, 3).narrow_copy(0, 1, 2)
T.narrow_copy(T.ones(4, 3), 1, -2, 2)
T.as_strided(T.arange(9.0), (2, 3), (1, 2), 1)
T.as_strided(T.arange(9.0), (2, 3), (0, 1))
T.as_strided(T.arange(9.0), (), (), 4)
T.as_strided(T.arange(9.0), (5, 3), (2, 1))
T.as_strided(T.arange(9.0), (5, 3), (2,))
T.as_strided(T.arange(9.0), (2,), (-1,))
T.ones(2, 3, 4).sum_to_size(3, 1)
T.ones(2, 3, 4).sum_to_size((1, 3, 4))
T.ones(2, 3).sum_to_size(3, 3)
T.block_diag(T.ones(2, 2), T.arange(3), T.tensor(5.0))
T.block_diag(T.ones(2, 2, 2))
T.block_diag()
T.lgamma(T.tensor([1, 2]))
T.slice_scatter(T.zeros(4), T.ones(2, dtype=T.int64), 0, 1, 3)
T.combinations(T.tensor([1, 2, 3]))
T.combinations(T.tensor([1.0, 2, 3]), 3, True)
T.combinations(T.tensor([1.0, 2, 3]), 0)
T.combinations(T.tensor([1.0, 2, 3]), 4)
T.combinations(T.ones(2, 2))
T.combinations(T.ones(2), -1)
T.unravel_index(T.tensor([[0, 5], [11, 7]]), (3, 4))
T.unravel_index(T.tensor(5), (2, 2, 2))
T.unravel_index(T.tensor([0.5]), (2, 2))
T.isin(T.tensor([[1, 2], [3, 4]]), T.tensor([2, 4]))
T.isin(T.tensor([1, 2]), 2, invert=True)
T.isin(1, T.tensor([2, 1]))
T.cov(T.tensor([[1.0, 2, 4], [3, 1, 0]]))
T.cov(T.tensor([1.0, 2, 4]))
T.cov(T.tensor([[1, 2, 4], [3, 1, 0]]), correction=0)
T.cov(T.tensor([[1.0, 2, 4], [3, 1, 0]]), fweights=T.tensor([1, 2, 1]), aweights=T.tensor([0.5, 1, 2]))
T.cov(T.tensor([[1.0, 2, 4], [3, 1, 0]]), aweights=T.tensor([0.5, 1, 2]), correction=2)
T.cov(T.tensor([[1.0, 2, 4], [3, 1, 0]]), fweights=T.tensor([1.0, 2, 1]))
T.cov(T.tensor([[1.0, 2, 4], [3, 1, 0]]), fweights=T.tensor([1, 2]))
T.cov(T.tensor([[1.0, 2, 4]]))
T.cov(T.tensor([[1.0, 2, 4]]), aweights=T.zeros(3))
T.cov(T.tensor([[1.0, 2, 4], [3, 1, 0]]).double(), fweights=T.tensor([1, 2, 1]), aweights=T.tensor([0.1, 0.3, 0.7]))
T.cov(T.ones(2, 2, 2))
T.corrcoef(T.tensor([[1.0, 2, 4]]))
T.linalg.vander(T.tensor(2.0), N=3)
T.linalg.vander(T.tensor(5, dtype=T.uint8), N=3)
T.unravel_index(T.tensor([3, 8], dtype=T.uint8), (4, 1 << 30))
T.ones(2, 3).bool().sum_to_size(2, 3)
T.ones(2, 3).bool().sum_to_size(1, 3)
T.ones(2, 3).to(T.uint8).sum_to_size(())
T.tensor(5, dtype=T.uint8).sum_to_size(())
T.tensor([5], dtype=T.uint8).index_add(0, T.tensor([0]), T.tensor([7], dtype=T.uint8), alpha=-1)
T.tensordot(T.full((2, 1), 200, dtype=T.uint8), T.full((3, 2), 3, dtype=T.uint8), ([1], [0]))
T.linalg.matrix_norm(T.zeros(0, 3), float('inf'), keepdim=True)
T.linalg.matrix_norm(T.zeros(2, 0, 0), 2)
T.linalg.matrix_norm(T.zeros(3, 0), 1)
T.linalg.matrix_norm(T.zeros(0, 0), -2)
T.nn.functional.fractional_max_pool3d(T.zeros(0, 1, 4, 5, 4), 2, 2)
T.norm(T.tensor([[1.0, 2, 4], [3, 1, 0]]), 'nuc', dim=(1, 0), keepdim=True)
T.norm(T.tensor([[1.0, 2, 4], [3, 1, 0]]), 'nuc', dtype=T.double)
T.norm(T.ones(3), 'nuc')
T.norm(T.ones(2, 3, 3), 'nuc')
T.norm(T.ones(2, 3, 3), 'nuc', dim=1)
T.tensor([300.0, 2.5]).byte(memory_format=T.contiguous_format)
T.corrcoef(T.tensor([[1.0, 2, 4], [3, 1, 0]]))
T.corrcoef(T.tensor([1.0, 2, 4]))
T.renorm(T.arange(6.0).reshape(2, 3), 2, 0, 1.0)
T.renorm(T.arange(6.0).reshape(2, 3), 1, -1, 4.0)
T.renorm(T.arange(6.0), 2, 0, 1.0)
T.renorm(T.arange(6.0).reshape(2, 3), 0, 0, 1.0)
T.renorm(T.arange(6.0).reshape(2, 3), 2, 0, -1.0)
T.arange(6.0).reshape(2, 3).renorm_(2, 0, 1.0)
T.histogram(T.tensor([1.0, 2, 1, 4]), 4, range=(0.0, 4.0))
T.histogram(T.tensor([1.0, 2, 1, 4]), 3)
T.histogram(T.tensor([1.0, 2, 1, 4]), 3, weight=T.tensor([1.0, 2, 3, 4]), density=True)
T.histogram(T.tensor([1.0, 2, 1, 4, 9]), T.tensor([0.0, 1.0, 4.0]))
T.histogram(T.tensor([2.0, 2.0]), 2)
T.histogram(T.tensor([1.0]), 0)
T.histogram(T.tensor([1.0, T.nan]), 2)
T.histogram(T.tensor([1, 2]), 2)
T.histogram(T.tensor([1.0, 2.0]), 2, range=(3.0, 1.0))
T.histogram(T.tensor([1.0, 2.0], requires_grad=True), 2)[0].sum().backward()
T.poisson(T.tensor([0.0, 0.5, 3.0, 9.9, 10.0, 50.0, 1000.0]).repeat(20))
T.poisson(T.full((3, 4), 5.0, dtype=T.float64).t()), T.rand(2)
T.poisson(T.ones(3, dtype=T.float16))
T.poisson(T.tensor([-1.0]))
T.poisson(T.tensor([1]))
T.poisson(T.ones(3), T.Generator().manual_seed(3))
T.autograd.grad(T.poisson(T.ones(3, requires_grad=True) * 2).sum(), [])
T.hann_window(5)
T.hann_window(5, periodic=False, dtype=T.float64)
T.hamming_window(6, True, 0.5, 0.4)
T.blackman_window(6, False)[1:5]
T.bartlett_window(5)
T.bartlett_window(6, False)
T.kaiser_window(6)
T.kaiser_window(5, False, 8.0, dtype=T.float64)
T.hann_window(0)
T.hann_window(1)
T.hann_window(-1)
T.hann_window(4, dtype=T.int64)
T.hann_window(4, requires_grad=True)
T.ones(2).is_same_size(T.ones(2)), T.ones(1).is_nonzero(), T.ones(1).is_conj(), T.ones(1).is_neg()
T.ones(3).hardshrink(0.5)
T.abs_(T.tensor([-1.0, 2.0]))
T.clamp_(T.tensor([-1.0, 2.0]), 0, 1)
T.zero_(T.ones(2)), T.fill_(T.ones(2), 3), T.neg_(T.ones(2)), T.sigmoid_(T.zeros(2)), T.tanh_(T.zeros(2))
T.round_(T.tensor([1.26]), decimals=1), T.logit_(T.tensor([0.3])), T.nan_to_num_(T.tensor([T.nan]))
T.index_put_(T.zeros(3), (T.tensor([1]),), T.ones(1))
T.exp_(3.0)
T.fill(T.ones(2), 3.0), T.detach(T.ones(2, requires_grad=True))
T.fill(T.ones(2, requires_grad=True) * 1, T.tensor(2.0)).detach()
T.ones(2).new_empty_strided((2, 3), (1, 2)).stride()
T.ones(2).new_empty_strided((2, 3), (1,))
T.ones(2).new_empty_strided((0, 3), (3, 1), dtype=T.int64)
T.detach_(T.ones(2, requires_grad=True) * 2)
T.sqrt_(T.ones(2, requires_grad=True))
T.ones(2).histogram(2).hist
"""


@pytest.mark.parametrize("line", lines(CALLS))
def test_calls(line: str) -> None:
    check(line)


@pytest.mark.filterwarnings("ignore:cov")
def test_gradients() -> None:
    x = normal(4, 3)
    same(lambda T, x, y: T.select_scatter(x, y, 1, 2) ** 2, x, normal(4))
    same(lambda T, x, y: T.slice_scatter(x, y, 0, 0, 4, 2) ** 2, x, normal(2, 3))
    same(lambda T, x, y: x.diagonal_scatter(y, -1) ** 2, x, normal(3))
    same(lambda T, x: T.as_strided(x * 1, (2, 3), (2, 1), 1) ** 2, normal(9))
    same(lambda T, x: x.sum_to_size(1, 3) ** 2, x)
    same(lambda T, x, y: T.block_diag(x, y) ** 2, x, normal(2))
    same(lambda T, x: T.combinations(x, 2) ** 2, normal(4))
    same(lambda T, x: T.cov(x, aweights=T.tensor([0.5, 1, 2]).double()) ** 2, x)
    same(lambda T, x: T.corrcoef(x) ** 2, x)
    same(lambda T, x: T.renorm(x, 2, 0, 0.7) ** 2, x)
    same(lambda T, x: T.renorm(x, 1, 1, 0.7) ** 2, x)
    same(lambda T, x: T.mvlgamma(x.abs() + 3, 2).float() ** 2, x, tol=1e-5)
    same(lambda T, x: T.frexp(x)[0] ** 2, x)


def test_strided_memory_is_shared() -> None:
    def shared(T: Any, x: Any) -> Any:
        y = x * 1
        y.as_strided((2, 2), (3, 1), 1).mul_(2)
        return y * y

    same(shared, normal(9))


def test_sinc_has_derivatives_of_all_orders_at_zero() -> None:
    x = rushlight.tensor([0.0, 1e-3, 0.6, 2.0], dtype=rushlight.float64, requires_grad=True)
    rushlight.autograd.gradcheck(rushlight.sinc, (x,))
    rushlight.autograd.gradgradcheck(rushlight.sinc, (x,))


@pytest.mark.parametrize("often", [None, [1, 2, 1]])
def test_weights_of_a_covariance_have_a_gradient(often: list[int] | None) -> None:
    def run(T: Any, x: Any, much: Any) -> Any:
        return T.cov(x, fweights=None if often is None else T.tensor(often), aweights=much**2) ** 2

    same(run, normal(2, 3), normal(3))
