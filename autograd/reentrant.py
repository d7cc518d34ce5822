"""Walks inside walks: a user's backward that calls ``backward`` itself, hundreds deep."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from .threads import shared_lock

_STRIDE, _FRAMES = 40, 1000
_depth: ContextVar[int] = ContextVar("depth", default=0)
_lock = shared_lock()
_rooms: list[int] = []  # the recursion limits found, one for each stride that a walk is deep now, in all threads


def run_nested(call: Callable[..., Any], *args: Any) -> Any:
    """Return ``call(*args)``, users' code in a walk; each forty such calls deep the recursion limit rises.

    PyTorch moves to another thread there. The limit is for the whole interpreter, and falls when no walk is deep.
    """
    depth = _depth.get() + 1
    token = _depth.set(depth)
    if depth % _STRIDE == 0:
        with _lock:
            _rooms.append(sys.getrecursionlimit())
            sys.setrecursionlimit(_rooms[-1] + _FRAMES)
    try:
        return call(*args)
    finally:
        _depth.reset(token)
        if depth % _STRIDE == 0:
            with _lock:
                limit = _rooms[0]
                _rooms.pop()
                if not _rooms:
                    with suppress(RecursionError):  # this thread stands deeper for other reasons
                        sys.setrecursionlimit(limit)
