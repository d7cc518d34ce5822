"""Dropout: elements or channels set to zero at random, in training only."""

from __future__ import annotations

from ...tensors.tensor.methods import Tensor
from .. import functional as F
from .module import Module


class _DropoutNd(Module):
    """A dropout of any kind.

    p: the probability of a zero.
    inplace: whether the input is written to.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the options."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Elements set to zero with probability ``p``, the rest divided by ``1 - p``.

    https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with some elements dropped, or in evaluation ``input`` itself."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Whole channels of (N, C, L) set to zero with probability ``p``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with some channels dropped, or in evaluation ``input`` itself."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Whole channels of (N, C, H, W) set to zero with probability ``p``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with some channels dropped, or in evaluation ``input`` itself."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Whole channels of (N, C, D, H, W) set to zero with probability ``p``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with some channels dropped, or in evaluation ``input`` itself."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean and variance of what SELU gives (https://arxiv.org/abs/1706.02515)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with some elements dropped, or in evaluation ``input`` itself."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """AlphaDropout of whole channels."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with some channels dropped, or in evaluation ``input`` itself."""
        return F.feature_alpha_dropout(input, self.p, self.training)
