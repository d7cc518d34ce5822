"""Powers, by what is a number and what a tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....arrays.dtypes import Array, Number, default_numpy, number, promote_two
from ....autograd.broadcast import convert
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from ..common import drop, finish_operator, unsupported, zero_gradient
from .unary import log

_DOUBLE = np.dtype(np.float64)


def _power_rule(g: Any, input: Any, exponent: Number) -> Any:
    if exponent == 2:
        return g * (input + input)
    if exponent == 0:
        return zero_gradient(g)
    return g * (_pow_number(input, exponent - 1) * exponent)


@primitive(input=_power_rule, promote="same", grad_fn_name="PowBackward0")
def _pow_number(input: Array, exponent: Number) -> Array:
    """Return ``input`` to the power of a number; a float number makes integers floats."""
    if input.dtype.kind != "f":
        return _pow_whole(input, exponent)
    if exponent == 2:
        return input * input
    if exponent == 3:
        return input * input * input
    if exponent == 0.5 and input.dtype.itemsize > 2:
        return np.sqrt(input)
    if exponent == -0.5 and input.dtype.itemsize > 2:  # in half precision PyTorch has -inf ** -0.5 as 0, not NaN
        return np.reciprocal(np.sqrt(input))
    if exponent == -1:
        return np.reciprocal(input)
    return np.power(input, number(float(exponent), input.dtype))


def _pow_whole(input: Array, exponent: Number) -> Array:
    """Return integers to the power of ``exponent``."""
    if isinstance(exponent, float):
        return _pow_number(input.astype(default_numpy()), exponent)
    if input.dtype.kind == "b":
        if isinstance(exponent, bool):
            return input | (not exponent)
        input = input.astype(np.int64)
    if exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return np.power(input, number(exponent, input.dtype))


@primitive(
    input=lambda g, input, exponent: drop(g * (exponent * _pow_tensor(input, exponent - 1)), exponent == 0),
    exponent=lambda g, input, exponent, out: drop(g * (out * log(input)), (input == 0) & (exponent >= 0)),
    promote="same",
    operator=True,
    grad_fn_name="PowBackward1",
)
def _pow_tensor(input: Array, exponent: Array) -> Any:
    """Return ``input`` to the power of each element of ``exponent``, broadcast together."""
    if input.dtype.kind == "f":
        return np.power(input, exponent)
    if input.dtype.kind == "b":
        unsupported("pow", input)
    return power_of_integers(input, exponent)


def power_of_integers(input: Any, exponent: Any) -> Any:
    """Return integers to integer powers; a negative power gives 0 unless the base is 1 or -1."""
    negative = np.less(exponent, 0)
    if not np.any(negative):
        return np.power(input, exponent)
    unit = np.where(np.equal(input, -1), 1 - 2 * (exponent % 2), np.equal(input, 1))
    return np.where(negative, unit, np.power(input, np.maximum(exponent, 0))).astype(np.result_type(input, exponent))


def _base_rule(g: Any, base: Number, exponent: Any, out: Any) -> Any:
    if base == 0:
        return drop(g * (out * -math.inf), exponent >= 0)
    return g * (out * (math.nan if base < 0 else math.log(base)))


@primitive(exponent=_base_rule, grad_fn_name="PowBackward2")
def _pow_base(base: Any, exponent: Any) -> Any:
    """Return a number to the power of each element of ``exponent``."""
    left, right = promote_two(base, exponent)
    if left.dtype.kind == "b":
        unsupported("pow", left)
    if left.dtype.kind != "f":
        return power_of_integers(left, right)
    return np.power(left, right)


def power(input: Any, exponent: Any) -> Any:
    """Return ``input ** exponent``."""
    if isinstance(exponent, int | float):
        return _pow_number(input, exponent)
    if isinstance(exponent, np.generic):
        return _pow_number(input, exponent.item())
    return _pow_tensor(input, exponent)


def reverse_power(exponent: Any, base: Any) -> Any:
    """Return ``base ** exponent``."""
    if isinstance(base, int | float):
        return _pow_base(base, exponent)
    return _pow_base(base.item(), exponent) if isinstance(base, np.generic) else _pow_tensor(base, exponent)


@doors("torch Tensor Tensor_")
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Return ``input`` to the power of ``exponent``, one of them maybe a number, broadcast together.

    At base 0 the gradient of the exponent is 0, as PyTorch defines it.

    https://pytorch.org/docs/stable/generated/torch.pow.html

    >>> import rushlight as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> torch.pow(2, torch.tensor([0, 1, 3]))
    tensor([1, 2, 8])
    """
    if isinstance(input, int | float):
        if isinstance(exponent, int | float):
            raise TypeError(f"pow(): argument 'exponent' (position 2) must be Tensor, not {type(exponent).__name__}")
        return finish_operator("pow", _pow_base(input, exponent), exponent, out, input)
    return finish_operator("pow", power(input, exponent), exponent, out, input)


@doors("torch Tensor Tensor_")
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Return ``input`` to the power of ``exponent``, computed in float64.

    https://pytorch.org/docs/stable/generated/torch.float_power.html
    """
    if isinstance(out, Variable) and out.array.dtype != _DOUBLE:
        raise RuntimeError("the output given to float_power is no Double but the operation's result requires it")
    return pow(_double(input), _double(exponent), out=out)


def float_power_of_double(input: Any, exponent: Any) -> Any:
    """Return :func:`float_power`, to be written into ``input``: RuntimeError unless that is float64."""
    if input.array.dtype != _DOUBLE:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {input.dtype} but the operation's result is double"
        )
    return float_power(input, exponent)


def _double(value: Any) -> Any:
    if isinstance(value, Variable | np.ndarray | np.generic):
        kind = (value.array if isinstance(value, Variable) else value).dtype
        return value if kind == _DOUBLE else convert(value, _DOUBLE)
    return float(value)


@doors("torch Tensor Tensor_ torch_")
def square(input: Any, *, out: Any = None) -> Any:
    """Return ``input * input``.

    https://pytorch.org/docs/stable/generated/torch.square.html
    """
    return pow(input, 2, out=out)
