"""Recurrent layers as one op each: all time steps of one direction, with backpropagation through time.

The input is (rows, I), or (T, N, I) where each step has as many rows. The results are the output and the last states;
a cell is an op of its own, of one step, and its results are the states.

The arithmetic is in ``kernels/recurrent.py``. A backward pass that is itself recorded, for derivatives of second order,
runs in ops: ``through_time`` computes all values anew, tied to the graph, with a sequence in each row. ``states`` are
the hidden states, and for long short-term memory the cells as well.

Elman, Finding Structure in Time, 1990; Hochreiter and Schmidhuber, Long Short-Term Memory, 1997, with the forget gates
of Gers et al., 2000, and the projection of Sak et al., 2014; Cho et al., Learning Phrase Representations using RNN
Encoder-Decoder, 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ....arrays.dtypes import Array
from ....arrays.kernels import recurrent as kernels
from ....arrays.kernels.normalization import wide
from ....arrays.kernels.recurrent import Steps
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ..elementwise.activation import relu, relu_grad
from ..elementwise.unary import sigmoid, tanh
from ..matrix.linear import linear
from ..matrix.matmul import column_sum, fold_gemm, gemm
from ..shape.join import cat
from ..shape.views import narrow, reshape

# ------------------------------------------------------------------ recorded backward pass: one step of each kind


class Cell(NamedTuple):
    """One time step of a kind of network, in ops: ``forward`` and its vjp, ``back``.

    ``forward(by_input, by_state, states)`` returns ``memo``, the values that ``back`` needs, and the new states.
    ``back(memo, grads)`` returns the gradients of ``by_input``, of ``by_state``, and of the states where they are used
    directly, or None for those that are not.
    """

    forward: Callable[..., Any]
    back: Callable[..., Any]


def _blocks(z: Any, count: int) -> list[Any]:
    """Return the columns of ``z`` in ``count`` blocks, one for each gate."""
    size = z.shape[1] // count
    return [narrow(z, 1, n * size, size) for n in range(count)]


def _lstm(by_input: Any, by_state: Any, states: Any) -> Any:
    i, f, g, o = _blocks(by_input + by_state, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    cell = f * states[1] + i * g
    tanh_c = tanh(cell)
    return (i, f, g, o, states[1], tanh_c), (o * tanh_c, cell)


def _lstm_back(memo: Any, grads: Any) -> Any:
    i, f, g, o, before, tanh_c = memo
    by_cell = grads[1] + grads[0] * o * (1 - tanh_c * tanh_c)
    slopes = [
        by_cell * g * i * (1 - i),
        by_cell * before * f * (1 - f),
        by_cell * i * (1 - g * g),
        grads[0] * tanh_c * o * (1 - o),
    ]
    d = cat(slopes, 1)
    return d, d, (None, by_cell * f)


def _gru(by_input: Any, by_state: Any, states: Any) -> Any:
    (one, two, three), (r, u, inner) = _blocks(by_input, 3), _blocks(by_state, 3)
    r, u = sigmoid(one + r), sigmoid(two + u)
    new = tanh(three + r * inner)
    return (r, u, new, inner, states[0]), ((states[0] - new) * u + new,)


def _gru_back(memo: Any, grads: Any) -> Any:
    r, u, new, inner, before = memo
    by_new = grads[0] * (1 - u) * (1 - new * new)
    by_reset = by_new * inner * r * (1 - r)
    by_update = grads[0] * (before - new) * u * (1 - u)
    return cat([by_reset, by_update, by_new], 1), cat([by_reset, by_update, by_new * r], 1), (grads[0] * u,)


def _tanh(by_input: Any, by_state: Any, states: Any) -> Any:
    hidden = tanh(by_input + by_state)
    return hidden, (hidden,)


def _tanh_back(memo: Any, grads: Any) -> Any:
    d = grads[0] - grads[0] * memo * memo
    return d, d, (None,)


def _relu(by_input: Any, by_state: Any, states: Any) -> Any:
    hidden = relu(by_input + by_state)
    return hidden, (hidden,)


def _relu_back(memo: Any, grads: Any) -> Any:
    d = relu_grad(grads[0], memo)
    return d, d, (None,)


LSTM, GRU, TANH, RELU = Cell(_lstm, _lstm_back), Cell(_gru, _gru_back), Cell(_tanh, _tanh_back), Cell(_relu, _relu_back)


# ------------------------------------------------------------------ recorded backward pass: through time


def _fit(now: Any, rows: int, first: Any, last: list[Any]) -> Any:
    """Return ``now`` with as many ``rows`` as the next step has, which differ where sequences begin or end.

    Missing rows are taken from ``first``; surplus ones are cut off and appended to the list ``last``.
    """
    if now is None:
        return narrow(first, 0, 0, rows)
    have = now.shape[0]
    if rows < have:
        last.append(narrow(now, 0, rows, have - rows))
        return narrow(now, 0, 0, rows)
    return now if rows == have else cat([now, narrow(first, 0, have, rows - have)])


def _in_order(parts: list[Any], steps: Steps) -> Any:
    """Return the rows of all steps in the order of the input."""
    return cat(parts if steps[0] <= steps[-1] else parts[::-1])


def through_time(
    cell: Cell, g: Any, g_last: list[Any], input: Any, first: list[Any], weights: Any, projection: Any, steps: Steps
) -> tuple[list[Any], list[Any], Any]:
    """Return the gradients of (input, both weights, both biases), of the first states, and of the projection.

    ``g`` is the gradient of the output's rows, or None; ``g_last`` are those of the last states.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    by_input, states, memos = linear(input, weight_ih, bias_ih), [None] * len(first), []
    for start, stop in steps:
        states = [_fit(now, stop - start, one, []) for now, one in zip(states, first, strict=True)]
        by_state = linear(states[0], weight_hh, bias_hh)
        memo, made = cell.forward(narrow(by_input, 0, start, stop - start), by_state, states)
        memos.append((states[0], memo, made[0]))
        states = list(made)
        if projection is not None:
            states[0] = linear(states[0], projection)
    grads: list[Any] = [None] * len(first)
    lost: list[list[Any]] = [[] for _ in first]
    ones, twos = [], []
    by_projection: Any = None
    for (start, stop), (_, memo, made) in zip(reversed(steps), reversed(memos), strict=True):
        grads = [_fit(now, stop - start, one, out) for now, one, out in zip(grads, g_last, lost, strict=True)]
        if g is not None:
            grads[0] = grads[0] + narrow(g, 0, start, stop - start)
        if projection is not None:
            share = fold_gemm(grads[0], made)
            by_projection = share if by_projection is None else by_projection + share
            grads[0] = gemm(grads[0], projection, False, False)
        one, two, rest = cell.back(memo, grads)
        by_hidden = gemm(two, weight_hh, False, False)
        grads = [by_hidden if rest[0] is None else by_hidden + rest[0], *rest[1:]]
        ones.append(one)
        twos.append(two)
    d, d_state = _in_order(ones[::-1], steps), _in_order(twos[::-1], steps)
    before = _in_order([each[0] for each in memos], steps)
    found = [
        gemm(d, weight_ih, False, False),
        fold_gemm(d, input),
        fold_gemm(d_state, before),
        None if bias_ih is None else column_sum(d),
        None if bias_hh is None else column_sum(d_state),
    ]
    return found, [cat([now, *out[::-1]]) for now, out in zip(grads, lost, strict=True)], by_projection


# ------------------------------------------------------------------ results and gradients of the ops

_PLAIN = ("input", "hx", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _arrived(by_output: Any, by_last: tuple[Any, ...], states: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """Return the gradient of the output as rows, or None, and those of the last states, zeros where there is none."""
    recorded, rows, found = isinstance(states[0], Variable), None if by_output is None else _rows(by_output), []
    for g, state in zip(by_last, states, strict=True):
        if g is None:
            zeros = np.zeros(state.shape, state.array.dtype if recorded else state.dtype)
            found.append(wrap(Variable.result, zeros) if recorded else zeros)
        else:
            found.append(g)
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


def _one_step(input: Any) -> Steps:
    """Return the steps of a cell."""
    return ((0, input.shape[0]),)


def _run(kernel: Any, input: Array, states: list[Array], weights: list[Any], steps: Any, *options: Any) -> list[Any]:
    """Return the results of ``kernel``: output (None without ``steps``), last states, and what the way back needs."""
    x, *states = _wide(_rows(input), *states)
    out = None if steps is None else np.empty((*input.shape[:-1], states[0].shape[1]), x.dtype)
    last = [np.empty(state.shape, x.dtype) for state in states]
    results = None if out is None else out.reshape(len(x), out.shape[-1]), *last
    trace = kernel(x, *states, _wide(*weights), *options, steps or _one_step(x), results)
    return [*(None if one is None else one.astype(input.dtype, copy=False) for one in (out, *last)), trace]


# ------------------------------------------------------------------ long short-term memory

_LSTM = ("input", "hx", "cx", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def _lstm_rule(
    by_output: Any, by_hidden: Any, by_cell: Any, input: Any, hx: Any, cx: Any, weight_ih: Any, weight_hh: Any,
    bias_ih: Any, bias_hh: Any, weight_hr: Any, steps: Steps, trace: Any, needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    (rows, last), x = _arrived(by_output, (by_hidden, by_cell), (hx, cx)), _rows(input)
    if isinstance(input, Variable):
        weights = weight_ih, weight_hh, bias_ih, bias_hh
        found, first, by_projection = through_time(LSTM, rows, last, x, [hx, cx], weights, weight_hr, steps)
    else:
        x, w_ih, w_hh, w_hr = _wide(x, weight_ih, weight_hh, weight_hr)
        slopes, *first, by_projection = kernels.lstm_back(rows, last[0], last[1], w_hh, w_hr, steps, trace)
        before = [each[0] for each in trace]
        found = _shares(slopes, slopes, before, x, w_ih, steps, [needs[0], *needs[3:7]])
    by_x = None if found[0] is None else reshape(found[0], tuple(input.shape))
    return by_x, *first, *found[1:], by_projection


@primitive(
    _lstm_rule, _LSTM, outputs=("output", "hidden", "cell"), aux=("trace",),
    grad_fn_name="LstmBackward0",
)  # fmt: skip
def lstm_steps(
    input: Array, steps: Steps, hx: Array, cx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None,
    bias_hh: Any = None, weight_hr: Any = None,
) -> list[Any]:  # fmt: skip
    """Return output, last hidden states (N, P) and last cells (N, H) of long short-term memory.

    The gates are i, f, g, o: the weights are (4H, I), (4H, P) and, where hidden states are projected, (P, H).
    """
    return _run(kernels.lstm, input, [hx, cx], [weight_ih, weight_hh, bias_ih, bias_hh, weight_hr], steps)


def _lstm_step_rule(
    by_hidden: Any, by_cell: Any, input: Any, hx: Any, cx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any,
    bias_hh: Any, trace: Any, needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    weights = weight_ih, weight_hh, bias_ih, bias_hh, None
    return _lstm_rule(None, by_hidden, by_cell, input, hx, cx, *weights, _one_step(input), trace, needs)[:-1]


@primitive(
    _lstm_step_rule, _LSTM[:-1], outputs=("hidden", "cell"), aux=("trace",),
    grad_fn_name="LstmBackward0",
)  # fmt: skip
def lstm_step(
    input: Array, hx: Array, cx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None, bias_hh: Any = None
) -> list[Any]:
    """Return the hidden states and the cells, both (N, H), after one step of :func:`lstm_steps`."""
    return _run(kernels.lstm, input, [hx, cx], [weight_ih, weight_hh, bias_ih, bias_hh, None], None)[1:]


# ------------------------------------------------------------------ gated recurrent units


def _gru_rule(
    by_output: Any, by_hidden: Any, input: Any, hx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any,
    steps: Steps, trace: Any, needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    (rows, last), x = _arrived(by_output, (by_hidden,), (hx,)), _rows(input)
    if isinstance(input, Variable):
        weights = weight_ih, weight_hh, bias_ih, bias_hh
        found, first, _ = through_time(GRU, rows, last, x, [hx], weights, None, steps)
    else:
        x, w_ih, w_hh = _wide(x, weight_ih, weight_hh)
        by_input, by_state, *first = kernels.gru_back(rows, last[0], w_hh, steps, trace)
        before = [each[0] for each in trace]
        found = _shares(by_input, by_state, before, x, w_ih, steps, [needs[0], *needs[2:]])
    by_x = None if found[0] is None else reshape(found[0], tuple(input.shape))
    return by_x, *first, *found[1:]


@primitive(
    _gru_rule, _PLAIN, outputs=("output", "hidden"), aux=("trace",),
    grad_fn_name="GruBackward0",
)  # fmt: skip
def gru_steps(
    input: Array, steps: Steps, hx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None, bias_hh: Any = None
) -> list[Any]:
    """Return output and last hidden states (N, H) of gated recurrent units.

    The gates are r, z, n: the weights are (3H, I) and (3H, H).
    """
    return _run(kernels.gru, input, [hx], [weight_ih, weight_hh, bias_ih, bias_hh], steps)


def _gru_step_rule(
    g: Any, input: Any, hx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, trace: Any,
    needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    return _gru_rule(None, g, input, hx, *weights, _one_step(input), trace, needs)


@primitive(_gru_step_rule, _PLAIN, aux=("trace",), grad_fn_name="AddBackward0")
def gru_step(
    input: Array, hx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None, bias_hh: Any = None
) -> list[Any]:
    """Return the hidden states (N, H) after one step of :func:`gru_steps`."""
    return _run(kernels.gru, input, [hx], [weight_ih, weight_hh, bias_ih, bias_hh], None)[1:]


# ------------------------------------------------------------------ Elman's network


def _elman_rule(
    by_output: Any, by_hidden: Any, input: Any, hx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any,
    nonlinearity: str, steps: Steps, trace: Any, needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    (rows, last), x = _arrived(by_output, (by_hidden,), (hx,)), _rows(input)
    if isinstance(input, Variable):
        cell, weights = RELU if nonlinearity == "relu" else TANH, (weight_ih, weight_hh, bias_ih, bias_hh)
        found, first, _ = through_time(cell, rows, last, x, [hx], weights, None, steps)
    else:
        x, w_ih, w_hh = _wide(x, weight_ih, weight_hh)
        slopes, *first = kernels.elman_back(rows, last[0], w_hh, nonlinearity == "relu", steps, trace)
        before = [each[0] for each in trace]
        found = _shares(slopes, slopes, before, x, w_ih, steps, [needs[0], *needs[2:]])
    by_x = None if found[0] is None else reshape(found[0], tuple(input.shape))
    return by_x, *first, *found[1:]


@primitive(
    _elman_rule, _PLAIN, outputs=("output", "hidden"), aux=("trace",),
    grad_fn_name="RnnBackward0",
)  # fmt: skip
def elman_steps(
    input: Array, steps: Steps, hx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None,
    bias_hh: Any = None, *, nonlinearity: str = "tanh",
) -> list[Any]:  # fmt: skip
    """Return output and last hidden states (N, H) of Elman's network.

    ``nonlinearity`` is "tanh" or "relu"; the weights are (H, I) and (H, H).
    """
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    return _run(kernels.elman, input, [hx], weights, steps, nonlinearity == "relu")


def _elman_step_rule(
    g: Any, input: Any, hx: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, nonlinearity: str,
    trace: Any, needs: list[bool],
) -> tuple[Any, ...]:  # fmt: skip
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    return _elman_rule(None, g, input, hx, *weights, nonlinearity, _one_step(input), trace, needs)


@primitive(
    _elman_step_rule, _PLAIN, aux=("trace",), grad_fn_name=lambda nonlinearity: f"{nonlinearity.capitalize()}Backward0"
)
def elman_step(
    input: Array, hx: Array, weight_ih: Array, weight_hh: Array, bias_ih: Any = None, bias_hh: Any = None, *,
    nonlinearity: str = "tanh",
) -> list[Any]:  # fmt: skip
    """Return the hidden states (N, H) after one step of :func:`elman_steps`."""
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    return _run(kernels.elman, input, [hx], weights, None, nonlinearity == "relu")[1:]
