"""The places of the elements of a triangle, as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import Array, as_numpy
from .node import wrap
from .tensor import Tensor


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the rows and columns of the elements on or below a diagonal of a ``row`` by ``col`` matrix, shape (2, N).

    https://pytorch.org/docs/stable/generated/torch.tril_indices.html

    >>> import rushlight as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    _check(row, col)
    return _places(np.tri(row, col, offset, np.bool_), dtype)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the rows and columns of the elements on or above a diagonal of a ``row`` by ``col`` matrix, shape (2, N).

    https://pytorch.org/docs/stable/generated/torch.triu_indices.html
    """
    _check(row, col)
    return _places(~np.tri(row, col, offset - 1, np.bool_), dtype)


def _check(row: int, col: int) -> None:
    for what, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{what} must be non-negative, got {n}")


def _places(mask: Array, dtype: Any) -> Tensor:
    found: Tensor = wrap(Tensor, np.stack(mask.nonzero()).astype(np.int64 if dtype is None else as_numpy(dtype)))
    return found
