"""Masks in rules: ``g * mask`` would turn an infinite gradient that is masked out into NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..kernels import mask as masks
from ..primitive import primitive


def _again_keep(g: Any, mask: Any) -> Any:
    return keep(g, mask)


@primitive(input=_again_keep, mask=None, title="WhereBackward0")
def keep(input: Array, mask: Any) -> Array:
    """Return ``input`` where ``mask`` (of its shape) holds, else 0."""
    return masks.keep(input, mask)


def _again_drop(g: Any, mask: Any) -> Any:
    return drop(g, mask)


@primitive(input=_again_drop, mask=None, title="WhereBackward0")
def drop(input: Array, mask: Any) -> Array:
    """Return 0 where ``mask`` (of its shape) holds, else ``input``."""
    return masks.drop(input, mask)


@primitive(input=None)
def zeros(input: Array) -> Array:
    """Return zeros like ``input``."""
    return np.zeros(input.shape, input.dtype)


def flat(g: Any) -> Any:
    """Return the gradient that PyTorch defines for a step function: zeros."""
    return zeros(g)
