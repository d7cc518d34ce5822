"""Convolution of sequences whose first dim is time, and a linear layer with its loss."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np

from ...arrays.dtypes import dtype_of
from ...autograd.arguments import array_of
from ..doors import doors
from ..ops.loss.cross_entropy import cross_entropy
from ..ops.matrix.linear import linear
from ..ops.shape.views import reshape


def _checked_linear(x: Any, weight: Any, bias: Any) -> None:
    """Raise RuntimeError unless the shapes make a linear layer and a loss."""
    if x.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {x.ndim}")
    if weight.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {weight.ndim}")
    if x.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{x.shape[-1]} and {weight.shape[-1]}, respectively"
        )
    if bias is not None and bias.shape != weight.shape[:-1]:
        raise RuntimeError(f"expected linear_bias shape {weight.shape[:-1]}, got {bias.shape}")
    if weight.ndim > 2 and x.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {weight.shape} requires batched input, "
            f"(N, {x.shape[-1]}), got unbatched input with shape {x.shape}"
        )


@doors("functional")
def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Any:
    """Return ``cross_entropy(linear(input, linear_weight, linear_bias), target, ...)``.

    ``input`` is (N, F) or (F), ``linear_weight`` (C, F) or (C, d1, ..., F), and the scores are (N, C, d1, ...).
    ``options`` tell PyTorch to compute in chunks; here they change nothing but a warning where PyTorch ignores them
    too. RuntimeError for shapes that do not fit, and for an ``ignore_index`` with probabilities as targets.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.linear_cross_entropy.html
    """
    x, table = array_of(input, "linear_cross_entropy"), array_of(linear_weight, "linear_cross_entropy", "weight", 2)
    goal = array_of(target, "linear_cross_entropy", "target", 3)
    shift = None if linear_bias is None else array_of(linear_bias, "linear_cross_entropy", "linear_bias", 4)
    _checked_linear(x, table, shift)
    shape = (*x.shape[:-1], *table.shape[:-1])
    if goal.shape == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    features = table.shape[1:-1]
    plain = reduction in {"mean", "sum", "none"} and label_smoothing == 0.0 and goal.dtype == np.int64
    if options is not None and (features or not plain):
        warnings.warn(
            "linear_cross_entropy: ``options`` ignored: chunks need reduction 'mean', 'sum' or 'none', no label "
            f"smoothing, int64 targets and a matrix of weights, but got reduction={reduction!r}, "
            f"label_smoothing={label_smoothing}, target.dtype={dtype_of(goal.dtype)}, out_features={features}.",
            stacklevel=2,
        )
    if features:
        linear_weight = reshape(linear_weight, (prod(table.shape[:-1]), x.shape[-1]))
        linear_bias = None if linear_bias is None else reshape(linear_bias, (-1,))
    scores = reshape(linear(input, linear_weight, linear_bias), shape)
    ignored = -100 if ignore_index is None else ignore_index
    return cross_entropy(
        scores, target, weight, ignore_index=ignored, reduction=reduction, label_smoothing=label_smoothing
    )
