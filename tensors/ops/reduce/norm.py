"""``torch.norm``: norms of vectors and of matrices under one name."""

from __future__ import annotations

from typing import Any

from .... import lazy
from ....autograd.out_argument import write_out
from ...doors import doors
from .sums import Dims
from .vector_norms import vector_norm

_matrix_norm = lazy.function("tensors.ops.matrix.norms", "matrix_norm")  # few programs ask for the nuclear norm


@doors("torch Tensor")
def norm(
    input: Any, p: float | str | None = "fro", dim: Dims = None, keepdim: bool = False, *, out: Any = None,
    dtype: Any = None,
) -> Any:  # fmt: skip
    """Return the ``p``-norm of all elements or over ``dim``, as :func:`vector_norm`; ``"fro"`` and None mean 2.

    "nuc" is the nuclear norm, of a matrix or of two dims. RuntimeError for integers and for norms that do not exist.
    https://pytorch.org/docs/stable/generated/torch.norm.html

    >>> import rushlight as torch
    >>> torch.norm(torch.tensor([3.0, 4.0])), torch.norm(torch.tensor([3.0, -4.0]), p=1)
    (tensor(5.), tensor(7.))
    """
    if isinstance(p, str) and p != "fro":
        dims: Any = tuple(range(len(input.shape))) if dim is None else (dim,) if isinstance(dim, int) else dim
        made = _matrix_norm(input, p, dims, keepdim, dtype=dtype)
        return made if out is None else write_out("norm", made, out)
    result = vector_norm(input, 2 if p is None or isinstance(p, str) else p, dim, keepdim, dtype=dtype)
    return result if out is None else write_out("norm", result, out)
