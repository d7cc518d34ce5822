"""backward and grad: what arrives where, what is freed, and who owns the memory."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import Function, backward, entry, grad
from rushlight.autograd.node import Node
from rushlight.autograd.variable import as_ndarray
from support.values import equal, leaf


@pytest.fixture(autouse=True, params=[False, True], ids=["plain", "hooked"])
def walk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test on both walks: the quick one, and the one that a graph with hooks takes."""
    if request.param:
        reachable = entry.reachable
        monkeypatch.setattr(entry, "reachable", lambda roots: (*reachable(roots)[:2], True))


def array(x: Any) -> np.ndarray:
    return np.array(as_ndarray(x))


# ------------------------------------------------------------------ what backward takes


def test_scalar_root_needs_no_gradient() -> None:
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    equal(x.grad, 2, 4)


def test_one_element_of_any_shape_is_a_scalar_root() -> None:
    x = torch.tensor([[3.0]], requires_grad=True)
    (x * x).backward()
    assert x.grad.shape == (1, 1)


def test_other_roots_need_one() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * x).backward()
    (x * x).backward(torch.tensor([1.0, 10.0], dtype=torch.float64))
    equal(x.grad, 2, 40)


@pytest.mark.parametrize("shape", [(3,), (1, 2), (1,), ()])
def test_gradient_of_another_shape(shape: tuple[int, ...]) -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: .*\[2\]"):
        (x * x).backward(torch.tensor(np.ones(shape)))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.float16])
def test_gradient_of_another_dtype_is_cast(dtype: Any, create_graph: bool) -> None:
    x = leaf(1.0, 2.0, dtype=torch.float32)
    (dx,) = grad(x * x, x, torch.tensor([1, 2], dtype=dtype), create_graph=create_graph)
    assert dx.dtype is torch.float32
    equal(dx, 2, 8)
    (x * x).backward(torch.tensor([1, 2], dtype=dtype))
    assert x.grad.dtype is torch.float32


def test_gradient_that_is_no_tensor() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="gradients can be either Tensors or None"):
        (x * x).backward(1.0)


@pytest.mark.parametrize("make", [lambda: torch.tensor([1.0]), lambda: torch.tensor(3)])
def test_root_without_a_graph(make: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad and does not have a grad_fn"):
        make().backward()


def test_root_made_under_no_grad() -> None:
    x = leaf(1.0)
    with torch.no_grad():
        y = (x * x).sum()
    with pytest.raises(RuntimeError, match="does not require grad"):
        y.backward()


def test_several_roots_and_the_same_twice() -> None:
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    z = (x * 3.0).sum()
    backward([y, z, y])
    equal(x.grad, 7, 11)


def test_number_of_gradients_must_fit() -> None:
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        backward([x * 1.0, x * 2.0], [torch.tensor([1.0], dtype=torch.float64)])


def test_root_inside_the_graph_of_another_root() -> None:
    x = leaf(2.0)
    y = x * x
    z = y * 3.0
    backward([y.sum(), z.sum(), x.sum()])
    equal(x.grad, 4 + 12 + 1)


def test_leaf_as_root() -> None:
    x = leaf(2.0, 3.0)
    seed = torch.tensor([5.0, 6.0], dtype=torch.float64)
    x.backward(seed)
    equal(x.grad, 5, 6)
    assert not np.shares_memory(as_ndarray(x.grad), as_ndarray(seed))


def test_empty_lists() -> None:
    backward([])
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * 1.0).sum().backward(inputs=[])


# ------------------------------------------------------------------ where gradients arrive


def test_accumulates_in_place() -> None:
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    first, memory = x.grad, as_ndarray(x.grad)
    (x * 3.0).sum().backward()
    assert x.grad is first
    assert as_ndarray(x.grad) is memory
    equal(x.grad, 5, 7)


def test_accumulates_zero_dims() -> None:
    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    (x * x).backward()
    first = x.grad
    (x * 3.0).backward()
    assert x.grad is first
    assert float(array(first)) == 7.0


def test_used_many_times() -> None:
    x = leaf(1.0, 2.0)
    y = x + x + x * x + x
    y.sum().backward()
    equal(x.grad, 5, 7)


def test_diamonds() -> None:
    """Each layer doubles the number of paths: 2**60 of them are only summed if each node is walked once."""
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y * 0.5 + y * 0.5
    y.sum().backward()
    equal(x.grad, 1)


def test_unequal_paths() -> None:
    """A node may only run once all gradients of it have arrived, however long the way."""
    x = leaf(3.0)
    a = x * x
    long = a
    for _ in range(5):
        long = long * 1.0
    (a * long).sum().backward()
    equal(x.grad, 4 * 27)


def test_inputs_restrict_where_gradients_go() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x * w).sum().backward(inputs=[w])
    assert x.grad is None
    equal(w.grad, 1, 2)
    (x * w).sum().backward(inputs=w)
    equal(w.grad, 2, 4)


def test_inputs_inside_the_graph() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    z = (y * y).sum()
    z.backward(inputs=[y], retain_graph=True)
    z.backward(inputs=[y], retain_graph=True)
    assert x.grad is None
    equal(y.grad, 8, 16)


def test_grad_touches_no_leaf() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    dx, dw = grad((x * w).sum(), [x, w])
    equal(dx, 3, 4)
    equal(dw, 1, 2)
    assert x.grad is None
    assert w.grad is None


def test_grad_with_respect_to_inner_tensors_and_twice_the_same() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    a, b, c = grad((y * y).sum(), [y, x, y])
    equal(a, 4, 8)
    equal(b, 8, 16)
    equal(c, 4, 8)


def test_root_as_input() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    (dy,) = grad(y, y, torch.tensor([5.0, 6.0], dtype=torch.float64))
    equal(dy, 5, 6)


def test_unused_inputs() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match="allow_unused=True"):
        grad((x * x).sum(), [x, w])
    assert grad((x * x).sum(), [x, w], allow_unused=True)[1] is None
    zeros = grad((x * x).sum(), [x, w], materialize_grads=True)[1]
    equal(zeros, 0)
    with pytest.raises(ValueError, match="allow_unused"):
        grad((x * x).sum(), [x, w], materialize_grads=True, allow_unused=False)


def test_input_without_grad() -> None:
    x, c = leaf(1.0), torch.tensor([1.0], dtype=torch.float64)
    with pytest.raises(RuntimeError, match="does not require grad"):
        grad((x * c).sum(), [c])


def test_broadcast_is_summed_and_promotion_is_cast_back() -> None:
    x = torch.tensor([[1.0], [2.0]], dtype=torch.float32, requires_grad=True)
    y = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    s = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    (x * y * s).sum().backward()
    for t in (x, y, s):
        assert t.grad.dtype is t.dtype
        assert t.grad.shape == t.shape
    np.testing.assert_array_equal(array(x.grad), [[12.0], [12.0]])
    np.testing.assert_array_equal(array(y.grad), [6.0, 6.0, 6.0])
    assert float(array(s.grad)) == 18.0


# ------------------------------------------------------------------ whose memory it is


def test_two_leaves_never_share_a_gradient() -> None:
    for create_graph in (False, True):
        x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
        (x + w).sum().backward(create_graph=create_graph)
        assert x.grad is not w.grad
        assert not np.shares_memory(as_ndarray(x.grad), as_ndarray(w.grad))
        assert as_ndarray(x.grad).flags.writeable
        x.grad, w.grad = None, None


def test_a_gradient_is_neither_the_seed_nor_a_saved_value() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = torch.tensor([1.0, 1.0], dtype=torch.float64)
    (x + w).backward(seed)
    y = x * w
    y.backward(torch.tensor([1.0, 1.0], dtype=torch.float64), retain_graph=True)
    for g in (x.grad, w.grad):
        for other in (seed, x, w, y):
            assert not np.shares_memory(as_ndarray(g), as_ndarray(other))


def test_a_gradient_seen_by_a_hook_or_handed_out_is_not_taken_over() -> None:
    x = leaf(1.0, 2.0)
    y = x + 0.0
    seen: list[Any] = []
    y.register_hook(seen.append)
    y.sum().backward()
    before = array(seen[0])
    y = x * 3.0
    y.sum().backward()  # adds to x.grad in place
    np.testing.assert_array_equal(array(seen[0]), before)


def test_a_later_sum_does_not_write_into_what_a_rule_still_holds() -> None:
    """The gradient of y goes on as it is to x; what reaches x later must not change it."""
    x = leaf(1.0, 2.0)
    y = x + 0.0
    kept: list[Any] = []

    class Keep(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            kept.append(g)
            return g

    doubled = y * 2.0
    z = Keep.apply(y)  # newer than the product, so that its gradient is the first to reach y
    (z * 1.0 + doubled + x * 5.0 + x).backward(torch.tensor([1.0, 1.0], dtype=torch.float64))
    np.testing.assert_array_equal(array(kept[0]), [1.0, 1.0])
    equal(x.grad, 9, 9)


def test_zeroing_one_retained_gradient_leaves_the_others() -> None:
    x = leaf(1.0, 2.0)
    y = x + 0.0
    z = y + 0.0
    y.retain_grad()
    z.retain_grad()
    z.sum().backward()
    with torch.no_grad():
        y.grad.mul_(0.0)
    equal(z.grad, 1, 1)
    equal(x.grad, 1, 1)


# ------------------------------------------------------------------ what is freed


def cube(x: Any) -> Any:
    return x * x * x


@pytest.mark.parametrize("again", [lambda y, x: y.backward(), grad, lambda y, x: grad(y, x, create_graph=True)])
def test_second_walk_without_retain(again: Callable[..., Any]) -> None:
    x = leaf(2.0)
    y = cube(x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        again(y, x)


def test_retain_graph() -> None:
    x = leaf(2.0)
    y = cube(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    equal(x.grad, 24)


def test_create_graph_retains() -> None:
    x = leaf(2.0)
    y = cube(x).sum()
    grad(y, x, create_graph=True)
    y.backward()
    equal(x.grad, 12)


def test_create_graph_without_retain() -> None:
    x = leaf(2.0)
    y = cube(x).sum()
    grad(y, x, create_graph=True, retain_graph=False)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_steps_that_saved_no_array_walk_twice() -> None:
    x = leaf(1.0, 2.0)
    y = ((x + x) - (-x)).sum()
    y.backward()
    y.backward()
    equal(x.grad, 6, 6)


def test_only_what_was_walked_is_freed() -> None:
    x, w = leaf(2.0), leaf(3.0)
    a, b = cube(x), cube(w)
    y = (a + b).sum()
    y.backward(inputs=[x])
    b.sum().backward()
    equal(w.grad, 27)
    with pytest.raises(RuntimeError, match="second time"):
        a.sum().backward()


def test_freed_values_are_let_go() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    node = y.grad_fn
    assert node.saved is not None
    y.sum().backward()
    assert node.saved is None


# ------------------------------------------------------------------ higher orders


def test_fourth_derivatives() -> None:
    x = leaf(0.5, -1.0)
    y = (x * x * x * x * x).sum()
    for power, factor in ((4, 5.0), (3, 20.0), (2, 60.0), (1, 120.0)):
        (y,) = grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(array(y), factor * array(x) ** power, rtol=1e-12)


def test_derivatives_of_a_composite() -> None:
    """The third derivative of exp(tanh x), written out by hand."""
    x = leaf(0.3, -0.7)
    y = x.tanh().exp()
    for _ in range(3):
        (y,) = grad(y.sum(), x, create_graph=True)
    t = np.tanh(array(x))
    s = 1 - t * t  # tanh'
    e = np.exp(t)
    expected = e * s**3 + 3 * e * s * (-2 * t * s) + e * (-2 * s * s + 4 * t * t * s)
    np.testing.assert_allclose(array(y), expected, rtol=1e-10)


def test_gradient_penalty_through_backward() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (dx,) = grad((x * x * w).sum(), x, create_graph=True)
    (dx * dx).sum().backward()
    np.testing.assert_allclose(array(w.grad), 2 * (2 * array(x) * array(w)) * 2 * array(x))
    np.testing.assert_allclose(array(x.grad), 2 * (2 * array(x) * array(w)) * 2 * array(w))


def test_backward_with_create_graph_gives_a_gradient_with_a_graph() -> None:
    x = leaf(2.0)
    cube(x).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    (d2,) = grad(x.grad.sum(), x)
    equal(d2, 12)
    x.grad = None


def test_seeds_are_differentiated_too() -> None:
    x, v = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (dx,) = grad(x * x, x, v, create_graph=True)
    (dv,) = grad(dx.sum(), v)
    equal(dv, 2, 4)


def test_results_without_create_graph_have_none() -> None:
    x = leaf(1.0)
    (dx,) = grad(cube(x).sum(), x, retain_graph=True)
    assert not dx.requires_grad


def test_mode_is_restored_after_an_error() -> None:
    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise ZeroDivisionError

    x = leaf(1.0)
    for create_graph in (False, True):
        with pytest.raises(ZeroDivisionError):
            Bad.apply(x).sum().backward(create_graph=create_graph)
        assert torch.is_grad_enabled()


# ------------------------------------------------------------------ long graphs and memory


def test_very_long_chain() -> None:
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + x
    y.backward()
    assert float(array(x.grad)) == 100_001.0
    del y  # a recursive release would end the interpreter here


def test_very_long_chain_of_grad_fns() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y * 1.0
        assert y.grad_fn is not None
    node, length = y.grad_fn, 0
    while node.next_functions:
        node, length = node.next_functions[0][0], length + 1
    assert length == 20_000
    assert node.variable is x
    del y, node


class Twice(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2.0
        ctx.save_for_backward(x, y)
        return y, x * 1.0

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        assert len(ctx.saved_tensors) == 2
        return g * 2.0 + h


def plain_step(x: Any) -> None:
    (x.exp() * x).sum().backward()


def function_step(x: Any) -> None:
    a, b = Twice.apply(x)
    (a * b).sum().backward()


def second_order_step(x: Any) -> None:
    (dx,) = grad(cube(x).sum(), x, create_graph=True)
    dx.sum().backward()


def hook_step(x: Any) -> None:
    y = x * 2.0
    handle = y.register_hook(lambda g: g * 2.0)
    other = x.register_hook(lambda g: None)
    y.retain_grad()
    y.sum().backward()
    handle.remove()
    other.remove()


def view_step(x: Any) -> None:
    y = x * 1.0
    v = y[0:1]
    v.mul_(3.0)
    w = v[0]
    w.add_(1.0)
    (y.sum() + v.sum()).backward()


def abandoned_step(x: Any) -> None:
    y = x.exp() * x
    y[0:1].mul_(2.0)
    Twice.apply(y)


@pytest.mark.parametrize(
    "step",
    [plain_step, function_step, second_order_step, hook_step, view_step, abandoned_step],
    ids=lambda f: f.__name__,
)
def test_no_cycles(step: Callable[[Any], None]) -> None:
    """Memory falls as soon as the last name goes: nothing waits for the garbage collector."""
    x = leaf(1.0, 2.0)
    step(x)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            step(x)
            x.grad = None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_graph_lives_as_long_as_its_result() -> None:
    def nodes() -> int:
        return sum(issubclass(type(each), Node) for each in gc.get_objects())

    gc.collect()
    x = leaf(1.0, 2.0)
    before = nodes()
    y = (x.exp() * x).sum()
    assert nodes() >= before + 3
    del y
    assert nodes() == before
