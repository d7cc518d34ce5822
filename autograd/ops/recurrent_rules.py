"""Backward passes of recurrent layers in operators and ops: for the walk that is recorded, and so for second orders.

The steps are those of ``kernels/recurrent.py``, with a sequence in each row. All values are computed anew, tied to the
graph. ``states`` are the hidden states, and for long short-term memory the cells as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..kernels.recurrent import Steps
from .activation import _relu_grad, relu
from .join import cat
from .linear import linear
from .matmul import column_sum, fold_gemm, gemm
from .pointwise import sigmoid, tanh
from .shape import narrow


class Cell(NamedTuple):
    """One step of a kind of network.

    ``forward(by_input, by_state, states)`` gives what the way back needs and the new states. ``back(memo, grads)``
    gives the gradients of ``by_input``, of ``by_state``, and of the states where they are used directly (or None).
    """

    forward: Callable[..., Any]
    back: Callable[..., Any]


def _blocks(z: Any, count: int) -> list[Any]:
    size = z.shape[1] // count
    return [narrow(z, 1, n * size, size) for n in range(count)]


# ------------------------------------------------------------------ the kinds


def _lstm(by_input: Any, by_state: Any, states: Any) -> Any:
    i, f, g, o = _blocks(by_input + by_state, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    cell = f * states[1] + i * g
    bent = tanh(cell)
    return (i, f, g, o, states[1], bent), (o * bent, cell)


def _lstm_back(memo: Any, grads: Any) -> Any:
    i, f, g, o, before, bent = memo
    by_cell = grads[1] + grads[0] * o * (1 - bent * bent)
    slopes = [
        by_cell * g * i * (1 - i),
        by_cell * before * f * (1 - f),
        by_cell * i * (1 - g * g),
        grads[0] * bent * o * (1 - o),
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
    d = _relu_grad(grads[0], memo)
    return d, d, (None,)


LSTM, GRU, TANH, RELU = Cell(_lstm, _lstm_back), Cell(_gru, _gru_back), Cell(_tanh, _tanh_back), Cell(_relu, _relu_back)


# ------------------------------------------------------------------ through time


def _fit(now: Any, rows: int, first: Any, last: list[Any]) -> Any:
    """Return the rows ``now`` for a step of so many; new ones come from ``first``, those that go join ``last``."""
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
