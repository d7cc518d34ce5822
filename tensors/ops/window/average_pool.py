"""Means of windows over the last dims, fixed and adaptive; power means; and adaptive maxima."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ....arrays.dims import ints
from ....arrays.dtypes import Array
from ....arrays.kernels import average_pool as kernels
from ....arrays.kernels.output_sizes import adaptive_output_size
from ....autograd.arguments import array_of
from ....autograd.broadcast import expand_to
from ....autograd.primitive import primitive
from ...doors import doors
from .common import per_dim
from .max_pool import check_rank, image_scatter, kernel_and_stride

Ints = tuple[int, ...]


def _avg_pool_rule(
    g: Any,
    input_shape: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: Any,
    count_include_pad: Any,
    divisor_override: Any,
) -> Any:
    return _avg_pool_adjoint(
        g, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@primitive(
    input=_avg_pool_rule,
    connected=("input",),
    grad_fn_name=lambda kernel_size: f"AvgPool{len(kernel_size)}DBackward0",
)
def _avg_pool(
    input: Array,
    kernel_size: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Return the mean of each window."""
    return kernels.avg_pool_forward(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _avg_pool_adjoint_rule(
    g: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: Any, count_include_pad: Any, divisor_override: Any
) -> Any:
    return _avg_pool(g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@primitive(grad=_avg_pool_adjoint_rule)
def _avg_pool_adjoint(
    grad: Array,
    shape: Ints,
    kernel_size: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Return ``grad`` shared out over the windows of an image of ``shape``; the adjoint of ``_avg_pool``."""
    return kernels.avg_pool_adjoint(grad, shape, kernel_size, stride, padding, count_include_pad, divisor_override)


def _avg(
    name: str,
    dims: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None = None,
) -> Any:
    x = array_of(input, name)
    kernel, steps = kernel_and_stride(name, dims, kernel_size, stride)
    check_rank(name, dims, x)
    pads = per_dim(padding, dims, name, "padding")
    return _avg_pool(input, kernel, steps, pads, bool(ceil_mode), bool(count_include_pad), divisor_override)


@doors("torch functional")
def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Return the mean of each window over the last dim of (N, C, L) or (C, L) ``input``; see :func:`avg_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html
    """
    return _avg("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


@doors("functional")
def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Return the mean of each window over the last two dims of (N, C, H, W) or (C, H, W) ``input``.

    Sizes as in :func:`max_pool2d`. The border holds zeros, which count unless ``count_include_pad`` is false;
    ``divisor_override`` divides each sum instead of the count. Raises RuntimeError for numbers that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html

    >>> import rushlight as torch
    >>> torch.nn.functional.avg_pool2d(torch.tensor([[[1.0, 5.0], [3.0, 4.0]]]), (2, 1))
    tensor([[[2.0000, 4.5000]]])
    """
    return _avg("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@doors("functional")
def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Return the mean of each window over the last three dims of ``input``; see :func:`avg_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html
    """
    return _avg("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# ------------------------------------------------------------------ adaptive pooling


@primitive(
    input=lambda g, input_shape, dims: expand_to(g / prod(input_shape[-dims:]), input_shape),
    grad_fn_name="MeanBackward1",
)
def _global_mean(input: Array, dims: int) -> Array:
    """Return the mean over the last ``dims`` dims, which stay with size 1."""
    lead = input.shape[: input.ndim - dims]
    wide = input.astype(np.float32) if input.dtype == np.float16 else input
    rows = wide.reshape(*lead, prod(input.shape[input.ndim - dims :]))
    count = rows.shape[-1]
    # einsum is faster (benchmarks/claims.py); the sums in pairs of np.sum keep more digits of long rows
    total = np.einsum("...i->...", rows) if 0 < count <= _FEW else np.add.reduce(rows, -1)
    mean = np.asarray(total / np.asarray(count, wide.dtype))
    return mean.reshape(*lead, *(1,) * dims).astype(input.dtype, copy=False)


_FEW = 4096


@primitive(
    input=lambda g, input_shape, output_size: _adaptive_mean_adjoint(g, input_shape, len(output_size)),
    connected=("input",),
    grad_fn_name=lambda output_size: f"AdaptiveAvgPool{len(output_size)}DBackward0",
)
def _adaptive_mean(input: Array, output_size: Ints) -> Array:
    """Return the means of ``output_size`` windows that cover the last dims."""
    return kernels.adaptive_avg_pool(input, output_size)


@primitive(
    grad=lambda g, grad_shape, dims: _adaptive_mean(g, grad_shape[-dims:]),
)
def _adaptive_mean_adjoint(grad: Array, shape: Ints, dims: int) -> Array:
    """Return ``grad`` shared over the adaptive windows of an image of ``shape``; the adjoint of ``_adaptive_mean``."""
    return kernels.adaptive_avg_pool_adjoint(grad, shape, dims)


class Adaptive(NamedTuple):
    """The maxima of windows, and their int64 indices, flat within the image."""

    output: Any
    indices: Any


@primitive(
    input=lambda g, found, input_shape, output_size: image_scatter(g, found, input_shape[-len(output_size) :]),
    aux=("indices", "found"),
    returns=lambda output, indices, found: Adaptive(output, indices),
    connected=("input",),
    grad_fn_name=lambda output_size: f"AdaptiveMaxPool{len(output_size)}DBackward0",
)
def _adaptive_maximum(input: Array, output_size: Ints) -> tuple[Array, Array, Array]:
    """Return the maximum of each window and its index twice: a caller may write into one, the rule keeps one."""
    out, indices = kernels.adaptive_max_pool(input, output_size)
    return out, indices, indices.copy()


def _sizes(name: str, dims: int, shape: Ints, output_size: Any) -> Ints:
    """Return the size of each dim after adaptive pooling; None stands for the size before."""
    if dims == 1:
        sizes = ints(output_size, name, "output_size")
        if len(sizes) != 1:
            raise RuntimeError(f"{name}() argument 'output_size' should contain one int (got {len(sizes)})")
        return sizes
    if not isinstance(output_size, int | tuple | list):
        raise TypeError(f"{name}(): argument 'output_size' must be int or tuple of ints, not {output_size!r}")
    given = (output_size,) * dims if isinstance(output_size, int) else tuple(output_size)
    if len(given) != dims:
        raise RuntimeError(f"{name}: output_size must be {dims}, not {len(given)} numbers: {given}")
    return ints(
        [before if n is None else n for n, before in zip(given, shape[-dims:], strict=True)], name, "output_size"
    )


def _adaptive_avg(name: str, dims: int, input: Any, output_size: Any) -> Any:
    x = array_of(input, name)
    if x.ndim < dims + (dims > 1 and isinstance(output_size, tuple | list)):
        kind = ValueError if isinstance(output_size, tuple | list) and dims > 1 else RuntimeError
        raise kind(f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got input of size {list(x.shape)}")
    sizes = _sizes(name, dims, x.shape, output_size)
    if all(n == 1 for n in sizes) and (dims > 1 or x.ndim in {2, 3}):
        if x.dtype.kind != "f":
            raise RuntimeError(f"{name}(): input must be floating point, not {x.dtype.name}")
        return _global_mean(input, dims)
    check_rank(name, dims, x)
    adaptive_output_size(name, x.shape, sizes)
    return _adaptive_mean(input, sizes)


@doors("torch functional")
def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Return the means of ``output_size`` windows over the last dim of (N, C, L) or (C, L) ``input``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


@doors("functional")
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Return the means of ``output_size`` windows over the last two dims of (N, C, H, W) or (C, H, W) ``input``.

    Window i of m over n elements is floor(i n / m) to ceil((i + 1) n / m). ``output_size`` is one number or two, None
    for the input's own size. Raises RuntimeError for negative sizes and empty images.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.tensor([[[1.0, 2.0, 6.0]]]), (1, 2))
    tensor([[[1.5000, 4.0000]]])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


@doors("functional")
def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """Return the means of ``output_size`` windows over the last three dims; see :func:`adaptive_avg_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool3d.html
    """
    return _adaptive_avg("adaptive_avg_pool3d", 3, input, output_size)


def _adaptive_max(name: str, dims: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    x = array_of(input, name)
    if dims > 1 and isinstance(output_size, tuple | list) and x.ndim <= len(output_size):
        raise ValueError(f"{name}: Input dimension should be at least {len(output_size) + 1}, but is {x.ndim}")
    check_rank(name, dims, x)
    sizes = _sizes(name, dims, x.shape, output_size)
    adaptive_output_size(name, x.shape, sizes)
    if x.ndim == dims + 2 and x.shape[1] == 0:
        raise RuntimeError(f"{name}(): expected images with channels, but input has sizes {list(x.shape)}")
    out, indices = _adaptive_maximum(input, sizes)
    return (out, indices) if return_indices else out


@doors("functional")
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Return the maxima of ``output_size`` windows over the last dim of (N, C, L) or (C, L) ``input``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@doors("functional")
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Return the maxima of ``output_size`` windows over the last two dims of ``input``.

    Windows as in :func:`adaptive_avg_pool2d`, indices as in :func:`max_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_max_pool2d(torch.tensor([[[1.0, 2.0, 6.0]]]), (1, 2))
    tensor([[[2., 6.]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@doors("functional")
def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Return the maxima of ``output_size`` windows over the last three dims; see :func:`adaptive_max_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool3d.html
    """
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)
