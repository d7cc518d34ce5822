"""Functions of square matrices: the exponential, and the solution of linear systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..primitive import primitive
from .join import cat
from .matmul import gemm

_TERMS = 16  # with a norm of at most 1/2 the next term of the series is below 1e-19


def _square(x: Array, name: str) -> None:
    """Raise RuntimeError unless ``x`` is a floating-point matrix with as many rows as columns, or a batch of them."""
    if x.dtype.kind != "f":
        raise RuntimeError(f"{name}: Expected a floating point tensor as input. Got {dtype_of(x.dtype)}")
    if x.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor must have at least 2 dimensions.")
    if x.shape[-1] != x.shape[-2]:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]}")


def _exp_rule(g: Any, input: Any) -> Any:
    # exp of [[A, E], [0, A]] holds the derivative along E in its corner (Najfeld, Havel 1995, theorem 4.5);
    # the transpose of that map is the same with A transposed.
    n, turned = input.shape[-1], input.mT
    upper, lower = cat((turned, g), -1), cat((g * 0, turned), -1)
    return matrix_exp(cat((upper, lower), -2))[..., :n, n:]


@primitive(input=_exp_rule, title="LinalgMatrixExpBackward0")
def matrix_exp(input: Array) -> Any:
    """Return the exponential of each square matrix in ``input`` (..., n, n).

    The power series of the matrix, halved until it is small, then squared as often. RuntimeError if the matrices are
    not square or not floating.

    https://pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html

    >>> import rushlight as torch
    >>> torch.matrix_exp(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    _square(input, "linalg.matrix_exp")
    kind = np.promote_types(input.dtype, np.float32)
    x = input.astype(kind)
    if not x.size:
        return input.copy()
    size = np.abs(x).sum(-2).max(-1)[..., None, None]
    halvings = np.where(np.isfinite(size) & (size > 0.5), np.ceil(np.log2(np.maximum(size, 0.5))) + 1, 0).astype(int)
    x = np.ldexp(x, -halvings).astype(kind, copy=False)
    out = unit = np.broadcast_to(np.eye(x.shape[-1], dtype=kind), x.shape)
    for k in range(_TERMS, 0, -1):
        out = unit + np.matmul(x, out) / kind.type(k)
    for done in range(int(halvings.max())):
        out = np.where(halvings > done, np.matmul(out, out), out)
    return np.asarray(out).astype(input.dtype, copy=False)


def _rows_rule(g: Any, out: Any, input: Any) -> Any:
    return -gemm(_right_rule(g, input), out, False, True)


def _right_rule(g: Any, input: Any) -> Any:
    return solve(input.mT, g)


@primitive(input=_rows_rule, other=_right_rule, title="LinalgSolveExBackward0")
def solve(input: Array, other: Array) -> Any:
    """Return the X with ``input @ X = other``: square matrices (..., n, n) and right sides (..., n, k).

    RuntimeError if a matrix has no inverse.
    """
    _square(input, "linalg.solve")
    try:
        return np.linalg.solve(input, other)
    except np.linalg.LinAlgError as error:
        raise RuntimeError("linalg.solve: The solver failed because the input matrix is singular.") from error
