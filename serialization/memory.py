"""Which memory tensors share: as pieces of storages, before they are written and after they were read.

A storage is a run of elements of one dtype; a piece is where a tensor lies in it: offset, shape, stride, in elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..arrays.dtypes import Array, dtype_of
from ..autograd.variable import as_ndarray


class Piece(NamedTuple):
    """Where a tensor lies."""

    storage: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class Memory:
    """Collects tensors, and says in the end which storages they need: those that overlap share one."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []  # held, so that no address is used twice
        self._strides: list[tuple[int, ...]] = []

    def add(self, tensor: Any) -> int:
        """Take note of a tensor, and return its number."""
        array = as_ndarray(tensor)
        if any(step < 0 or step % array.itemsize for step in array.strides):
            array = array.copy()
            self._strides.append(tuple(step // array.itemsize for step in array.strides))
        else:
            self._strides.append(tuple(tensor.stride()))
        self._arrays.append(array)
        return len(self._arrays) - 1

    def settle(self) -> tuple[list[Piece], list[Array]]:
        """Return the piece of each tensor, and the storages as one-dimensional arrays, numbered as they are met.

        RuntimeError if one memory is looked at as two dtypes.
        """
        starts = [array.__array_interface__["data"][0] for array in self._arrays]
        lowest, ends = self._overlaps(starts)
        numbers: dict[int, int] = {}
        pieces: list[Piece] = []
        storages: list[Array] = []
        for place, (array, stride) in enumerate(zip(self._arrays, self._strides, strict=True)):
            low = lowest[place]
            if low not in numbers:
                numbers[low] = len(storages)
                storages.append(_run(self._arrays[low], ends[low] - starts[low]))
            storage = storages[numbers[low]]
            offset, rest = divmod(starts[place] - starts[low], array.itemsize)
            if storage.dtype != array.dtype or rest:
                raise RuntimeError(
                    "Cannot save multiple tensors or storages that view the same data as different types: "
                    f"{dtype_of(storage.dtype)} and {dtype_of(array.dtype)}"
                )
            pieces.append(Piece(numbers[low], offset, array.shape, stride))
        return pieces, storages

    def _overlaps(self, starts: list[int]) -> tuple[list[int], dict[int, int]]:
        """Return for each array the lowest of those it overlaps with, and where those end in memory."""
        lowest = list(range(len(starts)))
        ends = dict(zip(lowest, starts, strict=True))
        low = -1
        for place in sorted(lowest, key=lambda i: starts[i]):
            array = self._arrays[place]
            if not array.size:
                continue
            if low < 0 or starts[place] >= ends[low]:
                low = place
            lowest[place] = low
            last = sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True))
            ends[low] = max(ends[low], starts[place] + last + array.itemsize)
        return lowest, ends


def _run(first: Array, length: int) -> Array:
    """Return the ``length`` bytes of memory that begin where ``first`` does, as a one-dimensional array."""
    if not length:
        return np.empty(0, first.dtype)
    return np.lib.stride_tricks.as_strided(first, (length // first.itemsize,), (first.itemsize,), writeable=False)


def look(storage: Array, offset: int, shape: Sequence[int], stride: Sequence[int]) -> Array:
    """Return the piece of a one-dimensional array at ``offset``; ValueError unless it lies inside."""
    numbers = (offset, *shape, *stride)
    if any(type(n) is not int or not 0 <= n < 2**62 for n in numbers) or len(shape) != len(stride):
        raise ValueError(f"offset {offset!r}, size {shape!r} and stride {stride!r} describe no tensor")
    each = storage.itemsize
    try:
        if 0 in shape:
            return np.empty(tuple(shape), storage.dtype)
        last = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
        if last >= storage.size:
            raise ValueError(
                f"size {list(shape)} and stride {list(stride)} from offset {offset} on need {last + 1} elements, the "
                f"storage has {storage.size}"
            )
        if prod(shape) * each >= 2**62:
            raise ValueError(f"size {list(shape)} is beyond all memory")
        return np.ndarray(tuple(shape), storage.dtype, storage, offset * each, tuple(step * each for step in stride))
    except (MemoryError, OverflowError) as error:
        raise ValueError(f"size {list(shape)} is beyond all memory") from error


def truths(array: Array) -> Array:
    """Return an array of bools whose bytes are 0 or 1: others, which no program writes, count as 1."""
    raw = array.view(np.uint8)
    return array if not raw.size or raw.max() <= 1 else raw != 0


def widened(raw: Array) -> Array:
    """Return bfloat16 numbers, given as their bits in uint16, as float32: the same values."""
    return (raw.astype(np.uint32) << 16).view(np.float32)


_KEYS = (str, int, float, bool, bytes, complex, type(None))
_DEEPEST_KEY, _MOST_IN_KEY = 16, 10_000


def checked_key(key: Any, plain: tuple[type, ...] = ()) -> Any:
    """Return the key of a dict; ValueError if it is no number, text, or small tuple of them."""
    left = [(key, 0)]
    seen = 0
    while left:
        one, depth = left.pop()
        seen += 1
        if isinstance(one, tuple) and depth < _DEEPEST_KEY and seen + len(one) < _MOST_IN_KEY:
            left += [(item, depth + 1) for item in one]
        elif not isinstance(one, (*_KEYS, *plain)):
            raise ValueError(f"a key or member of a set of type {type(one).__name__} is not taken from files")
    return key
