"""AdaptiveLogSoftmaxWithLoss: a softmax over many classes that is cheap where some are frequent and most are rare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...autograd.variable import wrap
from ...tensors.ops.shape.join import cat
from ...tensors.tensor.methods import Tensor
from .. import functional as F
from ..common_types import Device, Dtype
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module


class _ASMoutput(NamedTuple):
    """The log-probability of each target, and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of ``n_classes``, sorted from frequent to rare, and their loss.

    The classes below the first of ``cutoffs`` are scored at once, together with one score for each further cluster,
    which ends before the next cutoff. Within cluster i the input is first brought down to
    ``in_features // div_value ** (i + 1)`` features.

    Grave et al., Efficient softmax approximation for GPUs, 2017.
    https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html

    >>> import rushlight as torch
    >>> layer = torch.nn.AdaptiveLogSoftmaxWithLoss(32, 20, [4, 10])
    >>> layer.log_prob(torch.ones(3, 32)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            any(int(c) != c for c in cutoffs)
            or cutoffs != sorted(set(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1 = {n_classes - 1}, but they are {cutoffs}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **factory_kwargs)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            narrow = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            down = Linear(in_features, narrow, bias=False, **factory_kwargs)
            self.tail.append(Sequential(down, Linear(narrow, size, bias=False, **factory_kwargs)))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        tails: list[Any] = list(self.tail)
        for down, up in tails:
            down.reset_parameters()
            up.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """Return ``(output, loss)``: the log-probability of each target, (N) or (), and minus their mean.

        ``input_`` is (N, in_features) or (in_features). Raises RuntimeError for sizes that do not fit and for targets
        that are no classes.
        """
        batched = target_.ndim > 0
        if target_.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if (batched and input_.shape[0] != target_.shape[0]) or input_.ndim != (2 if batched else 1):
            raise RuntimeError(
                "Input and target should have the same size in the batch dimension, but they have shapes "
                f"{list(input_.shape)} and {list(target_.shape)}."
            )
        target = np.asarray(target_.array).reshape(-1)
        if target.dtype.kind not in "iu":
            raise RuntimeError(f"AdaptiveLogSoftmaxWithLoss: targets must be int64 or int32, not {target.dtype.name}")
        if target.size and not 0 <= target.min() <= target.max() < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{target.min()}, "
                f"{target.max()}] were found."
            )
        x = input_ if batched else input_.unsqueeze(0)
        cluster = np.searchsorted(self.cutoffs[:-1], target, "right")  # 0 for what the head knows
        position = np.where(cluster > 0, self.shortlist_size + cluster - 1, target)
        head = F.log_softmax(self.head(x), dim=1)
        output = head.gather(1, _index(position[:, None])).squeeze(1)
        for i, tail in enumerate(self.tail):
            rows = np.flatnonzero(cluster == i + 1)
            if rows.size:
                local = F.log_softmax(tail(x.index_select(0, _index(rows))), dim=1)
                inside = _index((target[rows] - self.cutoffs[i])[:, None])
                output = output.index_add(0, _index(rows), local.gather(1, inside).squeeze(1))
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the log-probabilities of all classes, (N, n_classes), for ``input`` (N, in_features)."""
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            within = F.log_softmax(tail(input), dim=1)
            parts.append(within + head[:, self.shortlist_size + i, None])
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """Return the most probable class of each row, (N)."""
        return self.log_prob(input).argmax(dim=1)


def _index(numbers: Any) -> Tensor:
    return wrap(Tensor, np.asarray(numbers, np.int64))
