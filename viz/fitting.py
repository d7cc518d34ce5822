"""Makes a graph small enough to be read: fold what repeats, then draw groups shut, then cut; and say what was done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TypeVar

from .folding import fold
from .model import Arrow, GraphData, Group, Item, Step

G = TypeVar("G", bound=GraphData)
HOW = "a higher limit shows more, graph.to_json() all"


def fit(graph: G, items: int, arrows: int | None = None) -> G:
    """Return ``graph`` with at most so many items and arrows; as it is if it fits.

    Repeats are folded first. Then groups are drawn shut, the innermost first. If that is not enough, the part that is
    nearest to the outputs is kept. ``notes`` say what was done.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> y = torch.ones(2, requires_grad=True)
    >>> for _ in range(100):
    ...     y = y.exp()
    >>> len(viz.fit(viz.trace(y), 20).items)
    3
    """
    most = items if arrows is None else arrows

    def fits(one: GraphData) -> bool:
        return len(one.items) <= items and len(one.arrows) <= most

    if fits(graph):
        return graph
    folded = fold(graph)
    graph = folded if folded is graph else replace(folded, notes=(*folded.notes, f"folded, as it is large: {HOW}"))
    for level in range(depth(graph) - 1, -1, -1):
        if fits(graph):
            break
        graph = shut(graph, level)
    return graph if fits(graph) else _cut(graph, items, most)


def depth(graph: GraphData) -> int:
    """Return how deep groups are nested."""
    return max((len(path) for path in paths(graph.groups).values()), default=0)


def paths(groups: tuple[Group, ...]) -> dict[str, tuple[str, ...]]:
    """Return, for each group, the groups around its inside, outermost first and itself last."""
    found: dict[str, tuple[str, ...]] = {"": ()}
    for group in groups:
        found[group.id] = (*found[group.parent], group.id)
    return found


def shut(graph: G, level: int) -> G:
    """Return ``graph`` with every group that lies inside ``level`` others drawn as one item.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> with viz.record():
    ...     y = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())(torch.ones(1, 2))
    >>> [item.name for item in viz.shut(viz.trace(y), 0).items]
    ['Sequential', 'output']
    """
    way = paths(graph.groups)
    groups = {group.id: group for group in graph.groups}
    inside: dict[str, list[Item]] = defaultdict(list)
    box: dict[str, str] = {}
    for item in graph.items:
        path = way[item.group]
        box[item.id] = item.id
        if len(path) > level:
            box[item.id] = path[level]
            inside[path[level]].append(item)
    items, done = [], set()
    for item in graph.items:
        mine = box[item.id]
        if mine == item.id:
            items.append(item)
        elif mine not in done:
            done.add(mine)
            times = 1
            for each in way[mine]:
                times *= groups[each].repeat
            items.append(_shut(groups[mine], inside[mine], times))
    order = _order(items, graph.arrows, box)
    kept = tuple(group for group in graph.groups if len(way[group.id]) <= level)
    note = f"groups inside {level} others are drawn shut; {HOW}" if level else f"all groups are drawn shut; {HOW}"
    notes = tuple(each for each in graph.notes if "drawn shut" not in each)
    return replace(
        graph, items=order, arrows=_arrows(graph.arrows, box), groups=kept, backward=_steps(graph.backward, box),
        notes=(*notes, note),
    )  # fmt: skip


def _shut(group: Group, inside: list[Item], times: int) -> Item:
    """Return the item that stands for ``group``."""
    steps = [item for item in inside if item.kind in {"step", "group"}]
    leaves = {item.shared: item for item in inside if item.kind == "parameter"}
    bytes = sum(leaf.bytes for leaf in leaves.values())
    count = sum(step.repeat * step.count for step in steps) // max(times, 1)
    last = steps[-1] if steps else inside[-1]
    title = group.title if not group.name or not group.title else f"{group.name}: {group.title}"
    forward, backward = [s.forward for s in steps if s.forward], [s.backward for s in steps if s.backward]
    return Item(
        group.id, "group", title or group.fold or group.kind, last.shape, last.dtype, last.bytes, "", group.parent,
        min((step.order for step in steps), default=0), last.results,
        (("parameter bytes", str(bytes)),) if bytes else (), held=sum(step.held for step in steps),
        gradient=last.gradient, hooks=sum(item.hooks for item in inside), forward=sum(forward) or None,
        backward=sum(backward) or None, repeat=times, count=count,
        marks=tuple(dict.fromkeys(mark for item in inside for mark in item.marks if mark.level != "note")),
    )  # fmt: skip


def _order(items: list[Item], arrows: tuple[Arrow, ...], box: dict[str, str]) -> tuple[Item, ...]:
    """Return ``items`` with each after what it reads, as far as there is such an order; else as they are."""
    place = {item.id: number for number, item in enumerate(items)}
    waiting: dict[str, set[str]] = {item.id: set() for item in items}
    readers: dict[str, list[str]] = defaultdict(list)
    for arrow in arrows:
        source, target = box[arrow.source], box[arrow.target]
        if source != target and arrow.kind not in {"carry", "gradient"} and source not in waiting[target]:
            waiting[target].add(source)
            readers[source].append(target)
    ready = [item.id for item in items if not waiting[item.id]]
    order = []
    for one in ready:
        order.append(items[place[one]])
        for reader in readers[one]:
            waiting[reader].discard(one)
            if not waiting[reader]:
                ready.append(reader)
    return tuple(order) if len(order) == len(items) else tuple(items)


def _arrows(arrows: tuple[Arrow, ...], box: dict[str, str]) -> tuple[Arrow, ...]:
    found: dict[tuple[str, str, str], Arrow] = {}
    for arrow in arrows:
        key = box[arrow.source], box[arrow.target], arrow.kind
        if key[0] == key[1] and (arrow.kind != "carry" or key[0] == arrow.source):
            continue
        if key[0] == arrow.source and key[1] == arrow.target:
            found[*key[:2], f"{arrow.kind} {arrow.slot}"] = arrow
        else:
            found.setdefault(key, replace(arrow, source=key[0], target=key[1]))
    return tuple(found.values())


def _steps(steps: tuple[Step, ...], box: dict[str, str]) -> tuple[Step, ...]:
    """Return the backward steps of shut groups as one each: what enters first, and what leaves."""
    found: dict[str, Step] = {}
    for step in steps:
        mine = box[step.item]
        sent = tuple(replace(one, target=box[one.target]) for one in step.sent if box[one.target] != mine)
        before = found.get(mine)
        if before is None:
            found[mine] = replace(step, item=mine, sent=sent)
        else:
            found[mine] = replace(before, sent=(*before.sent, *sent), seconds=before.seconds + step.seconds)
    return tuple(found.values())


def _cut(graph: G, items: int, arrows: int) -> G:
    """Return the part of ``graph`` that is nearest to the outputs."""
    sources: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in graph.arrows:
        sources[arrow.target].append(arrow)
    queue = [item.id for item in graph.items if item.kind in {"output", "error"}][: max(items - 1, 1)]
    kept, lines = set(queue), 0
    for one in queue:
        for arrow in sources[one]:
            lines += 1
            if arrow.source not in kept and len(kept) < items and lines <= arrows:
                kept.add(arrow.source)
                queue.append(arrow.source)
    left = [item for item in graph.items if item.id in kept]
    inside = [arrow for arrow in graph.arrows if arrow.source in kept and arrow.target in kept][-arrows:]
    way = paths(graph.groups)
    used = {group for item in left for group in way[item.group]}
    note = f"{len(graph.items) - len(left):,} of {len(graph.items):,} items, far from the outputs, are left out; {HOW}"
    return replace(
        graph, items=tuple(left), arrows=tuple(inside), groups=tuple(g for g in graph.groups if g.id in used),
        backward=(), notes=(*graph.notes, note),
    )  # fmt: skip
