"""Those who look at each node as it is recorded, and what they are told of the engine meanwhile."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple


class Observer:
    """Looks at every node as it is recorded: base of anomaly detection, saved-tensor hooks, tracing."""

    def node_made(self, node: Any, value: Any) -> None:
        """Be told of ``node``, complete but not yet seen by anyone, and of the array (or arrays) it stands for."""


class Observers(Observer):
    """Several observers, told in the order in which they were entered."""

    def __init__(self, members: tuple[Observer, ...]) -> None:
        self.members = members

    def node_made(self, node: Any, value: Any) -> None:
        """Tell each of them about a new node."""
        for member in self.members:
            member.node_made(node, value)


class Activity(NamedTuple):
    """What the engine is doing, for observers: ``kind`` is "write", "rebase", "refresh" or "backward".

    ``subject`` is the tensor that is written, whose history changes, or that is refreshed; or the node whose vjp runs.
    """

    kind: str
    subject: Any
    name: str = ""


observers: ContextVar[tuple[Observer, ...]] = ContextVar("observers", default=())


activities: ContextVar[tuple[Activity, ...]] = ContextVar("activities", default=())
"""What is going on, outermost first; kept only while an observer looks on."""


class Doing:
    """Context of one :class:`Activity`."""

    __slots__ = ("activity", "before")

    def __init__(self, kind: str, subject: Any, name: str = "") -> None:
        self.activity = Activity(kind, subject, name)

    def __enter__(self) -> None:
        self.before = activities.get()
        activities.set((*self.before, self.activity))

    def __exit__(self, *_: object) -> None:
        activities.set(self.before)
