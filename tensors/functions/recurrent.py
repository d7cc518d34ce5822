"""Recurrent networks: single cells, and whole layers over padded or packed sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...arrays.dtypes import dtype_of
from ...autograd.arguments import array_of
from ..doors import doors
from ..ops.layer import recurrent as rules
from ..ops.layer.recurrent import elman_step, elman_steps, gru_step, gru_steps, lstm_step, lstm_steps
from ..ops.matrix.linear import linear
from ..ops.matrix.matmul import check_shapes, same_kind
from ..ops.shape.join import cat, stack
from ..ops.shape.order import transpose
from ..ops.shape.split import unbind
from .dropout import dropout as _dropout

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_KINDS = {"LSTM": rules.LSTM, "GRU": rules.GRU, "RNN_TANH": rules.TANH, "RNN_RELU": rules.RELU}

# ------------------------------------------------------------------ cells


def _fits(name: str, gates: int, arrays: Sequence[Any], biases: Sequence[Any]) -> bool:
    """Return whether all is of one float dtype and of the usual shapes; RuntimeError for what cannot be meant.

    ``arrays`` are the input, both weights and the states.
    """
    x, w_ih, w_hh, *states = arrays
    for one in arrays:
        if one.ndim < 2:
            raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    if x.shape[1] != w_ih.shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {x.shape[1]} expected {w_ih.shape[1]}")
    size = w_hh.shape[1]
    for number, state in enumerate(states):
        if state.shape[0] != x.shape[0]:
            raise RuntimeError(f"Input batch size {len(x)} doesn't match hidden{number} batch size {len(state)}")
        if state.shape[1] != size:
            raise RuntimeError(f"hidden{number} has inconsistent hidden_size: got {state.shape[1]}, expected {size}")
    for what, weight in (("ih", w_ih), ("hh", w_hh)):
        if weight.shape[0] != gates * size:
            raise RuntimeError(
                f"{name}(): weight_{what} first dim must be {gates} * hidden_size = {gates * size}, but got "
                f"{weight.shape[0]}"
            )
    kind = x.dtype
    if kind.kind != "f":
        return False
    for one in arrays:
        if one.dtype is not kind or one.ndim != 2:
            return False
    return all(b is None or (b.shape == (gates * size,) and b.dtype is kind) for b in biases)


def _composed(cell: rules.Cell, input: Any, states: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """Return the new states op by op: for mixed dtypes, integers and biases that broadcast."""
    kind = array_of(input, "linear").dtype
    if kind.kind != "f" and (cell is rules.LSTM or cell is rules.GRU):
        raise RuntimeError(f"result type Float can't be cast to the desired output type {dtype_of(kind).legacy}")
    return cell.forward(linear(input, w_ih, b_ih), linear(states[0], w_hh, b_hh), states)[1]


def _arrays(name: str, states: Any, input: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """Return the arrays of input, weights and states, and of the biases; TypeError for what is no tensor."""
    x = array_of(input, name)
    hidden = [array_of(state, name, "hx", 2) for state in states]
    arrays = [x, array_of(w_ih, name, "w_ih", 3), array_of(w_hh, name, "w_hh", 4), *hidden]
    biases = [None if b is None else array_of(b, name, f"b_{n}", p) for b, n, p in ((b_ih, "ih", 5), (b_hh, "hh", 6))]
    return arrays, biases


@doors("torch")
def lstm_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> tuple[Any, Any]:
    """Return the new hidden state and cell (N, H) of long short-term memory, from ``hx``, a tuple of the old ones.

    ``input`` is (N, I), ``w_ih`` (4H, I), ``w_hh`` (4H, H) and the biases (4H,); the gates are i, f, g, o. RuntimeError
    for shapes and dtypes that do not fit.

    Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; Gers, Schmidhuber and Cummins, Learning to Forget, 2000.
    https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html

    >>> import rushlight as torch
    >>> state = torch.zeros(1, 1), torch.ones(1, 1)
    >>> torch.lstm_cell(torch.ones(1, 1), state, torch.zeros(4, 1), torch.zeros(4, 1))
    (tensor([[0.2311]]), tensor([[0.5000]]))
    """
    if not isinstance(hx, tuple | list):
        raise TypeError(f"lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not {type(hx).__name__}")
    arrays, biases = _arrays("lstm_cell", hx, input, w_ih, w_hh, b_ih, b_hh)
    if len(hx) != 2:
        raise RuntimeError(f"lstm_cell expects two hidden states, but got {len(hx)}")
    if not _fits("lstm_cell", 4, arrays, biases):
        hidden, cell = _composed(rules.LSTM, input, hx, w_ih, w_hh, b_ih, b_hh)
        return hidden, cell
    hidden, cell = lstm_step(input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh)
    return hidden, cell


@doors("torch")
def gru_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """Return the new hidden state (N, H) of gated recurrent units, from the old one.

    ``input`` is (N, I), ``w_ih`` (3H, I), ``w_hh`` (3H, H) and the biases (3H,); the gates are r, z, n. RuntimeError
    for shapes and dtypes that do not fit.

    Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html

    >>> import rushlight as torch
    >>> torch.gru_cell(torch.ones(1, 1), torch.ones(1, 1), torch.zeros(3, 1), torch.zeros(3, 1))
    tensor([[0.5000]])
    """
    arrays, biases = _arrays("gru_cell", (hx,), input, w_ih, w_hh, b_ih, b_hh)
    if _fits("gru_cell", 3, arrays, biases):
        return gru_step(input, hx, w_ih, w_hh, b_ih, b_hh)
    return _composed(rules.GRU, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@doors("torch")
def rnn_tanh_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """Return ``tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``: (N, H), from (N, I) and (N, H).

    RuntimeError for shapes and dtypes that do not fit. Elman, Finding Structure in Time, 1990.
    https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html

    >>> import rushlight as torch
    >>> torch.rnn_tanh_cell(torch.ones(1, 1), torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    tensor([[0.7616]])
    """
    return _elman_cell("rnn_tanh_cell", "tanh", input, hx, w_ih, w_hh, b_ih, b_hh)


@doors("torch")
def rnn_relu_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """Return ``relu(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``, as :func:`rnn_tanh_cell` does with tanh."""
    return _elman_cell("rnn_relu_cell", "relu", input, hx, w_ih, w_hh, b_ih, b_hh)


def _elman_cell(name: str, nonlinearity: str, input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    arrays, biases = _arrays(name, (hx,), input, w_ih, w_hh, b_ih, b_hh)
    if _fits(name, 1, arrays, biases):
        return elman_step(input, hx, w_ih, w_hh, b_ih, b_hh, nonlinearity=nonlinearity)
    cell = rules.RELU if nonlinearity == "relu" else rules.TANH
    return _composed(cell, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


# ------------------------------------------------------------------ layers


def _spans(input: Any, batch_sizes: Any) -> tuple[tuple[int, int], ...]:
    """Return the rows of each time step; RuntimeError for sequences that make no sense."""
    shape = tuple(input.shape)
    if batch_sizes is None:
        if shape[0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        return tuple([(n * shape[1], (n + 1) * shape[1]) for n in range(shape[0])])
    sizes = array_of(batch_sizes, "rnn", "batch_sizes", 2)
    if sizes.dtype.char not in "lq":
        raise RuntimeError(f"expected scalar type Long but found {dtype_of(sizes.dtype).legacy}")
    spans, start, before = [], 0, None
    for size in sizes.tolist():
        if size <= 0 or (before is not None and size > before):
            raise RuntimeError(f"batch_sizes must be positive and must not grow, but are {sizes.tolist()}")
        spans.append((start, start + size))
        start, before = start + size, size
    if start != shape[0]:
        raise RuntimeError(f"batch_sizes add up to {start}, but the packed data has {shape[0]} rows")
    return tuple(spans)


def _check_weights(x: Any, states: Any, gates: int, w_ih: Any, w_hh: Any, *rest: Any) -> None:
    """Raise RuntimeError unless the weights of a layer fit its input, its states and each other."""
    check_shapes(tuple(x.shape), tuple(w_ih.shape)[::-1])
    check_shapes(tuple(states[0].shape), tuple(w_hh.shape)[::-1])
    size = states[-1].shape[1]
    for weight in (w_ih, w_hh):
        if weight.shape[0] != gates * size:
            raise RuntimeError(f"a weight of shape {list(weight.shape)} does not fit {gates} gates of size {size}")
    for one in (*states, w_ih, w_hh, *rest):
        if one is not None:
            same_kind(array_of(one, "rnn"), array_of(x, "rnn"), "mat1 and mat2")


def _direction(mode: str, input: Any, states: Any, weights: Any, steps: Any) -> Any:
    """Return the output of one layer in one direction, and its last states."""
    _check_weights(input, states, GATES[mode], *weights)
    if mode == "LSTM":
        return lstm_steps(input, steps, *states, *weights)
    if mode == "GRU":
        return gru_steps(input, steps, *states, *weights[:4])
    nonlinearity = "relu" if mode == "RNN_RELU" else "tanh"
    return elman_steps(input, steps, *states, *weights[:4], nonlinearity=nonlinearity)


def layers(
    mode: str, input: Any, batch_sizes: Any, states: Sequence[Any], params: Sequence[Any], *, has_biases: bool,
    dropout: float, train: bool, bidirectional: bool, batch_first: bool,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """Return the output of the last layer and the last states of all.

    ``mode`` is a key of ``GATES``. ``input`` is (T, N, I), or (N, T, I) if ``batch_first``, or (rows, I) packed as
    ``batch_sizes`` says. Each of ``states`` is (layers * directions, N, ...). ``params`` are, for each layer and
    direction, the weights of input and state, their biases if ``has_biases``, and maybe that of a projection.
    ``dropout`` is the share of each layer's output, but the last, that is dropped in ``train``.
    """
    x = transpose(input, 0, 1) if batch_first and batch_sizes is None else input
    steps, directions = _spans(x, batch_sizes), 2 if bidirectional else 1
    starts = [unbind(state, 0) for state in states]
    batch = steps[0][1] - steps[0][0]
    if any(state.shape[1] != batch for state in states):
        raise RuntimeError(f"expected states of {batch} sequences, but got {[list(state.shape) for state in states]}")
    each = len(params) // len(starts[0])
    ends: list[Any] = [[] for _ in states]
    for number in range(0, len(starts[0]), directions):
        made = []
        for at in range(number, number + directions):
            w_ih, w_hh, *rest = params[at * each : (at + 1) * each]
            rest = rest if has_biases else [None, None, *rest]
            weights = (w_ih, w_hh, *rest, None)[:5]
            in_order = steps if at == number else steps[::-1]
            out, *last = _direction(mode, x, [start[at] for start in starts], weights, in_order)
            made.append(out)
            for end, one in zip(ends, last, strict=True):
                end.append(one)
        x = made[0] if directions == 1 else cat(made, -1)
        if dropout and train and number + directions < len(starts[0]):
            x = _dropout(x, dropout, True)
    if batch_first and batch_sizes is None:
        x = transpose(x, 0, 1)
    return x, [stack(end) for end in ends]
