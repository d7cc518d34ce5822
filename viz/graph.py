"""``Graph``: the plain data of a picture, and the doors to every form it can take."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from . import schema
from .model import GraphData
from .totals import headline, totals


@dataclass(frozen=True, slots=True, repr=False)
class Graph(GraphData):
    """A computation graph as frozen data; :func:`trace` makes it, renderers read it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as dicts and lists, ready for JSON: ``docs/graph-schema.md``."""
        return schema.to_dict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Return the graph as JSON text."""
        separators = (",", ":") if indent is None else None
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, separators=separators, allow_nan=False)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the graph that :meth:`to_dict` described; ValueError for what is none."""
        return schema.from_dict(data, cls)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the graph that :meth:`to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @property
    def totals(self) -> dict[str, int]:
        """The numbers of steps, parameters, bytes and so on."""
        return totals(self)

    def __repr__(self) -> str:
        return f"<Graph of {self.title}: {headline(self)}>"
