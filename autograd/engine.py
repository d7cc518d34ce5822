"""Walks the record backward, newest step first, and adds the gradients to the leaves.

``reference.py`` has the same in a page. This is the walk for when nobody looks on: arrays, no hooks, all leaves; most
walks are of this kind. ``watched_walk.py`` has the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from sys import getrefcount
from typing import Any

import numpy as np

from .broadcast import unbroadcast
from .node import Node
from .threads import ONE_AT_A_TIME

_newest = attrgetter("seq")


def reachable(roots: Iterable[Node]) -> tuple[list[Node], dict[Node, Any], bool]:
    """Return every node that a gradient can reach, newest first, a dict with all of them, and whether any has hooks.

    That is a valid order, as a step is always younger than the steps it read from. The dict holds ``None`` for each.
    """
    order, hooked = list(roots), False
    seen: dict[Node, Any] = dict.fromkeys(order)
    append = order.append
    for node in order:  # grows as it goes
        edge, others = node.edge, node.other_edges
        if node.hooks is not None:
            hooked = True
        if edge is not None and edge not in seen:
            seen[edge] = None
            append(edge)
        if others is not None:
            for edge in others:
                if edge is not None and edge not in seen:
                    seen[edge] = None
                    append(edge)
    order.sort(key=_newest, reverse=True)  # nearly sorted: cheap
    return order, seen, hooked


def _only_in_dict() -> int:
    grads = {0: np.empty(1)}
    before = grads.get(0)
    return getrefcount(before)


_ONLY_IN_DICT = _only_in_dict() if ONE_AT_A_TIME else -1
"""The reference count of an array that only ``grads`` and one local variable hold; none where it tells nothing."""
LARGE = 16384
"""From this size on it pays to look whether a sum may be written into one of its terms."""


def walk_arrays(  # noqa: PLR0912 - a call for each branch would double the price of a step
    order: list[Node], grads: dict[Node, Any], keep: bool
) -> dict[Node, Any]:
    """Send gradients down the graph; return what reached the leaves. Without ``keep``, free what each node saved.

    ``order`` is newest first; ``grads`` has an entry for every node: the gradients of the roots, and ``None``.

    A sum is written into a term that only ``grads`` holds, which the reference count tells. A count that is too low
    would let it write into an array that someone else sees; the tests of the engine look at this on every Python.
    """
    arrived: dict[Node, Any] = {}
    owned: set[Node] = set()  # nodes whose gradient is a sum made here, which may be added to in place
    ndarray = np.ndarray
    for node in order:
        g = grads[node]
        if g is None:
            continue
        grads[node] = None
        backward = node.backward
        if backward is None:
            arrived[node] = g
            continue
        part = parts = backward.vjp(g, node.saved, node)
        del g  # so that an array handed on unchanged is seen to have one holder less
        if backward.frees and not keep:
            node.saved = None
        edge, others, needs_unbroadcast, number = node.edge, node.other_edges, backward.needs_unbroadcast, 0
        if others is not None:
            part = parts[0]
        while True:
            if edge is not None and part is not None:
                if needs_unbroadcast and (part.shape != edge.shape or part.dtype is not edge.dtype):
                    part = unbroadcast(part, edge, node)
                before = grads[edge]
                if before is None:
                    grads[edge] = part
                elif type(before) is not ndarray:  # a number: a sum of two arrays without dims is one too
                    grads[edge] = before + part
                elif edge in owned:
                    before += part
                elif before.size >= LARGE and getrefcount(before) == _ONLY_IN_DICT and before.base is None:
                    before += part
                    owned.add(edge)
                else:
                    grads[edge] = before + part
                    owned.add(edge)
            if others is None or number == len(others):
                break
            edge = others[number]
            number += 1
            part = parts[number]
    return arrived
