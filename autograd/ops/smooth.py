"""Activations made of exponentials, as one step each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dims import norm_dim
from ..dtypes import Array
from ..kernels import gate
from ..kernels import mask as masks
from ..primitive import primitive
from .activation import constant, negative, positive
from .finish import floats_only
from .join import cat
from .mask import drop, keep
from .pointwise import exp, sigmoid, tanh

_HALF = np.dtype(np.float16)


def _single(x: Array) -> Array:
    """Return half precision as single, where a step on the way would overflow."""
    return np.asarray(x, np.float32) if x.dtype == _HALF else x


# ------------------------------------------------------------------ made of exponentials


def _elu_curve(g: Any, grad: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    bend = exp(input * input_scale) * (alpha * scale * input_scale**2)
    return keep(g * grad * bend, input < 0)


def _again_elu_grad(g: Any, input: Any, alpha: Any, scale: Any, input_scale: Any) -> Any:
    return _elu_grad(g, input, alpha, scale, input_scale)


@primitive(
    grad=_again_elu_grad,
    input=_elu_curve,
    promote="same",
)
def _elu_grad(grad: Array, input: Array, alpha: float, scale: float, input_scale: float) -> Any:
    """Return the gradient of :func:`elu`; at 0 that of the negative side."""
    slope = np.exp(negative(input) * constant(input_scale, input)) * constant(alpha * scale * input_scale, input)
    return grad * masks.choose(np.less_equal(input, masks.ZERO[input.dtype]), slope, constant(scale, input))


def _elu_title(label: str) -> str:
    return label


@primitive(
    input=lambda g, input, alpha, scale, input_scale: _elu_grad(g, input, alpha, scale, input_scale=input_scale),
    promote="same",
    title=_elu_title,
)
def elu(input: Array, alpha: float, scale: float, input_scale: float, label: str) -> Any:
    """Return ``scale * input`` where ``input`` is positive, else ``scale * alpha * (exp(input_scale * input) - 1)``."""
    floats_only("elu_cpu", input)
    low = np.expm1(negative(input) * constant(input_scale, input))
    low *= constant(alpha * scale, input)
    high = positive(input)
    return low + (high if scale == 1 else high * constant(scale, input))


def _again_softplus_grad(g: Any, input: Any, beta: Any, threshold: Any) -> Any:
    return _softplus_grad(g, input, beta, threshold)


@primitive(
    grad=_again_softplus_grad,
    input=lambda g, grad, input, beta, threshold: drop(
        g * grad * (sigmoid(input * beta) * sigmoid(input * -beta) * beta), input * beta >= threshold
    ),
    promote="same",
)
def _softplus_grad(grad: Array, input: Array, beta: float, threshold: float) -> Any:
    """Return the gradient of softplus: ``grad`` where it is linear, else ``grad * sigmoid(beta * input)``."""
    scaled = input if beta == 1 else input * constant(beta, input)
    linear = np.greater(scaled, constant(threshold, input))
    return masks.choose(linear, grad, np.asarray(grad * sigmoid(scaled)))


@primitive(
    input=lambda g, input, beta, threshold: _softplus_grad(g, input, beta, threshold=threshold), promote="same"
)  # fmt: skip
def softplus(input: Array, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Return ``log(1 + exp(beta * input)) / beta``, or ``input`` where ``beta * input`` is above ``threshold``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
    """
    floats_only("softplus_cpu", input)
    x = _single(input)
    edge = constant(threshold, x)
    scaled = x if beta == 1 else x * constant(beta, x)
    soft = np.log1p(np.exp(np.minimum(scaled, edge)))
    if beta != 1:
        soft = soft / constant(beta, x)
    return masks.choose(np.greater(scaled, edge), x, soft).astype(input.dtype, copy=False)


@primitive(input=lambda g, input: g * sigmoid(-input), promote="same", title="LogSigmoidBackward0")
def logsigmoid(input: Array) -> Any:
    """Return ``log(sigmoid(input))``, which does not underflow.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
    """
    floats_only("log_sigmoid_cpu", input)
    input = np.asarray(input, order="C")  # PyTorch's result is contiguous
    return negative(input) - np.log1p(np.exp(-np.abs(input)))


def _wide(x: Any) -> Array:
    """Return ``x`` as an array, half precision as single: what is computed in blocks."""
    return np.asarray(x, np.float32) if x.dtype == _HALF else np.asarray(x)


def _gated(step: Any, scratch: int, input: Any, *others: Any) -> Any:
    """Return what ``step`` writes in blocks, in the dtype of ``input``."""
    made = gate.in_blocks(step, _wide(input), *[_wide(other) for other in others], scratch=scratch)
    return made.astype(input.dtype, copy=False)


def _gated_slope(step: Any, scratch: int, grad: Any, input: Any) -> Any:
    """Return the gradient that ``step`` writes in blocks, in the dtype of ``grad``."""
    if grad.shape != input.shape or grad.dtype != input.dtype:  # as numbers whose shape is still to be settled
        grad = np.broadcast_to(grad, np.broadcast_shapes(grad.shape, input.shape)).astype(input.dtype)
        input = np.broadcast_to(input, grad.shape)
    return _gated(step, scratch, input, grad)


def _silu_curve(g: Any, grad: Any, input: Any) -> Any:
    s = sigmoid(input)
    return g * grad * (s * (1 - s) * (input * (1 - s - s) + 2))


def _again_silu_grad(g: Any, input: Any) -> Any:
    return _silu_grad(g, input)


@primitive(grad=_again_silu_grad, input=_silu_curve, promote="same")
def _silu_grad(grad: Array, input: Array) -> Array:
    """Return the gradient of silu."""
    found: Array = _gated_slope(gate.silu_slope, 1, grad, input)
    return found


@primitive(input=lambda g, input: _silu_grad(g, input=input), promote="same")
def silu(input: Array) -> Array:
    """Return ``input * sigmoid(input)``."""
    floats_only("silu_cpu", input)
    found: Array = _gated(gate.silu, 0, input)
    return found


def _mish_rule(g: Any, input: Any) -> Any:
    t = tanh(softplus(input))
    return g * (t + input * sigmoid(input) * (1 - t * t))


@primitive(input=_mish_rule, promote="same")
def mish(input: Array) -> Any:
    """Return ``input * tanh(softplus(input))``.

    With n = exp(input), tanh(log(1 + n)) = w / (w + 2) where w = n (n + 2); from 20 on that is 1.
    """
    floats_only("mish_cpu", input)
    x = _single(input)
    n = np.exp(np.minimum(x, constant(20, x)))
    w = n * (n + constant(2, x))
    return (x * (w / (w + constant(2, x)))).astype(input.dtype, copy=False)


# ------------------------------------------------------------------ GELU


def _gelu_curve(g: Any, grad: Any, input: Any) -> Any:
    square = input * input
    return g * grad * (exp(square * -0.5) * (2 - square)) * (1 / math.sqrt(2 * math.pi))


def _again_gelu_grad(g: Any, input: Any) -> Any:
    return _gelu_grad(g, input)


@primitive(grad=_again_gelu_grad, input=_gelu_curve, promote="same")
def _gelu_grad(grad: Array, input: Array) -> Any:
    """Return the gradient of gelu."""
    return _gated_slope(gate.gelu_slope, 2, grad, input)


@primitive(input=lambda g, input: _gelu_grad(g, input=input), promote="same", title="GeluBackward0")
def gelu_erf(input: Array) -> Any:
    """Return ``input`` times the share of a normal distribution that lies below it."""
    floats_only("GeluKernelImpl", input)
    return _gated(gate.gelu, 2, input)


def _gelu_tanh_curve(g: Any, grad: Any, input: Any) -> Any:
    square = input * input
    s = sigmoid(input * (square * (2 * gate.CUBE) + 2 * gate.ROOT))
    slope = square * (6 * gate.CUBE) + 2 * gate.ROOT
    bend = slope * 2 + input * (1 - s - s) * slope * slope + square * (12 * gate.CUBE)
    return g * grad * (s * (1 - s) * bend)


def _again_gelu_tanh_grad(g: Any, input: Any) -> Any:
    return _gelu_tanh_grad(g, input)


@primitive(grad=_again_gelu_tanh_grad, input=_gelu_tanh_curve, promote="same")
def _gelu_tanh_grad(grad: Array, input: Array) -> Any:
    """Return the gradient of gelu_tanh."""
    return _gated_slope(gate.gelu_tanh_slope, 2, grad, input)


@primitive(input=lambda g, input: _gelu_tanh_grad(g, input=input), promote="same", title="GeluBackward0")
def gelu_tanh(input: Array) -> Any:
    """Return the approximation of GELU by tanh (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    floats_only("GeluKernelImpl", input)
    return _gated(gate.gelu_tanh, 0, input)


# ------------------------------------------------------------------ gated


def _halves(x: Any, dim: int) -> tuple[Any, Any]:
    """Return both halves of ``x`` along ``dim``."""
    lead = (slice(None),) * dim
    middle = x.shape[dim] // 2
    return x[(*lead, slice(middle))], x[(*lead, slice(middle, None))]


def _glu_rule(g: Any, input: Any, dim: int) -> Any:
    dim = norm_dim(dim, input.ndim)
    value, gate = _halves(input, dim)
    s = sigmoid(gate)
    return cat([g * s, g * value * s * (1 - s)], dim)


@primitive(input=_glu_rule)
def glu(input: Array, dim: int = -1) -> Any:
    """Return the first half along ``dim`` times the sigmoid of the second.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.glu.html
    """
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    floats_only("glu_cpu", input)
    dim = norm_dim(dim, input.ndim)
    size = input.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    value, gate = _halves(input, dim)
    return value * sigmoid(gate)
