"""Linear algebra: ``torch.linalg``."""

from .autograd.ops.decompose import LinAlgError as LinAlgError
from .autograd.ops.determinants import det as det
from .autograd.ops.determinants import matrix_exp as matrix_exp
from .autograd.ops.determinants import matrix_power as matrix_power
from .autograd.ops.determinants import slogdet as slogdet
from .autograd.ops.diagonal import diagonal as _diagonal
from .autograd.ops.linalg import multi_dot as multi_dot
from .autograd.ops.matmul import matmul as matmul
from .autograd.ops.matrix import cholesky as cholesky
from .autograd.ops.matrix import eigh as eigh
from .autograd.ops.matrix import eigvalsh as eigvalsh
from .autograd.ops.matrix import inv as inv
from .autograd.ops.matrix import lstsq as lstsq
from .autograd.ops.matrix import matrix_rank as matrix_rank
from .autograd.ops.matrix import pinv as pinv
from .autograd.ops.matrix import qr as qr
from .autograd.ops.matrix import solve as solve
from .autograd.ops.matrix import solve_triangular as solve_triangular
from .autograd.ops.matrix import svd as svd
from .autograd.ops.matrix import svdvals as svdvals
from .autograd.ops.matrix_norms import cond as cond
from .autograd.ops.matrix_norms import cross as cross
from .autograd.ops.matrix_norms import matrix_norm as matrix_norm
from .autograd.ops.matrix_norms import norm as norm
from .autograd.ops.matrix_norms import vander as vander
from .autograd.ops.matrix_norms import vecdot as vecdot
from .autograd.ops.matrix_norms import vector_norm as vector_norm


def diagonal(A: object, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> object:
    """Return the diagonal of the matrices in two dims, a view.

    https://pytorch.org/docs/stable/generated/torch.linalg.diagonal.html
    """
    return _diagonal(A, offset, dim1, dim2)
