"""Walks the record backward, newest step first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextvars import ContextVar
from itertools import count
from operator import attrgetter
from sys import getrefcount
from typing import Any

import numpy as np

from .anomaly_mode import anomaly
from .broadcast import convert, unbroadcast
from .node import FreedError, Node, Variable, wrap
from .version import count_write

_newest = attrgetter("seq")


def reachable(roots: Iterable[Node]) -> tuple[list[Node], dict[Node, Any], bool]:
    """Return every node that a gradient can reach, newest first, a dict with all of them, and whether any has hooks.

    That is a valid order, as a step is always younger than the steps it read from. The dict holds ``None`` for each.
    """
    order, hooked = list(roots), False
    seen: dict[Node, Any] = dict.fromkeys(order)
    append = order.append
    for node in order:  # grows as it goes
        edge, more = node.edge, node.other_edges
        if node.hooks is not None:
            hooked = True
        if edge is not None and edge not in seen:
            seen[edge] = None
            append(edge)
        if more is not None:
            for edge in more:
                if edge is not None and edge not in seen:
                    seen[edge] = None
                    append(edge)
    order.sort(key=_newest, reverse=True)  # nearly sorted: cheap
    return order, seen, hooked


def _hooked_leaves_early(order: list[Node]) -> list[Node]:
    """Return ``order`` with each leaf that has hooks right after the last step that reads it, as PyTorch runs it."""
    early = {node for node in order if node.backward is None and node.hooks is not None}
    if not early:
        return order
    last = {edge: node for node in order for edge in node.edges if edge in early}
    after: dict[Node, list[Node]] = {}
    for leaf, reader in last.items():
        after.setdefault(reader, []).append(leaf)
    moved: list[Node] = []
    for node in order:
        if node not in last:
            moved.append(node)
        moved += after.get(node, ())
    return moved


def _leading_to(targets: set[Node], order: list[Node]) -> set[Node]:
    """Return the nodes of ``order`` from which a target can be reached."""
    useful: set[Node] = set()
    for node in reversed(order):
        if node in targets or any(edge in useful for edge in node.edges if edge is not None):
            useful.add(node)
    return useful


def saved_as_tensors(node: Node, cls: Any) -> tuple[Any, ...]:
    """Return what ``node`` saved, its arrays as tensors that are still tied to the graph."""
    if node.backward is None or node.saved is None:
        raise FreedError
    saved = list(node.saved)
    for place, _, edge in node.backward.layout:
        if saved[place] is not None:
            owner = node if edge == -1 else node.edges[edge] if edge >= 0 else None
            saved[place] = wrap(cls, saved[place], owner, saved[place + 1])
    return tuple(saved)


def vjps(node: Any, g: Any, saved: Any, edges: int) -> tuple[Any, ...]:
    """Return the gradient of each of the inputs of ``node``, ``None`` where none is asked for."""
    parts = node.backward.vjp(g, saved, node)
    return parts if node.other_edges is not None else (parts, *(None,) * (edges - 1))


walking: ContextVar[tuple[int, Collection[Node]]] = ContextVar("walking", default=(-1, ()))
"""The number of the walk that this thread or task is on, and the nodes that it runs; hooks may ask for them."""
_walks = count()


def run(
    roots: dict[Node, Any], cls: Any, *, record: bool, keep: bool, targets: set[Node] | None = None
) -> dict[Node, Any]:
    """Send each root's gradient down the graph; return what reached the leaves, or the ``targets``.

    With ``record`` gradients are tensors of class ``cls`` and the walk itself is recorded; else they are arrays.
    Without ``keep`` each node lets go of what it saved. A leaf with hooks gets its gradient on the way.
    """
    (order, seen, hooked), watch = reachable(roots), anomaly.get()
    if not (record or targets or watch or hooked):
        seen.update(roots)
        return _walk_arrays(order, seen, keep)
    order = _hooked_leaves_early(order)
    useful = None if targets is None else _leading_to(targets, order)
    outer = walking.set((next(_walks), useful if useful is not None else seen))
    try:
        if useful is not None and len(roots) == 1:
            _enter_alone(next(iter(roots.items())), useful, cls)
        return _walk_watched(order, roots, cls, record, keep, targets, useful)
    finally:
        walking.reset(outer)


def _enter_alone(root: tuple[Node, Any], useful: set[Node], cls: Any) -> None:
    """Run the hooks of a single root that leads to no target, as PyTorch does; of several it runs none."""
    node, g = root
    if node not in useful and node.hooks is not None:
        node.hooks.enter(node, g, cls)


def _walk_watched(  # noqa: PLR0912 - all that can happen to a gradient, in one place
    order: list[Node],
    roots: dict[Node, Any],
    cls: Any,
    record: bool,
    keep: bool,
    targets: set[Node] | None,
    useful: set[Node] | None,
) -> dict[Node, Any]:
    watch = anomaly.get()
    grads, arrived = {node: g for node, g in roots.items() if useful is None or node in useful}, {}
    for node in order:
        g = grads.pop(node, None)
        if g is None:
            continue
        hooks, op, edges, asked = node.hooks, node.backward, node.edges, node
        if hooks is not None:
            g = hooks.enter(node, g, cls)
        if useful is not None and targets is not None:
            if node in targets:
                arrived[node] = g
            edges = tuple([edge if edge in useful else None for edge in edges])
            if op is None or not any(edges):
                continue
            asked = Node()
            asked.backward, asked.edges = op, edges
        elif op is None:
            if hooks is None:
                arrived[node] = g
            else:
                g = hooks.prepare(g, cls)
                accumulate(node, [g], cls, record)
                hooks.leave((), g, cls)
            continue
        if hooks is not None:
            g = hooks.prepare(g, cls)
        parts = vjps(asked, g, saved_as_tensors(node, cls) if record else node.saved, len(edges))
        if hooks is not None:
            parts = hooks.leave(parts, g, cls)
        if watch is not None:
            watch.check(node, parts)
        if not keep and op.frees:
            node.saved = None
        for edge, part in zip(edges, parts, strict=True):
            if edge is None or part is None:
                continue
            fits = part.shape == edge.shape and part.dtype is edge.dtype
            fitted = part if fits else unbroadcast(part, edge, node)
            grads[edge] = grads[edge] + fitted if edge in grads else fitted
    return arrived


def _references_in_dict(grads: dict[int, Any]) -> int:
    before = grads.get(0)
    return getrefcount(before)


_ONLY_IN_DICT = _references_in_dict({0: np.empty(1)})
"""What ``getrefcount`` says of an array that only ``grads`` and one local variable hold."""
LARGE = 16384
"""From this size on it pays to look whether a sum may be written into one of its terms."""


def _walk_arrays(  # noqa: PLR0912 - a call for each branch would double the price of a step
    order: list[Node], grads: dict[Node, Any], keep: bool
) -> dict[Node, Any]:
    """Do as :func:`run` where nobody looks on: plain arrays, no hooks, all leaves. Most walks are of this kind.

    ``grads`` has an entry for every node: the gradients of the roots, and ``None``.
    """
    arrived: dict[Node, Any] = {}
    owned: set[Node] = set()  # nodes whose gradient is a sum made here, which may be added to in place
    ndarray = np.ndarray
    for node in order:
        g = grads[node]
        if g is None:
            continue
        grads[node] = None
        op = node.backward
        if op is None:
            arrived[node] = g
            continue
        part = parts = op.vjp(g, node.saved, node)
        del g  # so that an array handed on unchanged is seen to have one holder less
        if op.frees and not keep:
            node.saved = None
        edge, more, needs_unbroadcast, number = node.edge, node.other_edges, op.needs_unbroadcast, 0
        if more is not None:
            part = parts[0]
        while True:
            if edge is not None and part is not None:
                if needs_unbroadcast and (part.shape != edge.shape or part.dtype is not edge.dtype):
                    part = unbroadcast(part, edge, node)
                before = grads[edge]
                if before is None:
                    grads[edge] = part
                elif type(before) is not ndarray:  # a sum of two arrays without dims is a scalar, too
                    grads[edge] = before + part
                elif edge in owned:
                    before += part
                elif before.size >= LARGE and getrefcount(before) == _ONLY_IN_DICT and before.base is None:
                    before += part
                    owned.add(edge)
                else:
                    grads[edge] = before + part
                    owned.add(edge)
            if more is None or number == len(more):
                break
            edge = more[number]
            number += 1
            part = parts[number]
    return arrived


def _references(box: list[Any]) -> int:
    one = box.pop()
    return getrefcount(one)


_ALONE = _references([np.empty(1)])
"""What ``getrefcount`` says of an array that only one local variable holds."""


def _own(box: list[Any]) -> Any:
    """Return the array in ``box``, or a copy if anyone else could see it."""
    array = box.pop()
    if type(array) is not np.ndarray:
        return array
    alone = getrefcount(array) == _ALONE and array.base is None and array.flags.c_contiguous and array.flags.writeable
    return array if alone else np.array(array, order="C")


def accumulate(node: Node, box: list[Any], cls: Any, record: bool) -> None:
    """Add the gradient in ``box`` to what rests at the leaf ``node``: in place, unless the walk is recorded.

    The box lets ``node`` take the array over without a copy if nobody else holds it.
    """
    hooks, before = node.hooks, node.grad
    if record:
        grad = convert(box.pop(), node.dtype) if before is None else before + box.pop()
    elif before is None:
        grad = wrap(cls, _own(box))
    else:
        grad = before
        _add_in_place(before, box.pop())
    node.grad = grad
    if hooks is not None:
        for hook in tuple(hooks.accumulated.values()):
            hook(hooks.variable)


def _add_in_place(grad: Variable, got: Any) -> None:
    if type(grad.array) is np.ndarray:
        np.add(grad.array, got, grad.array)
    else:
        grad.array = grad.array + got
    if grad.version is not None:
        count_write(grad.version, "backward")


def arrive(arrived: dict[Node, Any], cls: Any, record: bool) -> None:
    """Add every gradient that arrived to what rests at its leaf."""
    while arrived:
        node, got = arrived.popitem()
        box = [got]
        del got
        accumulate(node, box, cls, record)
