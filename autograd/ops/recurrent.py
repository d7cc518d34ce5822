"""Recurrent layers as one step each: all time steps of one direction, with a backward pass through time.

Elman, Finding Structure in Time, 1990; Hochreiter and Schmidhuber, Long Short-Term Memory, 1997, with the forget gates
of Gers et al., 2000, and the projection of Sak et al., 2014; Cho et al., Learning Phrase Representations using RNN
Encoder-Decoder, 2014.

The input is (rows, I), or (T, N, I) where each step has as many rows. Without ``steps`` there is one step, which is a
cell. Several results come as one flat array, which ``apart`` takes to pieces: output and last states, of a cell only
the states.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..dtypes import Array
from ..kernels import recurrent as kernels
from ..kernels.normalize import wide
from ..node import Variable, wrap
from ..primitive import primitive
from ..several import Parts, pick
from . import recurrent_rules as rules
from .shape import narrow, reshape

Shapes = list[tuple[int, ...]]
_PLAIN = ("input", "hx", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


def apart(flat: Any, shapes: Shapes) -> list[Any]:
    """Return the results that lie in ``flat`` one after the other; they share its node."""
    array, made, start = flat.array if isinstance(flat, Variable) else flat, [], 0
    for shape in shapes:
        part = array[start : start + prod(shape)].reshape(shape)
        made.append(part.copy() if start else part)
        start += part.size
    if not isinstance(flat, Variable):
        return made
    step, total = flat.node, len(made)
    if step is None:
        return [wrap(flat.result, part, None, flat.version) for part in made]
    step.shape, step.dtype = Parts.shape, Parts.dtype
    return [wrap(flat.result, part, pick(step, n, total, part)) for n, part in enumerate(made)]


def shapes_of(input: Any, steps: Any, *states: Any) -> Shapes:
    """Return the shapes of the results: of the output, unless it is a cell, and of the last states."""
    last = [tuple(state.shape) for state in states]
    return last if steps is None else [(*input.shape[:-1], last[0][1]), *last]


def _arrived(g: Any, input: Any, steps: Any, states: Any) -> tuple[Any, list[Any]]:
    """Return the gradient of the output as rows, or None, and those of the last states."""
    recorded = isinstance(input, Variable)
    if isinstance(g, Parts):
        found = list(g.items)
    elif steps is None and len(states) == 1:
        found = [g]
    else:
        shapes = shapes_of(input, steps, *states)
        ends = np.cumsum([prod(shape) for shape in shapes]).tolist()
        starts = [0, *ends]
        found = [reshape(narrow(g, 0, a, b - a), s) for a, b, s in zip(starts, ends, shapes, strict=False)]
    rows = None if steps is None else found.pop(0)
    if rows is not None:
        rows = reshape(rows, (prod(rows.shape[:-1]), rows.shape[-1]))
    for n, state in enumerate(states):
        if found[n] is None:
            zeros = np.zeros(state.shape, state.array.dtype if recorded else state.dtype)
            found[n] = wrap(Variable.result, zeros) if recorded else zeros
    return (rows, found) if recorded else (None if rows is None else wide(rows), [wide(one) for one in found])


def _rows(input: Any) -> Any:
    return input if input.ndim == 2 else reshape(input, (prod(input.shape[:-1]), input.shape[-1]))


def _shares(
    by_input: Any, by_state: Any, before: Any, x: Array, weight_ih: Array, steps: Any, needs: list[bool]
) -> list[Any]:
    """Return the gradients of the input, of both weights and of both biases, None where not needed."""
    d = kernels.columns_of(by_input, steps)
    d_state = d if by_state is by_input or not (needs[2] or needs[4]) else kernels.columns_of(by_state, steps)
    ones = np.ones(len(x), d.dtype)
    by_bias = d.dot(ones) if needs[3] else None
    return [
        d.T.dot(weight_ih) if needs[0] else None,
        d.dot(x) if needs[1] else None,
        d_state.dot(kernels.rows_of(before, steps)) if needs[2] else None,
        by_bias,
        None if not needs[4] else by_bias if d_state is d and needs[3] else d_state.dot(ones),
    ]


def _wide(*arrays: Any) -> tuple[Any, ...]:
    return tuple([None if array is None else wide(array) for array in arrays])


def _flat(x: Array, steps: Any, *states: Array) -> tuple[Array, list[Any], Any]:
    """Return memory for all results, the results in it (output, None for a cell, and states), and the steps."""
    shapes = [state.shape for state in states]
    if steps is not None:
        shapes.insert(0, (len(x), shapes[0][1]))
    ends = [0]
    for n, m in shapes:
        ends.append(ends[-1] + n * m)
    flat = np.empty(ends[-1], x.dtype)
    made: list[Any] = [flat[a:b].reshape(shape) for a, b, shape in zip(ends, ends[1:], shapes, strict=False)]
    return flat, ([None, *made] if steps is None else made), steps or ((0, len(x)),)


# ------------------------------------------------------------------ long short-term memory


def _lstm_rule(
    g: Any, input: Any, hx: Any, cx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, weight_hr: Any,
    steps: Any, trace: Any, needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    (rows, last), x = _arrived(g, input, steps, (hx, cx)), _rows(input)
    spans = steps or ((0, x.shape[0]),)
    if isinstance(input, Variable):
        weights = weight_ih, weight_hh, bias_ih, bias_hh
        found, first, by_projection = rules.through_time(rules.LSTM, rows, last, x, [hx, cx], weights, weight_hr, spans)
    else:
        x, w_ih, w_hh, w_hr = _wide(x, weight_ih, weight_hh, weight_hr)
        slopes, *first, by_projection = kernels.lstm_back(rows, last[0], last[1], w_hh, w_hr, spans, trace)
        before = [each[0] for each in trace]
        found = _shares(slopes, slopes, before, x, w_ih, spans, [needs[0], *needs[3:7]])
    by_x = None if found[0] is None else reshape(found[0], tuple(input.shape))
    return by_x, *first, *found[1:], by_projection


@primitive(
    _lstm_rule,
    ("input", "hx", "cx", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"),
    keeps=("trace",),
    title="LstmBackward0",
)
def lstm_steps(
    input: Array, hx: Array, cx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None, bias_hh: Any = None,
    weight_hr: Any = None, *, steps: Any = None,
) -> tuple[Array, Any]:  # fmt: skip
    """Return output, last hidden states (N, P) and last cells (N, H) of long short-term memory, in one flat array.

    The gates are i, f, g, o: the weights are (4H, I), (4H, P) and, where hidden states are projected, (P, H).
    """
    x, h, c, *weights = _wide(_rows(input), hx, cx, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr)
    flat, results, spans = _flat(x, steps, h, c)
    trace = kernels.lstm(x, h, c, tuple(weights), spans, results)
    return flat.astype(input.dtype, copy=False), trace


# ------------------------------------------------------------------ gated recurrent units


def _gru_rule(
    g: Any, input: Any, hx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, steps: Any, trace: Any,
    needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    (rows, last), x = _arrived(g, input, steps, (hx,)), _rows(input)
    spans = steps or ((0, x.shape[0]),)
    if isinstance(input, Variable):
        weights = weight_ih, weight_hh, bias_ih, bias_hh
        found, first, _ = rules.through_time(rules.GRU, rows, last, x, [hx], weights, None, spans)
    else:
        x, w_ih, w_hh = _wide(x, weight_ih, weight_hh)
        by_input, by_state, *first = kernels.gru_back(rows, last[0], w_hh, spans, trace)
        before = [each[0] for each in trace]
        found = _shares(by_input, by_state, before, x, w_ih, spans, [needs[0], *needs[2:]])
    by_x = None if found[0] is None else reshape(found[0], tuple(input.shape))
    return by_x, *first, *found[1:]


@primitive(
    _gru_rule,
    _PLAIN,
    keeps=("trace",),
    title=lambda steps: "AddBackward0" if steps is None else "GruBackward0",
)
def gru_steps(
    input: Array, hx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None, bias_hh: Any = None, *,
    steps: Any = None,
) -> tuple[Array, Any]:  # fmt: skip
    """Return output and last hidden states (N, H) of gated recurrent units in one flat array; of a cell the states.

    The gates are r, z, n: the weights are (3H, I) and (3H, H).
    """
    x, h, *weights = _wide(_rows(input), hx, weight_ih, weight_hh, bias_ih, bias_hh)
    flat, results, spans = _flat(x, steps, h)
    trace = kernels.gru(x, h, tuple(weights), spans, results)
    return (results[1] if steps is None else flat).astype(input.dtype, copy=False), trace


# ------------------------------------------------------------------ Elman's network


def _elman_rule(
    g: Any, input: Any, hx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, nonlinearity: str,
    steps: Any, trace: Any, needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    (rows, last), x = _arrived(g, input, steps, (hx,)), _rows(input)
    spans = steps or ((0, x.shape[0]),)
    if isinstance(input, Variable):
        cell, weights = rules.RELU if nonlinearity == "relu" else rules.TANH, (weight_ih, weight_hh, bias_ih, bias_hh)
        found, first, _ = rules.through_time(cell, rows, last, x, [hx], weights, None, spans)
    else:
        x, w_ih, w_hh = _wide(x, weight_ih, weight_hh)
        slopes, *first = kernels.elman_back(rows, last[0], w_hh, nonlinearity == "relu", spans, trace)
        before = [each[0] for each in trace]
        found = _shares(slopes, slopes, before, x, w_ih, spans, [needs[0], *needs[2:]])
    by_x = None if found[0] is None else reshape(found[0], tuple(input.shape))
    return by_x, *first, *found[1:]


def _elman_title(nonlinearity: str, steps: Any) -> str:
    return f"{nonlinearity.capitalize()}Backward0" if steps is None else "RnnBackward0"


@primitive(_elman_rule, _PLAIN, keeps=("trace",), title=_elman_title)
def elman_steps(
    input: Array, hx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None, bias_hh: Any = None, *,
    nonlinearity: str = "tanh", steps: Any = None,
) -> tuple[Array, Any]:  # fmt: skip
    """Return output and last hidden states (N, H) of Elman's network in one flat array; of a cell the states.

    ``nonlinearity`` is "tanh" or "relu"; the weights are (H, I) and (H, H).
    """
    x, h, *weights = _wide(_rows(input), hx, weight_ih, weight_hh, bias_ih, bias_hh)
    flat, results, spans = _flat(x, steps, h)
    trace = kernels.elman(x, h, tuple(weights), nonlinearity == "relu", spans, results)
    return (results[1] if steps is None else flat).astype(input.dtype, copy=False), trace
