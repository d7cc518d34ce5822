"""The graph as users see it: what PyTorch's users find at ``torch.autograd.graph``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import gradient_edge
from .grad_fn import grad_fn_of
from .gradient_edge import GradientEdge
from .hooks import RemovableHandle, hooks_of
from .node import Node
from .saved_tensors import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from .variable import Variable, bump_version
from .watched_walk import walking


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Return the edge at which the gradient of ``tensor`` enters the graph; RuntimeError if it has none."""
    node = gradient_edge.node_of(tensor)
    if node is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*grad_fn_of(node), node)


def increment_version(tensor: Any) -> None:
    """Note a write into ``tensor``, or into each of several, that rushlight could not see."""
    for one in [tensor] if isinstance(tensor, Variable) else tensor:
        bump_version(one, "increment_version")


class _Handles:
    """The handle of a hook on several tensors: ``remove()`` takes it away from all of them."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take the hook away; once it is gone this does nothing."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class _Gathered:
    """The gradients of several nodes, by walk; ``fn`` gets those of a walk when the last one arrived."""

    def __init__(self, nodes: list[Node], fn: Callable[..., Any]) -> None:
        self.nodes, self.fn = nodes, fn
        self.walks: dict[int, list[Any]] = {}

    def hook(self, number: int) -> Callable[[Any], None]:
        """Return the hook of node ``number``."""

        def arrived(g: Any) -> None:
            walk, reached = walking.get()
            grads = self.walks.setdefault(walk, [_COMING if node in reached else None for node in self.nodes])
            grads[number] = g
            if not any(each is _COMING for each in grads):
                self.fn(self.walks.pop(walk))

        return arrived

    def first(self, g: Any) -> None:
        """Hand the first gradient of a walk on."""
        walk = walking.get()[0]
        if walk not in self.walks:
            self.walks = {walk: []}
            self.fn(g)


_COMING = object()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable[..., Any], *, mode: str = "all") -> _Handles:
    """Call ``fn`` in each walk that reaches ``tensors``; return a handle whose ``remove()`` ends that.

    Mode "all": once every gradient that the walk computes is there, ``fn(grads)`` gets a list, with None for tensors
    that the walk does not reach. Mode "any": ``fn(grad)`` gets the first gradient of a walk alone. RuntimeError for a
    tensor that requires no gradient, ValueError for another mode.

    https://pytorch.org/docs/stable/generated/torch.autograd.graph.register_multi_grad_hook.html

    >>> import rushlight as torch
    >>> a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> handle = torch.autograd.graph.register_multi_grad_hook((a, b), lambda grads: print(grads))
    >>> (a * 2).sum().backward()
    [tensor([2., 2.]), None]
    """
    if mode not in {"all", "any"}:
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    nodes: list[Any] = [gradient_edge.node_of(tensor) for tensor in tensors]
    if any(node is None for node in nodes):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    gathered = _Gathered(nodes, fn)
    hooks = [gathered.hook(number) if mode == "all" else gathered.first for number in range(len(nodes))]
    return _Handles([hooks_of(node).tensor.add(hook) for node, hook in zip(nodes, hooks, strict=True)])


__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]
