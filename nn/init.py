"""Initial values of parameters: ``torch.nn.init``. Each function fills a tensor in place and returns it.

The same seed gives PyTorch's values.

https://pytorch.org/docs/stable/nn.init.html
"""

from __future__ import annotations

import math
from functools import wraps
from typing import Any
from warnings import warn

import numpy as np

from ..autograd.grad_mode import no_grad
from ..autograd.variable import as_ndarray, bump_version, wrap
from ..tensors.random.creation import randperm
from ..tensors.tensor.methods import Tensor

_WITHOUT_GAIN = {
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid",
}  # fmt: skip
_GAINS = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 0.75}


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """Return the recommended factor for weights before ``nonlinearity``; ``param`` is the slope of leaky ReLU.

    >>> import rushlight as torch
    >>> torch.nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity in _WITHOUT_GAIN:
        return 1
    if nonlinearity in _GAINS:
        return _GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    if isinstance(param, bool) or not isinstance(param, int | float | None):
        raise ValueError(f"negative_slope {param} not a valid number")
    slope = 0.01 if param is None else param
    return math.sqrt(2.0 / (1 + slope**2))


def _write(tensor: Tensor, values: Any) -> Tensor:
    """Fill ``tensor`` with ``values``, without recording it for gradients."""
    as_ndarray(tensor)[...] = values
    bump_version(tensor, "init")
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Return ``tensor`` filled evenly from [a, b)."""
    with no_grad():
        tensor.uniform_(a, b, generator=generator)
    return tensor


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Return ``tensor`` filled from the normal distribution."""
    with no_grad():
        tensor.normal_(mean, std, generator=generator)
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Return ``tensor`` filled with ``val``."""
    return _write(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Return ``tensor`` filled with ones."""
    return _write(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Return ``tensor`` filled with zeros."""
    return _write(tensor, 0)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Return ``tensor`` filled from the normal distribution, values outside [a, b] drawn again.

    Where most of the distribution lies outside, even draws from [a, b] are accepted by their density instead.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            UserWarning,
            stacklevel=2,
        )
    inside = (math.erf((b - mean) / std / math.sqrt(2.0)) - math.erf((a - mean) / std / math.sqrt(2.0))) / 2.0
    draws = _Draws(tensor, generator)
    if inside > 0.3:
        low, high = draws.dtype.type(a), draws.dtype.type(b)
        values = np.array(as_ndarray(normal_(tensor, mean, std, generator)))
        while (outside := (values < low) | (values > high)).any():
            values = np.where(outside, draws.normal(mean, std), values)
        return _write(tensor, values)
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    values = np.array(as_ndarray(uniform_(tensor, a, b, generator)))
    pending = draws.rejected(values, mean, std, peak)
    while pending.any():
        again = draws.uniform(a, b)
        values = np.where(pending, again, values)
        pending = pending & draws.rejected(again, mean, std, peak)
    return _write(tensor, values)


class _Draws:
    """Draws arrays of the shape and dtype of a tensor."""

    def __init__(self, like: Tensor, generator: Any) -> None:
        self.shape, self.dtype, self.generator = like.array.shape, like.array.dtype, generator

    def uniform(self, a: float = 0.0, b: float = 1.0) -> Any:
        return as_ndarray(uniform_(wrap(Tensor, np.empty(self.shape, self.dtype)), a, b, self.generator))

    def normal(self, mean: float, std: float) -> Any:
        return as_ndarray(normal_(wrap(Tensor, np.empty(self.shape, self.dtype)), mean, std, self.generator))

    def rejected(self, values: Any, mean: float, std: float, peak: float) -> Any:
        """Return where the density at ``values``, relative to its peak, is too low for another even draw."""
        return np.log(self.uniform()) > ((values - mean) / std) ** 2 * -0.5 - peak


def eye_(tensor: Tensor) -> Tensor:
    """Return the matrix ``tensor`` filled with ones on the diagonal and zeros beside it."""
    _check_dims(tensor, 2)
    return _write(tensor, np.eye(*tensor.array.shape, dtype=tensor.array.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Return the convolution weight ``tensor`` filled so that it hands on as many channels as it can."""
    shape = tensor.array.shape
    if len(shape) not in {3, 4, 5}:
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, not {len(shape)}")
    if shape[0] % groups:
        raise ValueError(f"dim 0 must be divisible by groups: {shape[0]} is not divisible by {groups}")
    channels = shape[0] // groups
    values = np.zeros(shape, tensor.array.dtype)
    middle = tuple(n // 2 for n in shape[2:])
    for group in range(groups):
        for channel in range(min(channels, shape[1])):
            values[(group * channels + channel, channel, *middle)] = 1
    return _write(tensor, values)


def _check_dims(tensor: Tensor, dims: int) -> None:
    if tensor.array.ndim != dims:
        raise ValueError(f"Only tensors with {dims} dimensions are supported, not {tensor.array.ndim}")


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs each output of a weight has, and how many outputs each input has."""
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    modes = ["fan_in", "fan_out"]
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Return ``tensor`` filled evenly from [-a, a), a = gain * sqrt(6 / (fan_in + fan_out)) (Glorot, Bengio 2010)."""
    a = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor)))))
    return uniform_(tensor, -a, a, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Return ``tensor`` filled from a normal distribution, std = gain * sqrt(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor)))), generator)


def _is_empty(tensor: Tensor) -> bool:
    if 0 in tensor.array.shape:
        warn("Initializing zero-element tensors is a no-op", UserWarning, stacklevel=3)
        return True
    return False


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Return ``tensor`` filled evenly from [-b, b), b = gain * sqrt(3 / fan) (He et al. 2015)."""
    if _is_empty(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    bound = math.sqrt(3.0) * (calculate_gain(nonlinearity, a) / math.sqrt(fan))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Return ``tensor`` filled from a normal distribution, std = gain / sqrt(fan)."""
    if _is_empty(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(fan), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Return ``tensor``, its dims after the first taken as one, filled with orthonormal rows or columns times ``gain``.

    The factor Q of a normal matrix, its signs made those of the diagonal of R (https://arxiv.org/abs/math-ph/0609050).
    """
    shape, dtype = tensor.array.shape, tensor.array.dtype
    if len(shape) < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, not {len(shape)}")
    if 0 in shape:
        return tensor
    rows, cols = shape[0], math.prod(shape[1:])
    values = as_ndarray(normal_(wrap(Tensor, np.empty((rows, cols), dtype)), 0, 1, generator))
    q, r = np.linalg.qr(values.T if rows < cols else values)
    q = q * np.sign(np.diagonal(r))
    return _write(tensor, (q.T if rows < cols else q).reshape(shape) * dtype.type(gain))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Return the matrix ``tensor`` filled from a normal distribution, the fraction ``sparsity`` of each column zero."""
    _check_dims(tensor, 2)
    rows, cols = tensor.array.shape
    zeros = math.ceil(sparsity * rows)
    normal_(tensor, 0.0, std, generator)
    values = as_ndarray(tensor)
    for column in range(cols):
        values[randperm(rows).array[:zeros], column] = 0
    return tensor


# ------------------------------------------------------------------ names from before PyTorch 0.4


def _old_name(fill: Any) -> Any:
    """Return ``fill`` under its name without the underscore, which warns."""
    new = fill.__name__
    old = new[:-1]

    @wraps(fill)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
            FutureWarning,
            stacklevel=2,
        )
        return fill(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = old
    renamed.__doc__ = f"Return what :func:`{new}` returns, with a FutureWarning: this is its old name."
    return renamed


uniform, normal, constant, eye, dirac = (_old_name(f) for f in (uniform_, normal_, constant_, eye_, dirac_))
xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, orthogonal, sparse = (
    _old_name(f) for f in (xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_, orthogonal_, sparse_)
)
