"""Where gradients enter the graph, and which."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .broadcast import convert
from .node import Node
from .tangents import Seen, carries_only
from .variable import Variable, wrap
from .view import refresh_view


def node_of(x: Variable) -> Node | None:
    """Return the node of ``x`` as of now, if gradients pass: a view first looks whether its base was written."""
    if x.view_of is not None:
        refresh_view(x)
    node = x.node
    return None if node is None or (Seen.carriers and carries_only(node)) else node


class GradientEdge(NamedTuple):
    """Where a gradient enters the graph: a node, and which of its outputs the gradient belongs to."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def edges_listed(given: Any, what: str) -> list[Any]:
    """Return one tensor or edge, or several, as a list; RuntimeError or TypeError in the words for ``what``."""
    listed = [given] if isinstance(given, Variable | GradientEdge) else list(given)
    if not listed:
        raise RuntimeError(f"'{what}' argument cannot be empty.")
    for one in listed:
        if not isinstance(one, Variable | GradientEdge):
            error = RuntimeError if what == "inputs" else TypeError  # as PyTorch has it
            raise error(f"all {what} have to be Tensors or GradientEdges, but got {type(one).__name__}")
    return listed


def node_of_edge(one: Variable | GradientEdge) -> Node | None:
    """Return the node at which the gradient of a tensor, or of an edge, enters the graph."""
    if isinstance(one, Variable):
        return node_of(one)
    entry: Node = one.node if one.ownership_token is None else one.ownership_token
    if one.ownership_token is None and entry.shape is None:
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


def roots_of(outputs: list[Any], gradients: Any, create_graph: bool) -> dict[Node, Any]:
    """Return for the node of each of ``outputs`` the gradient that enters there: an array, or a tensor to record."""
    if gradients is None:
        gradients = [None] * len(outputs)
    elif isinstance(gradients, Variable):
        gradients = [gradients]
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    roots: dict[Node, Any] = {}
    for number, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        node = node_of_edge(output)
        if node is None:
            raise RuntimeError(f"element {number} of tensors does not require grad and does not have a grad_fn")
        seed = _seed(node, gradient, create_graph)
        roots[node] = roots[node] + seed if node in roots else seed
    return roots
