"""Making tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import as_numpy, default_numpy, dtype_of
from .graph import new_leaf, wrap
from .tensor import Tensor


def from_numpy(array: Any) -> Tensor:
    """Return a tensor on the memory of ``array``."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    dtype_of(array.dtype)
    made: Tensor = wrap(Tensor, np.asarray(array))
    return made


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a new tensor with a copy of ``data``."""
    if isinstance(data, Tensor):
        data = data.array
    array = np.array(data, None if dtype is None else as_numpy(dtype))
    if dtype is None and array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        array = array.astype(default_numpy())
    made: Tensor = wrap(Tensor, array if array.ndim else array[()])
    if requires_grad:
        made.node = new_leaf(made)
    return made
