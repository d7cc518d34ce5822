"""Hooks on tensors, leaves and nodes: when they run, what they see, and what they may change."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import Function, grad
from rushlight.autograd.variable import as_ndarray
from support.values import equal, leaf

# ------------------------------------------------------------------ on tensors


@pytest.mark.parametrize("create_graph", [False, True])
def test_hooks_run_in_order_and_each_sees_what_the_last_returned(create_graph: bool) -> None:
    x = leaf(1.0, 2.0)
    y = x * 3.0
    seen: list[Any] = []
    y.register_hook(lambda g: seen.append(("first", as_ndarray(g).tolist())))
    y.register_hook(lambda g: g * 10.0)
    y.register_hook(lambda g: seen.append(("third", as_ndarray(g).tolist())))
    y.sum().backward(create_graph=create_graph)
    assert seen == [("first", [1.0, 1.0]), ("third", [10.0, 10.0])]
    equal(x.grad, 30, 30)
    x.grad = None


def test_a_hook_sees_the_whole_gradient_once() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3.0
    seen: list[Any] = []
    y.register_hook(seen.append)
    x.register_hook(seen.append)
    (y.sum() + (y * y).sum() + x.sum()).backward()
    assert len(seen) == 2
    equal(seen[0], 7, 13)
    equal(seen[1], 22, 40)


def test_hook_on_a_leaf_replaces_what_accumulates() -> None:
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g * 2.0)
    x.sum().backward()
    x.sum().backward()
    equal(x.grad, 4, 4)
    (dx,) = grad(x.sum(), x)
    equal(dx, 2, 2)


def test_leaf_hooks_run_as_soon_as_the_gradient_is_complete() -> None:
    """As in PyTorch: a leaf is served right after the last step that reads it, not at the end."""
    x, w = leaf(1.0), leaf(2.0)
    order: list[str] = []
    a = x * 2.0
    b = a * w
    x.register_hook(lambda g: order.append("x"))
    w.register_hook(lambda g: order.append("w"))
    a.register_hook(lambda g: order.append("a"))
    b.register_hook(lambda g: order.append("b"))
    b.sum().backward()
    assert order == ["b", "w", "a", "x"]


def test_remove() -> None:
    x = leaf(1.0)
    first = x.register_hook(lambda g: g * 2.0)
    second = x.register_hook(lambda g: g * 5.0)
    first.remove()
    first.remove()
    x.sum().backward()
    equal(x.grad, 5)
    second.remove()
    x.sum().backward()
    equal(x.grad, 6)


def test_handle_as_context() -> None:
    x = leaf(1.0)
    with x.register_hook(lambda g: g * 2.0) as handle:
        x.sum().backward()
    x.sum().backward()
    equal(x.grad, 3)
    handle.remove()


def test_handle_outlives_the_graph() -> None:
    x = leaf(1.0)
    y = x * 2.0
    handle = y.register_hook(lambda g: None)
    del y
    handle.remove()


def test_a_hook_may_remove_itself_while_running() -> None:
    x = leaf(1.0)
    count: list[int] = []

    def once(g: Any) -> None:
        count.append(1)
        handle.remove()

    handle = x.register_hook(once)
    x.register_hook(lambda g: count.append(2))
    x.sum().backward()
    x.sum().backward()
    assert count == [1, 2, 2]


def test_a_hook_may_walk_another_graph() -> None:
    x, w = leaf(2.0), leaf(3.0)
    y = x * 2.0

    def walk(g: Any) -> None:
        assert not torch.is_grad_enabled()
        with torch.enable_grad():
            (w * w).sum().backward()

    y.register_hook(walk)
    y.sum().backward()
    equal(w.grad, 6)
    equal(x.grad, 2)


def test_bad_returns() -> None:
    x = leaf(1.0, 2.0)
    handle = x.register_hook(lambda g: 3.0)
    with pytest.raises(TypeError, match="expected Variable"):
        x.sum().backward()
    handle.remove()
    x.register_hook(lambda g: g[0:1])
    with pytest.raises(RuntimeError, match="size of value"):
        x.sum().backward()


def test_hook_needs_a_gradient() -> None:
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        torch.tensor([1.0]).register_hook(lambda g: None)


def test_second_derivative_through_a_hook() -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (dx,) = grad(y.sum(), x, create_graph=True)  # x * 2x
    equal(dx, 8)
    (d2,) = grad(dx.sum(), x)
    equal(d2, 8)


def test_hooks_of_inner_targets_run_before_they_are_captured() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3.0
    y.register_hook(lambda g: g * 10.0)
    called: list[int] = []
    y.grad_fn.register_prehook(lambda gs: called.append(1))
    (dy,) = grad(y.sum(), y)
    equal(dy, 10, 10)
    assert called == [], "the node itself did not run"


def test_hooks_outside_the_way_to_the_inputs_do_not_run() -> None:
    x, w = leaf(1.0), leaf(2.0)
    called: list[str] = []
    a, b = x * 2.0, w * 3.0
    b.register_hook(lambda g: called.append("b"))
    w.register_hook(lambda g: called.append("w"))
    one = torch.tensor([1.0], dtype=torch.float64)
    grad([a, b], [x], [one, one])
    assert called == []


def test_hook_stays_with_the_value_when_the_tensor_is_written() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    seen: list[Any] = []
    y.register_hook(seen.append)
    y.mul_(3.0)
    y.sum().backward()
    equal(seen[0], 3, 3)
    equal(x.grad, 6, 6)


# ------------------------------------------------------------------ retain_grad


def test_retain_grad() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3.0
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad
    z = (y * y).sum()
    z.backward(retain_graph=True)
    equal(y.grad, 6, 12)
    z.backward()
    equal(y.grad, 12, 24)


def test_retain_grad_sees_what_hooks_return() -> None:
    x = leaf(1.0)
    y = x * 3.0
    y.retain_grad()
    y.register_hook(lambda g: g * 10.0)
    y.sum().backward()
    equal(y.grad, 10)


def test_retain_grad_follows_the_tensor_through_writes() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    y.retain_grad()
    y.mul_(3.0)
    y.sum().backward()
    equal(y.grad, 1, 1)
    equal(x.grad, 6, 6)


def test_retain_grad_on_a_leaf_changes_nothing_and_without_grad_raises() -> None:
    x = leaf(1.0)
    x.retain_grad()
    x.sum().backward()
    equal(x.grad, 1)
    with pytest.raises(RuntimeError):
        torch.tensor([1.0]).retain_grad()


def test_retained_gradient_is_nobody_elses() -> None:
    x = leaf(1.0, 2.0)
    y = x + 0.0
    y.retain_grad()
    seed = torch.tensor([1.0, 1.0], dtype=torch.float64)
    y.backward(seed)
    for other in (seed, x.grad):
        assert not np.shares_memory(as_ndarray(y.grad), as_ndarray(other))


# ------------------------------------------------------------------ post accumulate


def test_post_accumulate_grad_hook() -> None:
    x = leaf(1.0, 2.0)
    seen: list[Any] = []
    handle = x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, as_ndarray(p.grad).tolist())))
    x.register_hook(lambda g: g * 2.0)
    (x * x).sum().backward()
    (x * x).sum().backward()
    assert seen == [(True, [4.0, 8.0]), (True, [8.0, 16.0])]
    grad((x * x).sum(), x)
    assert len(seen) == 2, "grad() accumulates nothing"
    handle.remove()
    x.sum().backward()
    assert len(seen) == 2


def test_post_accumulate_grad_hook_may_step_and_clear() -> None:
    """The optimizer in the backward pass: the gradient is gone before the next one is computed."""
    x = leaf(1.0)

    def step(p: Any) -> None:
        with torch.no_grad():
            p.sub_(p.grad)
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    x.sum().backward()
    assert x.grad is None
    equal(x, 0)


def test_post_accumulate_grad_hook_only_on_leaves() -> None:
    with pytest.raises(RuntimeError, match="leaf"):
        (leaf(1.0) * 2.0).register_post_accumulate_grad_hook(lambda p: None)


# ------------------------------------------------------------------ on nodes


def test_node_hooks_see_both_sides() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * w
    seen: list[Any] = []
    y.grad_fn.register_prehook(lambda outs: seen.append(("before", len(outs), as_ndarray(outs[0]).tolist())))
    y.grad_fn.register_hook(
        lambda ins, outs: seen.append(("after", [as_ndarray(g).tolist() for g in ins], as_ndarray(outs[0]).tolist()))
    )
    y.sum().backward()
    assert seen == [("before", 1, [1.0, 1.0]), ("after", [[3.0, 4.0], [1.0, 2.0]], [1.0, 1.0])]


def test_node_hooks_replace_gradients() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * w
    y.grad_fn.register_prehook(lambda outs: (outs[0] * 10.0,))
    y.grad_fn.register_hook(lambda ins, outs: (ins[0], ins[1] * 2.0))
    y.sum().backward()
    equal(x.grad, 30, 40)
    equal(w.grad, 20, 40)


def test_node_hook_sees_none_for_an_input_without_gradient() -> None:
    x = leaf(1.0)
    y = x * torch.tensor([2.0], dtype=torch.float64)
    seen: list[Any] = []
    y.grad_fn.register_hook(lambda ins, outs: seen.append([g is None for g in ins]))
    y.sum().backward()
    assert seen == [[False, True]]


def test_node_hook_with_a_wrong_number_of_values() -> None:
    x = leaf(1.0)
    y = x * x
    y.grad_fn.register_hook(lambda ins, outs: ins[:1])
    with pytest.raises(RuntimeError, match="incorrect number of values"):
        y.sum().backward()


def test_node_hook_on_a_leaf() -> None:
    x = leaf(1.0)
    y = x * 2.0
    (node, _), _ = y.grad_fn.next_functions
    assert node.variable is x
    seen: list[Any] = []
    handle = node.register_prehook(lambda outs: seen.append(as_ndarray(outs[0]).tolist()))
    y.sum().backward()
    assert seen == [[2.0]]
    handle.remove()


def test_node_hooks_of_a_step_with_several_results() -> None:
    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2.0, x * 3.0

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g * 2.0 + h * 3.0

    x = leaf(1.0)
    a, b = Two.apply(x)
    assert a.grad_fn is b.grad_fn
    seen: list[Any] = []
    a.grad_fn.register_prehook(lambda outs: seen.append(len(outs)))
    a.grad_fn.register_hook(lambda ins, outs: (ins[0] * 10.0,))
    b.register_hook(lambda g: g * 100.0)
    (a + b).sum().backward()
    assert seen == [2]
    equal(x.grad, 3020)


def test_metadata() -> None:
    y = leaf(1.0) * 2.0
    y.grad_fn.metadata["note"] = 1
    assert y.grad_fn.metadata == {"note": 1}


def test_hooks_die_with_the_graph() -> None:
    class Marker:
        pass

    marker = Marker()
    alive = weakref.ref(marker)
    x = leaf(1.0)
    y = x * 2.0
    y.register_hook(lambda g, marker=marker: None)
    del marker, y
    gc.collect()
    assert alive() is None
