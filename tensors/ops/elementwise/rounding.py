"""Steps and kinks: rounding, signs, and what replaces numbers that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array, number
from ....arrays.kernels import mask as masks
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from ..common import floats_only, keep, no_bool, results_without_derivative, zero_gradient

_BYTE = np.dtype(np.int8)


@primitive(input=zero_gradient, promote="same", doors="torch Tensor Tensor_ torch_")
def floor(input: Array) -> Array:
    """Return each element rounded down. Its gradient is zero.

    https://pytorch.org/docs/stable/generated/torch.floor.html
    """
    no_bool("floor_vml_cpu", input)
    return np.floor(input)


@primitive(input=zero_gradient, promote="same", doors="torch Tensor Tensor_ torch_")
def ceil(input: Array) -> Array:
    """Return each element rounded up. Its gradient is zero.

    https://pytorch.org/docs/stable/generated/torch.ceil.html
    """
    no_bool("ceil_vml_cpu", input)
    return np.ceil(input)


@primitive(
    input=zero_gradient, promote="same", doors="torch Tensor Tensor_ torch_ torch.fix torch.fix_ Tensor.fix Tensor.fix_"
)
def trunc(input: Array) -> Array:
    """Return each element rounded toward zero. Its gradient is zero.

    https://pytorch.org/docs/stable/generated/torch.trunc.html
    """
    no_bool("trunc_vml_cpu", input)
    return np.trunc(input)


@primitive(
    input=zero_gradient,
    promote="same",
    grad_fn_name=lambda decimals: f"RoundBackward{int(decimals != 0)}",
    integers=("decimals",),
    doors="torch Tensor Tensor_ torch_ special",
)
def round(input: Array, *, decimals: int = 0) -> Array:
    """Return each element rounded to ``decimals`` places, halves to even. Its gradient is zero.

    https://pytorch.org/docs/stable/generated/torch.round.html

    >>> import rushlight as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.5]))
    tensor([0., 2., 2.])
    """
    no_bool("round_vml_cpu", input)
    if decimals == 0:
        return np.rint(input) if input.dtype.kind == "f" else input.copy()
    floats_only("round_cpu", input)
    scale = number(10.0 ** max(decimals, -decimals), input.dtype)
    return np.rint(input * scale) / scale if decimals > 0 else np.rint(input / scale) * scale


@primitive(input=lambda g: g, promote="same", doors="torch Tensor Tensor_ torch_")
def frac(input: Array) -> Array:
    """Return what is behind the decimal point, with the sign of the element.

    https://pytorch.org/docs/stable/generated/torch.frac.html
    """
    floats_only("frac_cpu", input)
    return input - np.trunc(input)


def _sign(x: Array) -> Array:
    """Return -1, 0 or 1; 0 for NaN, as PyTorch has it, where ``np.sign`` has NaN."""
    if x.dtype.kind == "b":
        return x.copy()
    out: Array = np.sign(x)
    if x.dtype.kind == "f":
        out = np.asarray(out)
        out[np.isnan(x)] = 0
    return out if out.ndim else out[()]


@primitive(input=zero_gradient, promote="same", doors="torch Tensor Tensor_")
def sign(input: Array) -> Array:
    """Return -1, 0 or 1, the sign of each element; 0 for NaN. Its gradient is zero.

    https://pytorch.org/docs/stable/generated/torch.sign.html
    """
    return _sign(input)


@primitive(input=zero_gradient, promote="same", doors="torch Tensor Tensor_")
def sgn(input: Array) -> Array:
    """Return the sign of each element, as :func:`sign` does.

    https://pytorch.org/docs/stable/generated/torch.sgn.html
    """
    return _sign(input)


@primitive(
    input=lambda g, input: g * sgn(input),
    promote="same",
    doors="torch Tensor Tensor_ torch_ torch.absolute Tensor.absolute Tensor.absolute_",
)
def abs(input: Array) -> Array:
    """Return the absolute value of each element. Its gradient at 0 is 0.

    https://pytorch.org/docs/stable/generated/torch.abs.html
    """
    no_bool("abs_cpu", input)
    return np.abs(input)


@primitive(
    input=lambda g, input: keep(g, input - input == 0),
    promote="same",
    numbers=("nan", "posinf", "neginf"),
    doors="torch Tensor Tensor_ torch_",
)
def nan_to_num(
    input: Array, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """Return ``input`` with NaN, inf and -inf replaced: by 0 and the dtype's largest numbers unless given.

    https://pytorch.org/docs/stable/generated/torch.nan_to_num.html
    """
    if input.dtype.kind != "f":
        return input.copy()
    top = np.finfo(input.dtype).max
    return np.nan_to_num(
        input,
        copy=True,
        nan=nan or 0.0,
        posinf=top if posinf is None else posinf,
        neginf=-top if neginf is None else neginf,
    )


@primitive(input=None, values=None)
def _heaviside(input: Array, values: Array) -> Array:
    """Return 0 below zero, 1 above, and ``values`` at zero, of one dtype."""
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    out = np.where(np.equal(input, 0), values, np.greater(input, 0)).astype(input.dtype)
    return np.where(np.isnan(input), masks.ZERO[input.dtype], out) if input.dtype.kind == "f" else out


@doors("torch Tensor Tensor_")
def heaviside(input: Any, values: Any, *, out: Any = None) -> Any:
    """Return 0 below zero, 1 above, and ``values`` at zero, of one dtype; to ask for a gradient raises.

    https://pytorch.org/docs/stable/generated/torch.heaviside.html
    """
    made = _heaviside(input, values)
    source = next((x for x in (input, values) if getattr(x, "requires_grad", False)), None)
    if source is not None and isinstance(made, Variable):
        made = results_without_derivative("heaviside", "NotImplemented", source, [made.array])
    return made if out is None else write_out("heaviside", made, out)


absolute, fix = abs, trunc
