"""A function's steps, kept so that tangents can be pushed through them again and again without calling it.

A level with a tape notes, where others work out a tangent, that there is one to work out: a slot at the step's node,
and on the tape how to fill it. So this holds whatever the function does, under ``no_grad`` and in place too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import modified_inplace
from .levels import Level, push_kept
from .node import Node
from .tangents import Step, as_tensor
from .variable import Variable


class Linearization:
    """The steps from ``inputs`` to ``values``, what ``call`` returned as a list.

    RuntimeError by :meth:`push` where a value that a step needs was written since.
    """

    def __init__(self, call: Any, inputs: Sequence[Any]) -> None:
        self.tape: list[Step] = []
        level = Level(self.tape)
        self.slots = [object() for _ in inputs]
        with level:
            outputs = call([level.dual(x, (slot,)) for x, slot in zip(inputs, self.slots, strict=True)])
            tensors = [isinstance(out, Variable) for out in outputs]
            self.ends = [level.tangents(o) if yes else None for o, yes in zip(outputs, tensors, strict=True)]
            self.values = [level.primal(o) if yes else o for o, yes in zip(outputs, tensors, strict=True)]
            for step in self.tape:  # the tape has the slots, and no node need speak of this level any more
                for node in step.node, *step.node.edges:
                    getattr(node, "tangents", {}).pop(level.key, None)

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """Return how the values move as the inputs move by ``tangents``, None for what does not."""
        known: dict[Any, Any] = dict(zip(self.slots, tangents, strict=True))
        for step in self.tape:
            given = [None if slot is None else known[slot[0]] for slot in step.given]
            _check(step.node)
            found = push_kept(step, given)
            if isinstance(step.made, tuple):
                known.update(zip(step.made, found, strict=True))
            else:
                known[step.made] = found
        return [None if end is None else as_tensor(known[end[0]]) for end in self.ends]


def _check(node: Node) -> None:
    for one in node.backward.saved_arrays(node) if node.backward is not None else ():
        if one.modified:
            saved_as = f"{one.name!r} by {node.name()}"
            raise RuntimeError(modified_inplace(one.array, one.version, one.saved_version, saved_as))
