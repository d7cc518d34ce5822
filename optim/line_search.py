"""The line search of L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

ARMIJO, WOLFE = 1e-4, 0.9


class Point(NamedTuple):
    """A point on the line: how far along it, the loss, the gradient and its part along the line."""

    at: Any
    loss: float
    gradient: Any
    slope: Any


def strong_wolfe(
    look: Callable[[Any], Point], start: Point, first: Any, longest: Any, tolerance: float, most: int
) -> tuple[Point, int]:
    """Return a point at which the strong Wolfe conditions hold, and how often ``look`` was called.

    The loss there is lower than at ``start`` by enough for the length of the step, and the slope is much flatter
    (Nocedal and Wright, *Numerical Optimization*, algorithms 3.5 and 3.6). ``first`` is tried first; ``longest`` is the
    largest element of the direction. After ``most`` looks, or when what is left of the line would move no element by
    ``tolerance``, it is the best point so far.
    """
    before, here = start, look(first)
    looks = 0
    low, high = start, here
    while looks < most:
        rose = _too_high(here, start) or (looks > 1 and here.loss >= before.loss)
        if not rose and _flat(here, start):
            return here, looks + 1
        if rose or here.slope >= 0:  # a minimum lies between
            low, high = before, here
            break
        nearest, farthest = here.at + 0.01 * (here.at - before.at), here.at * 10
        at = interpolate(before, here, (nearest, farthest))
        before, here = here, look(at)
        looks += 1
        low, high = start, here
    return _zoom(look, start, [low, high], longest, tolerance, most, looks)


def _zoom(
    look: Callable[[Any], Point],
    start: Point,
    ends: list[Point],
    longest: Any,
    tolerance: float,
    most: int,
    looks: int,
) -> tuple[Point, int]:
    """Narrow the bracket between two points until the conditions hold at its better end."""
    stuck = False
    low = 0 if ends[0].loss <= ends[1].loss else 1
    while looks < most and not abs(ends[1].at - ends[0].at) * longest < tolerance:
        at = interpolate(ends[0], ends[1])
        left, right = min(end.at for end in ends), max(end.at for end in ends)
        margin = 0.1 * (right - left)
        if min(right - at, at - left) < margin:  # too near an end to narrow the bracket by much
            if stuck or at >= right or at <= left:
                at = right - margin if abs(at - right) < abs(at - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        here = look(at)
        looks += 1
        if _too_high(here, start) or here.loss >= ends[low].loss:
            ends[1 - low] = here
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        if _flat(here, start):
            return here, looks + 1
        if here.slope * (ends[1 - low].at - ends[low].at) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = here
    return ends[low], looks + 1


def _too_high(here: Point, start: Point) -> bool:
    return bool(here.loss > start.loss + ARMIJO * here.at * start.slope)


def _flat(here: Point, start: Point) -> bool:
    return bool(abs(here.slope) <= -WOLFE * start.slope)


def interpolate(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Return where the cubic through both points, with their slopes, is lowest (Nocedal and Wright, 3.59).

    It lies within ``bounds``, by default between the points; if the cubic has no minimum, it is the middle.
    """
    left, right = (a, b) if a.at <= b.at else (b, a)
    least, most = (left.at, right.at) if bounds is None else bounds
    one = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.at - b.at)
    square = one**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2.0
    two = square.sqrt()
    lowest = right.at - (right.at - left.at) * ((right.slope + two - one) / (right.slope - left.slope + 2 * two))
    return min(max(lowest, least), most)
