"""Names of tensors: from modules, from mappings, from the caller's variables; and outputs in any nesting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..autograd.grad_fn import grad_fn_of
from ..autograd.node import Node
from ..autograd.variable import Variable
from ..nn.modules.module import Module


class Names:
    """The names of tensors and modules. The first name counts: ``params`` before ``names`` before noted modules."""

    def __init__(self, params: Any = None, names: Mapping[str, Any] | None = None) -> None:
        self._found: dict[int, str] = {}
        self._arrays: dict[int, str] = {}
        self._held: list[Any] = []  # what was named stays alive, and so its id its own
        self.modules: dict[int, str] = {}
        for one in params if isinstance(params, list | tuple) and _all_modules(params) else [params]:
            if isinstance(one, Module):
                self.module(one)
            elif one is not None:
                self._pairs(one)
        for name, value in (names or {}).items():
            if isinstance(value, Module):
                self.module(value, name)
            elif isinstance(value, Variable):
                self._name(value, name)

    def module(self, root: Any, name: str = "") -> None:
        """Name ``root``, all modules below it, and their parameters and buffers."""
        if id(root) in self.modules:
            return
        self._held.append(root)
        for path, module in root.named_modules():
            self.modules.setdefault(id(module), path or name)
        for path, tensor in root.named_parameters():
            self._name(tensor, path)
        for path, tensor in root.named_buffers():
            self._name(tensor, path)

    def of(self, tensor: Any) -> str:
        """Return the name of ``tensor``, or ""."""
        return self._found.get(id(tensor), "")

    def of_node(self, node: Node) -> str:
        """Return the name of the tensor that ``node`` made, or belongs to as its leaf, or ""."""
        return self._found.get(id(node), "")

    def of_array(self, array: Any) -> str:
        """Return the name of the tensor whose array this is, or ""."""
        return self._arrays.get(id(array), "")

    def _pairs(self, params: Any) -> None:
        for name, tensor in params.items() if isinstance(params, Mapping) else params:
            if not isinstance(tensor, Variable):
                raise TypeError(f"params must map names to tensors, but {name!r} is {type(tensor).__name__}")
            self._name(tensor, str(name))

    def _name(self, tensor: Variable, name: str) -> None:
        self._held.append(tensor)
        self._found.setdefault(id(tensor), name)
        self._arrays.setdefault(id(tensor.array), name)
        if tensor.node is not None:
            self._found.setdefault(id(grad_fn_of(tensor.node)[0]), name)


def _all_modules(params: Any) -> bool:
    return bool(params) and all(isinstance(one, Module) for one in params)


def flattened(var: Any, name: str = "") -> list[tuple[str, Any]]:
    """Return name and value of each tensor (or graph node) in ``var``: lists, tuples, dicts and dataclasses of them.

    None and numbers inside are passed over; TypeError for what holds no tensors.
    """
    if isinstance(var, Variable | Node):
        return [(name, var)]
    if isinstance(var, Mapping):
        pairs: list[tuple[str, Any]] = [(str(key), value) for key, value in var.items()]
    elif hasattr(type(var), "__dataclass_fields__"):
        pairs = [(key, getattr(var, key)) for key in type(var).__dataclass_fields__]
    elif hasattr(type(var), "_fields") and isinstance(var, tuple):
        pairs = list(zip(getattr(type(var), "_fields"), var, strict=True))  # noqa: B009 - a named tuple
    elif isinstance(var, Iterable) and not isinstance(var, str | bytes):
        pairs = [(str(number), value) for number, value in enumerate(var)]
    else:
        raise TypeError(f"expected a tensor, or lists, tuples or dicts of tensors, but got {type(var).__name__}")
    dot = "." if name else ""
    found = []
    for key, value in pairs:
        if value is not None:
            found += flattened(value, f"{name}{dot}{key}")
    return found


def root_of(value: Any) -> Node | None:
    """Return the step or leaf that ``value``, a tensor or a node, comes from; None if it does not require grad."""
    if isinstance(value, Node):
        return grad_fn_of(value)[0]
    fn = value.grad_fn
    if fn is not None:
        found: Node = fn
        return found
    return value.node if value.requires_grad else None
