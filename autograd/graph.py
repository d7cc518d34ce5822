"""The graph as users see it: what PyTorch's users find at ``torch.autograd.graph``."""

from __future__ import annotations

from typing import Any, NamedTuple

from .node import Node, Variable, wrote
from .saved import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from .shown import shown
from .view import settle


class GradientEdge(NamedTuple):
    """Where a gradient enters the graph: a node, and which of its outputs the gradient belongs to."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Return the edge at which the gradient of ``tensor`` enters the graph; RuntimeError if it has none."""
    if tensor.view_of is not None:
        settle(tensor)
    if tensor.node is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*shown(tensor.node), tensor.node)


def increment_version(tensor: Any) -> None:
    """Note a write into ``tensor``, or into each of several, that rushlight could not see."""
    for one in [tensor] if isinstance(tensor, Variable) else tensor:
        wrote(one, "increment_version")


__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "save_on_cpu",
    "saved_tensors_hooks",
]
