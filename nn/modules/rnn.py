"""Recurrent layers over whole sequences: RNN, LSTM, GRU."""

from __future__ import annotations

import math
from numbers import Number
from operator import is_
from typing import Any, ClassVar, NamedTuple
from warnings import warn

from ...tensors.creation.factories import zeros
from ...tensors.functions.recurrent import GATES, gru_cell, layers, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from ...tensors.ops.index.scatter import index_select
from ...tensors.tensor.methods import Tensor
from .. import init
from ..common_types import Device, Dtype
from ..parameter import Parameter, empty_parameter
from ..utils.rnn import PackedSequence
from .module import Module


class _FlatWeights(NamedTuple):
    """The weights that a layer computes with, and those that it had by name when that was said."""

    used: list[Any]
    named: list[Any]


def _same(some: list[Any], others: list[Any]) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))


class RNNBase(Module):
    """The base of recurrent layers: weights by layer and direction, and the checks of input and state.

    ``mode`` is "LSTM", "GRU", "RNN_TANH" or "RNN_RELU". All weights start evenly from [-b, b), b = 1 / sqrt(H).

    https://pytorch.org/docs/stable/generated/torch.nn.RNNBase.html
    """

    __constants__: ClassVar[list[str]] = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
        "proj_size",
    ]  # fmt: skip

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_options(dropout)
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        self._flat = _FlatWeights([], [])
        rows, width, directions = GATES[mode] * hidden_size, proj_size or hidden_size, 2 if bidirectional else 1
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else width * directions
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, width)}
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in ("", "_reverse")[:directions]:
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    setattr(self, name, empty_parameter(*shape, device=device, dtype=dtype))
                self._flat_weights_names += names
                self._all_weights.append(names)
        self.reset_parameters()

    def _check_options(self, dropout: Any) -> None:
        """Raise ValueError or TypeError for options that cannot be, and warn of dropout in vain."""
        if isinstance(dropout, bool) or not isinstance(dropout, Number) or not 0 <= self.dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if self.dropout > 0 and self.num_layers == 1:
            warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name, cls in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, name)
            if not isinstance(value, cls):
                raise TypeError(f"{name} should be of type {cls.__name__}, got: {type(value).__name__}")
            if cls is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in GATES:
            raise ValueError("Unrecognized RNN mode: " + self.mode)

    # ------------------------------------------------------------------ weights

    @property
    def _flat_weights(self) -> list[Any]:
        """All weights, in the order of ``_flat_weights_names``: what ``forward`` computes with.

        The list may be assigned or written. That holds until a weight is replaced under its own name.
        """
        now = [getattr(self, name, None) for name in self._flat_weights_names]
        if not _same(self._flat.named, now):
            self._flat = _FlatWeights(now, now.copy())
        return self._flat.used

    @_flat_weights.setter
    def _flat_weights(self, weights: list[Any]) -> None:
        self._flat = _FlatWeights(weights, [getattr(self, name, None) for name in self._flat_weights_names])

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_flat": _FlatWeights([], [])}  # as in PyTorch, a copy computes with its own

    @property
    def all_weights(self) -> list[list[Any]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Do nothing: this is about memory on GPUs."""

    def reset_parameters(self) -> None:
        """Draw all weights and biases anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not the usual ones."""
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False,
        }  # fmt: skip
        for name, value in usual.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text

    # ------------------------------------------------------------------ checks

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise ValueError for a dtype that is not the weights', RuntimeError for a shape that does not fit."""
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: "
                f"input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        wanted = 2 if batch_sizes is not None else 3
        if input.dim() != wanted:
            raise RuntimeError(f"input must have {wanted} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """Return the shape of the hidden states for ``input``."""
        batch = int(batch_sizes[0]) if batch_sizes is not None else input.size(0 if self.batch_first else 1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, self.proj_size or self.hidden_size

    def check_hidden_size(
        self, hx: Any, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raise RuntimeError, in the words of ``msg``, unless ``hx`` has the expected shape."""
        if tuple(hx.size()) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise ValueError or RuntimeError unless input and states fit the layer."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return the states of the batch in another order, if there is one."""
        return hx if permutation is None else index_select(hx, 1, permutation)

    # ------------------------------------------------------------------ forward

    def _zero_states(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        """Return zeros as states."""
        return zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype)

    def _batched(self, hx: Any, batched: bool) -> Any:
        """Return the states with a dim for the batch; RuntimeError unless they go with the input."""
        if hx.dim() != (3 if batched else 2):
            word, n = ("batched", 3) if batched else ("unbatched", 2)
            raise RuntimeError(f"For {word} {n}-D input, hx should also be {n}-D but got {hx.dim()}-D tensor")
        return hx if batched else hx.unsqueeze(1)

    def _run(self, input: Any, batch_sizes: Any, hx: Any) -> tuple[Any, Any]:
        output, last = layers(
            self.mode, input, batch_sizes, hx if isinstance(hx, tuple | list) else (hx,), self._flat_weights,
            has_biases=self.bias, dropout=self.dropout, train=self.training, bidirectional=self.bidirectional,
            batch_first=self.batch_first,
        )  # fmt: skip
        return output, tuple(last) if len(last) > 1 else last[0]

    def _forward(self, input: Any, hx: Any) -> tuple[Any, Any]:
        """Return output and last states of padded, packed or unbatched sequences."""
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            hx = self._zero_states(data, sizes) if hx is None else self.permute_hidden(hx, order)
            self.check_forward_args(data, hx, sizes)
            output, hidden = self._run(data, sizes, hx)
            return PackedSequence(output, sizes, order, back), self.permute_hidden(hidden, back)
        if input.dim() not in (2, 3):
            raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        batched, dim = input.dim() == 3, 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(dim)
        hx = self._zero_states(input, None) if hx is None else self._batched(hx, batched)
        self.check_forward_args(input, hx, None)
        output, hidden = self._run(input, None, hx)
        if batched:
            return output, hidden
        hidden = tuple([h.squeeze(1) for h in hidden]) if isinstance(hidden, tuple) else hidden.squeeze(1)
        return output.squeeze(dim), hidden


def _refuse_projection(proj_size: int) -> None:
    if proj_size:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """Elman's network: ``h = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)`` at each step, or relu.

    Input is (T, N, I), (N, T, I) if ``batch_first``, (T, I), or packed; states are (layers * directions, N, H) and
    start as zeros. Returns the output of the last layer and the last states of all. ValueError for a ``proj_size``,
    which is for LSTM.

    https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        _refuse_projection(proj_size)
        if nonlinearity not in {"tanh", "relu"}:
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor | PackedSequence, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """Return the output (T, N, directions * H), and the last hidden states."""
        return self._forward(input, hx)


class GRU(RNNBase):
    """Layers of gated recurrent units.

    Input, states and results are those of :class:`RNN`. ValueError for a ``proj_size``, which is for LSTM.

    https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        _refuse_projection(proj_size)
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def forward(self, input: Tensor | PackedSequence, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """Return the output (T, N, directions * H), and the last hidden states."""
        return self._forward(input, hx)


class LSTM(RNNBase):
    """Layers of long short-term memory.

    Input is (T, N, I), (N, T, I) if ``batch_first``, (T, I), or packed. State and cell, a tuple, are (layers *
    directions, N, P) and (layers * directions, N, H), with P = ``proj_size`` or H, and start as zeros. Returns the
    output of the last layer and a tuple of the last states and cells of all.

    https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html

    >>> import rushlight as torch
    >>> output, (h, c) = torch.nn.LSTM(3, 4)(torch.zeros(5, 2, 3))
    >>> output.shape, h.shape, c.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """Return the shape of the cells for ``input``."""
        return *self.get_expected_hidden_size(input, batch_sizes)[:2], self.hidden_size

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise ValueError or RuntimeError unless input, states and cells fit the layer."""
        self.check_input(input, batch_sizes)
        shapes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        for number, shape in enumerate(shapes):
            self.check_hidden_size(hidden[number], shape, f"Expected hidden[{number}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return states and cells of the batch in another order, if there is one."""
        if permutation is None:
            return hx
        return index_select(hx[0], 1, permutation), index_select(hx[1], 1, permutation)

    def _zero_states(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shapes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        return tuple([zeros(shape, dtype=input.dtype) for shape in shapes])

    def _batched(self, hx: Any, batched: bool) -> Any:
        wanted = 3 if batched else 2
        if hx[0].dim() != wanted or hx[1].dim() != wanted:
            raise RuntimeError(
                f"For {'batched' if batched else 'unbatched'} {wanted}-D input, hx and cx should also be {wanted}-D "
                f"but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )
        return (hx[0], hx[1]) if batched else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """Return the output (T, N, directions * P), and the last states and cells."""
        return self._forward(input, hx)


class RNNCellBase(Module):
    """A recurrent cell: weights of ``num_chunks`` gates, which start evenly from [-b, b), b = 1 / sqrt(H).

    https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
    """

    __constants__: ClassVar[list[str]] = ["input_size", "hidden_size", "bias"]

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Device = None, dtype: Dtype = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = empty_parameter(rows, input_size, device=device, dtype=dtype)
        self.weight_hh = empty_parameter(rows, hidden_size, device=device, dtype=dtype)
        if bias:
            self.bias_ih = empty_parameter(rows, device=device, dtype=dtype)
            self.bias_hh = empty_parameter(rows, device=device, dtype=dtype)
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not the usual ones."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def reset_parameters(self) -> None:
        """Draw all weights and biases anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check_dims(self, argument: str, value: Tensor) -> None:
        if value.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__}: Expected {argument} to be 1D or 2D, got {value.dim()}D instead")

    def _zero_state(self, input: Tensor) -> Tensor:
        return zeros(input.size(0), self.hidden_size, dtype=input.dtype)

    def _step(self, function: Any, input: Any, hx: Any) -> Any:
        """Return ``function`` of a batch or of one sequence and a state, zeros if that is None."""
        self._check_dims("input", input)
        if hx is not None:
            self._check_dims("hidden", hx)
        if input.dim() == 2:
            state = self._zero_state(input) if hx is None else hx
            return function(input, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        row = input.unsqueeze(0)
        state = self._zero_state(row) if hx is None else hx.unsqueeze(0)
        return function(row, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh).squeeze(0)


class RNNCell(RNNCellBase):
    """``tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)``, or relu: (N, I), (N, H) to (N, H).

    Unbatched input is (I), with a state (H); the state starts as zeros. RuntimeError for shapes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
    """

    __constants__: ClassVar[list[str]] = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the new hidden state."""
        functions = {"tanh": rnn_tanh_cell, "relu": rnn_relu_cell}
        if self.nonlinearity not in functions:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(functions[self.nonlinearity], input, hx)


class LSTMCell(RNNCellBase):
    """One step of long short-term memory: (N, I) and a tuple of state and cell, both (N, H), to such a tuple.

    Unbatched input is (I), with state and cell (H); both start as zeros. The gates' weights lie in the order i, f, g,
    o. RuntimeError for shapes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html

    >>> import rushlight as torch
    >>> h, c = torch.nn.LSTMCell(3, 4)(torch.zeros(2, 3))
    >>> h.shape, c.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Device = None, dtype: Dtype = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return the new hidden state and the new cell."""
        self._check_dims("input", input)
        if hx is not None:
            for number, value in enumerate(hx):
                self._check_dims(f"hx[{number}]", value)
        weights = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        if input.dim() == 2:
            return lstm_cell(input, (self._zero_state(input),) * 2 if hx is None else hx, *weights)
        row = input.unsqueeze(0)
        hx = (self._zero_state(row),) * 2 if hx is None else (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        hidden, cell = lstm_cell(row, hx, *weights)
        return hidden.squeeze(0), cell.squeeze(0)


class GRUCell(RNNCellBase):
    """One step of gated recurrent units: (N, I), (N, H) to (N, H).

    Unbatched input is (I), with a state (H); the state starts as zeros. The gates' weights lie in the order r, z, n.
    RuntimeError for shapes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Device = None, dtype: Dtype = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the new hidden state."""
        return self._step(gru_cell, input, hx)
