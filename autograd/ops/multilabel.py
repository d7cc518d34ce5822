"""Margin losses of several labels, and of distances that a function measures."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import array_of
from .activation import relu
from .distance import pairwise_distance
from .extrema import minimum
from .margin import finished
from .mask import keep
from .reduce import sum
from .reduction import REDUCTIONS, legacy
from .scatter import gather
from .select import clamp_min
from .shape import reshape


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
