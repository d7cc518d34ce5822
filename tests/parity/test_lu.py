"""LU decompositions, reflections, and what tells of failures instead of raising, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from support.expressions import check, lines
from support.oracle import same
from support.values import normals

normal = normals(np.random.default_rng(23))
SHAPES = [(3, 3), (4, 2), (2, 5), (2, 3, 3), (2, 2, 5, 3), (2, 3, 6), (0, 3, 3), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_lu(shape: tuple[int, ...]) -> None:
    x = normal(*shape)
    same(lambda T, x: [part.sin() for part in T.linalg.lu(x)[1:]], x, tol=1e-6)
    same(lambda T, x: T.linalg.lu_factor(x)[0].sin(), x, tol=1e-6)
    for kind in ("float32", "float64"):
        same(lambda T, x: [*T.linalg.lu(x)], x.astype(kind), grad=False, tol=1e-4)
        same(lambda T, x: [*T.linalg.lu_factor_ex(x)], x.astype(kind), grad=False, tol=1e-4)
    same(lambda T, x: [*T.lu_unpack(*T.linalg.lu_factor(x))], x, grad=False)


def test_large_lu() -> None:
    x = normal(150, 150)
    p, lower, upper = rushlight.linalg.lu(rushlight.from_numpy(x))
    np.testing.assert_allclose((p @ lower @ upper).numpy(), x, atol=1e-11)
    assert lower.abs().max() <= 1
    np.testing.assert_array_equal(p.numpy(), torch.linalg.lu(torch.from_numpy(x))[0].numpy())


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_lu_solve(left: bool, adjoint: bool) -> None:
    a, b = normal(2, 3, 3), normal(2, 3, 3)

    def solved(T: Any, a: Any, b: Any) -> Any:
        return T.linalg.lu_solve(*T.linalg.lu_factor(a), b, left=left, adjoint=adjoint).sin()

    same(solved, a, b, tol=1e-6)
    same(solved, a[0], normal(4, 3, 3), tol=1e-6, grad=False)


@pytest.mark.filterwarnings("ignore")
def test_systems() -> None:
    spread = np.eye(3) * 3 + normal(3, 3) * 0.3
    low = np.tril(spread)
    for upper in (False, True):
        same(lambda T, x, u=upper: T.cholesky_inverse(x.triu() if u else x.tril(), upper=u).sin(), low, tol=1e-6)
        same(lambda T, b, a, u=upper: T.triangular_solve(b, a, upper=u)[0].sin(), normal(3, 2), spread, tol=1e-6)
    same(lambda T, b, a: [*T.triangular_solve(b, a, True, True, True)], normal(3, 2), spread, grad=False)
    same(
        lambda T, x: T.linalg.tensorinv(x, ind=1).sin(), (np.eye(6) * 2 + normal(6, 6) * 0.2).reshape(6, 2, 3), tol=1e-6
    )
    a, b = (np.eye(6) * 2 + normal(6, 6) * 0.2).reshape(2, 3, 6), normal(2, 3)
    same(lambda T, a, b: T.linalg.tensorsolve(a, b).sin(), a, b, tol=1e-6)
    same(lambda T, a, b: T.linalg.tensorsolve(a, b, dims=(0,)), a.reshape(6, 2, 3), b, grad=False)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4, 3)])
def test_reflections(shape: tuple[int, ...]) -> None:
    x, tau = normal(*shape), normal(*shape[:-2], shape[-1]) * 0.5
    same(lambda T, x: [*T.geqrf(x)], x, grad=False)
    same(lambda T, x, tau: T.linalg.householder_product(x, tau).sin(), x, tau, tol=1e-6)
    for left in (True, False):
        other = normal(*shape[:-2], *((shape[-2], 2) if left else (2, shape[-2])))
        for transpose in (True, False):
            same(lambda T, x, c, left=left, t=transpose: T.ormqr(*T.geqrf(x), c, left, t), x, other, grad=False)


def test_failures_are_told() -> None:
    good, bad = np.eye(2) * 2 + 0.1, np.array([[1.0, 2.0], [2.0, 4.0]])
    both = np.stack([good, bad])
    for engine in (torch, rushlight):
        inverse, info = engine.linalg.inv_ex(engine.from_numpy(both))
        solution, told = engine.linalg.solve_ex(engine.from_numpy(both), engine.ones(2, 2, 1, dtype=engine.float64))
        assert info.tolist() == told.tolist() == [0, 2]
        assert info.dtype is engine.int32
        np.testing.assert_allclose(inverse[0].numpy(), np.linalg.inv(good))
        np.testing.assert_allclose(solution[0].numpy(), np.linalg.solve(good, np.ones((2, 1))))
        assert not np.isfinite(inverse[1].numpy()).any()
    same(lambda T, x: [*T.linalg.cholesky_ex(x)], np.stack([good, np.array([[1.0, 2], [2, 1]]), -good]), grad=False)
    same(lambda T, x: T.linalg.cholesky_ex(x @ x.mT + 1).L.sin(), both, tol=1e-6, grad=False)
    for name in ("inv_ex", "cholesky_ex"):
        same(lambda T, x, name=name: getattr(T.linalg, name)(x @ x.mT)[0].sin(), good + np.triu(normal(2, 2)), tol=1e-6)
    same(lambda T, a, b: T.linalg.solve_ex(a, b).result.sin(), good, normal(2), tol=1e-6)


@pytest.mark.parametrize("shape", [(20, 8), (8, 20), (3, 20, 8)])
def test_low_rank(shape: tuple[int, ...]) -> None:
    x = normal(*shape[:-2], shape[-2], 3) @ normal(*shape[:-2], 3, shape[-1])
    rushlight.manual_seed(1)
    for u, s, v in (rushlight.svd_lowrank(rushlight.from_numpy(x), q=4),):
        np.testing.assert_allclose((u * s[..., None, :] @ v.mT).numpy(), x, atol=1e-9)
        np.testing.assert_allclose(s.numpy(), np.linalg.svd(x)[1][..., :4], atol=1e-9)
    _, s, _ = rushlight.pca_lowrank(rushlight.from_numpy(x), q=3)
    np.testing.assert_allclose(s.numpy(), np.linalg.svd(x - x.mean(-2, keepdims=True))[1][..., :3], atol=1e-9)


CALLS = """
T.linalg.lu_factor(T.zeros(2, 2))
T.linalg.lu_factor(T.zeros(3, 2, 2))
T.linalg.lu_factor_ex(T.zeros(2, 2))
T.linalg.lu_factor_ex(T.zeros(2, 2), check_errors=True)
T.linalg.lu_factor(T.ones(2))
T.linalg.lu_factor(T.ones(2, 2).long())
T.linalg.lu_factor(T.ones(2, 2).half())
T.linalg.lu_factor(T.zeros(2, 0))
T.linalg.lu_factor(T.eye(2), pivot=False)
T.linalg.lu(T.eye(2), pivot=False)
T.linalg.lu(T.zeros(0, 2))
T.linalg.lu(T.eye(2))
T.lu_unpack(*T.linalg.lu_factor(T.tensor([[1.0, 2], [3, 4]])), unpack_data=False)
T.lu_unpack(*T.linalg.lu_factor(T.tensor([[1.0, 2], [3, 4]])), unpack_pivots=False)
T.lu_unpack(T.eye(2), T.tensor([1, 2]))
T.linalg.lu_solve(*T.linalg.lu_factor(T.eye(2)), T.ones(2))
T.linalg.lu_solve(*T.linalg.lu_factor(T.eye(2)), T.ones(3, 1))
T.linalg.lu_solve(*T.linalg.lu_factor(T.eye(2)), T.ones(2, 1).double())
T.linalg.lu_solve(T.eye(2), T.tensor([1, 2]), T.ones(2, 1))
T.linalg.lu_solve(T.eye(2), T.tensor([1], dtype=T.int32), T.ones(2, 1))
T.linalg.lu_solve(T.ones(1, 2), T.tensor([1, 2], dtype=T.int32), T.ones(2, 1))
T.linalg.inv_ex(T.zeros(2, 3))
T.linalg.inv_ex(T.eye(2))
T.linalg.solve_ex(T.eye(2), T.ones(2))
T.linalg.cholesky_ex(-T.eye(3), upper=True).info
T.linalg.cholesky_ex(T.eye(3) * 4, upper=True)
T.linalg.tensorinv(T.eye(4).view(2, 2, 4), ind=0)
T.linalg.tensorinv(T.eye(4).view(2, 2, 4), ind=1)
T.linalg.tensorsolve(T.eye(6).view(2, 3, 6), T.ones(3, 3))
T.cholesky_inverse(T.ones(2, 3))
T.geqrf(T.ones(2))
T.orgqr(T.eye(2), T.tensor([0.5, 0.0])) + 0.0
T.eye(2).orgqr(T.tensor([0.5, 0.0])) + 0.0
T.linalg.householder_product(T.ones(2, 3), T.ones(2))
T.linalg.householder_product(T.ones(3, 2), T.ones(3))
T.linalg.householder_product(T.ones(3, 2), T.ones(2).double())
T.linalg.householder_product(T.ones(3, 2), T.ones(0))
T.pca_lowrank(T.ones(3, 2), q=4)
T.pca_lowrank(T.ones(3, 2), niter=-1)
T.linalg.diagonal(T.arange(8.0).view(2, 2, 2))
"""


@pytest.mark.parametrize("line", lines(CALLS))
@pytest.mark.filterwarnings("ignore")
def test_call(line: str) -> None:
    check(line)


@pytest.mark.filterwarnings("ignore")
def test_older_names() -> None:
    x, b = normal(3, 3), normal(3, 2)
    same(lambda T, x: [*T.lu(x), *T.lu(x, get_infos=True), *x.lu()], x, grad=False)
    same(lambda T, b, x: [T.lu_solve(b, *x.lu()), b.lu_solve(*x.lu())], b, x, grad=False)


@pytest.mark.parametrize("line", [
    "inv_ex(zeros, check_errors=True)", "solve_ex(zeros, zeros, check_errors=True)",
    "cholesky_ex(zeros, check_errors=True)", "tensorinv(zeros, ind=1)",
])  # fmt: skip
def test_failures_are_raised(line: str) -> None:
    for engine in (torch, rushlight):
        with pytest.raises(engine.linalg.LinAlgError):
            eval(f"linalg.{line}", {"linalg": engine.linalg, "zeros": engine.zeros(2, 2)})


@pytest.mark.parametrize("name", ["eig", "eigvals"])
def test_what_is_complex_is_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match="complex"):
        getattr(rushlight.linalg, name)(rushlight.eye(2))
