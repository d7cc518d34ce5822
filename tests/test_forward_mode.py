"""Forward mode: tangents of every op, duals and levels, views and writes, nested derivatives."""

from __future__ import annotations

import gc
import weakref
from importlib import import_module
from itertools import product
from pkgutil import walk_packages
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rushlight
from cases import CASES
from rushlight import tensors
from rushlight.autograd import levels, push
from rushlight.autograd.forward_ad import dual_level, enter_dual_level, make_dual, unpack_dual
from rushlight.autograd.primitive import PRIMITIVES, Primitive
from rushlight.autograd.recording import observer, recording, unrecorded
from support.op_gradients import differentiable, inputs_of, with_leaves

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):
    import_module(_module.name)

DIFFERENTIABLE = sorted(name for name, op in PRIMITIVES.items() if op.inputs)


def _drawn(shape: Any, seed: int) -> Any:
    """Return random numbers that lie in memory by columns where ``seed`` is even: unlike what they are a tangent of."""
    drawn = np.random.default_rng(seed).normal(size=tuple(shape))
    return rushlight.from_numpy(drawn if seed % 2 else np.array(drawn, order="F"))


def _tensors(out: Any) -> list[Any]:
    return [one for one in (out if isinstance(out, tuple) else (out,)) if isinstance(one, rushlight.Tensor)]


def _inputs(op: Primitive, args: dict[str, Any]) -> list[np.ndarray]:
    """Return the arrays of the inputs that have a gradient, those of sequences one by one."""
    return [x.detach().numpy() for x in with_leaves(op, args)[1]]


def _called(op: Primitive, args: dict[str, Any], values: list[Any]) -> Any:
    """Return ``op`` of ``args`` with ``values`` in the place of its inputs."""
    rest = iter(values)

    def place(value: Any) -> Any:
        return [place(one) for one in value] if isinstance(value, list | tuple) else next(rest)

    floats = {n: v.astype(np.float64) for n, v in args.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
    return op.function(**(args | floats | {name: place(args[name]) for name in inputs_of(op, args)}))


def pushed(op: Primitive, args: dict[str, Any], asked: Any, steps: list[Any], grad: bool) -> list[Any]:
    """Return the tangents of the results of ``op`` where the inputs ``asked`` move by ``steps``."""
    arrays = _inputs(op, args)
    with dual_level(), rushlight.set_grad_enabled(grad):
        values = [rushlight.from_numpy(np.array(x)) for x in arrays]
        values = [make_dual(x, t) if n in asked else x for n, (x, t) in enumerate(zip(values, steps, strict=True))]
        return [unpack_dual(out).tangent for out in _tensors(_called(op, args, values))]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@given(data=st.data())
@settings(max_examples=8)
def test_the_tangent_of_every_op_is_the_transpose_of_its_gradient(name: str, data: Any) -> None:
    """⟨v, J t⟩ = ⟨Jᵀ v, t⟩, for all inputs and for each alone, with recording on and off, and in a graph."""
    op, args = PRIMITIVES[name], data.draw(CASES[name])
    given_args, leaves = with_leaves(op, args)
    outs = differentiable(op.function(**given_args))
    assume(outs)
    places = [n for n, out in enumerate(_tensors(op.function(**given_args))) if out.requires_grad]
    steps, weights = [_drawn(x.shape, n) for n, x in enumerate(leaves)], [_drawn(o.shape, 50) for o in outs]
    grads = rushlight.autograd.grad(outs, leaves, weights, allow_unused=True, materialize_grads=True)
    scale = 1 + sum(float(g.abs().sum()) for g in grads)
    for asked in [set(range(len(leaves))), *({n} for n in range(len(leaves)))]:
        expected = sum(float((grads[n] * steps[n]).sum()) for n in asked)
        for grad in (True, False):
            got = pushed(op, args, asked, steps, grad)
            assert all(t is None or t.shape == o.shape for t, o in zip((got[n] for n in places), outs, strict=True))
            found = sum(float((got[n] * w).sum()) for n, w in zip(places, weights, strict=True) if got[n] is not None)
            assert np.isnan(expected) or abs(found - expected) <= 1e-8 * scale, (asked, grad, found, expected)
        _in_a_graph(op, args, asked, steps, (places, weights, expected, scale))
    _by_the_rule_alone(op, args, steps)
    _as_finite_differences(op, args, steps, places)


def _by_the_rule_alone(op: Primitive, args: dict[str, Any], steps: list[Any]) -> None:
    """Assert that no shortcut changes anything: the rule, transposed, gives the same tangents."""
    everything = set(range(len(steps)))
    shortly = pushed(op, args, everything, steps, True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(levels, "push", push._transposed)
        longly = pushed(op, args, everything, steps, True)
    for one, other in zip(shortly, longly, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            np.testing.assert_allclose(one.numpy(), other.numpy(), 1e-8, 1e-8)


def _as_finite_differences(op: Primitive, args: dict[str, Any], steps: list[Any], places: list[int]) -> None:
    """Assert that results move as tangents say: by central differences, where these have settled."""
    arrays, got = _inputs(op, args), pushed(op, args, set(range(len(steps))), steps, True)

    def moved(by: float) -> list[np.ndarray]:
        values = [rushlight.from_numpy(np.array(x + by * t.numpy())) for x, t in zip(arrays, steps, strict=True)]
        outs = _tensors(_called(op, args, values))
        return [np.array(outs[n].numpy(), np.float64) for n in places]

    fine, coarse = [[(a - b) / (2 * h) for a, b in zip(moved(h), moved(-h), strict=True)] for h in (1e-6, 1e-5)]
    for n, one, other in zip(places, fine, coarse, strict=True):
        tangent = np.zeros(one.shape) if got[n] is None else got[n].numpy()
        settled = np.isfinite(one) & np.isfinite(other) & (np.abs(one - other) <= 1e-5 * (1 + np.abs(one)))
        np.testing.assert_allclose(tangent[settled], one[settled], 1e-4, 1e-4)


def _in_a_graph(op: Primitive, args: dict[str, Any], asked: Any, steps: list[Any], wanted: Any) -> None:
    """Assert that tangents come out the same where they can be differentiated further."""
    places, weights, expected, scale = wanted
    _, leaves = with_leaves(op, args)
    with dual_level():
        duals = [make_dual(x, t) if n in asked else x for n, (x, t) in enumerate(zip(leaves, steps, strict=True))]
        got = [unpack_dual(out).tangent for out in _tensors(_called(op, args, duals))]
    found = sum(float((got[n] * w).sum()) for n, w in zip(places, weights, strict=True) if got[n] is not None)
    assert np.isnan(expected) or abs(found - expected) <= 1e-8 * scale


def test_what_is_called_linear_can_be_called_again() -> None:
    """Of each op that is pushed by a call of itself all arguments are known: inputs, saved, or the result's shape."""
    for name in push.LINEAR:
        op = PRIMITIVES[name]
        assert set(op.params) <= {*op.rules, *op.saves, "shape", "size"}, name


# ------------------------------------------------------------------ duals and levels


def dual(values: Any, tangent: Any, **options: Any) -> Any:
    x = rushlight.tensor(values, dtype=rushlight.float64, **options)
    return make_dual(x, rushlight.tensor(tangent, dtype=rushlight.float64))


def tangent_of(x: Any) -> Any:
    found = unpack_dual(x).tangent
    return None if found is None else found.tolist()


def nothing_is_on() -> bool:
    """Return whether steps are recorded as if there had never been a level, once what earlier tests left is gone."""
    gc.collect()
    _ = rushlight.ones(2, requires_grad=True) * 2  # whoever is still told of steps sees that nothing moves
    return recording.get() is True and observer.get() is None and unrecorded.get() is False


def test_a_level_leaves_nothing_behind() -> None:
    with dual_level():
        y = dual([1.0, 2.0], [1.0, 0.0]) * 2
        z = y.exp()
        assert tangent_of(y) == [2.0, 0.0]
    assert unpack_dual(y).tangent is None
    later = y * z  # a value of the level is still there: it is no part of a graph
    assert not later.requires_grad
    assert later.node is None
    del y, z, later
    assert nothing_is_on()


def test_a_level_ends_where_its_block_fails() -> None:
    with pytest.raises(ValueError, match="on purpose"), dual_level():
        raise ValueError("on purpose")
    assert nothing_is_on()
    with dual_level(), pytest.raises(RuntimeError, match="Nested"):
        enter_dual_level()


def test_a_tangent_with_a_graph_goes_with_its_value() -> None:
    """The tangent of exp is computed from its result, and its graph leads there: the end of a level parts the two."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        with dual_level():
            y = dual([0.5], [1.0], requires_grad=True).exp()
            node = weakref.ref(y.node)
            assert unpack_dual(y).tangent.requires_grad
        del y
        assert node() is None
    finally:
        if enabled:
            gc.enable()


def test_values_that_nobody_holds_are_let_go() -> None:
    """A chain keeps no step and no value behind it: forward mode takes no memory for a way back."""
    with dual_level():
        y = dual([0.5], [1.0])
        first = weakref.ref(y.node)
        for _ in range(10):
            y = y.sin() * y
        assert first() is None
        assert y.node.edges == (None,)
        assert not y.requires_grad
        assert y.grad_fn is None


def test_views_and_writes() -> None:
    with dual_level():
        x = dual([1.0, 2.0, 3.0], [1.0, 10.0, 100.0])
        base = rushlight.zeros(2, 3, dtype=rushlight.float64)
        row, column = base[0], base[:, 1]
        base[1] = x
        assert tangent_of(row) == [0.0, 0.0, 0.0]
        assert tangent_of(column) == [0.0, 10.0]
        row.copy_(x * x)
        assert tangent_of(base) == [[2.0, 40.0, 600.0], [1.0, 10.0, 100.0]]
        assert tangent_of(column) == [40.0, 10.0]
        column.zero_()
        assert tangent_of(base) == [[2.0, 0.0, 600.0], [1.0, 0.0, 100.0]]
        assert tangent_of(row) == [2.0, 0.0, 600.0]
        x.mul_(x)
        assert tangent_of(x) == [2.0, 40.0, 600.0]
        a, b = x.split([1, 2])
        assert (tangent_of(a), tangent_of(b)) == ([2.0], [40.0, 600.0])


def test_writes_under_no_grad() -> None:
    """A leaf stays one and moves; a part of one is refused; what requires no grad is written as ever."""
    with dual_level():
        x, w = dual([1.0, 2.0], [1.0, 10.0]), rushlight.ones(2, dtype=rushlight.float64, requires_grad=True)
        leaf, plain = w.node, rushlight.zeros(2, dtype=rushlight.float64)
        with rushlight.no_grad():
            w.sub_(x)
            assert w.node is leaf
            assert tangent_of(w) == [-1.0, -10.0]
            with pytest.raises(RuntimeError, match="into a view of a tensor that requires grad"):
                w[:1].copy_(x[:1])
            plain[:1] = x[1:]
            assert tangent_of(plain) == [10.0, 0.0]
            w.fill_(1.0)
            y = w * x
        assert not y.requires_grad
        assert tangent_of(y) == [1.0, 10.0]


def test_what_would_lose_a_tangent_is_refused() -> None:
    with dual_level():
        x = dual([1.0, 2.0], [1.0, 10.0])
        with pytest.raises(RuntimeError, match="out="):
            rushlight.exp(x, out=rushlight.zeros(2, dtype=rushlight.float64))
        with rushlight.no_grad(), pytest.raises(RuntimeError, match="out="):
            rushlight.exp(x, out=rushlight.zeros(2, dtype=rushlight.float64))
        with rushlight.no_grad():  # no tangent, so nothing is lost
            w = rushlight.ones(2, requires_grad=True)
            rushlight.exp(w, out=rushlight.zeros(2))
        with pytest.raises((RuntimeError, NotImplementedError), match="derivative for"):
            rushlight.unique(x)
        with pytest.raises(NotImplementedError, match="must implement the jvp"):
            _NoTangent.apply(x)


class _NoTangent(rushlight.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2


def test_hooks_and_anomaly_detection_beside_a_level() -> None:
    packed: list[Any] = []
    with (
        dual_level(),
        rushlight.autograd.detect_anomaly(),
        rushlight.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t),
    ):
        x = dual([1.0, 2.0], [1.0, 10.0], requires_grad=True)
        y = (x.exp() * x).sum()
        step = unpack_dual(y).tangent
        y.backward()
    assert packed
    assert np.isclose(step.item(), 2 * np.e + 30 * np.e**2)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@given(data=st.data())
@settings(max_examples=3)
def test_the_tangent_of_every_op_can_be_differentiated(name: str, data: Any) -> None:
    """The gradient of a tangent, forward over reverse and double backward give one Hessian."""
    op, args = PRIMITIVES[name], data.draw(CASES[name])
    _, leaves = with_leaves(op, args)
    outs = differentiable(_called(op, args, leaves))
    assume(outs)
    places = [n for n, out in enumerate(_tensors(_called(op, args, leaves))) if out.requires_grad]
    steps, weights = [_drawn(x.shape, n) for n, x in enumerate(leaves)], [_drawn(o.shape, 51) for o in outs]

    def product(found: list[Any]) -> Any:
        return sum((one * w).sum() for one, w in zip(found, weights, strict=True) if one is not None)

    def gradients(value: Any, **options: Any) -> list[Any]:
        if not isinstance(value, rushlight.Tensor) or not value.requires_grad:
            return [rushlight.zeros_like(x) for x in leaves]
        return list(rushlight.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True, **options))

    outs = _tensors(_called(op, args, leaves))
    slopes = gradients(product([outs[n] for n in places]), create_graph=True)
    expected = gradients(sum((g * t).sum() for g, t in zip(slopes, steps, strict=True)))
    with dual_level():
        moved = _tensors(_called(op, args, [make_dual(x, t) for x, t in zip(leaves, steps, strict=True)]))
        over = gradients(product([unpack_dual(moved[n]).tangent for n in places]), retain_graph=True)
        under = [unpack_dual(g).tangent for g in gradients(product([moved[n] for n in places]))]
    for wanted, one, other in zip(expected, over, under, strict=True):
        finite = np.isfinite(wanted.numpy(force=True))
        scale = 1 + np.abs(wanted.numpy(force=True)[finite]).max(initial=0)
        for found in one, rushlight.zeros_like(wanted) if other is None else other:
            np.testing.assert_allclose(
                found.numpy(force=True)[finite] / scale, wanted.numpy(force=True)[finite] / scale, 1e-7, 1e-7
            )


def test_levels_and_graphs_nest() -> None:
    """Every way to the third derivative of x⁴ gives 24 x."""
    func, x = rushlight.func, rushlight.tensor(2.0, dtype=rushlight.float64)

    def forward(f: Any) -> Any:
        return lambda at: func.jvp(f, (at,), (rushlight.ones_like(at),))[1]

    def linear(f: Any) -> Any:
        return lambda at: func.linearize(f, at)[1](rushlight.ones_like(at))

    def pushed_again(f: Any) -> Any:
        def slope(at: Any) -> Any:
            with dual_level():
                return unpack_dual(f(make_dual(at, rushlight.ones_like(at)))).tangent

        return slope

    ways = [forward, linear, func.grad, func.jacrev, func.jacfwd, pushed_again]
    for first, second, third in product(ways, repeat=3):
        if [first, second, third].count(pushed_again) < 2:
            assert np.isclose(third(second(first(lambda t: t**4)))(x).item(), 48.0), (first, second, third)
    assert nothing_is_on()


def test_a_linearization_calls_once_and_refuses_what_was_written() -> None:
    calls: list[int] = []
    w = rushlight.ones(3)

    def f(x: Any) -> Any:
        calls.append(1)
        return rushlight.dropout(x * w, 0.5, True).cumsum(0) * x

    x = rushlight.tensor([1.0, 2.0, 3.0])
    value, push_along = rushlight.func.linearize(f, x)
    for on in (True, False):
        with rushlight.set_grad_enabled(on):
            assert push_along(x).tolist() == (2 * value).tolist()
            assert not push_along(x).requires_grad
    assert push_along(x * 2).tolist() == (4 * value).tolist()
    assert calls == [1]
    w.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        push_along(x)
