"""The values saved by a step for backward: its saved tensors with the bytes they hold, and its other arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.dtypes import dtype_of
from ..autograd.grad_fn import PYTORCH_NAMES
from ..autograd.node import Backward, Node, SavedArray
from ..autograd.primitive import PRIMITIVES
from ..autograd.saved_tensors import Packed
from ..autograd.version import last_writer, writes
from .model import Saved

KEPT = np.ndarray | np.generic


def held(node: Node) -> tuple[list[SavedArray], list[tuple[str, Any]]]:
    """Return the arrays that ``node`` saved, under PyTorch's names, and its other saved values by name."""
    if node.backward is None or not node.saved:
        return [], []
    arrays: list[SavedArray] = []
    others: list[tuple[str, Any]] = []
    for one in node.backward.saved_arrays(node):
        name = PYTORCH_NAMES.get(one.name, one.name)
        if one.source is None and isinstance(one.array, KEPT) and not one.array.ndim:
            others.append((name, one.array))
        else:
            arrays.append(one._replace(name=name))
    for place, name in _other_values(node.backward):
        value = node.saved[place]
        if isinstance(value, np.ndarray) and value.ndim:
            arrays.append(SavedArray(name, value, None, b"", None))
        elif value is not None:
            others.append((name, value))
    return arrays, others


_places: dict[str, list[tuple[int, str]]] = {}


def _other_values(backward: Backward) -> list[tuple[int, str]]:
    """Return where in ``Node.saved`` the values lie that are no arrays of tensors, and PyTorch's names of them."""
    primitive = PRIMITIVES.get(backward.name)
    if primitive is None:
        return []
    found = _places.get(backward.name)
    if found is None:
        found, place = [], 0
        for name in primitive.saves:
            array = primitive.is_array(name)
            if not array and not name.endswith("_shape"):
                found.append((place, PYTORCH_NAMES.get(name, name)))
            place += 3 if array else 1
        _places[backward.name] = found
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


def row(one: SavedArray, node: Node, ledger: Ledger, owner: str) -> Saved:
    """Return ``one`` as data."""
    if isinstance(one.array, Packed):
        return Saved(one.name, (), "packed by a hook", 0, of="packed", owner=owner)
    of = "result" if one.source is node else "constant" if one.source is None else "input"
    now, saved_version = writes(one.version or b""), writes(one.saved_version or b"")
    return Saved(
        one.name, tuple(one.array.shape), _dtype(one.array), int(one.array.nbytes), ledger.adds(one.array), of, owner,
        saved_version, now, last_writer(one.version) if one.version and one.modified else "",
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
