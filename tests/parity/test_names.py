"""Names that few programs use, with PyTorch's answers: slopes of points, parts of complex numbers, Python functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight
from support.expressions import check, lines, prepare
from support.oracle import same
from support.values import normals

normal = normals(np.random.default_rng(5))

GRADIENT = """
T.gradient(T.arange(6.0).view(2, 3) ** 2)
T.gradient(T.arange(6.0).view(2, 3) ** 2, dim=0)
T.gradient(T.arange(6.0).view(2, 3) ** 2, dim=(-1,))
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=2.0)
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=(2.0, 3))
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=[2.0])
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=[2.0], dim=1)
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=(T.tensor([0.0, 1.0]), T.tensor([0.0, 1.0, 4.0])))
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=(T.tensor([0.0, 1.0, 4.0]),), dim=1)
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=(T.tensor([0, 1, 4]),), dim=1)
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=(T.tensor([0.0, 1.0, 4.0]),), dim=1, edge_order=2)
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=T.tensor([0.0, 1.0, 4.0]), dim=1)
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=T.tensor(2.0))
T.gradient(T.arange(6.0).view(2, 3) ** 2, edge_order=2)
T.gradient(T.arange(6.0).view(2, 3) ** 2, dim=1, edge_order=2)
T.gradient(T.arange(6.0).view(2, 3) ** 2, dim=1, edge_order=3)
T.gradient(T.arange(6.0).view(2, 3) ** 2, dim=(0, 0))
T.gradient(T.arange(6.0).view(2, 3) ** 2, dim=5)
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=(1.0, 2.0, 3.0))
T.gradient(T.arange(6.0).view(2, 3) ** 2, spacing=(T.tensor([0.0, 1.0]), T.ones(3)), dim=1)
T.gradient(T.arange(6.0).view(2, 3) ** 2, dim=())
T.gradient(T.tensor([1.0, 4, 9]), spacing=(T.ones(3, 1),))
T.gradient(T.tensor([1.0, 4, 9]), spacing=(T.tensor([1.0, 2.0, 4.0], dtype=T.float64),))
T.gradient(T.tensor([1, 4, 9]))
T.gradient(T.tensor([1, 4, 9]), edge_order=2)
T.gradient(T.tensor([1.0, 4, 9]).half())
T.gradient(T.tensor([1, 4, 9], dtype=T.uint8))
T.gradient(T.tensor([True, False]))
T.gradient(T.tensor(1.0))
T.gradient(T.ones(1))
T.gradient(T.ones(2), edge_order=2)
T.gradient(T.zeros(2, 0))
T.gradient(T.zeros(0, 3), dim=1)
"""

COMPLEX = """
T.real(x) is x
x.real is x
x.imag
T.imag(x)
T.conj(x) is x
x.conj() is x
T.conj(T.tensor([True]))
T.conj_physical(x) is x
T.tensor([1, -2]).conj_physical_()
T.conj_physical_(T.tensor([1.0]))
T.resolve_conj(x) is x
x.resolve_conj() is x
T.resolve_neg(x) is x
x.resolve_neg() is x
T.real(1.0)
T.conj([1.0])
T.angle(T.tensor([1.0, -2.0, 0.0, -0.0, T.nan, T.inf, -T.inf]))
T.angle(T.tensor([1, -1]))
T.angle(T.tensor([True]))
T.angle(T.tensor([-1.0]).half())
T.tensor([-1.0, 1.0]).angle()
"""

ELEMENTS = """
T.tensor([1.0, 2.0]).apply_(lambda v: v + 1)
T.tensor([1, 2]).apply_(lambda v: v + 1.5)
T.tensor([True, False]).apply_(lambda v: not v)
T.zeros(2, 3).t().apply_(lambda v: v + 1)
T.tensor(3.0).apply_(lambda v: v * v)
T.zeros(2).apply_(1)
T.zeros(2).apply_(lambda v: T.tensor(2.0))
x.apply_(lambda v: v)
T.zeros(2, 3).map_(T.ones(3), lambda a, b: a + b)
T.zeros(2, 3).t().map_(T.arange(6.0).view(3, 2), lambda a, b: a + b)
T.zeros(3).map_(T.ones(2, 3), lambda a, b: a + b)
T.zeros(3).map_(T.ones(3).long(), lambda a, b: a + b)
T.zeros(2).map_(x, lambda a, b: a + b)
T.zeros(3).map_(1, lambda a, b: a)
T.zeros(2).map2_(T.ones(2), T.ones(2), lambda a, b, c: a + b + c)
"""

MEMORY = """
T.as_strided_scatter(T.zeros(3, 3), T.ones(2, 2), (2, 2), (1, 2))
T.zeros(6).as_strided_scatter(T.arange(2.0), (2,), (3,), 1)
T.as_strided_scatter(T.zeros(6), T.ones(3), (2,), (3,))
T.as_strided_scatter(T.zeros(6), T.ones(3), (3,), (3,))
[T.sym_int(2.7), T.sym_int(-2.7), T.sym_float(1), T.sym_not(True), T.sym_ite(True, 1, 2), T.sym_sum([1, 2])]
[T.sym_max(1, 2.0), T.sym_max(3, 2.0), T.sym_min(1, 2), T.sym_min(1, 2.0), T.sym_max(True, 2)]
T.zeros(2).is_set_to(T.zeros(2))
x.is_set_to(x)
x.is_set_to(x.view(2))
x.is_set_to(x[1:])
x.is_set_to(x.view(2, 1))
T.arange(4.0).as_strided_((2, 2), (1, 1))
T.as_strided_(T.arange(4.0), (2, 2), (1, 1))
T.as_strided_(T.arange(4.0), (2, 3), (3, 1))
T.unsafe_chunk(T.arange(5), 2)
T.arange(6.0).view(2, 3).unsafe_chunk(2, 1)
T.unsafe_split(T.arange(5), 2)
T.arange(3).unsafe_split_with_sizes([1, 2])
T.empty_permuted((2, 3), (1, 0)).stride()
T.empty_permuted((2, 3, 4), (2, 0, 1), dtype=T.float64).stride()
T.empty_permuted((2, 3), (0, 0))
T.empty_permuted((2, 3), (0,))
T.empty_permuted((2, 3), (0, 2))
T.zeros(2, 3).t().dim_order()
T.ones(2).to_dense()
(x.is_mkldnn, x.is_mps, x.is_xpu, x.is_sparse_csr, x.is_nested)
T.set_default_tensor_type(T.LongTensor)
T.set_default_tensor_type(3)
T.set_default_tensor_type(T.float64)
T.testing.assert_allclose(1.0, 1.00001)
T.testing.assert_allclose(T.ones(2), T.ones(2) * 2, msg="hi")
T.testing.assert_allclose(T.ones(2), T.ones(2).double() + 1e-5)
T.testing.assert_allclose(T.ones(2), T.ones(2) + 1e-3)
(T.cpu.is_available(), T.cpu.device_count(), T.cpu.current_device(), T.cpu.is_initialized(), T.cpu.synchronize())
T.cpu.stream(T.cpu.Stream()).__enter__() is None
"""


@pytest.mark.parametrize("line", lines(GRADIENT + COMPLEX + ELEMENTS + MEMORY))
@pytest.mark.filterwarnings("ignore")
def test_call(line: str) -> None:
    check(line, prepare)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_of_points(edge_order: int) -> None:
    x, places = normal(4, 5), np.cumsum(np.abs(normal(5)) + 0.1)
    same(lambda T, x: T.gradient(x, edge_order=edge_order)[1].sin(), x)
    same(lambda T, x, p: T.gradient(x, spacing=(p,), dim=1, edge_order=edge_order)[0].sin(), x, places)


def test_angle_has_a_gradient_of_zeros() -> None:
    same(lambda T, x: T.angle(x) + x, np.array([1.0, -2.0, 0.0]))


@pytest.mark.filterwarnings("ignore")
def test_default_tensor_type() -> None:
    found = []
    for engine in (torch, rushlight):
        for kind in (engine.DoubleTensor, "torch.HalfTensor", "torch.FloatTensor"):
            engine.set_default_tensor_type(kind)
            found.append(str(engine.get_default_dtype()))
    assert found[:3] == found[3:] == ["torch.float64", "torch.float16", "torch.float32"]


def test_set_on_a_leaf_that_is_not_recorded() -> None:
    found = []
    for engine in (torch, rushlight):
        x = engine.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError):
            x.set_(engine.zeros(3))
        with engine.no_grad():
            x.set_(engine.zeros(3))
        (x * 2).sum().backward()
        found.append((x.is_leaf, x.grad.tolist()))
    assert found[0] == found[1]
