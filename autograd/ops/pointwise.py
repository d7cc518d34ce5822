"""Functions of one number, applied to each element. Integers become floats of the default dtype."""

from __future__ import annotations

import numpy as np

from ..dtypes import Array
from ..primitive import primitive


@primitive(input=lambda g, out: g * out, promote="float")
def exp(input: Array) -> Array:
    """Return e raised to each element of ``input``.

    https://pytorch.org/docs/stable/generated/torch.exp.html

    >>> import rushlight as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return np.exp(input)


@primitive(input=lambda g, out: g - g * out * out, promote="float")
def tanh(input: Array) -> Array:
    """Return the hyperbolic tangent of each element of ``input``.

    https://pytorch.org/docs/stable/generated/torch.tanh.html
    """
    return np.tanh(input)
