"""The backward pass as a picture shows it: worked out without leaving a trace on the graph."""

from __future__ import annotations

from typing import Any

from ..autograd.errors import FreedError
from ..autograd.node import Node
from .model import Arrow, Item, Sent, Shape, Stats, Step
from .steps import BackwardStep, backward_steps, flat
from .values import norm_of, stats


class Rehearsal:
    """The results of a rehearsed backward pass: the statistics of each node's gradient, times, and the steps taken.

    ``error`` is what stopped it, and ``stopped`` the node at which it did, if that is known.
    """

    def __init__(self) -> None:
        self.gradients: dict[Node, Stats] = {}
        self.seconds: dict[Node, float] = {}
        self.taken: list[tuple[Node, float, bool, Shape, list[tuple[int, float, bool, Shape]], float]] = []
        self.notes: list[str] = []

    def take(self, step: BackwardStep) -> None:
        """Note what is to be shown of ``step``, and let its arrays go."""
        numbers = flat(step.gradient)
        self.gradients[step.node] = stats(numbers)
        if step.node.backward is None:
            return
        self.seconds[step.node] = step.seconds
        sent = [(slot, *norm_of(flat(g)), _shape(g)) for slot, (_, g) in zip(step.slots, step.sent, strict=True)]
        self.taken.append((step.node, *norm_of(numbers), _shape(step.gradient), sent, step.seconds))

    def steps(self, ids: dict[Node, str], items: list[Item], arrows: list[Arrow]) -> tuple[Step, ...]:
        """Return the steps as data; ``ids`` gives the item of each node."""
        sources = {(arrow.target, arrow.slot): arrow.source for arrow in arrows if arrow.kind != "gradient"}
        found = []
        for node, norm, finite, shape, sent, seconds in self.taken:
            mine = ids[node]
            to = tuple(
                Sent(sources[mine, slot], part_norm, part_shape, part_finite)
                for slot, part_norm, part_finite, part_shape in sent
                if (mine, slot) in sources
            )
            found.append(Step(mine, norm, shape, to, seconds, finite))
        return tuple(found)


def rehearse(tensors: list[Any]) -> Rehearsal:
    """Return the gradients a backward pass from ``tensors`` would give; one of several elements is summed first."""
    found = Rehearsal()
    tensors = [one for one in tensors if not isinstance(one, Node)]
    if not tensors:
        found.notes.append("no backward pass to show: no output requires grad")
        return found
    seeds = [None if one.array.size == 1 else one.detach() * 0 + 1 for one in tensors]
    if any(seed is not None for seed in seeds):
        found.notes.append("outputs of several elements were given gradients of ones")
    try:
        for step in backward_steps(tensors, seeds, accumulate=False):
            found.take(step)
    except FreedError:
        found.notes.append("the backward pass cannot be shown: its saved values were freed by an earlier one")
    except Exception as error:  # whatever a rule, a hook or a user's Function raises: the picture is to show it
        found.notes.append(f"the backward pass raises {type(error).__name__}: {error}")
    return found


def _shape(gradient: Any) -> Shape:
    return (len(gradient),) if isinstance(gradient, tuple) else tuple(gradient.array.shape)
