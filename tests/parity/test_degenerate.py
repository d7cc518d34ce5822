"""Matrices with equal singular values, or none, and those symmetric but for rounding: gradients as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.oracle import same

EQUAL = {"eye": np.eye(3), "zeros": np.zeros((3, 3)), "pair": np.diag([2.0, 1.0, 1.0])}
RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 4))
NEAR = X @ X.T + np.triu(np.full((4, 4), 1e-15))

OF_EQUAL = [
    "L.svdvals(x).sum()",
    "L.svdvals(x[:, :2]).sum()",
    "L.svdvals(x[:2]).sum()",
    "L.matrix_norm(x, 2)",
    "L.matrix_norm(x, -2)",
    "L.matrix_norm(x, 'nuc')",
    "T.norm(x, 'nuc')",
    "L.norm(T.stack([x, x + x0]), 'nuc', dim=(1, 2)).sum()",
    "L.eigvalsh(x).sum()",
    "L.eigvalsh(x)[0]",
    "L.eigh(x)[0].square().sum()",
]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", sorted(EQUAL))
@pytest.mark.parametrize("line", OF_EQUAL)
def test_what_does_not_depend_on_the_vectors(line: str, name: str, create_graph: bool) -> None:
    def run(T: Any) -> Any:
        x = T.tensor(EQUAL[name], requires_grad=True)
        out = eval(line, {"T": T, "L": T.linalg, "x": x, "x0": T.tensor(np.diag([0.0, 0.5, 2.0]))})
        return T.autograd.grad(out, x, create_graph=create_graph)[0].detach()

    same(run)


@pytest.mark.parametrize("line", ["L.svd(x)[0].sum()", "L.svd(x)[2].sum()", "L.eigh(x)[1].sum()"])
def test_vectors_of_equal_values_have_no_gradient(line: str) -> None:
    def run(T: Any) -> Any:
        x = T.eye(3, dtype=T.float64, requires_grad=True)
        return T.autograd.grad(eval(line, {"L": T.linalg, "x": x}), x)[0].isnan().all()

    same(run)


@pytest.mark.parametrize("line", ["L.cholesky(x)", "L.cholesky(x, upper=True)", "L.eigvalsh(x)", "L.eigvalsh(x, 'U')"])
@pytest.mark.parametrize("x", [NEAR, NEAR + np.triu(np.ones((4, 4)), 1) / 8], ids=["rounded", "of one triangle"])
def test_a_symmetric_input_gets_a_symmetric_gradient(line: str, x: np.ndarray) -> None:
    weights = RNG.normal(size=(4, 4))

    def run(T: Any) -> Any:
        leaf = T.tensor(x, requires_grad=True)
        out = eval(line, {"L": T.linalg, "x": leaf})
        (out * T.tensor(weights)).sum().backward()
        return leaf.grad

    same(run)


def test_the_other_triangle_is_not_read() -> None:
    def run(T: Any) -> Any:
        x = T.tensor(np.where(np.tri(4, dtype=bool), NEAR, np.nan))
        return T.linalg.cholesky(x), T.linalg.eigvalsh(x)

    same(run)
