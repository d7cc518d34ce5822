"""Activations made of straight lines, as one step each.

``autograd/activation.py`` gives them the signatures of ``nn.functional``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, number
from ..kernels import mask as masks
from ..primitive import primitive
from .finish import floats_only, no_bool
from .mask import drop, flat, keep
from .select import _where

_LARGE = 2048  # from here on ndarray.clip is faster than a ufunc beside a 0-d array, which does not use SIMD
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


# ------------------------------------------------------------------ made of straight lines


def _again_relu_grad(g: Any, y: Any) -> Any:
    return _relu_grad(g, y)


@primitive(grad=_again_relu_grad, y=flat, promote="same")
def _relu_grad(grad: Array, y: Array) -> Array:
    """Return ``grad`` where the result of relu is positive or NaN, else 0."""
    return masks.drop(grad, np.less_equal(y, masks.ZERO[y.dtype]))


@primitive(input=lambda g, out: _relu_grad(g, y=out), promote="same")
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


def _again_leaky_relu_grad(g: Any, input: Any, negative_slope: Any) -> Any:
    return _leaky_relu_grad(g, input, negative_slope)


@primitive(
    grad=_again_leaky_relu_grad,
    input=flat,
    promote="same",
)
def _leaky_relu_grad(grad: Array, input: Array, negative_slope: float) -> Any:
    """Return ``grad`` where ``input > 0``, else ``grad * negative_slope``."""
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), grad, grad * constant(negative_slope, grad))


@primitive(
    input=lambda g, input, negative_slope: _leaky_relu_grad(g, input, negative_slope=negative_slope), promote="same"
)  # fmt: skip
def leaky_relu(input: Array, negative_slope: float) -> Any:
    """Return ``input`` where it is positive, else ``input * negative_slope``."""
    floats_only("leaky_relu_cpu", input)
    low = input * constant(negative_slope, input)
    if 0 < negative_slope <= 1:
        return np.maximum(input, low)
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), input, low)


def _again_between_grad(g: Any, input: Any, low: Any, high: Any) -> Any:
    return _between_grad(g, input, low, high)


@primitive(
    grad=_again_between_grad, input=flat, promote="same"
)  # fmt: skip
def _between_grad(grad: Array, input: Array, low: float, high: float) -> Array:
    """Return ``grad`` strictly between the bounds, where PyTorch draws the line, else 0."""
    return masks.drop(grad, np.less_equal(input, low) | np.greater_equal(input, high))


def _again_beyond_grad(g: Any, input: Any, low: Any, high: Any) -> Any:
    return _beyond_grad(g, input, low, high)


@primitive(grad=_again_beyond_grad, input=flat, promote="same")
def _beyond_grad(grad: Array, input: Array, low: float, high: float) -> Array:
    """Return 0 from ``low`` to ``high``, else ``grad``."""
    return masks.drop(grad, np.greater_equal(input, low) & np.less_equal(input, high))


@primitive(input=lambda g, input, min_val, max_val: _between_grad(g, input, min_val, high=max_val), promote="same")
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


@primitive(input=lambda g, input: keep(g / 6, (input > -3) & (input < 3)), promote="same")
def hardsigmoid(input: Array) -> Any:
    """Return ``clamp(input + 3, 0, 6) / 6``."""
    floats_only("hardsigmoid_cpu", input)
    return _six(input) / constant(6, input)


def _six(x: Array) -> Any:
    """Return ``x + 3`` within 0 … 6."""
    return np.minimum(np.maximum(x + constant(3, x), masks.ZERO[x.dtype]), constant(6, x))


def _hardswish_rule(g: Any, input: Any) -> Any:
    return drop(_where(input < 3, g * (input / 3 + 0.5), g), input <= -3)


@primitive(input=_hardswish_rule, promote="same")
def hardswish(input: Array) -> Any:
    """Return ``input * clamp(input + 3, 0, 6) / 6``."""
    floats_only("hardswish_cpu", input)
    return input * _six(input) / constant(6, input)


@primitive(input=lambda g, input, threshold: _beyond_grad(g, input, -math.inf, threshold), promote="same")
def threshold(input: Array, threshold: float, value: float) -> Any:
    """Return ``input`` where it is above ``threshold``, else ``value``."""
    no_bool("threshold_cpu", input)
    whole = input.dtype.kind != "f"
    if whole and not (math.isfinite(value) and math.isfinite(threshold)):
        raise RuntimeError(f"value cannot be converted to type {input.dtype} without overflow: {threshold}, {value}")
    other = number(int(value), input.dtype) if whole else constant(value, input)
    return masks.choose(np.less_equal(input, int(threshold) if whole else threshold), other, input)


@primitive(
    input=lambda g, input, lambd: _beyond_grad(g, input, -lambd, lambd), promote="same"
)  # fmt: skip
def hardshrink(input: Array, lambd: float = 0.5) -> Array:
    """Return ``input`` with 0 between ``-lambd`` and ``lambd``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html
    """
    floats_only("hardshrink_cpu", input)
    return masks.drop(input, np.less_equal(np.abs(input), constant(lambd, input)))


@primitive(
    input=lambda g, input, lambd: _beyond_grad(g, input, -lambd, lambd), promote="same"
)  # fmt: skip
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
    title="PreluKernelBackward0",
)
def prelu(input: Array, weight: Array) -> Any:
    """Return ``input`` where it is positive, else ``input * weight``, broadcast together."""
    return masks.choose(np.greater(input, masks.ZERO[input.dtype]), input, np.asarray(input * weight))
