"""Softmax and its logarithm, stable for any numbers: the largest is subtracted first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array, as_numpy, dtype_of
from ....arrays.kernels import softmax as rows
from ....autograd.arguments import array_of
from ....autograd.broadcast import convert, sum_to
from ....autograd.primitive import primitive
from ...doors import doors
from ..elementwise.unary import exp

# ------------------------------------------------------------------ on arrays


def shape_along(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """Return ``shape`` with size 1 at ``dim``: what a sum over it has that keeps the dim."""
    if not shape:
        return ()
    dim = norm_dim(dim, len(shape))
    return (*shape[:dim], 1, *shape[dim + 1 :])


def _wide(x: Any, dim: int, name: str) -> tuple[Any, int]:
    """Return ``x`` with at least one dim, float16 as float32, and ``dim`` counted from the front."""
    dim = norm_dim(dim, x.ndim)
    if x.dtype.kind != "f":
        last = "lastdim_kernel_impl" if dim == max(x.ndim - 1, 0) else "kernel_impl"
        raise NotImplementedError(f"\"{name}_{last}\" not implemented for '{dtype_of(x.dtype).legacy}'")
    wide = np.asarray(x, np.float32) if x.dtype.char == "e" else x
    return (wide if wide.ndim else wide.reshape(1)), dim


def exponentials(x: Array, dim: int) -> tuple[Array, Array]:
    """Return ``x`` less its largest along ``dim``, and e to the power of that."""
    if not x.size:
        return x.copy(), x.copy()
    shifted = x - np.maximum.reduce(x, dim, keepdims=True)
    return shifted, np.exp(shifted)


# ------------------------------------------------------------------ softmax


def _softmax_data_out(g: Any, grad: Any, output: Any, dim: int) -> Any:
    shape = shape_along(output.shape, dim)
    return g * (grad - sum_to(grad * output, shape)) - grad * sum_to(g * output, shape)


@primitive(
    grad=lambda g, output, dim: softmax_backward_data(g, output, dim), output=_softmax_data_out, integers=("dim",)
)
def softmax_backward_data(grad: Array, output: Array, dim: int) -> Any:
    """Return the gradient of the softmax whose result is ``output``: ``output * (grad - sum(grad * output))``."""
    if not output.ndim:
        made = grad * output
        return made - output * made
    return rows.softmax_slope(grad, output, norm_dim(dim, output.ndim))


@primitive(input=lambda g, out, dim: softmax_backward_data(g, out, dim))
def _softmax(input: Array, dim: int) -> Any:
    """Return e to each element, divided by their sum along ``dim``."""
    wide, place = _wide(input, dim, "softmax")
    return rows.softmax(wide, place).reshape(input.shape).astype(input.dtype, copy=False)


@doors("torch Tensor special")
def softmax(input: Any, dim: int, dtype: Any = None, *, out: Any = None) -> Any:
    """Return e to each element, divided by their sum along ``dim``: numbers above 0 that add up to 1.

    ``dtype``: what ``input`` is converted to first. Raises NotImplementedError for integers, IndexError for a dim that
    is not there.

    >>> import rushlight as torch
    >>> torch.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])

    https://pytorch.org/docs/stable/generated/torch.softmax.html
    """
    input = _converted(input, dtype, "softmax")
    return _softmax(input, dim) if out is None else _softmax(input, dim, out=out)  # type: ignore[call-arg]


def _converted(input: Any, dtype: Any, name: str) -> Any:
    array = array_of(input, name)
    if dtype is None or (kind := as_numpy(dtype)) == array.dtype:
        return input
    return convert(input, kind)


# ------------------------------------------------------------------ log_softmax


@primitive(
    grad=lambda g, output, dim: g - sum_to(g * exp(output), shape_along(output.shape, dim)),
    output=lambda g, grad, output, dim: -(g * exp(output) * sum_to(grad, shape_along(output.shape, dim))),
    integers=("dim",),
)
def log_softmax_backward_data(grad: Array, output: Array, dim: int) -> Any:
    """Return the gradient of the log_softmax whose result is ``output``: ``grad - exp(output) * sum(grad)``."""
    if not output.ndim:
        return grad - np.exp(output) * grad
    return rows.log_softmax_slope(grad, output, norm_dim(dim, output.ndim))


@primitive(input=lambda g, out, dim: log_softmax_backward_data(g, out, dim))
def _log_softmax(input: Array, dim: int) -> Any:
    """Return the logarithm of the softmax along ``dim``."""
    wide, place = _wide(input, dim, "log_softmax")
    return rows.log_softmax(wide, place).reshape(input.shape).astype(input.dtype, copy=False)


@doors("torch Tensor special")
def log_softmax(input: Any, dim: int, dtype: Any = None, *, out: Any = None) -> Any:
    """Return the logarithm of :func:`softmax` along ``dim``, computed without it: exact for small probabilities too.

    ``dtype``: what ``input`` is converted to first.

    >>> import rushlight as torch
    >>> torch.log_softmax(torch.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])

    https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
    """
    input = _converted(input, dtype, "log_softmax")
    return _log_softmax(input, dim) if out is None else _log_softmax(input, dim, out=out)  # type: ignore[call-arg]
