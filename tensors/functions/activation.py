"""Activations with the signatures of ``torch.nn.functional``: numbers with defaults, and ``inplace``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...arrays.dtypes import Array
from ...autograd.codegen.signature import InPlace
from ...autograd.inplace import write_inplace
from ...autograd.variable import wrap
from ..doors import doors
from ..ops.common import floats_only, tensors_only, unsupported
from ..ops.elementwise import activation
from ..ops.elementwise import activation as ops
from ..ops.elementwise.arithmetic import _mul
from ..ops.elementwise.rounding import abs as absolute
from ..ops.elementwise.unary import tanh
from ..random.inplace import DEFAULT

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _apply(op: Any, inplace: bool, input: Any, *rest: Any) -> Any:
    """Return ``op(input, *rest)``, written into ``input`` if ``inplace``."""
    tensors_only(op.__name__, input=input)
    return write_inplace(input, op, rest, {}, f"{op.__name__}_") if inplace else op(input, *rest)


@doors("functional torch_ functional_")
def relu(input: Any, inplace: bool = False) -> Any:
    """Return the larger of each element and 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
    """
    return _apply(ops.relu, True, input) if inplace else ops.relu(input)


@doors("functional")
def relu6(input: Any, inplace: bool = False) -> Any:
    """Return each element within 0 … 6.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html
    """
    return _apply(ops.hardtanh, inplace, input, 0.0, 6.0)


@doors("functional functional_")
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Return ``input`` where it is positive, else ``negative_slope * input``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
    """
    return _apply(ops.leaky_relu, inplace, input, negative_slope)


@doors("functional functional_")
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Return ``input`` where it is positive, else ``alpha * (exp(input) - 1)``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
    """
    return _apply(activation.elu, inplace, input, alpha, 1.0, 1.0, "EluBackward0")


@doors("torch functional torch_ functional_")
def selu(input: Any, inplace: bool = False) -> Any:
    """Return the scaled ELU that keeps zero mean and unit variance (Klambauer et al. 2017).

    https://pytorch.org/docs/stable/generated/torch.nn.functional.selu.html
    """
    return _apply(activation.elu, inplace, input, SELU_ALPHA, SELU_SCALE, 1.0, "EluBackward0")


@doors("torch functional torch_ functional_")
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Return ``max(0, input) + min(0, alpha * (exp(input / alpha) - 1))``; RuntimeError if ``alpha`` is 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.celu.html
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _apply(activation.elu, inplace, input, alpha, 1.0, 1.0 / alpha, "CeluBackward0")


@doors("functional")
def gelu(input: Any, approximate: str = "none") -> Any:
    """Return ``input`` times the share of a normal distribution below it, exact or by ``"tanh"``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html

    >>> import rushlight as torch
    >>> torch.nn.functional.gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    tensors_only("gelu", input=input)
    if approximate == "none":
        return activation.gelu_erf(input)
    if approximate == "tanh":
        return activation.gelu_tanh(input)
    raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}")


@doors("functional")
def silu(input: Any, inplace: bool = False) -> Any:
    """Return ``input * sigmoid(input)``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
    """
    return _apply(activation.silu, inplace, input)


@doors("functional")
def mish(input: Any, inplace: bool = False) -> Any:
    """Return ``input * tanh(softplus(input))``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.mish.html
    """
    return _apply(activation.mish, inplace, input)


@doors("functional functional_")
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Return each element within ``min_val … max_val``. Its gradient at a bound is 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _apply(ops.hardtanh, inplace, input, min_val, max_val)


@doors("functional")
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """Return ``clamp(input + 3, 0, 6) / 6``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html
    """
    return _apply(ops.hardsigmoid, inplace, input)


@doors("functional")
def hardswish(input: Any, inplace: bool = False) -> Any:
    """Return ``input * clamp(input + 3, 0, 6) / 6``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html
    """
    return _apply(ops.hardswish, inplace, input)


@doors("torch functional torch_ functional_")
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Return ``input`` where it is above ``threshold``, else ``value``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html
    """
    return _apply(ops.threshold, inplace, input, threshold, value)


@doors("functional")
def softsign(input: Any) -> Any:
    """Return ``input / (1 + abs(input))``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html
    """
    return input / (absolute(input) + 1)


@doors("functional")
def tanhshrink(input: Any) -> Any:
    """Return ``input - tanh(input)``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html
    """
    return input - tanh(input)


@doors("torch Tensor functional")
def prelu(input: Any, weight: Any) -> Any:
    """Return ``input`` where it is positive, else ``weight * input``; one weight, or one for each channel (dim 1).

    https://pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html
    """
    tensors_only("prelu", input=input, weight=weight)
    if input.dtype != weight.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}")
    floats_only("prelu_cpu", input.array)
    count = weight.shape[0] if weight.ndim else 1
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    channels = input.shape[1] if input.ndim > 1 else 1
    if count not in {1, channels}:
        raise RuntimeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{count} and channel size = {channels}."
        )
    if weight.ndim and input.ndim != 1:
        index = (0,) if input.ndim == 0 else (slice(None), *[None] * (input.ndim - 2))
        weight = weight[index]
    return ops.prelu(input, weight)


@doors("torch functional torch_ functional_")
def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """Return ``input`` where it is positive, else ``(lower + upper) / 2 * input``, in ``training`` a random multiple.

    The slopes are those PyTorch draws from the same seed: one for each element that is not positive.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html
    """
    if not (math.isfinite(lower) and math.isfinite(upper) and lower <= upper):
        raise RuntimeError(f"rrelu: bounds must be finite and in order, not {lower} and {upper}")
    if not training:
        return _apply(ops.leaky_relu, inplace, input, (lower + upper) / 2)
    tensors_only("rrelu", input=input)
    slopes = wrap(type(input), _slopes(np.asarray(input.array), lower, upper))
    return write_inplace(input, _mul, (slopes,), {}, "rrelu_with_noise_") if inplace else input * slopes


def _slopes(x: Array, lower: float, upper: float) -> Array:
    """Return 1 where ``x`` is positive (or NaN), else a slope drawn between ``lower`` and ``upper``."""
    floats_only("rrelu_with_noise_out_cpu", x)
    if x.dtype.itemsize < 4:
        unsupported("rrelu_with_noise_out_cpu", x)
    slopes = np.ones(x.shape, x.dtype)
    falls = x <= 0
    drawn = DEFAULT.stream.uniform((int(falls.sum()),), np.dtype(np.float64)) * (upper - lower) + lower
    slopes[falls] = drawn.astype(x.dtype)
    return slopes


def _written(op: Any) -> Any:
    """Return the function that writes ``op(input, ...)`` into ``input``."""

    def function(input: Any, *args: Any, **kwargs: Any) -> Any:
        return op(input, *args, **kwargs, inplace=True)

    function.__name__ = function.__qualname__ = f"{op.__name__}_"
    function.__doc__ = f"In-place version of :func:`{op.__name__}`."
    function.__wrapped__ = InPlace(op)  # type: ignore[attr-defined]  # any function takes attributes
    return function


glu, hardshrink, logsigmoid = activation.glu, ops.hardshrink, activation.logsigmoid
softplus, softshrink = activation.softplus, ops.softshrink
relu_, leaky_relu_, elu_, selu_ = _written(relu), _written(leaky_relu), _written(elu), _written(selu)
celu_, hardtanh_, threshold_, rrelu_ = _written(celu), _written(hardtanh), _written(threshold), _written(rrelu)
