"""Incomplete gamma functions and Hurwitz's zeta function, which have a gradient for their second argument only."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....arrays.kernels.gamma_integral import regularized
from ....arrays.kernels.zeta import zeta as zeta_of
from ....autograd.arguments import array_of
from ....autograd.gradient_edge import node_of
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.recording import recording
from ....autograd.variable import Variable
from ...doors import doors
from ..common import results_without_derivative, tensors_only, unsupported
from .normal import no_half
from .special import lgamma, xlogy
from .unary import exp


def _density(input: Any, other: Any) -> Any:
    """Return ``other ** (input - 1) * exp(-other) / gamma(input)``, the derivative of the integral by its end."""
    return exp(xlogy(input - 1, other) - other - lgamma(input))


@primitive(
    input=None,
    other=lambda g, input, other: g * _density(input, other),
    promote="float",
    grad_fn_name="IgammaBackward0",
)
def _lower(input: Array, other: Array) -> Array:
    return regularized(input, other, False)


@primitive(
    input=None, other=lambda g, input, other: -g * _density(input, other), promote="float",
    grad_fn_name="IgammacBackward0",
)  # fmt: skip
def _upper(input: Array, other: Array) -> Array:
    return regularized(input, other, True)


@primitive(
    input=None,
    other=lambda g, input, other: -g * input * _zeta(input + 1, other),
    promote="float",
    grad_fn_name="SpecialZetaBackward0",
)
def _zeta(input: Array, other: Array) -> Array:
    return zeta_of(input, other)


def _connected(function: Any, label: str, grad_fn_name: str, input: Any, other: Any) -> Any:
    """Return ``function(input, other)``, which refuses to be derived where ``input`` requires grad."""
    if not (isinstance(input, Variable) and node_of(input) is not None and recording.get()):
        return function(input, other)
    values = function(input.array, other.array if isinstance(other, Variable) else other)
    return results_without_derivative(label, grad_fn_name, input, [np.asarray(values)])


def _integral(name: str, function: Any, input: Any, other: Any, out: Any) -> Any:
    tensors_only(name, input=input, other=other)
    kinds = [array_of(input, name).dtype, array_of(other, name, "other", 2).dtype]
    if all(kind.kind != "f" for kind in kinds):
        unsupported(f"{name}_cpu", np.zeros(0, np.result_type(*kinds)))
    made = _connected(function, f"{name}: input", f"{name.capitalize()}Backward0", input, other)
    return made if out is None else write_out(name, made, out)


@doors("torch Tensor Tensor_ special.gammainc")
def igamma(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return the regularized lower incomplete gamma function: ``input`` is the exponent a, ``other`` the end x.

    P(a, x), the integral of ``t ** (a - 1) * exp(-t)`` from 0 to x over its value up to infinity; NaN where a or x is
    negative. The gradient of ``input`` raises NotImplementedError.
    https://pytorch.org/docs/stable/special.html#torch.special.gammainc

    >>> import rushlight as torch
    >>> torch.special.gammainc(torch.tensor([4.0]), torch.tensor([3.0, 4.0, 5.0]))
    tensor([0.3528, 0.5665, 0.7350])
    """
    return _integral("igamma", _lower, input, other, out)


@doors("torch Tensor Tensor_ special.gammaincc")
def igammac(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return ``1 - igamma(input, other)``, accurate where that is tiny.

    https://pytorch.org/docs/stable/special.html#torch.special.gammaincc
    """
    return _integral("igammac", _upper, input, other, out)


@doors("special")
def zeta(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return Hurwitz's zeta function, the sum of ``(other + k) ** -input`` over k = 0, 1 and so on.

    inf where ``input`` is 1 and where ``other`` is 0, -1, -2 and so on; NaN where ``input`` is less than 1. The
    gradient of ``input`` raises NotImplementedError.
    https://pytorch.org/docs/stable/special.html#torch.special.zeta

    >>> import rushlight as torch
    >>> torch.special.zeta(torch.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """
    if not isinstance(input, Variable | np.ndarray):
        array_of(other, "zeta", "other", 2)  # one at least must be a tensor
    for one in (input, other):
        if isinstance(one, Variable):
            no_half("zeta_cpu", one.array)
    made = _connected(_zeta, "zeta", "SpecialZetaBackward0", input, other)
    return made if out is None else write_out("zeta", made, out)
