"""The normal distribution, the scaled complementary error function, and entropy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....arrays.kernels import normal as kernels
from ....arrays.kernels.erf import laid_out_as
from ....autograd.primitive import primitive
from ..backward_ops import as_array
from ..common import drop, unsupported
from .unary import exp, log


def no_half(kernel: str, array: Any) -> None:
    """Raise NotImplementedError if ``array`` holds half-precision floats."""
    if array.dtype.char == "e":
        unsupported(kernel, array)


@primitive(input=lambda g, input: g * (-1 - log(input)), promote="float", grad_fn_name="SpecialEntrBackward0",
           doors="special")  # fmt: skip
def entr(input: Array) -> Array:
    """Return ``-input * log(input)``, the entropy of each element: 0 at 0, -inf below.

    https://pytorch.org/docs/stable/special.html#torch.special.entr

    >>> import rushlight as torch
    >>> torch.special.entr(torch.tensor([-1.0, 0.0, 0.5]))
    tensor([  -inf, 0.0000, 0.3466])
    """
    return laid_out_as(input, kernels.entr(np.asarray(input)))


@primitive(
    input=lambda g, input: g * (exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))),
    promote="float",
    doors="special",
)
def ndtr(input: Array) -> Array:
    """Return the probability that a number of the normal distribution is at most each element.

    https://pytorch.org/docs/stable/special.html#torch.special.ndtr

    >>> import rushlight as torch
    >>> torch.special.ndtr(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """
    return laid_out_as(input, kernels.ndtr(np.asarray(input)))


@primitive(
    input=lambda g, out: g * (exp(out * out * 0.5) * math.sqrt(2 * math.pi)),
    promote="float",
    grad_fn_name="SpecialNdtriBackward0",
    doors="special",
)
def ndtri(input: Array) -> Array:
    """Return the number whose :func:`ndtr` is each element; NaN outside 0 … 1.

    https://pytorch.org/docs/stable/special.html#torch.special.ndtri
    """
    no_half("ndtri_cpu", input)
    return laid_out_as(input, kernels.ndtri(np.asarray(input)))


def _log_ndtr_rule(g: Any, input: Any) -> Any:
    x = as_array(input)
    far = x > (13 if x.dtype.char == "f" else 37)  # there erfcx overflows, and the slope is less than what is left of 1
    return drop(g * (math.sqrt(2 / math.pi) / erfcx(drop(input, far) * -math.sqrt(0.5))), far)


@primitive(input=_log_ndtr_rule, promote="float", grad_fn_name="SpecialLogNdtrBackward0", doors="special")
def log_ndtr(input: Array) -> Array:
    """Return the logarithm of :func:`ndtr`, accurate where that is tiny.

    https://pytorch.org/docs/stable/special.html#torch.special.log_ndtr

    >>> import rushlight as torch
    >>> torch.special.log_ndtr(torch.tensor([-100.0, 0.0]))
    tensor([-5.0055e+03, -6.9315e-01])
    """
    no_half("log_ndtr_cpu", input)
    return laid_out_as(input, kernels.log_ndtr(np.asarray(input)))


@primitive(
    input=lambda g, input, order: g * _erfcx_slope(input, order + 1),
    promote="float",
    grad_fn_name="SpecialErfcxBackward0",
)
def _erfcx_slope(input: Array, order: int) -> Array:
    """Return the derivative of :func:`erfcx` of an order, without the cancellation of its formula at large numbers."""
    return kernels.erfcx(np.asarray(input), order)


@primitive(
    input=lambda g, input: g * _erfcx_slope(input, 1),
    promote="float",
    grad_fn_name="SpecialErfcxBackward0",
    doors="special",
)
def erfcx(input: Array) -> Array:
    """Return ``exp(input * input) * erfc(input)``, which neither overflows nor vanishes for large numbers.

    https://pytorch.org/docs/stable/special.html#torch.special.erfcx

    >>> import rushlight as torch
    >>> torch.special.erfcx(torch.tensor([0.0, 1.0, 100.0]))
    tensor([1.0000, 0.4276, 0.0056])
    """
    no_half("erfcx_cpu", input)
    return laid_out_as(input, kernels.erfcx(np.asarray(input)))
