"""Every primitive's first, second and third derivative against finite differences. No op without a case."""

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
from gradients import directional, first, flat, tensors
from rushlight.autograd.compile import listing
from rushlight.autograd.primitive import PRIMITIVES, Primitive

for _module in walk_packages(rushlight.autograd.__path__, "rushlight.autograd."):  # some load on demand
    import_module(_module.name)

DIFFERENTIABLE = {name: op for name, op in PRIMITIVES.items() if op.inputs}


def test_every_primitive_has_a_case() -> None:
    assert CASES.keys() == DIFFERENTIABLE.keys()


def inputs_of(op: Primitive, args: dict[str, Any]) -> list[str]:
    return [name for name in op.inputs if args.get(name) is not None]


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
@given(data=st.data())
@settings(max_examples=25)
def test_first_and_second_derivative(name: str, data: Any) -> None:
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    directional(op.function, args, inputs_of(op, args), order=2)


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
@given(data=st.data())
@settings(max_examples=4)
def test_third_derivative(name: str, data: Any) -> None:
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    directional(op.function, args, inputs_of(op, args), order=3)


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
@given(data=st.data())
@settings(max_examples=10)
def test_float32_gradients_fit_their_inputs(name: str, data: Any) -> None:
    """In float32 nothing turns to float64 on the way, and nothing that was given is written."""
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    inputs = inputs_of(op, args)
    single = args | {name: _single(args[name]) for name in inputs}
    given_tensors = tensors(single, inputs)
    leaves = flat(given_tensors, inputs)
    before = [leaf.detach().numpy().copy() for leaf in leaves]
    out = first(op.function(**given_tensors))
    assert out.dtype is rushlight.float32 or "dtype" in args
    assert (out.array_shape, out.array_dtype) == (out.array.shape, out.array.dtype)  # noted without a look at it
    seed = rushlight.from_numpy(np.ones(tuple(out.shape), out.detach().numpy().dtype))
    grads = rushlight.autograd.grad(out, leaves, seed, allow_unused=True)
    for leaf, old, got in zip(leaves, before, grads, strict=True):
        np.testing.assert_array_equal(leaf.detach().numpy(), old)
        assert got is None or (got.dtype is rushlight.float32 and got.shape == leaf.shape)
    np.testing.assert_array_equal(seed.numpy(), 1)


def _single(value: Any) -> Any:
    return [_single(v) for v in value] if isinstance(value, list | tuple) else value.astype(np.float32)


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_generated_source_is_short(name: str) -> None:
    source = listing(PRIMITIVES[name])
    compile(source, name, "exec")
    assert source.count("\n") < 40 + 14 * len(PRIMITIVES[name].rules)  # an input takes about a dozen lines
