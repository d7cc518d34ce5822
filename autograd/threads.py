"""What several threads share: locks, and counters that never give one number twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import count
from threading import RLock
from typing import Any

ONE_AT_A_TIME: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether one thread runs Python at a time.

Where it does not (free-threaded builds of CPython), a reference count does not tell who else holds an array, and
``itertools.count`` may give one number to two threads.
"""


def shared_lock() -> Any:
    """Return a lock that a thread may take again while it has it, and that is free in a forked process.

    The other threads are gone there, so that none would ever give back a lock that it held at the fork.
    """
    lock: Any = RLock()
    if hasattr(os, "register_at_fork"):  # not on Windows, not in WebAssembly
        os.register_at_fork(after_in_child=lock._at_fork_reinit)
    return lock


class LockedCounter:
    """Counts from ``start``, however many threads ask: ``itertools.count`` for builds where many run at once."""

    def __init__(self, start: int) -> None:
        self.next, self.lock = start, shared_lock()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        with self.lock:
            number = self.next
            self.next += 1
        return number


def counter(start: int = 0) -> Iterator[int]:
    """Return what ``next`` asks for numbers from ``start`` on, each once."""
    return count(start) if ONE_AT_A_TIME else LockedCounter(start)


WRITING = shared_lock()
"""Held while a function is written for an op, at its first use: other threads wait for it, and use what was written."""
INFERENCE_LOCK = shared_lock()
"""Held while the inference-mode contexts of all threads are counted."""
