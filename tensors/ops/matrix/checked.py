"""Inverses, systems and Cholesky factors that tell of failures instead of raising: ``inv_ex`` and its kin."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NoReturn

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import Array
from ....arrays.kernels.lu import lu, partial_cholesky
from ....autograd.arguments import array_of
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..elementwise.ternary import where
from .decompositions import cholesky, into, inv, matrices, solve
from .factors import LinAlgError, flipped


def _tensor(like: Any, value: Array) -> Any:
    return wrap(type(like), value) if isinstance(like, Variable) else value


def _singular(x: Array) -> Array:
    """Return for each matrix the place of the zero pivot that keeps it from having an inverse, 0 if it has one."""
    infos = np.zeros(x.shape[:-2], np.int32)
    for place in np.ndindex(infos.shape):
        try:
            np.linalg.inv(x[place])
        except np.linalg.LinAlgError:
            compact, _, info = lu(x[place])
            infos[place] = info or np.abs(np.diagonal(compact)).argmin() + 1
    return infos


def _attempt(
    A: Any, function: Callable[[Any], Any], fails: Callable[[Array], Array], vector: bool
) -> tuple[Any, Array]:
    """Return ``function(A)``, with NaN for the matrices on which it fails, and the infos of all."""
    x = array_of(A, "linalg")
    try:
        return function(A), np.zeros(x.shape[:-2], np.int32)
    except LinAlgError:
        infos = fails(np.asarray(x))
    bad = (infos > 0)[..., None, None]
    made = function(where(bad, np.eye(x.shape[-1], dtype=x.dtype), A))
    return where(bad[..., 0] if vector else bad, np.nan, made), infos


@doors("linalg")
def inv_ex(A: Any, *, check_errors: bool = False, out: Any = None) -> Any:
    """Return the inverse and, as int32, 0 or for a singular matrix the place of its zero pivot, from 1.

    A singular matrix has an inverse of NaN; LinAlgError for it if ``check_errors``.
    https://pytorch.org/docs/stable/generated/torch.linalg.inv_ex.html

    >>> import rushlight as torch
    >>> torch.linalg.inv_ex(torch.tensor([[1.0, 2.0], [2.0, 4.0]])).info
    tensor(2, dtype=torch.int32)
    """
    matrices("linalg.inv_ex", A)
    made, infos = _attempt(A, inv, _singular, False)
    if check_errors and infos.any():
        place = infos[infos > 0].reshape(-1)[0]
        raise LinAlgError(
            f"linalg.inv_ex: The diagonal element {place} is zero, the inversion could not be completed because the "
            "input matrix is singular."
        )
    return into("inv_ex", return_types.linalg_inv_ex.of(made, _tensor(A, infos)), out)


@doors("linalg")
def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """Return :func:`solve` and, as int32, 0 or for a singular matrix the place of its zero pivot, from 1.

    A singular matrix has a solution of NaN; LinAlgError for it if ``check_errors``.
    https://pytorch.org/docs/stable/generated/torch.linalg.solve_ex.html
    """
    a, b = matrices("linalg.solve_ex", A), array_of(B, "linalg.solve_ex", "B", 2)
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    made, infos = _attempt(A, lambda A: solve(A, B, left=left), _singular, vector)
    if check_errors and infos.any():
        raise LinAlgError("torch.linalg.solve_ex: The solver failed because the input matrix is singular.")
    return into("solve_ex", return_types.linalg_solve_ex.of(made, _tensor(A, infos)), out)


@doors("linalg")
def cholesky_ex(input: Any, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """Return :func:`cholesky` and, as int32, 0 or the order of the first minor that is not positive-definite.

    Of a matrix that has no such factor, L is what was done until then; LinAlgError for it if ``check_errors``.
    https://pytorch.org/docs/stable/generated/torch.linalg.cholesky_ex.html
    """
    x = np.asarray(matrices("linalg.cholesky_ex", input))
    done: list[tuple[Array, int]] = []

    def fails(x: Array) -> Array:
        read = x.swapaxes(-1, -2) if upper else x
        done.extend(partial_cholesky(one) for one in read.reshape(prod(x.shape[:-2]), *x.shape[-2:]))
        return np.array([info for _, info in done], np.int32).reshape(x.shape[:-2])

    made, infos = _attempt(input, lambda A: cholesky(A, upper=upper), fails, False)
    if infos.any():
        if check_errors:
            _not_definite(int(infos[infos > 0].reshape(-1)[0]))
        partial = np.array([part for part, _ in done]).reshape(x.shape)
        made = where((infos > 0)[..., None, None], flipped(partial) if upper else partial, made)
    return into("cholesky_ex", return_types.linalg_cholesky_ex.of(made, _tensor(input, infos)), out)


def _not_definite(order: int) -> NoReturn:
    raise LinAlgError(
        "linalg.cholesky_ex: The factorization could not be completed because the input is not positive-definite (the "
        f"leading minor of order {order} is not positive-definite)."
    )
