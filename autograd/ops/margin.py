"""More losses, put together from other ops: divergences, likelihoods, and margins between scores."""

from __future__ import annotations

import warnings
from math import log as logarithm
from math import pi
from typing import Any

import numpy as np

from ..arguments import plain
from ..dims import array_of
from ..dtypes import dtype_of
from ..primitive import primitive
from .distance import pairwise_distance
from .extrema import minimum
from .nll import take_class
from .pointwise import exp, log, sqrt
from .reduce import mean, sum
from .reduction import as_kind, legacy
from .select import clamp_min, where
from .shape import reshape
from .smooth import logsigmoid


def finished(losses: Any, reduction: str) -> Any:
    """Return the losses of elements, their mean, or their sum."""
    return losses if reduction == "none" else mean(losses) if reduction == "mean" else sum(losses)


@primitive(input=lambda g, input: g * (log(input) + 1), promote="same", title="XlogyBackward0")
def _times_own_log(input: Any) -> Any:
    """Return ``input * log(input)``, which is 0 at 0."""
    return np.where(input == 0, input.dtype.type(0), input * np.log(input))


# ------------------------------------------------------------------ divergence and likelihood


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
    losses = exp(target) * (target - input) if log_target else _times_own_log(target) - target * input
    total = finished(losses, reduction)
    return total / shape[0] if batch and shape else total


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


# ------------------------------------------------------------------ margins


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return ``input`` where ``target`` is 1, and how far it is below ``margin`` where ``target`` is -1.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    far = where(target != 1, clamp_min(as_kind(margin - input, array_of(input, "hinge_embedding_loss").dtype), 0), 0)
    return finished(far + where(target != -1, input, 0), reduction)


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return how much ``target * (input1 - input2)`` is below ``margin``, at least 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    dims = [array_of(x, "margin_ranking_loss").ndim for x in (input1, input2, target)]
    if len(set(dims)) > 1:
        shapes = [list(array_of(x, "margin_ranking_loss").shape) for x in (input1, input2, target)]
        raise RuntimeError(
            f"margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: {shapes[0]}, "
            f"input2: {shapes[1]}, target: {shapes[2]} "
        )
    return finished(
        clamp_min(-target * (input1 - input2) + float(plain("margin_ranking_loss", "margin", margin)), 0), reduction
    )


def soft_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """Return ``log(1 + exp(-target * input))``, the logistic loss for a ``target`` of 1 or -1.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html
    """
    x, t = array_of(input, "soft_margin_loss"), array_of(target, "soft_margin_loss", "target", 2)
    if x.dtype.kind != "f":
        raise RuntimeError(f"result type Float can't be cast to the desired output type {dtype_of(x.dtype).legacy}")
    products = target * input
    if array_of(products, "soft_margin_loss").shape != x.shape:
        raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape with {list(t.shape)}")
    return finished(as_kind(-logsigmoid(products), x.dtype), legacy(size_average, reduce, reduction))


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """Return the binary cross-entropy of each sample, the mean over its classes in the last dim.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return finished(mean(losses if weight is None else losses * weight, -1), reduction)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return the mean over the wrong classes of how much they come within ``margin`` of the right one, to the ``p``.

    ``input`` is (N, C) or (C), ``target`` a class for each sample; ``p`` is 1 or 2.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    x, index = array_of(input, "multi_margin_loss"), array_of(target, "multi_margin_loss", "target", 2)
    if index.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {dtype_of(index.dtype).legacy}")
    batch = x.shape[:-1] or (1,)
    if x.ndim > 2 or (index.shape != batch and (x.ndim == 2 or index.size != 1)):
        raise RuntimeError(
            f"multi_margin_loss: target tensor should be 1-D with a class for each input sample: for input of size "
            f"{list(x.shape)} its size should be {list(batch)}, but it is {list(index.shape)}"
        )
    if not x.ndim:
        input, x = reshape(input, (1,)), x.reshape(1)
    classes = x.shape[-1]
    index = np.array(index, np.int64).reshape(x.shape[:-1])  # a copy: a rule keeps it, the caller may write it
    if index.size and (index.min() < 0 or index.max() >= classes):
        raise RuntimeError("multi_margin_loss: target out of range")
    right = reshape(take_class(input, index, x.ndim - 1), (*x.shape[:-1], 1))
    short = clamp_min(margin - right + input, 0)
    short = short * short if p == 2 else short
    others = (np.arange(classes) != index[..., None]).astype(x.dtype) / x.dtype.type(classes)
    if weight is not None:
        others = others * array_of(weight, "multi_margin_loss", "weight", 5)[index][..., None]
    return finished(sum(short * others, -1), reduction)


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return 1 minus the cosine of two vectors where ``target`` is 1, what exceeds ``margin`` of it where it is -1.

    The vectors lie along the last of one or two dims; ``target`` has the other.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    ndim = array_of(target, "cosine_embedding_loss", "target", 3).ndim
    if ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    for x in (input1, input2):
        if array_of(x, "cosine_embedding_loss").ndim != ndim + 1:
            raise RuntimeError(f"{ndim}D target tensor expects {ndim + 1}D input tensors")
    least = 1e-12
    lengths = (sum(input1 * input1, ndim) + least) * (sum(input2 * input2, ndim) + least)
    cosine = sum(input1 * input2, ndim) / sqrt(lengths)
    losses = where(target == 1, 1 - cosine, 0.0) + where(target == -1, clamp_min(cosine - margin, 0), 0.0)
    return finished(losses, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return how much further ``positive`` is from ``anchor``, plus ``margin``, than ``negative`` is; at least 0.

    With ``swap`` the negative's distance to ``positive`` counts if that is less. ValueError unless ``margin`` > 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return triplet_losses(anchor, positive, negative, margin, p, eps, swap, reduction)


def triplet_losses(
    anchor: Any, positive: Any, negative: Any, margin: float, p: float, eps: float, swap: bool, reduction: str
) -> Any:
    """Return :func:`triplet_margin_loss` of checked arguments."""
    dims = [array_of(x, "triplet_margin_loss").ndim for x in (anchor, positive, negative)]
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return finished(clamp_min(margin + near - far, 0), reduction)
