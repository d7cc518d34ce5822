"""Covariances and correlations."""

from __future__ import annotations

from typing import Any

from ....arrays.dtypes import default_numpy, dtype_of
from ....autograd.arguments import array_of
from ...doors import doors
from ..common import as_kind
from ..elementwise.ternary import clamp
from ..elementwise.unary import sqrt
from ..shape.order import transpose
from ..shape.views import squeeze
from .sums import sum


def _check_weights(name: str, given: Any, count: int, floating: bool) -> None:
    w = array_of(given, "cov", name)
    if w.ndim > 1 or w.size != count or (w.dtype.kind not in ("f" if floating else "iu")):
        raise RuntimeError(
            f"cov(): expected {name} to be a vector of {count} {'floats' if floating else 'integers'}, but got shape "
            f"{list(w.shape)} of {dtype_of(w.dtype)}"
        )
    if (w < 0).any():
        raise RuntimeError(f"cov(): {name} cannot be negative")


@doors("torch Tensor")
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


@doors("torch Tensor")
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
