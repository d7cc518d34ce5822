"""Folding: of equal stretches of a graph one is shown, "× 12". What is folded is decided on the graph's data alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TypeVar

from .merge import Fold, merged
from .model import GraphData, Group, Item
from .tandem import Run, runs

G = TypeVar("G", bound=GraphData)
LEAST, PASSES = 4, 12
"""A fold saves at least so many steps; so many times is looked for folds among what was folded."""
_NUMBER = re.compile(r"\d+")


def fold(graph: G, least: int = LEAST) -> G:
    """Return ``graph`` with equal stretches shown once: equal siblings, modules called again, turns of a loop.

    Repeats are equal if they do the same operations, on values and parameters of the same shapes, and are tied together
    in the same way. The first is shown; ``repeat`` says how many it stands for, and "carry" arrows show what goes from
    one turn to the next. Only what saves at least ``least`` steps is folded. Folds hold folds.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> x = torch.ones(2, requires_grad=True)
    >>> y = x
    >>> for _ in range(100):
    ...     y = y.exp()
    >>> [(item.name, item.repeat) for item in viz.fold(viz.trace(y, {"x": x, "y": y})).items]
    [('x', 1), ('exp', 100), ('y', 1)]
    """
    for _ in range(PASSES):
        found = _folds(graph, least)
        if not found:
            break
        graph = merged(graph, found)
    return graph


def _folds(graph: GraphData, least: int) -> list[Fold]:
    """Return folds that do not overlap, the one that saves most first."""
    steps = [item for item in graph.items if item.kind == "step"]
    if len(steps) < 2:
        return []
    wiring = Wiring(graph, steps)
    taken = [False] * len(steps)
    found: list[Fold] = []
    for run in runs(wiring.codes, least):
        if any(taken[run.start : run.start + run.length]):
            continue
        best = wiring.fit(run, least)
        if best is not None:
            end = best.start + best.period * best.count
            taken[best.start : end] = [True] * (end - best.start)
            found.append(best)
    return found


class Wiring:
    """How the steps of a graph are tied together, by their places in the order of execution."""

    def __init__(self, graph: GraphData, steps: list[Item]) -> None:
        self.steps = steps
        self.place = {step.id: number for number, step in enumerate(steps)}
        self.groups = {group.id: group for group in graph.groups}
        self.paths = _paths(graph.groups)
        self.size: Counter[str] = Counter(group for step in steps for group in self.paths[step.group])
        self.sources: list[list[tuple[int, int, int, str]]] = [[] for _ in steps]
        self.readers: list[list[int]] = [[] for _ in steps]
        leaves: dict[str, list[str]] = defaultdict(list)
        kinds = {item.id: item for item in graph.items if item.kind != "step"}
        for arrow in graph.arrows:
            target = self.place.get(arrow.target)
            if target is None:
                continue
            source = self.place.get(arrow.source)
            if source is not None:
                self.sources[target].append((arrow.slot, source, arrow.output, arrow.kind))
                self.readers[source].append(target)
            elif kinds[arrow.source].kind == "parameter":
                leaves[arrow.target].append(f"{arrow.slot} {kinds[arrow.source].shape}")
        self.codes = self._codes(leaves)

    def _codes(self, leaves: dict[str, list[str]]) -> list[int]:
        """Return a number for each step, the same for steps that look alike."""
        numbers: dict[tuple[object, ...], int] = {}
        codes = []
        frames = {group: _NUMBER.sub("*", f"{each.title}|{each.name}") for group, each in self.groups.items()}
        for step in self.steps:
            path = tuple(frames[group] for group in self.paths[step.group])
            looks = (step.name, step.op, step.shape, step.dtype, step.repeat, path, *leaves[step.id])
            codes.append(numbers.setdefault(looks, len(numbers)))
        return codes

    def fit(self, run: Run, least: int) -> Fold | None:
        """Return the best fold inside ``run``: one whose repeats are frames, or else that cuts the fewest arrows."""
        period, best, best_cost = run.period, None, (0, 0, 0)
        for start in range(run.start, run.start + period):
            count = (run.start + run.length - start) // period
            if (count - 1) * period < least or count < (2 if period >= 8 else 3):
                break
            found = self._frames(start, period, count)
            if found is None:
                continue
            cost = (not found.frames, -count, self._cut(start, period))
            if best is None or cost < best_cost:
                best, best_cost = found, cost
            if found.frames or period == 1:
                break
        return None if best is None else self._straight(best, least)

    def _frames(self, start: int, period: int, count: int) -> Fold | None:
        """Return the fold that starts here, or None if a group would be cut."""
        end = start + period * count
        paths = [self.paths[step.group] for step in self.steps[start:end]]
        common = _common(paths)
        depth, last = len(common), ""
        heads: list[str] = []
        sizes: Counter[str] = Counter()
        for number, path in enumerate(paths):
            head = path[depth] if len(path) > depth else ""
            if head and number and number % period == 0 and head == last:
                return None  # one group in two repeats
            sizes[head] += 1
            last = head
            heads.append(head)
        if any(self.size[head] != size for head, size in sizes.items() if head):
            return None  # a group that goes on outside
        group = common[-1] if common else ""
        firsts = heads[::period]
        whole = all(firsts) and len(sizes) == count and all(size == period for size in sizes.values())
        return Fold(start, period, count, group, tuple(firsts) if whole else ())

    def _cut(self, start: int, period: int) -> int:
        """Return how many arrows lead into the second repeat from before it."""
        return sum(
            source < start + period
            for target in range(start + period, min(start + 2 * period, len(self.sources)))
            for _, source, _, _ in self.sources[target]
        )

    def _straight(self, fold: Fold, least: int) -> Fold | None:
        """Return the longest part of ``fold`` whose repeats are tied alike, or None if that saves too little."""
        kinds = [self._ties(fold, turn) for turn in range(fold.count)]
        best, begin = (0, 0), 0
        for turn in range(1, fold.count + 1):
            # The first turn may get from elsewhere what the others get from the turn before.
            alike = turn < fold.count and (
                kinds[turn] == kinds[begin + 1] if turn > begin + 1 else _starts(kinds, begin)
            )
            alike = alike and (turn < begin + 2 or self._outside(fold, turn - 1) == self._outside(fold, begin))
            if not alike:
                if turn - begin > best[1] - best[0]:
                    best = begin, turn
                begin = turn
        first, last = best
        count = last - first
        if (count - 1) * fold.period < least or count < (2 if fold.period >= 8 else 3):
            return None
        return replace(fold, start=fold.start + first * fold.period, count=count, frames=fold.frames[first:last])

    def _outside(self, fold: Fold, turn: int) -> set[tuple[int, int]]:
        """Return the kinds of the steps outside all repeats that read the steps of one repeat."""
        start, end = fold.start + turn * fold.period, fold.start + fold.count * fold.period
        return {
            (place, self.codes[reader])
            for place in range(fold.period)
            for reader in self.readers[start + place]
            if reader >= end
        }

    def _ties(self, fold: Fold, turn: int) -> list[tuple[int, int, str, int]]:
        """Return where each step of one repeat gets its values from: the same turn, the one before, or elsewhere."""
        start = fold.start + turn * fold.period
        ties = []
        for place in range(fold.period):
            for slot, source, _, kind in self.sources[start + place]:
                if source >= start:
                    ties.append((place, slot, kind, source - start))
                elif source >= start - fold.period and source >= fold.start:
                    ties.append((place, slot, "carry", source - start))
                elif source >= fold.start:
                    ties.append((place, slot, "skip", source - fold.start))
                else:
                    ties.append((place, slot, "outside", 0))
        return ties


def _starts(kinds: list[list[tuple[int, int, str, int]]], begin: int) -> bool:
    """Return whether the turn after ``begin`` is tied like it, but for what it gets from it."""
    first, second = kinds[begin], kinds[begin + 1]
    inside = [tie for tie in first if tie[2] not in {"outside", "carry", "skip"}]
    return inside == [tie for tie in second if tie[2] not in {"outside", "carry", "skip"}] and not any(
        tie[2] == "skip" for tie in second
    )


def _paths(groups: tuple[Group, ...]) -> dict[str, tuple[str, ...]]:
    """Return the groups around the inside of each group, outermost first, itself last."""
    paths: dict[str, tuple[str, ...]] = {"": ()}
    for group in groups:
        paths[group.id] = (*paths[group.parent], group.id)
    return paths


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the groups that all ``paths`` begin with."""
    common = paths[0]
    for path in paths:
        if path[: len(common)] != common:
            common = tuple(a for n, a in enumerate(common[: len(path)]) if path[: n + 1] == common[: n + 1])
    return common
