"""Systems of equations in other forms: of tensors, of triangles, of Cholesky factors; and what would be complex."""

from __future__ import annotations

from math import prod
from typing import Any, NoReturn

import numpy as np

from ....arrays import return_types
from ....autograd.arguments import array_of
from ...doors import doors
from ..shape.diagonal import tril, triu
from ..shape.order import movedim
from ..shape.views import clone, reshape
from .decompositions import into, inv, matrices, solve, solve_triangular
from .factors import flipped


@doors("linalg")
def tensorinv(A: Any, ind: int = 2, *, out: Any = None) -> Any:
    """Return the inverse of the map ``tensordot(A, x)``, from the dims after ``ind`` to those before.

    RuntimeError unless the dims before ``ind`` hold as many elements as those after.
    https://pytorch.org/docs/stable/generated/torch.linalg.tensorinv.html

    >>> import rushlight as torch
    >>> torch.linalg.tensorinv(torch.eye(6).reshape(6, 2, 3), ind=1).shape
    torch.Size([2, 3, 6])
    """
    shape = array_of(A, "linalg.tensorinv", "A").shape
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    first, last = shape[:ind], shape[ind:]
    if prod(first) != prod(last):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{prod(last)} != {prod(first)}"
        )
    size = prod(first)
    return into("tensorinv", reshape(inv(reshape(A, (size, size))), (*last, *first)), out)


@doors("linalg")
def tensorsolve(A: Any, B: Any, dims: Any = None, *, out: Any = None) -> Any:
    """Return the X with ``tensordot(A, X, X.ndim) = B``, after ``dims`` of ``A`` were moved to its end.

    https://pytorch.org/docs/stable/generated/torch.linalg.tensorsolve.html
    """
    name = "linalg.tensorsolve"
    ndim = array_of(A, name, "A").ndim
    if dims is not None:
        A = movedim(A, tuple(dims), tuple(range(ndim - len(dims), ndim)))
    shape, wanted = array_of(A, name).shape, array_of(B, name, "B", 2).shape
    first, last = shape[: len(wanted)], shape[len(wanted) :]
    if prod(last) != prod(wanted):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {prod(last)} != {prod(wanted)}"
        )
    made = solve(reshape(A, (prod(first), prod(last))), reshape(B, (-1,)))
    return into("tensorsolve", reshape(made, last), out)


@doors("torch Tensor")
def cholesky_inverse(L: Any, upper: bool = False, *, out: Any = None) -> Any:
    """Return the inverse of ``L @ L.mT`` (of ``L.mT @ L`` if ``upper``), where only that triangle of ``L`` counts.

    https://pytorch.org/docs/stable/generated/torch.cholesky_inverse.html
    """
    x = matrices("cholesky_inverse", L)
    factor = triu(L) if upper else tril(L)
    half = solve(flipped(factor) if upper else factor, np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape))
    return into("cholesky_inverse", flipped(half) @ half, out)


@doors("torch Tensor")
def triangular_solve(
    b: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False, *, out: Any = None
) -> Any:
    """Return the X with ``A @ X = b`` of a triangle of ``A``, and a copy of ``A``.

    An older :func:`torch.linalg.solve_triangular`. https://pytorch.org/docs/stable/generated/torch.triangular_solve.html
    """
    if transpose:
        made = solve_triangular(flipped(A), b, upper=not upper, unitriangular=unitriangular)
    else:
        made = solve_triangular(A, b, upper=upper, unitriangular=unitriangular)
    return into("triangular_solve", return_types.triangular_solve.of(made, clone(A)), out)


def _complex(name: str) -> NoReturn:
    raise NotImplementedError(
        f"{name}: the eigenvalues of a matrix that is not symmetric are complex numbers, and there is no complex dtype "
        "here. Of symmetric matrices linalg.eigh and linalg.eigvalsh give them; numpy.linalg.eig takes any."
    )


@doors("linalg")
def eig(A: Any, *, out: Any = None) -> Any:
    """Raise NotImplementedError: the result would be complex. See :func:`torch.linalg.eigh` for symmetric matrices."""
    _complex("linalg.eig")


@doors("linalg")
def eigvals(A: Any, *, out: Any = None) -> Any:
    """Raise NotImplementedError: the result would be complex. See :func:`torch.linalg.eigvalsh`."""
    _complex("linalg.eigvals")
