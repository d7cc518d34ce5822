"""Channel shuffle."""

from __future__ import annotations

from ...tensors.tensor.methods import Tensor
from .. import functional as F
from .module import Module


class ChannelShuffle(Module):
    """(N, C, ...) with its channels dealt out, the first of each of ``groups``, then the second, ...

    https://pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with its channels in the new order."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Return the number of groups."""
        return f"groups={self.groups}"
