"""Arithmetic. Operands broadcast together and meet in PyTorch's common dtype; the engine undoes both."""

from __future__ import annotations

from typing import Any

from ..dtypes import Array, Number
from ..primitive import primitive


@primitive(input=lambda g: g, other=lambda g: g, promote="same", operator=True)
def _add(input: Array, other: Any) -> Array:
    """Return ``input + other``, broadcast together."""
    return input + other


@primitive(input=lambda g: g, other=lambda g: -g, promote="same", operator=True)
def _sub(input: Array, other: Any) -> Array:
    """Return ``input - other``, broadcast together."""
    return input - other


@primitive(input=lambda g, other: g * other, other=lambda g, input: g * input, promote="same", operator=True)
def _mul(input: Array, other: Any) -> Array:
    """Return ``input * other``, broadcast together."""
    return input * other


@primitive(
    input=lambda g, other: g / other,
    other=lambda g, input, other: -g * ((input / other) / other),
    promote="float",
    operator=True,
)
def _div(input: Array, other: Any) -> Array:
    """Return ``input / other``, broadcast together; integers give floats."""
    return input / other


@primitive(input=lambda g: -g, promote="same")
def neg(input: Array) -> Array:
    """Return ``-input``.

    https://pytorch.org/docs/stable/generated/torch.neg.html
    """
    return -input
