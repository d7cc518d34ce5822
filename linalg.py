"""Linear algebra: ``torch.linalg``."""

from .tensors.ops.matrix.decompositions import (
    cholesky,
    eigh,
    eigvalsh,
    inv,
    lstsq,
    matrix_rank,
    pinv,
    qr,
    solve,
    solve_triangular,
    svd,
    svdvals,
)
from .tensors.ops.matrix.determinants import det, matrix_exp, matrix_power, slogdet
from .tensors.ops.matrix.factors import LinAlgError
from .tensors.ops.matrix.matmul import matmul
from .tensors.ops.matrix.norms import cond, cross, matrix_norm, norm, vander, vecdot, vector_norm
from .tensors.ops.matrix.products import multi_dot
from .tensors.ops.shape.diagonal import diagonal as _diagonal


def diagonal(A: object, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> object:
    """Return the diagonal of the matrices in two dims, a view.

    https://pytorch.org/docs/stable/generated/torch.linalg.diagonal.html
    """
    return _diagonal(A, offset, dim1, dim2)


__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "vander",
    "vecdot",
    "vector_norm",
]
