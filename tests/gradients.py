"""The cases of the ops on ``rushlight.testing``: from drawn arrays to a check of one op."""

from __future__ import annotations

from collections.abc import Callable
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


def asking(op: Primitive, args: Arrays, kind: Any = np.float64) -> tuple[Arrays, list[Any]]:
    """Return ``args`` with the inputs of ``op`` as leaves of dtype ``kind`` that ask for a gradient, and the leaves."""
    leaves: list[Any] = []

    def leaf(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [leaf(one) for one in value]
        leaves.append(rushlight.from_numpy(np.asarray(value, kind)).requires_grad_())
        return leaves[-1]

    floats = {n: v.astype(kind) for n, v in args.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
    return args | floats | {name: leaf(args[name]) for name in inputs_of(op, args)}, leaves


def differentiable(out: Any) -> list[Any]:
    """Return the results that ask for a gradient."""
    outs = out if isinstance(out, tuple) else (out,)
    return [one for one in outs if isinstance(one, rushlight.Tensor) and one.requires_grad]


def check_op(op: Primitive, args: Arrays, order: int) -> Report:
    """Assert that the gradients of ``op`` at ``args`` are right up to ``order``."""
    return check(lambda given: op.function(**given), asking(op, args)[0], order=order)


def check(fn: Callable[..., Any], *inputs: Any, order: int = 2) -> Report:
    """Assert that ``fn`` asks for a gradient, and that it is right: a point where it cannot be told is no test."""
    report = check_gradient(fn, *inputs, order=order, raise_exception=False)
    assert report.findings or not report.evaluations > 1, "nothing was compared"
    if report.verdict is Verdict.UNDECIDED and order > 2:  # third differences drown sooner: draw another point
        assume(False)
    assert report.verdict is Verdict.RIGHT, str(report)
    return report


def right_or_refused(op: Primitive, args: Arrays) -> None:
    """Assert that no write after the call, into an argument or a result of ``op``, changes a gradient in silence."""
    plain, count = _gradients(op, args, None)
    assert plain is not None
    for number in range(count):
        written, _ = _gradients(op, args, number)
        if written is not None:
            for mine, other in zip(written, plain, strict=True):
                np.testing.assert_array_equal(mine, other)


def _gradients(op: Primitive, args: Arrays, number: int | None) -> tuple[list[np.ndarray] | None, int]:
    """Return the gradients of ``op``, None if refused, and how many tensors there are to write.

    Those are the inputs, the other tensors among the arguments, and the results, indices included. Between the call
    and the walk the tensor ``number`` is written.
    """
    _, leaves = asking(op, args)
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
    seeds = [rushlight.from_numpy(np.ones(tuple(out.shape), out.detach().numpy().dtype)) for out in outs]
    tensors = [*inner, *others.values(), *results]
    try:
        if number is not None:
            _write(tensors[number])
        grads = rushlight.autograd.grad(outs, leaves, seeds, allow_unused=True)
    except RuntimeError as error:
        if "modified by an inplace operation" in str(error) or "single memory location" in str(error):
            return None, len(tensors)
        raise
    plain = [np.zeros(leaf.shape) if g is None else g.numpy() for g, leaf in zip(grads, leaves, strict=True)]
    return plain, len(tensors)


def _write(tensor: Any) -> None:
    """Change every element: a number or an index into another, a bool into its opposite."""
    with rushlight.no_grad():
        if tensor.dtype is rushlight.bool:
            tensor.logical_not_()
        elif tensor.is_floating_point():
            tensor.add_(0.3)
        else:
            tensor.copy_(tensor == 0)  # indices stay in reach
