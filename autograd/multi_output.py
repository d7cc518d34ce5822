"""Steps with several results: one node for the step, and one output node for each result.

The gradients of the results meet at the step's node as ``OutputGrads``, which the walk adds up like any other gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import ref

from .node import Backward, Node, clock
from .variable import Variable, wrap
from .version import Version

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
    node = Node()
    node.backward, node.saved, node.shape, node.dtype = _OUTPUT, (number, total), array.shape, array.dtype
    node.edge, node.other_edges, node.hooks, node.seq = step, None, None, next(clock)
    return node


def step_of(node: Node) -> tuple[Node, int]:
    """Return the step that made the value of ``node``, and as which of its results."""
    if node.backward is _OUTPUT and node.saved is not None:
        return node.edge, node.saved[0]
    return node, 0


def results_of(step: Node, arrays: Sequence[Any], versions: Sequence[Version | None]) -> tuple[Any, ...]:
    """Return ``arrays`` as the results of ``step``, tensors with these ``versions``."""
    total = len(arrays)
    nodes = [output_node(step, number, total, array) for number, array in enumerate(arrays)]
    step.__dict__["outputs"] = tuple(map(ref, nodes))
    return tuple([wrap(Variable.result, *each) for each in zip(arrays, nodes, versions, strict=True)])


def result_node(step: Node, number: int, array: Any) -> Node:
    """Return the node of result ``number`` of ``step``, which is ``array``: the step itself if it has one result.

    An output node is gone where no tensor and no later step has it any more; another one then leads to the step as
    well, so that what ``step`` saved of its results is tied to the graph.
    """
    if step.shape is not None:
        return step
    outputs = step.__dict__["outputs"]
    return outputs[number]() or output_node(step, number, len(outputs), array)
