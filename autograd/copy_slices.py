"""The op behind every recorded write into a view: a copy of the base, of which a part is replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.dtypes import Array
from .primitive import primitive
from .view import replay


@primitive(input=lambda g: g, grad_fn_name="CloneBackward0")
def copied(input: Array, order: Any = "C") -> Array:
    """Return a copy of ``input``."""
    return np.array(input, order=order)


_ZERO = np.zeros(())


def _without_part(g: Any, view_ops: tuple[Any, ...]) -> Any:
    return copy_slices(g, _ZERO, view_ops)


def _with_part(array: Any, view_ops: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return ``array`` and what ``view_ops`` show of it.

    A step such as ``view`` depends on the order in memory, which for a gradient may differ from that of the tensor it
    belongs to: then of a copy, row by row or column by column. RuntimeError if the steps fit none of them.
    """
    for order in ("C", "F"):
        try:
            return array, replay(array, view_ops)
        except RuntimeError:
            array = copied(array, order)
    return array, replay(array, view_ops)


def _part(g: Any, view_ops: tuple[Any, ...]) -> Any:
    return _with_part(g, view_ops)[1]


@primitive(base=_without_part, value=_part, grad_fn_name="CopySlices")
def copy_slices(base: Array, value: Any, view_ops: tuple[Any, ...]) -> Array:
    """Return ``base`` with the part that ``view_ops`` look at replaced by ``value``."""
    out: Array
    out, part = _with_part(np.array(base), view_ops)
    part[...] = value
    return out
