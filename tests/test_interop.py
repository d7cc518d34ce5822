"""Tensors beside NumPy, matplotlib and DLPack: what gives a tensor, what keeps the gradient, what is refused."""

from __future__ import annotations

import operator
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rushlight as torch
from support.values import leaf

OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.floordiv, operator.mod,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip
SMOOTH = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("op", OPERATORS)
def test_an_array_on_the_left_gives_a_tensor(op: Any) -> None:
    array, x = np.array([1.5, 2.0, 3.0]), leaf(1.0, 2.0, 4.0)
    made = op(array, x)
    assert type(made) is torch.Tensor
    np.testing.assert_array_equal(made.detach().numpy(), op(array, x.detach().numpy()))


@pytest.mark.parametrize("op", SMOOTH)
@pytest.mark.parametrize(
    "left", [np.array([1.5, 2.0, 3.0]), np.float64(1.5), np.float32(2), np.int64(3), np.array(2.5)]
)
def test_the_gradient_is_kept(op: Any, left: Any) -> None:
    x, twin = leaf(1.0, 2.0, 4.0), leaf(1.0, 2.0, 4.0)
    made = op(left, x)
    assert made.requires_grad
    made.sum().backward()
    op(torch.tensor(np.asarray(left, np.float64)), twin).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), twin.grad.numpy(), rtol=1e-15)


@pytest.mark.parametrize("op", SMOOTH)
def test_numpy_scalars_are_numbers(op: Any) -> None:
    """They do not decide about the dtype, on either side."""
    for kind in (torch.float16, torch.float32, torch.float64):
        x = torch.ones(2, dtype=kind)
        for scalar in (np.float64(2), np.float32(2), np.int64(2)):
            assert op(scalar, x).dtype is kind
            assert op(x, scalar).dtype is kind
    assert op(np.float32(2), torch.ones(2, dtype=torch.int64)).dtype is torch.float32


def test_matrix_product_with_an_array_on_the_left() -> None:
    x = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    made = np.ones((3, 2)) @ x
    assert made.shape == (3, 2)
    made.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full((2, 2), 3.0))


UFUNCS = ["exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "square", "log1p", "expm1", "reciprocal", "negative"]


@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs_record(name: str) -> None:
    ufunc = getattr(np, name)
    x = leaf(0.5, 1.0, 2.0)
    made = ufunc(x)
    np.testing.assert_allclose(made.detach().numpy(), ufunc(x.detach().numpy()), rtol=1e-15)
    made.sum().backward()
    step = 1e-6
    values = x.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), (ufunc(values + step) - ufunc(values - step)) / (2 * step), rtol=1e-8)


def test_ufuncs_of_two() -> None:
    x = leaf(1.0, 5.0)
    assert np.maximum(x, 2.0).tolist() == np.maximum(2.0, x).tolist() == [2.0, 5.0]
    assert np.add([1, 2], x).tolist() == [2.0, 7.0]
    assert np.subtract(3, x).tolist() == [2.0, -2.0]
    assert np.isnan(x).tolist() == [False, False]
    assert np.add(True, torch.tensor([1, 2])).tolist() == [2, 3]
    assert np.multiply(2, torch.tensor([True, False])).dtype is torch.int64


def test_reductions_of_ufuncs() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert np.add.reduce(x).tolist() == [4.0, 6.0]
    assert np.add.reduce(x, axis=1, keepdims=True).tolist() == [[3.0], [7.0]]
    assert np.maximum.reduce(x, axis=1).tolist() == [2.0, 4.0]
    np.add.reduce(x, axis=None).backward()
    assert x.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    with pytest.raises(TypeError, match=r"np\.add.*detach"):
        np.add.outer(x, x)
    with pytest.raises(TypeError, match="keepdims"):
        np.add.reduce(x, dtype=np.float64)


def test_what_has_no_gradient_is_refused() -> None:
    x = leaf(1.0, 2.0)
    for call in (lambda: np.cbrt(x), lambda: np.modf(x), lambda: np.add(x, 1, where=[True, False])):
        with pytest.raises(TypeError, match=r"detach\(\)\.numpy\(\)"):
            call()
    for call in (lambda: np.median(x), lambda: np.histogram(x), lambda: np.interp(x, [0.0], [1.0])):
        with pytest.raises(TypeError, match=r"np\.\w+ has no gradient"):
            call()


def test_without_a_gradient_numpy_computes() -> None:
    x = torch.tensor([1.0, 8.0])
    assert np.cbrt(x).tolist() == [1.0, 2.0]
    assert type(np.cbrt(x)) is torch.Tensor
    assert [part.tolist() for part in np.modf(x)] == [[0.0, 0.0], [1.0, 8.0]]
    assert np.median(x) == 4.5
    for made in (np.concatenate([x, x]), np.where(x > 2, x, 0), np.stack([x, x]), np.vstack((x, x))):
        assert type(made) is np.ndarray  # as PyTorch has it
    assert np.allclose(x, [1, 8])
    assert np.array_equal(x, x)
    assert np.linalg.norm(x) == pytest.approx(np.sqrt(65), rel=1e-6)


def test_out() -> None:
    x, array = torch.tensor([1.0, 2.0]), np.zeros(2, np.float32)
    assert np.add(x, 1, out=array) is array
    assert array.tolist() == [2.0, 3.0]
    array += x
    assert array.tolist() == [3.0, 5.0]
    target = torch.zeros(2)
    assert np.exp(x, out=target) is target
    assert target.tolist() == torch.exp(x).tolist()
    assert target._version == 1
    with pytest.raises(TypeError, match="gradient"):
        array += leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="out="):
        np.exp(leaf(1.0, 2.0), out=target)


def test_what_numpy_writes_is_counted() -> None:
    for write in (
        lambda t: np.cbrt(t, out=t),
        lambda t: np.add.at(t, [0], 1),
        lambda t: np.copyto(t, 0),
        lambda t: np.put(t, [0], 5),
        lambda t: np.median(t, axis=0, out=t[0]),
        lambda t: np.add(t, 1, out=t),
    ):
        x, saved = torch.ones(3, requires_grad=True), torch.ones(3)
        y = x * saved
        write(saved)
        assert saved._version == 1
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


FUNCTIONS = {
    "sum": lambda m, x: m.sum(x),
    "sum of a dim": lambda m, x: m.sum(x, axis=1, keepdims=True),
    "mean": lambda m, x: m.mean(x, 0),
    "prod": lambda m, x: m.prod(x, axis=1),
    "var": lambda m, x: m.var(x),
    "std with ddof": lambda m, x: m.std(x, axis=0, ddof=1),
    "max": lambda m, x: m.max(x, axis=1),
    "max of all": lambda m, x: m.max(x),
    "min": lambda m, x: m.min(x),
    "argmax": lambda m, x: m.argmax(x),
    "argmax of a dim": lambda m, x: m.argmax(x, axis=1),
    "cumsum": lambda m, x: m.cumsum(x, axis=1),
    "reshape": lambda m, x: m.reshape(x, (3, 2)),
    "reshape to a line": lambda m, x: m.reshape(x, -1),
    "ravel": lambda m, x: m.ravel(x),
    "squeeze": lambda m, x: m.squeeze(x[:1]),
    "expand_dims": lambda m, x: m.expand_dims(x, 0),
    "swapaxes": lambda m, x: m.swapaxes(x, 0, 1),
    "clip": lambda m, x: m.clip(x, 1, 2),
    "concatenate": lambda m, x: m.concatenate([x, x], axis=1),
    "stack": lambda m, x: m.stack([x, x]),
    "where": lambda m, x: m.where(x > 1, x, 0.5),
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_record(name: str) -> None:
    values = np.arange(6.0).reshape(2, 3)
    x = torch.tensor(values, requires_grad=True)
    made, wanted = FUNCTIONS[name](np, x), FUNCTIONS[name](np, values)
    assert type(made) is torch.Tensor
    assert made.shape == np.shape(wanted)
    np.testing.assert_allclose(made.detach().numpy(), wanted, rtol=1e-14)
    if made.is_floating_point():
        assert made.requires_grad


def test_asarray() -> None:
    x = torch.tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert np.asarray(x).dtype == np.float32
    assert not np.shares_memory(np.array(x), x.numpy())
    assert np.asarray(x, dtype=np.float64).tolist() == [1.0, 2.0]
    assert np.shares_memory(np.asarray(x, copy=False), x.numpy())
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float64, copy=False)
    assert np.asarray(torch.tensor(2.5)).shape == ()
    assert np.array([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(leaf(1.0))


def test_numpy_testing() -> None:
    x = torch.tensor([1.0, 2.0])
    np.testing.assert_array_equal(x, [1, 2])
    np.testing.assert_allclose(x, torch.tensor([1.0, 2.0 + 1e-6]), rtol=1e-5)
    np.testing.assert_array_almost_equal(x, x)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(x, [1, 3])


def test_indexing_arrays_with_tensors() -> None:
    array = np.arange(5)
    assert array[torch.tensor(2)] == 2
    assert array[torch.tensor([1, 3])].tolist() == [1, 3]
    assert [10, 20, 30][torch.tensor(1)] == 20


def test_sequence_protocol() -> None:
    x = torch.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    _, second = x
    assert second.tolist() == [3, 4]
    assert [row.tolist() for row in reversed(x)] == [[3, 4], [1, 2]]
    assert dict(zip("ab", x, strict=True))["b"].tolist() == [3, 4]
    with pytest.raises(TypeError, match="0-d"):
        iter(torch.tensor(1))
    with pytest.raises(TypeError, match="0-d"):
        len(torch.tensor(1))


def test_dlpack() -> None:
    x = torch.tensor([1.0, 2.0])
    array = np.from_dlpack(x)
    assert np.shares_memory(array, x.numpy())
    again = torch.from_dlpack(np.ones(3))
    assert again.tolist() == [1.0, 1.0, 1.0]
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="gradient"):
        leaf(1.0).__dlpack__()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ came with Python 3.12")
def test_buffer() -> None:
    x = torch.tensor([1.0, 2.0])
    memoryview(x)[0] = 5.0
    assert x.tolist() == [5.0, 2.0]
    with pytest.raises(BufferError, match="gradient"):
        memoryview(leaf(1.0))


def test_matplotlib() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    x = torch.linspace(0, 1, 5)
    figure, axes = pyplot.subplots()
    (line,) = axes.plot(x, x * x)
    np.testing.assert_array_equal(line.get_ydata(), (x * x).numpy())
    axes.scatter(x, x)
    axes.hist(x)
    axes.bar(torch.arange(3), torch.ones(3))
    axes.imshow(torch.ones(4, 4))
    figure.canvas.draw()
    pyplot.close(figure)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=4), st.sampled_from(SMOOTH[:3]))
def test_both_sides_agree(values: list[float], op: Any) -> None:
    array = np.array(values)
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    np.testing.assert_array_equal(op(array, x).detach().numpy(), op(torch.from_numpy(array), x).detach().numpy())
