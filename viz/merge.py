"""Carries out folds: maps every item of a repeat to its counterpart in the first one, and adds up what they show."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from .model import Arrow, GraphData, Group, Item, Mark, Sent, Step

G = TypeVar("G", bound=GraphData)
POINTS = 120
"""At most so many gradient norms are kept for one folded item, evenly chosen."""


@dataclass(frozen=True, slots=True)
class Fold:
    """``count`` repeats of ``period`` steps from place ``start`` on; ``group`` holds them all.

    ``frames`` are the groups that the repeats are, one each, or empty where a repeat is no group of its own.
    """

    start: int
    period: int
    count: int
    group: str
    frames: tuple[str, ...] = ()


def merged(graph: G, folds: Sequence[Fold]) -> G:
    """Return ``graph`` with all ``folds`` carried out."""
    made = _Merge(graph)
    for fold in folds:
        made.fold(fold)
    return made.result()


class _Merge(Generic[G]):
    def __init__(self, graph: G) -> None:
        self.graph = graph
        self.items = {item.id: item for item in graph.items}
        self.steps = [item.id for item in graph.items if item.kind == "step"]
        self.leaves: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for arrow in graph.arrows:
            if self.items[arrow.source].kind in {"parameter", "leaf", "constant"}:
                self.leaves[arrow.target].append((arrow.slot, arrow.source))
        self.stand_in: dict[str, str] = {}  # item -> the item that stands for it
        self.turn: dict[str, tuple[int, int]] = {}  # item -> number of its fold, its repeat there
        self.members: dict[str, list[str]] = defaultdict(list)
        self.groups = {group.id: group for group in graph.groups}
        self.group_of: dict[str, str] = {}
        self.count = 0
        self.notes: list[str] = []

    def fold(self, fold: Fold) -> None:
        """Note which item stands for which, and give the first repeat its frame."""
        first = self.steps[fold.start : fold.start + fold.period]
        for turn in range(fold.count):
            begin = fold.start + turn * fold.period
            for mine, first_one in zip(self.steps[begin : begin + fold.period], first, strict=True):
                self._pair(mine, first_one, turn)
                leaves = dict(self.leaves[first_one])
                for slot, leaf in self.leaves[mine]:
                    self._pair(leaf, leaves.get(slot, leaf), turn)
        self.count += 1
        self._frame(fold, first)

    def _pair(self, mine: str, first_one: str, turn: int) -> None:
        self.stand_in[mine], self.turn[mine] = first_one, (self.count, turn)
        self.members[first_one].append(mine)

    def _frame(self, fold: Fold, first: list[str]) -> None:
        if fold.frames:
            group = self.groups[fold.frames[0]]
            names = [self.groups[each].name for each in fold.frames]
            kind = "calls" if len(set(names)) == 1 else "siblings"
            name = common_name(names)
            self.groups[group.id] = replace(group, name=name, repeat=group.repeat * fold.count, fold=kind)
            for below in self.groups.values():
                if name != group.name and group.id in self._path(below.parent) and below.name.startswith(group.name):
                    self.groups[below.id] = replace(below, name=name + below.name[len(group.name) :])
            self.notes.append(f"{name or group.title}: {fold.count} equal {kind} are shown once")
            return
        mine = f"r{sum(group.kind == 'repeat' for group in self.groups.values())}"
        depth = len(self._path(fold.group))
        inner = dict.fromkeys(self._path(self.items[step].group)[depth] for step in first if self._deeper(step, depth))
        self.groups[mine] = Group(mine, "", "", "repeat", fold.group, 1, fold.count, "loop")
        for each in inner:
            self.groups[each] = replace(self.groups[each], parent=mine)
        for step in first:
            for each in (step, *(leaf for _, leaf in self.leaves[step])):
                if self.items[each].group == fold.group:
                    self.group_of[each] = mine
        steps = f"{fold.period} steps" if fold.period > 1 else f"{self.items[first[0]].name} steps"
        self.notes.append(
            f"{fold.count} equal stretches of {steps} are shown once"
            if fold.period > 1
            else f"{fold.count} {steps} in a row are shown once"
        )

    def _path(self, group: str) -> list[str]:
        path: list[str] = []
        while group:
            path.append(group)
            group = self.groups[group].parent
        return path[::-1]

    def _deeper(self, step: str, depth: int) -> bool:
        return len(self._path(self.items[step].group)) > depth

    # ------------------------------------------------------------------ what comes out

    def result(self) -> G:
        """Return the folded graph."""
        items = [self._item(item) for item in self.graph.items if self.stand_in.get(item.id, item.id) == item.id]
        used = {item.group for item in items}
        for group in [g for g in used if g]:
            used.update(self._path(group))
        groups = self._ordered([group for group in self.groups.values() if group.id in used])
        notes = dict.fromkeys((*self.graph.notes, *self.notes))
        return replace(
            self.graph, items=tuple(items), arrows=self._arrows(), groups=groups, backward=self._backward(),
            notes=tuple(notes),
        )  # fmt: skip

    def _ordered(self, groups: list[Group]) -> tuple[Group, ...]:
        """Return ``groups``, each after its parent."""
        known = {group.id: group for group in groups}
        done: dict[str, Group] = {}
        for group in groups:
            for each in self._path(group.id):
                done.setdefault(each, known[each])
        return tuple(done.values())

    def _item(self, item: Item) -> Item:
        group = self.group_of.get(item.id, item.group)
        members = [self.items[each] for each in self.members.get(item.id, ())]
        if len(members) < 2:
            return replace(item, group=group) if group != item.group else item
        distinct = len({one.shared or one.id for one in members})
        gradients = [one.gradient for one in members]
        worst = next((one for one in gradients if one is not None and not one.finite), item.gradient)
        values = [one.value for one in members]
        odd = next((one for one in values if one is not None and not one.finite), item.value)
        return replace(
            item,
            group=group,
            name=common_name([one.name for one in members]),
            repeat=sum(one.repeat for one in members) if distinct > 1 else item.repeat,
            norms=_norms(members) if distinct > 1 else (),
            held=sum(one.held for one in members),
            forward=_sum([one.forward for one in members]),
            backward=_sum([one.backward for one in members]),
            gradient=worst,
            value=odd,
            hooks=sum(one.hooks for one in members) if distinct > 1 else item.hooks,
            marks=_marks(members),
        )

    def _arrows(self) -> tuple[Arrow, ...]:
        first: dict[tuple[str, str, str, int], Arrow] = {}
        repeats: dict[tuple[str, str, str, int], int] = defaultdict(int)
        turns, stand_in = self.turn, self.stand_in
        for arrow in self.graph.arrows:
            mine, other = turns.get(arrow.source), turns.get(arrow.target)
            kind, slot = arrow.kind, arrow.slot
            if mine is not None and other is not None and mine[0] == other[0] and mine[1] != other[1]:
                kind = "carry"
            elif mine is not None and other is None:
                slot = -1
            elif mine is None and other is None:
                slot += 1000 * arrow.output
            source, target = stand_in.get(arrow.source, arrow.source), stand_in.get(arrow.target, arrow.target)
            key = source, target, kind, slot
            if key not in first:
                first[key] = arrow
            repeats[key] += arrow.repeat
        return tuple(
            replace(arrow, source=key[0], target=key[1], kind=key[2], repeat=repeats[key])
            for key, arrow in first.items()
        )

    def _backward(self) -> tuple[Step, ...]:
        """Return the steps of the backward pass: of folded ones the first, with how many it stands for."""
        found: dict[str, Step] = {}
        for step in self.graph.backward:
            mine = self.stand_in.get(step.item, step.item)
            before = found.get(mine)
            if before is not None:
                finite, seconds = before.finite and step.finite, before.seconds + step.seconds
                found[mine] = replace(before, repeat=before.repeat + step.repeat, seconds=seconds, finite=finite)
                continue
            sent = tuple(self._sent(one) for one in step.sent)
            found[mine] = replace(step, item=mine, sent=sent)
        return tuple(found.values())

    def _sent(self, sent: Sent) -> Sent:
        return replace(sent, target=self.stand_in.get(sent.target, sent.target))


def common_name(names: list[str]) -> str:
    """Return the common pattern of ``names``, with "*" for the dotted parts, or the numbers in them, that differ.

    >>> from rushlight.viz.merge import common_name
    >>> common_name(["blocks.0.fc.weight", "blocks.1.fc.weight"])
    'blocks.*.fc.weight'
    """
    if len(set(names)) == 1:
        return names[0]
    rows = [name.split(".") for name in names]
    if len({len(row) for row in rows}) > 1:
        return "*"
    parts = []
    for column in zip(*rows, strict=True):
        starred = {re.sub(r"\d+", "*", part) for part in column}
        parts.append(column[0] if len(set(column)) == 1 else starred.pop() if len(starred) == 1 else "*")
    return ".".join(parts)


def _norms(members: list[Item]) -> tuple[float | None, ...]:
    norms = [
        norm
        for one in members
        for norm in (
            one.norms or (None if one.gradient is None else one.gradient.norm if one.gradient.finite else float("nan"),)
        )
    ]
    if all(norm is None for norm in norms):
        return ()
    if len(norms) > POINTS:
        norms = [norms[round(number * (len(norms) - 1) / (POINTS - 1))] for number in range(POINTS)]
    return tuple(norms)


def _sum(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _marks(members: list[Item]) -> tuple[Mark, ...]:
    """Return the marks of all repeats, each kind once, with the repeat it comes from."""
    found: dict[tuple[str, str], tuple[int, Mark, int]] = {}
    for turn, one in enumerate(members):
        for mark in one.marks:
            key = mark.kind, mark.level
            first, kept, count = found.get(key, (turn, mark, 0))
            found[key] = first, kept, count + 1
    total = len(members)
    return tuple(
        mark
        if count == total and mark.level == "note"
        else replace(mark, text=f"{mark.text} (first in repeat {turn + 1} of {total}; {count} in all)")
        for turn, mark, count in found.values()
    )
