"""What PyTorch asks of complex numbers, as it answers for real ones: they are their own real part and conjugate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....autograd.primitive import primitive
from ...doors import doors
from ...predicates import checked
from ..common import zero_gradient


@doors("torch Tensor")
def real(input: Any) -> Any:
    """Return ``input`` itself, which is real.

    https://pytorch.org/docs/stable/generated/torch.real.html
    """
    return checked("real", input)


@doors("torch Tensor")
def imag(input: Any) -> Any:
    """Raise RuntimeError, as PyTorch does for real tensors.

    https://pytorch.org/docs/stable/generated/torch.imag.html
    """
    checked("imag", input)
    raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")


@doors("torch Tensor")
def conj(input: Any) -> Any:
    """Return ``input`` itself, its own conjugate.

    https://pytorch.org/docs/stable/generated/torch.conj.html
    """
    return checked("conj", input)


@doors("torch Tensor Tensor_ torch_")
def conj_physical(input: Any) -> Any:
    """Return ``input`` itself, its own conjugate.

    https://pytorch.org/docs/stable/generated/torch.conj_physical.html
    """
    return checked("conj_physical", input)


@doors("torch Tensor")
def resolve_conj(input: Any) -> Any:
    """Return ``input`` itself: no conjugation is ever pending.

    https://pytorch.org/docs/stable/generated/torch.resolve_conj.html
    """
    return checked("resolve_conj", input)


@doors("torch Tensor")
def resolve_neg(input: Any) -> Any:
    """Return ``input`` itself: no negation is ever pending.

    https://pytorch.org/docs/stable/generated/torch.resolve_neg.html
    """
    return checked("resolve_neg", input)


@primitive(input=zero_gradient, promote="float", doors="torch Tensor")
def angle(input: Array) -> Any:
    """Return pi for negative numbers, 0 for others and NaN for NaN; the gradient is 0.

    https://pytorch.org/docs/stable/generated/torch.angle.html

    >>> import rushlight as torch
    >>> torch.angle(torch.tensor([-2.0, 0.0, 3.0]))
    tensor([3.1416, 0.0000, 0.0000])
    """
    kind = input.dtype.type
    return np.where(np.isnan(input), input, np.where(input < 0, kind(math.pi), kind(0)))
