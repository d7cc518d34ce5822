"""Scatters that combine against PyTorch: products with gradients, slices by index, antialiased resizing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rushlight
from support.expressions import check, lines
from support.oracle import same
from support.values import normals

pytestmark = pytest.mark.filterwarnings("ignore:index_reduce")  # PyTorch calls it a beta

RNG = np.random.default_rng(2)
normal = normals(RNG)
KINDS = ("prod", "mean", "amax", "amin", "sum")


INDEX = np.array([[0, 1, 1], [0, 0, 2]])


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("reduce", KINDS)
@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_scatter_reduce(reduce: str, include: bool, kind: str) -> None:
    def combined(T: Any, x: Any, i: Any, src: Any) -> Any:
        out = x.scatter_reduce(1, i, src, reduce, include_self=include)
        return out * out

    x, src = normal(2, 4) * 3, normal(2, 3) * 3
    same(combined, x.astype(kind), INDEX, src.astype(kind))


@pytest.mark.parametrize("include", [True, False])
def test_products_with_zeros(include: bool) -> None:
    def combined(T: Any, x: Any, i: Any, src: Any) -> Any:
        leaves = [x.requires_grad_(), src.requires_grad_()]
        out = x.scatter_reduce(1, i, src, "prod", include_self=include)
        return out, *T.autograd.grad((out * out).sum() + out.sum(), leaves)

    x, src = normal(2, 4), normal(2, 3)
    src[0, 1] = src[1, 0] = 0.0
    same(combined, x, INDEX, src, grad=False)
    src[1, 1] = 0.0  # two zeros meet
    same(combined, x, INDEX, src, grad=False)
    x[0, 0] = 0.0
    same(combined, x, INDEX, src, grad=False)


def test_derivatives_of_products_where_zeros_meet() -> None:
    x, src = normal(2, 4), normal(2, 3)
    src[1, 0] = src[1, 1] = 0.0
    leaves = [rushlight.tensor(v, requires_grad=True) for v in (x, src)]
    product = lambda x, s: x.scatter_reduce(1, rushlight.tensor(INDEX), s, "prod")
    rushlight.autograd.gradcheck(product, leaves)
    rushlight.autograd.gradgradcheck(product, leaves)


def test_scatter_with_a_product_in_place() -> None:
    def combined(T: Any, x: Any, i: Any, src: Any) -> Any:
        y = x * 1
        y.scatter_reduce_(1, i, src, "prod")
        return y * y

    same(combined, normal(2, 4), INDEX, normal(2, 3))


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("reduce", KINDS[:-1])
def test_index_reduce(reduce: str, include: bool) -> None:
    def combined(T: Any, x: Any, i: Any, src: Any, dim: int) -> Any:
        out = x.index_reduce(dim, i, src, reduce, include_self=include)
        y = (x * 1).index_reduce_(dim, i, src, reduce, include_self=include)
        return out * out, T.index_reduce(x, dim, i, src, reduce, include_self=include) * y

    same(combined, normal(4, 3), np.array([1, 0, 1]), normal(3, 3), 0)
    same(combined, normal(4, 3), np.array([1, 0]), normal(4, 2), -1)
    same(combined, (normal(4, 3) * 4).astype("int64"), np.array([1, 0, 1]), (normal(3, 3) * 4).astype("int64"), 0)


CALLS = """
T.ones(3).index_reduce(0, T.tensor([0, 1]), T.ones(2), "sum")
T.ones(3).index_reduce(0, T.tensor([0, 3]), T.ones(2), "prod")
T.ones(3).index_reduce(0, T.tensor([0, 1]), T.ones(3), "prod")
T.ones(3).index_reduce(1, T.tensor([0, 1]), T.ones(2), "prod")
T.ones(3).index_reduce(0, T.tensor([[0, 1]]), T.ones(2), "prod")
T.ones(3).index_reduce(0, T.tensor([0, 1]), T.ones(2).double(), "prod")
T.ones(3).index_reduce(0, T.tensor([0.0, 1]), T.ones(2), "prod")
T.ones(3).scatter_reduce(0, T.tensor([0, 1]), T.ones(2).double(), "prod")
T.ones(3, requires_grad=True).scatter_reduce(0, T.tensor([0, 3]), T.ones(2), "prod")
T.ones(3, requires_grad=True).scatter_reduce(0, T.zeros(0, dtype=T.int64), T.ones(2), "prod").detach()
T.tensor(2.0, requires_grad=True).scatter_reduce(0, T.tensor(0), T.tensor(3.0), "prod").detach()
T.nn.functional.interpolate(T.ones(1, 1, 4, 4), 3, mode="lanczos")
T.nn.functional.interpolate(T.ones(1, 1, 4, 4), 3, mode="lanczos", align_corners=True, antialias=True)
T.nn.functional.interpolate(T.ones(1, 1, 4), 3, mode="linear", antialias=True)
T.nn.functional.interpolate(T.ones(1, 1, 4, 4), 3, mode="nearest", antialias=True)
T.nn.functional.interpolate(T.ones(1, 1, 4, 4).half(), 3, mode="bilinear", antialias=True)
"""


@pytest.mark.parametrize("line", lines(CALLS))
def test_calls(line: str) -> None:
    check(line)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("how", [{"size": (3, 4)}, {"size": (9, 2)}, {"scale_factor": 0.6},
                                 {"scale_factor": (0.4, 1.7)},
                                 {"size": (3, 2), "align_corners": True}, {"size": (7, 8), "align_corners": True},
                                 {"scale_factor": 0.45, "recompute_scale_factor": True}], ids=str)  # fmt: skip
def test_antialiased(mode: str, how: dict[str, Any]) -> None:
    if mode == "lanczos" and "align_corners" in how:
        return
    same(
        lambda T, x: T.nn.functional.interpolate(x, mode=mode, antialias=True, **how) ** 2,
        normal(2, 2, 7, 8),
        names=True,
    )
    same(
        lambda T, x: T.nn.functional.interpolate(x, mode=mode, antialias=True, **how) ** 2,
        normal(1, 2, 5, 11, kind="float32"),
    )
