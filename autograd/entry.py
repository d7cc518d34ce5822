"""``backward`` and ``grad``: what users call to differentiate.

https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .accumulate import accumulate_all
from .anomaly_mode import anomaly
from .engine import reachable, walk_arrays
from .gradient_edge import GradientEdge, edges_listed, node_of_edge, roots_of
from .hooks import hooks_of
from .node import Node
from .primitive import PRIMITIVES
from .recording import Recording, unrecorded
from .transforms import BACKWARD, refuse_inside, transformed
from .variable import Variable, new_leaf, wrap
from .watched_walk import WatchedWalk


def run(
    roots: dict[Node, Any],
    *,
    record: bool = False,
    keep: bool = False,
    targets: set[Node] | None = None,
    lands: bool = False,
) -> dict[Node, Any]:
    """Send each root's gradient down the graph; return what reached the leaves, or the ``targets``.

    With ``record`` gradients are tensors and the walk itself is recorded; else they are arrays. Without ``keep`` each
    node lets go of what it saved. A leaf with hooks gets its gradient on the way; with ``lands`` a target does, too.
    """
    order, grads, hooked = reachable(roots)
    if record or targets or hooked or anomaly.get():
        return WatchedWalk(order, roots, record=record, keep=keep, targets=targets, lands=lands).run()
    grads.update(roots)
    return walk_arrays(order, grads, keep)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``grad`` of the leaves they were computed from.

    ``grad_tensors`` holds a gradient of the same shape for each tensor, or None for one with a single element. Unless
    ``retain_graph`` (default: ``create_graph``) the saved values are freed. With ``create_graph`` the gradients can be
    differentiated again. ``inputs``: only these tensors accumulate.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward([(x * x).sum()])
    >>> x.grad
    tensor([2., 4.])
    """
    if transformed.get():
        refuse_inside(BACKWARD)
    one = isinstance(tensors, Variable | GradientEdge)
    outputs = edges_listed(tensors, "tensors") if one or len(tensors) else []
    targets = None
    if inputs is not None:
        wanted = edges_listed(inputs, "inputs")
        targets = {_target(x) for x in wanted}
    keep = create_graph if retain_graph is None else retain_graph
    with Recording(create_graph):
        roots = roots_of(outputs, grad_tensors, create_graph)
        for node in targets or ():
            if node.backward is not None:
                hooks_of(node).retain = True
        arrived = run(roots, record=create_graph, keep=keep, targets=targets, lands=True)
        del roots
        if targets:
            arrived = {node: g for node, g in arrived.items() if node.backward is None}
        accumulate_all(arrived, create_graph)


def _target(x: Variable | GradientEdge) -> Node:
    node = node_of_edge(x)
    if node is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return node


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of the sum of ``outputs`` with respect to each of ``inputs``.

    ``grad_outputs`` weighs the outputs (the vector of a vector-Jacobian product). An input that the outputs do not
    depend on raises RuntimeError, gives None with ``allow_unused``, zeros with ``materialize_grads``. With
    ``is_grads_batched`` the first dim of each of ``grad_outputs`` is a batch, and so is that of each gradient.

    >>> import rushlight as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dx,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(dx, x)
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    outputs, inputs = edges_listed(outputs, "outputs"), edges_listed(inputs, "inputs")
    nodes = [_target(x) for x in inputs]
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        batch: list[Any] = [grad_outputs] if isinstance(grad_outputs, Variable) else list(grad_outputs)
        left = len(batch[0].array)
        if not left:
            return tuple(wrap(Variable.result, np.zeros((0, *node.shape), node.dtype)) for node in nodes)
        options = create_graph, True, allow_unused, False, materialize_grads
        rows = [grad(outputs, inputs, [g[n] for g in batch], keep or n < left - 1, *options) for n in range(left)]
        return tuple(None if column[0] is None else stack(column) for column in zip(*rows, strict=True))
    record = create_graph or unrecorded.get() is not False  # tangents of gradients are asked for without a graph too
    with Recording(create_graph):
        roots = roots_of(outputs, grad_outputs, record)
        arrived = run(roots, record=record, keep=keep, targets=set(nodes))
    found: list[Any] = []
    for x, node in zip(inputs, nodes, strict=True):
        got = arrived.get(node)
        if got is None and materialize_grads:
            if isinstance(x, GradientEdge):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
            got = wrap(Variable.result, np.zeros(node.shape, node.dtype))
            got.node = new_leaf(got) if create_graph else None  # as in PyTorch
        if got is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True "
                "if this is the desired behavior."
            )
        found.append(got if got is None or isinstance(got, Variable) else wrap(Variable.result, got))
    return tuple(found)


def stack(rows: Sequence[Any], dim: int = 0) -> Any:
    """Return tensors of one shape as the rows of another; the engine imports no op, and finds this one by its name."""
    return PRIMITIVES["stack"].function(rows, dim)
