"""Distances between all pairs of two sets of vectors, or of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels.magnitude import in_range
from ....autograd.arguments import array_of, as_number
from ....autograd.broadcast import expand_to
from ....autograd.primitive import primitive
from ...doors import doors
from ..backward_ops import as_array, quotient, reshape_to, signed_power
from ..common import zero_gradient
from ..index.scatter import index_select, place_rows
from ..reduce.sums import sum
from ..reduce.vector_norms import power_norm
from ..shape.order import transpose
from .matmul import gemm

_MATRIX = 25  # from more rows on PyTorch takes Euclidean distances by a matrix product


def _lengths(difference: Array, p: float) -> Any:
    """Return the ``p``-norms of the vectors along the last dim."""
    if np.isinf(p) and not difference.shape[-1]:
        return np.zeros(difference.shape[:-1], difference.dtype)
    return power_norm(difference, p, (difference.ndim - 1,), False)


def _slopes(g: Any, difference: Any, out: Any, p: float) -> Any:
    """Return the gradient (..., M) for differences (..., M) whose norms are ``out``: 0 where a norm is 0."""
    wide = reshape_to(g, (*g.shape, 1))
    if p == 1:
        return wide * signed_power(as_array(difference), 0)
    if np.isinf(p):
        distances = as_array(difference)
        reached = np.abs(distances) == np.asarray(as_array(out))[..., None]
        return wide * (reached * signed_power(distances, 0)).astype(distances.dtype)
    return wide * signed_power(quotient(difference, reshape_to(out, (*out.shape, 1))), p - 1)


def _cdist_rule(g: Any, x1: Any, x2: Any, out: Any, p: float, matrix: bool, needs: list[bool]) -> tuple[Any, Any]:
    if p == 0:
        return zero_gradient(x1), zero_gradient(x2)
    share = quotient(g, out) if matrix else None
    if share is not None and in_range(np.vdot(as_array(share), as_array(share))):
        centre = _centre(as_array(x2))  # a constant, of which the result is independent
        x1, x2 = x1 - centre, x2 - centre
        flipped = transpose(share, -1, -2)
        near = x1 * sum(share, -1, True) - gemm(share, x2, False, False) if needs[0] else None
        far = x2 * sum(flipped, -1, True) - gemm(flipped, x1, False, False) if needs[1] else None
        return near, far
    slopes = _slopes(g, _differences(x1, x2), out, p)
    return sum(slopes, -2) if needs[0] else None, -sum(slopes, -3) if needs[1] else None


def _differences(x1: Any, x2: Any) -> Any:
    """Return the difference (..., P, R, M) of each vector of ``x1`` and each of ``x2``."""
    lead, width = x1.shape[:-2], x1.shape[-1]
    return reshape_to(x1, (*lead, x1.shape[-2], 1, width)) - reshape_to(x2, (*lead, 1, x2.shape[-2], width))


@primitive(_cdist_rule, ("x1", "x2"), connected=("x1", "x2"), numbers=("p",))
def _cdist(x1: Array, x2: Array, p: float, matrix: bool) -> Any:
    """Return the distances (..., P, R) of the rows of (..., P, M) and (..., R, M), of equal leading dims."""
    return _by_product(x1, x2) if matrix else _lengths(_differences(x1, x2), p)


def _centre(x: Array) -> Any:
    """Return the mean of the rows: distances from it are no larger than those between the rows."""
    return np.add.reduce(x, -2, keepdims=True) / max(x.shape[-2], 1)


_CLOSE = 1e-3
"""The part of two squared lengths below which the square of their distance has lost too many digits."""


def _by_product(x1: Array, x2: Array) -> Any:
    """Return Euclidean distances by a matrix product, those of vectors that lie close by their differences."""
    centre = _centre(x2)
    a, b = x1 - centre, x2 - centre
    both = np.add.reduce(a * a, -1)[..., :, None] + np.add.reduce(b * b, -1)[..., None, :]
    if both.size and not in_range(np.maximum.reduce(both, None)):
        return _lengths(_differences(x1, x2), 2)
    squares = both - 2 * np.matmul(a, b.swapaxes(-1, -2))
    close = np.nonzero(squares < both * both.dtype.type(_CLOSE))
    found = np.sqrt(np.maximum(squares, 0))
    if close[0].size:
        *lead, row, column = close
        found[close] = _lengths(x1[*lead, row] - x2[*lead, column], 2)
    return found


def _pdist_rule(g: Any, input: Any, out: Any, p: float) -> Any:
    if p == 0:
        return zero_gradient(input)
    first, second = np.triu_indices(input.shape[0], 1)
    slopes = _slopes(g, index_select(input, 0, first) - index_select(input, 0, second), out, p)
    return place_rows(slopes, input.shape, 0, first) - place_rows(slopes, input.shape, 0, second)


@primitive(input=_pdist_rule, connected=("input",), numbers=("p",))
def _pdist(input: Array, p: float) -> Any:
    """Return the distances of all pairs of rows, in order."""
    first, second = np.triu_indices(len(input), 1)
    return _lengths(input[first] - input[second], p)


# ------------------------------------------------------------------ the functions


def _check_power(name: str, p: float) -> float:
    if p < 0:
        raise RuntimeError(f"{name} only supports non-negative p values, not {p}")
    return float(as_number(name, "p", p))


@doors("torch functional")
def pdist(input: Any, p: float = 2.0) -> Any:
    """Return the ``p``-norm distances of all pairs of rows of (N, M) ``input``: (0, 1), (0, 2), …, (N - 2, N - 1).

    RuntimeError for other ranks, integers and negative ``p``.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.pdist.html

    >>> import rushlight as torch
    >>> torch.pdist(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]]))
    tensor([5., 4., 3.])
    """
    x = array_of(input, "pdist")
    if x.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise RuntimeError(f"pdist only supports floating-point dtypes, not {dtype_of(x.dtype)}")
    return _pdist(input, _check_power("pdist", p))


_MODES = {
    "use_mm_for_euclid_dist_if_necessary": 0,
    "use_mm_for_euclid_dist": 1,
    "donot_use_mm_for_euclid_dist": 2,
}


@doors("torch")
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: Any = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """Return the ``p``-norm distances (..., P, R) of the rows of ``x1`` (..., P, M) and ``x2`` (..., R, M).

    The leading dims broadcast. By ``compute_mode`` Euclidean distances of more than 25 rows, all, or none are computed
    by a matrix product, which is faster, but for rows that lie close. Where a distance is 0, so is its gradient.
    RuntimeError for shapes that do not fit, integers and negative ``p``.

    https://pytorch.org/docs/stable/generated/torch.cdist.html

    >>> import rushlight as torch
    >>> torch.cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    a, b = array_of(x1, "cdist", "x1"), array_of(x2, "cdist", "x2", 2)
    for number, x in enumerate((a, b), 1):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, X{number} got: {x.ndim}D")
        if x.dtype.kind != "f" or x.dtype.itemsize < 4:
            raise RuntimeError(f"cdist only supports floating-point dtypes, X{number} got: {dtype_of(x.dtype)}")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"cdist: X1 and X2 must have one dtype, but have {dtype_of(a.dtype)} and {dtype_of(b.dtype)}"
        )
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}")
    mode = _MODES.get(compute_mode) if isinstance(compute_mode, str) else None
    if mode is None:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    lead = common_shape(a.shape[:-2], b.shape[:-2])
    x1, x2 = (x if x.shape[:-2] == lead else expand_to(x, (*lead, *x.shape[-2:])) for x in (x1, x2))
    large = a.shape[-2] > _MATRIX or b.shape[-2] > _MATRIX
    return _cdist(x1, x2, _check_power("cdist", p), p == 2 and (mode == 1 or (mode == 0 and large)))


def common_shape(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that both broadcast to; RuntimeError if there is none."""
    try:
        return np.broadcast_shapes(first, second)
    except ValueError:
        raise RuntimeError(f"shapes {list(first)} and {list(second)} do not broadcast together") from None
