"""Functions of two numbers, applied element by element to tensors that broadcast together."""

from __future__ import annotations

import math
from math import isfinite
from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....autograd.primitive import primitive
from ..backward_ops import add_reduce, as_array, masked, quotient
from ..common import drop, floats_only, keep
from .compare import isnan
from .unary import LN2, sigmoid


def _turn(g: Any, side: Any, input: Any, other: Any) -> Any:
    """Return ``g * side / (input² + other²)``, 0 at the origin as in PyTorch; no square is taken."""
    radius = hypot(input, other)
    return g * quotient(quotient(side, radius), radius)


@primitive(
    input=lambda g, input, other: _turn(g, other, input, other),
    other=lambda g, input, other: _turn(-g, input, input, other),
    promote="float",
    doors="torch Tensor Tensor_ torch.arctan2 Tensor.arctan2 Tensor.arctan2_",
)
def atan2(input: Array, other: Array) -> Array:
    """Return the angle of the point (``other``, ``input``) in -pi … pi. Its gradient at the origin is 0.

    https://pytorch.org/docs/stable/generated/torch.atan2.html
    """
    return np.arctan2(input, other)


arctan2 = atan2


@primitive(
    input=lambda g, input, out: g * (input / out),
    other=lambda g, other, out: g * (other / out),
    promote="same",
    doors="torch Tensor Tensor_",
)
def hypot(input: Array, other: Array) -> Array:
    """Return ``sqrt(input² + other²)`` without overflow on the way; floats only.

    https://pytorch.org/docs/stable/generated/torch.hypot.html
    """
    floats_only("hypot_cpu", input)
    return np.hypot(input, other)


def _gap(high: Any, low: Any) -> Any:
    """Return ``high - low``, which is 0 where both are the same infinity."""
    gap = high - low
    array = as_array(gap)
    if isfinite(add_reduce(array, None)):
        return gap
    return masked(gap, np.asarray(as_array(high) != as_array(low)))


@primitive(
    input=lambda g, input, other: g * sigmoid(_gap(input, other)),
    other=lambda g, input, other: g * sigmoid(_gap(other, input)),
    promote="same",
    doors="torch Tensor",
)
def logaddexp(input: Array, other: Array) -> Array:
    """Return ``log(exp(input) + exp(other))`` without overflow on the way; floats only.

    https://pytorch.org/docs/stable/generated/torch.logaddexp.html
    """
    floats_only("logaddexp_cpu", input)
    return np.logaddexp(input, other)


@primitive(
    input=lambda g, input, other: g * sigmoid(_gap(input, other) * LN2),
    other=lambda g, input, other: g * sigmoid(_gap(other, input) * LN2),
    promote="same",
    doors="torch Tensor",
)
def logaddexp2(input: Array, other: Array) -> Any:
    """Return the logarithm to base 2 of ``2 ** input + 2 ** other``; floats only.

    https://pytorch.org/docs/stable/generated/torch.logaddexp2.html
    """
    floats_only("logaddexp2_cpu", input)
    # np.logaddexp2 loses digits in its constants, as logaddexp does not.
    scale = input.dtype.type(math.log(2))
    return np.logaddexp(input * scale, other * scale) / scale


@primitive(
    input=lambda g, input, other: keep(g, (input >= other) | isnan(other)),
    other=lambda g, input, other: drop(g, (input >= other) | isnan(other)),
    promote="same",
    doors="torch Tensor",
)
def fmax(input: Array, other: Array) -> Array:
    """Return the larger of each pair, a number rather than NaN. Equal ones give ``input`` the gradient.

    https://pytorch.org/docs/stable/generated/torch.fmax.html
    """
    return np.fmax(input, other)


@primitive(
    input=lambda g, input, other: keep(g, (input <= other) | isnan(other)),
    other=lambda g, input, other: drop(g, (input <= other) | isnan(other)),
    promote="same",
    doors="torch Tensor",
)
def fmin(input: Array, other: Array) -> Array:
    """Return the smaller of each pair, a number rather than NaN. Equal ones give ``input`` the gradient.

    https://pytorch.org/docs/stable/generated/torch.fmin.html
    """
    return np.fmin(input, other)
