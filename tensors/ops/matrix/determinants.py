"""Determinants, powers and exponentials of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dims import as_int
from ....autograd.arguments import array_of
from ...doors import doors
from ..common import floats_only
from ..elementwise.ternary import where
from . import factors
from .decompositions import into, inv, matrices
from .matmul import matmul


@doors("torch Tensor linalg")
def det(A: Any, *, out: Any = None) -> Any:
    """Return the determinant. Its gradient are the cofactors, for singular matrices too, at every order.

    https://pytorch.org/docs/stable/generated/torch.linalg.det.html
    """
    matrices("linalg.det", A)
    return into("det", factors.determinant(A), out)


@doors("linalg")
def slogdet(A: Any, *, out: Any = None) -> Any:
    """Return the sign of the determinant and the logarithm of its size.

    https://pytorch.org/docs/stable/generated/torch.linalg.slogdet.html
    """
    matrices("linalg.slogdet", A)
    size, sign = factors.log_determinant(A)
    return into("slogdet", return_types.linalg_slogdet.of(sign, size), out)


@doors("torch.slogdet Tensor.slogdet")
def slogdet_of(input: Any) -> Any:
    """Return :func:`slogdet` as ``torch.slogdet`` names it."""
    return return_types.slogdet.of(*slogdet(input))


@doors("torch Tensor")
def logdet(input: Any) -> Any:
    """Return the logarithm of the determinant: -inf at 0, NaN below.

    https://pytorch.org/docs/stable/generated/torch.logdet.html
    """
    matrices("logdet", input)
    size, sign = factors.log_determinant(input)
    return where(array_of(sign, "logdet") == -1, np.nan, size)


@doors("torch Tensor linalg")
def matrix_power(input: Any, n: int, *, out: Any = None) -> Any:
    """Return ``input`` times itself ``n`` times; a negative ``n`` takes the inverse.

    https://pytorch.org/docs/stable/generated/torch.linalg.matrix_power.html
    """
    x = array_of(input, "linalg.matrix_power")
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise RuntimeError(f"linalg.matrix_power: A must be batches of square matrices, but has shape {list(x.shape)}")
    n = as_int(n, "n")
    if n < 0:
        input, n = inv(input), -n
    if n == 0:
        return into("matrix_power", input**0 * 0 + np.eye(x.shape[-1], dtype=x.dtype), out)
    made: Any = None
    while n:
        if n % 2:
            made = input if made is None else matmul(made, input)
        n //= 2
        input = matmul(input, input) if n else input
    return into("matrix_power", made * 1 if made is input else made, out)


@doors("torch Tensor linalg")
def matrix_exp(input: Any) -> Any:
    """Return the exponential of a square matrix, or of each of a batch.

    https://pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html
    """
    x = array_of(input, "linalg.matrix_exp")
    floats_only("linalg_matrix_exp", x)
    matrices("linalg.matrix_exp", input)
    return factors.exponential(input)
