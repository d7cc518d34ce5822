"""Recurrent cells, one time step each: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd.creation import zeros
from ..autograd.recurrent import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from . import init
from .module import Module
from .parameter import Parameter, empty_parameter


class RNNCellBase(Module):
    """What all cells share: weights of ``num_chunks`` gates, which start evenly from [-b, b), b = 1 / sqrt(H).

    https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
    """

    __constants__: ClassVar[list[str]] = ["input_size", "hidden_size", "bias"]

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
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

    def _check(self, what: str, value: Any) -> None:
        if value.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {value.dim()}D instead")

    def _zeros(self, input: Any) -> Any:
        return zeros(input.size(0), self.hidden_size, dtype=input.dtype)

    def _step(self, function: Any, input: Any, hx: Any) -> Any:
        """Return ``function`` of a batch or of one sequence and a state, zeros if that is None."""
        self._check("input", input)
        if hx is not None:
            self._check("hidden", hx)
        if input.dim() == 2:
            state = self._zeros(input) if hx is None else hx
            return function(input, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        row = input.unsqueeze(0)
        state = self._zeros(row) if hx is None else hx.unsqueeze(0)
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
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
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
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Return the new hidden state and the new cell."""
        self._check("input", input)
        if hx is not None:
            for number, value in enumerate(hx):
                self._check(f"hx[{number}]", value)
        weights = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        if input.dim() == 2:
            return lstm_cell(input, (self._zeros(input),) * 2 if hx is None else hx, *weights)
        row = input.unsqueeze(0)
        hx = (self._zeros(row),) * 2 if hx is None else (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        hidden, cell = lstm_cell(row, hx, *weights)
        return hidden.squeeze(0), cell.squeeze(0)


class GRUCell(RNNCellBase):
    """One step of gated recurrent units: (N, I), (N, H) to (N, H).

    Unbatched input is (I), with a state (H); the state starts as zeros. The gates' weights lie in the order r, z, n.
    RuntimeError for shapes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Return the new hidden state."""
        return self._step(gru_cell, input, hx)
