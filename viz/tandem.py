"""Finds stretches of a sequence that repeat one after the other: "tandem repeats"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LONGEST = 2048
"""Longest stretch that is looked for."""


@dataclass(frozen=True, slots=True)
class Run:
    """From ``start`` on, ``length`` places, each equal to that ``period`` places later, as far as that is inside."""

    start: int
    period: int
    length: int

    @property
    def count(self) -> int:
        """The number of whole repeats."""
        return self.length // self.period

    @property
    def saving(self) -> int:
        """The places that showing one repeat would save."""
        return (self.count - 1) * self.period


def runs(codes: Sequence[int], least: int) -> list[Run]:
    """Return the maximal runs in ``codes`` that save at least ``least`` places, the best first.

    Of equal ones that with the shortest period comes first. Each period costs one comparison of the whole sequence
    with itself, in NumPy: 100,000 places take a second.

    >>> from rushlight.viz.tandem import runs
    >>> runs([9, 1, 2, 1, 2, 1, 2, 7], 2)[0]
    Run(start=1, period=2, length=6)
    """
    array = np.asarray(codes, np.int32)
    found: list[Run] = []
    for period in range(1, min(len(array) // 2, LONGEST) + 1):
        same = array[:-period] == array[period:]
        if not same.any():
            continue
        edges = np.flatnonzero(np.diff(same, prepend=False, append=False))
        starts, ends = edges[::2], edges[1::2]
        for place in np.flatnonzero(ends - starts >= period):
            run = Run(int(starts[place]), period, int(ends[place] - starts[place]) + period)
            if run.saving >= least:
                found.append(run)
    return sorted(found, key=lambda run: (-run.saving, run.period, run.start))
