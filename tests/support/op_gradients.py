"""The cases of the ops on ``rushlight.testing``: from drawn arrays to a check of one op."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import assume

import rushlight
from rushlight.autograd.primitive import Primitive
from rushlight.testing import Report, Verdict, check_gradient

Arrays = dict[str, Any]

HIDDEN = {"batch_norm", "group_norm", "max_pool"}
"""Ops whose public functions hand out the first result only."""


def inputs_of(op: Primitive, args: Arrays) -> list[str]:
    """Return the inputs of ``op`` that have a gradient and a value."""
    return [name for name in op.inputs if args.get(name) is not None]


def with_leaves(op: Primitive, args: Arrays, kind: Any = np.float64) -> tuple[Arrays, list[Any]]:
    """Return ``args`` with the inputs of ``op`` as leaves of dtype ``kind`` that require grad, and the leaves."""
    leaves: list[Any] = []

    def leaf(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [leaf(one) for one in value]
        leaves.append(rushlight.from_numpy(np.asarray(value, kind)).requires_grad_())
        return leaves[-1]

    floats = {n: v.astype(kind) for n, v in args.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
    return args | floats | {name: leaf(args[name]) for name in inputs_of(op, args)}, leaves


def differentiable(out: Any) -> list[Any]:
    """Return the results that require grad."""
    outs = out if isinstance(out, tuple) else (out,)
    return [one for one in outs if isinstance(one, rushlight.Tensor) and one.requires_grad]


def check_op(op: Primitive, args: Arrays, order: int) -> Report:
    """Assert that the gradients of ``op`` at ``args`` are right up to ``order``."""
    return check(lambda given: op.function(**given), with_leaves(op, args)[0], order=order)


def check(fn: Callable[..., Any], *inputs: Any, order: int = 2) -> Report:
    """Assert that the gradient of ``fn`` is there and right: the first two orders can be told where the cases are."""
    report = check_gradient(fn, *inputs, order=order, raise_exception=False)
    assert report.findings or not report.evaluations > 1, "nothing was compared"
    if report.verdict is Verdict.UNDECIDED and order > 2:  # third differences drown sooner: draw another point
        assume(False)
    assert report.verdict is Verdict.RIGHT, str(report)
    return report


def check_alone(op: Primitive, args: Arrays) -> None:
    """Assert that each input gets the same gradient where it alone requires grad as where all do, recorded or not."""
    given, leaves = with_leaves(op, args)
    together = _walked(op, given, leaves, recorded=False)
    for got, other in zip(_walked(op, given, leaves, recorded=True), together, strict=True):
        np.testing.assert_allclose(got, other, 1e-9, 1e-9)
    for leaf, other in zip(leaves, together, strict=True):
        for one in leaves:
            one.requires_grad_(one is leaf)
        for recorded in (False, True):
            np.testing.assert_allclose(_walked(op, given, [leaf], recorded)[0], other, 1e-9, 1e-9)


def _walked(op: Primitive, given: Arrays, leaves: list[Any], recorded: bool) -> list[np.ndarray]:
    """Return the gradients of ``leaves``, zeros where there is none."""
    outs = differentiable(op.function(**given))
    seeds = [rushlight.ones_like(out.detach()) for out in outs]
    grads = rushlight.autograd.grad(outs, leaves, seeds, allow_unused=True, create_graph=recorded)
    return [np.zeros(x.shape) if g is None else g.detach().numpy() for g, x in zip(grads, leaves, strict=True)]


def right_or_refused(op: Primitive, args: Arrays) -> None:
    """Assert that no write after the call, into an argument or a result of ``op``, changes a gradient in silence.

    A small step changes what a rule computes; NaN also what it decides by a comparison. A walk that is recorded may
    read other values than one that is not.
    """
    for recorded in (False, True):
        plain, count = _gradients(op, args, recorded)
        assert plain is not None
        for number, write in product(range(count), (_change, _spoil)):
            written, _ = _gradients(op, args, recorded, number, write)
            if written is not None:
                for mine, other in zip(written, plain, strict=True):
                    np.testing.assert_array_equal(mine, other)


def _gradients(
    op: Primitive, args: Arrays, recorded: bool, number: int = 0, write: Callable[[Any], Any] | None = None
) -> tuple[list[np.ndarray] | None, int]:
    """Return the gradients of ``op``, None if refused, and how many tensors there are to write.

    Those are the inputs, the other tensors among the arguments, and the results, indices included. Between the call
    and the walk ``write`` is done to the tensor ``number`` of those.
    """
    _, leaves = with_leaves(op, args)
    inner = [leaf.clone() for leaf in leaves]
    rest = iter(inner)

    def place(value: Any) -> Any:
        return [place(one) for one in value] if isinstance(value, list | tuple) else next(rest)

    others = {
        name: rushlight.from_numpy(np.array(args[name]))
        for name, rule in op.rules.items()
        if rule is None and isinstance(args.get(name), np.ndarray)
    }
    made = op.function(**(args | others | {name: place(args[name]) for name in inputs_of(op, args)}))
    public = (made[:1] if op.name in HIDDEN else made) if isinstance(made, tuple) else (made,)
    results = [one for one in public if isinstance(one, rushlight.Tensor)]
    outs = differentiable(made)
    seeds = [_uneven(out) for out in outs]
    tensors = [*inner, *others.values(), *results]
    try:
        if write is not None:
            with rushlight.no_grad():
                write(tensors[number])
        grads = rushlight.autograd.grad(outs, leaves, seeds, allow_unused=True, create_graph=recorded)
    except RuntimeError as error:
        if "modified by an inplace operation" in str(error) or "single memory location" in str(error):
            return None, len(tensors)
        raise
    found = [np.zeros(leaf.shape) if g is None else g.detach().numpy() for g, leaf in zip(grads, leaves, strict=True)]
    return found, len(tensors)


def _uneven(like: Any) -> Any:
    """Return a gradient for ``like`` of elements that differ, so that one at another place is noticed."""
    size = int(np.prod(like.shape))
    return rushlight.from_numpy(np.linspace(0.5, 1.5, size).reshape(tuple(like.shape))).to(like.dtype)


def _change(tensor: Any) -> None:
    """Write another number or index everywhere, or the opposite of a bool."""
    if tensor.dtype is rushlight.bool:
        tensor.logical_not_()
    elif tensor.is_floating_point():
        tensor.add_(0.3)
    else:
        tensor.copy_(tensor == 0)  # indices stay in reach


def _spoil(tensor: Any) -> None:
    """Write NaN everywhere, or zeros where there is none."""
    tensor.fill_(math.nan if tensor.is_floating_point() else 0)
