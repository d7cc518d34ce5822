"""Power means of windows over the last dims."""

from __future__ import annotations

from math import inf, prod
from typing import Any

import numpy as np

from ....arrays.kernels.magnitude import powers_fit
from ....autograd.arguments import array_of
from ...doors import doors
from ..backward_ops import as_array
from ..common import as_kind, drop
from ..elementwise.rounding import abs
from .average_pool import avg_pool1d, avg_pool2d, avg_pool3d
from .common import per_dim
from .max_pool import max_pool1d, max_pool2d, max_pool3d

_AVG = {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}
_MAX = {1: max_pool1d, 2: max_pool2d, 3: max_pool3d}


def _lp(name: str, dims: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    if norm_type == inf:
        return _MAX[dims](abs(input), kernel_size, stride, 0, 1, ceil_mode)
    if norm_type == -inf:
        return -_MAX[dims](-abs(input), kernel_size, stride, 0, 1, ceil_mode)
    kind = array_of(input, name).dtype
    wide = kind.char in "ef" and not powers_fit(np.asarray(array_of(input, name)), norm_type)
    count = prod(per_dim(kernel_size, dims, name, "kernel_size"))
    powers = (as_kind(input, np.dtype(np.float64)) if wide else input) ** norm_type
    mean = _AVG[dims](powers, kernel_size, stride, 0, ceil_mode)
    nothing = as_array(mean) == 0  # where the root has an infinite gradient, and the norm one of zero
    root = (mean + nothing) * count
    made = drop(root ** (1.0 / norm_type), nothing)
    return as_kind(made, kind) if wide else made


@doors("functional")
def lp_pool1d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """Return the p-norm (p is ``norm_type``) of each window over the last dim; see :func:`lp_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html
    """
    return _lp("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


@doors("functional")
def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """Return the p-norm (sum of powers p = ``norm_type``, and root) of each window over the last two dims.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html

    >>> import rushlight as torch
    >>> torch.nn.functional.lp_pool2d(torch.tensor([[[3.0, 4.0]]]), 2, (1, 2))
    tensor([[[5.]]])
    """
    return _lp("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


@doors("functional")
def lp_pool3d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """Return the p-norm of each window over the last three dims; see :func:`lp_pool2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool3d.html
    """
    return _lp("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
