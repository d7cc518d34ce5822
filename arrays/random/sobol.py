"""Direction numbers of Sobol's sequences, and the points they make.

The numbers are those of S. Joe and F. Y. Kuo, Constructing Sobol sequences with better two-dimensional projections,
2008, which they give away under the terms of the BSD licence. ``sobol.bin`` holds their first 1111 dimensions, up to
the primitive polynomials of degree 13, in 11 kB; ``tools/sobol.py`` writes it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

from ..dtypes import Array

BITS = 30
_POLYNOMIALS = (1, 1, 2, 2, 6, 6, 18, 16, 48, 60, 176, 144, 630)
"""How many primitive polynomials there are of each degree, from 1."""
DIMENSIONS = 1 + sum(_POLYNOMIALS)


@cache
def _bits() -> Array:
    return np.unpackbits(np.frombuffer(files(__package__).joinpath("sobol.bin").read_bytes(), np.uint8)).astype(
        np.int64
    )


def direction_numbers(dimension: int) -> Array:
    """Return ``BITS`` int64 numbers below 2 ** BITS for each dimension, the first leading."""
    found = np.ones((dimension, BITS), np.int64)
    row, start = 1, 0
    for degree, count in enumerate(_POLYNOMIALS, start=1):
        wide = (degree - 1) + degree * (degree - 1) // 2
        here = max(0, min(count, dimension - row))
        table = _bits()[start : start + here * wide].reshape(here, wide)
        _fill(found[row : row + here], table, degree)
        row, start = row + here, start + count * wide
    return found << np.arange(BITS - 1, -1, -1)


def _fill(out: Array, table: Array, degree: int) -> None:
    """Write the numbers of dimensions whose polynomials have one degree: those of ``table``, then the recurrence."""
    inner, place = table[:, : degree - 1], degree - 1
    for j in range(degree):
        out[:, j] = table[:, place : place + j] @ (2 << np.arange(j - 1, -1, -1)) + 1
        place += j
    for j in range(degree, BITS):
        out[:, j] = out[:, j - degree] ^ (out[:, j - degree] << degree)
        for k in range(1, degree):
            out[:, j] ^= inner[:, k - 1] * (out[:, j - k] << k)


def points(state: Array, last: Array, count: int, passed: int) -> Array:
    """Return the ``count`` points after number ``passed``, which is ``last``, as numbers below 2 ** BITS."""
    steps = np.arange(passed, passed + count)
    flips = np.bitwise_count(steps ^ (steps + 1)).astype(np.int64) - 1  # the ones at the end of each number
    return last ^ np.bitwise_xor.accumulate(state.T[flips], 0)


def skipped(state: Array, last: Array, count: int, passed: int) -> Array:
    """Return the last of :func:`points`, at once: the number of a point in Gray's code tells what it is made of."""
    change = (passed ^ (passed >> 1)) ^ ((passed + count) ^ ((passed + count) >> 1))
    found = last.copy()
    for bit in range(change.bit_length()):
        if change >> bit & 1:
            found ^= state[:, bit]
    return found


def scrambled(state: Array, triangles: Array) -> Array:
    """Return direction numbers whose bits, from the highest, were multiplied by lower triangular matrices of bits."""
    powers = np.arange(BITS - 1, -1, -1)
    bits = (state[..., None] >> powers) & 1
    rows = triangles | np.eye(BITS, dtype=np.int64)
    return ((bits @ rows.swapaxes(-1, -2)) & 1) @ (1 << powers)
