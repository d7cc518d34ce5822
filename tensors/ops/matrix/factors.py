"""Inverses, determinants and decompositions of matrices, in batches, with their derivatives.

A decomposition gives several arrays. Its primitive returns them packed into one, side by side and flat, and the
function around it takes them apart again: so its rule sees all their gradients at once, and is written in what came
out. The formulas are those of Giles, Collected Matrix Derivative Results, 2008, and of Townsend, Differentiating the
Singular Value Decomposition, 2016.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ..backward_ops import as_array, quotient, reshape_to


class LinAlgError(RuntimeError):
    """A matrix has no such inverse or decomposition; ``torch.linalg.LinAlgError``."""


def flipped(x: Any) -> Any:
    """Return the matrices of ``x`` transposed."""
    return x.swapaxes(-1, -2)


def packed(*parts: Array) -> Array:
    """Return arrays of common leading dims, matrices (or what ``shaped`` made such), flat and side by side."""
    lead = parts[0].shape[:-2]
    return np.concatenate([part.reshape(*lead, prod(part.shape[-2:])) for part in parts], -1)


def unpacked(x: Any, *shapes: tuple[int, int]) -> list[Any]:
    """Return the matrices of ``shapes`` that :func:`packed` put into ``x``."""
    found, start = [], 0
    for shape in shapes:
        stop = start + prod(shape)
        found.append(x[..., start:stop].reshape((*x.shape[:-1], *shape)))
        start = stop
    return found


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


def _det_rule(g: Any, input: Any, out: Any) -> Any:
    if not isinstance(g, Variable):
        return reshape_to(np.asarray(g), (*out.shape, 1, 1)) * _cofactors(input)
    return reshape_to(g * out, (*out.shape, 1, 1)) * flipped(inverted(input))


@primitive(input=_det_rule, grad_fn_name="LinalgDetBackward0")
def determinant(input: Array) -> Any:
    """Return the determinants of square matrices."""
    with np.errstate(all="ignore"):  # NumPy warns there of NaN in its own name
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
    """Return ``input / other``, where 0 / 0 is 0 if ``idle``, a constant that broadcasts with them."""
    nothing = idle & (input == 0) & (other == 0)
    quotient: Array = np.asarray(input / np.where(nothing, other.dtype.type(1), other))
    return quotient


def _idle(*slopes: Any) -> Array:
    """Return which matrices get a gradient of zero: equal eigenvalues or singular values do no harm there."""
    used = [np.any(as_array(one), (-2, -1), keepdims=True) for one in slopes]
    idle: Array = ~np.logical_or.reduce(used)
    return idle


def _apart(values: Any) -> Any:
    """Return ``values[j] - values[i]``."""
    size = values.shape[-1]
    return reshape_to(values, (*values.shape[:-1], 1, size)) - reshape_to(values, (*values.shape[:-1], size, 1))


def _eigh_rule(g: Any, out: Any, input_shape: tuple[int, ...]) -> Any:
    n = input_shape[-1]
    slope_w, slope_v = unpacked(g, (1, n), (n, n))
    w, v = unpacked(out, (1, n), (n, n))
    kind = (out.array if isinstance(out, Variable) else out).dtype
    eye = np.eye(n, dtype=kind)
    inner = over((flipped(v) @ slope_v) * (1 - eye), _apart(w.reshape((*input_shape[:-2], n))) + eye, _idle(slope_v))
    whole = v @ (inner + slope_w * eye) @ flipped(v)
    return (whole + flipped(whole)) / 2


@primitive(input=_eigh_rule, grad_fn_name="LinalgEighBackward0")
def eigh_packed(input: Array) -> Array:
    """Return eigenvalues, ascending, and eigenvectors of symmetric matrices, packed."""
    try:
        w, v = np.linalg.eigh((input + flipped(input)) / 2)
    except np.linalg.LinAlgError as error:
        raise _failed("linalg.eigh: The algorithm failed to converge", error) from None
    return packed(w[..., None, :], v)


def _skew(x: Any) -> Any:
    return x - flipped(x)


def _svd_rule(g: Any, out: Any, input_shape: tuple[int, ...]) -> Any:
    rows, columns = input_shape[-2:]
    k = min(rows, columns)
    shapes = (rows, k), (1, k), (k, columns)
    (slope_u, slope_s, slope_vh), (u, s, vh) = unpacked(g, *shapes), unpacked(out, *shapes)
    slope_v, v = flipped(slope_vh), flipped(vh)
    kind = (out.array if isinstance(out, Variable) else out).dtype
    idle, eye = _idle(slope_u, slope_vh), np.eye(k, dtype=kind)
    apart = _apart(s.reshape((*input_shape[:-2], k))) + eye
    total = s + flipped(s)  # by which and apart, not by the difference of the squares: these may not fit
    inner = slope_s * eye + over(_skew(flipped(u) @ slope_u), apart, idle) * quotient(s, total)
    inner = inner + quotient(flipped(s), total) * over(_skew(flipped(v) @ slope_v), apart, idle)
    whole = u @ inner @ vh
    if rows > k:
        part = over(slope_u, s, idle)
        whole = whole + (part - u @ (flipped(u) @ part)) @ vh
    if columns > k:
        part = over(slope_v, s, idle)
        whole = whole + u @ flipped(part - v @ (vh @ part))
    return whole


@primitive(input=_svd_rule, grad_fn_name="LinalgSvdBackward0")
def svd_packed(input: Array) -> Array:
    """Return the reduced singular value decomposition of matrices, packed: U, S, Vh."""
    u, s, vh = svd_plain(input, False)
    return packed(u, s[..., None, :], vh)


def svd_plain(x: Array, full: bool) -> Any:
    """Return the singular value decomposition of arrays, without a record."""
    try:
        return np.linalg.svd(x, full_matrices=full)
    except np.linalg.LinAlgError as error:
        raise _failed("linalg.svd: The algorithm failed to converge", error) from None


def _qr_rule(g: Any, out: Any, input_shape: tuple[int, ...]) -> Any:
    rows, n = input_shape[-2:]
    (slope_q, slope_r), (q, r) = unpacked(g, (rows, n), (n, n)), unpacked(out, (rows, n), (n, n))
    kind = (out.array if isinstance(out, Variable) else out).dtype
    inner = r @ flipped(slope_r) - flipped(slope_q) @ q
    lower = np.tril(np.ones((n, n), kind))
    low = inner * lower
    inner = low + flipped(inner * np.tril(lower, -1))
    return flipped(solved(r, flipped(slope_q + q @ inner)))


@primitive(input=_qr_rule, grad_fn_name="LinalgQrBackward0")
def qr_packed(input: Array) -> Array:
    """Return the reduced QR decomposition of matrices with no more columns than rows, packed."""
    q, r = np.linalg.qr(input)
    return packed(q, r)


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
