"""Comparisons, and what they are made of. Nothing here has a gradient.

The names with an underscore are the operators; they answer a foreign operand with NotImplemented.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from ..common import finish_operator, tensors_only


@primitive(input=None, other=None, promote="same", operator=True)
def _eq(input: Array, other: Any) -> Any:
    """Return where ``input == other``."""
    return np.equal(input, other)


@primitive(input=None, other=None, promote="same", operator=True)
def _ne(input: Array, other: Any) -> Any:
    """Return where ``input != other``."""
    return np.not_equal(input, other)


@primitive(input=None, other=None, promote="same", operator=True)
def _lt(input: Array, other: Any) -> Any:
    """Return where ``input < other``."""
    return np.less(input, other)


@primitive(input=None, other=None, promote="same", operator=True)
def _le(input: Array, other: Any) -> Any:
    """Return where ``input <= other``."""
    return np.less_equal(input, other)


@primitive(input=None, other=None, promote="same", operator=True)
def _gt(input: Array, other: Any) -> Any:
    """Return where ``input > other``."""
    return np.greater(input, other)


@primitive(input=None, other=None, promote="same", operator=True)
def _ge(input: Array, other: Any) -> Any:
    """Return where ``input >= other``."""
    return np.greater_equal(input, other)


def _compare(name: str, operator: Any, input: Any, other: Any, out: Any) -> Any:
    tensors_only(name, input=input)
    return finish_operator(name, operator(input, other), other, out, input)


@doors("torch Tensor Tensor_")
def eq(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return where ``input == other``, a bool tensor; ``other`` is a tensor or a number.

    https://pytorch.org/docs/stable/generated/torch.eq.html

    >>> import rushlight as torch
    >>> torch.eq(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    return _compare("eq", _eq, input, other, out)


@doors("torch Tensor Tensor_ torch.not_equal Tensor.not_equal Tensor.not_equal_")
def ne(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return where ``input != other``, a bool tensor; ``other`` is a tensor or a number.

    https://pytorch.org/docs/stable/generated/torch.ne.html
    """
    return _compare("ne", _ne, input, other, out)


@doors("torch Tensor Tensor_ torch.less Tensor.less Tensor.less_")
def lt(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return where ``input < other``, a bool tensor; ``other`` is a tensor or a number.

    https://pytorch.org/docs/stable/generated/torch.lt.html
    """
    return _compare("lt", _lt, input, other, out)


@doors("torch Tensor Tensor_ torch.less_equal Tensor.less_equal Tensor.less_equal_")
def le(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return where ``input <= other``, a bool tensor; ``other`` is a tensor or a number.

    https://pytorch.org/docs/stable/generated/torch.le.html
    """
    return _compare("le", _le, input, other, out)


@doors("torch Tensor Tensor_ torch.greater Tensor.greater Tensor.greater_")
def gt(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return where ``input > other``, a bool tensor; ``other`` is a tensor or a number.

    https://pytorch.org/docs/stable/generated/torch.gt.html
    """
    return _compare("gt", _gt, input, other, out)


@doors("torch Tensor Tensor_ torch.greater_equal Tensor.greater_equal Tensor.greater_equal_")
def ge(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return where ``input >= other``, a bool tensor; ``other`` is a tensor or a number.

    https://pytorch.org/docs/stable/generated/torch.ge.html
    """
    return _compare("ge", _ge, input, other, out)


not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge


# ------------------------------------------------------------------ not a number, infinite, finite


@primitive(input=None, promote="same", doors="torch Tensor")
def isnan(input: Array) -> Array:
    """Return where ``input`` is NaN, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.isnan.html
    """
    return np.isnan(input)


@primitive(input=None, promote="same", doors="torch Tensor")
def isinf(input: Array) -> Array:
    """Return where ``input`` is inf or -inf, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.isinf.html
    """
    return np.isinf(input)


@primitive(input=None, promote="same", doors="torch Tensor")
def isfinite(input: Array) -> Array:
    """Return where ``input`` is neither infinite nor NaN, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.isfinite.html
    """
    return np.isfinite(input)


@primitive(input=None, promote="same", doors="torch Tensor")
def isposinf(input: Array) -> Array:
    """Return where ``input`` is inf, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.isposinf.html
    """
    return np.equal(input, np.inf)


@primitive(input=None, promote="same", doors="torch Tensor")
def isneginf(input: Array) -> Array:
    """Return where ``input`` is -inf, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.isneginf.html
    """
    return np.equal(input, -np.inf)


@primitive(input=None, promote="same", doors="torch Tensor")
def isreal(input: Array) -> Array:
    """Return True everywhere, as there are no complex numbers here.

    https://pytorch.org/docs/stable/generated/torch.isreal.html
    """
    return np.ones(input.shape, bool)


@primitive(input=None, promote="same", doors="torch Tensor")
def signbit(input: Array) -> Array:
    """Return where the sign of ``input`` is set, -0.0 included, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.signbit.html
    """
    return np.signbit(input) if input.dtype.kind == "f" else np.less(input, 0)


# ------------------------------------------------------------------ logic


@primitive(input=None, promote="same", doors="torch Tensor Tensor_")
def logical_not(input: Array) -> Array:
    """Return where ``input`` is zero, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.logical_not.html
    """
    return np.logical_not(input)


@primitive(input=None, other=None, promote="same", doors="torch Tensor Tensor_")
def logical_and(input: Array, other: Array) -> Array:
    """Return where neither ``input`` nor ``other`` is zero, broadcast together, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.logical_and.html
    """
    return np.logical_and(input, other)


@primitive(input=None, other=None, promote="same", doors="torch Tensor Tensor_")
def logical_or(input: Array, other: Array) -> Array:
    """Return where ``input`` or ``other`` is not zero, broadcast together, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.logical_or.html
    """
    return np.logical_or(input, other)


@primitive(input=None, other=None, promote="same", doors="torch Tensor Tensor_")
def logical_xor(input: Array, other: Array) -> Array:
    """Return where exactly one of ``input`` and ``other`` is zero, broadcast together, a bool tensor.

    https://pytorch.org/docs/stable/generated/torch.logical_xor.html
    """
    return np.logical_xor(input, other)


# ------------------------------------------------------------------ about equal


@doors("torch Tensor")
def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Return where ``abs(input - other) <= atol + rtol * abs(other)``, a bool tensor; infinities equal themselves.

    RuntimeError if the dtypes differ, or a tolerance is negative.

    https://pytorch.org/docs/stable/generated/torch.isclose.html
    """
    tensors_only("isclose", input=input, other=other)
    left, right = input.dtype, other.dtype
    if left is not right:
        raise RuntimeError(f"{left} did not match {right}")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    return _close(input, other, rtol, atol, equal_nan)


@primitive(input=None, other=None, promote="same", numbers=("rtol", "atol"))
def _close(input: Array, other: Array, rtol: float, atol: float, equal_nan: bool) -> Any:
    """Return where two arrays of one dtype are close."""
    if input.dtype.kind != "f":
        input, other = np.asarray(input, np.float64), np.asarray(other, np.float64)
    return np.isclose(input, other, rtol, atol, equal_nan)


@doors("torch Tensor")
def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Return whether all elements are close, as :func:`isclose` has it.

    https://pytorch.org/docs/stable/generated/torch.allclose.html
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


@doors("torch Tensor")
def equal(input: Any, other: Any) -> bool:
    """Return whether both tensors have the same shape and the same elements. NaN equals nothing.

    https://pytorch.org/docs/stable/generated/torch.equal.html

    >>> import rushlight as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1.0, 2.0]))
    True
    """
    tensors_only("equal", input=input, other=other)
    x, y = (each.array if isinstance(each, Variable) else each for each in (input, other))
    return bool(x.shape == y.shape and np.all(np.equal(x, y)))
