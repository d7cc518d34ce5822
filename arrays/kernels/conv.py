"""Convolution in any number of dims: three maps of two arrays, each the adjoint of the others.

With ``y = conv(x, w)`` and ``g`` shaped like ``y``, all three come from the one trilinear form
``<g, conv(x, w)>``: hold two of its arguments, and the third is what ``conv_forward``,
``conv_input_grad`` or ``conv_weight_grad`` returns. So the derivative of each of them along one
input is one of the other two, to any order; for complex arrays the caller conjugates.

Layout as in PyTorch: ``x`` is (N, C, ...), ``weight`` (O, C / groups, ...), ``g`` (N, O, ...).
``stride``, ``padding`` and ``dilation`` hold one integer per spatial dim.
"""

from __future__ import annotations

from itertools import product
from math import gcd, prod

import numpy as np

from ..dtypes import Array
from .im2col import Col2Im, Im2Col, padded_columns
from .windows import Ints, Windows

_TINY = 128  # an image of fewer windows is too small for col2im


def conv_forward(
    x: Array,
    weight: Array,
    size: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
    bias: Array | None = None,
) -> Array:
    """Return the cross-correlation of ``x`` with ``weight``: shape (N, O, *size), plus ``bias`` (O,).

    ``size`` are the sizes that ``conv_output_size`` returns, or smaller ones, which leave out the last windows. The
    caller has checked the arguments. Half precision is summed in single.
    """
    dtype = np.result_type(x, weight)
    if dtype == np.float16:
        x, weight = x.astype(np.float32), weight.astype(np.float32)
        return conv_forward(x, weight, size, stride, padding, dilation, groups, bias).astype(dtype)
    y = np.empty((x.shape[0], weight.shape[0], *size), dtype)
    windows = Windows(x.shape[2:], weight.shape[2:], stride, padding, dilation, size)
    _correlate(x, weight.astype(dtype, copy=False), windows, groups, y, bias)
    return y


def conv_input_grad(
    g: Array,
    weight: Array,
    x_shape: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
) -> Array:
    """Return the transposed convolution of ``g`` with ``weight``: shape ``x_shape``.

    This is the adjoint of ``conv_forward`` in ``x``. Of the sizes that a stride rounds down to
    the same ``g``, ``x_shape`` says which is meant (``output_padding`` in PyTorch).
    """
    dtype = np.result_type(g, weight)
    if dtype == np.float16:
        g, weight = g.astype(np.float32), weight.astype(np.float32)
        x = conv_input_grad(g, weight, x_shape, stride, padding, dilation, groups)
        return x.astype(dtype)
    x = np.zeros(x_shape, dtype)
    phases = [_phases(*dims) for dims in zip(x_shape[2:], weight.shape[2:], stride, padding, dilation, strict=True)]
    every, one = slice(None), (1,) * len(stride)
    for phase in product(*phases):
        places, taps, pads, gaps = zip(*phase, strict=True)
        target, part = x[(every, every, *places)], weight[(every, every, *taps)]
        windows = Windows(target.shape[2:], part.shape[2:], one, pads, gaps, g.shape[2:])
        _transpose(g.astype(dtype, copy=False), part, windows, groups, target)
    return x


def conv_weight_grad(
    g: Array,
    x: Array,
    weight_shape: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
) -> Array:
    """Return the adjoint of ``conv_forward`` in ``weight``: shape ``weight_shape``."""
    dtype = np.result_type(g, x)
    if dtype == np.float16:
        g, x = g.astype(np.float32), x.astype(np.float32)
        grad = conv_weight_grad(g, x, weight_shape, stride, padding, dilation, groups)
        return grad.astype(dtype)
    windows = Windows(x.shape[2:], weight_shape[2:], stride, padding, dilation, g.shape[2:])
    grad = np.empty(weight_shape, dtype)  # owns its memory, so that a leaf can keep it
    rows = _weight_grad(g.astype(dtype, copy=False), x, windows, groups)
    grad.reshape(rows.shape)[...] = rows
    return grad


def _phases(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[tuple[slice, slice, int, int]]:
    """Return the convolutions of stride 1 that one of stride ``stride`` is made of.

    Window ``t`` and tap ``k`` meet at ``t * stride + k * dilation - padding``, so taps that
    agree modulo ``stride / gcd`` only ever touch every ``stride``-th element. Each entry: those
    elements, those taps, and the padding and dilation between them.
    """
    common = gcd(stride, dilation)
    step = stride // common
    phases = []
    for tap in range(min(step, kernel)):
        shift, place = divmod(tap * dilation - padding, stride)
        if place < size:
            places, taps = slice(place, None, stride), slice(tap, None, step)
            phases.append((places, taps, -shift, dilation // common))
    return phases


def _correlate(x: Array, weight: Array, windows: Windows, groups: int, y: Array, bias: Array | None = None) -> None:
    """Write the cross-correlation of ``x`` with ``weight``, plus ``bias``, to ``y``, which is contiguous."""
    if len(windows.out) == 1:
        windows, x, y = windows.with_unit_dim(), x[..., None], y[..., None]
    batch, channels = x.shape[:2]
    filters, count = weight.shape[0], prod(windows.out)
    rows = weight.reshape(groups, filters // groups, channels // groups * prod(windows.kernel))
    shift = None if bias is None else bias.reshape(groups, filters // groups, 1)
    if windows.are_points():
        steps = zip(windows.stride, windows.out, strict=True)
        x = x[(slice(None), slice(None), *(slice(None, n * s, s) for s, n in steps))]
        x = x.reshape(batch, groups, channels // groups, count)
        flat = y.reshape(batch, groups, filters // groups, count)
        np.matmul(rows, x, out=flat)
        if shift is not None:
            flat += shift
        return
    columns = Im2Col(windows, batch, channels, groups, y.dtype)
    row = prod(windows.out[1:])
    for block in columns.blocks():
        matrix = columns.gather(x, block)
        part = y[block.first : block.last].reshape(-1, groups, filters // groups, count)
        part = part[..., block.top * row : block.bottom * row]
        if len(part) == 1:
            np.matmul(rows, matrix, out=part[0])
            if shift is not None:
                part += shift
        else:
            product_ = np.matmul(rows, matrix)
            if shift is not None:
                product_ += shift
            part[:] = product_.reshape(*part.shape[1:3], len(part), count).transpose(2, 0, 1, 3)


def _transpose(g: Array, weight: Array, windows: Windows, groups: int, x: Array) -> None:
    """Write the transposed convolution of ``g``, of stride 1, to the zeros ``x``."""
    if not (x.size and g.size and weight.size):
        return
    filters, channels = weight.shape[0], x.shape[1]
    # the fewer rows of columns, the better; col2im of tiny images wastes time on their borders
    if filters > 4 * channels or (filters > channels and prod(windows.out) >= _TINY):
        _add_columns(g, weight, windows, groups, x)
        return
    # the same as a convolution of g, bordered with zeros, with the kernel turned round
    kernel = windows.kernel
    turned = np.flip(weight, tuple(range(2, weight.ndim)))
    turned = turned.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)
    turned = np.ascontiguousarray(turned).reshape(x.shape[1], -1, *kernel)
    padding = tuple(d * (k - 1) - p for d, k, p in zip(windows.dilation, kernel, windows.padding, strict=True))
    y = x if x.flags.c_contiguous else np.empty(x.shape, x.dtype)
    around = windows._replace(size=windows.out, padding=padding, out=windows.size)
    _correlate(g, turned, around, groups, y)
    if y is not x:
        x[...] = y


def _add_columns(g: Array, weight: Array, windows: Windows, groups: int, x: Array) -> None:
    """Add col2im of the columns ``weight.T @ g`` to ``x``."""
    filters = weight.shape[0]
    rows = weight.reshape(groups, filters // groups, -1).swapaxes(1, 2)
    if len(windows.out) == 1:
        windows, x, g = windows.with_unit_dim(), x[..., None], g[..., None]
    columns = Col2Im(windows, x.shape[:2], filters, groups, x.dtype)
    for block in columns.blocks():
        np.matmul(rows, columns.widened(g, block), out=columns.matrix)
        columns.add(x, block)


def _weight_grad(g: Array, x: Array, windows: Windows, groups: int) -> Array:
    """Return the products of ``g`` with the columns of ``x``: shape (groups, filters, rows)."""
    filters, count = g.shape[1], prod(windows.out)
    if len(windows.out) == 1:
        windows, x, g = windows.with_unit_dim(), x[..., None], g[..., None]
    columns = Im2Col(windows, x.shape[0], x.shape[1], groups, g.dtype)
    g = g.reshape(-1, filters, count)
    buffer = padded_columns(filters, columns.images * count, g.dtype)
    row = prod(windows.out[1:])
    rows = x.shape[1] // groups * prod(windows.kernel)
    grad = np.zeros((groups, rows, filters // groups), g.dtype)
    for block in columns.blocks():
        matrix = columns.gather(x, block)
        part = g[block.first : block.last, :, block.top * row : block.bottom * row]
        if len(part) == 1:
            flat = part[0]
        else:
            flat = buffer[:, : matrix.shape[-1]]
            flat.reshape(filters, len(part), count)[:] = part.swapaxes(0, 1)
        flat = flat.reshape(groups, filters // groups, -1)
        grad += np.matmul(matrix, flat.swapaxes(1, 2))
    return grad.swapaxes(1, 2)
