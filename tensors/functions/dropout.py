"""Dropout: some elements, or whole channels, become zero while training.

Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors", 2012,
https://arxiv.org/abs/1207.0580; the alpha variants: Klambauer et al., "Self-Normalizing Neural Networks", 2017,
https://arxiv.org/abs/1706.02515. The masks are those PyTorch draws from the same seed.
"""

from __future__ import annotations

from typing import Any
from warnings import warn

import numpy as np

from ...autograd.inplace import write_inplace
from ...autograd.variable import Variable, wrap
from ..doors import doors
from ..ops.elementwise.arithmetic import _add, _mul
from ..ops.shape.views import clone
from ..predicates import checked
from ..random.inplace import DEFAULT

_RANGE = "dropout probability has to be between 0 and 1, but got "


@doors("functional")
def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Return ``input`` with elements zeroed with probability ``p``, the others multiplied by ``1 / (1 - p)``.

    Outside of ``training`` it is ``input`` itself. Raises ValueError unless ``0 <= p <= 1``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html

    >>> import rushlight as torch
    >>> torch.dropout(torch.ones(3), 0.5, False)
    tensor([1., 1., 1.])
    """
    _check(p)
    return _scaled("dropout", input, p, training, False, inplace)


@doors("functional")
def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Return ``input`` of shape ``(N, C, L)`` or ``(C, L)`` with whole channels zeroed with probability ``p``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html
    """
    _check(p)
    ndim = checked("dropout1d", input).array.ndim
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input: one spatial dim, a channel dim and "
            "maybe a batch dim. For single elements use dropout."
        )
    return _by_channel("dropout1d", input, p, training, inplace, batched=ndim == 3)


@doors("functional")
def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Return ``input`` of shape ``(N, C, H, W)`` with whole channels zeroed with probability ``p``.

    ``(N, C, L)`` works as well, with a warning. https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
    """
    _check(p)
    ndim = checked("dropout2d", input).array.ndim
    if ndim not in (3, 4):
        _warn("dropout2d", ndim, "(N, C, H, W)")
    if ndim == 3:
        warn(
            "dropout2d: Received a 3D input, which is taken as (N, C, L) and loses channels as in dropout1d, which "
            "says so clearly.",
            UserWarning,
            stacklevel=2,
        )
    return _scaled("dropout2d", input, p, training, True, inplace)


@doors("functional")
def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Return ``input`` of shape ``(N, C, D, H, W)`` or ``(C, D, H, W)`` with channels zeroed with probability ``p``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout3d.html
    """
    _check(p)
    ndim = checked("dropout3d", input).array.ndim
    if ndim not in (4, 5):
        _warn("dropout3d", ndim, "(N, C, D, H, W)")
    return _by_channel("dropout3d", input, p, training, inplace, batched=ndim == 5)


@doors("torch")
def feature_dropout(input: Any, p: float, train: bool) -> Any:
    """Return ``input`` of shape ``(N, C, ...)`` with whole channels zeroed with probability ``p``."""
    _check_core(p)
    return _scaled("feature_dropout", input, p, train, True, False)


@doors("torch functional")
def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Return ``input`` with elements set to SELU's negative limit with probability ``p``, mean and variance kept.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html
    """
    _check(p)
    return _alpha("alpha_dropout", input, p, training, False, inplace)


@doors("torch functional")
def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Return ``input`` with whole channels set to SELU's negative limit with probability ``p``.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html
    """
    _check(p)
    return _alpha("feature_alpha_dropout", input, p, training, True, inplace)


@doors("torch.dropout")
def core_dropout(input: Any, p: float, train: bool) -> Any:
    """Return :func:`dropout`, as ``torch.dropout(input, p, train)``; RuntimeError unless ``0 <= p <= 1``."""
    _check_core(p)
    return _scaled("dropout", input, p, train, False, False)


@doors("torch.dropout_")
def core_dropout_(input: Any, p: float, train: bool) -> Any:
    """Do :func:`core_dropout` in place."""
    _check_core(p)
    return _scaled("dropout", input, p, train, False, True)


# ------------------------------------------------------------------ how


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"{_RANGE}{p}")


def _check_core(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise RuntimeError(f"{_RANGE}{p}")


def _warn(name: str, ndim: int, shape: str) -> None:
    warn(
        f"{name}: Received a {ndim}-D input, which is deprecated: it drops channels of {shape}. Use dropout for single "
        "elements.",
        UserWarning,
        stacklevel=3,
    )


def _model(name: str, input: Any, p: float, features: bool) -> Any:
    array = np.asarray(checked(name, input).array)
    if features and array.ndim < 2 and p != 1:
        raise RuntimeError(
            f"Feature dropout requires at least 2 dimensions in the input, but {name} got shape {list(array.shape)}"
        )
    return _floating(name, array, p)


def _floating(name: str, array: Any, p: float) -> Any:
    """Return ``array``; RuntimeError if it holds integers, which cannot be scaled by ``1 / (1 - p)``."""
    if array.dtype.kind != "f" and p != 1:
        raise RuntimeError(f"{name}(): result type Float can't be cast to the input's type {array.dtype}")
    return array


def _scaled(name: str, input: Any, p: float, training: bool, features: bool, inplace: bool) -> Any:
    """Return ``input`` times a mask, or itself where there is nothing to drop."""
    if p == 0 or not training or not checked(name, input).array.size:
        return input
    mask = _constant(DEFAULT.stream.dropout_mask(_model(name, input, p, features), p, features))
    return write_inplace(input, _mul, (mask,), {}, f"{name}_") if inplace else _mul(input, mask)


def _alpha(name: str, input: Any, p: float, training: bool, features: bool, inplace: bool) -> Any:
    """Return ``input`` times a mask plus a shift."""
    if p == 0 or not training or not checked(name, input).array.size:
        return input
    scale, shift = DEFAULT.stream.alpha_mask(_model(name, input, p, features), p, features)
    made = write_inplace(input, _mul, (_constant(scale),), {}, f"{name}_") if inplace else _mul(input, _constant(scale))
    if p == 1:
        return made
    return write_inplace(made, _add, (_constant(shift),), {}, f"{name}_") if inplace else _add(made, _constant(shift))


def _by_channel(name: str, input: Any, p: float, training: bool, inplace: bool, batched: bool) -> Any:
    """Drop channels of ``input``, whose first dim counts channels unless it is ``batched``."""
    if batched:
        return _scaled(name, input, p, training, True, inplace)
    if p == 0 or not training or not input.array.size:
        return input if inplace else clone(input)
    mask = DEFAULT.stream.dropout_mask(_floating(name, np.asarray(input.array), p)[None], p, True)[0]
    return write_inplace(input, _mul, (_constant(mask),), {}, f"{name}_") if inplace else _mul(input, _constant(mask))


def _constant(mask: Any) -> Any:
    return wrap(Variable.result, mask)
