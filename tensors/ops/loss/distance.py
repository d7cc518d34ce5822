"""Lengths and angles between vectors: normalized vectors, distances, cosines."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import common, default_numpy, dtype_of
from ....autograd.arguments import array_of
from ....autograd.out_argument import write_out
from ...doors import doors
from ..common import as_kind
from ..elementwise.ternary import clamp_min
from ..reduce.norm import norm
from ..reduce.sums import sum
from ..reduce.vector_norms import vector_norm
from ..shape.join import broadcast


def raised(x: Any, least: float) -> Any:
    """Return ``x`` with values below ``least`` moved up to it; the gradient passes as if nothing had happened."""
    array = array_of(x, "raised")
    return x + (np.maximum(array, array.dtype.type(least)) - array)


@doors("functional")
def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """Return ``input`` divided by its norm of order ``p`` along ``dim``, or by ``eps`` if that is larger.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
    """
    made = input / clamp_min(norm(input, p, dim, keepdim=True), eps)
    return made if out is None else write_out("normalize", made, out)


@doors("torch functional")
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Return the cosine of the angle between vectors along ``dim``; the shapes broadcast.

    A norm below ``eps`` counts as ``eps``. Raises RuntimeError for integers.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html
    """
    kind = common(array_of(x1, "cosine_similarity", "x1").dtype, array_of(x2, "cosine_similarity", "x2", 2).dtype)
    if not eps >= 0:
        raise RuntimeError(f"eps must be non-negative, got: {eps}")
    if kind.kind != "f":
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {dtype_of(kind).legacy}")
    a, b = (as_kind(x, kind) for x in broadcast(x1, x2))
    a, b = (x / raised(vector_norm(x, 2, dim, True), eps) for x in (a, b))
    return sum(a * b, dim)


@doors("torch functional")
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """Return the norm of order ``p`` of ``x1 - x2 + eps`` along the last dim; the shapes broadcast.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html
    """
    difference = x1 - x2
    if array_of(difference, "pairwise_distance").dtype.kind != "f":
        difference = as_kind(difference, default_numpy())
    return vector_norm(difference + eps, p, -1, keepdim)
