"""Activations made of exponentials, as one step each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dims import norm_dim
from ..dtypes import Array
from ..kernels import erf as erfs
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
    return negative(input) - np.log1p(np.exp(-np.abs(input)))


def _silu_curve(g: Any, grad: Any, input: Any) -> Any:
    s = sigmoid(input)
    return g * grad * (s * (1 - s) * (input * (1 - s - s) + 2))


def _again_silu_grad(g: Any, input: Any) -> Any:
    return _silu_grad(g, input)


@primitive(grad=_again_silu_grad, input=_silu_curve, promote="same")
def _silu_grad(grad: Array, input: Array) -> Array:
    """Return the gradient of silu."""
    s = sigmoid(input)
    slope = masks.ONE[s.dtype] - s
    slope *= input
    slope += masks.ONE[s.dtype]
    slope *= s
    slope *= grad
    return slope


@primitive(input=lambda g, input: _silu_grad(g, input=input), promote="same")
def silu(input: Array) -> Array:
    """Return ``input * sigmoid(input)``."""
    floats_only("silu_cpu", input)
    out = sigmoid(input)
    out *= input
    return out


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


def _normal_share(x: Array) -> Array:
    """Return the share of a standard normal distribution below ``x``."""
    share = erfs.erf(x * constant(math.sqrt(0.5), x))
    share += masks.ONE[share.dtype]
    share *= constant(0.5, share)
    return share


def _again_gelu_grad(g: Any, input: Any) -> Any:
    return _gelu_grad(g, input)


@primitive(grad=_again_gelu_grad, input=_gelu_curve, promote="same")
def _gelu_grad(grad: Array, input: Array) -> Any:
    """Return the gradient of gelu."""
    slope = np.exp(input * input * constant(-0.5, input))
    slope *= constant(1 / math.sqrt(2 * math.pi), input)
    slope *= input
    slope += _normal_share(input)
    slope *= grad
    return slope


@primitive(input=lambda g, input: _gelu_grad(g, input=input), promote="same", title="GeluBackward0")
def gelu_erf(input: Array) -> Array:
    """Return ``input`` times the share of a normal distribution that lies below it."""
    floats_only("GeluKernelImpl", input)
    out = _normal_share(input)
    out *= input
    return out


_ROOT = math.sqrt(2 / math.pi)
_CUBE = 0.044715 * _ROOT


def _gelu_tanh_rule(g: Any, input: Any) -> Any:
    square = input * input
    t = tanh(input * (square * _CUBE + _ROOT))
    slope = input * (square * (3 * _CUBE) + _ROOT)
    return g * ((t + 1) * 0.5 + (1 - t * t) * slope * 0.5)


@primitive(input=_gelu_tanh_rule, promote="same", title="GeluBackward0")
def gelu_tanh(input: Array) -> Any:
    """Return the approximation of GELU by tanh (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    floats_only("GeluKernelImpl", input)
    x = _single(input)
    t = x * x
    t *= constant(_CUBE, x)
    t += constant(_ROOT, x)
    t *= x
    t = np.tanh(t)
    t += masks.ONE[x.dtype]
    t *= x
    t *= constant(0.5, x)
    return t.astype(input.dtype, copy=False)


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
