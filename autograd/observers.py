"""Those who look at each node as it is recorded, and what they are told of the engine meanwhile."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from .recording import Observer, is_grad_enabled, observer, set_recording


class Observers(Observer):
    """Several observers, told in the order in which they were entered."""

    def __init__(self, members: tuple[Observer, ...]) -> None:
        self.members = members

    def node_made(self, node: Any, value: Any) -> bool:
        """Tell each of them about a new node, until one drops it."""
        return any(member.node_made(node, value) for member in self.members)


def members() -> tuple[Observer, ...]:
    """Return those who look on, in the order in which they are told."""
    now = observer.get()
    return now.members if isinstance(now, Observers) else () if now is None else (now,)


def _set_members(members: tuple[Observer, ...]) -> None:
    observer.set(Observers(members) if len(members) > 1 else members[0] if members else None)
    set_recording(is_grad_enabled())


class Watch:
    """Context in which an observer is told of every recorded node."""

    def __init__(self, watcher: Observer) -> None:
        self.observer = watcher
        self.before: list[tuple[Observer, ...]] = []

    def __enter__(self) -> Observer:
        self.before.append(members())
        _set_members((*members(), self.observer))
        return self.observer

    def __exit__(self, *_: object) -> None:
        _set_members(self.before.pop())


def remove_observer(watcher: Observer) -> None:
    """Tell ``watcher`` no more."""
    _set_members(tuple(each for each in members() if each is not watcher))


class Activity(NamedTuple):
    """Something that the engine does, for observers: ``kind`` is "write", "rebase", "refresh" or "backward".

    ``subject`` is the tensor that is written, whose history changes, or that is refreshed; or the node whose vjp runs.
    """

    kind: str
    subject: Any
    name: str = ""


activities: ContextVar[tuple[Activity, ...]] = ContextVar("activities", default=())
"""The activities that are going on, outermost first; kept only while an observer looks on."""


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
