"""Losses that ask for a margin: between classes, labels, pairs and triplets."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from ....arrays.dtypes import dtype_of
from ....arrays.kernels.magnitude import scale
from ....autograd.arguments import array_of, as_number
from ...doors import doors
from ..backward_ops import add_reduce, as_array
from ..common import as_kind, keep
from ..elementwise.activation import logsigmoid, relu
from ..elementwise.ternary import clamp_min, where
from ..elementwise.unary import sqrt
from ..index.scatter import gather
from ..reduce.extrema import minimum
from ..reduce.sums import mean, sum
from ..shape.views import reshape
from .common import REDUCTIONS, finished, legacy
from .cross_entropy import take_class
from .distance import pairwise_distance

# ------------------------------------------------------------------ classes and labels


@doors("functional")
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


@doors("functional")
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
    classes, index_shape = x.shape[-1], index.shape
    index = np.array(index, np.int64).reshape(x.shape[:-1])  # a copy: a rule keeps it, the caller may write it
    if index.size and (index.min() < 0 or index.max() >= classes):
        raise RuntimeError("multi_margin_loss: target out of range")
    right = reshape(take_class(input, index, x.ndim - 1), (*x.shape[:-1], 1))
    short = clamp_min(margin - right + input, 0)
    short = short * short if p == 2 else short
    others = (np.arange(classes) != index[..., None]).astype(x.dtype) / x.dtype.type(classes)
    if weight is not None:
        others = others * array_of(weight, "multi_margin_loss", "weight", 5)[index][..., None]
    losses = sum(short * others, -1)
    return finished(reshape(losses, index_shape) if x.ndim == 1 else losses, reduction)


@doors("functional")
def multilabel_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """Return the mean over the classes of how much each that is no label comes within 1 of each that is one.

    ``input`` is (N, C) or (C); ``target``, int64 of that shape, lists the labels of a sample up to the first -1. Raises
    RuntimeError for another shape and for labels that are no classes.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html

    >>> import rushlight as torch
    >>> scores, labels = torch.tensor([0.1, 0.2, 0.4, 0.8]), torch.tensor([3, 0, -1, 1])
    >>> torch.nn.functional.multilabel_margin_loss(scores, labels)
    tensor(0.8500)
    """
    reduction = legacy(size_average, reduce, reduction)
    x, labels = array_of(input, "multilabel_margin_loss"), array_of(target, "multilabel_margin_loss", "target", 2)
    if x.ndim > 2 or labels.shape != x.shape or (x.ndim and x.shape[-1] == 0):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size and a target of its shape, but got "
            f"{list(x.shape)} and {list(labels.shape)}"
        )
    if labels.dtype != np.int64:
        raise RuntimeError(f"multilabel_margin_loss: expected scalar type Long for target, but found {labels.dtype}")
    classes = x.shape[-1] if x.ndim else 1
    scores, labels = reshape(input, (-1, classes)), labels.reshape(-1, classes)
    if labels.size and (labels.min() < -1 or labels.max() >= classes):
        raise RuntimeError(f"multilabel_margin_loss: argument #2 'target' is out of range, -1 to {classes - 1}")
    counts = np.logical_and.accumulate(labels >= 0, axis=1)
    most = int(counts.sum(1).max(initial=0))
    counts, labels = counts[:, :most], np.where(counts, labels, 0)[:, :most]
    rows = np.arange(len(labels))[:, None]
    wrong = np.ones((len(labels), classes), bool)
    wrong[np.broadcast_to(rows, labels.shape)[counts], labels[counts]] = False
    right = reshape(gather(scores, 1, labels), (len(labels), most, 1))
    short = relu(1 - right + reshape(scores, (-1, 1, classes)))
    losses = sum(keep(short, counts[..., None] & wrong[:, None]), (1, 2)) / classes
    return finished(reshape(losses, x.shape[:-1]), reduction)


@doors("functional")
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """Return the binary cross-entropy of each sample, the mean over its classes in the last dim.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return finished(mean(losses if weight is None else losses * weight, -1), reduction)


# ------------------------------------------------------------------ pairs and triplets


@doors("functional")
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


def _cosine(x: Any, y: Any, dim: int, least: float) -> Any:
    """Return ``sum(x * y) / sqrt((sum(x * x) + least) * (sum(y * y) + least))``, of numbers of any size."""
    lengths = (sum(x * x, dim) + least) * (sum(y * y, dim) + least)
    if isfinite(add_reduce(as_array(lengths), None)):
        return sum(x * y, dim) / sqrt(lengths)
    for_x, for_y = (np.maximum(scale(as_array(one), (dim,)), 1) for one in (x, y))
    x, y = x / for_x, y / for_y
    least_x, least_y = ((least / one / one).reshape(as_array(lengths).shape) for one in (for_x, for_y))
    return sum(x * y, dim) / sqrt((sum(x * x, dim) + least_x) * (sum(y * y, dim) + least_y))


@doors("functional")
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
    cosine = _cosine(input1, input2, ndim, 1e-12)
    losses = where(target == 1, 1 - cosine, 0.0) + where(target == -1, clamp_min(cosine - margin, 0), 0.0)
    return finished(losses, reduction)


@doors("functional")
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
        clamp_min(-target * (input1 - input2) + float(as_number("margin_ranking_loss", "margin", margin)), 0), reduction
    )


@doors("functional")
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


@doors("functional")
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Return how much further ``positive`` is from ``anchor``, plus ``margin``, than ``negative`` is; at least 0.

    ``distance_function`` takes two tensors, :func:`pairwise_distance` unless given. With ``swap`` the negative's
    distance to ``positive`` counts if that is less. ValueError unless ``margin`` > 0.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    dims = [array_of(x, "triplet_margin_with_distance_loss").ndim for x in (anchor, positive, negative)]
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    measure = pairwise_distance if distance_function is None else distance_function
    near, far = measure(anchor, positive), measure(anchor, negative)
    if swap:
        far = minimum(far, measure(positive, negative))
    return finished(clamp_min(margin + near - far, 0), reduction)
