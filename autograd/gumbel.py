"""Samples of categories that have a gradient."""

from __future__ import annotations

from typing import Any
from warnings import warn

import numpy as np

from .draws import DEFAULT, in_memory_order
from .info import checked
from .node import Variable, wrap
from .ops.scatter import scatter_value
from .ops.softmax import softmax


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """Return a sample of the categories along ``dim``, softened by the temperature ``tau``.

    With ``hard`` it is one at the category drawn and zero elsewhere, with the gradient of the soft sample. ``eps`` has
    no effect, and warns. Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2017,
    https://arxiv.org/abs/1611.01144. https://pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html

    >>> import rushlight as torch
    >>> torch.nn.functional.gumbel_softmax(torch.zeros(2, 3), hard=True).sum(1)
    tensor([1., 1.])
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    array = np.asarray(checked("gumbel_softmax", logits).array, order="C")
    noise = -np.log(in_memory_order(DEFAULT.stream.exponential, array))
    soft = softmax((logits + wrap(Variable.result, noise)) / tau, dim)
    if not hard:
        return soft
    best = soft.detach().max(dim, keepdim=True)[1]
    one = scatter_value(wrap(Variable.result, np.zeros(array.shape, array.dtype)), dim, best, 1.0)
    return one - soft.detach() + soft
