"""Max pooling over the last dims, and max pooling undone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ....arrays.dims import ints
from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels import max_pool as kernels
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ...doors import doors
from .common import per_dim

Ints = tuple[int, ...]
_windows = lru_cache(1024)(kernels.pool_windows)


class Pooled(NamedTuple):
    """The maxima of windows, and where in each window the maximum is."""

    output: Any
    places: Any


# ------------------------------------------------------------------ max pooling


@primitive(
    input=lambda g, taps, windows: _max_pool_adjoint(g, taps, windows),
    aux=("taps",),
    returns=Pooled,
    connected=("input",),
    grad_fn_name=lambda windows: f"MaxPool{len(windows.size)}DWithIndicesBackward0",
)
def _max_pool(input: Array, windows: Any) -> tuple[Array, Array]:
    """Return the maximum of each window, and which element of the window it is."""
    return kernels.max_pool_taps(input, windows)


@primitive(grad=lambda g, taps, windows: _max_pick(g, taps, windows))
def _max_pool_adjoint(grad: Array, taps: Any, windows: Any) -> Array:
    """Return zeros with ``grad`` added at the maximum of each window; the adjoint of ``_max_pick``."""
    return kernels.max_pool_adjoint(grad, taps, windows)


@primitive(input=lambda g, taps, windows: _max_pool_adjoint(g, taps, windows))
def _max_pick(input: Array, taps: Any, windows: Any) -> Array:
    """Return the element of each window that ``taps`` names; the adjoint of ``_max_pool_adjoint``."""
    return kernels.max_pool_pick(input, taps, windows)


def _max(
    name: str,
    dims: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    x = array_of(input, name)
    kernel, steps = kernel_and_stride(name, dims, kernel_size, stride)
    pads, gaps = per_dim(padding, dims, name, "padding"), per_dim(dilation, dims, name, "dilation")
    check_rank(name, dims, x)
    if x.dtype.kind in "iu" and dims == 1 and not return_indices:
        raise NotImplementedError(f"\"max_pool1d_impl\" not implemented for '{x.dtype.name}'")
    windows = _windows(x.shape, kernel, steps, pads, gaps, bool(ceil_mode))
    out, taps = _max_pool(input, windows)
    if not return_indices:
        return out
    if not isinstance(taps, Variable):
        return out, kernels.tap_indices(taps, windows)
    return out, wrap(type(taps), kernels.tap_indices(taps.array, windows))


def check_rank(name: str, dims: int, x: Array) -> None:
    """Raise RuntimeError unless ``x`` is an image, or a batch of images."""
    if x.ndim not in {dims + 1, dims + 2}:
        raise RuntimeError(
            f"{name}: Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(x.shape)}"
        )


def kernel_and_stride(name: str, dims: int, kernel_size: Any, stride: Any) -> tuple[Ints, Ints]:
    """Return both for each dim; a stride of None or () is the kernel size."""
    kernel = per_dim(kernel_size, dims, name, "kernel_size")
    if stride is None or (isinstance(stride, tuple | list) and len(stride) == 0):
        return kernel, kernel
    return kernel, per_dim(stride, dims, name, "stride")


@doors("torch functional")
def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maximum of each window over the last dim of (N, C, L) or (C, L) ``input``; see :func:`max_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html
    """
    return _max("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@doors("torch functional")
def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maximum of each window over the last two dims of (N, C, H, W) or (C, H, W) ``input``.

    The result has H' = (H + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1 rows, rounded down, or with
    ``ceil_mode`` up; the border never wins. ``stride`` is ``kernel_size`` unless given. With ``return_indices`` also
    where each maximum is, flat within the image, as int64. The first of equals wins, NaN before all. Raises
    RuntimeError for numbers that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html

    >>> import rushlight as torch
    >>> torch.max_pool2d(torch.tensor([[[1.0, 5.0, 2.0], [3.0, 4.0, 7.0]]]), 2, stride=1)
    tensor([[[5., 7.]]])
    """
    return _max("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@doors("torch functional")
def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maximum of each window over the last three dims of ``input``; see :func:`max_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html
    """
    return _max("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


# ------------------------------------------------------------------ elements by flat index within the image


@primitive(
    input=lambda g, indices, input_shape, dims: image_scatter(g, indices, input_shape[-dims:]),
    indices=None,
    connected=("input",),
    integers=("dims",),
)
def image_gather(input: Array, indices: Array, dims: int) -> Array:
    """Return the elements at ``indices`` of each channel."""
    return kernels.max_pool_gather(input, indices, dims)


@primitive(input=lambda g, indices, size: image_gather(g, indices, len(size)), indices=None)
def image_scatter(input: Array, indices: Array, size: Ints) -> Array:
    """Return images of ``size``, zero but for ``input`` added in at ``indices``; the adjoint of ``image_gather``."""
    return kernels.max_pool_scatter(input, indices, size)


@primitive(
    input=lambda g, indices, size: image_gather(g, indices, len(size)),
    indices=None,
    grad_fn_name=lambda size: f"MaxUnpool{len(size)}DBackward0",
)
def _unpool(input: Array, indices: Array, size: Ints) -> Array:
    """Return images of ``size``, zero but for ``input`` at ``indices``, which should be distinct."""
    return kernels.max_unpool(input, indices, size)


def _max_unpool(
    name: str, dims: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    x, places = array_of(input, name), array_of(indices, name, "indices", 2)
    kernel, steps = kernel_and_stride(name, dims, kernel_size, stride)
    pads = per_dim(padding, dims, name, "padding")
    if x.ndim < dims:
        raise IndexError(f"{name}: Expected {dims + 1}D or {dims + 2}D (batch mode) tensor, but got: {list(x.shape)}")
    size = _unpooled_size(x.shape, kernel, steps, pads, output_size, name)
    if places.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {dtype_of(places.dtype).legacy}")
    check_rank(name, dims, x)
    if places.shape != x.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(x.shape)}) but got indices "
            f"tensor with shape: {list(places.shape)}"
        )
    return _unpool(input, indices, size)


def _unpooled_size(shape: Ints, kernel: Ints, stride: Ints, padding: Ints, output_size: Any, name: str) -> Ints:
    """Return the spatial size before a max pooling to ``shape``; ValueError if ``output_size`` cannot be it."""
    dims = len(kernel)
    sizes = zip(shape[-dims:], kernel, stride, padding, strict=True)
    default = tuple((n - 1) * s + k - 2 * p for n, k, s, p in sizes)
    if output_size is None:
        return default
    given = ints(output_size, name, "output_size")
    given = given[2:] if len(given) == dims + 2 else given
    if len(given) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
            f"'{len(given)}'"
        )
    for dim, (n, usual, step) in enumerate(zip(given, default, stride, strict=True)):
        if not usual - step < n < usual + step:
            raise ValueError(
                f'invalid output_size "{given}" (dim {dim} must be between {usual - step} and {usual + step})'
            )
    return given


@doors("functional")
def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Return the image of which :func:`max_pool1d` gave ``input`` and ``indices``, zero but for the maxima.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


@doors("functional")
def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Return the image of which :func:`max_pool2d` gave ``input`` and ``indices``, zero but for the maxima.

    ``output_size`` says which of the sizes is meant that the pooling rounds to the same. Raises RuntimeError for an
    index outside the image. https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html

    >>> import rushlight as torch
    >>> out, places = torch.max_pool2d(torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> torch.nn.functional.max_unpool2d(out, places, 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


@doors("functional")
def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Return the image of which :func:`max_pool3d` gave ``input`` and ``indices``, zero but for the maxima.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
