"""The walk backward where somebody looks on: hooks, chosen inputs, anomaly detection, a walk that is itself recorded.

It goes one step at a time, so that ``viz.backward_steps`` shows the same walk that ``backward`` takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from .accumulate import accumulate
from .anomaly_mode import anomaly
from .broadcast import unbroadcast
from .errors import FreedError
from .multi_output import result_node
from .node import Node
from .observers import Doing
from .recording import recording
from .threads import counter
from .variable import Variable, wrap

walking: ContextVar[tuple[int, Collection[Node]]] = ContextVar("walking", default=(-1, ()))
"""The number of the walk that this thread or task is on, and the nodes that it runs; hooks may ask for them."""
_walks = counter()


Step = tuple[Node, Any, list[tuple[int, Node, Any]], float]
"""One step: the node that ran, the gradient that it received, what it sent on (the number of an edge, the node there,
the gradient), and the seconds that its vjp took. No class: a walk makes one for each node."""


class WatchedWalk:
    """One walk.

    order     the nodes that a gradient can reach, newest first
    grads     the gradients that wait at each node: arrays, or with ``record`` tensors
    arrived   those that reached a leaf, or one of ``targets`` if there are any
    useful    the nodes that lead to a target; ``None`` without targets
    keep      whether nodes keep what they saved
    rehearse  whether leaves stay as they are
    lands     whether gradients accumulate at the targets, whose hooks then run, rather than being returned
    """

    def __init__(
        self,
        order: list[Node],
        roots: dict[Node, Any],
        *,
        record: bool = False,
        keep: bool = False,
        targets: set[Node] | None = None,
        rehearse: bool = False,
        lands: bool = False,
    ) -> None:
        self.order = _hooked_leaves_early(order)
        self.record, self.keep, self.targets, self.rehearse = record, keep, targets, rehearse
        self.lands = lands
        self.useful = None if targets is None else _leading_to(targets, order)
        useful = self.useful
        self.grads = {node: g for node, g in roots.items() if useful is None or node in useful}
        self.arrived: dict[Node, Any] = {}
        self.watch = anomaly.get()
        self._told = False  # whether somebody reads what a step returns
        self._lone_root = next(iter(roots.items())) if useful is not None and len(roots) == 1 else None

    def run(self) -> dict[Node, Any]:
        """Take all steps; return what arrived."""
        reached = self.useful if self.useful is not None else dict.fromkeys(self.order)
        outer = walking.set((next(_walks), reached))
        told = self.record and not isinstance(recording.get(), bool)
        try:
            if self._lone_root is not None:
                self._hooks_of_a_lone_root(*self._lone_root)
            step, grads = self.step, self.grads
            for node in self.order:
                g = grads.pop(node, None)
                if g is not None and told:
                    with Doing("backward", node):
                        step(node, g)
                elif g is not None:
                    step(node, g)
            return self.arrived
        finally:
            walking.reset(outer)

    def __iter__(self) -> Iterator[Step]:
        """Take one step after the other."""
        self._told = True
        for node in self.order:
            g = self.grads.pop(node, None)
            if g is not None:
                yield self.step(node, g)

    def _hooks_of_a_lone_root(self, node: Node, g: Any) -> None:
        """Run the hooks of a single root that leads to no target, as PyTorch does; of several it runs none."""
        if self.useful is not None and node not in self.useful and node.hooks is not None:
            node.hooks.run_tensor_hooks(node, g)

    def step(self, node: Node, g: Any) -> Step:  # noqa: PLR0912 - all that can happen to a gradient, in one place
        """Run ``node``, which received ``g``."""
        hooks, backward, edges, asked = node.hooks, node.backward, node.edges, node
        wanted = edges
        if hooks is not None:
            g = hooks.run_tensor_hooks(node, g)
        if self.targets is not None and self.useful is not None:
            if node in self.targets and self.lands and backward is None:
                return self._leaf(node, g)
            if node in self.targets:
                self.arrived[node] = g
            wanted = tuple([edge if edge in self.useful else None for edge in edges])
            if backward is None or not any(wanted):
                if self.lands and hooks is not None:  # PyTorch runs the node, for no gradient at all
                    g = hooks.run_before(g)
                    hooks.run_after((None,) * len(edges), g)
                return node, g, [], 0.0
            if wanted != edges:
                asked = node.restricted(wanted)
        elif backward is None:
            return self._leaf(node, g)
        if hooks is not None:
            g = hooks.run_before(g)
        start = perf_counter() if self._told else 0.0
        saved = _saved_as_tensors(node, edges) if self.record else node.saved
        parts = backward.vjp(g, saved, asked)
        seconds = perf_counter() - start if self._told else 0.0
        parts = parts if asked.other_edges is not None else (parts, *(None,) * (len(edges) - 1))
        if hooks is not None:
            parts = hooks.run_after(parts, g)
        if self.watch is not None:
            self.watch.check(node, parts)
        if not self.keep and backward.frees:
            node.saved = None
        grads, sent, number = self.grads, [], -1
        for edge, part in zip(wanted, parts, strict=True):
            number += 1
            if edge is None or part is None:
                continue
            array = part.array if isinstance(part, Variable) else part
            if edge.shape is not None and (array.shape != edge.shape or array.dtype is not edge.dtype):
                part = unbroadcast(part, edge, node)  # noqa: PLW2901
            grads[edge] = grads[edge] + part if edge in grads else part
            if self._told:
                sent.append((number, edge, part))
        return node, g, sent, seconds

    def _leaf(self, node: Node, g: Any) -> Step:
        hooks = node.hooks
        if hooks is None:
            self.arrived[node] = g
        else:
            g = hooks.run_before(g)
            if not self.rehearse:
                accumulate(node, [g], self.record)
            hooks.run_after((), g)
        return node, g, [], 0.0


def _saved_as_tensors(node: Node, edges: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what ``node`` saved, its arrays as tensors that are still tied to the graph; ``edges`` are all it has."""
    if node.backward is None or node.saved is None:
        raise FreedError
    saved = list(node.saved)
    for _, place, source in node.backward.saved_slots:
        array = saved[place]
        if array is not None:
            owner = None if source is None else edges[source] if source >= 0 else result_node(node, ~source, array)
            saved[place] = wrap(Variable.result, array, owner, saved[place + 1])
    return tuple(saved)


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
