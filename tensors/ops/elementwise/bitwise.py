"""Bits of integers and bools. Nothing here has a gradient.

The names with an underscore are the operators; they answer a foreign operand with NotImplemented.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....autograd.primitive import primitive
from ...doors import doors
from ..common import finish_operator, unsupported


def _whole(kernel: str, array: Array) -> None:
    if array.dtype.kind == "f":
        unsupported(kernel, array)


@primitive(input=None, other=None, promote="same", operator=True)
def _bitwise_and(input: Array, other: Any) -> Any:
    """Return ``input & other``."""
    _whole("bitwise_and_cpu", input)
    return np.bitwise_and(input, other)


@primitive(input=None, other=None, promote="same", operator=True)
def _bitwise_or(input: Array, other: Any) -> Any:
    """Return ``input | other``."""
    _whole("bitwise_or_cpu", input)
    return np.bitwise_or(input, other)


@primitive(input=None, other=None, promote="same", operator=True)
def _bitwise_xor(input: Array, other: Any) -> Any:
    """Return ``input ^ other``."""
    _whole("bitwise_xor_cpu", input)
    return np.bitwise_xor(input, other)


def _shift(kernel: str, input: Array) -> int:
    """Return the number of bits of an element; NotImplementedError unless they can be shifted."""
    if input.dtype.kind in "fb":
        unsupported(kernel, input)
    return 8 * input.dtype.itemsize


@primitive(input=None, other=None, promote="same", operator=True)
def _bitwise_left_shift(input: Array, other: Any) -> Array:
    """Return ``input << other``, 0 where ``other`` is negative or all bits are gone."""
    bits = _shift("lshift_cpu", input)
    valid = (other >= 0) & (other < bits)
    return np.where(valid, np.left_shift(input, np.where(valid, other, 0).astype(input.dtype)), 0).astype(input.dtype)


@primitive(input=None, other=None, promote="same", operator=True)
def _bitwise_right_shift(input: Array, other: Any) -> Array:
    """Return ``input >> other``, all bits the sign where ``other`` is negative or too large."""
    bits = _shift("rshift_cpu", input)
    valid = (other >= 0) & (other < bits)
    last = bits - 1
    kept = np.right_shift(input, np.where(valid, other, last).astype(input.dtype))
    return kept if input.dtype.kind == "i" else np.where(valid, kept, 0).astype(input.dtype)


@doors("torch Tensor Tensor_")
def bitwise_and(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input & other``, for bools the logical and; floats raise NotImplementedError.

    https://pytorch.org/docs/stable/generated/torch.bitwise_and.html
    """
    return finish_operator("bitwise_and", _bitwise_and(input, other), other, out, input)


@doors("torch Tensor Tensor_")
def bitwise_or(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input | other``, for bools the logical or; floats raise NotImplementedError.

    https://pytorch.org/docs/stable/generated/torch.bitwise_or.html
    """
    return finish_operator("bitwise_or", _bitwise_or(input, other), other, out, input)


@doors("torch Tensor Tensor_")
def bitwise_xor(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input ^ other``, for bools the exclusive or; floats raise NotImplementedError.

    https://pytorch.org/docs/stable/generated/torch.bitwise_xor.html
    """
    return finish_operator("bitwise_xor", _bitwise_xor(input, other), other, out, input)


@doors("torch Tensor Tensor_")
def bitwise_left_shift(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input << other``; floats and bools raise NotImplementedError.

    https://pytorch.org/docs/stable/generated/torch.bitwise_left_shift.html
    """
    return finish_operator("bitwise_left_shift", _bitwise_left_shift(input, other), other, out, input)


@doors("torch Tensor Tensor_")
def bitwise_right_shift(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input >> other``, which keeps the sign; floats and bools raise NotImplementedError.

    https://pytorch.org/docs/stable/generated/torch.bitwise_right_shift.html
    """
    return finish_operator("bitwise_right_shift", _bitwise_right_shift(input, other), other, out, input)


@primitive(input=None, promote="same", doors="torch Tensor Tensor_")
def bitwise_not(input: Array) -> Array:
    """Return ``~input``, for bools the logical not; floats raise NotImplementedError.

    https://pytorch.org/docs/stable/generated/torch.bitwise_not.html
    """
    _whole("bitwise_not_cpu", input)
    return np.invert(input)


def invert(input: Any) -> Any:
    """Return ``~input``; TypeError for floats."""
    if getattr(input, "array", input).dtype.kind == "f":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(input)


def reverse_left_shift(input: Any, other: Any) -> Any:
    """Return ``other << input``."""
    return _bitwise_left_shift(other, input)


def reverse_right_shift(input: Any, other: Any) -> Any:
    """Return ``other >> input``."""
    return _bitwise_right_shift(other, input)
