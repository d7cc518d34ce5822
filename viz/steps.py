"""``backward_steps``: the backward pass, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from ..autograd.anomaly_mode import anomaly
from ..autograd.broadcast import unbroadcast
from ..autograd.engine import _hooked_leaves_early, accumulate, arrive, reachable, vjps
from ..autograd.entry import _listed, _roots
from ..autograd.grad_fn import grad_fn_of
from ..autograd.grad_mode import Recording
from ..autograd.multi_output import OutputGrads
from ..autograd.node import OUTPUT, Node, Variable, wrap
from .values import norm_of


@dataclass(frozen=True)
class BackwardStep:
    """One step of a backward pass.

    ``node`` ran; ``gradient`` is what it received (a tensor, or a tuple with None where a result of several got
    nothing); ``sent`` pairs each node that a gradient went to with that gradient. A leaf sends nothing: there the
    gradient comes to rest. ``seconds`` is the time its rule took.
    """

    node: Node
    gradient: Any
    sent: tuple[tuple[Node, Any], ...]
    seconds: float
    slots: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The name of the step, such as ``MulBackward0``."""
        return type(self.node).__name__

    @property
    def norm(self) -> float:
        """The Euclidean norm of the gradient that was received."""
        return norm_of(flat(self.gradient))[0]

    def __str__(self) -> str:
        sent = ", ".join(f"{_called(node)} {norm_of(flat(g))[0]:.3g}" for node, g in self.sent)
        return f"{self.name} takes ‖∂‖ {self.norm:.3g}" + (f" → {sent}" if sent else "")


def backward_steps(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, *, accumulate: bool = True
) -> Iterator[BackwardStep]:
    """Yield each step of ``torch.autograd.backward(tensors, grad_tensors, retain_graph)`` after it ran.

    Hooks run, saved values are freed unless ``retain_graph``, and when the last step was taken the gradients are added
    to the ``grad`` of the leaves, as by ``backward``. A loop that is left early adds none (except to leaves with
    hooks), but has freed what it passed. With ``accumulate=False`` it is a rehearsal: nothing is added, nothing freed.

    >>> import rushlight as torch
    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> for step in torch.viz.backward_steps((x * x).sum()):
    ...     print(step)
    SumBackward0 takes ‖∂‖ 1 → MulBackward0 1
    MulBackward0 takes ‖∂‖ 1 → leaf 3, leaf 3
    AccumulateGrad takes ‖∂‖ 6
    >>> x.grad
    tensor([6.])
    """
    outputs = _listed(tensors, "tensors")
    with Recording(False):
        roots = _roots(outputs, grad_tensors, False)
    return _Pass(roots, Variable.result, bool(retain_graph) or not accumulate, accumulate).run()


class _Pass:
    """One walk backward; the engine's, slowly and with an eye on every step."""

    def __init__(self, roots: dict[Node, Any], cls: Any, keep: bool, accumulates: bool) -> None:
        self.grads, self.cls, self.keep, self.accumulates = dict(roots), cls, keep, accumulates
        order, _, _ = reachable(roots)
        self.order = _hooked_leaves_early(order)
        self.arrived: dict[Node, Any] = {}

    def run(self) -> Iterator[BackwardStep]:
        kept = [(node.hooks, node.hooks.kept) for node in self.order if node.hooks is not None]
        try:
            for node in self.order:
                g = self.grads.pop(node, None)
                if g is not None:
                    with Recording(False):
                        step = self._leaf(node, g) if node.backward is None else self._step(node, g)
                    if step is not None:
                        yield step
            if self.accumulates:
                arrive(self.arrived, self.cls, False)
        finally:
            if not self.accumulates:
                for hooks, before in kept:
                    hooks.kept = before

    def _leaf(self, node: Node, g: Any) -> BackwardStep:
        if node.hooks is None:
            self.arrived[node] = g
        else:
            g = node.hooks.prepare(node.hooks.enter(node, g, self.cls), self.cls)
            if self.accumulates:
                accumulate(node, [np.array(g)], self.cls, False)
            node.hooks.leave((), g, self.cls)
        return BackwardStep(grad_fn_of(node)[0], self._tensor(g), (), 0.0)

    def _step(self, node: Node, g: Any) -> BackwardStep | None:
        hooks, op = node.hooks, node.backward
        if hooks is not None:
            g = hooks.prepare(hooks.enter(node, g, self.cls), self.cls)
        start = perf_counter()
        parts = vjps(node, g, node.saved, len(node.edges))
        seconds = perf_counter() - start
        if hooks is not None:
            parts = hooks.leave(parts, g, self.cls)
        watch = anomaly.get()
        if watch is not None:
            watch.check(node, parts)
        if not self.keep and op.frees:  # type: ignore[union-attr]
            node.saved = None
        sent, slots = [], []
        for slot, (edge, part) in enumerate(zip(node.edges, parts, strict=True)):
            if edge is None or part is None:
                continue
            fits = part.shape == edge.shape and part.dtype is edge.dtype
            settled = part if fits else unbroadcast(part, edge, node)
            self.grads[edge] = self.grads[edge] + settled if edge in self.grads else settled
            sent.append((grad_fn_of(edge)[0], self._tensor(settled)))
            slots.append(slot)
        if op.name == OUTPUT:  # type: ignore[union-attr]
            return None
        return BackwardStep(grad_fn_of(node)[0], self._tensor(g), tuple(sent), seconds, tuple(slots))

    def _tensor(self, g: Any) -> Any:
        if isinstance(g, OutputGrads):
            return tuple(None if item is None else wrap(self.cls, item) for item in g.items)
        return wrap(self.cls, g)


def flat(gradient: Any) -> Any:
    """Return the numbers of a gradient, or of all in a tuple, as one array."""
    if not isinstance(gradient, tuple):
        return gradient.array
    parts = [np.ravel(one.array) for one in gradient if one is not None]
    return np.concatenate(parts) if parts else np.empty(0)


def _called(node: Node) -> str:
    return "leaf" if node.backward is None else type(node).__name__
