"""What a step keeps for the backward pass: its saved tensors with the bytes they hold, and its other arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.dtypes import dtype_of
from ..autograd.grad_fn import _WORDS
from ..autograd.node import Backward, Node
from ..autograd.primitive import PRIMITIVES
from ..autograd.saved_tensors import Packed
from ..autograd.version import last_writer, writes
from .model import Saved

KEPT = np.ndarray | np.generic


class Held:
    """One saved array before it becomes data: ``edge`` is its node, -1 the step itself, None a constant."""

    __slots__ = ("array", "edge", "name", "saved_version", "version")

    def __init__(self, name: str, array: Any, version: Any, saved_version: Any, edge: Any) -> None:
        self.name, self.array, self.version, self.saved_version, self.edge = name, array, version, saved_version, edge

    @property
    def stale(self) -> bool:
        """Whether the memory was written since, so that the backward pass must raise."""
        return bool(self.version or self.saved_version) and self.version != self.saved_version


def held(node: Node) -> tuple[list[Held], list[tuple[str, Any]]]:
    """Return the arrays that ``node`` saved, and its other saved values by name."""
    if node.backward is None or not node.saved:
        return [], []
    if hasattr(node.backward.vjp, "ctx"):
        return _of_function(node), []
    arrays: list[Held] = []
    others: list[tuple[str, Any]] = []
    for place, word, edge in _plan(node.backward):
        value = node.saved[place]
        if value is None:
            continue
        if edge is None:
            if isinstance(value, np.ndarray) and value.ndim:
                arrays.append(Held(word, value, None, None, None))
            else:
                others.append((word, value))
            continue
        source = -1 if edge == -1 else node.edges[edge] if edge >= 0 else None
        if source is None and isinstance(value, KEPT) and not value.ndim:
            others.append((word, value))
        else:
            version, saved_version = node.saved[place + 1 : place + 3]
            arrays.append(Held(word, value, version, saved_version, source))
    return arrays, others


_plans: dict[Backward, list[tuple[int, str, int | None]]] = {}


def _plan(op: Backward) -> list[tuple[int, str, int | None]]:
    """Return where in ``saved`` each value worth showing lies: place, PyTorch's name, and for arrays the edge."""
    found = _plans.get(op)
    if found is None:
        primitive = PRIMITIVES.get(op.name)
        edges = {place: edge for place, _, edge in op.layout}
        found, place = [], 0
        for name in primitive.saves if primitive is not None else ():
            if place in edges:
                found.append((place, _WORDS.get(name, name), edges[place]))
                place += 2
            elif not name.endswith("_shape"):
                found.append((place, _WORDS.get(name, name), None))
            place += 1
        if op in (primitive.backwards.values() if primitive is not None else ()):
            _plans[op] = found  # the op of a node whose values are packed is its own
    return found


def _of_function(node: Node) -> list[Held]:
    found = []
    for number, (array, version, saved_version, edge, output) in enumerate(node.saved or ()):
        if array is not None:
            found.append(
                Held(f"saved_tensors[{number}]", array, version, saved_version, -1 if output is not None else edge)
            )
    return found


class Ledger:
    """Counts memory once: the bytes each saved array adds to what was counted before."""

    def __init__(self) -> None:
        self._counted: dict[int, Any] = {}

    def own(self, array: Any) -> None:
        """Note that the memory of ``array`` belongs to someone anyway, such as a parameter."""
        owner = owner_of(array)
        self._counted[id(owner)] = owner

    def adds(self, array: Any) -> int:
        """Return the bytes that to keep ``array`` holds and that nothing counted before does."""
        owner = owner_of(array)
        if id(owner) in self._counted:
            return 0
        self._counted[id(owner)] = owner
        return int(owner.nbytes)


def owner_of(array: Any) -> Any:
    """Return the array that owns the memory of ``array``."""
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array


def row(one: Held, ledger: Ledger, owner: str) -> Saved:
    """Return ``one`` as data."""
    if isinstance(one.array, Packed):
        return Saved(one.name, (), "packed by a hook", 0, of="packed", owner=owner)
    of = "result" if one.edge == -1 else "constant" if one.edge is None else "input"
    now, saved_version = writes(one.version or b""), writes(one.saved_version or b"")
    return Saved(
        one.name, tuple(one.array.shape), _dtype(one.array), int(one.array.nbytes), ledger.adds(one.array), of, owner,
        saved_version, now, last_writer(one.version) if one.stale else "",
    )  # fmt: skip


def _dtype(array: Any) -> str:
    return dtype_name(array.dtype)


def dtype_name(kind: Any) -> str:
    """Return PyTorch's name of a dtype, or NumPy's for one that tensors do not have."""
    found = _dtypes.get(kind)
    if found is None:
        try:
            found = str(dtype_of(kind)).removeprefix("torch.")
        except TypeError:
            found = str(kind)
        _dtypes[kind] = found
    return found


_dtypes: dict[Any, str] = {}
