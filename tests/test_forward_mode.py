"""Forward mode: tangents of every op, duals and levels, views and writes, nested derivatives."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rushlight
from cases import CASES
from rushlight import tensors
from rushlight.autograd.forward_ad import dual_level, make_dual, unpack_dual
from rushlight.autograd.primitive import PRIMITIVES, Primitive
from rushlight.autograd.push import LINEAR
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
    _as_finite_differences(op, args, steps, places)


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
    given_args, leaves = with_leaves(op, args)
    with dual_level():
        duals = [make_dual(x, t) if n in asked else x for n, (x, t) in enumerate(zip(leaves, steps, strict=True))]
        got = [unpack_dual(out).tangent for out in _tensors(_called(op, args, duals))]
    found = sum(float((got[n] * w).sum()) for n, w in zip(places, weights, strict=True) if got[n] is not None)
    assert np.isnan(expected) or abs(found - expected) <= 1e-8 * scale
