"""Hooks on saved tensors, what nodes show of them, the graph module, and checkpointing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import Function, grad
from rushlight.autograd.gradient_edge import GradientEdge
from rushlight.autograd.graph import get_gradient_edge, increment_version
from rushlight.autograd.node import Node
from rushlight.autograd.saved_tensors import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from rushlight.autograd.variable import as_ndarray
from rushlight.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential
from support.values import equal, leaf


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x, None)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, none = ctx.saved_tensors
        assert none is None
        return g * 3.0 * x * x


def plain(x: Any) -> Any:
    return (x * x).exp()


PROGRAMS = pytest.mark.parametrize("program", [plain, Cube.apply, lambda x: plain(Cube.apply(x) * 0.1)])


# ------------------------------------------------------------------ hooks


@PROGRAMS
@pytest.mark.parametrize("create_graph", [False, True])
def test_packed_values_give_the_same_gradients(program: Callable[[Any], Any], create_graph: bool) -> None:
    """Pack to twice the value, unpack to half: what is used is what unpack returns."""
    x = leaf(0.5, -1.0)
    counts = [0, 0]

    def pack(t: Any) -> Any:
        assert not t.requires_grad
        assert not torch.is_grad_enabled()
        counts[0] += 1
        return as_ndarray(t) * 2.0

    def unpack(a: Any) -> Any:
        counts[1] += 1
        return torch.tensor(a * 0.5)

    (expected,) = grad(program(x).sum(), x, create_graph=True)
    (again,) = grad(expected.sum(), x)
    with saved_tensors_hooks(pack, unpack):
        y = program(x).sum()
    assert counts[0] > 0
    assert counts[1] == 0
    (dx,) = grad(y, x, create_graph=create_graph)
    assert counts[1] == counts[0]
    np.testing.assert_allclose(as_ndarray(dx), as_ndarray(expected))
    if create_graph:
        (d2,) = grad(dx.sum(), x)
        np.testing.assert_allclose(as_ndarray(d2), as_ndarray(again))


@PROGRAMS
def test_what_unpack_returns_is_what_counts(program: Callable[[Any], Any]) -> None:
    x = leaf(0.5, -1.0)
    with saved_tensors_hooks(lambda t: t, lambda t: t * 0.0):
        y = program(x).sum()
    y.backward()
    equal(x.grad, 0, 0)


def test_outside_of_the_context_nothing_is_packed() -> None:
    calls: list[Any] = []
    x = leaf(1.0)
    before = x * x
    with saved_tensors_hooks(lambda t: calls.append(1) or t, lambda t: t):
        pass
    (before * (x * x)).sum().backward()
    assert calls == []


def test_the_innermost_pair_acts() -> None:
    calls: list[str] = []
    x = leaf(1.0)

    def named(name: str) -> Any:
        return saved_tensors_hooks(lambda t: calls.append(name) or t, lambda t: t)

    with named("outer"):
        x.exp()
        with named("inner"):
            x.exp()
            with save_on_cpu():
                x.exp()
        x.exp()
    assert calls == ["outer", "inner", "outer"]


def test_bad_hooks() -> None:
    x = leaf(1.0)
    with saved_tensors_hooks(lambda t: t, lambda t: 3.0):
        y = x.exp()
    with pytest.raises(TypeError, match="expected to be a Tensor but got result of type float"):
        y.backward()
    with saved_tensors_hooks(lambda t: t.add_(1.0), lambda t: t), pytest.raises(RuntimeError, match="pack hook"):
        x.exp()


def test_packed_graphs_are_freed() -> None:
    x = leaf(1.0)
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x.exp() + Cube.apply(x)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_disable() -> None:
    hooks, disabled = saved_tensors_hooks(lambda t: t, lambda t: t), disable_saved_tensors_hooks("not here")
    for outer, inner in ((disabled, hooks), (hooks, disabled)):
        with outer, pytest.raises(RuntimeError, match="not here"), inner:
            pass


def test_save_on_cpu() -> None:
    x = leaf(1.0, 2.0)
    with save_on_cpu(pin_memory=True):
        y = x * x
    y.sum().backward()
    equal(x.grad, 2, 4)


# ------------------------------------------------------------------ what nodes show


def test_saved_attributes() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    product, power = x * w, x.exp()
    assert product.grad_fn._saved_self is x
    assert product.grad_fn._saved_other is w
    equal(power.grad_fn._saved_result, np.e, np.e**2)
    assert power.grad_fn._saved_result.grad_fn is power.grad_fn
    assert {"_saved_self", "_saved_other"} <= set(dir(product.grad_fn))
    assert not [name for name in dir((x + w).grad_fn) if name.startswith("_saved_")]
    assert (x * 2.0).grad_fn._saved_self is None
    with pytest.raises(AttributeError, match="_saved_nothing"):
        assert product.grad_fn._saved_nothing is None
    power.sum().backward()
    with pytest.raises(RuntimeError, match="already been freed"):
        assert power.grad_fn._saved_result is None


def test_saved_attributes_that_are_packed_or_modified() -> None:
    x = leaf(1.0, 2.0)
    with saved_tensors_hooks(lambda t: t.tolist(), torch.tensor):
        y = x.exp()
    equal(y.grad_fn._saved_result, *np.float32(np.exp([1.0, 2.0])).tolist())
    z = x * 1.0
    product = z * z
    z.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        assert product.grad_fn._saved_self is None


def test_gradient_edges() -> None:
    x = leaf(1.0)
    y = x * 2.0
    edge = get_gradient_edge(y)
    assert isinstance(edge, GradientEdge)
    assert edge.node is y.grad_fn
    assert edge.output_nr == 0
    assert isinstance(edge.node, Node)
    assert get_gradient_edge(x).node.variable is x
    with pytest.raises(RuntimeError, match="does not require gradients"):
        get_gradient_edge(torch.tensor([1.0]))


def test_increment_version() -> None:
    x = leaf(1.0)
    y = x * 1.0
    z = y * y
    increment_version(y)
    assert y._version == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


# ------------------------------------------------------------------ checkpoint

BOTH = pytest.mark.parametrize("reentrant", [False, True])


@BOTH
def test_checkpoint_gives_the_same_gradients(reentrant: bool) -> None:
    x, w = leaf(0.5, 1.0), leaf(2.0, 3.0)
    calls: list[bool] = []

    def part(x: Any, factor: float) -> Any:
        calls.append(torch.is_grad_enabled())
        return (x * w).exp() * factor

    expected = grad(part(x, 2.0).sum(), [x, w])
    calls.clear()
    y = checkpoint(part, x * 1.0, 2.0, use_reentrant=reentrant)
    assert len(calls) == 1
    (y * y).sum().backward()
    assert calls == [not reentrant, True]
    factor = 2.0 * as_ndarray(y)
    np.testing.assert_allclose(as_ndarray(x.grad), factor * as_ndarray(expected[0]))
    np.testing.assert_allclose(as_ndarray(w.grad), factor * as_ndarray(expected[1]))


def test_checkpoint_saves_nothing_itself() -> None:
    x = leaf(0.5, 1.0)
    y = checkpoint(lambda x: x.exp(), x, use_reentrant=False)
    assert not any(isinstance(value, np.ndarray) for value in y.grad_fn.saved)


def test_checkpoint_with_grad_retain_and_second_order() -> None:
    x = leaf(0.5, 1.0)
    y = checkpoint(lambda x: x.exp() * x, x, use_reentrant=False).sum()
    (dx,) = grad(y, x, create_graph=True)
    (d2,) = grad(dx.sum(), x, retain_graph=True)
    v = as_ndarray(x)
    np.testing.assert_allclose(as_ndarray(dx), np.exp(v) * (v + 1))
    np.testing.assert_allclose(as_ndarray(d2), np.exp(v) * (v + 2))
    y.backward()
    np.testing.assert_allclose(as_ndarray(x.grad), np.exp(v) * (v + 1))
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_checkpoints_nest() -> None:
    x = leaf(0.5)

    def inner(x: Any) -> Any:
        return x.exp() * x

    def outer(x: Any) -> Any:
        return checkpoint(inner, x.tanh(), use_reentrant=False) * x

    (expected,) = grad(inner(x.tanh()) * x, x)
    checkpoint(outer, x, use_reentrant=False).backward()
    np.testing.assert_allclose(as_ndarray(x.grad), as_ndarray(expected))


@BOTH
@pytest.mark.parametrize("preserve", [True, False])
def test_checkpoint_draws_the_same_numbers_again(reentrant: bool, preserve: bool) -> None:
    x = leaf(1.0, 2.0, 3.0)
    drawn: list[Any] = []

    def part(x: Any) -> Any:
        noise = torch.rand(3, dtype=torch.float64)
        drawn.append(as_ndarray(noise).tolist())
        return x * noise

    torch.manual_seed(0)
    y = checkpoint(part, x, use_reentrant=reentrant, preserve_rng_state=preserve)
    torch.rand(5)
    state = torch.get_rng_state()
    y.sum().backward()
    assert (drawn[0] == drawn[1]) is preserve
    assert (torch.get_rng_state() == state).all() or not preserve


def test_checkpoint_notices_that_the_second_run_differs() -> None:
    x = leaf(1.0, 2.0)
    runs: list[int] = []

    def more(x: Any) -> Any:
        runs.append(1)
        return x.exp() if len(runs) == 1 else x.exp().exp()

    with pytest.raises(CheckpointError, match="different number of tensors"):
        checkpoint(more, x, use_reentrant=False).sum().backward()
    runs.clear()

    def other(x: Any) -> Any:
        runs.append(1)
        return x.exp().sum() if len(runs) == 1 else x[0:1].exp().sum()

    with pytest.raises(CheckpointError, match="different metadata"):
        checkpoint(other, x, use_reentrant=False).backward()
    y = x * 1.0
    z = checkpoint(lambda t: t.exp(), y, use_reentrant=False)
    y.add_(1.0)
    with pytest.raises(CheckpointError, match="modified by an inplace operation"):
        z.sum().backward()


def test_checkpoint_contexts_and_arguments() -> None:
    entered: list[str] = []

    @contextmanager
    def named(name: str) -> Any:
        entered.append(name)
        yield

    x = leaf(1.0)
    y = checkpoint(
        lambda x, scale=1.0: x.exp() * scale,
        x,
        use_reentrant=False,
        context_fn=lambda: (named("first"), named("second")),
        scale=3.0,
    )
    equal(y, 3 * np.e)
    y.backward()
    assert entered == ["first", "second"]
    with pytest.raises(ValueError, match="Unexpected keyword arguments: scale"):
        checkpoint(lambda x: x, x, use_reentrant=True, scale=3.0)
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(lambda x: x * 1.0, x)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad"):
        checkpoint(lambda x: x * 1.0, x.detach(), use_reentrant=True)


@BOTH
@pytest.mark.parametrize("segments", [1, 2, 3])
def test_checkpoint_sequential(reentrant: bool, segments: int) -> None:
    x = leaf(0.5, -0.5)
    steps = [lambda t: t.exp(), lambda t: t.tanh(), lambda t: t * t, lambda t: t.exp(), lambda t: t * 0.5]
    y = x
    for step in steps:
        y = step(y)
    (expected,) = grad(y.sum(), x)
    checkpoint_sequential(steps, segments, x, use_reentrant=reentrant).sum().backward()
    np.testing.assert_allclose(as_ndarray(x.grad), as_ndarray(expected))
