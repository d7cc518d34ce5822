"""Gradients that stay connected to an input they do not change with.

The gradient of a maximum is its incoming gradient at another place: it changes with the input nowhere, and no rule
reads the input. Recorded by ``create_graph=True`` it shall be differentiable all the same, with zeros: who penalizes a
gradient does not know which layers the model has. PyTorch's backward functions read the input there, which connects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .node import Backward, Node
from .recording import is_grad_enabled
from .variable import Variable, ensure_version, wrap

Vjp = Callable[[Any, Any, Any], Any]


def connect(vjp: Vjp, inputs: list[str], names: tuple[str, ...]) -> Vjp:
    """Return ``vjp``, the gradients of ``inputs``, so that what it records stays connected to those in ``names``."""
    places = [inputs.index(name) for name in names]

    def connected(g: Any, saved: Any, node: Node) -> Any:
        parts = vjp(g, saved, node)
        edges = [edge for place in places if (edge := node.edges[place]) is not None]
        if not edges or not is_grad_enabled():
            return parts
        return [_tied(part, edges) for part in parts] if isinstance(parts, tuple | list) else _tied(parts, edges)

    return connected if places else vjp


def _zeros_vjp(g: Any, saved: Any, node: Node) -> Any:
    """Return ``g`` for the gradient that was connected, and zeros for the inputs it was connected to."""
    if node.other_edges is None:
        return g
    zeros: list[Any] = [x and np.broadcast_to(np.zeros((), x.dtype), x.shape) for x in node.other_edges]
    if isinstance(g, Variable):
        zeros = [None if array is None else wrap(type(g), array) for array in zeros]
    return (g, *zeros)


def _tied(part: Any, edges: list[Node]) -> Any:
    if not isinstance(part, Variable):
        return part
    shape, dtype = part.array_shape, part.array_dtype
    backward = Backward("connected", "ConnectedBackward0", _zeros_vjp, needs_unbroadcast=False, arity=1 + len(edges))
    return wrap(
        type(part), part.array, Node.record(backward, (part.node, *edges), (), shape, dtype), ensure_version(part)
    )
