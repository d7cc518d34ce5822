"""Distances and angles between vectors."""

from __future__ import annotations

from ...tensors.tensor.methods import Tensor
from .. import functional as F
from .module import Module


class PairwiseDistance(Module):
    """The norm of order ``p`` of the difference of two vectors, along the last dim.

    https://pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the distances of the vectors of ``x1`` and ``x2``, which broadcast."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between two vectors along ``dim``.

    https://pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the cosines of the vectors of ``x1`` and ``x2``, which broadcast."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
