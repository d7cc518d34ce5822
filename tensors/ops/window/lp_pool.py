"""Power means of windows over the last dims."""

from __future__ import annotations

from math import inf, prod
from typing import Any

from ...doors import doors
from ..elementwise.rounding import abs, sign
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
    count = prod(per_dim(kernel_size, dims, name, "kernel_size"))
    mean = _AVG[dims](input**norm_type, kernel_size, stride, 0, ceil_mode)
    # sign times size is the mean itself, but with a gradient of zero at zero, where the root has an infinite one
    return (sign(mean) * abs(mean) * count) ** (1.0 / norm_type)


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
