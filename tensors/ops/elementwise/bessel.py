"""Bessel functions. Those without a gradient have none in PyTorch either."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....arrays.kernels import bessel as kernels
from ....arrays.kernels.erf import laid_out_as
from ....autograd.primitive import primitive
from ..backward_ops import as_array
from .normal import no_half

# ------------------------------------------------------------------ modified, of the first kind


def _neighbours(input: Any, order: int, scaled: bool) -> Any:
    """Return the mean of the functions of the orders below and above: the derivative of the one that is not scaled."""
    return (_modified(input, abs(order - 1), scaled) + _modified(input, order + 1, scaled)) * 0.5


def _rule(g: Any, input: Any, out: Any, order: int, scaled: bool) -> Any:
    slope = _neighbours(input, order, scaled)
    return g * (slope - out * np.sign(as_array(input)) if scaled else slope)


@primitive(
    input=lambda g, input, out, order, scaled: _rule(g, input, out, order, scaled),
    promote="float",
    grad_fn_name="SpecialI1Backward0",
)
def _modified(input: Array, order: int, scaled: bool) -> Array:
    """Return the modified Bessel function of the first kind and any whole order, times exp(-|x|) if ``scaled``."""
    return kernels.bessel_i(np.asarray(input), order, scaled)


@primitive(
    input=lambda g, input: g * i1(input),
    promote="float",
    grad_fn_name="I0Backward0",
    doors="torch Tensor Tensor_ torch_ special",
)
def i0(input: Array) -> Array:
    """Return the modified Bessel function of the first kind and order 0.

    https://pytorch.org/docs/stable/special.html#torch.special.i0

    >>> import rushlight as torch
    >>> torch.special.i0(torch.tensor([0.0, 1.0, 2.0]))
    tensor([1.0000, 1.2661, 2.2796])
    """
    return laid_out_as(input, kernels.bessel_i(np.asarray(input), 0, False))


@primitive(
    input=lambda g, input, out: g * (i1e(input) - out * np.sign(as_array(input))),
    promote="float",
    grad_fn_name="SpecialI0EBackward0",
    doors="special",
)
def i0e(input: Array) -> Array:
    """Return ``exp(-|input|) * i0(input)``. Its slope at 0 is given as 0.

    https://pytorch.org/docs/stable/special.html#torch.special.i0e
    """
    return laid_out_as(input, kernels.bessel_i(np.asarray(input), 0, True))


@primitive(
    input=lambda g, input: g * _neighbours(input, 1, False),
    promote="float",
    grad_fn_name="SpecialI1Backward0",
    doors="special",
)
def i1(input: Array) -> Array:
    """Return the modified Bessel function of the first kind and order 1.

    https://pytorch.org/docs/stable/special.html#torch.special.i1
    """
    return laid_out_as(input, kernels.bessel_i(np.asarray(input), 1, False))


@primitive(
    input=lambda g, input, out: _rule(g, input, out, 1, True),
    promote="float",
    grad_fn_name="SpecialI1EBackward0",
    doors="special",
)
def i1e(input: Array) -> Array:
    """Return ``exp(-|input|) * i1(input)``.

    https://pytorch.org/docs/stable/special.html#torch.special.i1e
    """
    return laid_out_as(input, kernels.bessel_i(np.asarray(input), 1, True))


@primitive(input=None, promote="float", doors="special")
def modified_bessel_i0(input: Array) -> Array:
    """Return :func:`i0`, without a gradient.

    https://pytorch.org/docs/stable/special.html#torch.special.modified_bessel_i0
    """
    no_half("modified_bessel_i0_cpu", input)
    return laid_out_as(input, kernels.bessel_i(np.asarray(input), 0, False))


@primitive(input=None, promote="float", doors="special")
def modified_bessel_i1(input: Array) -> Array:
    """Return :func:`i1`, without a gradient.

    https://pytorch.org/docs/stable/special.html#torch.special.modified_bessel_i1
    """
    no_half("modified_bessel_i1_cpu", input)
    return laid_out_as(input, kernels.bessel_i(np.asarray(input), 1, False))


# ------------------------------------------------------------------ without a gradient


@primitive(input=None, promote="float", doors="special")
def bessel_j0(input: Array) -> Array:
    """Return the Bessel function of the first kind and order 0.

    https://pytorch.org/docs/stable/special.html#torch.special.bessel_j0

    >>> import rushlight as torch
    >>> torch.special.bessel_j0(torch.tensor([0.0, 1.0, 10.0]))
    tensor([ 1.0000,  0.7652, -0.2459])
    """
    no_half("bessel_j0_cpu", input)
    return laid_out_as(input, kernels.bessel_j(np.asarray(input), 0))


@primitive(input=None, promote="float", doors="special")
def bessel_j1(input: Array) -> Array:
    """Return the Bessel function of the first kind and order 1.

    https://pytorch.org/docs/stable/special.html#torch.special.bessel_j1
    """
    no_half("bessel_j1_cpu", input)
    return laid_out_as(input, kernels.bessel_j(np.asarray(input), 1))


@primitive(input=None, promote="float", doors="special")
def bessel_y0(input: Array) -> Array:
    """Return the Bessel function of the second kind and order 0: -inf at 0, NaN below.

    https://pytorch.org/docs/stable/special.html#torch.special.bessel_y0
    """
    no_half("bessel_y0_cpu", input)
    return laid_out_as(input, kernels.bessel_y(np.asarray(input), 0))


@primitive(input=None, promote="float", doors="special")
def bessel_y1(input: Array) -> Array:
    """Return the Bessel function of the second kind and order 1: -inf at 0, NaN below.

    https://pytorch.org/docs/stable/special.html#torch.special.bessel_y1
    """
    no_half("bessel_y1_cpu", input)
    return laid_out_as(input, kernels.bessel_y(np.asarray(input), 1))


@primitive(input=None, promote="float", doors="special")
def modified_bessel_k0(input: Array) -> Array:
    """Return the modified Bessel function of the second kind and order 0: inf at 0, NaN below.

    https://pytorch.org/docs/stable/special.html#torch.special.modified_bessel_k0
    """
    no_half("modified_bessel_k0_cpu", input)
    return laid_out_as(input, kernels.bessel_k(np.asarray(input), 0, False))


@primitive(input=None, promote="float", doors="special")
def modified_bessel_k1(input: Array) -> Array:
    """Return the modified Bessel function of the second kind and order 1: inf at 0, NaN below.

    https://pytorch.org/docs/stable/special.html#torch.special.modified_bessel_k1
    """
    no_half("modified_bessel_k1_cpu", input)
    return laid_out_as(input, kernels.bessel_k(np.asarray(input), 1, False))


@primitive(input=None, promote="float", doors="special")
def scaled_modified_bessel_k0(input: Array) -> Array:
    """Return ``exp(input) * modified_bessel_k0(input)``.

    https://pytorch.org/docs/stable/special.html#torch.special.scaled_modified_bessel_k0
    """
    no_half("scaled_modified_bessel_k0_cpu", input)
    return laid_out_as(input, kernels.bessel_k(np.asarray(input), 0, True))


@primitive(input=None, promote="float", doors="special")
def scaled_modified_bessel_k1(input: Array) -> Array:
    """Return ``exp(input) * modified_bessel_k1(input)``.

    https://pytorch.org/docs/stable/special.html#torch.special.scaled_modified_bessel_k1
    """
    no_half("scaled_modified_bessel_k1_cpu", input)
    return laid_out_as(input, kernels.bessel_k(np.asarray(input), 1, True))


@primitive(input=None, promote="float", doors="special")
def spherical_bessel_j0(input: Array) -> Array:
    """Return ``sin(input) / input``: 1 at 0.

    https://pytorch.org/docs/stable/special.html#torch.special.spherical_bessel_j0
    """
    no_half("spherical_bessel_j0_cpu", input)
    return laid_out_as(input, kernels.spherical_bessel_j0(np.asarray(input)))
