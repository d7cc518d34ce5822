"""The CTC loss: sequences of labels against longer inputs, all alignments counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....arrays.kernels import ctc as kernels
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from ..common import keep, unsupported
from ..elementwise.ternary import where
from ..elementwise.unary import exp
from ..index.scatter import gather, place_along
from ..reduce.sums import logsumexp
from ..shape.join import cat, stack
from ..shape.views import reshape
from .common import REDUCTIONS, finished

_FAR = -1e30  # takes the place of -inf, whose differences would be NaN


def _recorded_posterior(log_probs: Any, loss: Any, how: kernels.Alignment) -> Any:
    """Return ``kernels.posterior`` in ops, so that it has derivatives itself."""
    steps, batch, classes = log_probs.shape
    states = how.labels.shape[1]
    kind = (log_probs.array if isinstance(log_probs, Variable) else log_probs).dtype
    far = np.full((batch, 2), _FAR, kind)
    blocked = np.where(how.jumps, 0.0, _FAR).astype(kind)
    final = np.maximum(kernels.ends(how, states), _FAR).astype(kind)
    scores = [gather(log_probs[t], 1, how.labels) for t in range(steps)]
    start = np.where(np.arange(states) < 2, 0.0, _FAR).astype(kind)
    alpha = [scores[0] + start]
    for t in range(1, steps):
        wide = cat([far, alpha[-1]], 1)
        ways = [alpha[-1], wide[:, 1 : states + 1], wide[:, :states] + blocked]
        alpha.append(logsumexp(stack(ways), 0) + scores[t])
    onward: Any = None
    shares = []
    for t in reversed(range(steps)):
        if onward is None:
            rest = final
        else:
            wide, jumped = cat([onward, far], 1), cat([onward + blocked, far], 1)
            rest = logsumexp(stack([onward, wide[:, 1 : states + 1], jumped[:, 2:]]), 0)
            rest = where(np.broadcast_to((how.times - 1 == t)[:, None], rest.shape), final, rest)
        onward = rest + scores[t]
        share = exp(alpha[t] + rest + reshape(loss, (batch, 1)))
        counts = np.broadcast_to((how.times > t)[:, None], (batch, states))
        shares.append(place_along(keep(share, counts), (batch, classes), 1, how.labels))
    return stack(shares[::-1])


def _ctc_rule(
    g: Any, log_probs: Any, out: Any, scores: Any, alpha: Any, how: Any, zero_infinity: bool, normalized: bool
) -> Any:
    """Return minus the posterior.

    Where probabilities are ``normalized`` PyTorch adds the prior, which the gradient of the softmax takes away again.
    """
    steps = len(alpha)
    if isinstance(g, Variable):
        loss, back = out.array, _recorded_posterior(log_probs, out, how)
    else:
        loss = kernels.negative_log_likelihood(alpha, how)
        back = kernels.posterior(np.shape(log_probs), scores, alpha, loss, how).astype(log_probs.dtype)
    counts = (np.arange(steps)[:, None] < how.times)[..., None]
    slope = keep(exp(log_probs), np.broadcast_to(counts, log_probs.shape)) - back if normalized else -back
    if zero_infinity:
        possible = ~np.asarray(alpha_impossible(alpha, how))
        slope = keep(slope, np.broadcast_to(possible[:, None], log_probs.shape))
    elif np.isposinf(loss).any() and isinstance(g, Variable):
        raise NotImplementedError("ctc_loss: an infinite loss has no second derivative; use zero_infinity=True")
    return slope * reshape(g, (1, *out.shape, 1))


def alpha_impossible(alpha: Array, how: kernels.Alignment) -> Array:
    """Return which targets (N,) have no alignment."""
    found: Array = np.isposinf(kernels.negative_log_likelihood(alpha, how))
    return found


@primitive(log_probs=_ctc_rule, aux=("scores", "alpha"))
def _ctc_loss(log_probs: Array, how: Any, zero_infinity: bool, normalized: bool) -> Any:
    """Return minus the log-likelihood (N,) of each target; with ``zero_infinity`` 0 where it is impossible."""
    scores = kernels.picked(np.asarray(log_probs, np.float64), how)
    alpha = kernels.forward(scores, how)
    loss = kernels.negative_log_likelihood(alpha, how)
    if zero_infinity:
        loss = np.where(np.isposinf(loss), 0.0, loss)
    return loss.astype(log_probs.dtype), scores, alpha


def _lengths(given: Any, name: str, batch: int) -> Array:
    """Return a tensor, tuple or number of lengths as an int64 vector, one for each sample."""
    found = np.asarray(given.array if isinstance(given, Variable) else given)
    if found.dtype.kind not in "iu" and found.size:
        raise RuntimeError(f"{name} must be integral, but got {found.dtype}")
    found = found.astype(np.int64).reshape(-1)
    if len(found) != batch:
        raise RuntimeError(f"{name} must be of size batch_size {batch}, but got {len(found)}")
    return found


def _padded(targets: Array, lengths: Array) -> Array:
    """Return the labels as (N, longest); RuntimeError if they do not fit the lengths."""
    if targets.ndim == 1:
        if len(targets) < lengths.sum() or len(targets) != lengths.sum():
            raise RuntimeError(
                f"Expected targets of size {int(lengths.sum())}, the sum of target_lengths, but got {len(targets)}"
            )
        out = np.zeros((len(lengths), int(lengths.max(initial=0))), np.int64)
        out[np.arange(out.shape[1]) < lengths[:, None]] = targets
        return out
    if targets.ndim != 2 or len(targets) != len(lengths):
        raise RuntimeError(f"Expected targets of shape ({len(lengths)}, S), but got {list(targets.shape)}")
    longest = int(lengths.max(initial=0))
    if targets.shape[1] < longest:
        raise RuntimeError(
            f"Expected tensor to have size at least {longest} at dimension 1, but got size {list(targets.shape)} for "
            "argument #2 'targets' (while checking arguments for ctc_loss_cpu)"
        )
    return targets[:, :longest]


def _aligned(x: Array, labels: Array, input_lengths: Any, target_lengths: Any, blank: int) -> kernels.Alignment:
    """Return the alignment that the arguments ask for; RuntimeError for what does not fit."""
    steps, batch, classes = x.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range, 0 to {classes - 1}, but is {blank}")
    times = _lengths(input_lengths, "input_lengths", batch)
    lengths = _lengths(target_lengths, "target_lengths", batch)
    for name, numbers in (("input_lengths", times), ("target_lengths", lengths)):
        if (numbers < 0).any():
            raise RuntimeError(f"Expected {name} to have value at least 0, but got value {numbers.min()}")
    if (times > steps).any():
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {times.max()}")
    padded = _padded(np.asarray(labels).astype(np.int64), lengths)
    used = padded[np.arange(padded.shape[1]) < lengths[:, None]]
    if used.size and (used.min() < 0 or used.max() >= classes):
        raise RuntimeError(f"ctc_loss: labels must be within 0 and {classes - 1}, but are {used.min()} to {used.max()}")
    return kernels.alignment(padded, times, lengths, int(blank))


@doors("functional")
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Return minus the log-likelihood of label sequences, summed over their alignments to ``log_probs``.

    ``log_probs`` (T, N, C) or (T, C) are log-probabilities of classes. ``targets`` are (N, S), padded, or all labels
    one after the other; class ``blank`` stands for no label. The lengths are tensors or tuples. ``reduction``: "none",
    "sum", or "mean" over the batch of each loss divided by its target's length. With ``zero_infinity`` a target without
    any alignment counts as 0, else its loss is inf and its gradient NaN. RuntimeError for arguments that do not fit.

    The gradient for ``log_probs`` is PyTorch's, which is meant to flow into a log-softmax: there it is the exact one.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html

    >>> import rushlight as torch
    >>> even = torch.full((2, 1, 3), 1 / 3).log()
    >>> torch.nn.functional.ctc_loss(even, torch.tensor([[1]]), [2], [1], reduction="sum")
    tensor(1.0986)
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    x, labels = array_of(log_probs, "ctc_loss", "log_probs"), array_of(targets, "ctc_loss", "targets", 2)
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        unsupported("ctc_loss_cpu", x)
    if x.ndim not in (2, 3):
        raise RuntimeError(f"ctc_loss: expected log_probs of 2 or 3 dims, but got size {list(x.shape)}")
    if not x.size:
        raise RuntimeError(f"log_probs tensor must not be empty, but has size {list(x.shape)}")
    batched = x.ndim == 3
    if not batched:
        log_probs, x = reshape(log_probs, (len(x), 1, -1)), x[:, None]
        labels = labels[None]
    how = _aligned(x, labels, input_lengths, target_lengths, blank)
    losses = _ctc_loss(log_probs, how, bool(zero_infinity), True)
    if reduction == "mean":
        losses = losses / np.maximum(how.lengths, 1).astype(x.dtype)
    return reshape(losses, ()) if reduction == "none" and not batched else finished(losses, reduction)
