"""Nearest-neighbour interpolation with its adjoint, and the two pixel shuffles."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, prod

import numpy as np

from ..dtypes import Array
from .gather import add_along, take_along
from .windows import Ints


def scaled_size(size: Ints, scale_factor: Sequence[float]) -> Ints:
    """Return the sizes that ``scale_factor`` makes of ``size``, rounded down."""
    return tuple(floor(n * scale) for n, scale in zip(size, scale_factor, strict=True))


def nearest_index(size: int, out: int, scale: float | None = None) -> Array:
    """Return which of ``size`` elements each of ``out`` is a copy of.

    PyTorch multiplies by the inverse scale in single precision, and its rounding decides ties:
    ``1 / scale`` if the scale is given, else ``size / out``.
    """
    step = np.float32(1.0 / scale) if scale and scale > 0 else np.float32(size) / np.float32(out)
    index = np.floor(np.arange(out).astype(np.float32) * step).astype(np.int64)
    clipped: Array = np.clip(index, 0, size - 1)
    return clipped


def _indices(size: Ints, output_size: Ints, scale_factor: Sequence[float] | None) -> list[Array]:
    """Return ``nearest_index`` for each spatial dim.

    For images of two dims PyTorch ignores the scale where the size stays or doubles: 2 elements
    times 1.25 are these 2 elements, though one and three dims repeat the first.
    """
    scales = list(scale_factor) if scale_factor is not None else [0.0] * len(size)
    if len(size) == 2:
        ratios = zip(scales, size, output_size, strict=True)
        scales = [0.0 if out in (n, 2 * n) else scale for scale, n, out in ratios]
    return [nearest_index(*dim) for dim in zip(size, output_size, scales, strict=True)]


def interpolate_nearest(x: Array, output_size: Ints, scale_factor: Sequence[float] | None = None) -> Array:
    """Return (N, C, ...) ``x`` resized to ``output_size``, each element a copy of its nearest.

    Where the size came from a ``scale_factor`` and is not to be recomputed, give it too: its
    rounding differs. Raises RuntimeError, as PyTorch, for sizes below one.
    """
    size = x.shape[2:]
    if min(*size, *output_size) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {size} and output {output_size}"
        )
    if x.shape[1] == 0:
        raise RuntimeError(f"Non-empty {x.ndim}D data tensor expected but got a tensor with sizes {list(x.shape)}")
    for axis, index in enumerate(_indices(size, output_size, scale_factor), start=2):
        x = take_along(x, index, axis)
    return x


def interpolate_nearest_adjoint(g: Array, x_shape: Ints, scale_factor: Sequence[float] | None = None) -> Array:
    """Return the adjoint of ``interpolate_nearest``: ``g`` added up over each element's copies."""
    size = x_shape[2:]
    for axis, index in enumerate(_indices(size, g.shape[2:], scale_factor), start=2):
        g = add_along(g, index, size[axis - 2], axis)
    return g


def pixel_shuffle(x: Array, factor: int) -> Array:
    """Return (..., C r r, H, W) ``x`` rearranged to (..., C, H r, W r).

    Raises RuntimeError, as PyTorch, for a rank below 3, a factor below 1 and channels that do
    not divide.
    """
    _check_rank("pixel_shuffle", "upscale_factor", x, factor)
    *lead, channels, height, width = x.shape
    if channels % factor**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {factor**2}"
        )
    out = channels // factor**2
    blocks = x.reshape(prod(lead), out, factor, factor, height, width)
    mixed = blocks.transpose(0, 1, 4, 2, 5, 3)
    return np.array(mixed, order="C").reshape(*lead, out, height * factor, width * factor)


def pixel_unshuffle(x: Array, factor: int) -> Array:
    """Return (..., C, H r, W r) ``x`` rearranged to (..., C r r, H, W): undoes pixel_shuffle.

    Raises RuntimeError, as PyTorch, for a rank below 3, a factor below 1 and sizes that do not
    divide.
    """
    _check_rank("pixel_unshuffle", "downscale_factor", x, factor)
    *lead, channels, height, width = x.shape
    for what, dim, size in (("height", -2, height), ("width", -1, width)):
        if size % factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, "
                f"but input.size({dim})={size} is not divisible by {factor}"
            )
    rows, columns = height // factor, width // factor
    blocks = x.reshape(prod(lead), channels, rows, factor, columns, factor)
    mixed = blocks.transpose(0, 1, 3, 5, 2, 4)
    return np.array(mixed, order="C").reshape(*lead, channels * factor**2, rows, columns)


def _check_rank(name: str, what: str, x: Array, factor: int) -> None:
    """Raise RuntimeError unless ``x`` has channels, height and width and ``factor`` counts."""
    if x.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {x.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {factor}")
