"""Tangents: how fast a value moves, noted at its node.

A node is a value's identity in the graph, whatever tensor shows it, so that is where its tangents are:
``node.tangents`` maps the key of a level to one tangent for each direction of that level. A value that only moves needs
no steps behind it: its node is a *carrier*, which has no edges and saved nothing, and does not make it require grad.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import ref

from .multi_output import OUTPUT
from .node import Backward, Node, clock
from .variable import Variable, as_ndarray, ensure_version, new_leaf, wrap

CARRIER = Backward("carrier", "CarrierBackward0", lambda g, saved, node: None)
"""What a carrier does on the way back: nothing."""
DUAL = Backward("dual", "ViewBackward0", lambda g, saved, node: g, needs_unbroadcast=False)
"""The step between a tensor and a tensor on the same memory with other tangents: gradients pass."""


SHORTCUTS: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {}
"""For an op where the way by its rule costs too much, what says its tangent on arrays: of the tangents of the inputs
that move and of the saved values, both by name. The ops fill it in."""


class Key:
    """The name of a level in ``node.tangents``. It lives as long as the level or a tangent of it.

    over    whether the level is over
    tape    where the level notes its steps instead of tangents (``linearization.py``), or None
    seq     when it began
    owned   the nodes whose tangents have a graph, which may lead back to the node: at the end of the level they let go
    """

    __slots__ = ("__weakref__", "over", "owned", "seq", "tape")

    def __init__(self, tape: list[Step] | None = None) -> None:
        self.over, self.tape, self.seq = False, tape, next(clock)
        self.owned: list[ref[Node]] = []

    def end(self) -> None:
        """Let no value move at this level any more."""
        self.over = True
        for one in self.owned:
            node = one()
            if node is not None:
                node.__dict__["tangents"][self] = ()
        self.owned.clear()


class Step(NamedTuple):
    """One step on a tape.

    began   when the level of the tape began
    node    the step
    value   arrays of the shape and dtype of its result
    given   the slots of its edges' tangents, None for what does not move
    made    the slots of its own
    alive   whether its tangent has a graph
    """

    began: int
    node: Node
    value: Any
    given: list[Any]
    made: Any
    alive: bool


def tangents_of(node: Node | None, key: Key) -> tuple[Any, ...] | None:
    """Return the tangents of ``node`` at the level of ``key``, one for each direction, or None if it does not move."""
    found = getattr(node, "tangents", None)
    if found is not None and key in found:
        return found[key]  # type: ignore[no-any-return]
    if node is None or node.backward is None or node.backward.name != OUTPUT:
        return None
    each, number = tangents_of(node.edge, key), (node.saved or (0,))[0]
    return None if each is None else tuple(one[number] for one in each)


def moving(node: Node | None) -> dict[Key, tuple[Any, ...]]:
    """Return the tangents of ``node`` at all levels that are not over."""
    if node is not None and node.backward is not None and node.backward.name == OUTPUT:
        return {key: tangents_of(node, key) or () for key in moving(node.edge)} | _at(node)
    return _at(node)


def _at(node: Node | None) -> dict[Key, tuple[Any, ...]]:
    found = getattr(node, "tangents", None)
    return {} if found is None else {key: each for key, each in found.items() if not key.over}


class Seen:
    """What no walk need look for before it is there."""

    carriers = False  # whether a carrier was ever made


def carries_only(node: Node) -> bool:
    """Return whether no gradient can pass ``node``: it is there for tangents only."""
    kind = node.backward
    return kind is CARRIER or (kind is not None and kind.name == OUTPUT and node.edge.backward is CARRIER)


def hold(node: Node, tangents: dict[Key, tuple[Any, ...]]) -> None:
    """Let ``tangents`` be those of ``node``."""
    node.__dict__["tangents"] = tangents
    for key, each in tangents.items():
        if any(isinstance(one, Variable | tuple) for one in each):
            key.owned.append(ref(node))


def since(node: Node) -> int:
    """Return since when ``node`` leads to a leaf: that of a transform that began inside of a level is none of its."""
    if node.backward is not None and node.backward.name == OUTPUT:
        node = node.edge
    found: int = getattr(node, "since", 0)
    return found


def carrier(shape: Any, dtype: Any, tangents: dict[Key, tuple[Any, ...]]) -> Node:
    """Return a node that holds ``tangents`` of a value and nothing else."""
    Seen.carriers = True
    made = Node.record(CARRIER, (), (), shape, dtype)
    hold(made, tangents)
    return made


def without_history(x: Any) -> Any:
    """Return a tensor on the memory of ``x`` that leads to no step, and moves as ``x`` does."""
    made = wrap(x.result, as_ndarray(x), None, ensure_version(x))
    tangents = moving(x.node)
    if tangents:
        made.node = carrier(made.array_shape, made.array_dtype, tangents)
    return made


def fresh_leaf(x: Any) -> Any:
    """Return a leaf on the memory of ``x``, which requires grad and moves as ``x`` does: the input of a transform."""
    made = wrap(x.result, as_ndarray(x), None, ensure_version(x))
    leaf: Any = new_leaf(made)
    leaf.since = leaf.seq
    tangents = moving(x.node)
    if tangents:
        hold(leaf, tangents)
    made.node = leaf
    return made


def as_tensor(tangent: Any) -> Any:
    """Return a tangent, kept as an array where it depends on nothing, as a tensor."""
    return tangent if isinstance(tangent, Variable) else wrap(Variable.result, tangent)
