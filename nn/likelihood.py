"""Losses that are negative log-likelihoods: of counts, of normals, of label sequences."""

from __future__ import annotations

from typing import Any
from warnings import warn

from . import functional as F
from .loss import NLLLoss, _Loss


class NLLLoss2d(NLLLoss):
    """:class:`NLLLoss` under its old name for images; warns, as it is deprecated."""

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        warn("`NLLLoss2d` is deprecated. `NLLLoss` does the same.", FutureWarning, stacklevel=2)
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class PoissonNLLLoss(_Loss):
    """The negative log-likelihood of counts under Poisson distributions.

    https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: Any = None,
        eps: float = 1e-8,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Any, target: Any) -> Any:
        """Return the loss of rates, or of their logarithms, for counts ``target``."""
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """The negative log-likelihood of numbers under normal distributions.

    https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """Return the loss of means ``input`` and variances ``var`` for ``target``."""
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class CTCLoss(_Loss):
    """The negative log-likelihood of label sequences under all their alignments to longer inputs.

    https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html

    >>> import rushlight as torch
    >>> even = torch.full((2, 1, 3), 1 / 3).log()
    >>> torch.nn.CTCLoss(reduction="sum")(even, torch.tensor([[1]]), [2], [1])  # -log(3 / 9): 11, 1-, -1
    tensor(1.0986)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        """Return the loss of ``log_probs`` (T, N, C) or (T, C) for ``targets``, padded or one after the other."""
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
