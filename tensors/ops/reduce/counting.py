"""Distinct values and how often they occur: ``unique``, ``bincount``, histograms, ``isin``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dims import norm_dim
from ....arrays.dtypes import Array, as_int64, dtype_of
from ....autograd.arguments import array_of
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..backward_ops import max_reduce, min_reduce
from ..common import floats_only, results_without_derivative


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


@doors("torch Tensor")
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
        found = values, as_int64(inverse.reshape(x.shape)), as_int64(counts)
        return results_without_derivative(
            "_unique2", "Unique2Backward0", input, _asked(found, return_inverse, return_counts)
        )
    rows = _rows("unique", x, dim)
    flat = rows.reshape(len(rows), -1) if rows.size else np.zeros((len(rows), 1))
    order = np.lexsort(flat.T[::-1])
    new = _differ(flat[order])
    inverse = np.empty(len(rows), np.int64)
    inverse[order] = np.cumsum(new) - 1
    found = _back(rows[order[new]], x, dim), inverse, _lengths(new)
    return results_without_derivative(
        "unique_dim", "UniqueDimBackward0", input, _asked(found, return_inverse, return_counts)
    )


def _differ(rows: Any) -> Any:
    """Return which rows are not equal to the one before."""
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]).reshape(max(len(rows) - 1, 0), -1).any(1) if len(rows) > 1 else new[1:]
    return new


def _lengths(new: Any) -> Any:
    """Return how long each run is, from the marks at their starts."""
    return as_int64(np.diff(np.append(np.flatnonzero(new), len(new))))


@doors("torch Tensor")
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Return ``input`` (flat, or its slices along ``dim``) with each run of equal elements reduced to one.

    https://pytorch.org/docs/stable/generated/torch.unique_consecutive.html
    """
    x = array_of(input, "unique_consecutive")
    rows = np.asarray(x).reshape(-1) if dim is None else _rows("unique_consecutive", x, dim)
    new = _differ(rows)
    inverse = as_int64(np.cumsum(new)) - 1
    values = rows[new] if dim is None else _back(rows[new], x, dim)
    found = values, inverse.reshape(x.shape) if dim is None else inverse, _lengths(new)
    asked = _asked(found, return_inverse, return_counts)
    return results_without_derivative("unique_consecutive", "UniqueConsecutiveBackward0", input, asked)


@primitive(input=None, weights=None, integers=("minlength",), doors="torch Tensor")
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
        return as_int64(counts)
    return counts.astype(np.float32 if weights.dtype == np.float32 else np.float64, copy=False)


@primitive(input=None, numbers=("min", "max"), integers=("bins",), doors="torch Tensor")
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


@doors("torch")
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Return whether each of ``elements`` is among ``test_elements``; either may be a number.

    https://pytorch.org/docs/stable/generated/torch.isin.html
    """
    if not isinstance(elements, Variable) and not isinstance(test_elements, Variable):
        raise TypeError("isin(): elements or test_elements must be a Tensor")
    these, those = (np.asarray(x.array if isinstance(x, Variable) else x) for x in (elements, test_elements))
    for x in (these, those):
        if x.dtype.kind == "b":
            raise RuntimeError("Unsupported input type encountered for isin(): Bool")
    return wrap(Variable.result, np.asarray(np.isin(these, those, invert=invert)))


def _edges(x: Array, bins: int, range: Any) -> Array:
    """Return the edges of ``bins`` bins of equal width."""
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins}")
    if range is not None:
        low, high = map(float, range)
        if not (np.isfinite(low) and np.isfinite(high)) or low > high:
            raise RuntimeError(f"torch.histogram(): range [{low}, {high}] is not finite, or min is above max")
    else:
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
        if not (np.isfinite(low) and np.isfinite(high)):
            raise RuntimeError(f"torch.histogram(): range of [{low}, {high}] is not finite")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1).astype(x.dtype)


@doors("torch Tensor")
def histogram(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False, out: Any = None
) -> Any:
    """Return how many elements lie in each of ``bins`` and the edges; the last bin includes its upper edge.

    ``bins`` is a number of bins of equal width (over ``range``, by default from the least to the largest element), or a
    tensor of edges. With ``weight`` the sum of the weights, with ``density`` divided by the total and the widths. It
    has no gradient: to ask for one raises. https://pytorch.org/docs/stable/generated/torch.histogram.html
    """
    x = array_of(input, "histogram")
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{dtype_of(x.dtype).legacy}'")
    shares = None if weight is None else np.asarray(array_of(weight, "histogram", "weight")).reshape(-1)
    if shares is not None and (shares.size != x.size or shares.dtype != x.dtype):
        raise RuntimeError(f"torch.histogram: weight must have the shape and dtype of input, {list(x.shape)}")
    if isinstance(bins, int):
        edges = _edges(x, bins, range)
    else:
        edges = np.asarray(array_of(bins, "histogram", "bins", 2))
        if range is not None:
            raise TypeError("histogram(): range goes with a number of bins, not with edges")
        if edges.dtype != x.dtype or edges.ndim != 1:
            raise RuntimeError(
                f"torch.histogram: bins must be a vector of {dtype_of(x.dtype)}, not {dtype_of(edges.dtype)}"
            )
    flat = np.asarray(x).reshape(-1)
    number = np.searchsorted(edges, flat, "right") - 1
    number[flat == edges[-1]] = len(edges) - 2
    inside = (number >= 0) & (number < len(edges) - 1) & ~np.isnan(flat)
    counts = np.bincount(number[inside], None if shares is None else shares[inside], len(edges) - 1).astype(x.dtype)
    if density:
        counts = counts / counts.sum() / np.diff(edges)
    made = results_without_derivative("histogram", "HistogramBackward0", input, [counts, edges])
    made = return_types.histogram.of(*made)
    return made if out is None else write_out("histogram", made, out)
