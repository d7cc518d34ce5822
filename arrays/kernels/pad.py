"""Padding of the last dims in four modes, each with its adjoint.

``pads`` is in PyTorch's order: before and after of the last dim, then of the one before it, and
so on. Negative numbers crop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from .gather import add_along, take_along
from .windows import Ints


def pad(x: Array, pads: Ints, mode: str = "constant", value: Any = 0) -> Array:
    """Return ``x`` padded by ``pads`` in ``mode``: constant, reflect, replicate or circular.

    Raises RuntimeError (a mode PyTorch does not know or a rank it does not pad:
    NotImplementedError) for pads that do not fit the shape.
    """
    check_pads(x.shape, pads, mode)
    if mode == "constant":
        return _constant(x, pads, value)
    for axis, before, after in _by_axis(x.ndim, pads):
        if before or after:
            x = take_along(x, _sources(x.shape[axis], before, after, mode), axis)
    return x


def pad_adjoint(g: Array, x_shape: Ints, pads: Ints, mode: str = "constant") -> Array:
    """Return the adjoint of ``pad``: ``g`` added back to where its elements came from."""
    if mode == "constant":
        return _constant(g, tuple(-n for n in pads), 0)
    for axis, before, after in _by_axis(len(x_shape), pads):
        if before or after:
            size = x_shape[axis]
            g = add_along(g, _sources(size, before, after, mode), size, axis)
    return g


def _by_axis(ndim: int, pads: Ints) -> list[tuple[int, int, int]]:
    """Return (axis, before, after) for each padded dim, the last dim first."""
    pairs = zip(pads[::2], pads[1::2], strict=True)
    return [(ndim - 1 - i, before, after) for i, (before, after) in enumerate(pairs)]


def _constant(x: Array, pads: Ints, value: Any) -> Array:
    """Return ``x`` in a border of ``value``, or cropped where pads are negative."""
    shape = list(x.shape)
    inside = [slice(None)] * x.ndim
    source = [slice(None)] * x.ndim
    for axis, before, after in _by_axis(x.ndim, pads):
        shape[axis] += before + after
        length = x.shape[axis] + min(before, 0) + min(after, 0)
        if shape[axis] < 0 or length < 0:
            raise RuntimeError(
                f"narrow(): length must be non-negative, but dim {axis} of size "
                f"{x.shape[axis]} is padded by ({before}, {after})"
            )
        inside[axis] = slice(max(before, 0), max(before, 0) + length)
        source[axis] = slice(max(-before, 0), max(-before, 0) + length)
    out = np.empty(shape, x.dtype)
    if out[tuple(inside)].size < out.size:
        out.fill(_as_dtype(value, x.dtype))
    out[tuple(inside)] = x[tuple(source)]
    return out


def _as_dtype(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return ``value`` cut to ``dtype``: 2.7 is 2 among integers."""
    return np.asarray(value).astype(dtype)


def _sources(size: int, before: int, after: int, mode: str) -> Array:
    """Return, for each element of a padded dim, the index of the element that it copies."""
    index: Array = np.arange(-before, size + after)
    if mode == "reflect":
        index = np.abs(index)
        return np.where(index >= size, 2 * (size - 1) - index, index)
    if mode == "replicate":
        return np.clip(index, 0, size - 1)
    first, last = max(-before, 0), size - max(-after, 0)  # what is cropped does not come round
    return first + (index - first) % max(1, last - first)


def check_pads(shape: Ints, pads: Ints, mode: str) -> None:
    """Raise as PyTorch does unless ``pads`` suits ``shape`` in ``mode``."""
    if len(pads) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got {len(pads)}")
    if len(pads) > 2 * len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but "
            f"got padding length {len(pads)} and input of dimension {len(shape)}"
        )
    if mode == "constant":
        return
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    dims = len(pads) // 2
    if dims not in (1, 2, 3) or len(shape) - dims not in (1, 2):
        raise NotImplementedError(
            f"Padding size {len(pads)} is not supported for {len(shape)}D input tensor. Supported "
            "combinations for non-constant padding: 2D or 3D input with padding size 2, 3D or 4D "
            "with 4, 4D or 5D with 6"
        )
    if mode != "circular" and 0 in shape[len(shape) - dims - 1 :]:
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with possibly 0 batch size "
            f"and other non-zero dimensions for input, but got: {list(shape)}"
        )
    out = [shape[axis] + before + after for axis, before, after in _by_axis(len(shape), pads)]
    if min(out) < 0 or (max(out) == 0 and mode != "circular"):
        raise RuntimeError(
            f"input {list(shape)} is too small for padding {tuple(pads)}: "
            f"calculated output sizes {out[::-1]}, a negative padding value leaves an empty dimension"
        )
    for axis, before, after in _by_axis(len(shape), pads):
        _check_pair(shape, axis, before, after, mode)


def _check_pair(shape: Ints, axis: int, before: int, after: int, mode: str) -> None:
    """Raise RuntimeError unless dim ``axis`` can be padded by ``before`` and ``after``."""
    size = shape[axis]
    if mode == "reflect" and max(before, after) >= size:
        raise RuntimeError(
            "Padding size should be less than the corresponding input dimension, but got: "
            f"padding ({before}, {after}) at dimension {axis} of input {list(shape)}"
        )
    kept = size + min(before, 0) + min(after, 0)
    if mode == "circular" and max(before, after) > kept:
        raise RuntimeError(
            "Padding value causes wrapping around more than once: "
            f"padding ({before}, {after}) at dimension {axis} of input {list(shape)}"
        )
