"""The graph as text for a terminal: from the outputs down to the leaves."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from .fitting import fit
from .model import Arrow, GraphData, Item, Mark, amount, gradient_text, size
from .sources import place
from .totals import headline

LIMIT = 250
"""Items of a graph that is printed; larger ones are folded."""
_SIGNS = {"step": "●", "parameter": "▣", "leaf": "▢", "constant": "◇", "output": "◎", "error": "✗", "group": "▸"}
_PLAIN = {"step": "*", "parameter": "#", "leaf": "o", "constant": "-", "output": "@", "error": "X", "group": ">"}
_ASCII = str.maketrans("├└─│×·→↗…‖∂⚠–↻┈▽", "|`-|x->^~|d!-@.v")
_COLOURS = {
    "step": "36", "parameter": "33", "leaf": "33", "constant": "2", "output": "32;1", "error": "31;1", "group": "36;1",
    "bad": "31;1", "warn": "35", "note": "2", "dim": "2",
}  # fmt: skip
_MARKS = {"bad": "⚠ ", "warn": "⚠ ", "note": ""}


@dataclass
class _Line:
    rail: str
    item: Item | None
    text: str
    kind: str


def text(graph: GraphData, *, color: bool | None = None, ascii: bool | None = None, limit: int = LIMIT) -> str:
    """Return ``graph`` as lines of text, the outputs first, each step above what it read.

    A step that several others read stands below the last of them; the others show its number. Colour and signs beyond
    ASCII are used if standard output takes them (``NO_COLOR`` is respected). Above ``limit`` items it is folded.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> print(viz.text(viz.trace((x * x).sum(), {"x": x}, values=False), color=False, ascii=True))
    graph: 2 steps
    @ output  ()
    * sum     ()
    * mul     (2)
    |-o x     (2)  ^ shared x2
    `-o x     (2)  ^ shared x2
    """
    said = headline(graph)
    shown = fit(graph, limit)
    lines = _Tree(shown).lines()
    paint = _wants_colour() if color is None else color
    plain = not _takes_signs() if ascii is None else ascii
    notes = [f"note: {note}" for note in shown.notes]
    rows = _rows(shown, lines, paint)
    whole = "\n".join([f"{graph.title or 'graph'}: {said}", *rows, *notes])
    if not plain:
        return whole
    for kind, sign in _SIGNS.items():
        whole = whole.replace(sign, _PLAIN[kind])
    return whole.translate(_ASCII)


def _wants_colour() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout is not None and sys.stdout.isatty())


def _takes_signs() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "├▣●×‖∂⚠".encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


class _Tree:
    """Puts the items in the order in which they are printed; a stack of its own, as graphs are deep."""

    def __init__(self, graph: GraphData) -> None:
        self.graph = graph
        self.items = {item.id: item for item in graph.items}
        self.sources: dict[str, list[Arrow]] = defaultdict(list)
        self.waiting: dict[str, int] = defaultdict(int)
        for arrow in graph.arrows:
            if arrow.kind == "gradient":
                continue
            self.sources[arrow.target].append(arrow)
            if arrow.kind != "carry":
                self.waiting[arrow.source] += 1
        self.found: list[_Line] = []
        self.referred: set[str] = set()

    def lines(self) -> list[_Line]:
        """Return a line for each item, and for each reference to a step that is shown elsewhere."""
        ends = [item for item in self.graph.items if not self.waiting[item.id]]
        for end in reversed(ends):
            self._down(end)
        return self.found

    def _down(self, end: Item) -> None:
        stack: list[tuple[str, str, str, Arrow | None]] = [("", "", end.id, None)]
        while stack:
            rail, below, mine, arrow = stack.pop()
            item = self.items[mine]
            if arrow is not None:
                self.waiting[mine] -= 1
                if arrow.kind == "carry" or (self.waiting[mine] > 0 and item.kind in {"step", "group"}):
                    self._refer(rail, item, arrow)
                    continue
            self.found.append(_Line(rail, item, "", "" if arrow is None else arrow.kind))
            stack += reversed(self._next(below, mine))

    def _next(self, rail: str, mine: str) -> list[tuple[str, str, str, Arrow | None]]:
        """Return the lines below an item: its leaves and side branches, and at last its oldest source."""
        arrows = self.sources[mine]
        straight = [a for a in arrows if self.items[a.source].kind in {"step", "group"} and a.kind != "carry"]
        oldest = min(straight, key=lambda a: (self.items[a.source].order, a.slot), default=None)
        side = [a for a in arrows if a is not oldest]
        if oldest is not None and oldest.source in {a.source for a in side}:
            side, oldest = arrows, None
        found: list[tuple[str, str, str, Arrow | None]] = []
        for number, arrow in enumerate(side):
            last = oldest is None and number == len(side) - 1
            branch = rail + ("└─" if last else "├─")
            found.append((branch, rail + ("  " if last else "│ "), arrow.source, arrow))
        if oldest is not None:
            found.append((rail, rail, oldest.source, oldest))
        return found

    def _refer(self, rail: str, item: Item, arrow: Arrow) -> None:
        self.referred.add(item.id)
        sign = "↻ from the turn before: " if arrow.kind == "carry" else "↗ "
        self.found.append(_Line(rail or "└─", None, f"{sign}{item.name} #{item.order}", "reference"))


def _rows(graph: GraphData, lines: list[_Line], paint: bool) -> list[str]:
    """Return the lines as text in columns."""
    items = {item.id: item for item in graph.items}
    numbered = {line.text.rpartition("#")[2] for line in lines if line.item is None}
    groups = {group.id: group for group in graph.groups}
    cells: list[tuple[str, str, str, Item | None]] = []
    for line in lines:
        item = line.item
        if item is None:
            cells.append((line.rail, line.text, "", None))
            continue
        number = f" #{item.order}" if item.kind in {"step", "group"} and str(item.order) in numbered else ""
        times = f" × {item.repeat}" if item.repeat > 1 else ""
        name = item.name.replace("\n", " ") or item.kind
        cells.append((line.rail, f"{_SIGNS[item.kind]} {name}{number}{times}", _shape(item), items[item.id]))
    first = min(max((len(rail + name) for rail, name, _, _ in cells), default=0), 60)
    second = min(max((len(shape) for _, _, shape, _ in cells), default=0), 30)
    found = []
    for rail, name, shape, item in cells:
        gap = " " * max(first - len(rail + name), 0)
        if item is None:
            found.append((rail + _paint(name, "dim", paint)).rstrip())
            continue
        rest = _facts(item, groups.get(item.group), paint)
        head = rail + _paint(name, item.kind, paint) + gap
        found.append(f"{head}  {shape:{second}}  {rest}".rstrip())
    return found


def _shape(item: Item) -> str:
    if item.shape is not None:
        return size(item.shape) + ("" if item.dtype in {"float32", ""} else f" {item.dtype}")
    return f"{len(item.results)} results" if item.results else ""


def _facts(item: Item, group: Any, paint: bool) -> str:
    """Return the further facts of an item, in one line."""
    parts = []
    if item.kind == "group":
        parts.append(f"{item.count} steps")
    if item.uses > 1:
        parts.append(f"↗ shared ×{item.uses}")
    parts += [f"= {value}" for key, value in item.attributes if key == "variable"]
    if item.view:
        parts.append("view")
    if item.write is not None and item.kind == "step":
        parts.append(f"in place v{item.write[0]}→v{item.write[1]}")
    if item.gradient is not None and item.kind != "output":
        parts.append(f"‖∂‖ {gradient_text(item)}")
    if item.held:
        parts.append(f"holds {amount(item.held)}")
    if item.change:
        parts.append({"added": "+ added", "gone": "- gone"}.get(item.change, f"~ was {size(item.before or ())}"))
    if group is not None and group.kind == "module" and item.kind in {"step", "group"}:
        parts.append(group.name or group.title)
    if item.source is not None:
        parts.append(place(item.source))
    marks = [
        _paint(_MARKS[mark.level] + mark.text.partition("\n")[0], mark.level, paint)
        for mark in item.marks
        if _worth(mark)
    ]
    return "  ".join([_paint("  ".join(parts), "dim", paint), *marks] if parts else marks)


def _worth(mark: Mark) -> bool:
    return mark.level != "note" or mark.kind not in {"nonfinite", "first-nonfinite"}


def _paint(text: str, kind: str, paint: bool) -> str:
    return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if paint and text else text
