"""One op at numbers of every size: what float32 gives beside what float64 gives for the same numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import rushlight
from rushlight.autograd.primitive import Primitive
from support.op_gradients import Arrays, differentiable, inputs_of, with_leaves

LARGEST = float(np.finfo(np.float32).max)
SMALLEST = float(np.finfo(np.float32).tiny)
TOLERANCE = 2e-4
ORDERS = ("value", "gradient", "second gradient")


def scaled(op: Primitive, args: Arrays, factor: float, which: str | None = None) -> Arrays:
    """Return ``args`` with the inputs of ``op``, or the one called ``which``, times ``factor``, exact in float32."""

    def times(value: Any, by: float) -> Any:
        if isinstance(value, list | tuple):
            return [times(one, by) for one in value]
        return np.asarray(np.asarray(value, np.float64) * by, np.float32).astype(np.float64)

    rounded = {name: times(v, 1) for name, v in args.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
    names = inputs_of(op, args)
    return args | rounded | {name: times(args[name], factor if which in (None, name) else 1) for name in names}


def nudged(op: Primitive, args: Arrays, step: float, seed: int) -> Arrays:
    """Return ``args`` with the inputs of ``op`` a few times ``step`` away, relative to each element."""
    draw = np.random.default_rng(seed)

    def near(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [near(one) for one in value]
        return value * (1 + step * draw.choice([-3, -2, -1, 1, 2, 3], np.shape(value)))

    return args | {name: near(args[name]) for name in inputs_of(op, args)}


def derivatives(op: Primitive, args: Arrays, kind: Any, weight: float = 1.1) -> list[list[np.ndarray]]:
    """Return the results of ``op`` at ``args``, their gradients and second gradients, computed in ``kind``.

    Results are weighed by uneven numbers about ``weight`` on the way to gradients, and these once more.
    """
    given, leaves = with_leaves(op, args, kind)
    outs = differentiable(op.function(**given))
    first = rushlight.autograd.grad(
        outs, leaves, [_seed(out, weight) for out in outs], allow_unused=True, create_graph=True
    )
    found = [[array(out) for out in outs], [zeros_if_none(g, x) for g, x in zip(first, leaves, strict=True)]]
    again = [g for g in first if g is not None and g.requires_grad]
    if again:
        second = rushlight.autograd.grad(again, leaves, [_seed(g, weight) for g in again], allow_unused=True)
        found.append([zeros_if_none(g, x) for g, x in zip(second, leaves, strict=True)])
    return found


def array(tensor: Any) -> np.ndarray:
    """Return the values of a tensor in float64."""
    return np.asarray(tensor.detach().numpy(), np.float64)


def zeros_if_none(grad: Any, leaf: Any) -> np.ndarray:
    """Return a gradient as an array, zeros where there is none."""
    return np.zeros(leaf.shape) if grad is None else array(grad)


def _seed(like: Any, weight: float) -> Any:
    """Return uneven numbers in the shape and dtype of ``like``."""
    size = math.prod(like.shape)
    values = (weight + 0.4 * np.cos(np.arange(size) * 1.7)).reshape(tuple(like.shape))
    return rushlight.from_numpy(values).to(like.dtype)


def difference(got: np.ndarray, right: np.ndarray, noise: np.ndarray) -> str | None:
    """Return what is wrong with ``got``, a result in float32; None if it is right wherever float32 can hold it.

    What has more ``noise`` than float32 can tell, a difference of equals or of numbers that do not fit, is nothing to
    be held to.
    """
    fits = (np.abs(right) < LARGEST / 1e3) & (noise < LARGEST / 1e3)
    if not fits.any():
        return None
    scale = float(np.abs(right[fits]).max())
    with np.errstate(all="ignore"):
        near = np.abs(got - right) <= TOLERANCE * scale + noise + 16 * SMALLEST
    wrong = fits & ~near & ~(noise > scale)
    if not wrong.any():
        return None
    place = tuple(np.argwhere(wrong)[0])
    return f"{got[place]:g} instead of {right[place]:g}"


def _noise(op: Primitive, args: Arrays, kind: Any, base: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """Return how far results in ``kind`` move when the inputs move in the last place; 0 where that is no number."""
    total = [[np.zeros(part.shape) for part in order] for order in base]
    for seed in (1, 2, 3):
        step = float(np.finfo(kind).eps)
        moved = derivatives(op, nudged(op, args, step, seed), kind, 1.1 + 11 * seed * step)
        for sums, order, near in zip(total, base, moved, strict=True):
            for place, (here, there) in enumerate(zip(order, near, strict=True)):
                with np.errstate(all="ignore"):  # infinities, and what lies between them
                    sums[place] += np.nan_to_num(np.abs(here - there), nan=0.0, posinf=0.0)
    return total


def _steepest(op: Primitive, args: Arrays, results: list[list[np.ndarray]]) -> float:
    """Return how large a second derivative is, as a gradient by an input. One that is nothing beside it is rounding."""
    sizes = [float(np.abs(leaf.detach().numpy()).max(initial=0)) for leaf in with_leaves(op, args)[1]]
    slopes = [float(np.abs(part).max(initial=0)) for part in results[1]]
    return max(slopes, default=0.0) / min([size for size in sizes if size] or [1.0])


def wrong_at(op: Primitive, args: Arrays) -> list[str]:
    """Return what float32 has wrong in the results and derivatives of ``op`` at ``args``."""
    single, double = (derivatives(op, args, kind) for kind in (np.float32, np.float64))
    if all(
        difference(*pair, np.zeros(pair[0].shape)) is None
        for a, b in zip(single, double, strict=True)
        for pair in zip(a, b, strict=True)
    ):
        return []
    noise = _noise(op, args, np.float32, single), _noise(op, args, np.float64, double)
    found = []
    for order, ours, right, small, large in zip(ORDERS, single, double, *noise, strict=False):
        least = 1e-6 * _steepest(op, args, double) if order == ORDERS[2] else 0.0
        for place, (got, known, here, there) in enumerate(zip(ours, right, small, large, strict=True)):
            text = difference(got, known, 4 * here + 2.0**30 * there + least)
            found += [f"{order} {place}: {text}"] if text else []
    return found
