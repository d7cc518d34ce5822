"""Tangents against finite differences: what ``gradcheck(check_forward_ad=True)`` compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .forward_jacobian import forward_jacobian
from .gradcheck import GradcheckError, asking_of, jacobian_by_differences, projected, tuple_of
from .levels import Level
from .tangents import as_tensor, without_history
from .variable import as_ndarray


def compare(
    func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float, fast: bool
) -> None:
    """Raise GradcheckError unless the Jacobians in forward mode and by finite differences agree."""
    found = tuple_of(func(*inputs))
    asked = [n for n, out in enumerate(found) if asking_of([out])]
    places = [n for n, x in enumerate(inputs) if asking_of([x])]
    leaves = [inputs[n] for n in places]
    numerical = [jacobian_by_differences(func, inputs, x, asked, eps) for x in leaves]
    call = _placed(func, inputs, places, asked)
    forward = forward_jacobian(call, [without_history(x) for x in leaves])[1]
    for row, out in enumerate(asked):
        for column, place in enumerate(places):
            ours = numerical[column][row]
            theirs = as_ndarray(forward[row][column]).reshape(ours.shape[1], ours.shape[0]).T
            if fast:
                ours, theirs = projected(ours, theirs)
            if not np.allclose(theirs, ours, rtol, atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian computed with forward mode mismatch for output {out} with respect to input {place},\n"
                    f"numerical:{ours}\nanalytical:{theirs}\n"
                )


def _placed(
    func: Callable[..., Any], inputs: tuple[Any, ...], places: list[int], asked: list[int]
) -> Callable[[list[Any]], list[Any]]:
    """Return a function that gives the outputs ``asked`` of ``func`` for other inputs at ``places``."""

    def call(given: list[Any]) -> list[Any]:
        whole = list(inputs)
        for place, x in zip(places, given, strict=True):
            whole[place] = x
        outputs = tuple_of(func(*whole))
        return [outputs[n] for n in asked]

    return call


def batched(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Raise GradcheckError if several tangents pushed in one pass are others than pushed one at a time."""
    asked = [n for n, out in enumerate(tuple_of(func(*inputs))) if asking_of([out])]
    places, rng = [n for n, x in enumerate(inputs) if asking_of([x])], np.random.default_rng(0)
    call = _placed(func, inputs, places, asked)
    steps = [[rng.normal(size=inputs[n].array.shape) for n in places] for _ in range(2)]
    steps = [[step.astype(inputs[n].array.dtype) for step, n in zip(each, places, strict=True)] for each in steps]

    def pushed(directions: list[list[Any]]) -> list[Any]:
        with Level() as level:
            columns = zip(*directions, strict=True)
            duals = [level.dual(without_history(inputs[n]), column) for n, column in zip(places, columns, strict=True)]
            return [level.tangents(out) for out in call(duals)]

    together, alone = pushed(steps), [pushed([each]) for each in steps]
    for number, one in enumerate(together):
        for row, each in enumerate(alone):
            a, b = (None if one is None else one[row]), (None if each[number] is None else each[number][0])
            if (a is None) != (b is None) or (a is not None and not np.allclose(_plain(a), _plain(b))):
                raise GradcheckError(
                    "gradcheck failed while testing batched gradient computation with forward-mode AD."
                )


def _plain(tangent: Any) -> Any:
    return as_ndarray(as_tensor(tangent))
