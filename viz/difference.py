"""The difference of two graphs: what was added, what is gone, what has another shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TypeVar

from .folding import fold
from .model import Arrow, GraphData, Group, Item

G = TypeVar("G", bound=GraphData)
LARGE = 3_000
"""Graphs of more items are folded before they are compared: aligning them would take long."""


def diff(before: GraphData, after: G) -> G:
    """Return one graph that shows both: what is new in ``after``, what is gone, what has another shape.

    ``change`` of an item says "added", "gone" or "reshaped", that of an arrow the first two.

    Items are the same if they have the same name, operation and place among the modules, in the same order; the pairs
    are those of Python's :class:`difflib.SequenceMatcher`. What both have is shown as in ``after``.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> x = torch.ones(2, requires_grad=True)
    >>> old, new = viz.trace(x.exp().sum(), {"x": x}), viz.trace((x.exp() * 2).sum(), {"x": x})
    >>> [(item.name, item.change) for item in viz.diff(old, new).items if item.change]
    [('mul', 'added')]
    """
    if len(before.items) > LARGE or len(after.items) > LARGE:
        before, after = fold(before), fold(after)
    old, new = before.items, after.items
    pairs = _pairs([_key(item, before.groups) for item in old], [_key(item, after.groups) for item in new])
    partner = {old[a].id: new[b].id for a, b in pairs}
    old_of = {new[b].id: old[a] for a, b in pairs}
    gone = {item.id: f"old_{item.id}" for item in old if item.id not in partner}
    groups = _groups(before.groups, after.groups)
    items = [_changed(item, old_of.get(item.id)) for item in new]
    merged = _merged(items, [item for item in old if item.id in gone], old, partner, gone, groups)
    where = {**partner, **gone}
    mapped = [replace(arrow, source=where[arrow.source], target=where[arrow.target]) for arrow in before.arrows]
    arrows = _arrows(mapped, after.arrows)
    used = {group.id for group in after.groups}
    extra = tuple(group for group in groups.values() if group.id not in used)
    return replace(
        after,
        items=tuple(merged),
        arrows=arrows,
        groups=(*after.groups, *extra),
        notes=(*after.notes, _said(merged, arrows)),
    )


def changes(graph: GraphData) -> str:
    """Return the changes in the difference of two graphs as text, a line each.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> x = torch.ones(2, requires_grad=True)
    >>> print(viz.changes(viz.diff(viz.trace(x.exp()), viz.trace(x.tanh()))))
    - exp (2)
    + tanh (2)
    """
    signs = {"added": "+", "gone": "-", "reshaped": "~"}
    lines = []
    for item in sorted((item for item in graph.items if item.change), key=lambda item: item.change != "gone"):
        shape = "" if item.shape is None else f" ({', '.join(map(str, item.shape))})"
        was = f" ({', '.join(map(str, item.before))}) →" if item.before is not None else ""
        lines.append(f"{signs[item.change]} {item.name or item.kind}{was}{shape}")
    return "\n".join(lines)


def _said(items: Sequence[Item], arrows: Sequence[Arrow]) -> str:
    counts = {word: sum(item.change == word for item in items) for word in ("added", "gone", "reshaped")}
    if not any(counts.values()):
        moved = sum(arrow.change != "" for arrow in arrows)
        return f"the items are the same; {moved} arrows differ" if moved else "the graphs are the same"
    return "difference: " + ", ".join(f"{count} {word}" for word, count in counts.items())


def _key(item: Item, groups: tuple[Group, ...]) -> tuple[str, ...]:
    found = next((group for group in groups if group.id == item.group), None) if item.group else None
    return item.kind, item.name, item.op, "" if found is None else f"{found.kind} {found.name} {found.title}"


def _pairs(old: list[tuple[str, ...]], new: list[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Return the places that belong together; what is the same at both ends is set aside first."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    pairs = [(n, n) for n in range(head)]
    for block in middle.get_matching_blocks():
        pairs += [(head + block.a + n, head + block.b + n) for n in range(block.size)]
    return pairs + [(len(old) - n, len(new) - n) for n in range(tail, 0, -1)]


def _changed(item: Item, before: Item | None) -> Item:
    if before is None:
        return replace(item, change="added")
    return replace(item, change="reshaped", before=before.shape) if before.shape != item.shape else item


def _merged(
    items: list[Item],
    lost: list[Item],
    old: tuple[Item, ...],
    partner: dict[str, str],
    gone: dict[str, str],
    groups: dict[str, Group],
) -> list[Item]:
    """Return the new items with each that is gone after the one it came after before."""
    after: dict[str, list[Item]] = {}
    last = ""
    for item in old:
        if item.id in gone:
            group = groups[item.group].id if item.group else ""
            after.setdefault(last, []).append(replace(item, id=gone[item.id], group=group, change="gone"))
        else:
            last = partner[item.id]
    found = list(after.get("", []))
    for item in items:
        found += [item, *after.get(item.id, [])]
    return found


def _groups(before: tuple[Group, ...], after: tuple[Group, ...]) -> dict[str, Group]:
    """Return, for the id of each old group, the new group that is the same, or the old under another id."""
    known = {(group.kind, group.name, group.title, group.call): group for group in after}
    found: dict[str, Group] = {}
    for group in before:
        same = known.get((group.kind, group.name, group.title, group.call))
        parent = found[group.parent].id if group.parent else ""
        found[group.id] = same if same is not None else replace(group, id=f"old_{group.id}", parent=parent)
    return found


def _arrows(old: Sequence[Arrow], new: Sequence[Arrow]) -> tuple[Arrow, ...]:
    def key(arrow: Arrow) -> tuple[str, str, str]:
        return arrow.source, arrow.target, arrow.kind

    was, now = {key(arrow) for arrow in old}, {key(arrow) for arrow in new}
    kept = [arrow if key(arrow) in was else replace(arrow, change="added") for arrow in new]
    return (*kept, *(replace(arrow, change="gone") for arrow in old if key(arrow) not in now))
