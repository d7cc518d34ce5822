"""The graph as a Mermaid flowchart, which GitHub and others draw from text."""

from __future__ import annotations

from collections import defaultdict

from .fitting import fit
from .model import Arrow, GraphData, Group, Item, size

ARROWS, CHARACTERS = 500, 50_000
"""Mermaid's own limit, unless it is configured otherwise."""
_SHAPES = {
    "step": ("(", ")"), "parameter": ("[[", "]]"), "leaf": ("[", "]"), "constant": ("[", "]"), "output": ("([", "])"),
    "error": ("{{", "}}"), "group": ("[[", "]]"),
}  # fmt: skip
_CLASSES = (
    "classDef step fill:#e3effa,stroke:#0072b2,color:#1c1f24",
    "classDef parameter fill:#fff1cf,stroke:#a86f00,color:#1c1f24",
    "classDef leaf fill:#fff1cf,stroke:#a86f00,color:#1c1f24",
    "classDef constant fill:#eef0f2,stroke:#747b86,color:#1c1f24,stroke-dasharray:4 3",
    "classDef output fill:#d7f1e6,stroke:#007a57,color:#1c1f24",
    "classDef error fill:#ffe3d3,stroke:#c24e00,color:#1c1f24",
    "classDef group fill:#e3effa,stroke:#0072b2,color:#1c1f24",
    "classDef bad stroke:#c24e00,stroke-width:3px",
)
_LINKS = {"data": "-->", "view": "-.->", "inplace": "==>", "carry": "-.->", "gradient": "-.->"}


def mermaid(graph: GraphData, *, arrows: int = ARROWS, characters: int = CHARACTERS) -> str:
    """Return ``graph`` as a Mermaid flowchart, folded until it has at most so many arrows and characters.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> x = torch.ones(2, requires_grad=True)
    >>> viz.mermaid(viz.trace(x.exp(), {"x": x})).splitlines()[1].strip()
    'n0["x<br>(2)"]:::leaf'
    """
    limit = arrows
    while True:
        shown = fit(graph, limit, limit)
        text = _written(shown)
        if len(text) <= characters or limit < 4:
            break
        limit = min(limit, len(shown.items)) * 2 // 3
    return text


def _written(graph: GraphData) -> str:
    inside: dict[str, list[Item]] = defaultdict(list)
    children: dict[str, list[Group]] = defaultdict(list)
    for item in graph.items:
        inside[item.group].append(item)
    for group in graph.groups:
        children[group.parent].append(group)
    lines = ["flowchart TD"]
    groups = {group.id: group for group in graph.groups}
    stack = [("open", 1, "")]
    while stack:
        what, level, mine = stack.pop()
        if what == "close":
            lines.append("  " * level + "end")
            continue
        if mine:
            lines.append("  " * level + f"subgraph {mine}[{_quoted(_title(groups[mine]))}]")
            stack.append(("close", level, mine))
            level += 1
        lines += ["  " * level + _node(item) for item in inside[mine]]
        stack += [("open", level, child.id) for child in reversed(children[mine])]
    lines += ["  " + _link(arrow) for arrow in graph.arrows]
    lines += [f"  %% {' '.join(note.split())}" for note in graph.notes]
    return "\n".join([*lines, *(f"  {each}" for each in _CLASSES)]) + "\n"


def _title(group: Group) -> str:
    times = f" × {group.repeat}" if group.repeat > 1 else ""
    return f"{group.name} {group.title or group.fold}".strip() + times


def _node(item: Item) -> str:
    before, after = _SHAPES[item.kind]
    times = f" × {item.repeat}" if item.repeat > 1 else ""
    lines = [(item.name or item.kind) + times]
    if item.shape is not None:
        lines.append(size(item.shape))
    if item.uses > 1:
        lines.append(f"shared × {item.uses}")
    lines += [f"⚠ {mark.text[:80]}" for mark in item.marks if mark.level == "bad"][:1]
    style = "bad" if any(mark.level == "bad" for mark in item.marks) else item.kind
    return f"{item.id}{before}{_quoted(*lines)}{after}:::{style}"


def _link(arrow: Arrow) -> str:
    words = {"view": "view", "inplace": "in place", "carry": "next turn", "gradient": "backward made"}.get(
        arrow.kind, ""
    )
    label = f"|{words}|" if words else ""
    return f"{arrow.source} {_LINKS[arrow.kind]}{label} {arrow.target}"


def _quoted(*lines: str) -> str:
    """Return text in quotes in which Mermaid finds no marks of its own."""
    text = "\n".join(lines)
    text = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("#", "&#35;").replace("`", "&#96;").replace("\r", " ").replace("\n", "<br>")
    return f'"{text}"'
