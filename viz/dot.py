"""From a graph to DOT, Graphviz's text; the same graph gives the same bytes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from .heat import legend, shades
from .labels import CHANGES, STYLES, Show, cell, frame_label, html, label, level_colour, quoted, tip, wrapped
from .model import Arrow, GraphData, Group, Item

_ARROWS = {
    "data": "",
    "view": "style=dotted, penwidth=1.6, arrowhead=empty",
    "inplace": 'style=dashed, penwidth=1.4, arrowhead=diamond, color="#c24e00", fontcolor="#c24e00"',
    "carry": 'style=dashed, constraint=false, color="#0072b2", fontcolor="#0072b2"',
    "gradient": 'style=dotted, constraint=false, arrowhead=vee, color="#9b4f86"',
}
HEAD = (
    'graph [rankdir=TB, ranksep="0.3", nodesep="0.18", fontname=Arial, fontsize=11, fontcolor="#4a505b"]',
    'graph [labeljust=l, color="#b9bdc6", bgcolor=white]',
    'node [shape=box, style=filled, fontname=Arial, fontsize=11, fontcolor="#1c1f24"]',
    'node [height="0.25", margin="0.09,0.04"]',
    'edge [color="#7d838d", arrowsize="0.65", fontname=Arial, fontsize=9, fontcolor="#4a505b"]',
)
_LEAVES = {"parameter", "leaf", "constant"}
_DEFAULT = Show()


def body(graph: GraphData, show: Show = _DEFAULT) -> list[str]:
    """Return the lines of the graph, without the frame around them."""
    return _Body(graph, show).lines()


def source(graph: GraphData, show: Show = _DEFAULT) -> str:
    """Return the whole text of the graph.

    >>> from rushlight.viz import Graph, Item, dot
    >>> "digraph {" in dot.source(Graph((Item("n0", "leaf", "x"),)))
    True
    """
    return "".join(["digraph {\n", *body(graph, show), "}\n"])


@dataclass
class _Frame:
    """The contents of one group."""

    items: list[Item]
    children: list[Group]


class _Body:
    def __init__(self, graph: GraphData, show: Show) -> None:
        self.graph, self.show = graph, show
        self.items = {item.id: item for item in graph.items}
        self.heat = shades(graph, show.overlay)
        self.groups = {group.id: group for group in graph.groups} if show.clusters else {}
        self.hung = self._hung()
        self.frames = self._frames()
        self.chained = self._chained()

    def _hung(self) -> dict[str, list[Item]]:
        """Return the leaves that stand beside each step: those it alone reads."""
        targets: dict[str, list[Arrow]] = defaultdict(list)
        for arrow in self.graph.arrows:
            targets[arrow.source].append(arrow)
        hung: dict[str, list[Item]] = defaultdict(list)
        self.beside: set[str] = set()
        for item in self.graph.items:
            arrows = targets[item.id]
            alone = item.kind in _LEAVES and len(arrows) == 1 and arrows[0].kind == "data"
            if alone and self.items[arrows[0].target].kind in {"step", "error"}:
                hung[arrows[0].target].append(item)
                self.beside.add(item.id)
        return hung

    def _frames(self) -> dict[str, _Frame]:
        """Return the contents of each group, a frame around a single step without leaves left out."""
        frames: dict[str, _Frame] = defaultdict(lambda: _Frame([], []))
        members: dict[str, int] = defaultdict(int)
        for item in self.graph.items:
            members[item.group] += 1
        parents = {group.parent for group in self.groups.values()}
        self.single = {
            mine: group for mine, group in self.groups.items()
            if members[mine] == 1 and mine not in parents and group.kind == "module" and group.repeat == 1
        }  # fmt: skip
        for group in self.groups.values():
            if group.id not in self.single:
                frames[group.parent].children.append(group)
        for item in self.graph.items:
            if item.id not in self.beside:
                single = self.single.get(item.group)
                around = single.parent if single is not None else item.group if self.groups else ""
                frames[around].items.append(item)
        return frames

    def _chained(self) -> set[str]:
        """Return the folded groups of modules whose repeats feed each other."""
        found = set()
        for arrow in self.graph.arrows:
            if arrow.kind == "carry":
                found.update(self._folded_around(self.items[arrow.source]))
        return found

    def _folded_around(self, item: Item) -> list[str]:
        group, found = item.group, []
        while group in self.groups:
            if self.groups[group].repeat > 1 and self.groups[group].fold != "loop":
                found.append(group)
            group = self.groups[group].parent
        return found

    def lines(self) -> list[str]:
        lines = [f"\t{line}\n" for line in HEAD]
        stack: list[tuple[str, int, str]] = [("open", 1, "")]  # a stack of its own: modules may be nested deeply
        while stack:
            what, level, mine = stack.pop()
            tabs = "\t" * level
            if what == "close":
                lines.append(f"{tabs}}}\n")
                continue
            if mine:
                group = self.groups[mine]
                lines += [
                    f"{tabs}subgraph cluster_{mine} {{\n",
                    f"{tabs}\t{frame_label(group, mine in self.chained)}\n",
                ]
                stack.append(("close", level, mine))
                tabs, level = tabs + "\t", level + 1
            for item in self.frames[mine].items:
                lines += [f"{tabs}{line}\n" for line in self._node(item)]
            stack += [("open", level, child.id) for child in reversed(self.frames[mine].children)]
        lines += [line for arrow in self.graph.arrows for line in self._edge(arrow)]
        notes = [*self.graph.notes, *legend(self.graph, self.show.overlay)]
        if notes:
            note = "<BR/>".join(html(line) for note in notes for line in wrapped(note, 90))
            lines.append(f'\tlabel=<<FONT POINT-SIZE="10">{note}</FONT>>\n')
        return lines

    def _node(self, item: Item) -> list[str]:
        """Return the lines of a box, and of the leaves that stand beside it on the same level."""
        single = self.single.get(item.group)
        prefix = self._prefix(item.group)
        times = self._times(item.group)
        module = "" if single is None else f"{single.name} {single.title}".strip()
        text = label(item, self.show, prefix, module if len(module) <= 32 else module[:31] + "…", times)
        style = STYLES[item.kind] + level_colour(item)
        if item.id in self.heat:
            style += f', fillcolor="{self.heat[item.id]}"'
        lines = [f"{item.id} [label=<{text}>, {style}, tooltip={quoted(tip(item))}]"]
        beside = self.hung.get(item.id, [])
        if beside:
            rows = "".join(cell(each, self.show, prefix, self.heat.get(each.id, ""), times) for each in beside)
            table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1">{rows}</TABLE>'
            lines.append(f'{item.id}_in [shape=plain, style="", label=<{table}>]')
            lines.append(f"{{rank=same; {item.id}_in; {item.id}}}")
            lines += [f"{item.id}_in:{each.id}:e -> {item.id}" for each in beside]
        return lines

    def _times(self, group: str) -> int:
        """Return how often what is inside ``group`` is repeated: its frames say so already."""
        times = 1
        while group in self.groups:
            times *= self.groups[group].repeat
            group = self.groups[group].parent
        return times

    def _prefix(self, group: str) -> str:
        found = self.groups.get(group)
        return f"{found.name}." if found is not None and found.name and found.kind == "module" else ""

    def _edge(self, arrow: Arrow) -> list[str]:
        if arrow.source in self.beside:
            return []
        source, target = self.items[arrow.source], self.items[arrow.target]
        if arrow.kind == "carry" and self._folded_around(source):
            return []
        text = arrow.label
        if arrow.kind == "inplace" and target.write is not None:
            text = f"v{target.write[0]} → v{target.write[1]}"
        elif arrow.kind == "carry":
            text = "next turn"
        elif arrow.repeat > 1 and source.repeat != target.repeat:
            text = text or f"× {arrow.repeat}"
        parts = [_ARROWS[arrow.kind]] if _ARROWS[arrow.kind] else []
        if text:
            parts.append(f"label={quoted(text)}")
        if arrow.change:
            parts.append(f'color="{CHANGES[arrow.change][0]}", penwidth=2')
        style = f" [{', '.join(parts)}]" if parts else ""
        return [f"\t{arrow.source} -> {arrow.target}{style}\n"]


__all__ = ["Show", "body", "quoted", "source"]
