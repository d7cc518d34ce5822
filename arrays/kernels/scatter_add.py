"""Elements added in at places that may come several times: the adjoint of every kind of look-up."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..dtypes import Array


def add_rows(rows: Array, places: Array, size: int) -> Array:
    """Return ``size`` rows, row ``n`` the sum of those ``rows`` whose entry in ``places`` is ``n``.

    ``rows`` has shape (K, R), ``places`` (K,). Without repeats this is one assignment; with repeats the elements are
    added up as one flat row, for which NumPy is faster (``benchmarks/claims.py``). Half precision is summed in single.
    """
    width = rows.shape[1]
    if free_of_repeats(places, size):
        out = np.zeros((size, width), rows.dtype)
        out[places] = rows
        return out
    if width == 1 and rows.dtype.kind == "f":
        return np.bincount(places, rows[:, 0], size).astype(rows.dtype).reshape(size, 1)
    flat = np.zeros(size * width, np.float32 if rows.dtype == np.float16 else rows.dtype)
    where = places if width == 1 else (places[:, None] * width + np.arange(width)).reshape(-1)
    np.add.at(flat, where, rows.reshape(-1).astype(flat.dtype, copy=False))
    return flat.astype(rows.dtype, copy=False).reshape(size, width)


def free_of_repeats(places: Array, size: int) -> bool:
    """Return whether no number below ``size`` comes twice in ``places``."""
    if places.size > size:
        return False
    seen = np.zeros(size, np.bool_)
    seen[places] = True
    return int(np.count_nonzero(seen)) == places.size


def flat_places(arrays: Sequence[Array], sizes: Sequence[int]) -> Array:
    """Return index arrays, broadcast together, as numbers of elements of an array of shape ``sizes``."""
    total = np.zeros((), np.intp)
    for array, size in zip(arrays, sizes, strict=True):
        total = total * size + np.where(array < 0, array + size, array)
    return total


def add_at(g: Array, shape: tuple[int, ...], index: tuple[Any, ...]) -> Array:
    """Return zeros of ``shape`` with ``g`` added in at ``index``: the adjoint of ``x[index]``.

    ``index`` holds whole slices and either integer arrays, or one mask.
    """
    spots = [d for d, each in enumerate(index) if not isinstance(each, slice)]
    arrays = [index[d] for d in spots]
    if arrays[0].dtype.kind == "b":
        out = np.zeros(shape, g.dtype)
        out[index] = g
        return out
    sizes = [shape[d] for d in spots]
    places = flat_places(arrays, sizes)
    rest = [d for d in range(len(shape)) if d not in spots]
    begin = spots[0] if spots[-1] - spots[0] == len(spots) - 1 else 0  # NumPy puts the looked-up dims there
    front = range(begin, begin + places.ndim)
    moved = np.moveaxis(g, list(front), list(range(places.ndim)))
    rows = moved.reshape(places.size, prod(shape[d] for d in rest))
    added = add_rows(rows, places.reshape(-1), prod(sizes))
    shaped = added.reshape(*sizes, *[shape[d] for d in rest])
    return np.moveaxis(shaped, list(range(len(shape))), [*spots, *rest])
