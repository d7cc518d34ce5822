"""Steps with several results: one node for the step, and one output node for each result.

The gradients of the results meet at the step's node as ``OutputGrads``, which the walk adds up like any other gradient.
"""

from __future__ import annotations

from typing import Any

from .node import Backward, Node

OUTPUT = "output"
"""The ``Backward.name`` of a node that stands for one result of a step with several."""


class OutputGrads:
    """The gradients of a step's results, ``None`` where none arrived.

    Sums are only noted; ``items`` carries them out, so that a thousand results cost a thousand steps.
    """

    __slots__ = ("noted", "total")

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.noted: Any = [(number, item) for number, item in enumerate(items) if item is not None]
        self.total = len(items)

    @classmethod
    def joined(cls, noted: Any, total: int) -> OutputGrads:
        """Return the gradients of ``total`` results: a list of (number, gradient), or a pair to be added up."""
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
    return Node.record(_OUTPUT, (step,), (number, total), array.shape, array.dtype)
