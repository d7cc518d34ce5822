"""Where a gradient is wrong: the entry of the input, and of the output, that a directional check only has in sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from .judge import Line, Point
from .subject import Array
from .verdict import Finding, Verdict

EACH = 64
"""Up to so many entries are looked at one by one; more are halved until one is left."""
MANY = 512
"""Up to so many entries are looked at one by one to understand a kink."""


def locate(point: Point, steps: list[Array], finding: Finding) -> Finding:
    """Return ``finding`` narrowed down to one entry, if it can be."""
    size = sum(step.size for step in steps)
    if finding.verdict is Verdict.UNDECIDED or (finding.verdict is Verdict.NOT_DIFFERENTIABLE and size > MANY):
        return finding
    if finding.verdict is Verdict.WRONG and finding.note and size <= MANY:
        return _at_kink(point, finding)
    if finding.verdict is Verdict.NOT_DIFFERENTIABLE:
        return _at_kink(point, finding)
    place = _one_by_one(point) if size <= EACH else _halved(point, steps)
    if place is None:
        return finding
    entry = _judged(point, place)
    if entry.verdict is not Verdict.WRONG:
        return finding
    return _with_output(point, place, entry)


def places_of(point: Point) -> list[tuple[int, tuple[int, ...]]]:
    """Return every entry of every leaf."""
    return [(n, index) for n, v in enumerate(point.subject.values) for index in np.ndindex(v.shape)]


def single(point: Point, place: tuple[int, tuple[int, ...]]) -> list[Array]:
    """Return the step that moves one entry."""
    steps = [np.zeros(v.shape) for v in point.subject.values]
    steps[place[0]][place[1]] = point.scales[place[0]]
    return steps


def _judged(point: Point, place: tuple[int, tuple[int, ...]], *more: Any) -> Finding:
    finding = point.judge(single(point, place), *more).rescaled(point.scales[place[0]])
    finding.name, finding.index = point.subject.names[place[0]], place[1]
    return finding


def _one_by_one(point: Point) -> tuple[int, tuple[int, ...]] | None:
    """Return the entry whose plain difference misses the claimed gradient most."""
    h, worst, found = point.eps ** (1 / 3), 0.0, None
    for place in places_of(point):
        line = Line(point.subject, single(point, place), point.weights, point.places)
        measured = (line(h) - line(-h)) / (2 * h)
        claimed = float(point.grads[place[0]][place[1]]) * point.scales[place[0]]
        off = abs(claimed - measured) / (abs(measured) + abs(claimed) + 1e-300) if not np.isnan(claimed) else np.inf
        if min(off, abs(claimed - measured)) > worst or off == np.inf:
            worst, found = min(off, abs(claimed - measured)), place
    return found


def _halved(point: Point, steps: list[Array]) -> tuple[int, tuple[int, ...]] | None:
    """Return an entry found by halving: of two halves of a wrong direction one at least is wrong."""
    left = places_of(point)
    while len(left) > 1:
        middle = len(left) // 2
        for half in (left[:middle], left[middle:]):
            part = [np.zeros(u.shape) for u in steps]
            for n, index in half:
                part[n][index] = steps[n][index]
            if point.judge(part).verdict is Verdict.WRONG:
                left = half
                break
        else:
            return None
    return left[0]


def _with_output(point: Point, place: tuple[int, tuple[int, ...]], entry: Finding) -> Finding:
    """Return the finding for one element of the outputs with the verdict of ``entry``, if there are few."""
    sizes = [out.array.size for out in point.outputs]
    if not 1 < sum(sizes) <= EACH:
        return entry
    worst = entry
    for number, out in enumerate(point.outputs):
        for index in np.ndindex(out.array.shape):
            weights = [np.zeros(each.array.shape) for each in point.outputs]
            weights[number][index] = 1
            found = _judged(point, place, weights, point.vjp(weights))
            if found.verdict is entry.verdict and (not worst.output or found.relative > worst.relative):
                found.output = f"output{number if len(sizes) > 1 else ''}"
                found.output += f"[{', '.join(map(str, index))}]" if index else ""
                worst = found
    return worst


def _at_kink(point: Point, finding: Finding) -> Finding:
    """Return the verdict: an entry outside its own slopes is wrong, and so is a sum that no subgradient allows."""
    places = places_of(point)
    entries = [_judged(point, place) for place in places]
    for verdict in (Verdict.WRONG, Verdict.NOT_DIFFERENTIABLE):
        for place, entry in zip(places, entries, strict=True):
            if entry.verdict is verdict and (verdict is Verdict.WRONG or finding.verdict is not Verdict.WRONG):
                return _with_output(point, place, entry)
    jumps = [e.right - e.left for e in entries if e.verdict is Verdict.NOT_DIFFERENTIABLE]
    if finding.verdict is Verdict.WRONG and min(jumps, default=0.0) < 0 < max(jumps, default=0.0):
        finding.verdict = Verdict.NOT_DIFFERENTIABLE  # convex here and concave there: no bound on the sum
    return finding
