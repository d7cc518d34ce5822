"""What all norms share: slopes that can be differentiated again, running statistics, and checks."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..dims import array_of
from ..dtypes import Array, dtype_of
from ..node import Variable, shared, wrote
from .adapt import convert, sum_to
from .power import power
from .shape import reshape

Ints = tuple[int, ...]


class Normalized(NamedTuple):
    """What a norm gives, and the statistics it used: ``var`` divides by the count."""

    output: Any
    mean: Any
    rstd: Any
    var: Any


def single(x: Any) -> Any:
    """Return a tensor in single precision if it is in half."""
    return convert(x, np.dtype(np.float32)) if x.array.dtype == np.float16 else x


def recorded_slopes(
    g: Any, input: Any, weight: Any, view: Ints, stats: Ints, params: Ints, eps: float, needs: Any, centre: bool = True
) -> list[Any]:
    """Return the gradients for input, weight and bias, computed with ops: they can be differentiated again.

    ``view`` is the shape in which the input is normalized, ``stats`` that of its means, ``params`` that in which weight
    and bias broadcast with it. Dims of size 1 in ``stats`` are those the means are taken over.
    """
    x, seed = reshape(single(input), view), reshape(single(g), view)
    count = prod(view) / max(prod(stats), 1)
    if centre:
        x = x - sum_to(x, stats) / count
    rstd = power(sum_to(x * x, stats) / count + eps, -0.5)
    unit = x * rstd
    found: list[Any] = [None, None, None]
    if needs[0]:
        part = seed if weight is None else seed * reshape(weight, params)
        slope = part - unit * (sum_to(part * unit, stats) / count)
        if centre:
            slope = slope - sum_to(part, stats) / count
        found[0] = reshape(slope * rstd, tuple(input.shape))
    if needs[1]:
        found[1] = reshape(sum_to(seed * unit, params), tuple(weight.shape))
    if len(needs) > 2 and needs[2]:
        found[2] = reshape(sum_to(seed, params), (prod(params),))
    return found


def over_batch(x: Array) -> Array:
    """Return (N, C) sums added up over the batch: shape (1, C), in double precision."""
    return np.add.reduce(x, 0, dtype=np.float64, keepdims=True)


def check_parameters(name: str, x: Array, **parameters: Any) -> None:
    """Raise NotImplementedError or RuntimeError for dtypes that a norm does not take."""
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtype_of(x.dtype).legacy}'")
    for what, one in parameters.items():
        if one is None:
            continue
        kind = array_of(one, name, what).dtype
        if kind != x.dtype and not (x.dtype == np.float16 and kind == np.float32):
            raise RuntimeError(
                f"mixed dtype (CPU): {name} of {dtype_of(x.dtype)} takes no {what} of {dtype_of(kind)}: "
                f"expect parameter to have scalar type of {dtype_of(x.dtype).legacy}"
            )


def check_sizes(channels: int, **parameters: Any) -> None:
    """Raise RuntimeError unless each parameter that is given has one number for each channel."""
    for what, one in parameters.items():
        if one is not None and one.shape != (channels,):
            raise RuntimeError(f"{what} should contain {channels} elements not {prod(one.shape)}")


def check_constant(name: str, **running: Any) -> None:
    """Raise RuntimeError for a running statistic that asks for a gradient."""
    for what, one in running.items():
        if isinstance(one, Variable) and one.node is not None:
            raise RuntimeError(
                f"The function '{name}' is not differentiable with respect to argument '{what}'. This input cannot "
                "have requires_grad True."
            )


def update_running(running: Any, value: Array, momentum: float, name: str) -> None:
    """Move a running statistic towards ``value``, in place."""
    array = shared(running)
    array[...] = (1 - momentum) * array + momentum * value
    wrote(running, name)
