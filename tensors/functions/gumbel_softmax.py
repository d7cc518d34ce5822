"""Samples of a categorical distribution that let gradients through.

Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2017; Maddison, Mnih and Teh, The Concrete
Distribution, 2017.
"""

from __future__ import annotations

from typing import Any
from warnings import warn

import numpy as np

from ...autograd.variable import Variable, wrap
from ..doors import doors
from ..ops.reduce.softmax import softmax
from ..predicates import checked
from ..random.inplace import DEFAULT


@doors("functional")
def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """Return a draw from the distribution with the unnormalized log-probabilities ``logits`` along ``dim``, softened.

    The smaller ``tau``, the closer to a one among zeros. ``hard`` makes it exactly that, with the gradient of the
    softened draw. RuntimeError for integers. ``eps`` has no use any more.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html

    >>> import rushlight as torch
    >>> torch.nn.functional.gumbel_softmax(torch.zeros(2, 3), hard=True).sum(-1)
    tensor([1., 1.])
    """
    array = np.asarray(checked("gumbel_softmax", logits).array)
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.", UserWarning, stacklevel=2)
    if array.dtype.kind != "f":
        raise RuntimeError(f"gumbel_softmax: logits must be floating point, but they are {array.dtype.name}")
    drawn = DEFAULT.stream.exponential(array.shape, array.dtype)
    soft = softmax((logits - wrap(Variable.result, np.log(drawn))) / tau, dim)
    if not hard:
        return soft
    best = soft.max(dim, keepdim=True)[1]
    one_hot = soft.new_zeros(soft.shape).scatter(dim, best, 1.0)
    return one_hot - soft.detach() + soft
