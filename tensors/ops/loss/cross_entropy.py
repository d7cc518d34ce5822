"""Losses of classifiers: the negative log-likelihood and the cross-entropy.

A class per sample is an index: (N) beside scores (N, C), (N, d1, ...) beside (N, C, d1, ...), or one beside (C).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array, dtype_of
from ....autograd.arguments import array_of
from ....autograd.broadcast import expand_to
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from ..reduce.softmax import exponentials, log_softmax, softmax
from ..reduce.sums import sum
from ..shape.views import reshape
from .common import add_all, legacy, no_gradient

# ------------------------------------------------------------------ one element per sample, and its adjoint


@primitive(
    input=lambda g, input_shape, index, dim: put_class(g, index, dim, input_shape[dim]),
    grad_fn_name="GatherBackward0",
    integers=("dim",),
)
def take_class(input: Array, index: Array, dim: int) -> Array:
    """Return the element of ``input`` that ``index`` names along ``dim``, which goes away."""
    return np.take_along_axis(input, np.expand_dims(index, dim), dim).squeeze(dim)


@primitive(g=lambda g, index, dim: take_class(g, index, dim), integers=("dim", "size"))
def put_class(g: Array, index: Array, dim: int, size: int) -> Array:
    """Return zeros with a new ``dim`` of ``size``, and ``g`` where ``index`` points; the adjoint of ``take_class``."""
    g = np.asarray(g)
    out = np.zeros((*g.shape[:dim], size, *g.shape[dim:]), g.dtype)
    np.put_along_axis(out, np.expand_dims(index, dim), np.expand_dims(g, dim), dim)
    return out


def _checked_classes(target: Any, classes: int, ignore_index: int) -> tuple[Array, Any]:
    """Return the classes as int64, ignored ones as 0, and which samples count: an array, or None for all.

    The classes are copied: a rule keeps them, and the caller may write the target. Raises IndexError for a class
    that is not there.
    """
    index = np.array(target, np.int64)
    inside = not index.size or index.view(np.uint64).max() < classes  # a negative one is a huge one
    if inside and not 0 <= ignore_index < classes:
        return index, None
    counts = index != ignore_index
    index = np.where(counts, index, 0)
    wrong = ((index < 0) | (index >= classes)) & counts
    if wrong.any():
        raise IndexError(f"Target {index[wrong].flat[0]} is out of bounds.")
    return index, counts


def _whole_classes(target: Any) -> None:
    if target.dtype.char not in "lqB":
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {dtype_of(target.dtype).legacy}")


# ------------------------------------------------------------------ nll_loss


def _nll_rule(g: Any, input_shape: tuple[int, ...], index: Any, share: Any) -> Any:
    dim = 0 if len(input_shape) == 1 else 1
    return put_class(-(g * share), index, dim, input_shape[dim])


@primitive(
    input=_nll_rule,
    weight=None,
    target=None,
    aux=("index", "share"),
    connected=("input",),
    grad_fn_name=lambda input_array: "NllLossBackward0" if input_array.ndim < 3 else "NllLoss2DBackward0",
)
def _nll_loss(
    input: Array, target: Array, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """Return the loss; ``share`` is how much each sample counts in it."""
    if input.dtype.kind != "f":
        raise NotImplementedError(f"\"nll_loss_out_frame\" not implemented for '{dtype_of(input.dtype).legacy}'")
    dim = 0 if input.ndim == 1 else 1
    index, counts = _checked_classes(target.reshape(()) if input.ndim == 1 else target, input.shape[dim], ignore_index)
    picked = np.take_along_axis(input, np.expand_dims(index, dim), dim).squeeze(dim)
    share = np.ones(index.shape, input.dtype) if weight is None else np.asarray(weight[index])
    if counts is not None:
        share = np.where(counts, share, share.dtype.type(0))
        picked = np.where(counts, picked, picked.dtype.type(0))
    loss = -(picked * share)
    if reduction == "none":
        return loss, index, share
    total = add_all(loss)
    if reduction == "sum":
        return total, index, share
    every = add_all(share)
    return total / every, index, (share / every if every else share)


def _check_nll(x: Any, t: Any, weight: Any) -> None:
    if x.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if x.ndim == 1 and t.ndim == 1 and t.size != 1:
        raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {len(t)}")
    if x.ndim > 1 and (t.ndim == 0 or len(x) != len(t)):
        raise ValueError(
            f"Expected input batch_size ({len(x)}) to match target batch_size ({len(t) if t.ndim else 0})."
        )
    if x.ndim < 3 and t.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if x.ndim > 2 and (x.shape[0], *x.shape[2:]) != t.shape:
        raise RuntimeError(f"Expected target size {[x.shape[0], *x.shape[2:]]}, got {list(t.shape)}")
    _whole_classes(t)
    check_class_weight(x, weight)


def check_class_weight(x: Any, weight: Any, name: str = "") -> None:
    """Raise RuntimeError unless ``weight`` is None or has one number for each class of the scores ``x``."""
    if weight is None:
        return
    classes = x.shape[0 if x.ndim == 1 else 1]
    w = array_of(weight, "nll_loss", "weight", 3)
    if w.shape != (classes,):
        raise RuntimeError(
            f"{name}weight tensor should be defined either for all {classes} classes or no classes but got weight "
            f"tensor of shape: {list(w.shape)}"
        )


def _same_float(x: Any, weight: Any) -> None:
    if weight is not None and (w := array_of(weight, "nll_loss", "weight", 3)).dtype != x.dtype:
        raise RuntimeError(f"expected scalar type {dtype_of(x.dtype).legacy} but found {dtype_of(w.dtype).legacy}")


@doors("functional")
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return minus the log-probability that ``input`` gives to the class in ``target``.

    ``input`` is (N, C), (C) or (N, C, d1, ...), ``target`` int64 or uint8 without the C. ``weight`` (C) says how much a
    class counts; samples of class ``ignore_index`` do not. ``reduction``: "none", "sum", or "mean", which divides by
    the sum of the weights. Raises IndexError for a class that is not there.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
    """
    reduction = legacy(size_average, reduce, reduction)
    x, t = array_of(input, "nll_loss"), array_of(target, "nll_loss", "target", 2)
    _check_nll(x, t, weight)
    _same_float(x, weight)
    no_gradient("nll_loss_forward", weight=weight)
    return _nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)


# ------------------------------------------------------------------ cross_entropy


def _cross_entropy_rule(g: Any, input: Any, probabilities: Any, index: Any, share: Any) -> Any:
    each = g * share
    if isinstance(g, Variable):  # the probabilities were kept as numbers: for a second derivative they come anew
        hit = put_class(expand_to(each, index.shape), index, 1, input.shape[1])
        return softmax(input, 1) * reshape(each, (-1, 1)) - hit
    made = probabilities * (each[:, None] if each.ndim else each)
    made[np.arange(len(index)), index] -= each
    return made


@primitive(
    input=_cross_entropy_rule,
    target=None,
    aux=("probabilities", "index", "share"),
    grad_fn_name="NllLossBackward0",
)
def _cross_entropy(input: Array, target: Array, ignore_index: int, reduction: str) -> Any:
    """Return the loss of scores (N, C); ``share`` is how much each sample, or any sample, counts in it."""
    index, counts = _checked_classes(target, input.shape[1], ignore_index)
    shifted, powers = exponentials(input if input.dtype.char != "e" else input.astype(np.float32), 1)
    sums = np.add.reduce(powers, 1)
    loss = np.log(sums) - shifted[np.arange(len(index)), index]
    powers /= sums[:, None]
    kind = input.dtype.type
    share: Any = kind(1)
    if counts is not None:
        loss = np.where(counts, loss, kind(0))
        share = counts.astype(input.dtype)
    if reduction == "none":
        return loss.astype(input.dtype, copy=False), powers, index, share
    out = add_all(loss)
    if reduction == "mean":
        every = kind(len(index)) if counts is None else add_all(share)
        out = out / every
        share = share / (every or kind(1))
    return out.astype(input.dtype, copy=False), powers, index, share


def _soft_cross_entropy(scores: Any, shares: Any, reduction: str, every: Any) -> Any:
    """Return minus the sum of ``scores * shares`` over classes; a mean is over ``every``."""
    dim = 0 if array_of(scores, "cross_entropy").ndim == 1 else 1
    if reduction == "none":
        return -sum(scores * shares, dim)
    total = -sum(scores * shares)
    if reduction == "sum":
        return total
    return total / every if every else total + np.nan  # a mean of nothing, which passes no NaN back


def _per_class(weight: Any, ndim: int) -> Any:
    """Return the weights of classes in a shape that broadcasts with scores of ``ndim`` dims."""
    return reshape(weight, (-1,) if ndim == 1 else (1, -1, *(1,) * (ndim - 2)))


def _of_probabilities(
    input: Any, target: Any, weight: Any, reduction: str, ignore_index: int, label_smoothing: float
) -> Any:
    """Return the cross-entropy with a probability for each class."""
    x, t = array_of(input, "cross_entropy"), array_of(target, "cross_entropy", "target", 2)
    if t.dtype.kind != "f":
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {dtype_of(t.dtype).legacy}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    check_class_weight(x, weight, "cross_entropy: ")
    classes = x.shape[0 if x.ndim == 1 else 1] if x.ndim else 1
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    scores = log_softmax(input, 0 if x.ndim < 2 else 1)
    if weight is not None:
        target = target * _per_class(weight, x.ndim)
    return _soft_cross_entropy(scores, target, reduction, x.size / max(classes, 1))


def _smoothed(input: Any, target: Any, weight: Any, reduction: str, ignore_index: int, label_smoothing: float) -> Any:
    """Return the cross-entropy with a part of each class's probability dealt out to all classes.

    Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section 7.
    """
    x = array_of(input, "cross_entropy")
    dim = 0 if x.ndim == 1 else 1
    scores = log_softmax(input, dim)
    plain = nll_loss(scores, target, weight, ignore_index=ignore_index, reduction=reduction)
    index, counts = _checked_classes(array_of(target, "cross_entropy", "target", 2), x.shape[dim], ignore_index)
    index = index.reshape(()) if x.ndim == 1 else index
    of_class = np.ones(x.shape[dim], x.dtype) if weight is None else array_of(weight, "cross_entropy", "weight", 3)
    share = np.asarray(of_class[index])
    dealt = np.broadcast_to(_per_class(of_class, x.ndim), x.shape)
    if counts is not None:
        share = np.where(counts, share, share.dtype.type(0))
        dealt = np.where(np.expand_dims(counts.reshape(index.shape), dim), dealt, dealt.dtype.type(0))
    even = _soft_cross_entropy(scores, dealt, reduction, add_all(share))
    return plain * (1 - label_smoothing) + even * (label_smoothing / x.shape[dim])


@doors("functional")
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Return the cross-entropy of scores, before any softmax, with classes or with probabilities of classes.

    ``input`` is (N, C), (C) or (N, C, d1, ...); ``target`` has the class of each sample, without the C, or the shape
    of ``input``. ``weight`` (C) says how much a class counts, samples of class ``ignore_index`` do not count,
    ``label_smoothing`` is the part of the probability that all classes share. ``reduction``: "none", "sum", "mean".
    Raises IndexError for a class that is not there, ValueError or RuntimeError for shapes that do not fit.

    >>> import rushlight as torch
    >>> scores = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> torch.nn.functional.cross_entropy(scores, torch.tensor([1, 0]), reduction="none")
    tensor([0.6931, 0.1269])

    https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
    """
    reduction = legacy(size_average, reduce, reduction)
    x, t = array_of(input, "cross_entropy"), array_of(target, "cross_entropy", "target", 2)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if x.shape == t.shape:
        return _of_probabilities(input, target, weight, reduction, ignore_index, label_smoothing)
    _check_nll(x, t, weight)
    _same_float(x, weight)
    if weight is not None:
        no_gradient("nll_loss_forward", weight=weight)
    if label_smoothing:
        return _smoothed(input, target, weight, reduction, ignore_index, label_smoothing)
    if x.ndim == 2 and weight is None and x.dtype.kind == "f":
        return _cross_entropy(input, target, ignore_index, reduction)
    return nll_loss(
        log_softmax(input, 0 if x.ndim == 1 else 1), target, weight, ignore_index=ignore_index, reduction=reduction
    )
