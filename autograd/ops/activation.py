"""Activations as one step each. ``autograd/activation.py`` gives them the signatures of ``nn.functional``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dims import norm_dim
from ..dtypes import Array, number
from ..kernels import erf as erfs
from ..kernels import mask as masks
from ..primitive import primitive
from .finish import floats_only, no_bool
from .join import cat
from .mask import drop, flat, keep
from .pointwise import exp, sigmoid, tanh
from .select import _where

_LARGE = 2048  # from here on ndarray.clip is faster than a ufunc beside a 0-d array, which does not use SIMD
_INF = {each: np.array(np.inf, each) for each in (np.dtype("f2"), np.dtype("f4"), np.dtype("f8"))}
_HALF = np.dtype(np.float16)


def _no_bools(name: str, x: Array) -> None:
    if x.dtype.kind == "b":
        raise RuntimeError(f"Boolean inputs not supported for {name}")


def _constant(value: float, x: Array) -> Array:
    """Return ``value`` in the dtype of ``x``."""
    return number(float(value), x.dtype)


def _positive(x: Any) -> Array:
    """Return the larger of ``x`` and 0; NaN stays."""
    if x.size < _LARGE or x.dtype.kind != "f":
        return np.maximum(x, masks.ZERO[x.dtype])
    return x.clip(masks.ZERO[x.dtype], _INF[x.dtype])


def _negative(x: Any) -> Array:
    """Return the smaller of ``x`` and 0; NaN stays."""
    if x.size < _LARGE:
        return np.minimum(x, masks.ZERO[x.dtype])
    return x.clip(-_INF[x.dtype], masks.ZERO[x.dtype])


# ------------------------------------------------------------------ made of straight lines


@primitive(grad=lambda g, y: _relu_grad(g, y=y), y=flat, promote="same")
def _relu_grad(grad: Array, y: Array) -> Array:
    """Return ``grad`` where the result of relu is positive or NaN, else 0."""
    return masks.drop(grad, np.less_equal(y, masks.ZERO[y.dtype]))


@primitive(input=lambda g, out: _relu_grad(g, y=out), promote="same")
def relu(input: Array) -> Array:
    """Return the larger of each element and 0. Its gradient at 0 is 0.

    https://pytorch.org/docs/stable/generated/torch.relu.html

    >>> import rushlight as torch
    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if input.size < _LARGE:
        if input.dtype.kind == "b":
            _no_bools("relu", input)
        return np.maximum(input, masks.ZERO[input.dtype])
    _no_bools("relu", input)
    return _positive(input)


@primitive(
    grad=lambda g, input, negative_slope: _leaky_relu_grad(g, input, negative_slope=negative_slope),
    input=flat,
    promote="same",
)
def _leaky_relu_grad(grad: Array, input: Array, negative_slope: float) -> Array:
    """Return ``grad`` where ``input > 0``, else ``grad * negative_slope``."""
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), grad, grad * _constant(negative_slope, grad))


@primitive(
    input=lambda g, input, negative_slope: _leaky_relu_grad(g, input, negative_slope=negative_slope), promote="same"
)  # fmt: skip
def leaky_relu(input: Array, negative_slope: float) -> Array:
    """Return ``input`` where it is positive, else ``input * negative_slope``."""
    floats_only("leaky_relu_cpu", input)
    low = input * _constant(negative_slope, input)
    if 0 < negative_slope <= 1:
        return np.maximum(input, low)
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), input, low)


@primitive(
    grad=lambda g, input, low, high: _between_grad(g, input, low, high=high), input=flat, promote="same"
)  # fmt: skip
def _between_grad(grad: Array, input: Array, low: float, high: float) -> Array:
    """Return ``grad`` strictly between the bounds, where PyTorch draws the line, else 0."""
    return masks.drop(grad, np.less_equal(input, low) | np.greater_equal(input, high))


@primitive(grad=lambda g, input, low, high: _beyond_grad(g, input, low, high=high), input=flat, promote="same")
def _beyond_grad(grad: Array, input: Array, low: float, high: float) -> Array:
    """Return 0 from ``low`` to ``high``, else ``grad``."""
    return masks.drop(grad, np.greater_equal(input, low) & np.less_equal(input, high))


@primitive(input=lambda g, input, min_val, max_val: _between_grad(g, input, min_val, max_val), promote="same")
def hardtanh(input: Array, min_val: float, max_val: float) -> Array:
    """Return ``input`` within two numbers."""
    kind = input.dtype
    if kind.kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if kind.kind == "u" and int(min_val) < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    low, high = (_constant(v, input) if kind.kind == "f" else number(int(v), kind) for v in (min_val, max_val))
    if input.size < _LARGE:
        return np.minimum(np.maximum(input, low), high)
    return input.clip(low, high)


@primitive(input=lambda g, input: keep(g / 6, (input > -3) & (input < 3)), promote="same")
def hardsigmoid(input: Array) -> Array:
    """Return ``clamp(input + 3, 0, 6) / 6``."""
    floats_only("hardsigmoid_cpu", input)
    return _six(input) / _constant(6, input)


def _six(x: Array) -> Array:
    """Return ``x + 3`` within 0 … 6."""
    return np.minimum(np.maximum(x + _constant(3, x), masks.ZERO[x.dtype]), _constant(6, x))


def _hardswish_rule(g: Any, input: Any) -> Any:
    return drop(_where(input < 3, g * (input / 3 + 0.5), _where(input >= 3, g, g)), input <= -3)


@primitive(input=_hardswish_rule, promote="same")
def hardswish(input: Array) -> Array:
    """Return ``input * clamp(input + 3, 0, 6) / 6``."""
    floats_only("hardswish_cpu", input)
    return input * _six(input) / _constant(6, input)


@primitive(input=lambda g, input, threshold: _beyond_grad(g, input, -math.inf, threshold), promote="same")
def threshold(input: Array, threshold: float, value: float) -> Array:
    """Return ``input`` where it is above ``threshold``, else ``value``."""
    no_bool("threshold_cpu", input)
    whole = input.dtype.kind != "f"
    other = number(int(value), input.dtype) if whole else _constant(value, input)
    return masks.choose(np.less_equal(input, int(threshold) if whole else threshold), other, input)


@primitive(
    input=lambda g, input, lambd: _beyond_grad(g, input, -lambd, lambd), promote="same"
)  # fmt: skip
def hardshrink(input: Array, lambd: float = 0.5) -> Array:
    """Return ``input`` with 0 between ``-lambd`` and ``lambd``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html
    """
    floats_only("hardshrink_cpu", input)
    return masks.drop(input, np.less_equal(np.abs(input), _constant(lambd, input)))


@primitive(
    input=lambda g, input, lambd: _beyond_grad(g, input, -lambd, lambd), promote="same"
)  # fmt: skip
def softshrink(input: Array, lambd: float = 0.5) -> Array:
    """Return ``input`` moved toward 0 by ``lambd``, at most to 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}")
    floats_only("softshrink_cpu", input)
    bound = _constant(lambd, input)
    return input - np.minimum(np.maximum(input, -bound), bound)


@primitive(
    input=lambda g, input, weight: _where(input > 0, g, g * weight),
    weight=lambda g, input: drop(g * input, input >= 0),
    promote="same",
    title="PreluKernelBackward0",
)
def prelu(input: Array, weight: Array) -> Array:
    """Return ``input`` where it is positive, else ``input * weight``, broadcast together."""
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), input, np.asarray(input * weight))


# ------------------------------------------------------------------ made of exponentials


def _elu_curve(g: Any, grad: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    bend = exp(input * input_scale) * (alpha * scale * input_scale**2)
    return keep(g * grad * bend, input < 0)


@primitive(
    grad=lambda g, input, alpha, scale, input_scale: _elu_grad(g, input, alpha, scale, input_scale=input_scale),
    input=_elu_curve,
    promote="same",
)
def _elu_grad(grad: Array, input: Array, alpha: float, scale: float, input_scale: float) -> Array:
    """Return the gradient of :func:`elu`; at 0 that of the negative side."""
    slope = np.exp(_negative(input) * _constant(input_scale, input)) * _constant(alpha * scale * input_scale, input)
    return grad * masks.choose(np.less_equal(input, masks.ZERO[input.dtype]), slope, _constant(scale, input))


def _elu_title(label: str) -> str:
    return label


@primitive(
    input=lambda g, input, alpha, scale, input_scale: _elu_grad(g, input, alpha, scale, input_scale=input_scale),
    promote="same",
    title=_elu_title,
)
def elu(input: Array, alpha: float, scale: float, input_scale: float, label: str) -> Array:
    """Return ``scale * input`` where ``input`` is positive, else ``scale * alpha * (exp(input_scale * input) - 1)``."""
    floats_only("elu_cpu", input)
    low = np.expm1(_negative(input) * _constant(input_scale, input))
    low *= _constant(alpha * scale, input)
    high = _positive(input)
    return low + (high if scale == 1 else high * _constant(scale, input))


@primitive(
    grad=lambda g, input, beta, threshold: _softplus_grad(g, input, beta, threshold=threshold),
    input=lambda g, grad, input, beta, threshold: drop(
        g * grad * (sigmoid(input * beta) * sigmoid(input * -beta) * beta), input * beta >= threshold
    ),
    promote="same",
)
def _softplus_grad(grad: Array, input: Array, beta: float, threshold: float) -> Array:
    """Return the gradient of softplus: ``grad`` where it is linear, else ``grad * sigmoid(beta * input)``."""
    scaled = input if beta == 1 else input * _constant(beta, input)
    linear = np.greater(scaled, _constant(threshold, input))
    return masks.choose(linear, grad, np.asarray(grad * sigmoid(scaled)))


@primitive(
    input=lambda g, input, beta, threshold: _softplus_grad(g, input, beta, threshold=threshold), promote="same"
)  # fmt: skip
def softplus(input: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Return ``log(1 + exp(beta * input)) / beta``, or ``input`` where ``beta * input`` is above ``threshold``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
    """
    floats_only("softplus_cpu", input)
    edge = _constant(threshold, input)
    scaled = input if beta == 1 else input * _constant(beta, input)
    soft = np.log1p(np.exp(np.minimum(scaled, edge)))
    if beta != 1:
        soft = soft / _constant(beta, input)
    return masks.choose(np.greater(scaled, edge), input, soft)


@primitive(input=lambda g, input: g * sigmoid(-input), promote="same", title="LogSigmoidBackward0")
def logsigmoid(input: Array) -> Array:
    """Return ``log(sigmoid(input))``, which does not underflow.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
    """
    floats_only("log_sigmoid_cpu", input)
    return _negative(input) - np.log1p(np.exp(-np.abs(input)))


def _silu_curve(g: Any, grad: Any, input: Any) -> Any:
    s = sigmoid(input)
    return g * grad * (s * (1 - s) * (input * (1 - s - s) + 2))


@primitive(grad=lambda g, input: _silu_grad(g, input=input), input=_silu_curve, promote="same")
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
def mish(input: Array) -> Array:
    """Return ``input * tanh(softplus(input))``.

    With n = exp(input), tanh(log(1 + n)) = w / (w + 2) where w = n (n + 2); from 20 on that is 1.
    """
    floats_only("mish_cpu", input)
    x = np.asarray(input, np.float32) if input.dtype == _HALF else input
    n = np.exp(np.minimum(x, _constant(20, x)))
    w = n * (n + _constant(2, x))
    return (x * (w / (w + _constant(2, x)))).astype(input.dtype, copy=False)


# ------------------------------------------------------------------ GELU


def _gelu_curve(g: Any, grad: Any, input: Any) -> Any:
    square = input * input
    return g * grad * (exp(square * -0.5) * (2 - square)) * (1 / math.sqrt(2 * math.pi))


def _normal_share(x: Array) -> Array:
    """Return the share of a standard normal distribution below ``x``."""
    share = erfs.erf(x * _constant(math.sqrt(0.5), x))
    share += masks.ONE[share.dtype]
    share *= _constant(0.5, share)
    return share


@primitive(grad=lambda g, input: _gelu_grad(g, input=input), input=_gelu_curve, promote="same")
def _gelu_grad(grad: Array, input: Array) -> Array:
    """Return the gradient of gelu."""
    slope = np.exp(input * input * _constant(-0.5, input))
    slope *= _constant(1 / math.sqrt(2 * math.pi), input)
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
def gelu_tanh(input: Array) -> Array:
    """Return the approximation of GELU by tanh (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    floats_only("GeluKernelImpl", input)
    x = np.asarray(input, np.float32) if input.dtype == _HALF else input
    t = x * x
    t *= _constant(_CUBE, x)
    t += _constant(_ROOT, x)
    t *= x
    t = np.tanh(t)
    t += masks.ONE[x.dtype]
    t *= x
    t *= _constant(0.5, x)
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
def glu(input: Array, dim: int = -1) -> Array:
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
