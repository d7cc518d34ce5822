"""Slopes of a function of one number at 0, each with an estimate of its own error.

Differences of many step sizes are extrapolated to step 0 (Richardson). What two extrapolations differ by tells
the error of the formula; what differences of the smallest steps scatter tells the rounding noise. The estimate
with the least sum of both is taken (https://doi.org/10.1016/S0141-1195(82)80057-0, Ridders 1982), and
mistrusted if smaller steps disagree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, log

import numpy as np

RATIO = 4.0
"""Each step is this many times smaller than the one before."""
FIRST = 2.0**-3
"""The largest step."""


@dataclass(frozen=True)
class Slope:
    """Slopes measured by finite differences: the two-sided ``value`` with its ``error``, and the one-sided slopes.

    ``kink``: the slopes to the left and to the right differ by more than their error, or one of them does not exist,
    as ``why`` says. ``noise`` is how uncertain one value of the function is; ``central`` are steps and plain
    differences.
    """

    value: float
    error: float
    left: float
    right: float
    kink: bool
    why: str
    noise: float
    central: tuple[tuple[float, float], ...] = ()


def best(column: list[float], steps: list[float], noise: float, first: float, growth: float) -> tuple[float, float]:
    """Return the extrapolation of ``column`` to step 0 that is surest, and its error.

    Terms of the error fall as ``first``, ``first * growth``, ... when the step falls by ``RATIO``.
    """
    value, error = column[-1], inf
    before: list[float] = []
    for k, entry in enumerate(column):
        row, factor = [entry], first
        for m in range(min(k, 4)):
            row.append(row[m] + (row[m] - before[m]) / (factor - 1))
            factor *= growth
        for m in range(1, len(row)):
            spread = max(abs(row[m] - row[m - 1]), abs(row[m] - before[m - 1]))
            total = 2 * spread + 4 * noise / steps[k]
            if total < error:  # smaller steps have less error of the formula, so they may differ by noise only
                rest = zip(column[k:], steps[k:], strict=True)
                total = max(total, *(abs(one - row[m]) - 12 * noise / h for one, h in rest))
            if total < error:
                value, error = row[m], total
        before = row
    return value, error


def scatter(column: list[float], steps: list[float]) -> float:
    """Return the noise of one value, as the differences of the smallest steps show it."""
    tail = [abs(a - b) * h for a, b, h in zip(column[-5:], column[-6:-1], steps[-5:], strict=False)]
    return sorted(tail)[len(tail) // 2] if tail else 0.0


def slope(phi: Callable[[float], float], noise: float, eps: float) -> Slope:
    """Return the slope of ``phi`` at 0, where its values are uncertain by at least ``noise``.

    ``phi``'s argument is so scaled that 1 is a typical distance; where the function lives on a much smaller scale,
    smaller steps are tried. ``eps`` is the relative spacing of its values.
    """
    deepest = eps**0.52
    found = _ladder(phi, noise, FIRST, deepest)
    if isfinite(found.value) and found.error > 1e-3 * abs(found.value):
        finer = _ladder(phi, noise, 64 * deepest, 64 * deepest * deepest)
        if finer.value and finer.error <= 1e-3 * abs(finer.value):
            return finer
    return found


def _ladder(phi: Callable[[float], float], noise: float, first: float, last: float) -> Slope:
    """Return the slope by steps from ``first`` to ``last``, seven at least."""
    middle, ratio = phi(0.0), min(RATIO, (first / last) ** (1 / 6))
    steps = [first / ratio**k for k in range(40) if first / ratio**k > last * 0.999]
    ahead, behind = [phi(h) for h in steps], [phi(-h) for h in steps]
    if not isfinite(middle):
        return Slope(middle, inf, middle, middle, False, "the function is not finite here", inf)
    both = [k for k in range(len(steps)) if isfinite(ahead[k]) and isfinite(behind[k])]
    if len(both) < 4:
        return _edge(middle, ahead, behind, steps, noise)
    h = [steps[k] for k in both]
    central = [(ahead[k] - behind[k]) / (2 * steps[k]) for k in both]
    bend = [(ahead[k] - 2 * middle + behind[k]) / steps[k] for k in both]
    plain = tuple(zip(h, central, strict=True))
    if _jumps(central, h, noise):
        return Slope(central[-1], inf, central[-1], central[-1], True, "the value jumps", noise, plain)
    noise = max(noise, scatter(central, h) / 2)
    value, error = best(central, h, noise, _power(h, 2), _power(h, 2))
    jump, unsure = best(bend, h, 2 * noise, _power(h, 1), _power(h, 2))
    kink, why = _kinked(jump, unsure, bend, h, noise)
    if kink:
        error += unsure / 2
    elif _grows(central, h, noise):
        kink, why, error = True, "the slope grows without bound as the step falls", inf
    return Slope(value, error, value - jump / 2, value + jump / 2, kink, why, noise, plain)


def _jumps(central: list[float], steps: list[float], noise: float) -> bool:
    """Return whether values a small step apart differ by the same, however small the step."""
    gaps = [c * h for c, h in zip(central, steps, strict=True)][-5:]
    return len(gaps) == 5 and abs(gaps[-1]) > 1e4 * noise and all(0.9 < gap / gaps[-1] < 1.1 for gap in gaps)


def _power(steps: list[float], power: int) -> float:
    return (steps[0] / steps[1]) ** power


def _kinked(jump: float, unsure: float, bend: list[float], steps: list[float], noise: float) -> tuple[bool, str]:
    """Return whether left and right slopes differ for sure: also for all small steps that noise does not drown."""
    if not abs(jump) > 2 * unsure:
        return False, ""
    clear = [b for b, h in zip(bend, steps, strict=True) if 16 * noise / h < abs(jump)][-4:]
    sure = len(clear) > 1 and all(b * jump > 0 and abs(jump) / 2 < abs(b) < 2 * abs(jump) for b in clear)
    return sure, "the slopes to the left and to the right differ" if sure else ""


def _grows(central: list[float], steps: list[float], noise: float) -> bool:
    """Return whether each slope is clearly steeper than the one of the step before."""
    tail = [(abs(c), h) for c, h in zip(central, steps, strict=True)][-6:]
    clear = len(tail) == 6 and all(c > 100 * noise / h for c, h in tail)
    return clear and all(b[0] > 1.2 * a[0] for a, b in itertools.pairwise(tail))


def _edge(middle: float, ahead: list[float], behind: list[float], steps: list[float], noise: float) -> Slope:
    """Return the one-sided slope at the edge of where the function is finite."""
    found: list[float] = []
    for values, sign in ((behind, -1), (ahead, 1)):
        use = [k for k in range(len(steps)) if isfinite(values[k])]
        h = [steps[k] for k in use]
        column = [sign * (values[k] - middle) / steps[k] for k in use]
        found.append(best(column, h, noise, _power(h, 1), _power(h, 1))[0] if len(use) > 3 else float("nan"))
    left, right = found
    one = right if np.isnan(left) else left
    return Slope(one, inf, left, right, True, "the function is finite on one side only", noise)


def rate(
    phi: Callable[[float], float], terms: tuple[float, ...], noise: float
) -> tuple[float, list[tuple[float, float]]]:
    """Return how the Taylor remainder of ``phi`` falls, as the power of the step, and the remainders by step.

    ``terms`` are the derivatives at 0 claimed to be right: the value is not among them. The power is ``inf`` where
    nothing but noise remains, and is measured over the smallest steps that stand out of it.
    """
    middle, found = phi(0.0), []
    for k in range(3, 24):
        h, taylor, factor = 2.0**-k, middle, 1.0
        for n, term in enumerate(terms, 1):
            factor *= h / n
            taylor += term * factor
        rest = abs(phi(h) - taylor)
        if isfinite(rest):
            found.append((h, rest))
    clear = [(h, rest) for h, rest in found if rest > 100 * noise]
    if len(clear) < 3:
        return inf, found
    (wide, coarse), (narrow, fine) = clear[-3], clear[-1]
    return log(coarse / fine) / log(wide / narrow), found


def complex_slope(phi: Callable[[complex], complex]) -> float:
    """Return the slope of ``phi`` by one evaluation beside the real line: no cancellation, so exact to rounding.

    https://doi.org/10.1145/838250.838251. Right for functions that are analytic and computed with complex numbers.
    """
    tiny = 1e-30
    return float(np.imag(phi(complex(0.0, tiny))) / tiny)
