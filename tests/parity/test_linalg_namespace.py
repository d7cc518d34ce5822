"""``torch.linalg`` and its older names against PyTorch: values, gradients, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rushlight
from support.expressions import check, lines
from support.oracle import same
from support.values import normals

RNG = np.random.default_rng(4)
normal = normals(RNG)


def spread(*lead: int, n: int = 3) -> np.ndarray:
    """Well-conditioned square matrices."""
    return normal(*lead, n, n) * 0.3 + np.diag(np.arange(1.5, 1.5 + n))


SQUARE = [
    "inv(x) ** 2",
    "det(x) ** 2",
    "slogdet(x)[1] ** 2",
    "matrix_power(x, 3) ** 2",
    "matrix_power(x, -2) ** 2",
    "matrix_power(x, 1) ** 2",
    "matrix_exp(x * 0.5) ** 2",
    "cholesky(x @ x.mT + T.eye(3)) ** 2",
    "cholesky(x @ x.mT + T.eye(3), upper=True) ** 2",
    "eigvalsh(x @ x.mT) ** 2",
    "eigh(x @ x.mT)[1].abs() ** 3",
    "eigh(x @ x.mT, 'U')[0] ** 2",
    "pinv(x) ** 2",
    "cond(x)",
    "cond(x, -2)",
    "cond(x, 'nuc')",
    "solve(x, x.mT ** 2) ** 2",
    "solve(x, x.mT ** 2, left=False) ** 2",
    "solve_triangular(x, x.mT ** 2, upper=True) ** 2",
    "solve_triangular(x, x.mT ** 2, upper=False, left=False, unitriangular=True) ** 2",
    "diagonal(x, offset=1) ** 2",
    "svdvals(x) ** 2",
    "qr(x)[1] ** 2",
    "multi_dot([x.reshape(-1, 3), x.reshape(-1, 3).mT, x.reshape(-1, 3)]) ** 2",
]


@pytest.mark.parametrize("code", SQUARE)
def test_square_matrices(code: str) -> None:
    run = lambda T, x: eval(f"T.linalg.{code}", {"T": T, "x": x})
    same(run, spread())
    same(run, spread(2))
    same(run, spread().astype("float32"), tol=2e-4)


ANY = [
    "svd(x, full_matrices=False)[0].abs() ** 3",
    "svd(x, full_matrices=False)[1] ** 2",
    "svd(x, full_matrices=False)[2].abs() ** 3",
    "svd(x)[1] ** 2",
    "svdvals(x) ** 2",
    "qr(x)[0] ** 2",
    "qr(x)[1] ** 2",
    "pinv(x) ** 2",
    "norm(x) ** 2",
    "norm(x, dim=-1) ** 2",
    "norm(x, 1, dim=(-2, -1), keepdim=True)",
    "vector_norm(x, 3, dim=0) ** 2",
    *[f"matrix_norm(x, {order!r}) ** 2" for order in ("fro", "nuc", 1, -1, 2, -2)],
    "matrix_norm(x, float('inf'))",
    "matrix_norm(x, -float('inf'), dim=(-1, -2), keepdim=True)",
    "matrix_norm(x, 'nuc', dim=(-1, 0), keepdim=True)",
    "lstsq(x, x[..., :1] ** 2)[0] ** 2",
    "vecdot(x, x + 1) ** 2",
    "vecdot(x, x + 1, dim=0) ** 2",
    "vander(x) ** 2",
    "vander(x, N=4) ** 2",
]


@pytest.mark.parametrize("code", ANY)
@pytest.mark.parametrize("shape", [(4, 3), (2, 4), (3, 3), (2, 4, 3)])
def test_any_matrices(code: str, shape: tuple[int, ...]) -> None:
    if "lstsq" in code and shape[-2] < shape[-1]:
        return
    same(lambda T, x: eval(f"T.linalg.{code}", {"T": T, "x": x}), normal(*shape))


@pytest.mark.filterwarnings("ignore:Using torch.cross")
def test_older_names() -> None:
    run = lambda code: lambda T, x: eval(code, {"T": T, "x": x})
    for code in (
        "T.det(x) ** 2", "x.det() ** 2", "T.logdet(x @ x.mT) ** 2", "x.slogdet().logabsdet ** 2", "T.inverse(x) ** 2",
        "x.inverse() ** 2", "x.pinverse() ** 2", "T.matrix_power(x, 2) ** 2", "x.matrix_exp() ** 2", "T.slogdet(x)",
        "T.cross(x, x.mT ** 2)", "x.cross(x.mT, 0) ** 2",
        "T.linalg.cross(x, x.mT ** 2, dim=0) ** 2", "T.linalg.cross(x[:1], x) ** 2",
    ):  # fmt: skip
        same(run(code), spread())
    same(run("T.vander(x[0]), T.vander(x[0], 4, True)"), spread(), grad=False)  # PyTorch's has no gradient
    rushlight.autograd.gradcheck(rushlight.vander, (rushlight.tensor(normal(3), requires_grad=True),))
    same(run("T.linalg.lstsq(x, x[..., 0])[:3]"), normal(5, 3), grad=False)
    same(run("T.linalg.lstsq(x, x[..., :2], driver='gelsd')[:4]"), normal(2, 5, 3), grad=False)
    same(run("T.linalg.lstsq(x, x[..., :2], driver='gels')[:2]"), normal(5, 3), grad=False)
    same(run("T.linalg.matrix_rank(x)"), np.diag([1.0, 2.0, 0.0]), grad=False)
    same(
        run("T.linalg.matrix_rank(x, atol=1.5), T.linalg.matrix_rank(x, rtol=0.6)"),
        np.diag([1.0, 2.0, 0.5]),
        grad=False,
    )
    same(run("T.linalg.qr(x, mode='complete')"), normal(4, 2), grad=False)
    same(run("T.linalg.qr(x, mode='r')"), normal(4, 2), grad=False)
    same(run("[p.abs() for p in T.linalg.svd(x)]"), normal(2, 4), grad=False)
    same(run("T.cholesky_solve(x, T.linalg.cholesky(x @ x.mT)) ** 2"), spread())


@pytest.mark.parametrize("order", ["fro", 1, -1, float("inf"), "nuc"])
def test_condition_numbers(order: Any) -> None:
    """PyTorch has no gradients for these orders."""
    same(lambda T, x: T.linalg.cond(x, order), spread(), grad=False)
    same(lambda T, x: T.linalg.cond(x, order), spread(2), grad=False)
    x = rushlight.tensor(spread(2), requires_grad=True)
    rushlight.autograd.gradcheck(lambda x: rushlight.linalg.cond(x, order), (x,))


def test_matrices_that_are_no_numbers() -> None:
    bad = np.full((2, 2), np.nan)
    for code in ("svdvals", "eigh", "svd", "matrix_rank", "pinv", "eigvalsh"):
        same(lambda T, x, code=code: getattr(T.linalg, code)(x), bad, grad=False)
    same(lambda T, x: (T.linalg.det(x), T.linalg.slogdet(x)[1]), bad, grad=False)


def test_residuals_have_a_gradient() -> None:
    x, b = (rushlight.tensor(normal(5, n), requires_grad=True) for n in (2, 3))
    for place in (0, 1, 3):
        rushlight.autograd.gradcheck(lambda x, b, p=place: rushlight.linalg.lstsq(x, b, driver="gelsd")[p], (x, b))


def test_singular_matrices() -> None:
    same(lambda T, x: T.linalg.inv(x), np.zeros((2, 2)))
    same(lambda T, x: T.linalg.solve(x, x), np.zeros((2, 2)))
    same(lambda T, x: T.linalg.cholesky(-x), np.eye(2))
    with pytest.raises(rushlight.linalg.LinAlgError):
        rushlight.inverse(rushlight.zeros(2, 2))


def test_singular_determinants_have_a_gradient() -> None:
    """PyTorch gives zeros here; finite differences judge."""
    x = normal(3, 3)
    x[2] = x[0] * 2
    for value in (x, np.diag([1.0, 2.0, 0.0]), np.zeros((1, 1)), np.zeros((3, 3))):
        rushlight.autograd.gradcheck(rushlight.linalg.det, (rushlight.tensor(value, requires_grad=True),))


def test_only_one_triangle_is_read() -> None:
    x = normal(3, 3) + np.diag([5.0, 6.0, 8.0])
    same(lambda T, x: T.linalg.cholesky(x), x, grad=False)
    same(lambda T, x: T.linalg.cholesky(x, upper=True), x, grad=False)
    same(lambda T, x: T.linalg.eigvalsh(x), x, grad=False)
    same(lambda T, x: T.linalg.eigvalsh(x, "U"), x, grad=False)


def test_what_has_no_gradient_raises() -> None:
    x = rushlight.tensor(normal(4, 2), requires_grad=True)
    for made in (rushlight.linalg.svd(x)[0], *rushlight.linalg.qr(x, "complete"), rushlight.linalg.qr(x, "r")[1]):
        with pytest.raises(RuntimeError, match="derivative"):
            made.sum().backward()


CALLS = """
T.linalg.inv(T.ones(2, 3))
T.linalg.inv(T.ones(3))
T.linalg.inv(T.ones(2, 2, dtype=T.int64))
T.linalg.inv(T.ones(2, 2).half())
T.linalg.inv(T.ones(0, 3, 3))
T.linalg.inv(T.ones(0, 0))
T.linalg.det(T.ones(0, 0))
T.linalg.det(T.ones(2, 3))
T.linalg.slogdet(T.zeros(2, 2))
T.linalg.slogdet(-T.eye(3))
T.logdet(-T.eye(3))
T.logdet(T.zeros(2, 2))
T.slogdet(T.eye(2) * 3)
T.linalg.solve(T.eye(2), T.ones(3))
T.linalg.solve(T.eye(2), T.ones(2))
T.linalg.solve(T.eye(2), T.ones(2), left=False)
T.linalg.solve(T.eye(2), T.ones(2).double())
T.linalg.solve(T.eye(2).expand(3, 2, 2), T.ones(3, 2))
T.linalg.solve(T.eye(2), T.ones(3, 2, 1))
T.linalg.eigh(T.eye(2), "X")
T.linalg.eigh(T.tensor([[2.0, 0.0], [0.0, 3.0]]))
T.linalg.qr(T.eye(2), "full")
T.linalg.matrix_power(T.ones(2, 3), 2)
T.linalg.matrix_power(T.ones(2, 2, dtype=T.int64), 2)
T.linalg.matrix_power(T.ones(2, 2), 0)
T.linalg.matrix_exp(T.zeros(2, 2))
T.linalg.matrix_exp(T.tensor([[0.0, 10.0], [-10.0, 0.0]]).double())
T.linalg.matrix_norm(T.ones(3))
T.linalg.matrix_norm(T.ones(2, 3), 3)
T.linalg.matrix_norm(T.ones(2, 3), "abc")
T.linalg.matrix_norm(T.ones(2, 3), dim=(0, 0))
T.linalg.matrix_norm(T.ones(2, 3), dim=0)
T.linalg.matrix_norm(T.ones(2, 3, dtype=T.int64))
T.linalg.norm(T.ones(2, 3, 4), 2)
T.linalg.norm(T.ones(2, 3, 4))
T.linalg.norm(T.ones(3), "fro")
T.linalg.norm(T.ones(3), 1)
T.linalg.norm(T.ones(2, 3), 1)
T.linalg.norm(T.ones(2, 3), "nuc")
T.linalg.norm(T.ones(2, 3), 2, dim=(0, 1, 1))
T.linalg.cond(T.zeros(2, 2))
T.linalg.cond(T.zeros(2, 2), 1)
T.linalg.cross(T.ones(3), T.ones(2, 3))
T.linalg.cross(T.ones(2), T.ones(2))
T.cross(T.ones(2, 2), T.ones(2, 2), 0)
T.linalg.vander(T.tensor([1, 2, 3]))
T.linalg.vander(T.tensor([1.0, 2]), N=1)
T.vander(T.tensor([1, 2, 3]))
T.vander(T.tensor([1, 2, 3]), 0)
T.vander(T.ones(2, 2))
T.linalg.multi_dot([T.ones(2, 2)])
T.linalg.lstsq(T.ones(3, 2), T.ones(2))
T.linalg.lstsq(T.eye(2), T.ones(2, 1), driver="x")
T.linalg.svdvals(T.diag(T.tensor([3.0, 2.0])))
T.linalg.pinv(T.zeros(2, 3))
T.linalg.pinv(T.ones(0, 3))
T.linalg.vecdot(T.tensor([1, 2]), T.tensor([3, 4]))
issubclass(T.linalg.LinAlgError, RuntimeError)
"""


@pytest.mark.parametrize("line", lines(CALLS))
def test_calls(line: str) -> None:
    check(line)
