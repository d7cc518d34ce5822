"""Draws from Poisson distributions, as PyTorch draws them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...arrays.dtypes import Array
from ...arrays.random.streams import Stream
from ..doors import doors
from ..ops.common import floats_only
from ..predicates import checked
from .inplace import redrawn, stream_of

_DOUBLE = np.dtype(np.float64)
_MANY = 10  # from this rate on draws are rejected from a hat instead of multiplied up


def _uniform(stream: Stream) -> float:
    return float(stream.uniform((), _DOUBLE))


def _few(rate: float, stream: Stream) -> int:
    """Return how many uniform numbers can be multiplied before the product is at most ``exp(-rate)`` (Knuth)."""
    if rate == 0:
        return 0
    least, count, product = math.exp(-rate), 0, 1.0
    while (product := product * _uniform(stream)) > least:
        count += 1
    return count


def _many(rate: float, stream: Stream) -> int:
    """Return a draw by transformed rejection.

    Hörmann, The transformed rejection method for generating Poisson random variables, 1993, algorithm PTRS.
    """
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    bound = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = _uniform(stream) - 0.5
        v = _uniform(stream)
        edge = 0.5 - abs(u)
        k = math.floor((2 * a / edge + b) * u + rate + 0.43) if edge else -1
        if edge >= 0.07 and v <= bound:
            return k
        if k < 0 or (edge < 0.013 and v > edge) or v == 0:
            continue
        hat = math.log(v) + math.log(inverse_alpha) - math.log(a / (edge * edge) + b)
        if hat <= -rate + k * log_rate - math.lgamma(k + 1.0):
            return k


@doors("torch")
def poisson(input: Any, generator: Any = None) -> Any:
    """Return a draw for each rate in ``input``, in its dtype; its gradient is zero.

    RuntimeError for negative rates, NotImplementedError for integers. The draws are those of PyTorch's CPU stream.
    https://pytorch.org/docs/stable/generated/torch.poisson.html

    >>> import rushlight as torch
    >>> torch.poisson(torch.zeros(3))
    tensor([0., 0., 0.])
    """
    x = checked("poisson", input).array
    floats_only("poisson_cpu", x)
    if not (np.asarray(x) >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    stream = stream_of(generator)

    def draw(rates: Array) -> Array:
        found = [(_many if rate >= _MANY else _few)(rate, stream) for rate in rates.astype(np.float64).ravel().tolist()]
        return np.array(found, rates.dtype).reshape(rates.shape)

    return redrawn(input, draw, "PoissonBackward0")
