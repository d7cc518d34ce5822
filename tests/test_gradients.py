"""Every primitive's first, second and third derivative against differences. No op without a case."""

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
from rushlight.autograd.primitive import PRIMITIVES
from support.op_gradients import check_alone, check_op, differentiable, right_or_refused, with_leaves

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):  # some load on demand
    import_module(_module.name)

DIFFERENTIABLE = {name: op for name, op in PRIMITIVES.items() if op.inputs}

ALIASING = {"expand_to", "expand_along", "channel_expand", "reverse", "reshape_to", "unsafe_view", "pad_copies_back"}
"""Steps of rules and of other functions, which hand their results to nobody else."""


def test_every_primitive_has_a_case() -> None:
    assert CASES.keys() == DIFFERENTIABLE.keys()


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
def test_a_case_is_in_the_file_of_its_topic(name: str) -> None:
    """The case of an op in ``tensors/ops/shape/order.py`` is in ``cases/shape.py``."""
    module = DIFFERENTIABLE[name].kernel.__module__.removeprefix("rushlight.")
    topic = module.removeprefix("tensors.").removeprefix("ops.").partition(".")[0]
    assert name in import_module(f"cases.{topic}").CASES


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
@given(data=st.data())
@settings(max_examples=25)
def test_first_and_second_derivative(name: str, data: Any) -> None:
    check_op(PRIMITIVES[name], data.draw(CASES[name]), order=2)


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
@given(data=st.data())
@settings(max_examples=4)
def test_third_derivative(name: str, data: Any) -> None:
    check_op(PRIMITIVES[name], data.draw(CASES[name]), order=3)


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
@given(data=st.data())
@settings(max_examples=5)
def test_an_input_that_alone_requires_grad_gets_the_same_gradient(name: str, data: Any) -> None:
    check_alone(PRIMITIVES[name], data.draw(CASES[name]))


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
@given(data=st.data())
@settings(max_examples=10)
def test_float32_gradients_fit_their_inputs(name: str, data: Any) -> None:
    """In float32 nothing turns to float64 on the way, and nothing that was given is written."""
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    given_tensors, leaves = with_leaves(op, args, np.float32)
    before = [leaf.detach().numpy().copy() for leaf in leaves]
    outs = differentiable(op.function(**given_tensors))
    assert outs
    assert all(out.dtype is rushlight.float32 or "dtype" in args for out in outs)
    assert all((o.array_shape, o.array_dtype) == (o.array.shape, o.array.dtype) for o in outs)  # noted unseen
    seeds = [rushlight.from_numpy(np.ones(tuple(out.shape), out.detach().numpy().dtype)) for out in outs]
    grads = rushlight.autograd.grad(outs, leaves, seeds, allow_unused=True)
    for leaf, old, got in zip(leaves, before, grads, strict=True):
        np.testing.assert_array_equal(leaf.detach().numpy(), old)
        assert got is None or (got.dtype is rushlight.float32 and got.shape == leaf.shape)
    for seed in seeds:
        np.testing.assert_array_equal(seed.numpy(), 1)


@pytest.mark.parametrize("name", sorted(name for name in DIFFERENTIABLE if name not in ALIASING))
@given(data=st.data())
@settings(max_examples=5)
def test_a_write_after_the_call_is_refused_or_has_no_effect(name: str, data: Any) -> None:
    right_or_refused(PRIMITIVES[name], data.draw(CASES[name]))


@pytest.mark.parametrize("name", sorted(name for name in DIFFERENTIABLE if name not in ALIASING))
@given(data=st.data())
@settings(max_examples=15)
def test_results_share_no_memory_with_inputs_unless_they_are_views(name: str, data: Any) -> None:
    given_tensors, leaves = with_leaves(PRIMITIVES[name], data.draw(CASES[name]))
    out = PRIMITIVES[name].function(**given_tensors)
    for one in out if isinstance(out, tuple) else (out,):
        if isinstance(one, rushlight.Tensor) and one.view_of is None:
            assert not any(np.shares_memory(one.array, leaf.array) for leaf in leaves)
