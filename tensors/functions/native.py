"""Functions of the top level whose signature differs from that of ``torch.nn.functional``.

``reduction`` is a number there: 0 none, 1 mean, 2 sum. PyTorch declares a mean as the default, but a call without
``reduction`` returns the single losses there; so it does here. Max poolings return the indices beside the maxima.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays.dtypes import dtype_of
from ...autograd.arguments import array_of
from ...autograd.inplace import check_inplace
from ...autograd.recording import recording
from ...autograd.variable import Variable, wrap
from ..doors import doors
from ..ops.index import embedding as _embedding
from ..ops.loss import common, ctc, likelihood, pointwise
from ..ops.loss import margin as _margin
from ..ops.loss.common import REDUCTIONS
from ..ops.window import average_pool, max_pool


def _named(reduction: int) -> str:
    """Return the name of a reduction; RuntimeError for a number that has none."""
    if type(reduction) is not int:
        raise TypeError(f"argument 'reduction' must be int, not {type(reduction).__name__}")
    if not 0 <= reduction <= 2:
        raise RuntimeError(f"{reduction} is no reduction: 0 is none, 1 mean, 2 sum")
    return REDUCTIONS[reduction]


@doors("torch")
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: int = 0
) -> Any:
    """Return the cross-entropy of ``sigmoid(input)`` and ``target``."""
    return pointwise.binary_cross_entropy_with_logits(
        input, target, weight, pos_weight=pos_weight, reduction=_named(reduction)
    )


@doors("torch")
def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: int = 0) -> Any:
    """Return :func:`torch.nn.functional.cosine_embedding_loss`."""
    return _margin.cosine_embedding_loss(input1, input2, target, margin, reduction=_named(reduction))


@doors("torch")
def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: int = 0) -> Any:
    """Return :func:`torch.nn.functional.hinge_embedding_loss`."""
    return _margin.hinge_embedding_loss(input, target, margin, reduction=_named(reduction))


@doors("torch")
def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: int = 0) -> Any:
    """Return :func:`torch.nn.functional.margin_ranking_loss`."""
    return _margin.margin_ranking_loss(input1, input2, target, margin, reduction=_named(reduction))


@doors("torch")
def kl_div(input: Any, target: Any, reduction: int = 0, *, log_target: bool = False) -> Any:
    """Return the Kullback-Leibler divergence."""
    name = _named(reduction)
    losses = likelihood.kl_div(input, target, reduction="none", log_target=log_target)
    return common.finished(losses, name)


@doors("torch")
def poisson_nll_loss(input: Any, target: Any, log_input: bool, full: bool, eps: float, reduction: int) -> Any:
    """Return :func:`torch.nn.functional.poisson_nll_loss`."""
    return likelihood.poisson_nll_loss(input, target, log_input, full, None, eps, reduction=_named(reduction))


@doors("torch")
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 0,
) -> Any:
    """Return :func:`torch.nn.functional.triplet_margin_loss`; here any ``margin`` is taken."""
    return _margin.triplet_losses(anchor, positive, negative, margin, p, eps, swap, _named(reduction))


@doors("torch")
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Any:
    """Return :func:`torch.nn.functional.ctc_loss`."""
    return ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _named(reduction), zero_infinity)


@doors("torch")
def embedding(
    weight: Any, indices: Any, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Any:
    """Return the rows of ``weight`` at ``indices``; a ``padding_idx`` of -1 is none."""
    padding = None if padding_idx < 0 else padding_idx
    return _embedding.embedding(indices, weight, padding, None, 2.0, scale_grad_by_freq, sparse)


@doors("torch")
def embedding_renorm_(input: Any, indices: Any, max_norm: float, norm_type: float) -> Any:
    """Scale down, in place, the rows of ``input`` at ``indices`` whose norm is above ``max_norm``; return ``input``."""
    table = array_of(input, "embedding_renorm_")
    if table.ndim != 2:
        raise RuntimeError(f"embedding_renorm_: expected a 2-dimensional tensor, but got {table.ndim} dimensions")
    if table.dtype.kind != "f":
        raise RuntimeError(f"embedding_renorm_: input must be floating point, not {dtype_of(table.dtype)}")
    if isinstance(input, Variable) and recording.get():
        check_inplace(input)
    _embedding.embedding(indices, input, None, max_norm, norm_type)
    return input


_MODES = ("sum", "mean", "max")


@doors("torch")
def embedding_bag(
    weight: Any,
    indices: Any,
    offsets: Any,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Any, Any, Any, Any]:
    """Return a row for each bag (``mode`` 0: sums, 1: means, 2: maxima), and PyTorch's notes for its backward pass.

    These are the bag of each index, the size of each bag, and the index of each maximum, as far as the mode needs them.
    """
    if array_of(indices, "embedding_bag", "indices", 2).ndim != 1:
        raise RuntimeError(f"input has to be a 1D Tensor, but got Tensor of dimension {indices.ndim}")
    made = _embedding.embedding_bag(
        indices,
        weight,
        offsets,
        scale_grad_by_freq=scale_grad_by_freq,
        mode=_MODES[mode],
        sparse=sparse,
        per_sample_weights=per_sample_weights,
        include_last_offset=include_last_offset,
        padding_idx=padding_idx,
    )
    index = array_of(indices, "embedding_bag").astype(np.int64)
    bounds = _embedding.bounds_of(array_of(offsets, "embedding_bag"), len(index), include_last_offset)
    bag = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    counts = np.ones(len(index), bool)
    if padding_idx is not None:
        table = array_of(weight, "embedding_bag")
        counts = index != padding_idx % max(len(table), 1)
    size = largest = np.zeros(len(bounds) - 1, np.int64)
    if mode:
        size = largest = np.bincount(bag[counts], minlength=len(bounds) - 1)
    if mode == 2:
        rows = array_of(weight, "embedding_bag")[index[counts]]
        largest = _embedding.winners(rows, bag[counts], len(size))
        largest = index[counts][largest] if counts.any() else largest
    notes = bag if mode or padding_idx is not None else bag[:0], size, largest
    return made, *[wrap(type(made), note) if isinstance(made, Variable) else note for note in notes]


def _with_places(function: Any, name: str) -> Any:
    """Return ``function`` with ``return_indices`` always on; the argument is taken, and changes nothing."""

    def pooled(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return function(input, kernel_size, stride, padding, dilation, ceil_mode, True)

    pooled.__name__ = pooled.__qualname__ = name
    pooled.__doc__ = f"Return the maxima of windows, as :func:`{function.__name__}`, and their flat int64 indices."
    return pooled


def _adaptive_with_places(function: Any, name: str) -> Any:
    def pooled(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        return function(input, output_size, True)

    pooled.__name__ = pooled.__qualname__ = name
    pooled.__doc__ = f"Return the maxima of windows, as :func:`{function.__name__}`, and their flat int64 indices."
    return pooled


max_pool1d_with_indices = doors("torch functional")(_with_places(max_pool.max_pool1d, "max_pool1d_with_indices"))


max_pool2d_with_indices = doors("functional")(_with_places(max_pool.max_pool2d, "max_pool2d_with_indices"))


max_pool3d_with_indices = doors("functional")(_with_places(max_pool.max_pool3d, "max_pool3d_with_indices"))


adaptive_max_pool1d_with_indices = doors("functional")(
    _adaptive_with_places(average_pool.adaptive_max_pool1d, "adaptive_max_pool1d_with_indices")
)


adaptive_max_pool2d_with_indices = doors("functional")(
    _adaptive_with_places(average_pool.adaptive_max_pool2d, "adaptive_max_pool2d_with_indices")
)


adaptive_max_pool3d_with_indices = doors("functional")(
    _adaptive_with_places(average_pool.adaptive_max_pool3d, "adaptive_max_pool3d_with_indices")
)


@doors("torch")
def adaptive_max_pool1d(input: Any, output_size: Any) -> Any:
    """Return the maxima of ``output_size`` windows over the last dim, and their places."""
    return average_pool.adaptive_max_pool1d(input, output_size, True)
