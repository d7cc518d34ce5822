"""Ops of several outputs: each output has its place in the graph, and a gradient of one alone is enough."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from importlib import import_module
from itertools import chain, combinations
from pkgutil import walk_packages
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rushlight
from cases import CASES
from rushlight import tensors
from rushlight.autograd import Function, grad, reference
from rushlight.autograd.codegen.forward import listing
from rushlight.autograd.multi_output import step_of
from rushlight.autograd.primitive import PRIMITIVES, Primitive, primitive
from rushlight.testing import Verdict, check_gradient
from support.op_gradients import with_leaves

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):
    import_module(_module.name)

SEVERAL = sorted(name for name, op in PRIMITIVES.items() if op.outputs)
EVERY = pytest.mark.parametrize("name", SEVERAL)


def drawn(name: str, data: Any) -> tuple[Primitive, dict[str, Any], list[Any]]:
    """Return an op, arguments for it, and the leaves among them."""
    op = PRIMITIVES[name]
    args, leaves = with_leaves(op, data.draw(CASES[name]))
    return op, args, leaves


def uneven(like: Any) -> Any:
    """Return a gradient of elements that differ."""
    shape = tuple(like.shape)
    return rushlight.from_numpy(np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape))


def compare(mine: Any, other: Any) -> None:
    """Assert that gradients are equal; none at all is one of zeros."""
    for one, another in zip(mine, other, strict=True):
        found = [0.0 if g is None else g.detach().numpy() for g in (one, another)]
        np.testing.assert_allclose(*np.broadcast_arrays(*found), 1e-9, 1e-9)


def slopes(leaves: list[Any], first: Any) -> Any:
    """Return the gradients of the sum of all recorded gradients ``first``."""
    ends = [g for g in first if g is not None and g.requires_grad]
    return grad(ends, leaves, [uneven(end) for end in ends], allow_unused=True) if ends else [None] * len(leaves)


def test_there_are_such_ops() -> None:
    assert {"svd_factors", "qr_factors", "eigh_factors", "lstm_steps", "lstm_step", "gru_steps"} <= set(SEVERAL)


# ------------------------------------------------------------------ every op


@EVERY
@given(data=st.data())
@settings(max_examples=5)
def test_results_share_a_step_and_are_numbered(name: str, data: Any) -> None:
    op, args, _ = drawn(name, data)
    results = op.function(**args)
    plain = op.function(**{key: x.detach() if isinstance(x, rushlight.Tensor) else x for key, x in args.items()})
    arrays = op.function(
        **{key: x.detach().numpy() if isinstance(x, rushlight.Tensor) else x for key, x in args.items()}
    )
    assert len(results) == len(plain) == len(arrays) == len(op.outputs)
    (step,) = {result.grad_fn for result in results}
    assert type(step).__name__ == op.grad_fn_name
    for number, (result, value, array) in enumerate(zip(results, plain, arrays, strict=True)):
        assert result.output_nr == number
        assert (result * 1).grad_fn.next_functions[0] == (step, number)
        assert value.grad_fn is None
        assert value.view_of is result.view_of is None
        assert (result.array_shape, result.array_dtype) == (result.array.shape, result.array.dtype)
        assert type(array) is np.ndarray
        np.testing.assert_array_equal(result.detach().numpy(), array)
        np.testing.assert_array_equal(value.numpy(), array)
    for one, other in combinations(results, 2):
        assert not np.shares_memory(one.array, other.array)


@EVERY
@given(data=st.data())
@settings(max_examples=5)
def test_no_gradient_of_an_output_is_one_of_zeros(name: str, data: Any) -> None:
    """For every choice of outputs, in the first and in the second derivative, recorded or not."""
    op, args, leaves = drawn(name, data)
    places = range(len(op.outputs))
    for chosen in chain.from_iterable(combinations(places, size) for size in places if size):
        results = op.function(**args)
        seeds = [uneven(one) * (place in chosen) for place, one in enumerate(results)]
        some, ours = [results[place] for place in chosen], [seeds[place] for place in chosen]
        whole = grad(results, leaves, seeds, allow_unused=True, retain_graph=True)
        compare(grad(some, leaves, ours, allow_unused=True, retain_graph=True), whole)
        first = grad(some, leaves, ours, allow_unused=True, create_graph=True)
        compare(first, whole)
        every = grad(op.function(**args), leaves, seeds, allow_unused=True, create_graph=True)
        compare(slopes(leaves, first), slopes(leaves, every))


@EVERY
@given(data=st.data())
@settings(max_examples=3)
def test_the_reference_agrees_about_one_output(name: str, data: Any) -> None:
    op, args, leaves = drawn(name, data)
    for place in range(len(op.outputs)):
        one = op.function(**args)[place]
        expected = grad(one, leaves, uneven(one), allow_unused=True)
        for recorded in (False, True):
            again = reference.call(name, **args)[place]
            for leaf in leaves:
                leaf.grad = None
            seed = uneven(again) if recorded else uneven(again).numpy()
            with rushlight.set_grad_enabled(recorded):
                reference.backward({again.node: seed}, recorded)
            compare([leaf.grad for leaf in leaves], expected)


@EVERY
@given(data=st.data())
@settings(max_examples=3)
def test_dropped_outputs_change_no_second_derivative(name: str, data: Any) -> None:
    op, args, leaves = drawn(name, data)
    for place in range(len(op.outputs)):
        results = op.function(**args)
        kept = slopes(
            leaves, grad(results[place], leaves, uneven(results[place]), allow_unused=True, create_graph=True)
        )
        one = op.function(**args)[place]
        gc.collect()
        alone = slopes(leaves, grad(one, leaves, uneven(one), allow_unused=True, create_graph=True))
        compare(alone, kept)


@EVERY
@given(data=st.data())
@settings(max_examples=3)
def test_hooks_and_kept_gradients_are_those_of_the_output(name: str, data: Any) -> None:
    op, args, leaves = drawn(name, data)
    results = op.function(**args)
    seeds = [uneven(one) for one in results]
    double = [2 * seed if number == 0 else seed for number, seed in enumerate(seeds)]
    expected = grad(results, leaves, double, allow_unused=True, retain_graph=True)
    seen: list[Any] = []
    handles = [results[0].register_hook(lambda g: 2 * g)]
    handles += [
        results[0].grad_fn.register_prehook(seen.append),
        results[-1].grad_fn.register_hook(lambda *both: seen.extend(both)),
    ]
    compare(grad(results, leaves, seeds, allow_unused=True, retain_graph=True), expected)
    results[0].retain_grad()
    rushlight.autograd.backward(list(results), seeds, retain_graph=True)
    np.testing.assert_array_equal(results[0].grad.numpy(), double[0].numpy())
    before, after, came = seen[:3]
    assert len(before) == len(came) == len(op.outputs)
    assert len(after) == len(op.inputs)
    for handle in handles:
        handle.remove()
    seen.clear()
    results[-1].grad_fn.register_prehook(seen.append)
    grad(results[-1], leaves, seeds[-1], allow_unused=True)
    assert [one is None for one in seen[0]] == [True] * (len(results) - 1) + [False]


@EVERY
@given(data=st.data())
@settings(max_examples=3)
def test_a_hook_may_take_all_gradients_away(name: str, data: Any) -> None:
    op, args, leaves = drawn(name, data)
    for recorded in (False, True):
        results = op.function(**args)
        results[0].grad_fn.register_prehook(lambda grads: (None,) * len(grads))
        compare(
            grad(results[0], leaves, uneven(results[0]), allow_unused=True, create_graph=recorded), [None] * len(leaves)
        )


@EVERY
@given(data=st.data())
@settings(max_examples=3)
def test_saved_values_are_freed_and_may_be_packed(name: str, data: Any) -> None:
    op, args, leaves = drawn(name, data)
    results = op.function(**args)
    seeds = [uneven(one) for one in results]
    expected = grad(results, leaves, seeds, allow_unused=True)
    with pytest.raises(RuntimeError, match="a second time"):
        grad(results, leaves, seeds, allow_unused=True)
    with rushlight.autograd.graph.saved_tensors_hooks(lambda t: t.numpy().copy(), rushlight.from_numpy):
        results = op.function(**args)
    compare(grad(results, leaves, seeds, allow_unused=True, retain_graph=True), expected)
    first = grad(results, leaves, seeds, allow_unused=True, create_graph=True)
    compare(first, expected)
    plain = op.function(**args)
    compare(slopes(leaves, first), slopes(leaves, grad(plain, leaves, seeds, allow_unused=True, create_graph=True)))


@EVERY
@given(data=st.data())
@settings(max_examples=3)
def test_outputs_may_be_written_and_the_walk_notices(name: str, data: Any) -> None:
    """What was written afterwards is refused if it was saved, and has the gradient of the write if not."""
    op, args, leaves = drawn(name, data)
    for place, title in enumerate(op.outputs):
        results = op.function(**args)
        expected = grad(results[place] * 3, leaves, uneven(results[place]), allow_unused=True)
        written = op.function(**args)[place].mul_(3)
        step, number = step_of(written.node.edges[0])
        assert (step.name(), number) == (op.grad_fn_name, place)
        if title not in op.saves:
            compare(grad(written, leaves, uneven(written), allow_unused=True), expected)
            continue
        with pytest.raises(RuntimeError, match=f"which is output {place} of {op.grad_fn_name}, is at version 1"):
            grad(written, leaves, uneven(written), allow_unused=True)


@EVERY
@given(data=st.data())
@settings(max_examples=3)
def test_modes_and_out(name: str, data: Any) -> None:
    op, args, _ = drawn(name, data)
    with rushlight.no_grad():
        results = op.function(**args)
        room = [rushlight.empty(0, dtype=one.dtype) for one in results]
        filled = op.function(**args, out=tuple(room))
    assert all(one.grad_fn is None and not one.requires_grad for one in results)
    assert all(mine is one for mine, one in zip(filled, room, strict=True))
    for mine, other in zip(filled, results, strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())
    with rushlight.inference_mode():
        assert all(one.is_inference() for one in op.function(**args))


@EVERY
@given(data=st.data())
@settings(max_examples=1)
def test_anomaly_detection_names_the_step(name: str, data: Any) -> None:
    op, args, leaves = drawn(name, data)
    assume(all(leaf.numel() for leaf in leaves))
    with rushlight.autograd.detect_anomaly():
        one = op.function(**args)[0]
        with (
            pytest.warns(UserWarning, match=r"test_several_outputs\.py"),
            pytest.raises(RuntimeError, match=f"Function '{op.grad_fn_name}' returned nan values"),
        ):
            grad(one, leaves, rushlight.full_like(one, float("nan")), allow_unused=True)


# ------------------------------------------------------------------ ops as they might be declared


@pytest.fixture
def declared() -> Iterator[dict[str, Any]]:
    """Ops of two outputs: promoted; of a sequence, and with what it returns built by a function."""
    before = set(PRIMITIVES)

    @primitive(
        input=lambda total, difference: total + difference,
        other=lambda total, difference: total - difference,
        outputs=("total", "difference"),
        promote="float",
    )
    def both_ways(input: Any, other: Any) -> Any:
        return input + other, input - other

    @primitive(
        tensors=lambda total, product, total_out, tensors_shape: [
            total + product * 2 * total_out for _ in tensors_shape
        ],
        outputs=("total_out", "square_out"),
        many="tensors",
        aux=("count",),
        returns=lambda total, square, count: (count, square, total),
    )
    def folded(tensors: Any) -> Any:
        return sum(tensors), sum(tensors) ** 2, np.asarray(len(tensors))

    yield {"both_ways": both_ways, "folded": folded}
    for name in set(PRIMITIVES) - before:
        del PRIMITIVES[name]


def test_promoted_outputs(declared: dict[str, Any]) -> None:
    x = rushlight.tensor([[1.0], [2.0]], dtype=rushlight.float64, requires_grad=True)
    y = rushlight.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for call in (declared["both_ways"], lambda *args: reference.call("both_ways", *args)):
        total, difference = call(x, y)
        assert total.dtype is difference.dtype is rushlight.float64
        by_x, by_y = grad((total.sum(), (2 * difference).sum()), (x, y))
        assert (by_x.tolist(), by_y.tolist()) == ([[9.0], [9.0]], [-2.0, -2.0, -2.0])
        assert by_y.dtype is rushlight.float32
        assert declared["both_ways"](rushlight.tensor([1]), 2)[1].dtype is rushlight.float32


def test_outputs_of_a_sequence(declared: dict[str, Any]) -> None:
    given = [rushlight.tensor(value, dtype=rushlight.float64, requires_grad=True) for value in (2.0, 3.0, 5.0)]

    def scored(*each: Any) -> Any:
        count, square, total = declared["folded"](list(each))
        return square * total + count

    with pytest.raises(TypeError, match="NoneType"):
        grad(declared["folded"](given)[1], given)  # a rule that is not ready for an output without gradient
    assert check_gradient(scored, *given, order=2).verdict is Verdict.RIGHT
    count, square, total = declared["folded"](given)
    assert (count.item(), square.item(), total.item()) == (3, 100.0, 10.0)
    assert [square.output_nr, total.output_nr, count.grad_fn] == [1, 0, None]
    again = reference.call("folded", given)
    assert [one.item() for one in again] == [3, 100.0, 10.0]
    assert declared["folded"]([np.ones(2), np.ones(2)])[2].tolist() == [2.0, 2.0]


def test_the_generated_code_is_straight(declared: dict[str, Any]) -> None:
    text = listing(PRIMITIVES["both_ways"])
    assert "total, difference = kernel(input_array, other_array)" in text
    assert "result = results_of(node, (total, difference,), (None, None,))" in text
    assert "total_grad, difference_grad, = g_.items" in text
    assert "None if edge_other is None else total_grad - difference_grad" in text


def test_several_views_are_refused(declared: dict[str, Any]) -> None:
    @primitive(input=lambda g, h: g, outputs=("one", "two"), view=True)
    def mirrored(input: Any) -> Any:
        return input, input

    with pytest.raises(TypeError, match="several results cannot be declared as views"):
        mirrored(rushlight.ones(2))  # type: ignore[arg-type]


# ------------------------------------------------------------------ steps recorded by hand


class Pair(Function):
    """Saves its first output, which the gradient of the second uses as well."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        one, two = x.exp(), x.sin()
        ctx.save_for_backward(x, one)
        return one, two

    @staticmethod
    def backward(ctx: Any, by_one: Any, by_two: Any) -> Any:
        x, one = ctx.saved_tensors
        return by_one * one + by_two * x.cos() * one


def test_a_function_keeps_the_way_through_a_dropped_output() -> None:
    x = rushlight.tensor([0.5, 1.0], dtype=rushlight.float64, requires_grad=True)
    results = Pair.apply(x)
    kept = slopes([x], grad(results[1].sum(), x, create_graph=True))
    two = Pair.apply(x)[1]
    compare(slopes([x], grad(two.sum(), x, create_graph=True)), kept)
    expected = uneven(x) * np.exp(x.detach().numpy()) * (np.cos(x.detach().numpy()) - np.sin(x.detach().numpy()))
    compare(kept, [expected])


@pytest.mark.parametrize("cut", ["unbind", "split", "chunk", "tensor_split", "split_with_sizes"])
def test_messages_tell_which_output(cut: str) -> None:
    base = rushlight.ones(4, requires_grad=True) * 2
    parts = {
        "unbind": base.unbind,
        "split": lambda: base.split(2),
        "chunk": lambda: base.chunk(2),
        "tensor_split": lambda: base.tensor_split(2),
        "split_with_sizes": lambda: base.split_with_sizes([1, 3]),
    }[cut]()
    if parts[1].grad_fn.name() not in {"UnbindBackward0", "SplitBackward0", "SplitWithSizesBackward0"}:
        pytest.skip("its parts are views of their own")
    with pytest.raises(RuntimeError, match=f"^Output 1 of {parts[1].grad_fn.name()} is a view and is being modified"):
        parts[1].add_(1)
    parts[1].register_hook(lambda g: g[None])
    with pytest.raises(RuntimeError, match=f"hook of {parts[1].grad_fn.name()} has changed the size"):
        grad(parts[1].sum(), base)
    product = parts[1] * rushlight.ones(1, requires_grad=True)
    with rushlight.no_grad():
        base.add_(1)
    with pytest.raises(RuntimeError, match=f"which is output 1 of {parts[1].grad_fn.name()}, is at version 1"):
        product.sum().backward()
