"""Functions of one number, applied to each element. Integers become floats of the default dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....arrays.dtypes import Array, number
from ....arrays.kernels import activation as kernels
from ....arrays.kernels import erf as erfs
from ....arrays.kernels.mask import one
from ....autograd.primitive import primitive
from ..backward_ops import as_array
from ..common import keep
from .ternary import where

_LARGE = 8192  # from here on it pays to work in blocks
LN2, LN10 = math.log(2), math.log(10)


# ------------------------------------------------------------------ powers of e, and logarithms


@primitive(input=lambda g, out: g * out, promote="float", doors="torch Tensor Tensor_ torch_")
def exp(input: Array) -> Array:
    """Return e raised to each element of ``input``.

    https://pytorch.org/docs/stable/generated/torch.exp.html

    >>> import rushlight as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return np.exp(input)


@primitive(input=lambda g, out: g * (out * LN2), promote="float", doors="torch Tensor Tensor_ torch_ special")
def exp2(input: Array) -> Array:
    """Return 2 raised to each element of ``input``.

    https://pytorch.org/docs/stable/generated/torch.exp2.html
    """
    return np.exp2(input)


@primitive(input=lambda g, out: g * (out + 1), promote="float", doors="torch Tensor Tensor_ torch_ special")
def expm1(input: Array) -> Array:
    """Return ``exp(input) - 1``, accurate near 0.

    https://pytorch.org/docs/stable/generated/torch.expm1.html
    """
    return np.expm1(input)


@primitive(input=lambda g, input: g / input, promote="float", doors="torch Tensor Tensor_ torch_")
def log(input: Array) -> Array:
    """Return the natural logarithm of each element: -inf at 0, NaN below.

    https://pytorch.org/docs/stable/generated/torch.log.html
    """
    return np.log(input)


@primitive(input=lambda g, input: g / (input * LN2), promote="float", doors="torch Tensor Tensor_ torch_")
def log2(input: Array) -> Array:
    """Return the logarithm to base 2 of each element.

    https://pytorch.org/docs/stable/generated/torch.log2.html
    """
    return np.log2(input)


@primitive(input=lambda g, input: g / (input * LN10), promote="float", doors="torch Tensor Tensor_ torch_")
def log10(input: Array) -> Array:
    """Return the logarithm to base 10 of each element.

    https://pytorch.org/docs/stable/generated/torch.log10.html
    """
    return np.log10(input)


@primitive(
    input=lambda g, input: g / (input + 1),
    promote="float",
    grad_fn_name="Log1PBackward0",
    doors="torch Tensor Tensor_ torch_ special",
)
def log1p(input: Array) -> Array:
    """Return ``log(1 + input)``, accurate near 0.

    https://pytorch.org/docs/stable/generated/torch.log1p.html
    """
    return np.log1p(input)


# ------------------------------------------------------------------ roots and reciprocals


@primitive(input=lambda g, out: g / (out + out), promote="float", doors="torch Tensor Tensor_ torch_")
def sqrt(input: Array) -> Array:
    """Return the square root of each element: NaN below 0, with an infinite slope at 0.

    https://pytorch.org/docs/stable/generated/torch.sqrt.html
    """
    return np.sqrt(input)


@primitive(input=lambda g, out: g * (out * out * out) * -0.5, promote="float", doors="torch Tensor Tensor_ torch_")
def rsqrt(input: Array) -> Array:
    """Return ``1 / sqrt(input)``.

    https://pytorch.org/docs/stable/generated/torch.rsqrt.html
    """
    return np.reciprocal(np.sqrt(input))


@primitive(input=lambda g, out: -g * out * out, promote="float", doors="torch Tensor Tensor_ torch_")
def reciprocal(input: Array) -> Array:
    """Return ``1 / input``.

    https://pytorch.org/docs/stable/generated/torch.reciprocal.html
    """
    return np.reciprocal(input)


# ------------------------------------------------------------------ trigonometry


@primitive(input=lambda g, input: g * cos(input), promote="float", doors="torch Tensor Tensor_ torch_")
def sin(input: Array) -> Array:
    """Return the sine of each element.

    https://pytorch.org/docs/stable/generated/torch.sin.html
    """
    return np.sin(input)


@primitive(input=lambda g, input: g * -sin(input), promote="float", doors="torch Tensor Tensor_ torch_")
def cos(input: Array) -> Array:
    """Return the cosine of each element.

    https://pytorch.org/docs/stable/generated/torch.cos.html
    """
    return np.cos(input)


@primitive(input=lambda g, out: g * (out * out + 1), promote="float", doors="torch Tensor Tensor_ torch_")
def tan(input: Array) -> Array:
    """Return the tangent of each element.

    https://pytorch.org/docs/stable/generated/torch.tan.html
    """
    return np.tan(input)


@primitive(
    input=lambda g, input: g * rsqrt(1 - input * input),
    promote="float",
    doors="torch Tensor Tensor_ torch_ torch.arcsin torch.arcsin_ Tensor.arcsin Tensor.arcsin_",
)
def asin(input: Array) -> Array:
    """Return the angle in -pi/2 … pi/2 whose sine is each element; NaN outside -1 … 1.

    https://pytorch.org/docs/stable/generated/torch.asin.html
    """
    return np.arcsin(input)


@primitive(
    input=lambda g, input: g * -rsqrt(1 - input * input),
    promote="float",
    doors="torch Tensor Tensor_ torch_ torch.arccos torch.arccos_ Tensor.arccos Tensor.arccos_",
)
def acos(input: Array) -> Array:
    """Return the angle in 0 … pi whose cosine is each element; NaN outside -1 … 1.

    https://pytorch.org/docs/stable/generated/torch.acos.html
    """
    return np.arccos(input)


@primitive(
    input=lambda g, input: g / (input * input + 1),
    promote="float",
    doors="torch Tensor Tensor_ torch_ torch.arctan torch.arctan_ Tensor.arctan Tensor.arctan_",
)
def atan(input: Array) -> Array:
    """Return the angle in -pi/2 … pi/2 whose tangent is each element.

    https://pytorch.org/docs/stable/generated/torch.atan.html
    """
    return np.arctan(input)


@primitive(input=lambda g, input: g * cosh(input), promote="float", doors="torch Tensor Tensor_ torch_")
def sinh(input: Array) -> Array:
    """Return the hyperbolic sine of each element.

    https://pytorch.org/docs/stable/generated/torch.sinh.html
    """
    return np.sinh(input)


@primitive(input=lambda g, input: g * sinh(input), promote="float", doors="torch Tensor Tensor_ torch_")
def cosh(input: Array) -> Array:
    """Return the hyperbolic cosine of each element.

    https://pytorch.org/docs/stable/generated/torch.cosh.html
    """
    return np.cosh(input)


@primitive(input=lambda g, out: g - g * out * out, promote="float", doors="torch Tensor Tensor_ torch_ functional")
def tanh(input: Array) -> Array:
    """Return the hyperbolic tangent of each element.

    https://pytorch.org/docs/stable/generated/torch.tanh.html
    """
    return np.tanh(input)


def _top(input: Any) -> Any:
    """Return the larger of 1 and the size of ``input``, finite: a constant, to divide by before a square is taken."""
    array = as_array(input)
    return np.minimum(np.maximum(np.abs(array), 1), np.finfo(array.dtype).max)


def _asinh_back(g: Any, input: Any) -> Any:
    """Return ``g / sqrt(input² + 1)``."""
    top = _top(input)
    part = input / top
    return g / (top * sqrt(part * part + (1 / top) ** 2))


@primitive(
    input=lambda g, input: _asinh_back(g, input),
    promote="float",
    doors="torch Tensor Tensor_ torch_ torch.arcsinh torch.arcsinh_ Tensor.arcsinh Tensor.arcsinh_",
)
def asinh(input: Array) -> Array:
    """Return the inverse hyperbolic sine of each element.

    https://pytorch.org/docs/stable/generated/torch.asinh.html
    """
    return np.arcsinh(input)


def _acosh_back(g: Any, input: Any) -> Any:
    """Return ``g / sqrt(input² - 1)``."""
    top = _top(input)
    part = input / top
    return g * (rsqrt(part * part - (1 / top) ** 2) / top)


@primitive(
    input=lambda g, input: _acosh_back(g, input),
    promote="float",
    doors="torch Tensor Tensor_ torch_ torch.arccosh torch.arccosh_ Tensor.arccosh Tensor.arccosh_",
)
def acosh(input: Array) -> Array:
    """Return the inverse hyperbolic cosine of each element; NaN below 1.

    https://pytorch.org/docs/stable/generated/torch.acosh.html
    """
    return np.arccosh(input)


@primitive(
    input=lambda g, input: g / (1 - input * input),
    promote="float",
    doors="torch Tensor Tensor_ torch_ torch.arctanh torch.arctanh_ Tensor.arctanh Tensor.arctanh_",
)
def atanh(input: Array) -> Array:
    """Return the inverse hyperbolic tangent of each element; NaN outside -1 … 1.

    https://pytorch.org/docs/stable/generated/torch.atanh.html
    """
    return np.arctanh(input)


@primitive(
    input=lambda g: g * (math.pi / 180),
    promote="float",
    grad_fn_name="Deg2RadBackward0",
    doors="torch Tensor Tensor_ torch_",
)
def deg2rad(input: Array) -> Array:
    """Return each angle, given in degrees, in radians.

    https://pytorch.org/docs/stable/generated/torch.deg2rad.html
    """
    return input * number(math.pi / 180, input.dtype)


@primitive(
    input=lambda g: g * (180 / math.pi),
    promote="float",
    grad_fn_name="Rad2DegBackward0",
    doors="torch Tensor Tensor_ torch_",
)
def rad2deg(input: Array) -> Array:
    """Return each angle, given in radians, in degrees.

    https://pytorch.org/docs/stable/generated/torch.rad2deg.html
    """
    return input * number(180 / math.pi, input.dtype)


# ------------------------------------------------------------------ the logistic function, and erf


@primitive(
    input=lambda g, out: g * (out - out * out),
    promote="float",
    doors="torch Tensor Tensor_ torch_ functional special.expit",
)
def sigmoid(input: Array) -> Array:
    """Return ``1 / (1 + exp(-input))``, the logistic function.

    https://pytorch.org/docs/stable/generated/torch.sigmoid.html

    >>> import rushlight as torch
    >>> torch.sigmoid(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if input.size > _LARGE and input.dtype.char != "e":
        return kernels.in_blocks(kernels.sigmoid, input)
    out = np.exp(-input)
    out += one(out)
    return np.reciprocal(out)


def _logit_rule(g: Array, input: Array, eps: float | None) -> Any:
    slope = g / (input * (1 - input))
    if eps is None or eps < 0:
        return where((input >= 0) & (input <= 1), slope, math.nan)
    return keep(slope, (input >= eps) & (input <= 1 - eps))


@primitive(input=_logit_rule, promote="float", numbers=("eps",), doors="torch Tensor Tensor_ torch_ special")
def logit(input: Array, eps: float | None = None) -> Any:
    """Return ``log(input / (1 - input))``, with ``input`` clamped to ``eps … 1 - eps`` first if ``eps`` is given.

    https://pytorch.org/docs/stable/generated/torch.logit.html
    """
    if eps is not None:
        least, most = number(eps, input.dtype), number(1 - eps, input.dtype)
        input = np.where(input < least, least, np.where(input > most, most, input))
    return np.log(input / (one(input) - input))


@primitive(
    input=lambda g, input: g * (exp(input * -input) * (2 / math.sqrt(math.pi))),
    promote="float",
    doors="torch Tensor Tensor_ torch_ special",
)
def erf(input: Array) -> Array:
    """Return the error function of each element.

    https://pytorch.org/docs/stable/generated/torch.erf.html
    """
    return erfs.laid_out_as(input, erfs.erf(input))


@primitive(
    input=lambda g, input: g * (exp(input * -input) * (-2 / math.sqrt(math.pi))),
    promote="float",
    doors="torch Tensor Tensor_ torch_ special",
)
def erfc(input: Array) -> Array:
    """Return ``1 - erf(input)``, accurate where that is tiny.

    https://pytorch.org/docs/stable/generated/torch.erfc.html
    """
    return erfs.laid_out_as(input, erfs.erfc(input))


@primitive(
    input=lambda g, out: g * (exp(out * out) * (math.sqrt(math.pi) / 2)),
    promote="float",
    doors="torch Tensor Tensor_ special",
)
def erfinv(input: Array) -> Any:
    """Return the number whose error function is each element; NaN outside -1 … 1.

    https://pytorch.org/docs/stable/generated/torch.erfinv.html
    """
    return erfs.laid_out_as(input, erfs.erfinv(input))


arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh
