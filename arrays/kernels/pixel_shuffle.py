"""Channels rearranged into blocks of pixels, and back.

Shi et al., Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network,
2016, section 2.2.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..dtypes import Array


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
    """Raise RuntimeError unless ``x`` has channels, height and width, and ``factor`` is positive."""
    if x.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {x.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {factor}")
