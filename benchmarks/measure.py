"""Interleaved timing of several engines, and the check that they computed the same thing."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from random import Random
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from engines import Engine
from workloads import Case, Results, Workload

CHECKED_STEPS = 3
SHORTEST = 0.003  # seconds the slowest engine runs for one timing


class DisagreementError(Exception):
    """An engine's results differ from NumPy's by hand: its times would mean nothing."""


@dataclass(frozen=True)
class Effort:
    """How often to measure: cases are made anew `rounds` times and timed `turns` times each."""

    rounds: int = 5
    turns: int = 18


FULL = Effort()
QUICK = Effort(rounds=2, turns=6)


def require_agreement(title: str, got: Results, wanted: Results, tolerance: float) -> None:
    """Return nothing if all of `got` is `wanted` up to a relative Euclidean error.

    Raises:
        DisagreementError: names, shapes, dtypes or values differ, or a wanted array is zero,
            infinite or NaN, so that agreeing with it would prove nothing.
    """
    if got.keys() != wanted.keys():
        raise DisagreementError(f"{title} gives {sorted(got)}, NumPy {sorted(wanted)}")
    for name, right in wanted.items():
        left = got[name]
        if left.shape != right.shape or left.dtype != right.dtype:
            raise DisagreementError(f"{title}: {name} is {left.dtype}{left.shape}, by hand {right.dtype}{right.shape}")
        size = float(np.linalg.norm(right.astype(np.float64)))
        if not 0 < size < float("inf"):
            raise DisagreementError(f"{name} by hand has norm {size}, which checks nothing")
        error = float(np.linalg.norm(left.astype(np.float64) - right)) / size
        if not error <= tolerance:
            raise DisagreementError(f"{title}: {name} is off by {error:.1e}, allowed {tolerance:.0e}")


def seconds(step: Callable[[], Any], times: int) -> float:
    """Return the mean time of a step over `times` of them; freeing its result is part of it.

    One step goes before, untimed: it refills the caches that the engine before has emptied. The
    clock counts the processor's time: with one thread it is the time of an idle machine, and an
    engine with longer steps is not charged for being interrupted more often.
    """
    step()
    start = process_time()
    for _ in range(times):
        step()
    return (process_time() - start) / times


def checked_cases(workload: Workload, engines: Sequence[Engine]) -> list[Case]:
    """Return a fresh case per engine, after three steps and a look at what they gave."""
    cases = [workload.by_hand() if engine.module is None else workload.in_torch(engine.module) for engine in engines]
    results: list[Results] = []
    for case in cases:
        for _ in range(CHECKED_STEPS - 1):
            case.step()
        results.append(case.read(case.step()))
    for engine, result in zip(engines[1:], results[1:], strict=True):
        require_agreement(engine.title, result, results[0], workload.tolerance)
    return cases


def interleave(steps: Sequence[Callable[[], Any]], inner: int, turns: int) -> list[list[float]]:
    """Return seconds a step, one list a step function; the same index is the same turn.

    In every turn each function is timed once, `inner` steps long, in a shuffled order: what
    disturbs the machine disturbs all, and none always follows the same other.
    """
    shuffled = Random(0)
    order = list(range(len(steps)))
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(turns):
        shuffled.shuffle(order)
        for i in order:
            times[i].append(seconds(steps[i], inner))
    return times


def measure(workload: Workload, engines: Sequence[Engine], effort: Effort = FULL) -> list[list[float]]:
    """Return seconds a step, one list an engine; the same index is the same turn.

    The cases that are timed are the cases that were checked. The garbage collector stays on.

    Raises:
        DisagreementError: an engine does not compute what NumPy by hand computes.
    """
    times: list[list[float]] = [[] for _ in engines]
    for _ in range(effort.rounds):
        steps = [case.step for case in checked_cases(workload, engines)]
        gc.collect()
        inner = ceil(SHORTEST / max(seconds(step, 1) for step in steps))
        for own, more in zip(times, interleave(steps, inner, effort.turns), strict=True):
            own.extend(more)
    return times


def paired_ratio(times: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of the ratios of timings taken in the same turn."""
    return median(a / b for a, b in zip(times, base, strict=True))
