"""The tiny engine of ``autograd/reference.py`` and the fast one say the same of every op."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight
from cases import CASES
from rushlight import tensors
from rushlight.autograd import reference
from rushlight.autograd.multi_output import step_of
from rushlight.autograd.node import Node
from rushlight.autograd.primitive import PRIMITIVES, Primitive
from support.op_gradients import differentiable, with_leaves

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):
    import_module(_module.name)

DIFFERENTIABLE = sorted(name for name, op in PRIMITIVES.items() if op.inputs)


def _results(out: Any) -> list[Any]:
    return [one for one in (out if isinstance(out, tuple) else (out,)) if isinstance(one, rushlight.Tensor)]


def _same(mine: Any, other: Any) -> None:
    """Assert that two saved values are equal: arrays bit for bit, dtype included."""
    if isinstance(mine, np.ndarray | np.generic):
        assert isinstance(other, np.ndarray | np.generic)
        assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(mine, other)
    elif isinstance(mine, tuple | list):
        assert len(mine) == len(other)
        for one, another in zip(mine, other, strict=True):
            _same(one, another)
    elif isinstance(mine, int | float | str | bytes | np.dtype | type(None) | slice):
        assert mine == other


def _places(node: Node, leaves: list[Any]) -> list[int | None]:
    """Return for each edge of ``node`` the number of the leaf that it leads to."""
    numbers = {id(leaf.node): number for number, leaf in enumerate(leaves)}
    return [None if edge is None else numbers[id(edge)] for edge in node.edges]


def _compare_records(ours: Any, theirs: Any, our_leaves: list[Any], their_leaves: list[Any]) -> None:
    assert (ours.node is None) == (theirs.node is None)
    if ours.node is None:
        return
    assert (ours.node.shape, ours.node.dtype) == (theirs.node.shape, theirs.node.dtype)
    (mine, number), (other, place) = step_of(ours.node), step_of(theirs.node)
    assert number == place
    assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
    assert _places(mine, our_leaves) == _places(other, their_leaves)
    assert mine.backward.grad_fn_name == other.backward.grad_fn_name
    assert list(mine.backward.saved_slots) == list(other.backward.saved_slots)
    _same(mine.saved, other.saved)


def _reference_gradients(outs: list[Any], leaves: list[Any], seeds: list[Any], create_graph: bool) -> list[Any]:
    for leaf in leaves:
        leaf.grad = None
    roots: dict[Node, Any] = {}
    for out, seed in zip(outs, seeds, strict=True):
        g = seed if create_graph else seed.detach().numpy()
        roots[out.node] = roots[out.node] + g if out.node in roots else g
    if create_graph:
        reference.backward(roots, create_graph=True)
    else:
        with rushlight.no_grad():
            reference.backward(roots)
    return [leaf.grad for leaf in leaves]


def _compare_gradients(ours: list[Any], theirs: list[Any]) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
            np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), 1e-12, 1e-12)


def _check(op: Primitive, args: dict[str, Any], kind: Any) -> None:
    fast_args, fast_leaves = with_leaves(op, args, kind)
    slow_args, slow_leaves = with_leaves(op, args, kind)
    fast, slow = op.function(**fast_args), reference.call(op.name, **slow_args)
    for one, another in zip(_results(fast), _results(slow), strict=True):
        _same(np.asarray(one.array), np.asarray(another.array))
        _compare_records(one, another, fast_leaves, slow_leaves)
    outs, others = differentiable(fast), differentiable(slow)
    if not outs:
        return
    seeds = [rushlight.ones_like(out.detach()) for out in outs]
    expected = rushlight.autograd.grad(outs, fast_leaves, seeds, allow_unused=True, retain_graph=True)
    _compare_gradients(_reference_gradients(others, slow_leaves, seeds, False), list(expected))
    first = rushlight.autograd.grad(outs, fast_leaves, seeds, allow_unused=True, create_graph=True)
    again = _reference_gradients(others, slow_leaves, seeds, True)
    _compare_gradients(again, list(first))
    ends = [g for g in first if g is not None and g.requires_grad]
    slow_ends = [g for g in again if g is not None and g.requires_grad]
    assert len(ends) == len(slow_ends)
    if ends:
        weights = [rushlight.ones_like(end.detach()) for end in ends]
        second = rushlight.autograd.grad(ends, fast_leaves, weights, allow_unused=True)
        _compare_gradients(_reference_gradients(slow_ends, slow_leaves, weights, False), list(second))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@given(data=st.data())
@settings(max_examples=5)
def test_every_op_is_recorded_and_differentiated_as_in_the_reference(name: str, data: Any) -> None:
    args, kind = data.draw(CASES[name]), data.draw(st.sampled_from((np.float64, np.float32)))
    _check(PRIMITIVES[name], args, kind)


def test_a_write_after_the_call_is_refused() -> None:
    x = rushlight.tensor([1.0, 2.0], requires_grad=True)
    inner = x * 1
    y = reference.call("exp", inner)
    with rushlight.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        reference.backward({y.node: np.ones(2, np.float32)})


def test_a_small_net_learns_on_the_reference_alone() -> None:
    """Two layers, ten steps: every call and every backward pass is the reference's."""
    rushlight.manual_seed(0)
    x, target = rushlight.randn(16, 3), rushlight.randn(16, 1)
    weights = [rushlight.randn(3, 8, requires_grad=True), rushlight.randn(8, 1, requires_grad=True)]
    losses = []
    for _ in range(10):
        hidden = reference.call("tanh", reference.call("mm", x, weights[0]))
        miss = reference.call("sub", reference.call("mm", hidden, weights[1]), target)
        loss = reference.call("mean", reference.call("mul", miss, miss))
        for weight in weights:
            weight.grad = None
        with rushlight.no_grad():
            reference.backward({loss.node: np.ones((), np.float32)})
            for weight in weights:
                weight.sub_(0.1 * weight.grad)
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
