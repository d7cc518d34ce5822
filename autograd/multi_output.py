"""Steps with several results: one node for the step, and one "pick" node for each result.

The gradients of the results meet at the step's node as ``Parts``, which the walk adds up like any other gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .node import OUTPUT, Backward, Node, clock


class OutputGrads:
    """The gradients of a step's results, ``None`` where none arrived.

    Sums of ``Parts`` are only noted; ``items`` carries them out, so that a thousand results cost a thousand steps.
    """

    __slots__ = ("noted", "total")
    shape: tuple[Any, ...] = ("parts",)
    dtype: Any = np.dtype(np.void)
    size = 0  # to the walk: too small to be added to in place

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.noted: Any = [(number, item) for number, item in enumerate(items) if item is not None]
        self.total = len(items)

    @classmethod
    def joined(cls, noted: Any, total: int) -> OutputGrads:
        """Return parts of ``total`` results: a list of (number, gradient), or a pair of what is to be added up."""
        made = cls.__new__(cls)
        made.noted, made.total = noted, total
        return made

    def __add__(self, other: OutputGrads) -> OutputGrads:
        return self.joined((self.noted, other.noted), self.total)

    @property
    def items(self) -> tuple[Any, ...]:
        """The gradient of each result."""
        items: list[Any] = [None] * self.total
        stack = [self.noted]
        while stack:
            noted = stack.pop()
            if isinstance(noted, tuple):
                stack += reversed(noted)
                continue
            for number, g in noted:
                items[number] = g if items[number] is None else items[number] + g
        return tuple(items)


def _output_vjp(g: Any, saved: Any, node: Node) -> OutputGrads:
    """Return ``g`` as the gradient of result ``saved[0]`` of ``saved[1]``."""
    return OutputGrads.joined([(saved[0], g)], saved[1])


_OUTPUT = Backward(OUTPUT, OUTPUT, _output_vjp, needs_unbroadcast=False)


def output_node(step: Node, number: int, total: int, array: Any) -> Node:
    """Return the node of result ``number`` of ``step``, which has ``total`` results; ``array`` is its value."""
    node = Node()
    node.backward, node.edges, node.saved, node.hooks = _OUTPUT, (step,), (number, total), None
    node.shape, node.dtype, node.seq = array.shape, array.dtype, next(clock)
    return node
