"""Each channel divided by what its neighbour channels add up to."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.node import wrap
from ..autograd.ops.einsum import einsum
from ..autograd.tensor import Tensor
from . import functional as F
from .module import Module


class LocalResponseNorm(Module):
    """(N, C, ...) divided by ``(k + alpha * mean of squares of size channels) ** beta``.

    https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Any:
        """Return ``input`` normalized."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """(N, C, H, W) divided by ``(k + alpha / size * sum of squares of neighbour channels) ** beta``.

    The values are those of PyTorch, whose running sum never lets go of the first channel: from the channel on that
    ``size`` should leave it out, it still counts. The gradient is that of these values.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Any:
        """Return ``input`` normalized; ValueError unless it has four dims."""
        if input.ndim != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.ndim}D instead.")
        number, kind = np.arange(input.shape[1]), input.detach().numpy().dtype
        reach = int((self.size - 1) / 2)
        counts = (number - number[:, None] <= reach) & ((number[:, None] - number <= reach) | (number == 0))
        among = wrap(Tensor, counts.astype(kind))
        sums = einsum("cd,ndhw->nchw", among, input * input)
        return input * (sums * (self.alpha / self.size) + self.k) ** -self.beta

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
