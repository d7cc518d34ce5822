"""Normalization of the last dims: layer norm and root mean square norm; and of an element by its neighbour channels."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ....arrays.dims import ints
from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels import normalization
from ....arrays.kernels.magnitude import powers_fit
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.tangents import SHORTCUTS
from ....autograd.variable import Variable
from ...doors import doors
from ..common import as_kind
from ..shape.pad import constant_pad_nd
from ..shape.views import reshape
from ..window.average_pool import avg_pool3d
from .batch_norm import check_parameters, recorded_slopes

Ints = tuple[int, ...]


def _views(shape: Ints, normalized_shape: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the input's shape as rows, that of their means, and that of the weight."""
    size = prod(normalized_shape)
    rows = prod(shape[: len(shape) - len(normalized_shape)])
    return (rows, size), (rows, 1), (1, size)


def _slopes(
    g: Any, input: Any, weight: Any, normalized_shape: Ints, mean: Any, rstd: Any, needs: list[bool], centre: bool
) -> list[Any]:
    """Return the gradients on arrays, each in its shape."""
    rows = _views(input.shape, normalized_shape)[0]
    x, seed = normalization.wide(input).reshape(rows), normalization.wide(g).reshape(rows)
    w = None if weight is None else weight.reshape(-1)
    dx, *rest = normalization.row_slopes(seed, x, w, mean, rstd, centre, needs)
    dx = None if dx is None else dx.reshape(input.shape).astype(input.dtype, copy=False)
    return [dx, *[None if part is None else part.reshape(normalized_shape) for part in rest]]


def _layer_norm_rule(
    g: Any, input: Any, normalized_shape: Ints, weight: Any, eps: float, mean: Array, rstd: Array, needs: list[bool]
) -> Any:
    if not isinstance(g, Variable):
        return _slopes(g, input, weight, normalized_shape, mean, rstd, needs, True)
    found = recorded_slopes(g, input, weight, *_views(tuple(input.shape), normalized_shape), eps, needs)
    return [found[0], *[None if part is None else reshape(part, normalized_shape) for part in found[1:]]]


@primitive(
    _layer_norm_rule,
    ("input", "weight", "bias"),
    aux=("mean", "rstd"),
    grad_fn_name="NativeLayerNormBackward0",
    numbers=("eps",),
)
def _layer_norm(
    input: Array, normalized_shape: Ints, eps: float, weight: Any = None, bias: Any = None
) -> tuple[Array, ...]:
    """Return ``input`` with its last dims at mean 0 and variance 1, and the mean and rstd of each row."""
    x = normalization.wide(input)
    rows = x.reshape(_views(x.shape, normalized_shape)[0])
    flat = [None if one is None else one.reshape(-1) for one in (weight, bias)]
    out, mean, rstd = normalization.row_norm(rows, flat[0], flat[1], eps, True)
    return out.reshape(input.shape).astype(input.dtype, copy=False), mean, rstd


def _layer_norm_tangent(moved: dict[str, Any], saved: dict[str, Any]) -> Array:
    """Return the tangent: without the weight the Jacobian of a row is symmetric, so the rule gives it."""
    x, size, weight, mean, rstd = (saved[name] for name in ("input", "normalized_shape", "weight", "mean", "rstd"))
    rows, total = _views(x.shape, size)[0], None
    if "input" in moved:
        total = _slopes(moved["input"], x, None, size, mean, rstd, [True, False, False], True)[0]
        total = total if weight is None else total * weight
    if "weight" in moved:
        unit = (normalization.wide(x).reshape(rows) - mean.reshape(-1, 1)) * rstd.reshape(-1, 1)
        unit = unit.reshape(x.shape) * moved["weight"]
        total = unit if total is None else total + unit
    if "bias" in moved:
        total = np.broadcast_to(moved["bias"], x.shape) if total is None else total + moved["bias"]
    return total.astype(x.dtype, copy=False)  # type: ignore[union-attr,no-any-return]


SHORTCUTS["layer_norm"] = _layer_norm_tangent


def _check_rows(shape: Ints, normalized_shape: Any, name: str, **parameters: Any) -> Ints:
    """Return ``normalized_shape`` as a tuple; RuntimeError unless it and the parameters fit."""
    if isinstance(normalized_shape, int):
        raise TypeError(f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not int")
    size = ints(normalized_shape, name, "normalized_shape")
    if not size:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for what, one in parameters.items():
        if one is not None and array_of(one, name, what).shape != size:
            raise RuntimeError(
                f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape {list(one.shape)} "
                f"and normalized_shape = {list(size)}"
            )
    if len(shape) < len(size) or tuple(shape[len(shape) - len(size) :]) != size:
        expected = ", ".join(map(str, size))
        raise RuntimeError(
            f"Given normalized_shape={list(size)}, expected input with shape [*, {expected}], but got input of "
            f"size{list(shape)}"
        )
    return size


@doors("torch functional")
def layer_norm(
    input: Any,
    normalized_shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Any:
    """Return ``input`` with its last dims, of ``normalized_shape``, at mean 0 and variance 1.

    Then times ``weight`` plus ``bias``, both of ``normalized_shape``. Raises RuntimeError for shapes and dtypes that do
    not fit.

    Ba, Kiros and Hinton, Layer Normalization, 2016.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html

    >>> import rushlight as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([[1.0, 3.0], [4.0, 8.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    x = array_of(input, "layer_norm")
    size = _check_rows(x.shape, normalized_shape, "layer_norm", weight=weight, bias=bias)
    check_parameters("layer_norm", x, weight=weight, bias=bias)
    return _layer_norm(input, size, eps, weight, bias)


# ------------------------------------------------------------------ root mean square


def _rms_norm_rule(
    g: Any, input: Any, normalized_shape: Ints, weight: Any, eps: float, rstd: Array, needs: list[bool]
) -> Any:
    if not isinstance(g, Variable):
        return _slopes(g, input, weight, normalized_shape, rstd, rstd, needs, False)
    found = recorded_slopes(g, input, weight, *_views(tuple(input.shape), normalized_shape), eps, needs, centre=False)
    return [found[0], None if found[1] is None else reshape(found[1], normalized_shape)]


@primitive(_rms_norm_rule, ("input", "weight"), aux=("rstd",), grad_fn_name="FusedRmsNormBackward0", numbers=("eps",))
def _rms_norm(input: Array, normalized_shape: Ints, eps: float, weight: Any = None) -> tuple[Array, ...]:
    """Return ``input`` with its last dims at mean square 1, and the reciprocal root of each row."""
    x = normalization.wide(input)
    rows = x.reshape(_views(x.shape, normalized_shape)[0])
    out, _, rstd = normalization.row_norm(rows, None if weight is None else weight.reshape(-1), None, eps, False)
    return out.reshape(input.shape).astype(input.dtype, copy=False), rstd


@doors("torch functional")
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Return ``input`` with its last dims, of ``normalized_shape``, at mean square 1, times ``weight``.

    ``eps`` is added under the root; without one, it is the dtype's smallest step from 1.

    Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html

    >>> import rushlight as torch
    >>> torch.nn.functional.rms_norm(torch.tensor([[1.0, 7.0]]), (2,))
    tensor([[0.2000, 1.4000]])
    """
    x = array_of(input, "rms_norm")
    size = _check_rows(x.shape, normalized_shape, "rms_norm", weight=weight)
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"rms_norm\" not implemented for '{dtype_of(x.dtype).legacy}'")
    if eps is None:
        eps = float(np.finfo(np.float64 if x.dtype == np.float64 else np.float32).eps)
    return _rms_norm(input, size, eps, weight)


# ------------------------------------------------------------------ neighbour channels


@doors("functional")
def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Return (N, C, ...) ``input`` divided by ``(k + alpha * mean) ** beta``.

    The mean is that of the squares of ``size`` neighbour channels, zeros beyond the first and last.

    Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html

    >>> import rushlight as torch
    >>> torch.nn.functional.local_response_norm(torch.tensor([[[1.0], [3.0]]]), 1, alpha=1.0, beta=1.0)
    tensor([[[0.5000],
             [0.3000]]])
    """
    x = array_of(input, "local_response_norm")
    if x.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {x.ndim} dimensions)")
    if x.size == 0:
        return input
    if x.dtype.char in "ef" and not powers_fit(x, 2):  # the quotient fits though the squares do not
        return as_kind(local_response_norm(as_kind(input, np.dtype(np.float64)), size, alpha, beta, k), x.dtype)
    batch, channels = x.shape[:2]
    squares = reshape(input * input, (batch, 1, channels, 1, -1))
    padded = constant_pad_nd(squares, (0, 0, 0, 0, size // 2, (size - 1) // 2), 0.0)
    mean = reshape(avg_pool3d(padded, (size, 1, 1), stride=1), x.shape)
    return input / (mean * alpha + k) ** beta
