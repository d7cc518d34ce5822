"""Steps with several results: one node for the step, and one "pick" node for each result.

The gradients of the results meet at the step's node as ``Parts``, which the walk adds up like any other gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import PICK, Node, Op, clock


class Parts:
    """The gradients of a step's results, ``None`` where none arrived."""

    __slots__ = ("items",)
    shape: tuple[Any, ...] = ("parts",)
    dtype: Any = np.dtype(np.void)

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items

    def __add__(self, other: Parts) -> Parts:
        pairs = zip(self.items, other.items, strict=True)
        return Parts(tuple(b if a is None else a if b is None else a + b for a, b in pairs))


def _pull(g: Any, saved: Any, edges: Any) -> tuple[Parts]:
    """Return ``g`` as the gradient of result ``saved[0]`` of ``saved[1]``."""
    items: list[Any] = [None] * saved[1]
    items[saved[0]] = g
    return (Parts(tuple(items)),)


_PICK = Op(PICK, PICK, _pull, settles=False)


def pick(step: Node, number: int, total: int, array: Any) -> Node:
    """Return the node of result ``number`` of ``step``, which has ``total`` results; ``array`` is its value."""
    node = Node()
    node.op, node.edges, node.saved, node.hooks = _PICK, (step,), (number, total), None
    node.shape, node.dtype, node.seq = array.shape, array.dtype, next(clock)
    return node
