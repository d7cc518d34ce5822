"""Shape functions. Most return views."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..primitive import primitive


def _title(index: Any) -> str:
    return "SelectBackward0" if index and isinstance(index[-1], int) else "SliceBackward0"


@primitive(view=True, input=lambda g, input_shape, index: scatter_slice(g, input_shape, index), title=_title)
def getitem(input: Array, index: tuple[Any, ...]) -> Array:
    """Return ``input[index]`` for integers, slices, None and Ellipsis: a view."""
    out: Array = input[(*index, ...)] if Ellipsis not in index else input[index]
    return out


@primitive(g=lambda g, index: getitem(g, index))
def scatter_slice(g: Array, shape: tuple[int, ...], index: tuple[Any, ...]) -> Array:
    """Return zeros of ``shape`` with ``g`` at ``index``; the dual of ``getitem``."""
    out = np.zeros(shape, g.dtype)
    out[index] = g
    return out
