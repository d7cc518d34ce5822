"""``backward_steps``: the backward pass, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.accumulate import accumulate_all
from ..autograd.engine import reachable
from ..autograd.grad_fn import grad_fn_of
from ..autograd.gradient_edge import edges_listed, roots_of
from ..autograd.multi_output import OUTPUT, OutputGrads
from ..autograd.node import Node
from ..autograd.recording import Recording
from ..autograd.variable import Variable, wrap
from ..autograd.watched_walk import WatchedWalk
from .values import norm_of


@dataclass(frozen=True)
class BackwardStep:
    """One step of a backward pass.

    ``node`` ran; ``gradient`` is what it received (a tensor, or a tuple with None where a result of several got
    nothing); ``sent`` pairs each node that a gradient went to with that gradient. A leaf sends nothing: there the
    gradient accumulates. ``seconds`` is the time its rule took.
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
    outputs = edges_listed(tensors, "tensors")
    with Recording(False):
        roots = roots_of(outputs, grad_tensors, False)
    order, _, _ = reachable(roots)
    walk = WatchedWalk(order, roots, keep=bool(retain_graph) or not accumulate, rehearse=not accumulate)
    return _steps(walk)


def _steps(walk: WatchedWalk) -> Iterator[BackwardStep]:
    """Yield what users see of the steps of ``walk``; a rehearsal leaves retained gradients as they were."""
    kept = [(node.hooks, node.hooks.kept) for node in walk.order if node.hooks is not None]
    try:
        steps = iter(walk)
        while True:
            with Recording(False):
                step = next(steps, None)
            if step is None:
                break
            node = step[0]
            if node.backward is None or node.backward.name != OUTPUT:
                yield _as_seen(*step)
        if not walk.rehearse:
            accumulate_all(walk.arrived, False)
    finally:
        if walk.rehearse:
            for hooks, before in kept:
                hooks.kept = before


def _as_seen(node: Node, g: Any, sent: list[tuple[int, Node, Any]], seconds: float) -> BackwardStep:
    went = tuple((grad_fn_of(edge)[0], _tensor(part)) for _, edge, part in sent)
    return BackwardStep(grad_fn_of(node)[0], _tensor(g), went, seconds, tuple(number for number, _, _ in sent))


def _tensor(g: Any) -> Any:
    if isinstance(g, OutputGrads):
        return tuple(None if item is None else wrap(Variable.result, item) for item in g.items)
    return wrap(Variable.result, g)


def flat(gradient: Any) -> Any:
    """Return the numbers of a gradient, or of all in a tuple, as one array."""
    if not isinstance(gradient, tuple):
        return gradient.array
    parts = [np.ravel(one.array) for one in gradient if one is not None]
    return np.concatenate(parts) if parts else np.empty(0)


def _called(node: Node) -> str:
    return "leaf" if node.backward is None else type(node).__name__
