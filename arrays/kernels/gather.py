"""Elements picked along one dim by number, and the adjoint: elements added back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array


def take_along(x: Array, index: Array, axis: int) -> Array:
    """Return ``x`` with the elements ``index`` along ``axis``: a copy."""
    taken: Array = np.take(x, index, axis=axis)
    return taken


def add_along(g: Array, index: Array, size: int, axis: int) -> Array:
    """Return zeros with ``g`` added in at ``index`` along ``axis``: the adjoint of a take.

    Half precision is summed in single.
    """
    wide = np.float32 if g.dtype == np.float16 else g.dtype
    out = np.zeros((*g.shape[:axis], size, *g.shape[axis + 1 :]), wide)
    every: tuple[Any, ...] = (slice(None),) * axis
    for places, parts in _distinct(index):
        out[(*every, places)] += g[(*every, parts)]
    return out.astype(g.dtype, copy=False)


def _distinct(index: Array) -> list[tuple[Array | slice, Array | slice]]:
    """Return ``index`` in groups without repeats: (elements, positions that name them).

    Group ``k`` holds the ``k``-th occurrence of every element.
    """
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    counts = np.diff(np.r_[starts, len(ordered)])
    groups = []
    for k in range(int(counts.max(initial=0))):
        parts = order[starts[counts > k] + k]
        groups.append((_as_slice(index[parts]), _as_slice(parts)))
    return groups


def _as_slice(index: Array) -> Array | slice:
    """Return ``index``, not empty, as the slice it is if its steps are even: faster (``benchmarks/claims.py``)."""
    first, last = int(index[0]), int(index[-1])
    step = int(index[1]) - first if len(index) > 1 else 1
    if step == 0 or (np.diff(index) != step).any():
        return index
    stop = last + (1 if step > 0 else -1)
    return slice(first, stop if stop >= 0 else None, step)
