"""From a :class:`Graph` to DOT, Graphviz's text."""

from __future__ import annotations

from .model import Graph, Item, size

# Fill colours of Okabe and Ito's palette, lightened: distinct for colour-blind readers too. Shapes differ besides.
_STYLES = {
    "leaf": 'fillcolor="#bfe0f5"',
    "output": 'fillcolor="#bfe5d8", shape=ellipse',
    "step": 'fillcolor="#f0f0f0", style="filled,rounded"',
}
HEAD = (
    'graph [rankdir=TB, ranksep="0.35", nodesep="0.2"]',
    'node [shape=box, style=filled, color="#555555", fontname=Arial, fontsize=11, height="0.25", margin="0.1,0.05"]',
    'edge [color="#555555", arrowsize="0.7"]',
)


def body(graph: Graph) -> list[str]:
    """Return the lines of the graph, without the frame around them; the same graph gives the same bytes."""
    lines = [f"\t{line}\n" for line in HEAD]
    lines += [f"\t{item.id} [label={quoted(label(item))}, {_STYLES[item.kind]}]\n" for item in graph.items]
    lines += [f"\t{arrow.source} -> {arrow.target}\n" for arrow in graph.arrows]
    return lines


def source(graph: Graph) -> str:
    """Return the whole text of the graph."""
    return "".join(["digraph {\n", *body(graph), "}\n"])


def label(item: Item) -> str:
    """Return the text in the box: name, shape, further rows, a line each."""
    shape = "" if item.shape is None else size(item.shape)
    return "\n".join(part for part in (item.name, shape, *item.rows) if part)


def quoted(text: str) -> str:
    """Return ``text`` as a DOT string that shows exactly these characters.

    Graphviz reads backslashes as commands and ``&...;`` as characters of HTML, so both are escaped.
    """
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\r", " ").replace("\n", "\\n") + '"'
