"""Activations, each one op: piecewise linear ones, those made of exponentials, GELU, and GLU.

``functions/activation.py`` gives those of other signatures the form of ``nn.functional``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array, number
from ....arrays.kernels import activation as kernels
from ....arrays.kernels import mask as masks
from ....autograd.primitive import primitive
from ..common import drop, floats_only, keep, no_bool, zero_gradient
from ..shape.join import cat
from .ternary import _clamp, _where
from .unary import exp, sigmoid, tanh

_LARGE = 2048  # from here on ndarray.clip is faster than a ufunc beside a 0-d array: benchmarks/claims.py


_INF = {each: np.array(np.inf, each) for each in (np.dtype("f2"), np.dtype("f4"), np.dtype("f8"))}


_MINUS_INF = {kind: np.negative(value) for kind, value in _INF.items()}


def _no_bools(name: str, x: Array) -> None:
    if x.dtype.kind == "b":
        raise RuntimeError(f"Boolean inputs not supported for {name}")


def constant(value: float, x: Array) -> Array:
    """Return ``value`` in the dtype of ``x``."""
    return number(float(value), x.dtype)


def positive(x: Any) -> Any:
    """Return the larger of ``x`` and 0; NaN stays."""
    if x.size < _LARGE or x.dtype.kind != "f":
        return np.maximum(x, masks.ZERO[x.dtype])
    return x.clip(masks.ZERO[x.dtype], _INF[x.dtype])


def negative(x: Any) -> Any:
    """Return the smaller of ``x`` and 0; NaN stays."""
    if x.size < _LARGE:
        return np.minimum(x, masks.ZERO[x.dtype])
    return x.clip(_MINUS_INF[x.dtype], masks.ZERO[x.dtype])


# ------------------------------------------------------------------ piecewise linear


@primitive(grad=lambda g, y: relu_grad(g, y), y=zero_gradient, promote="same")
def relu_grad(grad: Array, y: Array) -> Array:
    """Return ``grad`` where the result of relu is positive or NaN, else 0."""
    return masks.drop(grad, np.less_equal(y, masks.ZERO[y.dtype]))


@primitive(input=lambda g, out: relu_grad(g, out), promote="same", doors="torch Tensor Tensor_")
def relu(input: Array) -> Any:
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
    return positive(input)


@primitive(
    grad=lambda g, input, negative_slope: _leaky_relu_grad(g, input, negative_slope),
    input=zero_gradient,
    promote="same",
)
def _leaky_relu_grad(grad: Array, input: Array, negative_slope: float) -> Any:
    """Return ``grad`` where ``input > 0``, else ``grad * negative_slope``."""
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), grad, grad * constant(negative_slope, grad))


@primitive(
    input=lambda g, input, negative_slope: _leaky_relu_grad(g, input, negative_slope),
    promote="same",
    numbers=("negative_slope",),
)
def leaky_relu(input: Array, negative_slope: float) -> Any:
    """Return ``input`` where it is positive, else ``input * negative_slope``."""
    floats_only("leaky_relu_cpu", input)
    low = input * constant(negative_slope, input)
    if 0 < negative_slope <= 1:
        return np.maximum(input, low)
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), input, low)


@primitive(grad=lambda g, input, low, high: _between_grad(g, input, low, high), input=zero_gradient, promote="same")
def _between_grad(grad: Array, input: Array, low: float, high: float) -> Array:
    """Return ``grad`` where ``input`` is strictly between the bounds, as in PyTorch, else 0."""
    return masks.drop(grad, np.less_equal(input, low) | np.greater_equal(input, high))


@primitive(grad=lambda g, input, low, high: _beyond_grad(g, input, low, high), input=zero_gradient, promote="same")
def _beyond_grad(grad: Array, input: Array, low: float, high: float) -> Array:
    """Return 0 where ``input`` is from ``low`` to ``high``, else ``grad``."""
    return masks.drop(grad, np.greater_equal(input, low) & np.less_equal(input, high))


@primitive(
    input=lambda g, input, min_val, max_val: _between_grad(g, input, min_val, max_val),
    promote="same",
    numbers=("min_val", "max_val"),
)
def hardtanh(input: Array, min_val: float, max_val: float) -> Array:
    """Return ``input`` within two numbers."""
    kind = input.dtype
    if kind.kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if kind.kind == "u" and int(min_val) < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    low, high = (constant(v, input) if kind.kind == "f" else number(int(v), kind) for v in (min_val, max_val))
    if input.size < _LARGE:
        return np.minimum(np.maximum(input, low), high)
    return input.clip(low, high)


@primitive(input=lambda g, input: keep(g / 6, (input > -3) & (input < 3)), connected=("input",), promote="same")
def hardsigmoid(input: Array) -> Any:
    """Return ``clamp(input + 3, 0, 6) / 6``."""
    floats_only("hardsigmoid_cpu", input)
    return _six(input) / constant(6, input)


def _six(x: Array) -> Any:
    """Return ``relu6(x + 3)``."""
    return np.minimum(np.maximum(x + constant(3, x), masks.ZERO[x.dtype]), constant(6, x))


@primitive(input=lambda g, input: drop(_where(input < 3, g * (input / 3 + 0.5), g), input <= -3), promote="same")
def hardswish(input: Array) -> Any:
    """Return ``input * clamp(input + 3, 0, 6) / 6``."""
    floats_only("hardswish_cpu", input)
    return input * _six(input) / constant(6, input)


@primitive(
    input=lambda g, input, threshold: _beyond_grad(g, input, -math.inf, threshold),
    promote="same",
    numbers=("threshold", "value"),
)
def threshold(input: Array, threshold: float, value: float) -> Any:
    """Return ``input`` where it is above ``threshold``, else ``value``."""
    no_bool("threshold_cpu", input)
    whole = input.dtype.kind != "f"
    if whole and not (math.isfinite(value) and math.isfinite(threshold)):
        raise RuntimeError(f"value cannot be converted to type {input.dtype} without overflow: {threshold}, {value}")
    other = number(int(value), input.dtype) if whole else constant(value, input)
    return masks.choose(np.less_equal(input, int(threshold) if whole else threshold), other, input)


@primitive(
    input=lambda g, input, lambd: _beyond_grad(g, input, -lambd, lambd),
    promote="same",
    numbers=("lambd",),
    doors="torch Tensor functional",
)
def hardshrink(input: Array, lambd: float = 0.5) -> Array:
    """Return ``input`` with 0 between ``-lambd`` and ``lambd``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html
    """
    floats_only("hardshrink_cpu", input)
    return masks.drop(input, np.less_equal(np.abs(input), constant(lambd, input)))


@primitive(
    input=lambda g, input, lambd: _beyond_grad(g, input, -lambd, lambd),
    promote="same",
    numbers=("lambd",),
    doors="functional",
)
def softshrink(input: Array, lambd: float = 0.5) -> Array:
    """Return ``input`` moved toward 0 by ``lambd``, at most to 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html
    """
    if not 0 <= lambd < math.inf:
        raise RuntimeError(f"lambda must be at least 0 and finite, but found to be {lambd}")
    floats_only("softshrink_cpu", input)
    bound = constant(lambd, input)
    return input - np.minimum(np.maximum(input, -bound), bound)


@primitive(
    input=lambda g, input, weight: _where(input > 0, g, g * weight),
    weight=lambda g, input: drop(g * input, input >= 0),
    promote="same",
    connected=("input",),
    grad_fn_name="PreluKernelBackward0",
)
def prelu(input: Array, weight: Array) -> Any:
    """Return ``input`` where it is positive, else ``input * weight``, broadcast together."""
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), input, np.asarray(input * weight))


_HALF = np.dtype(np.float16)
_EXPONENT = 80  # e to this power is a number in single precision


def _single(x: Array) -> Array:
    """Return half precision as single, in which intermediate results do not overflow."""
    return np.asarray(x, np.float32) if x.dtype == _HALF else x


# ------------------------------------------------------------------ exponentials


def _elu_curve(g: Any, grad: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    below = input < 0
    bend = exp(keep(input, below) * input_scale) * (alpha * scale * input_scale**2)  # above, it would be infinite
    return keep(g * grad * bend, below)


@primitive(
    grad=lambda g, input, alpha, scale, input_scale: _elu_grad(g, input, alpha, scale, input_scale),
    input=_elu_curve,
    promote="same",
)
def _elu_grad(grad: Array, input: Array, alpha: float, scale: float, input_scale: float) -> Any:
    """Return the gradient of :func:`elu`; at 0 that of the negative side."""
    slope = np.exp(negative(input) * constant(input_scale, input)) * constant(alpha * scale * input_scale, input)
    return grad * masks.choose(np.less_equal(input, masks.ZERO[input.dtype]), slope, constant(scale, input))


@primitive(
    input=lambda g, input, alpha, scale, input_scale: _elu_grad(g, input, alpha, scale, input_scale),
    promote="same",
    grad_fn_name=lambda label: label,
    numbers=("alpha", "scale", "input_scale"),
)
def elu(input: Array, alpha: float, scale: float, input_scale: float, label: str) -> Any:
    """Return ``scale * input`` where ``input`` is positive, else ``scale * alpha * (exp(input_scale * input) - 1)``."""
    floats_only("elu_cpu", input)
    low = np.expm1(negative(input) * constant(input_scale, input))
    low *= constant(alpha * scale, input)
    high = positive(input)
    return low + (high if scale == 1 else high * constant(scale, input))


@primitive(
    grad=lambda g, input, beta, threshold: _softplus_grad(g, input, beta, threshold),
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
    input=lambda g, input, beta, threshold: _softplus_grad(g, input, beta, threshold),
    promote="same",
    numbers=("beta", "threshold"),
    doors="functional",
)
def softplus(input: Array, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Return ``log(1 + exp(beta * input)) / beta``, or ``input`` where ``beta * input`` is above ``threshold``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
    """
    floats_only("softplus_cpu", input)
    x = _single(input)
    edge = constant(threshold, x)
    scaled = x if beta == 1 else x * constant(beta, x)
    soft = np.log1p(np.exp(np.minimum(scaled, edge))) if threshold < _EXPONENT else np.logaddexp(scaled, 0)
    if beta != 1:
        soft = soft / constant(beta, x)
    return masks.choose(np.greater(scaled, edge), x, soft).astype(input.dtype, copy=False)


@primitive(
    grad=lambda g, input: _logsigmoid_grad(g, input),
    input=lambda g, grad, input: -(g * grad) * (sigmoid(input) * sigmoid(-input)),
    promote="same",
)
def _logsigmoid_grad(grad: Array, input: Array) -> Any:
    """Return the gradient of logsigmoid. Its own is no difference of numbers near 1."""
    return grad * sigmoid(-input)


@primitive(
    input=lambda g, input: _logsigmoid_grad(g, input),
    promote="same",
    grad_fn_name="LogSigmoidBackward0",
    doors="functional",
)
def logsigmoid(input: Array) -> Any:
    """Return ``log(sigmoid(input))``, which does not underflow.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
    """
    floats_only("log_sigmoid_cpu", input)
    input = np.asarray(input, order="C")  # PyTorch's result is contiguous
    return negative(input) - np.log1p(np.exp(-np.abs(input)))


def _wide(x: Any) -> Array:
    """Return ``x`` as an array for a kernel, half precision as single."""
    return np.asarray(x, np.float32) if x.dtype == _HALF else np.asarray(x)


def _in_blocks(step: Any, scratch: int, input: Any, *others: Any) -> Any:
    """Return the result of the kernel ``step``, run in blocks, in the dtype of ``input``."""
    made = kernels.in_blocks(step, _wide(input), *[_wide(other) for other in others], scratch=scratch)
    return made.astype(input.dtype, copy=False)


def _slope_in_blocks(step: Any, scratch: int, grad: Any, input: Any) -> Any:
    """Return the gradient that the kernel ``step`` computes, run in blocks, in the dtype of ``grad``."""
    if grad.shape != input.shape or grad.dtype != input.dtype:  # as numbers whose shape is still to be settled
        grad = np.broadcast_to(grad, np.broadcast_shapes(grad.shape, input.shape)).astype(input.dtype)
        input = np.broadcast_to(input, grad.shape)
    return _in_blocks(step, scratch, input, grad)


def _silu_curve(g: Any, grad: Any, input: Any) -> Any:
    """Return ``g`` times the second derivative of silu."""
    near = _clamp(input, -800.0, 800.0)  # beyond, it is 0
    s, rest = sigmoid(near), sigmoid(-near)
    return g * grad * (s * rest * (near * (rest - s) + 2))


@primitive(grad=lambda g, input: _silu_grad(g, input), input=_silu_curve, promote="same")
def _silu_grad(grad: Array, input: Array) -> Array:
    """Return the gradient of silu."""
    found: Array = _slope_in_blocks(kernels.silu_slope, 1, grad, input)
    return found


@primitive(input=lambda g, input: _silu_grad(g, input), promote="same")
def silu(input: Array) -> Array:
    """Return ``input * sigmoid(input)``."""
    floats_only("silu_cpu", input)
    found: Array = _in_blocks(kernels.silu, 0, input)
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


_FLAT = 40.0
"""From this distance to 0 on both forms of gelu are straight lines, in every dtype."""


def _gelu_curve(g: Any, grad: Any, input: Any) -> Any:
    near = _clamp(input, -_FLAT, _FLAT)  # beyond, the square may be infinite
    square = near * near
    return g * grad * (exp(square * -0.5) * (2 - square)) * (1 / math.sqrt(2 * math.pi))


@primitive(grad=lambda g, input: _gelu_grad(g, input), input=_gelu_curve, promote="same")
def _gelu_grad(grad: Array, input: Array) -> Any:
    """Return the gradient of gelu."""
    return _slope_in_blocks(kernels.gelu_slope, 2, grad, input)


@primitive(input=lambda g, input: _gelu_grad(g, input), promote="same", grad_fn_name="GeluBackward0")
def gelu_erf(input: Array) -> Any:
    """Return ``input`` times the share of a normal distribution that lies below it."""
    floats_only("GeluKernelImpl", input)
    return _in_blocks(kernels.gelu, 2, input)


def _gelu_tanh_curve(g: Any, grad: Any, input: Any) -> Any:
    near = _clamp(input, -_FLAT, _FLAT)
    square = near * near
    s = sigmoid(near * (square * (2 * kernels.CUBE) + 2 * kernels.ROOT))
    slope = square * (6 * kernels.CUBE) + 2 * kernels.ROOT
    bend = slope * 2 + near * (1 - s - s) * slope * slope + square * (12 * kernels.CUBE)
    return g * grad * (s * (1 - s) * bend)


@primitive(grad=lambda g, input: _gelu_tanh_grad(g, input), input=_gelu_tanh_curve, promote="same")
def _gelu_tanh_grad(grad: Array, input: Array) -> Any:
    """Return the gradient of gelu_tanh."""
    return _slope_in_blocks(kernels.gelu_tanh_slope, 2, grad, input)


@primitive(input=lambda g, input: _gelu_tanh_grad(g, input), promote="same", grad_fn_name="GeluBackward0")
def gelu_tanh(input: Array) -> Any:
    """Return the approximation of GELU by tanh (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    floats_only("GeluKernelImpl", input)
    return _in_blocks(kernels.gelu_tanh, 0, input)


# ------------------------------------------------------------------ GLU


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


@primitive(input=_glu_rule, integers=("dim",), doors="functional")
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
