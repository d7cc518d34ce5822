"""The LU decomposition with partial pivoting, which NumPy lacks, and the first minor that has no Cholesky factor."""

from __future__ import annotations

from math import prod

import numpy as np

from ..dtypes import Array


def lu(x: Array) -> tuple[Array, Array, Array]:
    """Return L and U in one matrix, the pivots as LAPACK counts them, and where U first has a zero (0: nowhere).

    L is unit lower triangular. Pivots and that place count from 1; the row of each step was exchanged with that of its
    pivot. ``x`` holds batches of matrices.
    """
    rows, columns = x.shape[-2:]
    steps = min(rows, columns)
    work = np.array(x.reshape(prod(x.shape[:-2]), rows, columns))
    batch = np.arange(len(work))
    pivots, infos = np.zeros((len(work), steps), np.int32), np.zeros(len(work), np.int32)
    for k in range(steps):
        best = k + np.abs(work[:, k:, k]).argmax(-1)
        pivots[:, k] = best + 1
        work[batch, k], work[batch, best] = work[batch, best], work[batch, k].copy()
        head = work[:, k, k]
        infos[(infos == 0) & (head == 0)] = k + 1
        work[:, k + 1 :, k] /= np.where(head == 0, 1, head)[:, None]
        work[:, k + 1 :, k + 1 :] -= work[:, k + 1 :, k, None] * work[:, k, None, k + 1 :]
    lead = x.shape[:-2]
    return work.reshape(x.shape), pivots.reshape(*lead, steps), infos.reshape(lead)


def order_of(pivots: Array, rows: int) -> Array:
    """Return which row of the matrix each row of L U is, after the exchanges that ``pivots`` tell."""
    flat = np.asarray(pivots).reshape(prod(pivots.shape[:-1]), pivots.shape[-1])
    order = np.tile(np.arange(rows), (len(flat), 1))
    batch = np.arange(len(flat))
    for k in range(flat.shape[-1]):
        other = flat[:, k] - 1
        order[batch, k], order[batch, other] = order[batch, other], order[batch, k].copy()
    return order.reshape(*pivots.shape[:-1], rows)


def permutation(order: Array, kind: np.dtype[np.floating]) -> Array:
    """Return the matrices P with ``A = P @ L @ U``."""
    found: Array = (np.arange(order.shape[-1])[:, None] == order[..., None, :]).astype(kind)
    return found


def partial_cholesky(x: Array) -> tuple[Array, int]:
    """Return what a Cholesky decomposition of one matrix has done when it meets a minor that is not positive-definite.

    And the order of that minor, 0 if there is none.
    """
    work = np.tril(x)
    for k in range(len(x)):
        head = work[k, k] - work[k, :k] @ work[k, :k]
        work[k, k] = head
        if not head > 0:
            return work, k + 1
        work[k, k] = np.sqrt(head)
        work[k + 1 :, k] = (work[k + 1 :, k] - work[k + 1 :, :k] @ work[k, :k]) / work[k, k]
    return work, 0
