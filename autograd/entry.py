"""``backward`` and ``grad``: what users call to differentiate.

https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .broadcast import convert
from .engine import arrive, run
from .grad_mode import Recording
from .hooks import hooks_of
from .node import Node, Variable, new_leaf, wrap
from .primitive import PRIMITIVES
from .view import refresh_view


def node_of(x: Variable) -> Node | None:
    """Return the node of ``x`` as of now: a view first looks whether its base was written."""
    if x.view_of is not None:
        refresh_view(x)
    return x.node


class GradientEdge(NamedTuple):
    """Where a gradient enters the graph: a node, and which of its outputs the gradient belongs to."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def _listed(given: Any, what: str) -> list[Any]:
    listed = [given] if isinstance(given, Variable | GradientEdge) else list(given)
    if not listed:
        raise RuntimeError(f"'{what}' argument cannot be empty.")
    for one in listed:
        if not isinstance(one, Variable | GradientEdge):
            error = RuntimeError if what == "inputs" else TypeError  # as PyTorch has it
            raise error(f"all {what} have to be Tensors or GradientEdges, but got {type(one).__name__}")
    return listed


def _entry(one: Variable | GradientEdge) -> Node | None:
    """Return the node at which the gradient of a tensor, or of an edge, enters the graph."""
    if isinstance(one, Variable):
        return node_of(one)
    entry: Node = one.node if one.ownership_token is None else one.ownership_token
    if one.ownership_token is None and not all(isinstance(size, int) for size in entry.shape):
        raise RuntimeError(f"{entry.name()} has several outputs: get the edge of one by get_gradient_edge(tensor)")
    return entry


def _seed(node: Node, gradient: Any, create_graph: bool) -> Any:
    """Return the gradient that enters at ``node``: an array, or a tensor where the walk is recorded."""
    shape, kind = node.shape, node.dtype
    if gradient is None:
        if prod(shape) != 1:
            raise RuntimeError(
                f"grad can be implicitly created only for scalar outputs, but the output has shape {list(shape)}"
                ": pass the gradient, or reduce the output first"
            )
        ones = np.ones(shape, kind) if shape else kind.type(1)
        return wrap(Variable.result, ones) if create_graph else ones
    if not isinstance(gradient, Variable):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    if gradient.array.shape != shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of torch.Size({list(gradient.array.shape)}) and output[0] "
            f"has a shape of torch.Size({list(shape)})."
        )
    seed = gradient if create_graph else gradient.array
    return seed if gradient.array.dtype is kind else convert(seed, kind)


def _roots(outputs: list[Any], gradients: Any, create_graph: bool) -> dict[Node, Any]:
    if gradients is None:
        gradients = [None] * len(outputs)
    elif isinstance(gradients, Variable):
        gradients = [gradients]
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    roots: dict[Node, Any] = {}
    for number, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        node = _entry(output)
        if node is None:
            raise RuntimeError(f"element {number} of tensors does not require grad and does not have a grad_fn")
        seed = _seed(node, gradient, create_graph)
        roots[node] = roots[node] + seed if node in roots else seed
    return roots


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
    one = isinstance(tensors, Variable | GradientEdge)
    outputs = _listed(tensors, "tensors") if one or len(tensors) else []
    targets = None
    if inputs is not None:
        wanted = _listed(inputs, "inputs")
        targets = {_target(x) for x in wanted}
    cls = Variable.result
    keep = create_graph if retain_graph is None else retain_graph
    with Recording(create_graph):
        roots = _roots(outputs, grad_tensors, create_graph)
        for node in targets or ():
            if node.backward is not None:
                hooks_of(node).retain = True
        arrived = run(roots, cls, record=create_graph, keep=keep, targets=targets)
        del roots
        arrive(
            {node: g for node, g in arrived.items() if node.backward is None} if targets else arrived, cls, create_graph
        )


def _target(x: Variable | GradientEdge) -> Node:
    node = _entry(x)
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
    outputs, inputs = _listed(outputs, "outputs"), _listed(inputs, "inputs")
    nodes = [_target(x) for x in inputs]
    cls = Variable.result
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(outputs, inputs, grad_outputs, keep, create_graph, allow_unused, materialize_grads)
    with Recording(create_graph):
        roots = _roots(outputs, grad_outputs, create_graph)
        arrived = run(roots, cls, record=create_graph, keep=keep, targets=set(nodes))
    found: list[Any] = []
    for x, node in zip(inputs, nodes, strict=True):
        got = arrived.get(node)
        if got is None and materialize_grads:
            if isinstance(x, GradientEdge):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
            got = wrap(cls, np.zeros(node.shape, node.dtype))
            got.node = new_leaf(got) if create_graph else None  # as in PyTorch
        if got is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True "
                "if this is the desired behavior."
            )
        found.append(got if got is None or isinstance(got, Variable) else wrap(cls, got))
    return tuple(found)


def _batched(
    outputs: list[Any],
    inputs: list[Any],
    grad_outputs: Any,
    keep: bool,
    create_graph: bool,
    allow_unused: bool | None,
    materialize: bool,
) -> tuple[Any, ...]:
    """Return :func:`grad` for each row of ``grad_outputs``, stacked."""
    given: list[Any] = [grad_outputs] if isinstance(grad_outputs, Variable) else list(grad_outputs)
    size = len(given[0].array)
    rows = []
    for n in range(size):
        seeds = [g[n] for g in given]
        last = n == size - 1
        rows.append(
            grad(outputs, inputs, seeds, keep or not last, create_graph, True, allow_unused, False, materialize)
        )
    if not size:
        nodes = [_target(x) for x in inputs]
        return tuple(wrap(Variable.result, np.zeros((0, *node.shape), node.dtype)) for node in nodes)
    return tuple(None if column[0] is None else stack(column) for column in zip(*rows, strict=True))


def stack(rows: Sequence[Any]) -> Any:
    """Return tensors of one shape as the rows of another; the engine imports no op, and finds this one by its name."""
    return PRIMITIVES["stack"].function(rows)
