"""``unfold`` and ``fold``: the blocks of an image as columns, and their adjoint."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..dtypes import Array
from .max_pool import tap_slices
from .output_sizes import check_fold, check_unfold, unfold_output_size
from .windows import Ints, Windows


def unfold(x: Array, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Array:
    """Return the blocks of ``x`` (N, C, ...) as columns: shape (N, C * kernel, blocks).

    Raises RuntimeError, as PyTorch, for arguments out of range or where no block fits.
    """
    size = x.shape[2:]
    counts = unfold_output_size(size, kernel, dilation, padding, stride)
    check_unfold(size, kernel, dilation, padding, counts)
    windows = Windows(size, kernel, stride, padding, dilation, counts)
    columns = np.zeros((*x.shape[:2], *kernel, *counts), x.dtype)
    every: tuple[Any, ...] = (slice(None), slice(None))
    offsets = product(*map(range, kernel))
    for offset, (target, source) in zip(offsets, tap_slices(windows), strict=True):
        columns[(*every, *offset)][target] = x[source]
    return columns.reshape(x.shape[0], x.shape[1] * prod(kernel), prod(counts))


def fold(columns: Array, output_size: Ints, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Array:
    """Return the image (N, C, *output_size) that sums the blocks in ``columns``.

    The adjoint of ``unfold``. Raises RuntimeError, as PyTorch, if the columns do not fit.
    """
    counts = unfold_output_size(output_size, kernel, dilation, padding, stride)
    check_fold(columns.shape, output_size, kernel, dilation, padding, stride, counts)
    windows = Windows(output_size, kernel, stride, padding, dilation, counts)
    batch, channels = columns.shape[0], columns.shape[1] // prod(kernel)
    blocks = columns.reshape(batch, channels, *kernel, *counts)
    x = np.zeros((batch, channels, *output_size), columns.dtype)
    every: tuple[Any, ...] = (slice(None), slice(None))
    offsets = product(*map(range, kernel))
    for offset, (target, source) in zip(offsets, tap_slices(windows), strict=True):
        part = x[source]
        np.add(part, blocks[(*every, *offset)][target], out=part)
    return x
