"""Compare gradients with finite differences along random directions: two forward passes for any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import rushlight
from rushlight import Tensor

Arrays = dict[str, Any]


def tensors(arrays: Arrays, inputs: list[str]) -> Arrays:
    """Return ``arrays`` with each of ``inputs`` (an array or a list of them) as a leaf that asks for its gradient."""
    return arrays | {name: _leaf(arrays[name]) for name in inputs}


def _leaf(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_leaf(one) for one in value]
    return rushlight.from_numpy(value).requires_grad_()


def flat(args: Arrays, inputs: list[str]) -> list[Any]:
    """Return the values of ``inputs``, lists spread out."""
    found: list[Any] = []
    for name in inputs:
        found += args[name] if isinstance(args[name], list | tuple) else [args[name]]
    return found


def moved(args: Arrays, inputs: list[str], steps: list[np.ndarray], h: float) -> Arrays:
    """Return the arrays of ``args`` with ``h * step`` added to each input."""
    rest = iter(steps)

    def move(value: Any) -> Any:
        return [move(v) for v in value] if isinstance(value, list | tuple) else np.asarray(value + h * next(rest))

    return args | {name: move(args[name]) for name in inputs}


def directional(fn: Callable[..., Any], args: Arrays, inputs: list[str], order: int = 1, seed: int = 0) -> None:
    """Assert that ``fn``'s gradient, and its gradient's gradient up to ``order``, equals its finite difference.

    ``fn`` takes tensors by keyword and returns a tensor, or a tuple whose first item is the differentiable one.
    """
    rng = np.random.default_rng(seed)
    given = tensors(args, inputs)
    out = first(fn(**given))
    weight = rng.normal(size=tuple(out.shape))
    steps = [rng.normal(size=a.shape) for a in flat(args, inputs)]
    leaves = flat(given, inputs)
    assert out.requires_grad, "the result asks for no gradient"
    grads = rushlight.autograd.grad(out, leaves, rushlight.from_numpy(weight), allow_unused=True)
    exact = sum(float((g.numpy() * s).sum()) for g, s in zip(grads, steps, strict=True) if g is not None)

    def along(h: float) -> float:
        return float((weight * plain(fn, moved(args, inputs, steps, h), inputs)).sum())

    compare(exact, along, order)
    if order > 1:
        _next_order(fn, args, inputs, weight, steps, order)


def compare(exact: float, along: Callable[[float], float], order: int) -> None:
    """Assert that ``exact`` is the slope of ``along`` at 0, from differences of three step sizes (Richardson)."""
    coarse, middle, fine = ((along(h) - along(-h)) / (2 * h) for h in (1e-3, 5e-4, 2.5e-4))
    numeric = (16 * (4 * fine - middle) - (4 * middle - coarse)) / 45
    scale = max(1.0, abs(numeric), abs(along(0.0)))
    assert abs(exact - numeric) <= 1e-6 * scale, (
        f"gradient {exact!r}, finite difference {numeric!r} (order left {order})"
    )


def _next_order(
    fn: Callable[..., Any], args: Arrays, inputs: list[str], weight: np.ndarray, steps: list[np.ndarray], order: int
) -> None:
    """Check the function whose value is the first-order derivative along ``steps``."""

    def slope(**given: Any) -> Any:
        leaves = [x if x.requires_grad else x.detach().requires_grad_() for x in flat(given, inputs)]
        given = rebuilt(given, inputs, leaves)
        with rushlight.enable_grad():
            out = first(fn(**given))
            grads = rushlight.autograd.grad(
                out, leaves, rushlight.from_numpy(weight), create_graph=True, allow_unused=True
            )
            parts = [(g * rushlight.from_numpy(s)).sum() for g, s in zip(grads, steps, strict=True) if g is not None]
            total = rushlight.from_numpy(np.zeros(()))
            for part in parts:
                total = total + part
        return total

    out = slope(**tensors(args, inputs))
    if out.requires_grad:  # a linear op has a constant gradient
        directional(slope, args, inputs, order - 1, seed=order)


def rebuilt(args: Arrays, inputs: list[str], leaves: list[Any]) -> Arrays:
    """Return ``args`` with the values of ``inputs`` replaced, in order, by ``leaves``."""
    rest = iter(leaves)
    return args | {
        name: [next(rest) for _ in args[name]] if isinstance(args[name], list | tuple) else next(rest)
        for name in inputs
    }


def first(out: Any) -> Tensor:
    """Return the differentiable result."""
    found: Tensor = out[0] if isinstance(out, tuple) else out
    return found


def plain(fn: Callable[..., Any], args: Arrays, inputs: list[str]) -> np.ndarray:
    """Return ``fn``'s result as an array, computed without a record."""
    given = rebuilt(args, inputs, [rushlight.from_numpy(np.array(a)) for a in flat(args, inputs)])
    with rushlight.no_grad():
        return first(fn(**given)).detach().numpy()
