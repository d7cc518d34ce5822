"""Which values there are, and how often."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import array_of, norm_dim
from ..dtypes import Array, dtype_of
from ..mode import fresh, recording
from ..node import Node, Op, Variable, clock, wrap
from ..primitive import primitive
from ..view import settle
from .dual import max_reduce, min_reduce
from .finish import floats_only


def _refuse(g: Any, saved: Any, edges: Any) -> Any:
    kind = NotImplementedError if "unique" in saved[0] else RuntimeError
    raise kind(f"the derivative for '{saved[0]}' is not implemented.")


def results(name: str, title: str, source: Any, arrays: list[Any]) -> Any:
    """Return the arrays as tensors, one alone as it is.

    The first depends on ``source``, but which of equal elements it came from is not said: to ask for a gradient is
    an error.
    """
    made = [wrap(Variable.result, array, None, fresh.get()) for array in arrays]
    if not isinstance(source, Variable):
        return made[0] if len(made) == 1 else tuple(made)
    if source.view_of is not None:
        settle(source)
    edge = source.node
    if edge is not None and recording.get():
        made[0].node = node = Node()
        node.op, node.edges, node.saved, node.hooks = Op(name, title, _refuse), (edge,), (name,), None
        node.shape, node.dtype, node.seq = arrays[0].shape, arrays[0].dtype, next(clock)
    return made[0] if len(made) == 1 else tuple(made)


def _asked(found: Any, return_inverse: bool, return_counts: bool) -> list[Any]:
    values, inverse, counts = found
    return [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]


def _rows(name: str, x: Any, dim: int) -> Any:
    """Return ``x`` as rows, one for each element along ``dim``."""
    if not x.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = norm_dim(dim, x.ndim)
    if not x.size and x.shape[axis]:
        raise RuntimeError(f"There are 0 sized dimensions, and they aren't selected, so {name} cannot be applied")
    return np.moveaxis(x, axis, 0)


def _back(rows: Any, x: Any, dim: int) -> Any:
    return np.moveaxis(rows, 0, norm_dim(dim, x.ndim))


def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Return the different elements (along ``dim``: the different slices), in order of size.

    With ``return_inverse`` also the number of each element's value, with ``return_counts`` how often each value
    comes. They are sorted in any case. Every NaN stands for itself.
    https://pytorch.org/docs/stable/generated/torch.unique.html

    >>> import rushlight as torch
    >>> torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    x = array_of(input, "unique")
    if dim is None:
        values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, equal_nan=False)
        found = values, inverse.reshape(x.shape), counts
        return results("_unique2", "Unique2Backward0", input, _asked(found, return_inverse, return_counts))
    rows = _rows("unique", x, dim)
    flat = rows.reshape(len(rows), -1) if rows.size else np.zeros((len(rows), 1))
    order = np.lexsort(flat.T[::-1])
    new = _differ(flat[order])
    inverse = np.empty(len(rows), np.int64)
    inverse[order] = np.cumsum(new) - 1
    found = _back(rows[order[new]], x, dim), inverse, _lengths(new)
    return results("unique_dim", "UniqueDimBackward0", input, _asked(found, return_inverse, return_counts))


def _differ(rows: Any) -> Any:
    """Return which rows are not equal to the one before."""
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]).reshape(max(len(rows) - 1, 0), -1).any(1) if len(rows) > 1 else new[1:]
    return new


def _lengths(new: Any) -> Any:
    """Return how long each run is, from the marks at their starts."""
    return np.diff(np.append(np.flatnonzero(new), len(new)))


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Return ``input`` (flat, or its slices along ``dim``) with each run of equal elements reduced to one.

    https://pytorch.org/docs/stable/generated/torch.unique_consecutive.html
    """
    x = array_of(input, "unique_consecutive")
    rows = np.asarray(x).reshape(-1) if dim is None else _rows("unique_consecutive", x, dim)
    new = _differ(rows)
    inverse = np.cumsum(new) - 1
    values = rows[new] if dim is None else _back(rows[new], x, dim)
    found = values, inverse.reshape(x.shape) if dim is None else inverse, _lengths(new)
    asked = _asked(found, return_inverse, return_counts)
    return results("unique_consecutive", "UniqueConsecutiveBackward0", input, asked)


@primitive(input=None, weights=None)
def bincount(input: Array, weights: Any = None, minlength: int = 0) -> Any:
    """Return how often each number from 0 on comes in the integers ``input``, or the sums of their ``weights``.

    int64, or with weights their dtype if it is float32, else float64. At least ``minlength`` counts.
    https://pytorch.org/docs/stable/generated/torch.bincount.html
    """
    if input.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{dtype_of(input.dtype).legacy}'")
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, not {minlength}")
    if input.ndim != 1 or (input.size and input.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and input.size and weights.shape != input.shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input, not {list(weights.shape)} beside "
            f"{list(input.shape)}"
        )
    counts = np.bincount(input, weights if input.size else None, minlength)
    if weights is None or not input.size:
        return counts
    return counts.astype(np.float32 if weights.dtype == np.float32 else np.float64, copy=False)


@primitive(input=None)
def histc(input: Array, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """Return how many elements lie in each of ``bins`` equal parts of ``[min, max]``, in the dtype of ``input``.

    If ``min`` equals ``max``, those of the elements are taken. NotImplementedError for integers.
    https://pytorch.org/docs/stable/generated/torch.histc.html
    """
    kind = input.dtype
    floats_only("histogram_cpu", input)
    if bins <= 0:
        raise RuntimeError(f"torch.histc(): bins must be > 0, but got {bins}")
    low, high = kind.type(min), kind.type(max)
    if low == high and input.size:
        low, high = min_reduce(input, None), max_reduce(input, None)
    if not np.isfinite(low) or not np.isfinite(high):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(f"torch.histc: max must be larger than min, but got [{low:g}, {high:g}]")
    if low == high:
        low, high = low - 1, high + 1
    inside = input[(input >= low) & (input <= high)]
    place = ((inside - low) * kind.type(bins) / (high - low)).astype(np.int64)
    return np.bincount(np.minimum(place, bins - 1), minlength=bins).astype(kind)
