"""RReLU: a rectifier whose negative side has a random slope while training."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .module import Module


class RReLU(Module):
    """``x`` where it is positive, else a multiple drawn between ``lower`` and ``upper``, in evaluation their mean.

    Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network, 2015,
    https://arxiv.org/abs/1505.00853. https://pytorch.org/docs/stable/generated/torch.nn.RReLU.html
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Return the activation of ``input``."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Return the bounds of the slope."""
        return f"lower={self.lower}, upper={self.upper}{', inplace=True' if self.inplace else ''}"
