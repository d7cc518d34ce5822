"""Singular values and principal components of large matrices by random projections: ``svd_lowrank``, ``pca_lowrank``.

Halko, Martinsson and Tropp, Finding Structure with Randomness, 2009.
"""

from __future__ import annotations

from typing import Any

from ...arrays.dtypes import dtype_of
from ...autograd.arguments import array_of
from ..doors import doors
from ..ops.matrix.decompositions import matrices, qr, svd
from ..ops.matrix.factors import flipped
from ..ops.reduce.sums import mean
from ..random.creation import randn


@doors("torch")
def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> tuple[Any, Any, Any]:
    """Return U, S and V of the largest ``q`` singular values of ``A - M``, nearly, after ``niter`` power iterations.

    ``A`` is about ``U @ diag(S) @ V.mT``. It draws random numbers.
    https://pytorch.org/docs/stable/generated/torch.svd_lowrank.html
    """
    x = matrices("svd_lowrank", A, False)
    count = 6 if q is None else q
    if M is not None:
        A = A - M
    wide = x.shape[-2] < x.shape[-1]
    if wide:
        A = flipped(A)
    basis = qr(A @ randn(array_of(A, "svd_lowrank").shape[-1], count, dtype=dtype_of(x.dtype)))[0]
    for _ in range(2 if niter is None else niter):
        basis = qr(flipped(A) @ basis)[0]
        basis = qr(A @ basis)[0]
    u, s, vh = svd(flipped(basis) @ A, False)
    u, v = basis @ u, flipped(vh)
    return (v, s, u) if wide else (u, s, v)


@doors("torch")
def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Any, Any, Any]:
    """Return U, S and V of the ``q`` largest principal components of the rows of ``A``, nearly.

    See :func:`svd_lowrank`. ``q`` is 6 unless given, or the smaller side. With ``center`` the means of the columns are
    taken off first.
    ValueError for a ``q`` or ``niter`` out of range.
    https://pytorch.org/docs/stable/generated/torch.pca_lowrank.html
    """
    least = min(matrices("pca_lowrank", A, False).shape[-2:])
    count = min(6, least) if q is None else q
    if not 0 <= count <= least:
        raise ValueError(f"q(={count}) must be non-negative integer and not greater than min(m, n)={least}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - mean(A, -2, True) if center else A, count, niter)
