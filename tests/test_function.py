"""Custom Functions: every promise of torch.autograd.Function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import Function, grad
from rushlight.autograd.function import once_differentiable
from rushlight.autograd.variable import as_ndarray
from support.values import equal, leaf


def constant(*values: float) -> Any:
    return torch.tensor(list(values), dtype=torch.float64)


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        assert not torch.is_grad_enabled()
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 3.0 * x * x


class Split(Function):
    """Forward without ctx, two results."""

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return x * y, x + y

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        assert isinstance(inputs, tuple)
        assert isinstance(output, tuple)
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * y + h, g * x + h


# ------------------------------------------------------------------ the two ways to write forward


def test_forward_with_ctx() -> None:
    x = leaf(1.0, 2.0)
    y = Cube.apply(x)
    assert y.requires_grad
    assert not y.is_leaf
    assert y.grad_fn.name() == "CubeBackward"
    equal(y, 1, 8)
    y.sum().backward()
    equal(x.grad, 3, 12)


def test_setup_context_and_several_outputs() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    a, b = Split.apply(x, y)
    assert a.grad_fn is b.grad_fn
    ((a * 10.0) + b * b).sum().backward()
    equal(x.grad, 30 + 8, 40 + 12)
    equal(y.grad, 10 + 8, 20 + 12)


def test_only_one_of_several_outputs_is_used() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    Split.apply(x, y)[1].sum().backward()
    equal(x.grad, 1, 1)
    x.grad = None
    Split.apply(x, y)[0].sum().backward()
    equal(x.grad, 3, 4)


def test_static_methods_are_inherited_and_one_class_serves_many_calls() -> None:
    class Sixth(Cube):
        pass

    x = leaf(2.0)
    y = Sixth.apply(Sixth.apply(x))
    y.sum().backward()
    equal(x.grad, 9 * 2.0**8)


def test_without_recording() -> None:
    x = leaf(1.0, 2.0)
    with torch.no_grad():
        y = Cube.apply(x)
    assert not y.requires_grad
    assert not Cube.apply(constant(1.0)).requires_grad


def test_vjp_is_another_name_for_backward() -> None:
    class Double(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2.0

        @staticmethod
        def vjp(ctx: Any, g: Any) -> Any:
            return g * 2.0

    x = leaf(1.0)
    Double.apply(x).sum().backward()
    equal(x.grad, 2)


# ------------------------------------------------------------------ arguments that are no tensors


class Scale(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, factor: float, names: Any = None, other: Any = None) -> Any:
        ctx.factor = factor
        ctx.asked = ctx.needs_input_grad
        return x * factor

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        assert ctx.needs_input_grad == ctx.asked
        return g * ctx.factor, None, None, None


def test_plain_arguments_and_attributes_on_ctx() -> None:
    x = leaf(1.0, 2.0)
    y = Scale.apply(x, 3.0, ["a"], None)
    y.sum().backward()
    equal(x.grad, 3, 3)
    assert y.grad_fn.factor == 3.0
    assert y.grad_fn.needs_input_grad == (True, False, False, False)


def test_keywords_and_defaults() -> None:
    x = leaf(1.0, 2.0)
    y = Scale.apply(x, other=constant(1.0), factor=2.0)
    assert y.grad_fn.needs_input_grad == (True, False, False, False)
    y.sum().backward()
    equal(x.grad, 2, 2)
    with pytest.raises(TypeError):
        Scale.apply(x, 2.0, nonsense=1)


def test_defaults_reach_setup_context() -> None:
    class Power(Function):
        @staticmethod
        def forward(x: Any, factor: float = 4.0) -> Any:
            return x * factor

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            _, ctx.factor = inputs

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.factor, None

    x = leaf(1.0)
    Power.apply(x).sum().backward()
    equal(x.grad, 4)


def test_needs_input_grad() -> None:
    seen: list[Any] = []

    class Mul(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(ctx.needs_input_grad)
            x, y = ctx.saved_tensors
            return g * y if ctx.needs_input_grad[0] else None, g * x if ctx.needs_input_grad[1] else None

    x, y = leaf(2.0), leaf(3.0)
    Mul.apply(x, y.detach()).sum().backward()
    Mul.apply(x.detach(), y).sum().backward()
    Mul.apply(x, y).sum().backward()
    assert seen == [(True, False), (False, True), (True, True)]
    equal(x.grad, 6)
    equal(y.grad, 4)


def test_a_gradient_for_an_input_without_one_is_dropped() -> None:
    class Both(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, g

    x, c = leaf(1.0), constant(2.0)
    Both.apply(x, c).sum().backward()
    equal(x.grad, 1)
    assert c.grad is None


def test_none_stands_for_no_gradient() -> None:
    class Blind(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return None, g

    x, y = leaf(1.0), leaf(2.0)
    Blind.apply(x, y).sum().backward()
    assert x.grad is None
    equal(y.grad, 1)
    with pytest.raises(RuntimeError, match="allow_unused"):
        grad(Blind.apply(x, y).sum(), [x])


# ------------------------------------------------------------------ what is saved


def test_saved_tensors_are_the_ones_that_were_given() -> None:
    x = leaf(1.0, 2.0)
    y = Cube.apply(x)
    assert y.grad_fn.saved_tensors[0] is x
    assert len(y.grad_fn.saved_tensors) == 1


def test_saved_none_and_outputs_and_intermediates() -> None:
    class Exp(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            half = x * 0.5
            y = half.exp()
            ctx.save_for_backward(None, y, half)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            none, y, half = ctx.saved_tensors
            assert none is None
            np.testing.assert_allclose(np.exp(as_ndarray(half)), as_ndarray(y))
            return g * y * 0.5

    x = leaf(0.0, 2.0)
    y = Exp.apply(x)
    (dx,) = grad(y.sum(), x, create_graph=True)
    equal(dx, 0.5, np.e * 0.5)
    (d2,) = grad(dx.sum(), x)
    equal(d2, 0.25, np.e * 0.25)


def test_saved_tensors_are_freed() -> None:
    x = leaf(1.0)
    y = Cube.apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    equal(x.grad, 6)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_function_that_saves_nothing_walks_twice(create_graph: bool) -> None:
    x = leaf(1.0)
    y = Scale.apply(x, 2.0).sum()
    grad(y, x)
    (dx,) = grad(y, x, create_graph=create_graph)
    equal(dx, 2)


@pytest.mark.parametrize("which", ["input", "output"])
def test_a_write_after_saving_is_noticed(which: str) -> None:
    class Exp(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(x if which == "input" else y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

    x = leaf(1.0) * 1.0
    y = Exp.apply(x)
    with torch.no_grad():
        (x if which == "input" else y).mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_save_for_backward_takes_only_tensors() -> None:
    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x, 3.0)
            return x * 1.0

    with pytest.raises(TypeError, match="argument 1 is of type float"):
        Bad.apply(leaf(1.0))


# ------------------------------------------------------------------ outputs of other kinds


class Sort(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        order = torch.tensor(np.argsort(as_ndarray(x)))
        ctx.mark_non_differentiable(order)
        ctx.order = order
        return torch.from_numpy(np.sort(as_ndarray(x))), order, "text"

    @staticmethod
    def backward(ctx: Any, g: Any, nothing: Any, text: Any) -> Any:
        assert nothing is not None
        assert nothing.shape == ctx.order.shape
        assert text is None
        out = np.zeros(g.shape)
        out[as_ndarray(ctx.order)] = as_ndarray(g)
        return torch.from_numpy(out)


def test_mark_non_differentiable_and_outputs_that_are_no_tensors() -> None:
    x = leaf(3.0, 1.0, 2.0)
    values, order, text = Sort.apply(x)
    assert values.requires_grad
    assert not order.requires_grad
    assert order.grad_fn is None
    assert text == "text"
    (values * constant(1.0, 2.0, 3.0)).sum().backward()
    equal(x.grad, 3, 1, 2)


def test_mark_non_differentiable_of_a_float() -> None:
    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            a, b = x * 2.0, x * 3.0
            ctx.mark_non_differentiable(b)
            return a, b

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            assert not np.any(as_ndarray(h))
            return g * 2.0

    x = leaf(1.0)
    a, b = Two.apply(x)
    assert a.requires_grad
    assert not b.requires_grad
    (a + b).sum().backward()
    equal(x.grad, 2)


@pytest.mark.parametrize("materialize", [True, False])
def test_set_materialize_grads(materialize: bool) -> None:
    seen: list[Any] = []

    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(materialize)
            return x * 2.0, x * 3.0

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            seen.append(h)
            return g * 2.0

    x = leaf(1.0, 2.0)
    Two.apply(x)[0].sum().backward()
    if materialize:
        equal(seen[0], 0, 0)
    else:
        assert seen == [None]


def test_a_single_output_in_a_tuple_stays_in_it() -> None:
    class One(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return (x * 2.0,)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return (g * 2.0,)

    x = leaf(1.0)
    out = One.apply(x)
    assert isinstance(out, tuple)
    out[0].sum().backward()
    equal(x.grad, 2)


# ------------------------------------------------------------------ inputs handed on, views, writes


class Same(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 5.0


def test_an_input_returned_as_it_is() -> None:
    x = leaf(1.0, 2.0)
    y = Same.apply(x)
    assert y is not x
    assert x.is_leaf
    assert np.shares_memory(as_ndarray(x), as_ndarray(y))
    y.sum().backward()
    equal(x.grad, 5, 5)


def test_an_input_returned_as_it_is_without_recording() -> None:
    x = leaf(1.0, 2.0)
    with torch.no_grad():
        y = Same.apply(x)
    assert y is not x
    assert not y.requires_grad
    c = constant(1.0)
    d = Same.apply(c)
    assert d is not c
    d.mul_(2.0)
    equal(c, 2)


@pytest.mark.parametrize("function", [Same, "view"])
def test_writes_into_what_shares_memory_with_the_input_are_refused(function: Any) -> None:
    class View(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x[0:1]

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return torch.tensor([7.0, 0.0], dtype=torch.float64) * g

    apply = View.apply if function == "view" else function.apply
    x = leaf(1.0, 2.0) * 1.0
    y = apply(x)
    with pytest.raises(RuntimeError, match="custom Function"):
        y.mul_(2.0)
    inner = y[0:1]
    with pytest.raises(RuntimeError, match="custom Function"):
        inner.mul_(2.0)
    (dx,) = grad(inner.sum() + y.sum(), x)
    np.testing.assert_allclose(as_ndarray(dx)[0], 14 if function == "view" else 10)
    x.mul_(2.0)
    with pytest.raises(RuntimeError, match="custom Function"):
        y * 1.0


class Triple(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.mul_(3.0)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 3.0


def test_mark_dirty() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    z = Triple.apply(y)
    assert z is y
    assert y.grad_fn.name() == "TripleBackward"
    equal(y, 6, 12)
    (y * y).sum().backward()
    equal(x.grad, 72, 144)


def test_mark_dirty_of_a_view_changes_its_base() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    z = Triple.apply(y[0:1])
    (y * constant(1.0, 10.0)).sum().backward(retain_graph=True)
    equal(x.grad, 6, 20)
    x.grad = None
    z.sum().backward()
    equal(x.grad, 6, 0)


def test_mark_dirty_of_a_leaf() -> None:
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        Triple.apply(leaf(1.0))


def test_mark_dirty_counts_as_a_write() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    z = y * y
    Triple.apply(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_dirty_must_be_returned_and_be_an_input() -> None:
    class Lost(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x * 2.0

    class Foreign(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * 2.0
            ctx.mark_dirty(y)
            return y

    with pytest.raises(RuntimeError, match="mark_dirty"):
        Lost.apply(leaf(1.0) * 1.0)
    with pytest.warns(UserWarning, match="mark_dirty"):
        equal(Foreign.apply(leaf(1.0) * 1.0), 2)


# ------------------------------------------------------------------ higher orders


def test_double_backward_through_saved_inputs() -> None:
    x = leaf(1.0, 2.0)
    y = Cube.apply(x)
    for factor, power in ((3.0, 2), (6.0, 1), (6.0, 0)):
        (y,) = grad(y.sum(), x, create_graph=True)
        equal(y, *(factor * np.array([1.0, 2.0]) ** power))


def test_double_backward_through_the_gradient_and_several_outputs() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    a, b = Split.apply(x, y)
    weight = leaf(10.0, 20.0)
    dx, _ = grad((a * weight).sum() + (b * b).sum(), [x, y], create_graph=True)  # weight * y + 2 (x + y)
    dw, dy = grad(dx.sum(), [weight, y])
    equal(dw, 3, 4)
    equal(dy, 12, 22)


def test_a_backward_that_is_itself_a_function() -> None:
    class Outer(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x * x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 4.0 * Cube.apply(x)

    x = leaf(2.0)
    (dx,) = grad(Outer.apply(x).sum(), x, create_graph=True)
    (d2,) = grad(dx.sum(), x, create_graph=True)
    (d3,) = grad(d2.sum(), x)
    equal(dx, 32)
    equal(d2, 48)
    equal(d3, 48)


def test_once_differentiable() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            assert not torch.is_grad_enabled()
            return g * 2.0 * ctx.saved_tensors[0]

    x, v = leaf(1.0, 2.0), leaf(1.0, 1.0)
    (dx,) = grad(Once.apply(x), x, v, create_graph=True)
    equal(dx, 2, 4)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()
    Once.apply(x).sum().backward()
    equal(x.grad, 2, 4)


# ------------------------------------------------------------------ what backward may not return


def returning(result: Any) -> Any:
    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return result(g)

    return Bad


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda g: g, r"incorrect number of gradients \(expected 2, got 1\)"),
        (lambda g: (g, None, g), r"incorrect number of gradients \(expected 2, got 3\)"),
        (lambda g: (g, g), "different than None at position 2"),
        (lambda g: (3.0, None), "expected Variable or None"),
        (lambda g: (g[0:1], None), "invalid gradient at index 0"),
        (lambda g: (g.sum(), None), "invalid gradient at index 0"),
    ],
)
def test_wrong_gradients(result: Any, words: str, create_graph: bool) -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=words):
        returning(result).apply(x, "no tensor").sum().backward(create_graph=create_graph)


def test_extra_nones_are_ignored() -> None:
    x = leaf(1.0, 2.0)
    returning(lambda g: (g, None, None, None)).apply(x, 0).sum().backward()
    equal(x.grad, 1, 1)


def test_gradients_are_summed_and_cast_to_the_input() -> None:
    class Wide(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return torch.from_numpy(np.ones((3, 2)))

    x = torch.tensor([1.0, 2.0], dtype=torch.float32, requires_grad=True)
    Wide.apply(x).sum().backward()
    assert x.grad.dtype is torch.float32
    equal(x.grad, 3, 3)


def test_missing_methods() -> None:
    class Nothing(Function):
        pass

    class Forward(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

    with pytest.raises(NotImplementedError, match="forward"):
        Nothing.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="backward"):
        Forward.apply(leaf(1.0)).sum().backward()
    with pytest.raises(RuntimeError, match="apply"):
        Cube()(leaf(1.0))


def test_errors_in_forward_leave_the_mode_alone() -> None:
    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            raise KeyError

    with pytest.raises(KeyError):
        Bad.apply(leaf(1.0))
    assert torch.is_grad_enabled()


def test_recording_inside_forward_stays_inside() -> None:
    """A graph built under enable_grad in forward is the Function's own affair."""

    class Inner(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            with torch.enable_grad():
                y = x.detach().requires_grad_()
                z = (y * y).sum()
                (ctx.dy,) = grad(z, y)
            return z.detach()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.dy

    x = leaf(1.0, 2.0)
    (Inner.apply(x) * 2.0).backward()
    equal(x.grad, 4, 8)
