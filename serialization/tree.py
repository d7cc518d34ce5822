"""Containers as JSON: what the formats that hold only named arrays say about all that is no array.

Numbers, texts, None and lists stand for themselves; everything else is ``{kind: content}``. A tensor is the name of
its entry.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

from ..arrays.device import device, layout, strided
from ..arrays.dtypes import DTYPES, dtype
from ..arrays.size import Size
from ..autograd.variable import Variable
from ..nn.parameter import Parameter
from .memory import Memory, checked_key
from .pickler import DEEPEST, FACTORIES, attributes, factory_name, refused

_DTYPES = {each.name: each for each in DTYPES}


class Entries:
    """Takes an object apart: a JSON tree, and its tensors, in one order in ``names`` and ``memory``."""

    def __init__(self, obj: Any, reserved: frozenset[str]) -> None:
        self.memory = Memory()
        self.names: list[str] = []
        self._taken = set(reserved)
        self._again: dict[int, Any] = {}
        self._open: set[int] = set()
        self.plain = type(obj) is dict and all(self._is_plain(key, value, reserved) for key, value in obj.items())
        if isinstance(obj, dict):  # the names of its own tensors go before those that are made up
            self._taken |= {key for key in obj if isinstance(key, str)}
        self.tree = self._taken_apart(obj, "the object", "", 0)

    @staticmethod
    def _is_plain(key: Any, value: Any, reserved: frozenset[str]) -> bool:
        return type(key) is str and key not in reserved and type(value) is Variable.result and not value.requires_grad

    def _name(self, wanted: str, own: bool) -> str:
        if own and wanted not in self.names:
            return wanted
        name, number = wanted or "tensor", 2
        while name in self._taken:
            name, number = f"{wanted or 'tensor'}#{number}", number + 1
        return name

    def _taken_apart(self, obj: Any, path: str, name: str, depth: int) -> Any:
        if depth > DEEPEST or id(obj) in self._open:
            raise refused_nesting(path, depth)
        kind = type(obj)
        if obj is None or kind in (bool, int, str):
            return obj
        if kind is float:
            return obj if math.isfinite(obj) else {"float": repr(obj)}
        if isinstance(obj, Variable):
            return self._tensor(obj, path, name, depth == 1)
        writer = _WRITERS.get(kind)
        if writer is not None:
            return writer(obj)
        if kind not in _CONTAINERS:
            raise refused(obj, path)
        self._open.add(id(obj))
        made = self._container(obj, path, name, depth + 1)
        self._open.discard(id(obj))
        return made

    def _container(self, obj: Any, path: str, name: str, depth: int) -> Any:
        if isinstance(obj, dict):
            items = []
            for key, value in obj.items():
                if isinstance(key, Variable):
                    raise refused(key, f"a key of {path}")
                written = self._taken_apart(key, f"a key of {path}", name, depth + 1)
                items.append([written, self._taken_apart(value, f"{path}[{key!r}]", _joined(name, key), depth)])
            if type(obj) is defaultdict:
                return {"default": [factory_name(obj, path), items]}
            if type(obj) is not OrderedDict:
                return {_CONTAINERS[type(obj)]: items}
            state = self._taken_apart(dict(vars(obj)), f"vars({path})", _joined(name, "vars"), depth + 1)
            return {"ordered": [items, state]}
        listed = [
            self._taken_apart(item, f"{path}[{place}]", _joined(name, place), depth) for place, item in enumerate(obj)
        ]
        return listed if type(obj) is list else {_CONTAINERS[type(obj)]: listed}

    def _tensor(self, tensor: Any, path: str, name: str, own: bool) -> Any:
        if attributes(tensor, path):
            raise refused(tensor, f"{path}, with attributes {sorted(attributes(tensor, path))},")
        first = self._again.get(id(tensor))
        if first is not None and not own:
            return first
        entry = self._name(name, own and name in self._taken and name not in RESERVED)
        self._taken.add(entry)
        self.names.append(entry)
        self.memory.add(tensor)
        kind = "parameter" if type(tensor) is Parameter else "tensor"
        made = {kind: entry, "requires_grad": True} if tensor.requires_grad else {kind: entry}
        return first if first is not None else self._again.setdefault(id(tensor), made)


RESERVED = frozenset(("__metadata__", "__rushlight__"))
"""Names that entries cannot have."""


def refused_nesting(path: str, depth: int) -> ValueError:
    """Return the error for containers that hold themselves or are nested too deep."""
    return ValueError(f"{path[:200]} " + ("is nested too deep" if depth > DEEPEST else "contains itself"))


def _joined(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)


_CONTAINERS: dict[type, str] = {
    dict: "dict", Counter: "counter", defaultdict: "default", OrderedDict: "ordered", list: "list", tuple: "tuple",
    set: "set",
}  # fmt: skip
_WRITERS: dict[type, Callable[[Any], Any]] = {
    complex: lambda value: {"complex": [repr(value.real), repr(value.imag)]},
    bytes: lambda raw: {"bytes": b64encode(raw).decode()},
    bytearray: lambda raw: {"bytearray": b64encode(raw).decode()},
    Size: lambda size: {"size": list(size)},
    dtype: lambda kind: {"dtype": kind.name},
    device: lambda place: {"device": str(place)},
    layout: lambda _: {"layout": "strided"},
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "complex": lambda parts: complex(*map(float, parts)),
    "bytes": lambda text: b64decode(text, validate=True),
    "bytearray": lambda text: bytearray(b64decode(text, validate=True)),
    "size": Size,
    "dtype": lambda name: _DTYPES[name],
    "device": device,
    "layout": lambda _: strided,
}


def restored(tree: Any, tensor: Callable[[str], Any]) -> Any:
    """Return the object that a tree describes, its tensors given by name; ValueError if it is damaged."""
    made: dict[str, Any] = {}

    def leaf(node: dict[str, Any]) -> Any:
        (kind, name), *more = node.items()
        if name not in made:
            made[name] = Parameter(tensor(name), False) if kind == "parameter" else tensor(name)
            if more:
                made[name].requires_grad_()
        return made[name]

    def pairs(content: Any, depth: int) -> dict[Any, Any]:
        return {_key(build(key, depth + 1)): build(value, depth + 1) for key, value in content}

    def build(node: Any, depth: int) -> Any:
        if depth > DEEPEST + 5:
            raise ValueError("nested too deep")
        if not isinstance(node, dict | list):
            return node
        if isinstance(node, list):
            return [build(item, depth + 1) for item in node]
        kind, content = next(iter(node.items()))
        if kind in ("tensor", "parameter"):
            return leaf(node)
        if kind in _READERS:
            return _READERS[kind](content)
        if kind in ("tuple", "set"):
            items = [build(item, depth + 1) for item in content]
            return tuple(items) if kind == "tuple" else set(map(_key, items))
        if kind == "default":
            factory = None if content[0] is None else FACTORIES[content[0]]
            return defaultdict(factory, pairs(content[1], depth))
        if kind in ("dict", "counter"):
            return (dict if kind == "dict" else Counter)(pairs(content, depth))
        if kind != "ordered":
            raise ValueError(f"there is no kind {kind!r}")
        ordered = OrderedDict(pairs(content[0], depth))
        state = build(content[1], depth + 1)
        if any(hasattr(OrderedDict, name) for name in state):
            raise ValueError("an attribute would hide that of OrderedDict")
        vars(ordered).update(state)
        return ordered

    try:
        return build(tree, 0)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, StopIteration, TypeError, ValueError) as error:
        raise ValueError(f"the description of the file's content is damaged: {error}") from error


def _key(key: Any) -> Any:
    return checked_key(key, (dtype, device))
