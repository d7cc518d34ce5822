"""The LU decomposition: ``lu_factor``, ``lu``, ``lu_unpack``, ``lu_solve``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels.lu import lu as kernel
from ....arrays.kernels.lu import order_of, permutation
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..backward_ops import as_array
from ..common import unsupported
from ..shape.diagonal import tril, triu
from ..shape.join import cat
from .decompositions import into, matrices, solve
from .factors import flipped, solved


def _lower(x: Any) -> Any:
    """Return L of what holds L and U."""
    rows, columns = x.shape[-2:]
    least = min(rows, columns)
    return tril(x, -1)[..., :least] + np.eye(rows, least, dtype=as_array(x).dtype)


def _upper(x: Any) -> Any:
    return triu(x)[..., : min(x.shape[-2:]), :]


def _right_divided(x: Any, upper: Any) -> Any:
    """Return x with the transpose of ``upper`` divided out on its right."""
    return flipped(solved(upper, flipped(x)))


def _rule(g: Any, out: Any, order: Any) -> Any:
    """Return the gradient, written in L, U and their gradients.

    A = P L U. Of the square part, with k rows and columns: P L^-T (tril(L^T dL, -1) + triu(dU U^T)) U^-T. Columns
    beyond are L times those of U, rows beyond those of L times U, and what they ask of L or U is taken off first.
    """
    rows, columns = out.shape[-2:]
    k = min(rows, columns)
    lower, upper = _lower(out)[..., :k, :], _upper(out)[..., :k]
    slope_l, slope_u = tril(g, -1)[..., :k, :k], triu(g)[..., :k, :k]
    beside = below = None
    if columns > k:
        beside = solved(flipped(lower), g[..., k:])
        slope_l = slope_l - beside @ flipped(out[..., k:])
    if rows > k:
        below = _right_divided(g[..., k:, :], upper)
        slope_u = slope_u - flipped(out[..., k:, :]) @ below
    inner = tril(flipped(lower) @ slope_l, -1) + triu(slope_u @ flipped(upper))
    whole = _right_divided(solved(flipped(lower), inner), upper)
    if beside is not None:
        whole = cat([whole, beside], -1)
    if below is not None:
        whole = cat([whole, below], -2)
    return permutation(order, as_array(out).dtype) @ whole


@primitive(
    input=_rule,
    aux=("pivots", "infos", "order"),
    returns=lambda compact, pivots, infos, order: (compact, pivots, infos),
    grad_fn_name="LinalgLuFactorExBackward0",
)
def lu_compact(input: Array) -> Any:
    """Return L and U in one matrix, pivots, and where U first has a zero, from 1."""
    compact, pivots, infos = kernel(input)
    return compact, pivots, infos, order_of(pivots, input.shape[-2])


def _factored(name: str, A: Any, pivot: bool) -> Any:
    x = array_of(A, name, "A")
    if x.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(x.shape)} instead")
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        unsupported("lu_cpu", x)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return lu_compact(A)


def _no_zero(name: str, infos: Any) -> None:
    """Raise RuntimeError if U has a zero on its diagonal."""
    found = np.asarray(array_of(infos, name))
    if not found.any():
        return
    place = int(found.reshape(-1)[found.reshape(-1).argmax() if not found.ndim else np.flatnonzero(found)[0]])
    which = f"(Batch element {int(np.flatnonzero(found)[0])}): " if found.ndim else ""
    raise RuntimeError(
        f"{name}: {which}U[{place},{place}] is zero and using it on lu_solve would result in a division by zero. If "
        "you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
        "linalg.lu_factor_ex(A, pivot)"
    )


@doors("linalg")
def lu_factor(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """Return L and U in one matrix, and the pivots, for :func:`lu_solve`; RuntimeError if U has a zero there.

    L is unit lower triangular and its diagonal left out. ``pivots`` are int32 and count from 1: row i was exchanged
    with row ``pivots[i]``. https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor.html

    >>> import rushlight as torch
    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[1.0, 2.0], [4.0, 4.0]]))
    >>> LU, pivots
    (tensor([[4.0000, 4.0000],
            [0.2500, 1.0000]]), tensor([2, 2], dtype=torch.int32))
    """
    compact, pivots, infos = _factored("torch.lu_factor", A, pivot)
    _no_zero("torch.linalg.lu_factor", infos)
    return into("lu_factor", return_types.linalg_lu_factor.of(compact, pivots), out)


@doors("linalg")
def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """Return what :func:`lu_factor` does, and for each matrix where U first has a zero: int32, from 1, 0 for nowhere.

    RuntimeError for such a zero if ``check_errors``.
    https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor_ex.html
    """
    compact, pivots, infos = _factored("torch.lu_factor", A, pivot)
    if check_errors:
        _no_zero("torch.linalg.lu_factor_ex", infos)
    return into("lu_factor_ex", return_types.linalg_lu_factor_ex.of(compact, pivots, infos), out)


@doors("torch.lu Tensor.lu")
def lu_of(A: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    """Return what :func:`lu_factor` does, with ``info`` of :func:`lu_factor_ex` if ``get_infos``, as ``torch.lu``.

    https://pytorch.org/docs/stable/generated/torch.lu.html
    """
    found = _factored("torch.lu_factor", A, pivot)
    return return_types._lu_with_info.of(*found) if get_infos else found[:2]


@doors("linalg")
def lu(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """Return P, L and U with ``A = P @ L @ U``: a permutation, a unit lower and an upper triangular matrix.

    https://pytorch.org/docs/stable/generated/torch.linalg.lu.html

    >>> import rushlight as torch
    >>> torch.linalg.lu(torch.tensor([[1.0, 2.0], [4.0, 4.0]])).L
    tensor([[1.0000, 0.0000],
            [0.2500, 1.0000]])
    """
    compact, pivots, _ = _factored("linalg.lu", A, pivot)
    return into("lu", return_types.linalg_lu.of(*_unpacked(compact, pivots)), out)


def _unpacked(compact: Any, pivots: Any) -> tuple[Any, Any, Any]:
    x = array_of(compact, "lu_unpack")
    each = permutation(order_of(array_of(pivots, "lu_unpack"), x.shape[-2]), x.dtype)
    p = wrap(type(compact), each) if isinstance(compact, Variable) else each
    return p, _lower(compact), _upper(compact)


def _are_pivots(name: str, pivots: Any) -> None:
    if array_of(pivots, name, "pivots", 2).dtype != np.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")


@doors("torch")
def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True, *, out: Any = None
) -> Any:
    """Return P, L and U of what :func:`lu_factor` gave; empty tensors for what is not asked for.

    https://pytorch.org/docs/stable/generated/torch.lu_unpack.html
    """
    _are_pivots("torch.lu_unpack", LU_pivots)
    p, lower, upper = _unpacked(LU_data, LU_pivots)
    nothing = np.zeros(0, array_of(LU_data, "lu_unpack").dtype)
    empty = wrap(type(LU_data), nothing) if isinstance(LU_data, Variable) else nothing
    found = p if unpack_pivots else empty, *((lower, upper) if unpack_data else (empty, empty))
    return into("lu_unpack", return_types.lu_unpack.of(*found), out)


@doors("linalg")
def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False, out: Any = None) -> Any:
    """Return the X with ``A @ X = B``, where :func:`lu_factor` of A gave ``LU`` and ``pivots``.

    ``A.mT @ X = B`` if ``adjoint``; ``X @ A = B`` unless ``left``; batches broadcast.
    https://pytorch.org/docs/stable/generated/torch.linalg.lu_solve.html
    """
    name = "linalg.lu_solve"
    x, b = matrices(f"torch.{name}", LU), array_of(B, name, "B", 3)
    if x.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected LU and B to have the same dtype, but found LU of type {dtype_of(x.dtype).legacy} and B "
            f"of type {dtype_of(b.dtype).legacy} instead"
        )
    _are_pivots(name, pivots)
    if b.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    if array_of(pivots, name).shape[-1:] != x.shape[-1:]:
        raise RuntimeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix")
    if b.shape[-2 if left else -1] != x.shape[-1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({x.shape[-2]}x{x.shape[-1]} and {b.shape[-2]}x{b.shape[-1]})"
        )
    right = B if left else flipped(B)
    p, lower, upper = _unpacked(LU, pivots)
    if adjoint == left:  # A.mT = U.mT @ L.mT @ P.mT
        made = p @ solve(flipped(lower), solve(flipped(upper), right))
    else:
        made = solve(upper, solve(lower, flipped(p) @ right))
    return into("lu_solve", made if left else flipped(made), out)


@doors("torch.lu_solve Tensor.lu_solve")
def lu_solve_of(b: Any, LU_data: Any, LU_pivots: Any, *, out: Any = None) -> Any:
    """Return :func:`lu_solve` with the arguments in an older order, as ``torch.lu_solve``.

    https://pytorch.org/docs/stable/generated/torch.lu_solve.html
    """
    return lu_solve(LU_data, LU_pivots, b, out=out)
