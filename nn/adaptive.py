"""A softmax over very many classes: the frequent ones first, the others in clusters behind one entry each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ..autograd.creation import empty_like
from ..autograd.ops.extrema import argmax
from ..autograd.ops.join import cat
from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear
from .module import Module


class _ASMoutput(NamedTuple):
    """The log-probability of each target, and the mean loss."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of ``n_classes`` classes, cut into clusters at ``cutoffs``; later ones get smaller projections.

    Grave et al., Efficient softmax approximation for GPUs, 2016, https://arxiv.org/abs/1609.04309.
    https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        bounds = [0, *cutoffs, n_classes]
        if any(int(c) != c for c in cutoffs) or any(low >= high for low, high in pairwise(bounds)):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1, not {cutoffs}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for number, (low, high) in enumerate(pairwise(self.cutoffs), start=1):
            hidden = int(in_features // div_value**number)
            first = Linear(in_features, hidden, bias=False, device=device, dtype=dtype)
            self.tail.append(Sequential(first, Linear(hidden, high - low, bias=False, device=device, dtype=dtype)))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for projection in self.tail:
            for layer in projection:
                layer.reset_parameters()

    def forward(self, input_: Any, target_: Any) -> _ASMoutput:
        """Return the log-probability of each target (N) given features (N, in_features), and minus their mean."""
        if target_.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if input_.ndim != target_.ndim + 1:
            raise RuntimeError(
                f"{target_.ndim}D target tensor expects {target_.ndim + 1}D input tensors, but found inputs with size "
                f"{list(input_.shape)}"
            )
        if target_.ndim and input_.shape[0] != target_.shape[0]:
            raise RuntimeError(
                "Input and target should have the same size in the batch dimension, but they have "
                f"{input_.shape[0]} and {target_.shape[0]}."
            )
        if not target_.ndim:
            input_, target = input_.unsqueeze(0), target_.unsqueeze(0)
            output = self._of_targets(input_, target).squeeze(0)
            return _ASMoutput(output, -output)
        output = self._of_targets(input_, target_)
        return _ASMoutput(output, (-output).mean())

    def _of_targets(self, input: Any, target: Any) -> Any:
        """Return the log-probability of each target."""
        if len(target) and not (int(target.min()) >= 0 and int(target.max()) < self.n_classes):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{int(target.min())}, {int(target.max())}] were found. "
            )
        entry, output = target.clone(), input.new_zeros(len(target))
        for number, (low, high) in enumerate(pairwise(self.cutoffs)):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            entry.index_fill_(0, rows, self.shortlist_size + number)
            within = F.log_softmax(self.tail[number](input.index_select(0, rows)), dim=1)
            place = target.index_select(0, rows) - low
            output = output.index_copy(0, rows, within.gather(1, place.unsqueeze(1)).squeeze(1))
        head = F.log_softmax(self.head(input), dim=1)
        return output + head.gather(1, entry.unsqueeze(1)).squeeze(1)

    def _all(self, input: Any, scores: Any) -> Any:
        """Return the log-probabilities of all classes, given the scores of the head."""
        head = F.log_softmax(scores, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for number, cluster in enumerate(self.tail, start=self.shortlist_size):
            parts.append(F.log_softmax(cluster(input), dim=1) + head[:, number : number + 1])
        return cat(parts, 1)

    def log_prob(self, input: Any) -> Any:
        """Return the log-probabilities (N, n_classes) of all classes given features (N, in_features)."""
        return self._all(input, self.head(input))

    def predict(self, input: Any) -> Any:
        """Return the most likely class (N) given features (N, in_features), the tail computed only where needed."""
        scores = self.head(input)
        output = argmax(scores, 1)
        rare = output >= self.shortlist_size
        if not rare.any():
            return output
        chosen = empty_like(output).copy_(output)
        chosen[rare] = argmax(self._all(input[rare], scores[rare]), 1)
        return chosen
