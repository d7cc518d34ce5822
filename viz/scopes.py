"""From the module calls that a recorder noted to groups: frames around the steps made inside each call."""

from __future__ import annotations

from typing import Any

from .model import Group
from .names import Names
from .notes import Call, Note

TITLE = 72
"""Longest title of a module, in characters."""


class Scopes:
    """The groups of a picture, made as the steps inside them are met."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.groups: list[Group] = []
        self._ids: dict[int, str] = {}
        self._calls: list[Call] = []  # alive as long as their ids are in use

    def note(self, notes: list[Note]) -> None:
        """Let the modules at the top of the noted calls give names to what is below them."""
        for note in notes:
            call = note.call
            while call is not None and call.parent is not None:
                call = call.parent
            root = None if call is None else call.module()
            if root is not None:
                self.names.module(root)

    def of(self, note: Note | None) -> str:
        """Return the id of the innermost group of a step, or ""."""
        if note is None:
            return ""
        if note.forward is not None:
            return self.gradient()
        return "" if note.call is None else self._group(note.call)

    def gradient(self) -> str:
        """Return the id of the group of all steps that a backward pass recorded."""
        found = self._ids.get(0)
        if found is None:
            found = self._ids[0] = f"g{len(self.groups)}"
            self.groups.append(Group(found, "gradient", "graph of the gradient", "gradient"))
        return found

    def _group(self, call: Call) -> str:
        missing: list[Call] = []
        at: Call | None = call
        while at is not None and id(at) not in self._ids:
            missing.append(at)
            at = at.parent
        for one in reversed(missing):
            mine = self._ids[id(one)] = f"g{len(self.groups)}"
            self._calls.append(one)
            parent = "" if one.parent is None else self._ids[id(one.parent)]
            module = one.module()
            name = self.names.modules.get(id(module), "") if module is not None else ""
            self.groups.append(Group(mine, name, title(module, one.kind), "module", parent, one.number))
        return self._ids[id(call)]


def title(module: Any, kind: str) -> str:
    """Return the name of a module: its class, and for one without children its arguments."""
    if module is None or any(True for _ in module.children()):
        return kind
    text = " ".join(repr(module).split())
    return text if len(text) <= TITLE else text[: TITLE - 1] + "…"
