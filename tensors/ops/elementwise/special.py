"""Special functions: gamma and its kin, and small functions of floats and of whole numbers."""

from __future__ import annotations

import math
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dims import as_int
from ....arrays.dtypes import Array, default_numpy, dtype_of
from ....arrays.kernels import gamma
from ....arrays.kernels.erf import laid_out_as
from ....autograd.arguments import array_of
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..backward_ops import as_array
from ..common import as_kind, drop, floats_only, keep, no_bool, unsupported, zero_gradient
from .unary import exp2, log, log1p

# ------------------------------------------------------------------ the gamma function


@primitive(input=lambda g, input, n: g * _polygamma(input, n + 1), promote="float")
def _polygamma(input: Array, n: int) -> Array:
    return gamma.polygamma(n, np.asarray(input))


@primitive(
    input=lambda g, input: g * _polygamma(input, 1), promote="float", doors="torch Tensor Tensor_ special special.psi"
)
def digamma(input: Array) -> Array:
    """Return the derivative of :func:`lgamma`: NaN at -1, -2, …, and -inf at 0.

    https://pytorch.org/docs/stable/generated/torch.digamma.html
    """
    return laid_out_as(input, gamma.digamma(np.asarray(input)))


@primitive(input=lambda g, input: g * digamma(input), promote="float", doors="torch Tensor Tensor_ special.gammaln")
def lgamma(input: Array) -> Array:
    """Return the logarithm of the size of the gamma function: inf at 0, -1, -2 and so on.

    https://pytorch.org/docs/stable/generated/torch.lgamma.html

    >>> import rushlight as torch
    >>> torch.lgamma(torch.tensor([1.0, 5.0]))  # log(0!), log(4!)
    tensor([0.0000, 3.1781])
    """
    return laid_out_as(input, gamma.lgamma(np.asarray(input)))


@doors("torch special")
def polygamma(n: int, input: Any, *, out: Any = None) -> Any:
    """Return the derivative of order ``n`` of :func:`digamma`; RuntimeError if ``n`` is negative.

    https://pytorch.org/docs/stable/generated/torch.polygamma.html
    """
    n = as_int(n, "n")
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, but got {n}")
    made = digamma(input) if n == 0 else _polygamma(input, n)
    return made if out is None else write_out("polygamma", made, out)


@doors("Tensor.polygamma Tensor.polygamma_")
def polygamma_of(input: Any, n: int) -> Any:
    """Return :func:`polygamma` with the arguments in a method's order."""
    return polygamma(n, input)


@doors("torch Tensor Tensor_ special.multigammaln")
def mvlgamma(input: Any, p: int, *, out: Any = None) -> Any:
    """Return the logarithm of the multivariate gamma function of dimension ``p``.

    https://pytorch.org/docs/stable/generated/torch.mvlgamma.html
    """
    p = as_int(p, "p")
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1, not {p}")
    kind = array_of(input, "mvlgamma").dtype
    if kind.kind == "b":
        raise RuntimeError("mvlgamma: The input tensor may not be a boolean tensor.")
    x = input if kind.kind == "f" else as_kind(input, default_numpy())
    made = reduce(add, [lgamma(x - step / 2) for step in range(p)]) + p * (p - 1) / 4 * math.log(math.pi)
    return made if out is None else write_out("mvlgamma", made, out)


# ------------------------------------------------------------------ functions of floats


@primitive(
    input=lambda g, input, order: g * _sinc_slope(input, order + 1), promote="float", grad_fn_name="SincBackward0"
)
def _sinc_slope(input: Array, order: int) -> Array:
    """Return the derivative of ``order`` of :func:`sinc`: by its series near 0, else by a recurrence."""
    x = np.asarray(input, np.float64) * math.pi
    near = np.abs(x) < 2 + order
    series, small = np.zeros_like(x), np.where(near, x, 0.0)
    for k in range((order + 1) // 2, 30 + order):
        power = 2 * k - order
        series += (-1.0) ** k / (math.factorial(power) * (2 * k + 1)) * small**power
    far = np.where(near, 1.0, x)
    slope = np.sin(far) / far
    for n in range(1, order + 1):  # x times the derivative, plus n times the one before, is a derivative of the sine
        slope = (np.sin(far + n * math.pi / 2) - n * slope) / far
    return (np.where(near, series, slope) * math.pi**order).astype(input.dtype)


@primitive(
    input=lambda g, input: g * _sinc_slope(input, 1), promote="float", doors="torch Tensor Tensor_ torch_ special"
)
def sinc(input: Array) -> Array:
    """Return sin(pi x) / (pi x) for each element, 1 at 0.

    https://pytorch.org/docs/stable/generated/torch.sinc.html
    """
    x = input * input.dtype.type(math.pi)
    waves: Array = np.where(x == 0, input.dtype.type(1), np.sin(x) / x)
    return waves


@primitive(
    input=lambda g, other: _ratio(g, other),
    other=lambda g, other, out: -_ratio(g * out, other),
    promote="same",
)
def _ratio(input: Array, other: Array) -> Any:
    """Return ``input / other``, and 0 for 0 / 0: the slope of a product that is 0 whatever ``other`` is."""
    return np.where((input == 0) & (other == 0), input.dtype.type(0), input / other)


def _xlogy_slope(g: Any, input: Any, other: Any) -> Any:
    flat = (input == 0) & (other <= 0)
    return g * log(drop(other, flat) + flat)


@primitive(
    input=_xlogy_slope,
    other=lambda g, input, other: g * _ratio(input, other),
    promote="float",
    doors="torch Tensor Tensor_ torch_ special",
)
def xlogy(input: Array, other: Array) -> Any:
    """Return ``input * log(other)``: 0 where ``input`` is 0 and ``other`` is a number.

    https://pytorch.org/docs/stable/generated/torch.xlogy.html
    """
    return np.where((input == 0) & ~np.isnan(other), input.dtype.type(0), input * np.log(other))


@primitive(
    input=lambda g, input, other: g * log1p(drop(other, (input == 0) & (other <= -1))),
    other=lambda g, input, other: g * _ratio(input, other + 1),
    promote="float",
    doors="special",
)
def xlog1py(input: Array, other: Array) -> Any:
    """Return ``input * log1p(other)``: 0 where ``input`` is 0 and ``other`` is a number.

    There both gradients are 0 where ``other`` is -1.
    https://pytorch.org/docs/stable/special.html#torch.special.xlog1py

    >>> import rushlight as torch
    >>> torch.special.xlog1py(torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """
    return np.where((input == 0) & ~np.isnan(other), input.dtype.type(0), input * np.log1p(other))


@primitive(
    input=lambda g, input, out: keep(g * (np.sign(as_array(input)) * np.sign(as_array(out))), as_array(input) != 0),
    other=zero_gradient,
    promote="float",
    connected=("input",),
    doors="torch Tensor Tensor_",
)
def copysign(input: Array, other: Array) -> Any:
    """Return the size of ``input`` with the sign of ``other``. The gradient at 0 is 0.

    https://pytorch.org/docs/stable/generated/torch.copysign.html
    """
    return np.copysign(input, other)


@primitive(
    input=lambda g, input, other: drop(g, input == other),
    other=zero_gradient,
    promote="same",
    doors="torch Tensor Tensor_",
)
def nextafter(input: Array, other: Array) -> Any:
    """Return the next float after ``input`` towards ``other``.

    https://pytorch.org/docs/stable/generated/torch.nextafter.html
    """
    floats_only("nextafter_cpu", input)
    return np.nextafter(input, other)


@doors("torch Tensor Tensor_ torch_")
def ldexp(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``input * 2 ** other``, of whole exponents without overflow on the way.

    https://pytorch.org/docs/stable/generated/torch.ldexp.html
    """
    x, exponent = array_of(input, "ldexp"), array_of(other, "ldexp", "other", 2)
    if exponent.dtype.kind == "f":
        made = input * exp2(other)
    else:
        no_bool("ldexp_cpu_exp", exponent)
        whole = np.clip(np.asarray(exponent).astype(np.int64), -(2**20), 2**20).astype(np.int32)
        one, half = np.ones((), x.dtype if x.dtype.kind == "f" else default_numpy()), whole // 2
        made = input * np.asarray(np.ldexp(one, half)) * np.asarray(np.ldexp(one, whole - half))
    return made if out is None else write_out("ldexp", made, out)


@doors("torch Tensor")
def frexp(input: Any, *, out: Any = None) -> Any:
    """Return mantissas, of sizes 0.5 to 1 (or 0), and int32 exponents: ``input = mantissa * 2 ** exponent``.

    https://pytorch.org/docs/stable/generated/torch.frexp.html
    """
    x = np.asarray(array_of(input, "frexp"))
    if x.dtype.kind != "f":
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, not {dtype_of(x.dtype)}")
    exponent = np.asarray(np.frexp(x)[1], np.int32)
    one, half = np.ones(x.shape, x.dtype), exponent // 2  # in two steps: 2 ** 132 is too much for float32
    mantissa = input * np.ldexp(one, -half) * np.ldexp(one, half - exponent)
    return return_types.frexp.of(mantissa, wrap(type(input), exponent) if isinstance(input, Variable) else exponent)


# ------------------------------------------------------------------ whole numbers


@primitive(input=None, other=None, promote="same", doors="torch Tensor Tensor_ torch_")
def gcd(input: Array, other: Array) -> Any:
    """Return the greatest common divisor; integers only.

    https://pytorch.org/docs/stable/generated/torch.gcd.html
    """
    if input.dtype.kind not in "iu":
        unsupported("gcd_cpu", input)
    return np.gcd(input, other)


@primitive(input=None, other=None, promote="same", doors="torch Tensor Tensor_ torch_")
def lcm(input: Array, other: Array) -> Any:
    """Return the least common multiple; integers only.

    https://pytorch.org/docs/stable/generated/torch.lcm.html
    """
    if input.dtype.kind not in "iu":
        unsupported("lcm_cpu", input)
    return np.lcm(input, other)
