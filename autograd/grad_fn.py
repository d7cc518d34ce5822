"""``tensor.grad_fn``: a node as users see it, with PyTorch's name, saved values and next functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import FreedError, raise_modified_inplace
from .function import FunctionBackward
from .hooks import RemovableHandle, hooks_of
from .multi_output import result_node, step_of
from .node import Node
from .primitive import PRIMITIVES
from .saved_tensors import Packed
from .variable import Variable, wrap

PYTORCH_NAMES = {"input": "self", "out": "result"}  # PyTorch's word for each of ours


class GradFn(Node):
    """A node as users see it; each has a type of its own, which is named as PyTorch names the step."""

    __slots__ = ()

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes a gradient goes to next, each with the number of the output it belongs to."""
        return tuple(grad_fn_of(edge) if edge is not None else (None, 0) for edge in self.edges)

    @property
    def metadata(self) -> dict[str, Any]:
        """A dict for whatever the user wants to keep beside this node."""
        found: dict[str, Any] = self.__dict__.setdefault("metadata", {})
        return found

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` after this step of a walk; what it returns replaces the first.

        Both are tuples: of gradients that leave the node, and of those that reached it.
        """
        return hooks_of(self).after.add(hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before this step of a walk; what it returns replaces them."""
        return hooks_of(self).before.add(hook)

    def __getattr__(self, name: str) -> Any:
        if name == "variable" and self.backward is None:
            return self.tensor()
        if name.startswith("_saved_"):
            places = _saved_names(self)
            if name[7:] in places:
                return _saved(self, *places[name[7:]])
        elif isinstance(self.backward, FunctionBackward):
            return getattr(self.backward.ctx, name)  # the node of a Function shows what its ctx holds
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(f"_saved_{name}" for name in _saved_names(self))]


def _saved_names(node: Node) -> dict[str, tuple[int, str]]:
    """Map PyTorch's name of each saved value to its place in ``node.saved`` and its name here."""
    primitive = PRIMITIVES.get(node.backward.name) if node.backward is not None else None
    names: dict[str, tuple[int, str]] = {}
    place = 0
    for name in primitive.saves if primitive is not None else ():
        word = PYTORCH_NAMES.get(name, name)
        if name.endswith("_shape"):
            word = f"{PYTORCH_NAMES.get(name[:-6], name[:-6])}_sym_sizes"
        names[word] = place, name
        place += 3 if primitive is not None and primitive.is_array(name) else 1
    return names


def _saved(node: Node, place: int, name: str) -> Any:
    """Return one saved value, an array as a tensor; RuntimeError if it was freed, or written since."""
    if node.saved is None or node.backward is None:
        raise FreedError
    slot = next((each for each in node.backward.saved_slots if each.name == name), None)
    if slot is None or node.saved[place] is None:
        return node.saved[place]
    kept, version, saved_version = node.saved[place : place + 3]
    if version is not None and version != saved_version:
        raise_modified_inplace(node.backward, name, node.saved, node)
    came = slot.source
    source = None if came is None else node.edges[came] if came >= 0 else result_node(node, ~came, kept)
    array = kept.open() if isinstance(kept, Packed) else kept
    leaf = source.tensor() if source is not None and source.backward is None else None
    return leaf if leaf is not None and leaf.array is array else wrap(Variable.result, array, source, version)


_TYPES: dict[str, type[GradFn]] = {}


def grad_fn_of(node: Node) -> tuple[Node, int]:
    """Return the step that users see for ``node``, of a type with PyTorch's name, and the number of its output.

    Nodes get their own type only here: the walk is faster over objects of one class.
    """
    node, number = step_of(node)
    if type(node) is Node:
        title = "AccumulateGrad" if node.backward is None else node.backward.grad_fn_name
        found = _TYPES.get(title)
        if found is None:
            found = _TYPES[title] = type(title, (GradFn,), {"__slots__": (), "__module__": Node.__module__})
        node.__class__ = found
    return node, number
