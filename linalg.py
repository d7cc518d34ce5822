"""Linear algebra: ``torch.linalg``."""

from .tensors.ops.matrix.checked import cholesky_ex, inv_ex, solve_ex
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
from .tensors.ops.matrix.lu import lu, lu_factor, lu_factor_ex, lu_solve
from .tensors.ops.matrix.matmul import matmul
from .tensors.ops.matrix.norms import cond, cross, matrix_norm, norm, vander, vecdot, vector_norm
from .tensors.ops.matrix.products import multi_dot
from .tensors.ops.matrix.reflectors import householder_product
from .tensors.ops.matrix.systems import eig, eigvals, tensorinv, tensorsolve
from .tensors.ops.shape.diagonal import diagonal as _diagonal


def diagonal(A: object, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> object:
    """Return the diagonal of the matrices in two dims, a view.

    https://pytorch.org/docs/stable/generated/torch.linalg.diagonal.html
    """
    return _diagonal(A, offset, dim1, dim2)


__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
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
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
