"""Covariances, clipped norms, membership and histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import return_types
from ..dims import array_of, norm_dim
from ..dtypes import Array, default_numpy, dtype_of
from ..node import Variable, wrap
from ..writes import deliver
from .counting import results
from .norms import vector_norm
from .order import transpose
from .pointwise import sqrt
from .reduce import sum
from .reduction import as_kind
from .select import clamp, where
from .shape import squeeze


def _check_weights(name: str, given: Any, count: int, floating: bool) -> None:
    w = array_of(given, "cov", name)
    if w.ndim > 1 or w.size != count or (w.dtype.kind not in ("f" if floating else "iu")):
        raise RuntimeError(
            f"cov(): expected {name} to be a vector of {count} {'floats' if floating else 'integers'}, but got shape "
            f"{list(w.shape)} of {dtype_of(w.dtype)}"
        )
    if (w < 0).any():
        raise RuntimeError(f"cov(): {name} cannot be negative")


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """Return the covariances of variables in rows, observations in columns; of a vector its variance.

    ``fweights`` (integers) say how often an observation counts, ``aweights`` (floats) how much. Divided by the weights'
    sum less ``correction``. https://pytorch.org/docs/stable/generated/torch.cov.html
    """
    x = array_of(input, "cov")
    if x.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {x.ndim} dimensions"
        )
    if x.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input.reshape((1, -1)) if x.ndim < 2 else input
    if x.dtype.kind != "f":
        rows = as_kind(rows, default_numpy())
    count = array_of(rows, "cov").shape[1]
    kind = array_of(rows, "cov").dtype
    weight = None
    if fweights is not None:
        _check_weights("fweights", fweights, count, False)
        weight = fweights
    if aweights is not None:
        _check_weights("aweights", aweights, count, True)
        weight = aweights if weight is None else weight * aweights
    total = kind.type(count) if weight is None else weight.sum()
    if weight is not None and not array_of(total, "cov").any():
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    free = total - correction
    if aweights is not None and correction:
        free = total - correction * (weight * aweights).sum() / total
    if array_of(free, "cov") <= 0:
        free = kind.type(0)
    weighted = rows if weight is None else rows * weight
    centred = rows - sum(weighted, 1, True) / total
    weighted = centred if weight is None else centred * weight
    return squeeze(centred @ transpose(weighted, 0, 1) / free)


def corrcoef(input: Any) -> Any:
    """Return the correlations of variables in rows, within -1 … 1.

    https://pytorch.org/docs/stable/generated/torch.corrcoef.html
    """
    x = array_of(input, "corrcoef")
    if x.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {x.ndim} dimensions"
        )
    c = cov(input)
    if not c.ndim:
        return c / c
    spread = sqrt(c.diagonal())
    return clamp(c / spread[:, None] / spread, -1, 1)


def renorm(input: Any, p: float, dim: int, maxnorm: float, *, out: Any = None) -> Any:
    """Return ``input`` with each slice of ``dim`` whose ``p``-norm is above ``maxnorm`` scaled down to that.

    https://pytorch.org/docs/stable/generated/torch.renorm.html
    """
    x = array_of(input, "renorm")
    if not p > 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, p is {p}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if x.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {x.ndim} dimensions")
    axis = norm_dim(dim, x.ndim)
    norms = vector_norm(input, p, tuple(d for d in range(x.ndim) if d != axis), True)
    long = array_of(norms, "renorm") > maxnorm
    made = input * where(long, maxnorm / (norms + 1e-7), np.ones((), x.dtype))
    return made if out is None else deliver("renorm", made, out)


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
    made = results("histogram", "HistogramBackward0", input, [counts, edges])
    made = return_types.histogram.of(*made)
    return made if out is None else deliver("histogram", made, out)


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
