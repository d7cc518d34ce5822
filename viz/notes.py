"""A recorder's notes on a node: its module calls, its place in the program, the time it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType

from ..autograd.node import Node
from .model import Stats

KEY = "rushlight.viz"
"""Where in ``node.metadata`` the note lies."""


@dataclass(slots=True)
class Call:
    """One call of a module, as part of the call ``parent``; ``start`` and ``end`` are seconds of the clock."""

    module: ReferenceType[Any]
    kind: str
    number: int
    parent: Call | None
    start: float
    end: float


@dataclass(slots=True)
class Write:
    """A write in place: by which method, into which memory, and the version before."""

    name: str
    target: int
    before: int


@dataclass(slots=True)
class Note:
    """The facts noted when a node was made.

    ``forward`` is the node whose rule made it, if it is part of the graph of a gradient.
    """

    call: Call | None
    file: str
    line: int
    function: str
    start: float
    seconds: float
    value: Stats | None = None
    write: Write | None = None
    forward: Node | None = None


def note_of(node: Node) -> Note | None:
    """Return the note on ``node``, or None if nobody was recording."""
    metadata = node.__dict__.get("metadata")
    note: Note | None = None if metadata is None else metadata.get(KEY)
    return note
