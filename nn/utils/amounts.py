"""How much a pruning takes away, and where: amounts, dims, and masks made of them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from ...autograd.node import shared, wrap
from ...autograd.tensor import Tensor


def check_amount(amount: Any) -> Any:
    """Return ``amount``: a fraction in [0, 1] or a number of elements that is not negative."""
    given: Any = amount
    if not isinstance(amount, Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if given < 0 or (not isinstance(amount, Integral) and given > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
    return given


def count_of(amount: Any, size: int) -> int:
    """Return how many of ``size`` to prune; ValueError if that is more than there are."""
    count: int = int(amount) if isinstance(amount, Integral) else round(amount * size)
    if count > size:
        raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
    return count


def dim_of(t: Any, dim: int) -> int:
    """Return ``dim`` of ``t``, counted from the front; IndexError if there is no such dim."""
    if not -t.ndim <= dim < t.ndim:
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")
    return int(dim % t.ndim)


def structured_dim(t: Any, dim: int) -> int:
    """Return ``dim`` of ``t``, counted from the front; ValueError if ``t`` has no channels."""
    if t.ndim <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. "
            f"Found tensor of shape {t.shape} with {t.ndim} dims"
        )
    return dim_of(t, dim)


def places_at(t: Any, dim: int, chosen: Any) -> tuple[Any, ...]:
    """Return the index that takes ``chosen`` of ``dim`` and all of the others."""
    return tuple(chosen if d == dim else slice(None) for d in range(t.ndim))


def without(mask: Any, places: Any) -> Any:
    """Return a copy of ``mask`` that is zero at the flat ``places``."""
    found = np.array(shared(mask))
    found.reshape(-1)[shared(places)] = 0
    return wrap(Tensor, found)


def only(t: Any, dim: int, chosen: Any, default_mask: Any) -> Any:
    """Return ``default_mask``, zero also where the index along ``dim`` is not among ``chosen``."""
    mask = wrap(Tensor, np.zeros(t.array.shape, t.array.dtype))
    mask[places_at(t, dim, chosen)] = 1
    return mask * default_mask.to(dtype=mask.dtype)
