"""Connectionist temporal classification: forward and backward probabilities of all alignments, for a whole batch.

Graves et al., Connectionist Temporal Classification, 2006. A sequence of S labels becomes 2 S + 1 states, blanks at
the even ones; an alignment moves by 0, 1 or, between different labels, 2 states at each step. All in logarithms.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array

_NEVER = -np.inf


class Alignment(NamedTuple):
    """The states of a batch's alignments: their labels, which may be reached by a jump, and the lengths."""

    labels: Array
    """(N, states), int64."""
    jumps: Array
    """(N, states), whether a state may follow the one two before it."""
    times: Array
    """(N,), how many steps of the input count."""
    lengths: Array
    """(N,), how many labels count."""
    blank: int


def alignment(targets: Array, times: Array, lengths: Array, blank: int) -> Alignment:
    """Return the states for ``targets`` (N, S), of which the first ``lengths`` count."""
    batch, longest = targets.shape
    labels = np.full((batch, 2 * longest + 1), blank, np.int64)
    labels[:, 1::2] = np.where(np.arange(longest) < lengths[:, None], targets, blank)
    jumps = np.zeros(labels.shape, bool)
    jumps[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    return Alignment(labels, jumps, times, lengths, blank)


def picked(log_probs: Array, how: Alignment) -> Array:
    """Return the log-probability (T, N, states) of each state's label at each time."""
    index = np.broadcast_to(how.labels, (len(log_probs), *how.labels.shape))
    found: Array = np.take_along_axis(log_probs, index, 2)
    return found


def _moved(x: Array, by: int) -> Array:
    """Return ``x`` shifted by ``by`` along its states; the log-probabilities that move in are -inf."""
    out = np.full_like(x, _NEVER)
    if by > 0:
        out[:, by:] = x[:, :-by]
    else:
        out[:, :by] = x[:, -by:]
    return out


def _added(first: Array, *others: Array) -> Array:
    """Return the elementwise logarithm of the sum of exponentials (logaddexp)."""
    for other in others:
        first = np.logaddexp(first, other)
    return first


def forward(scores: Array, how: Alignment) -> Array:
    """Return the log-probability (T, N, states) of all beginnings that reach a state at a time."""
    alpha = np.full_like(scores, _NEVER)
    if not len(scores):
        return alpha
    alpha[0, :, :2] = scores[0, :, :2]
    blocked = np.where(how.jumps, 0.0, _NEVER)
    for t in range(1, len(scores)):
        last = alpha[t - 1]
        alpha[t] = _added(last, _moved(last, 1), _moved(last, 2) + blocked) + scores[t]
    return alpha


def ends(how: Alignment, states: int) -> Array:
    """Return (N, states), 0 for the states an alignment may end in and -inf for the others."""
    last = 2 * how.lengths[:, None]
    number = np.arange(states)
    allowed = (number == last) | ((number == last - 1) & (last > 0))
    return np.where(allowed, 0.0, _NEVER)


def negative_log_likelihood(alpha: Array, how: Alignment) -> Array:
    """Return minus the log-probability (N,) of the targets."""
    batch = np.arange(len(how.times))
    if not len(alpha):
        return np.where(how.lengths == 0, 0.0, np.inf)
    final = alpha[np.maximum(how.times - 1, 0), batch] + ends(how, alpha.shape[2])
    total: Array = -np.logaddexp.reduce(final, axis=1)
    return np.where(how.times > 0, total, np.where(how.lengths == 0, 0.0, np.inf))


def backward(scores: Array, how: Alignment) -> Array:
    """Return the log-probability (T, N, states) of all rests from a state at a time, the state's own included."""
    beta = np.full_like(scores, _NEVER)
    final = ends(how, scores.shape[2])
    blocked = np.where(how.jumps, 0.0, _NEVER)
    for t in reversed(range(len(scores))):
        ending = (how.times - 1 == t)[:, None]
        onward = final
        if t + 1 < len(scores):
            after = beta[t + 1]
            onward = np.where(ending, final, _added(after, _moved(after, -1), _moved(after + blocked, -2)))
        beta[t] = np.where(ending | (how.times - 1 > t)[:, None], onward + scores[t], _NEVER)
    return beta


def posterior(shape: tuple[int, ...], scores: Array, alpha: Array, loss: Array, how: Alignment) -> Array:
    """Return the probability (T, N, C), of ``shape``, given the targets, that each class is the label at each time.

    NaN where the targets are impossible.
    """
    share = np.exp(alpha + backward(scores, how) - scores + loss[:, None])
    share = np.where(np.isneginf(scores) | np.isneginf(alpha), 0.0, share)
    steps, batch, classes = shape
    places = np.arange(steps * batch).reshape(steps, batch, 1) * classes + how.labels
    total: Any = np.bincount(places.ravel(), share.ravel(), steps * batch * classes).reshape(shape)
    total[:, np.isposinf(loss)] = np.nan
    counts = np.arange(steps)[:, None] < how.times
    return np.where(counts[..., None], total, 0.0)
