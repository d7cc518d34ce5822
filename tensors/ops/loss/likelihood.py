"""The Kullback-Leibler divergence, and the negative log-likelihoods of Poisson and Gaussian distributions."""

from __future__ import annotations

import warnings
from math import log as logarithm
from math import pi
from typing import Any

import numpy as np

from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from ..backward_ops import as_array, masked
from ..elementwise.ternary import where
from ..elementwise.unary import exp, log
from ..shape.views import reshape
from .common import finished, legacy


@primitive(input=lambda g, input: g * (log(input) + 1), promote="same", grad_fn_name="XlogyBackward0")
def _times_own_log(input: Any) -> Any:
    """Return ``input * log(input)``, which is 0 at 0."""
    return np.where(input == 0, input.dtype.type(0), input * np.log(input))


def _divergence(input: Any, target: Any) -> Any:
    """Return ``target * (log(target) - input)``, which is 0 where ``target`` is 0, whatever ``input`` is."""
    product, endless = target * input, np.isneginf(as_array(input))
    if endless.any():
        product = masked(product, ~(endless & (as_array(target) == 0)))
    return _times_own_log(target) - product


def _divergence_of_logs(input: Any, target: Any) -> Any:
    """Return ``exp(target) * (target - input)``, which is 0 where ``target`` is -inf, whatever ``input`` is."""
    idle = np.isneginf(as_array(target))
    if not idle.any():
        return exp(target) * (target - input)
    difference = target - input
    return exp(target) * masked(difference, np.broadcast_to(~idle, difference.shape))


@doors("functional")
def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """Return the Kullback-Leibler divergence ``target * (log(target) - input)``; ``input`` holds log-probabilities.

    With ``log_target`` so does ``target``. ``reduction``: "batchmean" (the mathematical definition), "sum", "none", or
    "mean" over all elements, which warns.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
    """
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    batch = reduction == "batchmean"
    reduction = legacy(size_average, reduce, "sum" if batch else reduction)
    shape = array_of(input, "kl_div").shape
    for one in (input, array_of(target, "kl_div", "target", 2)):
        kind = array_of(one, "kl_div").dtype
        if kind.kind != "f":
            raise RuntimeError(f"kl_div: Integral inputs not supported, but got {kind}")
    losses = _divergence_of_logs(input, target) if log_target else _divergence(input, target)
    total = finished(losses, reduction)
    return total / shape[0] if batch and shape else total


@doors("functional")
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return the negative log-likelihood of counts ``target`` under a Poisson of rate ``exp(input)`` or ``input``.

    ``full`` adds Stirling's approximation of log(target!) where ``target`` is above 1.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = target * log(target) - target + 0.5 * log(2 * pi * target)
        losses = losses + where(target > 1, stirling, 0.0)
    return finished(losses, reduction)


@doors("functional")
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Return the negative log-likelihood of ``target`` under normals of mean ``input`` and variance ``var``.

    ``var`` has the shape of ``input``, or lacks its last dim, or has one dim of size 1, or is a number. It counts as at
    least ``eps``. ``full`` adds the constant term. Raises ValueError for a negative or ill-shaped ``var``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
    """
    x = array_of(input, "gaussian_nll_loss")
    if isinstance(var, float):
        v: Any = np.full(x.shape, var, x.dtype)
        var = input * 0 + v
    else:
        v = array_of(var, "gaussian_nll_loss", "var", 3)
    if (v < 0).any():
        raise ValueError("var has negative entry/entries")
    if v.shape != x.shape:
        if x.shape[:-1] == v.shape:
            var = reshape(var, (*v.shape, 1))
        elif x.ndim != v.ndim or [m for n, m in zip(x.shape, v.shape, strict=True) if n != m] != [1]:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    v = array_of(var, "gaussian_nll_loss")
    var = var + (np.maximum(v, v.dtype.type(eps)) - v)
    losses = 0.5 * (log(var) + (input - target) * (input - target) / var)
    return finished(losses + 0.5 * logarithm(2 * pi) if full else losses, reduction)
