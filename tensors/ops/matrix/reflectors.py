"""QR decompositions as LAPACK keeps them: products of Householder's reflections."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import dtype_of
from ....autograd.arguments import array_of
from ....autograd.variable import Variable
from ...doors import doors
from ..common import results_without_derivative
from ..shape.diagonal import tril
from .decompositions import into, matrices
from .factors import flipped


@doors("torch Tensor")
def geqrf(input: Any, *, out: Any = None) -> Any:
    """Return R above and the vectors of the reflections below the diagonal of ``a``, and their factors ``tau``.

    Neither has a gradient: to ask for one is a RuntimeError.
    https://pytorch.org/docs/stable/generated/torch.geqrf.html
    """
    x = matrices("torch.geqrf", input, False)
    rows, columns = x.shape[-2:]
    found = [np.linalg.qr(one, "raw") for one in x.reshape(prod(x.shape[:-2]), rows, columns)]
    a = np.array([each[0].T for each in found], x.dtype).reshape(x.shape)
    tau = np.array([each[1] for each in found], x.dtype).reshape(*x.shape[:-2], min(rows, columns))
    if not isinstance(input, Variable):
        return return_types.geqrf.of(a, tau)
    each = [results_without_derivative("geqrf", "GeqrfBackward0", input, [part]) for part in (a, tau)]
    return into("geqrf", return_types.geqrf.of(*each), out)


def _check(name: str, input: Any, tau: Any) -> None:
    x, factors = matrices(name, input, False), array_of(tau, name, "tau", 2)
    if x.shape[-2] < x.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if not factors.ndim or x.shape[-1] < factors.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if factors.dtype != x.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {dtype_of(factors.dtype).legacy} does not match input dtype {dtype_of(x.dtype).legacy}"
        )
    if factors.shape[:-1] != x.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(factors.shape[:-1])}"
        )


def _reflected(input: Any, tau: Any, other: Any, transpose: bool) -> Any:
    """Return the product of the reflections, or its transpose, times ``other``."""
    rows, columns = input.shape[-2:]
    vectors = tril(input, -1) + np.eye(rows, columns, dtype=array_of(input, "ormqr").dtype)
    count = tau.shape[-1]
    for k in range(count) if transpose else range(count - 1, -1, -1):
        v = vectors[..., k : k + 1]
        other = other - v @ (tau[..., k : k + 1, None] * (flipped(v) @ other))
    return other


@doors("linalg torch.orgqr Tensor.orgqr")
def householder_product(input: Any, tau: Any, *, out: Any = None) -> Any:
    """Return the first columns of the product of reflections ``1 - tau[i] * v @ v.mT``, as many as ``input`` has.

    v is column i of ``input`` below the diagonal, with a 1 on it: the Q of :func:`geqrf`.
    https://pytorch.org/docs/stable/generated/torch.linalg.householder_product.html

    >>> import rushlight as torch
    >>> torch.linalg.householder_product(*torch.geqrf(torch.tensor([[3.0], [4.0]])))
    tensor([[-0.6000],
            [-0.8000]])
    """
    _check("torch.linalg.householder_product", input, tau)
    start = input * 0 + np.eye(*input.shape[-2:], dtype=array_of(input, "householder_product").dtype)
    return into("householder_product", _reflected(input, tau, start, False), out)


@doors("torch Tensor")
def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False, *, out: Any = None) -> Any:
    """Return the whole product of reflections, or its ``transpose``, times ``other``, or ``other`` times it.

    https://pytorch.org/docs/stable/generated/torch.ormqr.html
    """
    _check("torch.ormqr", input, tau)
    other_shape = array_of(other, "ormqr", "other", 3).shape
    if len(other_shape) < 2 or other_shape[-2 if left else -1] != input.shape[-2]:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2], but other is of shape "
            f"{list(other_shape)} and input of shape {list(input.shape)}"
        )
    made = (
        _reflected(input, tau, other, transpose)
        if left
        else flipped(_reflected(input, tau, flipped(other), not transpose))
    )
    return into("ormqr", made, out)
