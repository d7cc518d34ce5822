"""Losses between two tensors of one shape: squared, absolute, and mixtures of both; and of probabilities.

Each is one node: the difference, the loss and the mean in one go.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array, dtype_of, result_numpy
from ....autograd.arguments import array_of, as_number
from ....autograd.broadcast import expand_to
from ....autograd.primitive import primitive
from ...doors import doors
from ..common import as_kind, keep
from ..elementwise.activation import logsigmoid
from ..elementwise.rounding import abs as absolute
from ..elementwise.rounding import sgn
from ..elementwise.ternary import clamp_min
from ..elementwise.unary import log, sigmoid
from ..reduce.sums import mean, sum
from ..shape.join import broadcast
from .common import each, legacy, no_gradient, pair, reduced

_REDUCED = {"none": "Abs", "mean": "Mean", "sum": "Sum"}

# ------------------------------------------------------------------ squared


def _mse_rule(g: Any, input: Any, target: Any, reduction: str) -> Any:
    return (each(g, reduction, input.shape) * 2) * (input - target)


@primitive(
    input=_mse_rule,
    target=lambda g, input, target, reduction: _mse_rule(g, target, input, reduction),
)
def _mse_loss(input: Array, target: Array, reduction: str) -> Any:
    """Return the squared differences, reduced."""
    difference = input - target
    if reduction == "none" or difference.dtype.char == "e":
        return reduced(difference * difference, reduction)
    flat = difference.reshape(-1)
    total = flat.dot(flat)
    return total if reduction == "sum" else total / flat.dtype.type(flat.size)


@doors("functional")
def mse_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Return the mean of the squared differences, or their sum, or each of them, as ``reduction`` says.

    ``weight``, of the same shape: the mean becomes a weighted one. Warns if the shapes differ. Raises
    NotImplementedError for integers.

    >>> import rushlight as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)

    https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    _check_weight(weight, input)
    input, target = pair("mse_loss", "mse_cpu", input, target)
    if weight is None:
        return _mse_loss(input, target, reduction)
    return _weighted(_mse_loss(input, target, "none"), weight, reduction)


def _check_weight(weight: Any, input: Any) -> None:
    """Raise ValueError unless there is no weight, or one for each element of ``input``."""
    if weight is not None and array_of(weight, "loss", "weight").shape != array_of(input, "loss").shape:
        raise ValueError("Weights and input must have the same size.")


def _weighted(losses: Any, weight: Any, reduction: str) -> Any:
    """Return the losses times their weights; the mean is over the sum of the weights."""
    if array_of(weight, "loss", "weight").shape != array_of(losses, "loss").shape:
        raise ValueError("Weights and input must have the same size.")
    weighted = losses * weight
    if reduction == "none":
        return weighted
    return sum(weighted) if reduction == "sum" else sum(weighted) / sum(weight)


# ------------------------------------------------------------------ absolute


def _l1_rule(g: Any, input: Any, target: Any, reduction: str) -> Any:
    return each(g, reduction, input.shape) * sgn(input - target)


@primitive(
    input=_l1_rule,
    target=lambda g, input, target, reduction: _l1_rule(g, target, input, reduction),
    grad_fn_name=lambda reduction: f"{_REDUCED[reduction]}Backward0",
)
def _l1_loss(input: Array, target: Array, reduction: str) -> Any:
    """Return the absolute differences, reduced."""
    return reduced(np.abs(input - target), reduction)


@doors("functional")
def l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Return the mean of the absolute differences, or their sum, or each of them. Where they are 0, so is the gradient.

    ``weight`` as in :func:`mse_loss`. Warns if the shapes differ.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    _check_weight(weight, input)
    kinds = array_of(input, "l1_loss").dtype.kind, array_of(target, "l1_loss", "target", 2).dtype.kind
    if "b" in kinds:
        raise RuntimeError("Subtraction, the `-` operator, with a bool tensor is not supported.")
    if "f" not in kinds and (weight is not None or reduction != "mean"):
        distance = absolute(input - target)
        if weight is not None:
            return _weighted(distance, weight, reduction)
        return sum(distance) if reduction == "sum" else distance
    input, target = pair("l1_loss", "mean", input, target)
    if weight is None:
        return _l1_loss(input, target, reduction)
    return _weighted(_l1_loss(input, target, "none"), weight, reduction)


# ------------------------------------------------------------------ squared near zero, absolute beyond


def _clipped_rule(g: Any, input: Any, target: Any, width: float) -> Any:
    distance = input - target
    return keep(expand_to(g, distance.shape), (distance < width) * (distance > -width))


@primitive(
    input=_clipped_rule,
    target=lambda g, input, target, width: -_clipped_rule(g, input, target, width),
    grad_fn_name="HuberLossBackwardBackward0",
    numbers=("width",),
)
def clipped_difference(input: Array, target: Array, width: float) -> Any:
    """Return ``input - target``, at most ``width`` and at least ``-width``: the slope of the Huber loss."""
    return np.clip(input - target, -width, width)


def _huber_rule(g: Any, input: Any, target: Any, reduction: str, width: float, scale: float) -> Any:
    return (each(g, reduction, input.shape) / scale) * clipped_difference(input, target, width)


@primitive(
    input=_huber_rule,
    target=lambda g, input, target, reduction, width, scale: _huber_rule(g, target, input, reduction, width, scale),
    grad_fn_name=lambda name: name,
    numbers=("width", "scale"),
)
def _huber(input: Array, target: Array, reduction: str, width: float, scale: float, name: str) -> Any:
    """Return d * d / 2 for a difference d up to ``width``, else ``width * (|d| - width / 2)``; over ``scale``."""
    distance = np.abs(input - target)
    small = np.minimum(distance, width)
    return reduced(small * (distance - small * 0.5) / scale, reduction)


@doors("functional")
def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """Return the loss that is squared, over ``2 * beta``, for differences up to ``beta``, and absolute beyond.

    RuntimeError for a negative ``beta``; with 0 it is :func:`l1_loss`. Girshick, Fast R-CNN, 2015, section 2.3.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    beta = as_number("smooth_l1_loss", "beta", beta)
    input, target = pair("smooth_l1_loss", "smooth_l1_cpu", input, target)
    if beta == 0:
        return _l1_loss(input, target, reduction)
    return _huber(input, target, reduction, beta, beta, "SmoothL1LossBackward0")


@doors("functional")
def huber_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Any = None,
) -> Any:
    """Return the loss that is half the square for differences up to ``delta``, and linear beyond.

    RuntimeError unless ``delta`` is positive. Huber, Robust Estimation of a Location Parameter, 1964.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
    """
    legacy(None, None, reduction)
    _check_weight(weight, input)
    delta = as_number("huber_loss", "delta", delta)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    kind = array_of(input, "huber_loss").dtype
    input, target = pair("huber_loss", "huber_cpu", input, target)
    if kind.kind == "f":
        input, target = as_kind(input, kind), as_kind(target, kind)
    if weight is None:
        return _huber(input, target, reduction, delta, 1.0, "HuberLossBackward0")
    losses = _weighted(_huber(input, target, "none", delta, 1.0, "HuberLossBackward0"), weight, "none")
    return losses if reduction == "none" else sum(losses) if reduction == "sum" else mean(losses)


# ------------------------------------------------------------------ two classes: binary cross-entropy

_LEAST = 1e-12
"""The least that ``input * (1 - input)`` may be where it divides: PyTorch's number."""


def _slope_rule(g: Any, input: Any, target: Any) -> Any:
    below = clamp_min(input - input * input, _LEAST)
    return g * (input * input - 2 * target * input + target) / (below * below)


@primitive(
    input=_slope_rule,
    target=lambda g, input: -g / clamp_min(input - input * input, _LEAST),
    grad_fn_name="BinaryCrossEntropyBackwardBackward0",
)
def bce_slope(input: Array, target: Array) -> Any:
    """Return the derivative of the binary cross-entropy of each element."""
    return (input - target) / np.maximum(input - input * input, _LEAST)


def _bce_rule(g: Any, input: Any, target: Any, weight: Any, reduction: str) -> Any:
    g = each(g, reduction, input.shape) * bce_slope(input, target)
    return g if weight is None else g * weight


def _bce_target(g: Any, input: Any, weight: Any, reduction: str) -> Any:
    g = each(g, reduction, input.shape) * (log(1 - input) - log(input))
    return g if weight is None else g * weight


@primitive(input=_bce_rule, target=_bce_target, weight=None, grad_fn_name="BinaryCrossEntropyBackward0")
def _binary_cross_entropy(input: Array, target: Array, weight: Any = None, *, reduction: str = "mean") -> Any:
    """Return the loss of probabilities; logarithms are at least -100."""
    if not ((input >= 0) & (input <= 1)).all():
        raise RuntimeError("all elements of input should be between 0 and 1")
    loss = (target - 1) * np.maximum(np.log1p(-input), -100) - target * np.maximum(np.log(input), -100)
    return reduced(loss if weight is None else loss * weight, reduction)


@doors("functional")
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return the cross-entropy of probabilities ``input`` with ``target``, both of one shape and float dtype.

    ``weight`` broadcasts. Raises RuntimeError for numbers outside 0 to 1, ValueError if the shapes differ.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
    """
    reduction = legacy(size_average, reduce, reduction)
    x, t = array_of(input, "binary_cross_entropy"), array_of(target, "binary_cross_entropy", "target", 2)
    if x.shape != t.shape:
        raise ValueError(
            f"Using a target size (torch.Size({list(t.shape)})) that is different to the input size "
            f"(torch.Size({list(x.shape)})) is deprecated. Please ensure they have the same size."
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"binary_cross_entropy\" not implemented for '{dtype_of(x.dtype).legacy}'")
    for one in (target, weight):
        if one is not None and (kind := array_of(one, "binary_cross_entropy").dtype) != x.dtype:
            raise RuntimeError(f"Found dtype {dtype_of(kind).legacy} but expected {dtype_of(x.dtype).legacy}")
    no_gradient("binary_cross_entropy", weight=weight)
    if weight is not None and array_of(weight, "binary_cross_entropy", "weight", 3).shape != x.shape:
        weight = broadcast(weight, input)[0]
    return _binary_cross_entropy(input, target, weight, reduction=reduction)


def _logits_rule(g: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    if pos_weight is None:
        slope = sigmoid(input) - target
    else:
        slope = 1 - target - (1 + (pos_weight - 1) * target) * sigmoid(-input)
    g = each(g, reduction, slope.shape) * slope
    return g if weight is None else g * weight


def _logits_target(g: Any, input: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    slope = -input if pos_weight is None else (1 - pos_weight) * logsigmoid(input) - input
    g = each(g, reduction, slope.shape) * slope
    return g if weight is None else g * weight


@primitive(input=_logits_rule, target=_logits_target, weight=None, pos_weight=None)
def _binary_cross_entropy_with_logits(
    input: Array, target: Array, weight: Any = None, pos_weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """Return the loss of numbers before the sigmoid, without overflow."""
    small = np.log1p(np.exp(-np.abs(input))) - np.minimum(input, 0)
    loss = small if pos_weight is None else small * (1 + (pos_weight - 1) * target)
    loss = loss + (1 - target) * input
    return reduced(loss if weight is None else loss * weight, reduction)


@doors("functional")
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Return the cross-entropy of ``sigmoid(input)`` with ``target``, exact for large numbers too.

    ``pos_weight`` is how much a target of 1 counts more than one of 0; it broadcasts, as does ``weight``. Raises
    ValueError if the shapes of ``input`` and ``target`` differ.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
    """
    name = "binary_cross_entropy_with_logits"
    reduction = legacy(size_average, reduce, reduction)
    x, t = array_of(input, name), array_of(target, name, "target", 2)
    if x.shape != t.shape:
        raise ValueError(
            f"Target size (torch.Size({list(t.shape)})) must be the same as input size (torch.Size({list(x.shape)}))"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"log_sigmoid_cpu\" not implemented for '{dtype_of(x.dtype).legacy}'")
    if t.dtype.kind != "f":
        raise RuntimeError(
            f"result type {dtype_of(x.dtype).legacy} can't be cast to the desired output type "
            f"{dtype_of(t.dtype).legacy}"
        )
    no_gradient(name, weight=weight, pos_weight=pos_weight)
    kind = result_numpy(x, t)
    input, target = as_kind(input, kind), as_kind(target, kind)
    return _binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction=reduction)
