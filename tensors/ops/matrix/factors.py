"""Inverses, determinants and decompositions of matrices, in batches, with their derivatives.

A decomposition gives several arrays, its outputs: its rule sees all their gradients at once, and is written in what
came out. The formulas are those of Giles, Collected Matrix Derivative Results, 2008, and of Townsend, Differentiating
the Singular Value Decomposition, 2016.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from operator import add
from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import Array
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ..backward_ops import as_array, quotient, reshape_to
from ..shape.join import cat, stack
from ..shape.pad import constant_pad_nd


class LinAlgError(RuntimeError):
    """A matrix has no such inverse or decomposition; ``torch.linalg.LinAlgError``."""


def flipped(x: Any) -> Any:
    """Return the matrices of ``x`` transposed."""
    return x.swapaxes(-1, -2)


def _failed(name: str, error: Exception) -> LinAlgError:
    return LinAlgError(f"{name}: {error}")


# ------------------------------------------------------------------ inverses and determinants


@primitive(input=lambda g, out: -(flipped(out) @ g @ flipped(out)), grad_fn_name="LinalgInvExBackward0")
def inverted(input: Array) -> Array:
    """Return the inverses of square matrices."""
    try:
        return np.linalg.inv(input)
    except np.linalg.LinAlgError as error:
        raise _failed("linalg.inv: The diagonal element is zero, the inversion could not be completed", error) from None


def _solved_rule(g: Any, input: Any, out: Any, needs: list[bool]) -> tuple[Any, Any]:
    back = solved(flipped(input), g)
    return -(back @ flipped(out)) if needs[0] else None, back if needs[1] else None


@primitive(_solved_rule, ("input", "other"), grad_fn_name="LinalgSolveExBackward0")
def solved(input: Array, other: Array) -> Array:
    """Return x with ``input @ x = other``, all matrices of equal leading dims."""
    try:
        return np.linalg.solve(input, other)
    except np.linalg.LinAlgError as error:
        raise _failed("torch.linalg.solve: The solver failed because the input matrix is singular", error) from None


def _cofactors(x: Array) -> Array:
    """Return the gradients of the determinants of ``x``, singular or not, from singular values."""
    u, s, vh = svd_plain(x, True)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    found: Array = (u * (sign[..., None] * others)[..., None, :]) @ vh
    return found.astype(x.dtype)


def _regular(x: Array, inverse: Array, out: Array) -> bool:
    """Return whether ``out``, the determinants, times ``inverse`` are cofactors of ``x`` to half the digits or more."""
    size = np.abs(x).sum(-1).max(-1, initial=0) * np.abs(inverse).sum(-1).max(-1, initial=0)
    return bool(np.all(size < np.finfo(x.dtype).eps ** -0.5) and np.all(out != 0) and np.all(np.isfinite(out)))


def _det_rule(g: Any, input: Any, out: Any) -> Any:
    if not isinstance(g, Variable):
        return reshape_to(np.asarray(g), (*out.shape, 1, 1)) * _cofactors(input)
    try:
        inverse = inverted(input)
        regular = _regular(as_array(input), inverse.array, as_array(out))
    except LinAlgError:
        regular = False
    if regular:
        return reshape_to(g * out, (*out.shape, 1, 1)) * flipped(inverse)
    lead, n = tuple(out.shape), input.shape[-1]
    each = [_cofactor_matrix(one) for one in reshape_to(input, (prod(lead), n, n))]
    return reshape_to(g, (*lead, 1, 1)) * reshape_to(stack(each), (*lead, n, n))


def _cofactor_matrix(x: Any) -> Any:
    """Return the gradient of the determinant of a matrix that may be singular, in steps that are differentiable there.

    Turned by its singular vectors, which stay as they are, x is a block that can be inverted and a small rest. The
    determinant is that of the block times that of the rest's Schur complement C (Horn and Johnson, Matrix Analysis,
    2013, 0.8.5). That of C, and its adjugate, are polynomials.
    """
    array = as_array(x)
    u, s, vh = svd_plain(array, True)
    size = s[0] if s[0] > 0 and np.isfinite(s[0]) else array.dtype.type(1)
    n, rank = len(s), int((s > s[0] * np.finfo(array.dtype).eps ** 0.5).sum())
    turned = (u.T @ x @ vh.T) * (1 / size)
    block, right, below, rest = turned[:rank, :rank], turned[:rank, rank:], turned[rank:, :rank], turned[rank:, rank:]
    inverse, scale = inverted(block), determinant(block)
    small, adjugate = _determinant_and_adjugate(rest - below @ inverse @ right)
    one = np.eye(n - rank, dtype=array.dtype)
    found = cat([-(inverse @ right), one]) @ adjugate @ cat([-(below @ inverse), one], 1)
    found = scale * (found + constant_pad_nd(small * inverse, (0, n - rank, 0, n - rank)))
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (u * (sign * size ** (n - 1))) @ flipped(found) @ vh


def _determinant_and_adjugate(x: Any) -> tuple[Any, Any]:
    """Return both of a small matrix as polynomials (Faddeev and LeVerrier): they are right where it is singular."""
    n = x.shape[-1]
    one = np.eye(n, dtype=as_array(x).dtype)
    adjugate, coefficient = one * 0, x.sum() * 0 + 1
    for k in range(1, n + 1):
        adjugate = x @ adjugate + one * coefficient
        coefficient = (x @ adjugate).diagonal().sum() * (-1 / k)
    return coefficient * (-1) ** n, adjugate * (-1) ** (n - 1)


@primitive(input=_det_rule, grad_fn_name="LinalgDetBackward0")
def determinant(input: Array) -> Any:
    """Return the determinants of square matrices."""
    with np.errstate(all="ignore"):  # NumPy warns of NaN, PyTorch does not
        return np.linalg.det(input).astype(input.dtype)


@primitive(
    input=lambda g, input: reshape_to(g, (*g.shape, 1, 1)) * flipped(inverted(input)),
    aux=("sign",),
    returns=lambda size, sign: (size, sign),
    grad_fn_name="LinalgSlogdetBackward0",
)
def log_determinant(input: Array) -> Any:
    """Return the logarithm of the size of the determinants, and their signs."""
    with np.errstate(all="ignore"):
        sign, size = np.linalg.slogdet(input)
    return np.asarray(size, input.dtype), np.asarray(sign, input.dtype)


def _pinv_rule(g: Any, input: Any, out: Any) -> Any:
    p, turned = out, flipped(g)
    rows, columns = input.shape[-2:]
    kind = (input.array if isinstance(input, Variable) else input).dtype
    left, right = np.eye(rows, dtype=kind) - input @ p, np.eye(columns, dtype=kind) - p @ input
    first = -(flipped(p) @ g @ flipped(p))
    return first + left @ turned @ p @ flipped(p) + flipped(p) @ p @ turned @ right


@primitive(input=_pinv_rule, grad_fn_name="LinalgPinvBackward0")
def pseudoinverse(input: Array, cut: Any) -> Array:
    """Return the pseudoinverses of matrices, singular values up to ``cut`` counting as zero."""
    u, s, vh = svd_plain(input, False)
    keep = s > np.asarray(cut)
    inverse = np.where(keep, 1 / np.where(keep, s, 1), 0)
    found: Array = flipped(vh) @ (inverse[..., None] * flipped(u))
    return found.astype(input.dtype)


# ------------------------------------------------------------------ decompositions


def _cholesky_rule(g: Any, out: Any) -> Any:
    n = out.shape[-1]
    kind = (out.array if isinstance(out, Variable) else out).dtype
    mask = np.tril(np.ones((n, n), kind))
    mask[np.diag_indices(n)] = 0.5
    inner, inverse = (flipped(out) @ g) * mask, inverted(out)
    whole = flipped(inverse) @ inner @ inverse
    return (whole + flipped(whole)) / 2


@primitive(input=_cholesky_rule, grad_fn_name="LinalgCholeskyExBackward0")
def cholesky_factor(input: Array) -> Array:
    """Return the lower triangular L with ``L @ L.mT`` equal to ``input``, which is symmetric and positive definite."""
    try:
        return np.linalg.cholesky((input + flipped(input)) / 2)
    except np.linalg.LinAlgError as error:
        raise _failed(
            "linalg.cholesky: The factorization could not be completed because the input is not positive-definite",
            error,
        ) from None


@primitive(
    input=lambda g, other, idle: over(g, other, idle),
    other=lambda g, input, other, idle: -over(g * over(input, other, idle), other, idle),
    promote="same",
)
def over(input: Array, other: Array, idle: Any) -> Array:
    """Return ``input / other``, but 0 for 0 / 0 where ``idle`` is True; ``idle`` is a constant that broadcasts."""
    nothing = idle & (input == 0) & (other == 0)
    quotient: Array = np.asarray(input / np.where(nothing, other.dtype.type(1), other))
    return quotient


def _idle(*slopes: Any) -> Array:
    """Return for which matrices all ``slopes`` are zero: only there equal singular values give no NaN."""
    used = [np.any(as_array(one), (-2, -1), keepdims=True) for one in slopes]
    idle: Array = ~np.logical_or.reduce(used)
    return idle


def _apart(values: Any) -> Any:
    """Return the matrices of the differences ``values[..., j] - values[..., i]``, in row i and column j."""
    size = values.shape[-1]
    return reshape_to(values, (*values.shape[:-1], 1, size)) - reshape_to(values, (*values.shape[:-1], size, 1))


def _total(parts: list[Any]) -> Any:
    """Return the sum of the parts that are there."""
    return reduce(add, [part for part in parts if part is not None])


def _row(x: Any) -> Any:
    """Return vectors as matrices of one row."""
    return reshape_to(x, (*x.shape[:-1], 1, x.shape[-1]))


def _eye(like: Any) -> Any:
    """Return the identity matrix for vectors ``like``."""
    return np.eye(like.shape[-1], dtype=as_array(like).dtype)


def _eigh_rule(by_values: Any, by_vectors: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    eye, inner = _eye(eigenvalues), None
    if by_vectors is not None:
        turned = (flipped(eigenvectors) @ by_vectors) * (1 - eye)
        inner = over(turned, _apart(eigenvalues) + eye, _idle(by_vectors))
    if by_values is not None:
        inner = _total([inner, _row(by_values) * eye])
    if inner is None:
        return None
    whole = eigenvectors @ inner @ flipped(eigenvectors)
    return (whole + flipped(whole)) / 2


@primitive(
    input=_eigh_rule,
    outputs=("eigenvalues", "eigenvectors"),
    returns=return_types.linalg_eigh.of,
    grad_fn_name="LinalgEighBackward0",
)
def eigh_factors(input: Array) -> Any:
    """Return eigenvalues, ascending, and eigenvectors of symmetric matrices."""
    try:
        return np.linalg.eigh((input + flipped(input)) / 2)
    except np.linalg.LinAlgError as error:
        raise _failed("linalg.eigh: The algorithm failed to converge", error) from None


def _skew(x: Any) -> Any:
    """Return ``x`` minus its transpose, for each matrix."""
    return x - flipped(x)


def _beyond(slope: Any, base: Any, s: Any, idle: Any) -> Any:
    """Return what the part of ``slope`` outside of the space of ``base`` adds; ``s`` are the singular values."""
    part = over(slope, s, idle)
    return part - base @ (flipped(base) @ part)


def _svd_rule(by_u: Any, by_s: Any, by_vh: Any, U: Any, S: Any, Vh: Any) -> Any:
    turning = [slope for slope in (by_u, by_vh) if slope is not None]
    if not turning:
        return None if by_s is None else (U * _row(by_s)) @ Vh
    eye, s, v, by_v = _eye(S), _row(S), flipped(Vh), None if by_vh is None else flipped(by_vh)
    apart, total = _apart(S) + eye, s + flipped(s)  # their product may not fit where S does
    idle = _idle(*turning)
    parts = [
        None if by_s is None else _row(by_s) * eye,
        None if by_u is None else over(_skew(flipped(U) @ by_u), apart, idle) * quotient(s, total),
        None if by_v is None else quotient(flipped(s), total) * over(_skew(Vh @ by_v), apart, idle),
    ]
    whole = U @ _total(parts) @ Vh
    if by_u is not None and U.shape[-2] > S.shape[-1]:
        whole = whole + _beyond(by_u, U, s, idle) @ Vh
    if by_v is not None and v.shape[-2] > S.shape[-1]:
        whole = whole + U @ flipped(_beyond(by_v, v, s, idle))
    return whole


@primitive(
    input=_svd_rule,
    outputs=("U", "S", "Vh"),
    returns=return_types.linalg_svd.of,
    grad_fn_name="LinalgSvdBackward0",
)
def svd_factors(input: Array) -> Any:
    """Return the reduced singular value decomposition of matrices."""
    return svd_plain(input, False)


def svd_plain(x: Array, full: bool) -> Any:
    """Return the singular value decomposition of arrays, which is not recorded."""
    try:
        return np.linalg.svd(x, full_matrices=full)
    except np.linalg.LinAlgError as error:
        raise _failed("linalg.svd: The algorithm failed to converge", error) from None


def _qr_rule(by_q: Any, by_r: Any, Q: Any, R: Any) -> Any:
    if by_q is None and by_r is None:
        return None
    inner = _total([None if by_r is None else R @ flipped(by_r), None if by_q is None else -(flipped(by_q) @ Q)])
    lower = np.tril(np.ones_like(as_array(R)))
    inner = inner * lower + flipped(inner * np.tril(lower, -1))
    return flipped(solved(R, flipped(_total([by_q, Q @ inner]))))


@primitive(input=_qr_rule, outputs=("Q", "R"), returns=return_types.linalg_qr.of, grad_fn_name="LinalgQrBackward0")
def qr_factors(input: Array) -> Any:
    """Return the reduced QR decomposition of matrices with no more columns than rows."""
    return np.linalg.qr(input)


# ------------------------------------------------------------------ the exponential


def _exponential_rule(g: Any, input: Any) -> Any:
    n = input.shape[-1]
    kind = (input.array if isinstance(input, Variable) else input).dtype
    turned, one = flipped(input), np.eye(2 * n, dtype=kind)
    first, second = one[:, :n], one[:, n:]
    whole = first @ turned @ first.T + second @ turned @ second.T + first @ g @ second.T
    return exponential(whole)[..., :n, n:]


@primitive(input=_exponential_rule, grad_fn_name="LinalgMatrixExpBackward0")
def exponential(input: Array) -> Array:
    """Return the matrix exponentials of square matrices: a Taylor series of a scaled matrix, squared again."""
    wide = input.astype(np.float64)
    size = float(np.abs(wide).sum(-1).max(initial=0))
    halvings = max(0, int(np.ceil(np.log2(size))) + 2) if size > 0 and np.isfinite(size) else 0
    wide = wide / 2.0**halvings
    total = np.broadcast_to(np.eye(input.shape[-1]), wide.shape).copy()
    term = total
    for k in range(1, 19):
        term = term @ wide / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total.astype(input.dtype)
