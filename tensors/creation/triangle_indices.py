"""The places of the elements of a triangle, as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays.dims import as_int
from ...arrays.dtypes import Array, as_numpy
from ...autograd.variable import wrap
from ..doors import doors
from ..tensor.methods import Tensor


@doors("torch")
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the rows and columns of the elements on or below a diagonal of a ``row`` by ``col`` matrix, shape (2, N).

    https://pytorch.org/docs/stable/generated/torch.tril_indices.html

    >>> import rushlight as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    row, col = _check(row, col)
    return _places(np.tri(row, col, as_int(offset, "offset"), np.bool_), dtype)


@doors("torch")
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the rows and columns of the elements on or above a diagonal of a ``row`` by ``col`` matrix, shape (2, N).

    https://pytorch.org/docs/stable/generated/torch.triu_indices.html
    """
    row, col = _check(row, col)
    return _places(~np.tri(row, col, as_int(offset, "offset") - 1, np.bool_), dtype)


def _check(row: int, col: int) -> tuple[int, int]:
    row, col = as_int(row, "row"), as_int(col, "col")
    for what, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{what} must be non-negative, got {n}")
    return row, col


def _places(mask: Array, dtype: Any) -> Tensor:
    found: Tensor = wrap(Tensor, np.stack(mask.nonzero()).astype(np.int64 if dtype is None else as_numpy(dtype)))
    return found
