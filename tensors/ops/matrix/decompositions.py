"""Linear algebra as users call it: inverses, systems of equations, determinants, decompositions, norms of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import dtype_of
from ....autograd.arguments import array_of
from ....autograd.broadcast import expand_to
from ....autograd.out_argument import write_out
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..common import results_without_derivative
from ..reduce.sums import sum
from ..shape.diagonal import tril, triu
from ..shape.join import cat, common_shape
from . import factors
from .factors import flipped
from .matmul import matmul


def matrices(name: str, input: Any, square: bool = True) -> Any:
    """Return the array of ``input``; RuntimeError unless it holds (square) matrices of single or double precision."""
    x = array_of(input, name, "A")
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {dtype_of(x.dtype).legacy}"
        )
    if x.dtype.itemsize < 4:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {dtype_of(x.dtype).legacy}")
    if x.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if square and x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} matrices"
        )
    return x


def into(name: str, made: Any, out: Any) -> Any:
    """Return ``made``, written into ``out`` if there is one."""
    return made if out is None else write_out(name, made, out)


def _number(like: Any, value: Any) -> Any:
    """Return ``value`` as a tensor if ``like`` is one, else as it is."""
    return wrap(type(like), np.asarray(value)) if isinstance(like, Variable) else value


def _symmetric(input: Any, upper: bool = False) -> Any:
    """Return ``input`` if it is symmetric, else the symmetric matrix with its lower (upper) triangle.

    The gradient goes to both triangles, as in PyTorch, even where they differ by rounding only; if the input is not
    finite, it goes to the triangle that is read.
    """
    x = array_of(input, "linalg")
    if np.array_equal(x, flipped(x), equal_nan=True):
        return input
    if np.isfinite(x).all():
        half = np.triu(x).swapaxes(-1, -2) if upper else np.tril(x)
        return input + (half + np.tril(half, -1).swapaxes(-1, -2) - x)
    part = flipped(triu(input)) if upper else tril(input)
    return part + flipped(tril(part, -1))


# ------------------------------------------------------------------ inverses, systems


@doors("linalg")
def inv(A: Any, *, out: Any = None) -> Any:
    """Return the inverse of a square matrix, or of each of a batch; ``torch.linalg.LinAlgError`` if it is singular.

    https://pytorch.org/docs/stable/generated/torch.linalg.inv.html

    >>> import rushlight as torch
    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    matrices("linalg.inv", A)
    return into("inv", factors.inverted(A), out)


@doors("torch Tensor")
def inverse(input: Any, *, out: Any = None) -> Any:
    """Return :func:`inv`.

    https://pytorch.org/docs/stable/generated/torch.inverse.html
    """
    return inv(input, out=out)


def _common(a: Any, b: Any, name: str) -> tuple[Any, Any]:
    """Return two tensors with their leading dims broadcast together."""
    x, y = array_of(a, name), array_of(b, name)
    try:
        lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        raise RuntimeError(
            f"{name}: batch dims of shapes {list(x.shape)} and {list(y.shape)} do not broadcast together"
        ) from None
    a, b = (t if s.shape[:-2] == lead else expand_to(t, (*lead, *s.shape[-2:])) for t, s in ((a, x), (b, y)))
    return a, b


@doors("linalg")
def solve(A: Any, B: Any, *, left: bool = True, out: Any = None) -> Any:
    """Return the X with ``A @ X = B``, or ``X @ A = B`` unless ``left``; batches broadcast.

    ``B`` is a matrix, or a vector: where it has one dim, or the shape of ``A`` without its last. LinAlgError if ``A``
    is singular. https://pytorch.org/docs/stable/generated/torch.linalg.solve.html
    """
    name = "linalg.solve"
    a, b = matrices(name, A), array_of(B, name, "B", 2)
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found {a.dtype} and {b.dtype} instead"
        )
    if not b.ndim:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    if vector and not left:
        raise RuntimeError(f"{name}: Vector broadcasting of the left hand side is not supported for left=False")
    if vector:
        B = B[..., None]
    rows = array_of(B, name).shape[-2 if left else -1]
    if rows != a.shape[-1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({list(a.shape)} and {list(b.shape)})"
        )
    A, B = _common(A, B, name)
    made = factors.solved(A, B) if left else flipped(factors.solved(flipped(A), flipped(B)))
    return into("solve", made[..., 0] if vector else made, out)


@doors("linalg")
def solve_triangular(
    input: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Any = None
) -> Any:
    """Return the X with ``A @ X = B``, where only the ``upper`` or lower triangle of ``input`` counts.

    https://pytorch.org/docs/stable/generated/torch.linalg.solve_triangular.html
    """
    x = matrices("linalg.solve_triangular", input)
    part = (triu if upper else tril)(input, (1 if upper else -1) if unitriangular else 0)
    if unitriangular:
        part = part + np.eye(x.shape[-1], dtype=x.dtype)
    if array_of(B, "linalg.solve_triangular", "B", 2).ndim < 2:
        raise RuntimeError("linalg.solve_triangular: The input tensor B must have at least 2 dimensions.")
    return solve(part, B, left=left, out=out)


def _cut(s: Any, shape: tuple[int, ...], atol: Any, rtol: Any, kind: Any) -> Any:
    """Return, for each matrix, the largest singular value that counts as zero."""
    absolute = 0.0 if atol is None else np.asarray(atol.array if isinstance(atol, Variable) else atol)
    if rtol is None:
        relative: Any = np.where(np.asarray(absolute) > 0, 0.0, max(shape[-2:]) * np.finfo(kind).eps)
    else:
        relative = np.asarray(rtol.array if isinstance(rtol, Variable) else rtol)
    return np.maximum(absolute, relative * s.max(-1, initial=0))


@doors("linalg")
def pinv(
    input: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Any:
    """Return the Moore-Penrose inverse; singular values up to ``max(atol, rtol * largest)`` count as zero.

    ``rtol`` (also by its older name ``rcond``) is the dtype's precision times the larger size unless given.
    https://pytorch.org/docs/stable/generated/torch.linalg.pinv.html
    """
    x = matrices("linalg.pinv", input, hermitian)
    if 0 in x.shape:
        return flipped(input) * 1
    s = factors.svd_plain(x, False)[1]
    cut = _cut(s, x.shape, atol, rcond if rtol is None else rtol, x.dtype)
    if hermitian:
        input = _symmetric(input)
        input = (input + flipped(input)) / 2
    return into("pinv", factors.pseudoinverse(input, cut[..., None]), out)


@doors("torch Tensor")
def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """Return :func:`pinv` with ``rtol=rcond``.

    https://pytorch.org/docs/stable/generated/torch.pinverse.html
    """
    return pinv(input, rtol=rcond)


@doors("linalg")
def matrix_rank(
    input: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Any:
    """Return how many singular values are above the tolerance, as int64; see :func:`pinv`.

    https://pytorch.org/docs/stable/generated/torch.linalg.matrix_rank.html
    """
    x = matrices("linalg.matrix_rank", input, hermitian)
    if 0 in x.shape[-2:]:
        return _number(input, np.zeros(x.shape[:-2], np.int64))
    s = factors.svd_plain(x, False)[1]
    cut = _cut(s, x.shape, tol if atol is None else atol, 0.0 if tol is not None else rtol, x.dtype)
    return into("matrix_rank", _number(input, np.asarray((s > cut[..., None]).sum(-1), np.int64)), out)


@doors("linalg")
def lstsq(input: Any, b: Any, rcond: Any = None, *, driver: str | None = None) -> Any:
    """Return the X that makes ``A @ X - B`` least, with residuals, rank and singular values as PyTorch gives them.

    ``driver`` is "gelsy" (the default), "gels", "gelsd" or "gelss"; the solution is the same where ``A`` has full rank.
    https://pytorch.org/docs/stable/generated/torch.linalg.lstsq.html
    """
    x, right = matrices("torch.linalg.lstsq", input, False), array_of(b, "linalg.lstsq", "b", 2)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            f"torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), not {driver}"
        )
    vector = right.ndim == 1 or right.shape == x.shape[:-1]
    if not 0 <= x.ndim - right.ndim <= 1:
        raise RuntimeError(
            f"torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) "
            f"<= 1, but they are {x.ndim} and {right.ndim}"
        )
    if x.dtype != right.dtype or right.shape[-1 if vector else -2] != x.shape[-2]:
        raise RuntimeError(
            f"torch.linalg.lstsq: input {list(x.shape)} ({dtype_of(x.dtype)}) and other {list(right.shape)} "
            f"({dtype_of(right.dtype)}) do not fit"
        )
    wide = b[..., None] if vector else b
    lead = common_shape(x.shape[:-2], array_of(wide, "linalg.lstsq").shape[:-2])
    if lead != x.shape[:-2]:
        input = expand_to(input, (*lead, *x.shape[-2:]))
        x = array_of(input, "linalg.lstsq")
    rows, columns = x.shape[-2:]
    s = factors.svd_plain(x, False)[1]
    cut = _cut(s, x.shape, None, rcond, x.dtype)
    ranks = np.asarray((s > cut[..., None]).sum(-1), np.int64)
    made = matmul(factors.pseudoinverse(input, cut[..., None]), wide)
    residuals: Any = _number(input, np.zeros(0, x.dtype))
    if rows > columns and driver not in (None, "gelsy") and bool((ranks == columns).all()):
        difference = matmul(input, made) - wide
        residuals = sum(difference * difference, -2)
    rank = _number(input, ranks if driver != "gels" else np.zeros(0, np.int64))
    values = svdvals(input) if driver in ("gelsd", "gelss") else _number(input, np.zeros(0, x.dtype))
    return return_types.linalg_lstsq.of(made[..., 0] if vector else made, residuals, rank, values)


# ------------------------------------------------------------------ decompositions


@doors("linalg")
def cholesky(input: Any, *, upper: bool = False, out: Any = None) -> Any:
    """Return the lower triangular L (or ``upper`` triangular) with ``L @ L.mT = A``; LinAlgError if there is none.

    Only the lower (upper) triangle of ``input`` is read.
    https://pytorch.org/docs/stable/generated/torch.linalg.cholesky.html
    """
    matrices("linalg.cholesky", input)
    made = factors.cholesky_factor(_symmetric(input, upper))
    return into("cholesky", flipped(made) if upper else made, out)


@doors("torch.cholesky Tensor.cholesky")
def cholesky_of(input: Any, upper: bool = False, *, out: Any = None) -> Any:
    """Return :func:`cholesky`, as ``torch.cholesky``."""
    return cholesky(input, upper=upper, out=out)


@doors("torch Tensor")
def cholesky_solve(B: Any, L: Any, upper: bool = False, *, out: Any = None) -> Any:
    """Return the X with ``A @ X = B``, given the Cholesky factor ``L`` of A.

    https://pytorch.org/docs/stable/generated/torch.cholesky_solve.html
    """
    factor = flipped(L) if upper else L
    return solve(flipped(factor), solve(factor, B), out=out)


def _triangle(UPLO: str) -> bool:
    """Return whether ``UPLO`` names the upper triangle; RuntimeError unless it is "L" or "U", in either case."""
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper() == "U"


@doors("linalg")
def eigh(input: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """Return the eigenvalues, ascending, and the eigenvectors (as columns) of a symmetric matrix.

    Only the lower (or upper: ``UPLO="U"``) triangle is read. Gradients are finite where the eigenvalues differ.
    https://pytorch.org/docs/stable/generated/torch.linalg.eigh.html
    """
    matrices("linalg.eigh", input)
    return into("eigh", factors.eigh_factors(_symmetric(input, _triangle(UPLO))), out)


@doors("linalg")
def eigvalsh(input: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """Return the eigenvalues, ascending, of a symmetric matrix.

    https://pytorch.org/docs/stable/generated/torch.linalg.eigvalsh.html
    """
    matrices("linalg.eigvalsh", input)
    return into("eigvalsh", eigh(input, UPLO)[0], out)


def _without_gradient(name: str, source: Any, value: Any) -> Any:
    """Return ``value`` as a result of ``source`` whose gradient raises RuntimeError when it is asked for."""
    if not isinstance(source, Variable):
        return value
    return results_without_derivative(f"{name} beyond its reduced form", f"{name}Backward0", source, [value])


@doors("linalg")
def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """Return U, S and Vh with ``A = U @ diag(S) @ Vh``, S descending.

    Unless ``full_matrices`` U and Vh have as many columns and rows as S. What ``full_matrices`` adds to has no
    gradient: to ask for one is a RuntimeError. https://pytorch.org/docs/stable/generated/torch.linalg.svd.html
    """
    x = matrices("linalg.svd", A, False)
    if driver is not None:
        raise RuntimeError("linalg.svd: keyword argument `driver=` is only supported on CUDA inputs")
    rows, columns = x.shape[-2:]
    u, s, vh = factors.svd_factors(A)
    if full_matrices and rows != columns:
        full_u, _, full_vh = factors.svd_plain(x, True)
        u = _without_gradient("linalg_svd", A, full_u) if rows > columns else u
        vh = _without_gradient("linalg_svd", A, full_vh) if columns > rows else vh
    return into("svd", return_types.linalg_svd.of(u, s, vh), out)


@doors("linalg")
def svdvals(A: Any, *, driver: str | None = None, out: Any = None) -> Any:
    """Return the singular values, descending.

    https://pytorch.org/docs/stable/generated/torch.linalg.svdvals.html
    """
    matrices("linalg.svdvals", A, False)
    if driver is not None:
        raise RuntimeError("linalg.svdvals: keyword argument `driver=` is only supported on CUDA inputs")
    return into("svdvals", svd(A, False)[1], out)


@doors("torch.svd Tensor.svd")
def svd_of(input: Any, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """Return U, S and V (not transposed), as ``torch.svd``.

    https://pytorch.org/docs/stable/generated/torch.svd.html
    """
    u, s, vh = svd(input, not some)
    if not compute_uv:
        x = array_of(input, "svd")
        u, vh = (_number(input, np.zeros((*x.shape[:-2], n, n), x.dtype)) for n in x.shape[-2:])
    return into("svd", return_types.svd.of(u, s, flipped(vh)), out)


@doors("linalg")
def qr(A: Any, mode: str = "reduced", *, out: Any = None) -> Any:
    """Return Q and R with ``A = Q @ R``: ``mode`` "reduced", "complete" (Q square), or "r" (an empty Q).

    Only the reduced decomposition has a gradient: to ask another for one is a RuntimeError.
    https://pytorch.org/docs/stable/generated/torch.linalg.qr.html
    """
    x = matrices("linalg.qr", A, False)
    rows, columns = x.shape[-2:]
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced', 'r', or 'complete'")
    if mode == "r" or (mode == "complete" and rows > columns):
        found: Any = np.linalg.qr(x, mode)  # type: ignore[call-overload]
        q, r = (np.zeros(0, x.dtype), found) if mode == "r" else found
        parts = [_without_gradient("linalg_qr", A, part) for part in (q, r)]
        return into("qr", return_types.linalg_qr.of(*parts), out)
    if rows >= columns:
        return into("qr", factors.qr_factors(A), out)
    q, r = factors.qr_factors(A[..., :rows])
    return into("qr", return_types.linalg_qr.of(q, cat([r, flipped(q) @ A[..., rows:]], -1)), out)


@doors("torch.qr Tensor.qr")
def qr_of(input: Any, some: bool = True, *, out: Any = None) -> Any:
    """Return :func:`qr` as ``torch.qr``."""
    return into("qr", return_types.qr.of(*qr(input, "reduced" if some else "complete")), out)
