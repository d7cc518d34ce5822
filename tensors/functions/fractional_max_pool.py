"""Max pooling with windows of random places."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...arrays.dtypes import Array, dtype_of
from ...autograd.arguments import array_of
from ...autograd.variable import Variable, wrap
from ..doors import doors
from ..ops.common import floats_only
from ..ops.window.common import per_dim
from ..ops.window.max_pool import image_gather
from ..random.inplace import DEFAULT

Ints = tuple[int, ...]


def _starts(samples: Array, size: int, out: int, kernel: int) -> Array:
    """Return where each of ``out`` windows begins, for each of ``samples``: shape (*samples.shape, out).

    Graham, Fractional Max-Pooling, 2014: i and the sample together, times the mean stride, rounded down.
    """
    starts = np.empty((*samples.shape, out), np.int64)
    if out > 1:
        kind = samples.dtype.type
        stride = kind(size - kernel) / kind(out - 1)
        number = np.arange(out - 1).astype(kind)
        shift = (samples * stride).astype(np.int64)[..., None]
        starts[..., :-1] = ((number + samples[..., None]) * stride).astype(np.int64) - shift
    starts[..., -1:] = size - kernel
    return starts


def _winners(x: Array, starts: list[Array], kernel: Ints) -> Array:
    """Return where the maximum of each window of (N, C, ...) ``x`` is, flat; the first of equals, the last NaN."""
    size, dims = x.shape[2:], len(kernel)
    places = np.zeros((*x.shape[:2], *(1,) * (2 * dims)), np.int64)
    for d, start in enumerate(starts):
        shape = [1] * (2 * dims)
        shape[d] = start.shape[-1]
        spread = start.reshape(*x.shape[:2], *shape)
        shape = [1] * (2 * dims)
        shape[dims + d] = kernel[d]
        places = places * size[d] + (spread + np.arange(kernel[d]).reshape(shape))
    lead, out = places.shape[: 2 + dims], x.reshape(*x.shape[:2], prod(size))
    places = places.reshape(*x.shape[:2], prod(lead[2:]), prod(kernel))
    found = np.take_along_axis(out, places.reshape(*x.shape[:2], prod(places.shape[2:])), 2).reshape(places.shape)
    best = np.argmax(found, -1)
    gone = np.isnan(found)
    if gone.any():
        best = np.where(gone.any(-1), gone.shape[-1] - 1 - np.argmax(gone[..., ::-1], -1), best)
    return np.take_along_axis(places, best[..., None], -1).reshape(lead)


def _checked(name: str, x: Array, kernel: Ints, out: Ints) -> None:
    dims = len(kernel)
    if x.ndim not in (dims + 1, dims + 2) or 0 in x.shape[x.ndim - dims - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with non-empty images, but got "
            f"{list(x.shape)}"
        )
    for n, k, m in zip(x.shape[-dims:], kernel, out, strict=True):
        if k <= 0 or m <= 0:
            raise RuntimeError(f"{name}(): kernel size {kernel} and output size {out} must be greater than 0")
        if m + k - 1 > n:
            raise RuntimeError(f"{name}(): pool size {k} too large relative to input size {n} and output size {m}")
    floats_only(name, x)


def _pooled(
    name: str, dims: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any
) -> tuple[Any, Any]:
    """Return the maxima and their places."""
    x = array_of(input, name)
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    kernel = per_dim(kernel_size, dims, name, "kernel_size")
    if x.ndim <= dims:
        raise IndexError(f"{name}(): Expected {dims + 1}D or {dims + 2}D (batch mode) tensor, but got: {list(x.shape)}")
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, tuple | list) else (output_ratio,) * dims
        if len(ratios) != dims:
            raise ValueError(f"{name} requires output_ratio to either be a single number or {dims}, not {output_ratio}")
        output_size = tuple(int(n * ratio) for n, ratio in zip(x.shape[-dims:], ratios, strict=True))
    out = per_dim(output_size, dims, name, "output_size")
    batched = x.ndim == dims + 2
    shape = (x.shape[0] if batched else 1, x.shape[-dims - 1], dims)
    drawn = DEFAULT.stream.uniform(shape, x.dtype) if samples is None else array_of(samples, name, "_random_samples", 4)
    _checked(name, x, kernel, out)
    if drawn.shape != shape or drawn.dtype != x.dtype:
        raise RuntimeError(
            f"Expect _random_samples of shape {list(shape)} and {dtype_of(x.dtype)}, but got {list(drawn.shape)} and "
            f"{dtype_of(drawn.dtype)}"
        )
    sizes = zip(x.shape[-dims:], out, kernel, strict=True)
    number = [dims - 1 - d for d in range(dims)] if dims == 2 else list(range(dims))  # PyTorch gives images x first
    starts = [_starts(drawn[..., i], *size) for i, size in zip(number, sizes, strict=True)]
    places = _winners(x if batched else x[None], starts, kernel)
    places = places if batched else places[0]
    made = image_gather(input, places, dims)
    return made, wrap(type(made), places.copy()) if isinstance(made, Variable) else places


@doors("functional")
def fractional_max_pool2d_with_indices(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> tuple[Any, Any]:
    """Return what :func:`fractional_max_pool2d` returns with ``return_indices``."""
    return _pooled("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, _random_samples)


@doors("functional")
def fractional_max_pool3d_with_indices(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> tuple[Any, Any]:
    """Return what :func:`fractional_max_pool3d` returns with ``return_indices``."""
    return _pooled("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, _random_samples)


@doors("functional")
def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """Return the maxima of ``output_size`` windows of (N, C, H, W) or (C, H, W) ``input``, spread by chance.

    ``output_ratio`` says instead how much of the size is left. ``_random_samples`` (N, C, 2) take the place of the
    drawn numbers. With ``return_indices`` also where each maximum is, flat within the image. RuntimeError for sizes
    that do not fit. https://pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html

    >>> import rushlight as torch
    >>> torch.nn.functional.fractional_max_pool2d(torch.arange(9.0).reshape(1, 3, 3), 2, 2).shape
    torch.Size([1, 2, 2])
    """
    made = fractional_max_pool2d_with_indices(input, kernel_size, output_size, output_ratio, True, _random_samples)
    return made if return_indices else made[0]


@doors("functional")
def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """Return the maxima of ``output_size`` windows of (N, C, D, H, W) or (C, D, H, W) ``input``, spread by chance.

    See :func:`fractional_max_pool2d`.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d.html
    """
    made = fractional_max_pool3d_with_indices(input, kernel_size, output_size, output_ratio, True, _random_samples)
    return made if return_indices else made[0]
