"""Jacobians in forward mode: one pass, in which each value has a tangent for each element of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .entry import stack
from .levels import Level
from .tangents import as_tensor
from .variable import wrap


def zeros(like: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return a tensor of zeros of the dtype of ``like``, and of its shape if none is given."""
    return wrap(like.result, np.zeros(like.array.shape if shape is None else shape, like.array.dtype))


def basis(like: Any, place: int) -> Any:
    """Return zeros of the shape of ``like`` but for a one at ``place``, counted row by row."""
    made = np.zeros(like.array.shape, like.array.dtype)
    made.flat[place] = 1
    return wrap(like.result, made)


def forward_jacobian(
    call: Callable[[list[Any]], list[Any]], inputs: Sequence[Any]
) -> tuple[list[Any], list[list[Any]]]:
    """Return what ``call`` gives for ``inputs``, and for each of these tensors its Jacobian by each input."""
    with Level() as level:
        duals = [level.dual(x, _directions(inputs, number)) for number, x in enumerate(inputs)]
        outputs = call(duals)
        moved = [level.tangents(out) for out in outputs]
        values = [level.primal(out) for out in outputs]
    return values, [_columns(out, tangents, inputs) for out, tangents in zip(values, moved, strict=True)]


def _directions(inputs: Sequence[Any], number: int) -> list[Any]:
    """Return the tangents of input ``number``: one direction for each element of each input."""
    return [basis(x, place) if n == number else None for n, x in enumerate(inputs) for place in range(x.array.size)]


def _columns(out: Any, tangents: Any, inputs: Sequence[Any]) -> list[Any]:
    """Return the Jacobian of ``out`` by each input, from its tangents in all directions."""
    found, rest = [], iter(tangents or ())
    for x in inputs:
        column = [next(rest, None) for _ in range(x.array.size)]
        shape = (*out.array.shape, *x.array.shape)
        if all(t is None for t in column):
            found.append(zeros(out, shape))
        else:
            listed = [zeros(out) if t is None else as_tensor(t) for t in column]
            found.append(stack(listed, -1).reshape(shape))
    return found
