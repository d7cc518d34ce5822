"""The column matrices that turn a convolution into matrix products: im2col and col2im.

A block of the batch (a few images, or a band of one large image) is laid out as a matrix with a row per kernel element
and a column per window, small enough to stay in the processor's cache. ``Im2Col`` fills it from an image, ``Col2Im``
adds it back to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from .windows import Ints, Windows, overlap

_BLOCK_BYTES = 1_200_000  # one column matrix: about the second-level cache
_BLOCK_COLUMNS = 256  # fewer columns starve the matrix product
_MOST_COLUMNS = 8192  # more make sums too long for few, short rows


def row_stride(columns: int) -> int:
    """Return a row length, at least ``columns``, that is kind to the cache.

    Rows a power of two apart fall on the same cache lines. What that costs depends on the processor
    (``benchmarks/claims.py``).
    """
    stride = -(-columns // 16) * 16
    return stride + 16 if stride % 128 == 0 else stride


def padded_columns(rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
    """Return an empty ``(rows, columns)`` matrix with a row stride kind to the cache."""
    return np.empty((rows, row_stride(columns)), dtype)[:, :columns]


class Block(NamedTuple):
    """A part of the batch: images ``first:last``, windows ``top:bottom`` of the first dim.

    ``inside`` is the part of the padded block that ``source``, a part of the image, falls on.
    """

    first: int
    last: int
    top: int
    bottom: int
    inside: tuple[slice, ...]
    source: tuple[slice, ...]


def block_size(windows: Windows, batch: int, height: int) -> tuple[int, int]:
    """Return how many images, or else how many rows of one image, make a block.

    ``height`` is the number of bytes a window takes in the column matrix.
    """
    out = windows.out
    columns = max(_BLOCK_COLUMNS, min(_MOST_COLUMNS, _BLOCK_BYTES // max(1, height)))
    image = prod(out)
    if image <= columns:
        return max(1, min(batch, columns // max(1, image))), out[0]
    bands = -(-out[0] // max(1, columns // prod(out[1:])))
    return 1, -(-out[0] // bands)


def padded_span(windows: Windows, rows: int) -> Ints:
    """Return how far ``rows`` rows of windows reach in each dim."""
    _, kernel, stride, _, dilation, out = windows
    return tuple(
        (n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip((rows, *out[1:]), stride, kernel, dilation, strict=True)
    )


def blocks(windows: Windows, batch: int, images: int, rows: int) -> Iterator[Block]:
    """Yield the blocks that make up the batch, in order."""
    size, _, stride, padding, _, out = windows
    bands = []
    for top in range(0, out[0], rows):
        starts = (top * stride[0], *(0,) * (len(out) - 1))
        pairs = [
            overlap(span, start - p, 1, length)
            for span, start, p, length in zip(padded_span(windows, rows), starts, padding, size, strict=True)
        ]
        inside, source = (tuple(pair[i] for pair in pairs) for i in (0, 1))
        bands.append((top, min(out[0], top + rows), inside, source))
    for first in range(0, batch, images):
        for band in bands:
            yield Block(first, min(batch, first + images), *band)


class Im2Col:
    """The column matrix of an ``(N, C, ...)`` batch with two or more spatial dims, by blocks.

    A block is copied three times: into a zero border, once per kernel column so that neighbours
    become contiguous, and from there in long runs into the matrix.
    """

    def __init__(self, windows: Windows, batch: int, channels: int, groups: int, dtype: np.dtype[Any]) -> None:
        self.windows = windows
        self.batch = batch
        self.groups = groups
        height = channels * prod(windows.kernel) * dtype.itemsize
        self.images, self.rows = block_size(windows, batch, height)
        self._allocate(channels, dtype)

    def _allocate(self, channels: int, dtype: np.dtype[Any]) -> None:
        """Make the padded block, its shifts, the matrix, and the views that copy them on."""
        _, kernel, stride, _, dilation, out = self.windows
        count = (self.rows, *out[1:])
        span = padded_span(self.windows, self.rows)
        self.padded = np.zeros((self.images, channels, *span), dtype)
        image, channel, *steps = self.padded.strides
        self.shifts: Array = np.ndarray(
            (channels, kernel[-1], self.images, *span[:-1], out[-1]),
            dtype,
            self.padded,
            strides=(channel, steps[-1] * dilation[-1], image, *steps[:-1], steps[-1] * stride[-1]),
        )
        # a kernel one wide has one shift, the padded block itself: no copy
        self.alone = kernel[-1] == stride[-1] == 1
        self.shifted = self.shifts if self.alone else np.empty(self.shifts.shape, dtype)
        channel, shift, image, *steps = self.shifted.strides
        self.windowed: Array = np.ndarray(
            (channels, *kernel, self.images, *count),
            dtype,
            self.padded if self.alone else self.shifted,
            strides=(
                channel,
                *(step * d for step, d in zip(steps[:-1], dilation[:-1], strict=True)),
                shift,
                image,
                *(step * s for step, s in zip(steps[:-1], stride[:-1], strict=True)),
                steps[-1],
            ),
        )
        self.matrix = padded_columns(channels * prod(kernel), self.images * prod(count), dtype)

    def blocks(self) -> Iterator[Block]:
        """Return the blocks that make up the batch, in order."""
        return blocks(self.windows, self.batch, self.images, self.rows)

    def gather(self, x: Array, block: Block) -> Array:
        """Return the columns of ``block``: shape (groups, rows of a group, windows)."""
        every = slice(None)
        images, rows = slice(block.last - block.first), slice(block.bottom - block.top)
        if self.rows != self.windows.out[0]:
            self.padded.fill(0)  # the border lies elsewhere in every band
        self.padded[(images, every, *block.inside)] = x[(slice(block.first, block.last), every, *block.source)]
        if not self.alone:
            np.copyto(self.shifted[:, :, images], self.shifts[:, :, images])
        windowed = self.windowed[(every,) * (1 + len(self.windows.out)) + (images, rows)]
        matrix = self.matrix[:, : prod(windowed.shape[1 + len(self.windows.out) :])]
        np.copyto(matrix.reshape(windowed.shape), windowed)
        return matrix.reshape(self.groups, -1, matrix.shape[1])


class Col2Im:
    """The adjoint of ``Im2Col`` for stride 1: columns added to the image elements they were copied from, by blocks.

    Windows stand as far apart as in the padded image, so that a row of the matrix falls on the
    flat image shifted by its kernel element. With zeros between the rows that shift is a stride:
    one reduction adds all of them.
    """

    def __init__(self, windows: Windows, to: Ints, filters: int, groups: int, dtype: np.dtype[Any]) -> None:
        batch, channels = to
        self.windows = windows
        self.batch = batch
        self.groups = groups
        height = channels * prod(windows.kernel) * dtype.itemsize
        self.images, self.rows = block_size(windows, batch, height)
        self.span = padded_span(windows, self.rows)
        self.wide = np.zeros((self.images, filters, self.rows, *self.span[1:]), dtype)
        self._allocate(channels, dtype)

    def _allocate(self, channels: int, dtype: np.dtype[Any]) -> None:
        """Make the matrix with its zero margins, and the view that lines up its rows."""
        _, kernel, _, _, dilation, _ = self.windows
        jumps = [prod(self.span[i + 1 :]) * d for i, d in enumerate(dilation)]
        reach = sum((k - 1) * jump for k, jump in zip(kernel, jumps, strict=True))
        self.width = prod(self.span) - reach
        length = row_stride(self.width + reach)
        height = channels * prod(kernel)
        flat = np.zeros(self.images * height * length + 2 * reach, dtype)
        item = dtype.itemsize
        self.matrix: Array = np.ndarray(
            (self.images, self.groups, height // self.groups, self.width),
            dtype,
            flat,
            reach * item,
            (*(n * length * item for n in (height, height // self.groups, 1)), item),
        )
        by_kernel = [(prod(kernel[i + 1 :]) * length - jump) * item for i, jump in enumerate(jumps)]
        self.view: Array = np.ndarray(
            (self.images, channels, *kernel, self.width + reach),
            dtype,
            flat,
            reach * item,
            (height * length * item, prod(kernel) * length * item, *by_kernel, item),
        )
        self.sums = np.empty((self.images, channels, *self.span), dtype)

    def blocks(self) -> Iterator[Block]:
        """Return the blocks that make up the batch, in order."""
        return blocks(self.windows, self.batch, self.images, self.rows)

    def widened(self, g: Array, block: Block) -> Array:
        """Return the windows of ``g`` in ``block``, as far apart as those of the matrix."""
        rows = block.bottom - block.top
        if rows != self.rows:
            self.wide[:, :, rows:] = 0
        inner = tuple(slice(n) for n in self.windows.out[1:])
        self.wide[(slice(block.last - block.first), slice(None), slice(rows), *inner)] = g[
            block.first : block.last, :, block.top : block.bottom
        ]
        flat = self.wide.reshape(self.images, self.groups, -1, self.rows * prod(self.span[1:]))
        return flat[..., : self.width]

    def add(self, x: Array, block: Block) -> None:
        """Add the matrix, filled for ``block``, to ``x``, which holds nothing but such sums."""
        dims = len(self.span)
        flat = self.sums.reshape(*self.sums.shape[:2], -1)
        np.add.reduce(self.view, axis=tuple(range(2, 2 + dims)), out=flat)
        target = (slice(block.first, block.last), slice(None), *block.source)
        sums = self.sums[(slice(block.last - block.first), slice(None), *block.inside)]
        if self.rows == self.windows.out[0]:
            x[target] = sums
        else:  # bands overlap
            x[target] += sums
