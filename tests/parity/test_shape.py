"""Shape functions, joins and cuts beside PyTorch: values, gradients, node names, views, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from support.oracle import DTYPES, same

CUBE = np.arange(24.0).reshape(2, 3, 4) - 7
MATRIX = np.arange(12.0).reshape(3, 4) - 5
SQUARE = np.arange(9.0).reshape(3, 3)
VECTOR = np.arange(4.0)
SCALAR = np.array(3.0)
EMPTY = np.zeros((0, 3))
ONES = np.arange(3.0).reshape(1, 3, 1)


def evaluated(code: str, T: Any, *args: Any) -> Any:
    """The value of ``code`` with ``x``, ``y``, ... for the arguments and ``T`` for the engine."""
    return eval(code, {"T": T, "np": np, **dict(zip("xyz", args, strict=False))})


VIEWS = """
x.reshape(6, 4)        x.reshape((6, -1))      x.reshape(x.shape)      x.view(6, 4)         x.view(-1)
x.view((2, 12))        x.view_as(x)            x.reshape_as(x)         x.flatten()          x.flatten(0, 1)
x.flatten(1)           x.flatten(-2, -1)       x.flatten(start_dim=1, end_dim=2)            x.unflatten(2, (2, 2))
x.unflatten(-1, (-1, 2))                       x.ravel()               x.permute(2, 0, 1)   x.permute((2, 0, -2))
x.movedim(0, 1)        x.movedim((0, 1), (-1, 0))                      x.transpose(0, 1)    x.transpose(-1, 0)
x.swapaxes(0, 1)       x.swapdims(0, 2)        x.mT                    x.mH                 x.adjoint()
x.expand(2, 2, 3, 4)   x.expand(-1, 3, -1)     x.expand((5, -1, -1, -1))                    x.expand_as(x)
x.broadcast_to((2, 2, 3, 4))                   x.squeeze()             x.squeeze(0)         x.squeeze((0, 1))
x.squeeze(-1)          x.unsqueeze(0)          x.unsqueeze(-1)         x.unsqueeze(3)       x.unsqueeze(-4)
x.transpose(0, 1).reshape(-1)                  x.transpose(0, 1).flatten()
x.transpose(0, 1).contiguous()
x.select(0, 1)         x.select(-1, -2)        x.narrow(1, 1, 2)       x.narrow(-1, -2, 1)  x.unfold(2, 2, 1)
x.unfold(1, 2, 2)      x.unfold(-1, 3, 2)      x.unfold(2, 4, 1)       x.unfold(1, 3, 5)    x.diagonal()
x.diagonal(1)          x.diagonal(-1, 1, 2)    x.diagonal(dim1=-1, dim2=0)                  x.diagonal(9)
x.clone()              x.permute(1, 0, 2).clone()                      x.expand(3, 2, 3, 4).clone()
x[None].squeeze(0)     x[:, :1].squeeze()      x[:, :1].squeeze(1)     x[:, :1].squeeze((1, -1))
"""
COPIES = """
x.flip(0)              x.flip(0, -1)           x.flip((1,))            x.fliplr()           x.flipud()
x.rot90()              x.rot90(2)              x.rot90(-1, (1, 2))     x.rot90(3, [0, 2])   x.roll(1)
x.roll(-3)             x.roll(1, 0)            x.roll((1, -2), (0, 2))  x.roll(5, -1)        x.roll((1, 1), (1, 1))
x.tril()               x.triu(1)               x.tril(-1)              x.triu(-2)           x.tril(diagonal=9)
x.repeat(2, 1, 1, 1)   x.repeat(1, 2, 3)       x.repeat((2, 0, 1))     x.tile(2)            x.tile((2, 1, 1, 2))
x.repeat_interleave(2)                         x.repeat_interleave(2, 0)
x.repeat_interleave(3, dim=-1)
x.repeat_interleave(T.tensor([1, 2]), 0)       x.repeat_interleave(T.tensor([0, 2, 1]), dim=1)
x.repeat_interleave(T.tensor([2]), 1)          x.repeat_interleave(0)  x.diag_embed()       x.diag_embed(1)
x.diag_embed(-2, 0, 2)                         x.diag_embed(dim1=0, dim2=-1)
T.cat([x, x])          T.cat((x, x * 2), -1)   T.cat([x, T.zeros(0)])  T.concat([x, x], 1)  T.concatenate([x, x], dim=2)
T.stack([x, x])        T.stack((x, 2 * x), -1)  T.stack([x, x], 2)      T.hstack([x, x])     T.vstack((x, x))
T.dstack([x, x])       T.column_stack([x, x])  T.cat([x])              T.cat([x[:0], x])    T.cat([x, x[0:1]], dim=0)
"""
LISTS = """
x.split(1)             x.split(2, 1)           x.split([1, 2], 1)      x.split((4, 0), -1)  x.chunk(2)
x.chunk(5, -1)         x.chunk(2, dim=1)       x.tensor_split(2)       x.tensor_split(3, 2)  x.tensor_split((1, 2), 1)
x.tensor_split([0, 5, 2], 2)                   x.unbind()              x.unbind(-1)         x.unbind(1)
x.hsplit(3)            x.vsplit(2)             x.dsplit(2)             x.dsplit([1])        x.split_with_sizes([1, 1])
T.split(x, 3, 2)       T.broadcast_tensors(x, x[0])                    T.atleast_2d(x, x[0, 0], x[0, 0, 0])
T.atleast_3d(x[0, 0, 0], x[0, 0], x[0])        T.atleast_1d((x[0, 0, 0], x))
T.meshgrid(x[0, 0], x[0, :, 0], indexing="ij")  T.meshgrid([x[0, 0], x[0, :, 0]], indexing="xy")
T.meshgrid(x[0, 0], indexing="xy")             T.meshgrid(x[0, 0], x[0, 0, 0], x[1, 0], indexing="xy")
list(x)                x[0].unbind(1)[1:3]     x.chunk(2)[1:]
"""
BAD = """
x.view(5)              x.view(-1, -1)          x.view(-1, 5)           x.view(0, -1)        x.view(-2)
x.transpose(0, 1).view(-1)                     x.reshape(5)            x.transpose(0, 1).reshape(7)
x.transpose(0, 5)      x.permute(0, 1)         x.permute(0, 0, 1)      x.permute(0, 1, 3)   x.expand(3, 3, 4)
x.expand(3)            x.expand(-1, 2, 3, 4)   x.squeeze(5)            x.squeeze((0, 0))    x.unsqueeze(5)
x.unsqueeze(-5)        T.cat([])               T.stack([])             T.cat([x, x[0]])     T.cat([x, x[:, :2]], 0)
T.cat([x[0, 0, 0]])    T.stack([x, x[0]])      T.cat(x)                T.cat([x, 3])        T.stack([x, x], 4)
x.split(0)             x.split([1])            x.split(-1)             x.split([3, -1])     x.chunk(0)
x.narrow(0, 0, 5)      x.narrow(0, 5, 1)       x.narrow(0, 0, -1)      x.select(0, 5)       x.select(3, 0)
x.unfold(0, 5, 1)      x.unfold(0, 2, 0)       x.unfold(0, -1, 1)      x.movedim((0, 1), (1,))
x.movedim((0, 0), (0, 1))                      x.flip(0, 0)            x.flip(3)            x.roll((1, 2), 0)
x.roll((1, 2))         x.rot90(1, (0, 0))      x.rot90(1, (0,))        x[0, 0].tril()       x[0, 0].diagonal()
x.diagonal(dim1=0, dim2=0)                     x.diag()                x.t()                x.H
x[0, 0].mT             x.repeat(2)             x.repeat(2, -1, 2)      x.tile(-1)           x.repeat_interleave(-1)
x.repeat_interleave(T.tensor([1, 2, 3]), 0)    x.unflatten(2, (3, 2))  x.unflatten(2, ())   x.flatten(2, 1)
x.repeat_interleave(T.tensor([1.0, 2.0]), 0)   T.meshgrid(x, indexing="ij")                 x[0, 0, 0].unbind()
T.meshgrid(x[0, 0], indexing="zz")             T.broadcast_tensors(x, T.ones(3))            x.tensor_split(0)
x[0, 0, 0].split(1)    x.hsplit(2)             x[0].dsplit(2)          x[0, 0].fliplr()     x[0, 0, 0].flipud()
x[0, 0].rot90()        T.reshape(3, (1,))      T.flip(3, (0,))         x.clone("no")        x[0, 0, 0].diag_embed()
T.hstack([])           x.view("no")            x.reshape(1.5)          x.expand(2, 3)       x.swapdims(0, 9)
list(x[0, 0, 0])       x.repeat_interleave(T.tensor([1, -1]), 0)       T.cartesian_prod(x)  x.vsplit(3)
"""


def cases(table: str) -> list[str]:
    """The cases of a table, two blanks apart. Each must be Python: an error of its own would look like parity."""
    found = [case.strip() for line in table.strip().splitlines() for case in line.split("  ") if case.strip()]
    for case in found:
        compile(case, case, "exec")
    return found


WRITABLE = [c for c in cases(VIEWS) if "expand" not in c and "broadcast" not in c and "unfold" not in c]


@pytest.mark.parametrize("code", cases(VIEWS) + cases(COPIES))
def test_function(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x), CUBE, names=True)


@pytest.mark.parametrize("code", cases(VIEWS) + cases(COPIES))
def test_function_of_a_transposed_cube(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x.reshape(4, 3, 2).permute(2, 1, 0)), CUBE)


@pytest.mark.parametrize("code", cases(LISTS))
def test_several_results(code: str) -> None:
    same(lambda T, x: [*evaluated(code, T, x)], CUBE)


@pytest.mark.parametrize("code", cases(VIEWS) + cases(COPIES) + cases(LISTS))
@pytest.mark.parametrize("dtype", ["int64", "bool", "float16"])
def test_dtypes(code: str, dtype: str) -> None:
    if dtype == "bool" and ("*" in code):
        pytest.skip("a bool times two is an integer")
    same(lambda T, x: evaluated(code, T, x), CUBE.astype(dtype), grad=False)


@pytest.mark.parametrize("code", cases(BAD))
def test_error(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x), CUBE)


@pytest.mark.parametrize("array", [SCALAR, VECTOR, MATRIX, SQUARE, EMPTY, ONES], ids=lambda a: str(a.shape))
@pytest.mark.parametrize(
    "code",
    cases("""
x.reshape(-1)     x.reshape(x.shape)   x.view(x.shape)   x.flatten()     x.ravel()        x.t()          x.clone()
x.squeeze()       x.squeeze(0)         x.squeeze(-1)     x.unsqueeze(-1)  x.transpose(0, -1)              x.flip(0)
x.roll(1)         x.roll(1, 0)         x.repeat(2, 2, 2)  x.tile(2)       x.repeat_interleave(2)
x.expand(2, *x.shape)
x.diagonal()      x.diag()             x.diag_embed()    x.tril()        x.rot90()        x.unbind()     x.chunk(2)
x.split(2)        x.tensor_split(2)    x.contiguous()    x.movedim(0, 0)  x.permute(tuple(range(x.ndim)))       x.H
x.mH              x.adjoint()          x.unfold(0, 1, 1)  x.select(0, 0)  x.narrow(0, 0, 1)
x.flatten(0, 0)
x.unflatten(0, (-1, 1))                T.cat([x, x])     T.stack([x, x])  T.hstack([x, x])  T.vstack([x])
T.dstack([x, x])
T.atleast_1d(x)   T.atleast_2d(x)      T.atleast_3d(x)   T.diag(x, 1)    T.cartesian_prod(x, x)          T.diagflat(x)
x.squeeze(())     x.flip(())           T.column_stack([x, x])            x.T              x.view(1, *x.shape)
x.repeat_interleave(2, 0)              x.repeat_interleave(T.tensor(2))  x[...].view(-1)  x.expand(x.shape)
"""),
)
@pytest.mark.filterwarnings("ignore:The use of `x.T`")
@pytest.mark.filterwarnings("ignore:.*is deprecated on 0-D tensors")
def test_other_ranks(code: str, array: np.ndarray) -> None:
    same(lambda T, x: evaluated(code, T, x), array)


@pytest.mark.parametrize("one", DTYPES)
@pytest.mark.parametrize("other", DTYPES)
def test_joins_promote(one: str, other: str) -> None:
    a, b = MATRIX.astype(one), MATRIX.astype(other)
    same(lambda T, x, y: (T.cat([x, y]), T.stack([x, y])), a, b, grad=False)
    same(lambda T, x, y: T.stack([x, y]), np.array(a[0, 1]), np.array(b[0, 0]), grad=False)
    if "float" in one:
        same(lambda T, x, y: T.cat([x, y], 1), a, b, tol=2e-3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_view_of_another_dtype(dtype: str) -> None:
    same(lambda T, x: x.view(getattr(T, dtype)), MATRIX, grad=False)
    same(lambda T, x: x.view(getattr(T, dtype)), MATRIX.astype(np.float32), grad=False)


@pytest.mark.parametrize("code", cases(VIEWS) + cases(COPIES))
def test_memory_is_shared_as_in_pytorch(code: str) -> None:
    found = []
    for engine in (rushlight, torch):
        x = engine.from_numpy(CUBE.copy())
        out = evaluated(code, engine, x)
        found.append((out is x, np.shares_memory(out.numpy(), x.numpy()), out._base is x))
    assert found[0] == found[1]


@pytest.mark.parametrize("code", WRITABLE)
@pytest.mark.parametrize("leaf", [True, False])
def test_a_write_into_the_view_reaches_the_base(code: str, leaf: bool) -> None:
    def written(T: Any, x: Any, w: Any) -> Any:
        base = x.detach().clone() if leaf else x * 1
        part = evaluated(code, T, base)
        part *= w
        part += w
        return base * base

    same(written, CUBE, np.array(2.5))


@pytest.mark.parametrize("code", ["x.unbind()", "x.split(1)", "x.chunk(2)", "x.split([1, 1])", "list(x)"])
def test_one_of_several_views_must_not_be_written(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x * 1)[0].add_(1), CUBE)
    same(lambda T, x: evaluated(code, T, T.zeros(2, 3))[0].mul_(x), SCALAR)


def test_a_write_after_several_views() -> None:
    """PyTorch refuses to look at the views again; here they follow the base."""
    x = rushlight.from_numpy(CUBE.copy()).requires_grad_()
    y = x * 1
    a, b = y.unbind()
    y *= 3
    (a * b).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 9 * CUBE[::-1])


def test_out() -> None:
    same(lambda T, x: T.cat([x, x], out=T.zeros(2, 3)), MATRIX, grad=False)
    same(lambda T, x: T.stack([x, x], out=T.zeros(0, dtype=T.float64)), MATRIX, grad=False)


@pytest.mark.parametrize("args", [(3, 3), (3, 2, 1), (2, 4, -1), (0, 3), (3, 0), (4, 4, 9), (4, 4, -9)])
def test_indices_of_triangles(args: tuple[int, ...]) -> None:
    same(lambda T: (T.tril_indices(*args), T.triu_indices(*args, dtype=T.int32)))


def test_repeats_of_indices() -> None:
    same(lambda T: T.repeat_interleave(T.tensor([1, 0, 2])))
    same(lambda T: T.repeat_interleave(T.tensor([[1, 0, 2]])))


def test_unbinding_a_long_sequence_costs_one_step_each() -> None:
    x = rushlight.from_numpy(np.ones((3000, 2))).requires_grad_()
    total = sum(x)
    total.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 1)


@pytest.mark.parametrize(
    "code",
    cases("""
x.unsqueeze_(0)  x.unsqueeze_(-1)  x.squeeze_()  x.squeeze_(0)  x.transpose_(0, 1)  x.t_()
x.swapaxes_(0, -1)  x.swapdims_(1, 0)
x.unsqueeze_(9)  x.transpose_(0, 5)
"""),
)
@pytest.mark.parametrize("start", ["x * 1", "(x * 1)[1:]", "(x * 1)[:1]", "x.detach().clone()", "x"])
def test_a_new_shape_in_place(code: str, start: str) -> None:
    def changed(T: Any, x: Any) -> Any:
        x = evaluated(start, T, x)
        assert evaluated(code, T, x) is x
        x *= 2
        return x * x

    same(changed, MATRIX)


def test_a_base_keeps_its_shape() -> None:
    x = rushlight.zeros(2, 3)
    part = x[0]
    with pytest.raises(RuntimeError, match="while other tensors are views of it"):
        x.t_()
    del part
    x[0] = 1.0
    assert x.t_().tolist() == [[1, 0], [1, 0], [1, 0]]
