"""The determinant is a polynomial: its derivatives of every order exist, at singular matrices too."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rushlight as torch


def leibniz(x: Any) -> Any:
    """Return the determinant of (n, n) as the sum over permutations."""
    n = x.shape[0]
    total: Any = 0
    for order in permutations(range(n)):
        product: Any = float(np.linalg.det(np.eye(n)[list(order)]))
        for row, column in enumerate(order):
            product = product * x[row, column]
        total = total + product
    return total


def derivatives(function: Any, array: np.ndarray) -> list[np.ndarray]:
    """Return the value and three derivatives in a row, each of a weighted sum of the one before."""
    x = torch.from_numpy(array).requires_grad_()
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=array.shape))
    made, found = function(x), []
    for _ in range(4):
        found.append(made.detach().numpy())
        if not made.requires_grad:
            break
        (made,) = torch.autograd.grad((made * weights).sum() if made.ndim else made, x, create_graph=True)
    return found


@st.composite
def matrices(draw: Any) -> np.ndarray:
    """A matrix of up to four rows and any rank, of any size."""
    n = draw(st.integers(1, 4))
    rank = draw(st.integers(0, n))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    scale = draw(st.sampled_from([1.0, 1e-3, 1e4]))
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n)) * scale


@given(matrices())
def test_derivatives_are_those_of_the_polynomial(x: np.ndarray) -> None:
    size = max(np.abs(x).max(), 1e-300)
    for order, (got, right) in enumerate(zip(derivatives(torch.linalg.det, x), derivatives(leibniz, x), strict=False)):
        np.testing.assert_allclose(got, right, rtol=1e-8, atol=1e-10 * size ** max(len(x) - order, 0))


@pytest.mark.parametrize("shape", [(2, 3, 3), (0, 3, 3), (2, 0, 0), (1, 2, 2, 2)])
def test_batches_of_singular_matrices(shape: tuple[int, ...]) -> None:
    x = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(torch.linalg.det(x).sum(), x, create_graph=True)
    assert g.shape == shape
    (h,) = torch.autograd.grad(g.sum(), x, allow_unused=True)
    assert h is None or np.isfinite(h.numpy()).all()


def test_a_determinant_that_underflows_has_its_cofactors() -> None:
    x = (torch.eye(2, dtype=torch.float64) * 1e-200).requires_grad_()
    (g,) = torch.autograd.grad(torch.linalg.det(x), x, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), np.eye(2) * 1e-200, rtol=1e-12)
