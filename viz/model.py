"""What a picture shows, as plain data: items and arrows between them. Knows no engine and no Graphviz."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One box. ``kind`` is "step", "leaf" or "output"; ``rows`` are further lines of text."""

    id: str
    kind: str
    name: str
    shape: tuple[int, ...] | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the item that made a value to the item that read it."""

    source: str
    target: str
    kind: str = "data"


@dataclass(frozen=True, slots=True)
class Graph:
    """The items and arrows of one picture, in the order in which they were met."""

    items: tuple[Item, ...] = ()
    arrows: tuple[Arrow, ...] = ()

    def to_dict(self) -> dict[str, list[dict[str, object]]]:
        """Return the graph as dicts and lists, ready for JSON."""
        items: list[dict[str, object]] = [
            {
                "id": item.id,
                "kind": item.kind,
                "name": item.name,
                "shape": None if item.shape is None else list(item.shape),
                "rows": list(item.rows),
            }
            for item in self.items
        ]
        arrows: list[dict[str, object]] = [
            {"source": arrow.source, "target": arrow.target, "kind": arrow.kind} for arrow in self.arrows
        ]
        return {"items": items, "arrows": arrows}


def size(shape: tuple[int, ...]) -> str:
    """Return a shape as text, such as "(2, 3)"."""
    return f"({', '.join(map(str, shape))})"
