"""Recurrent layers on arrays: all steps of one direction, forward and back through time.

The rows of a layer's input are those of the first step, then those of the second, and so on. ``steps`` are the pairs
(start, stop) of rows in the order in which they are worked on. A step of b rows is about the first b sequences of the
batch: those that have ended keep their last state, those that have not begun wait with their first one.

Inside, a sequence is a column. Each gate is then one block of memory, and matrix products have the large matrix on the
left; with a batch of 32 and 128 units this takes a fifth off a step (``benchmarks/claims.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, number
from .normalization import wide

Steps = tuple[tuple[int, int], ...]
_FEW = 8  # sequences, up to which one product for the inputs of all steps is the faster way: benchmarks/claims.py


def sigmoid_(x: Array) -> None:
    """Write the logistic function of ``x`` into it."""
    np.negative(x, x)
    np.exp(x, x)
    np.add(x, number(1.0, x.dtype), x)
    np.reciprocal(x, x)


def _column(bias: Array | None) -> Any:
    return None if bias is None else wide(bias).reshape(-1, 1)


def _total_bias(one: Array | None, two: Array | None) -> Any:
    return _column(one) if two is None else _column(two) if one is None else _column(one + two)


def _projected(x: Array, weight: Array, bias: Any, steps: Steps) -> list[Array]:
    """Return ``weight @ x.T + bias`` for the rows of each step."""
    if len(steps) > 1 and max(stop - start for start, stop in steps) <= _FEW:
        rows = x.dot(weight.T)
        if bias is not None:
            rows += bias.T
        return [np.ascontiguousarray(rows[start:stop].T) for start, stop in steps]
    made = [weight.dot(x[start:stop].T) for start, stop in steps]
    if bias is not None:
        for z in made:
            np.add(z, bias, z)
    return made


def _fit(now: Array | None, rows: int, first: Array, last: Array) -> Array:
    """Return the columns ``now`` for a step of so many rows.

    Sequences that come in bring their row of ``first``; those that go leave theirs in ``last``.
    """
    if now is None:
        return np.ascontiguousarray(first[:rows].T)
    have = now.shape[1]
    if rows < have:
        last[rows:have] = now[:, rows:].T
        return np.ascontiguousarray(now[:, :rows])
    return now if rows == have else np.concatenate((now, first[have:rows].T), 1)


def rows_of(parts: list[Array], steps: Steps) -> Array:
    """Return the columns of each step as rows, in the order of the input."""
    if len(parts) == 1:
        return parts[0].T
    out = np.empty((max(stop for _, stop in steps), len(parts[0])), parts[0].dtype)
    for part, (start, stop) in zip(parts, steps, strict=True):
        out[start:stop] = part.T
    return out


def columns_of(parts: list[Array], steps: Steps) -> Array:
    """Return the columns of all steps as one matrix, in the order of the input."""
    if len(parts) == 1:
        return parts[0]
    out = np.empty((len(parts[0]), max(stop for _, stop in steps)), parts[0].dtype)
    for part, (start, stop) in zip(parts, steps, strict=True):
        out[:, start:stop] = part
    return out


# ------------------------------------------------------------------ long short-term memory


def _lstm_step(z: Array, cell: Array) -> tuple[Array, Array, Array]:
    """Turn ``z`` into the gates i, f, g, o; return the new hidden units and cells, and tanh of those."""
    size = len(cell)
    sigmoid_(z[: 2 * size])
    new, out = z[2 * size : 3 * size], z[3 * size :]
    np.tanh(new, new)
    sigmoid_(out)
    cell = z[size : 2 * size] * cell
    cell += z[:size] * new
    tanh_c = np.tanh(cell)
    return out * tanh_c, cell, tanh_c


def _lstm_step_back(z: Array, cell: Array, tanh_c: Array, g: Array, g_cell: Array) -> tuple[Array, Array]:
    """Return the gradients of what became the gates ``z``, and of the cells before."""
    size, one = len(cell), number(1.0, z.dtype)
    d = z * z
    np.subtract(z, d, d)  # the slope of the logistic function
    new, by_new = z[2 * size : 3 * size], d[2 * size : 3 * size]
    np.multiply(new, new, by_new)
    np.subtract(one, by_new, by_new)
    by_out = d[3 * size :]
    by_out *= tanh_c
    by_out *= g
    by_cell = tanh_c * tanh_c
    np.subtract(one, by_cell, by_cell)
    by_cell *= z[3 * size :]
    by_cell *= g
    by_cell += g_cell
    d[:size] *= new
    d[size : 2 * size] *= cell
    by_new *= z[:size]
    d.reshape(4, *cell.shape)[:3] *= by_cell
    by_cell *= z[size : 2 * size]
    return d, by_cell


def lstm(x: Array, h: Array, c: Array, weights: tuple[Array, Array, Any, Any, Any], steps: Steps, results: Any) -> Any:
    """Fill ``results``, output (rows, P), last hidden states (N, P) and cells (N, H); return what the way back needs.

    ``weights`` are those of the input (4H, I) and of the hidden state (4H, P), the biases of both, and of the
    projection (P, H), the last three maybe None. The output is None if only the last states are wanted.
    """
    weight_ih, weight_hh, bias_ih, bias_hh, weight_hr = weights
    out, last_h, last_c = results
    hidden: Any = h.T if len(steps) == 1 else None  # which a product can read as it is
    cell: Any = None
    trace = []
    for z, (start, stop) in zip(_projected(x, weight_ih, _total_bias(bias_ih, bias_hh), steps), steps, strict=True):
        hidden, cell = _fit(hidden, stop - start, h, last_h), _fit(cell, stop - start, c, last_c)
        np.add(z, weight_hh.dot(hidden), z)
        before = hidden, cell, z
        hidden, cell, tanh_c = _lstm_step(z, cell)
        trace.append((*before, tanh_c))
        if weight_hr is not None:
            hidden = weight_hr.dot(hidden)
        if out is not None:
            out[start:stop] = hidden.T
    last_h[: hidden.shape[1]] = hidden.T
    last_c[: cell.shape[1]] = cell.T
    return trace


def lstm_back(
    g: Any, g_h: Array, g_c: Array, weight_hh: Array, weight_hr: Any, steps: Steps, trace: Any
) -> tuple[list[Array], Array, Array, Any]:
    """Return the gradients of what became the gates, of the first states, and of the projection.

    ``g`` (rows, P) is that of the output, or None; ``g_h`` and ``g_c`` are those of the last states.
    """
    first_h, first_c = np.empty(g_h.shape, g_h.dtype), np.empty(g_c.shape, g_c.dtype)
    by_projection = None if weight_hr is None else np.zeros_like(weight_hr)
    by_hidden: Any = None
    by_cell: Any = None
    slopes = []
    for (start, stop), (_, cell, z, tanh_c) in zip(reversed(steps), reversed(trace), strict=True):
        by_hidden = _fit(by_hidden, stop - start, g_h, first_h)
        by_cell = _fit(by_cell, stop - start, g_c, first_c)
        if g is not None:
            by_hidden = by_hidden + g[start:stop].T
        if weight_hr is not None:
            by_projection += by_hidden.dot((z[3 * len(cell) :] * tanh_c).T)
            by_hidden = weight_hr.T.dot(by_hidden)
        d, by_cell = _lstm_step_back(z, cell, tanh_c, by_hidden, by_cell)
        by_hidden = weight_hh.T.dot(d)
        slopes.append(d)
    first_h[: by_hidden.shape[1]] = by_hidden.T
    first_c[: by_cell.shape[1]] = by_cell.T
    return slopes[::-1], first_h, first_c, by_projection


# ------------------------------------------------------------------ gated recurrent units


def gru(x: Array, h: Array, weights: tuple[Array, Array, Any, Any], steps: Steps, results: Any) -> Any:
    """Fill ``results``, output and last hidden states, and return what the way back needs, as :func:`lstm` does."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    (out, last), size, by_hidden = results, h.shape[1], _column(bias_hh)
    hidden: Any = None
    trace = []
    for z, (start, stop) in zip(_projected(x, weight_ih, _column(bias_ih), steps), steps, strict=True):
        hidden = before = _fit(hidden, stop - start, h, last)
        inner = weight_hh.dot(hidden)
        if by_hidden is not None:
            inner += by_hidden
        gates, new = z[: 2 * size], z[2 * size :]
        gates += inner[: 2 * size]
        sigmoid_(gates)
        inner = inner[2 * size :].copy()
        new += gates[:size] * inner
        np.tanh(new, new)
        hidden = hidden - new
        hidden *= gates[size:]
        hidden += new
        trace.append((before, z, inner))
        if out is not None:
            out[start:stop] = hidden.T
    last[: hidden.shape[1]] = hidden.T
    return trace


def _gru_step_back(z: Array, inner: Array, hidden: Array, g: Array) -> tuple[Array, Array, Array]:
    """Return the gradients of what the input adds to the gates, of what the state adds, and of the state directly."""
    size, one = len(hidden), number(1.0, z.dtype)
    reset, update, new = z[:size], z[size : 2 * size], z[2 * size :]
    d = z * z
    np.subtract(z[: 2 * size], d[: 2 * size], d[: 2 * size])
    by_reset, by_update, by_new = d[:size], d[size : 2 * size], d[2 * size :]
    np.subtract(one, by_new, by_new)
    kept = g * update
    by_new *= g - kept
    by_update *= hidden - new
    by_update *= g
    by_reset *= inner
    by_reset *= by_new
    by_state = d.copy()
    by_state[2 * size :] *= reset
    return d, by_state, kept


def gru_back(g: Any, g_h: Array, weight_hh: Array, steps: Steps, trace: Any) -> tuple[list[Array], list[Array], Array]:
    """Return the gradients of what the input and the state add to the gates, and of the first state."""
    first = np.empty(g_h.shape, g_h.dtype)
    by_hidden: Any = None
    by_input, by_state = [], []
    for (start, stop), (hidden, z, inner) in zip(reversed(steps), reversed(trace), strict=True):
        by_hidden = _fit(by_hidden, stop - start, g_h, first)
        if g is not None:
            by_hidden = by_hidden + g[start:stop].T
        one, two, by_hidden = _gru_step_back(z, inner, hidden, by_hidden)
        by_hidden += weight_hh.T.dot(two)
        by_input.append(one)
        by_state.append(two)
    first[: by_hidden.shape[1]] = by_hidden.T
    return by_input[::-1], by_state[::-1], first


# ------------------------------------------------------------------ Elman's network


def elman(x: Array, h: Array, weights: tuple[Array, Array, Any, Any], relu: bool, steps: Steps, results: Any) -> Any:
    """Fill ``results``, output and last hidden states, and return what the way back needs, as :func:`lstm` does."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    (out, last), zero = results, number(0.0, x.dtype)
    hidden: Any = h.T if len(steps) == 1 else None
    trace = []
    for z, (start, stop) in zip(_projected(x, weight_ih, _total_bias(bias_ih, bias_hh), steps), steps, strict=True):
        hidden = before = _fit(hidden, stop - start, h, last)
        np.add(z, weight_hh.dot(hidden), z)
        hidden = np.maximum(z, zero, out=z) if relu else np.tanh(z, z)
        trace.append((before, hidden))
        if out is not None:
            out[start:stop] = hidden.T
    last[: hidden.shape[1]] = hidden.T
    return trace


def elman_back(g: Any, g_h: Array, weight_hh: Array, relu: bool, steps: Steps, trace: Any) -> tuple[list[Array], Array]:
    """Return the gradients of what goes into tanh or relu, and of the first state."""
    first, one, zero = np.empty(g_h.shape, g_h.dtype), number(1.0, g_h.dtype), number(0.0, g_h.dtype)
    by_hidden: Any = None
    slopes = []
    for (start, stop), (_, hidden) in zip(reversed(steps), reversed(trace), strict=True):
        by_hidden = _fit(by_hidden, stop - start, g_h, first)
        if g is not None:
            by_hidden = by_hidden + g[start:stop].T
        if relu:
            d = np.where(hidden <= zero, zero, by_hidden)
        else:
            d = hidden * hidden
            np.subtract(one, d, d)
            d *= by_hidden
        by_hidden = weight_hh.T.dot(d)
        slopes.append(d)
    first[: by_hidden.shape[1]] = by_hidden.T
    return slopes[::-1], first
