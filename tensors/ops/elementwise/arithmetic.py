"""Arithmetic. Operands broadcast together and meet in PyTorch's common dtype; the engine undoes both.

The names with an underscore are the operators; they answer a foreign operand with NotImplemented.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ....arrays.dtypes import Array, Number, number
from ....autograd.arguments import as_number, numbers_first
from ....autograd.inplace import ARRAY_OPERATORS, SPARING
from ....autograd.primitive import primitive
from ....autograd.variable import CONSTANT, Variable
from ...doors import doors
from ..common import finish_operator, no_bool, number_as_tensor, tensors_only, without_old, zero_gradient

ONE = 1
_MINUS = (
    "Subtraction, the `-` operator, with {} is not supported. If you are trying to invert a mask, use the `~` or "
    "`logical_not()` operator instead."
)
_BOOLS = "two bool tensors"


@primitive(input=lambda g: g, other=lambda g: g, promote="same", operator=True)
def _add(input: Array, other: Any) -> Any:
    """Return ``input + other``, broadcast together."""
    return input + other


@primitive(input=lambda g: g, other=lambda g: -g, promote="same", refuse_bool=True, operator=True)
def _sub(input: Array, other: Any) -> Any:
    """Return ``input - other``, broadcast together; RuntimeError for two bools."""
    try:
        return input - other
    except TypeError:
        raise RuntimeError(_MINUS.format(_BOOLS)) from None


@primitive(
    input=lambda g: -g, other=lambda g: g, promote="same", refuse_bool=True, operator=True, grad_fn_name="RsubBackward1"
)
def _rsub(input: Array, other: Any) -> Any:
    """Return ``other - input``, broadcast together; RuntimeError for two bools."""
    try:
        return other - input
    except TypeError:
        raise RuntimeError(_MINUS.format(_BOOLS)) from None


@primitive(input=lambda g, other: g * other, other=lambda g, input: g * input, promote="same", operator=True)
def _mul(input: Array, other: Any) -> Any:
    """Return ``input * other``, broadcast together."""
    return input * other


@primitive(
    input=lambda g, other: g / other,
    other=lambda g, input, other: (-g / other) * (input / other),
    promote="float",
    operator=True,
)
def _div(input: Array, other: Any) -> Any:
    """Return ``input / other``, broadcast together; integers give floats."""
    return input / other


@primitive(
    input=lambda g: g, other=lambda g, alpha: g * alpha, promote="same", operator=True, grad_fn_name="AddBackward0"
)
def _add_scaled(input: Array, other: Any, alpha: Number) -> Any:
    """Return ``input + alpha * other``, broadcast together."""
    return input + other * _scale(alpha, input.dtype)


@primitive(
    input=lambda g: g,
    other=lambda g, alpha: -g * alpha,
    promote="same",
    refuse_bool=True,
    operator=True,
    grad_fn_name="SubBackward0",
)
def _sub_scaled(input: Array, other: Any, alpha: Number) -> Any:
    """Return ``input - alpha * other``, broadcast together; RuntimeError for two bools."""
    if input.dtype.kind == "b":
        raise RuntimeError(_MINUS.format(_BOOLS))
    return input - other * _scale(alpha, input.dtype)


def _scale(alpha: Number, kind: np.dtype[Any]) -> Any:
    """Return ``alpha`` in dtype ``kind``; RuntimeError if PyTorch does not take it there."""
    if isinstance(alpha, bool) and kind.kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if kind.kind == "f":
        return number(float(alpha), kind)
    if isinstance(alpha, float):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return number(alpha, kind)


@doors("torch Tensor Tensor_")
@without_old
def add(input: Any, other: Any, *old: Any, alpha: Number = 1, out: Any = None) -> Any:
    """Return ``input + alpha * other``, broadcast together.

    https://pytorch.org/docs/stable/generated/torch.add.html

    >>> import rushlight as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), 3, alpha=10)
    tensor([31., 32.])
    """
    if old and isinstance(old[-1], Variable):
        return numbers_first(add, "add", ("alpha",), (input, other, *old), out)
    if old:
        raise TypeError(f"add() takes 2 positional arguments but {2 + len(old)} were given")
    made = _add(input, other) if alpha is ONE else _add_scaled(input, other, as_number("add", "alpha", alpha))
    return made if out is None and isinstance(made, Variable) else finish_operator("add", made, other, out, input)


@doors("torch Tensor Tensor_ torch.subtract Tensor.subtract Tensor.subtract_")
@without_old
def sub(input: Any, other: Any, *old: Any, alpha: Number = 1, out: Any = None) -> Any:
    """Return ``input - alpha * other``, broadcast together; RuntimeError for bools.

    https://pytorch.org/docs/stable/generated/torch.sub.html
    """
    if old and isinstance(old[-1], Variable):
        return numbers_first(sub, "sub", ("alpha",), (input, other, *old), out)
    if old:
        raise TypeError(f"sub() takes 2 positional arguments but {2 + len(old)} were given")
    made = _sub(input, other) if alpha is ONE else _sub_scaled(input, other, as_number("sub", "alpha", alpha))
    return made if out is None and isinstance(made, Variable) else finish_operator("sub", made, other, out, input)


@doors("torch")
def rsub(input: Any, other: Any, *, alpha: Number = 1) -> Any:
    """Return ``other - alpha * input``, broadcast together; RuntimeError for bools."""
    tensors_only("rsub", input=input)
    made = _rsub(input, other) if alpha is ONE else _sub_scaled(other, input, as_number("rsub", "alpha", alpha))
    return finish_operator("rsub", made, other, None)


@doors("torch Tensor Tensor_ torch.multiply Tensor.multiply Tensor.multiply_")
def mul(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input * other``, broadcast together.

    https://pytorch.org/docs/stable/generated/torch.mul.html
    """
    made = _mul(input, other)
    return made if out is None and isinstance(made, Variable) else finish_operator("mul", made, other, out, input)


@doors("torch Tensor Tensor_ torch.divide Tensor.divide Tensor.divide_")
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """Return ``input / other``, broadcast together, rounded toward zero (``"trunc"``), down (``"floor"``) or not.

    Unrounded, integers give floats. A rounded quotient has a zero gradient.

    https://pytorch.org/docs/stable/generated/torch.div.html

    >>> import rushlight as torch
    >>> torch.div(torch.tensor([-7, 7]), 2, rounding_mode="floor")
    tensor([-4,  3])
    """
    made = _div(input, other) if rounding_mode is None else _div_rounded(input, other, rounding_mode)
    return made if out is None and isinstance(made, Variable) else finish_operator("div", made, other, out, input)


@doors("torch Tensor Tensor_")
def true_divide(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input / other``, as :func:`div` does without a rounding mode."""
    return div(input, other, out=out)


@doors("torch Tensor Tensor_")
def floor_divide(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input / other`` rounded down, broadcast together. Its gradient is zero.

    https://pytorch.org/docs/stable/generated/torch.floor_divide.html
    """
    return finish_operator("floor_divide", _div_rounded(number_as_tensor(input), other, "floor"), other, out, input)


@doors("torch Tensor Tensor_")
def remainder(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return what is left of ``input`` after floor division by ``other``; it has the sign of ``other``.

    https://pytorch.org/docs/stable/generated/torch.remainder.html

    >>> import rushlight as torch
    >>> torch.remainder(torch.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    return finish_operator("remainder", _remainder(number_as_tensor(input), other), other, out, input)


@doors("torch Tensor Tensor_")
def fmod(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return what is left of ``input`` after truncated division by ``other``; it has the sign of ``input``.

    https://pytorch.org/docs/stable/generated/torch.fmod.html
    """
    tensors_only("fmod", input=input)
    return finish_operator("fmod", _fmod(input, other), other, out, input)


subtract, multiply, divide = sub, mul, div


@primitive(
    input=lambda g: -g,
    promote="same",
    doors="torch Tensor Tensor_ torch_ torch.negative torch.negative_ Tensor.negative Tensor.negative_",
)
def neg(input: Array) -> Array:
    """Return ``-input``; RuntimeError for bools.

    https://pytorch.org/docs/stable/generated/torch.neg.html
    """
    try:
        return -input
    except TypeError:
        raise RuntimeError(_MINUS.format("a bool tensor").replace("Subtraction", "Negation")) from None


@doors("torch Tensor")
def positive(input: Any) -> Any:
    """Return ``input`` itself; RuntimeError for bools.

    https://pytorch.org/docs/stable/generated/torch.positive.html
    """
    tensors_only("positive", input=input)
    if getattr(input, "array", input).dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


negative = neg


# ------------------------------------------------------------------ operators with more than one line


def floordiv(input: Any, other: Any) -> Any:
    """Return ``input // other``."""
    return _div_rounded(input, other, "floor")


def reverse_floordiv(input: Any, other: Any) -> Any:
    """Return ``other // input``."""
    return _div_rounded(other, input, "floor")


def reverse_div(input: Any, other: Any) -> Any:
    """Return ``other / input``."""
    return _div(other, input)


def reverse_remainder(input: Any, other: Any) -> Any:
    """Return ``other % input``."""
    return _remainder(other, input)


def _no_zero(input: Array, other: Any) -> None:
    """Raise RuntimeError if integers are to be divided by zero."""
    if input.dtype.kind != "f" and not np.all(other):
        raise RuntimeError("ZeroDivisionError")


@primitive(input=zero_gradient, other=zero_gradient, promote="same", operator=True, grad_fn_name="DivBackward2")
def _div_rounded(input: Array, other: Any, rounding_mode: str) -> Any:
    """Return ``input / other`` rounded by ``rounding_mode``, in their common dtype."""
    if rounding_mode not in {"trunc", "floor"}:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}"
        )
    no_bool(f"div_{rounding_mode}_cpu", input)
    _no_zero(input, other)
    if rounding_mode == "floor":
        return np.floor_divide(input, other)
    if input.dtype.kind == "f":
        return np.trunc(input / other)
    return (input - np.fmod(input, other)) // other


def _by_operand(kind: str) -> Any:
    """Return the title of ``kind``: PyTorch numbers the form with a number 0 and that with a tensor 1."""
    return lambda other: f"{kind}Backward0" if other is CONSTANT else f"{kind}Backward1"


@primitive(
    input=lambda g: g,
    other=lambda g, input, other: -g * _div_rounded(input, other, "floor"),
    promote="same",
    operator=True,
    grad_fn_name=_by_operand("Remainder"),
)
def _remainder(input: Array, other: Any) -> Any:
    """Return ``input % other`` with the sign of ``other``."""
    no_bool("remainder_cpu", input)
    _no_zero(input, other)
    return np.remainder(input, other)


@primitive(
    input=lambda g: g,
    other=lambda g, input, other: -g * _div_rounded(input, other, "trunc"),
    promote="same",
    operator=True,
    grad_fn_name=_by_operand("Fmod"),
)
def _fmod(input: Array, other: Any) -> Any:
    """Return ``input % other`` with the sign of ``input``."""
    no_bool("fmod_cpu", input)
    _no_zero(input, other)
    return np.fmod(input, other)


ARRAY_OPERATORS |= {add: operator.iadd, sub: operator.isub, mul: operator.imul, div: operator.itruediv}
ARRAY_OPERATORS |= {_add: operator.iadd, _sub: operator.isub, _mul: operator.imul, _div: operator.itruediv}
SPARING |= {add, sub}
