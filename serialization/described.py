"""An object as named arrays and a description: what the safetensors and npz formats hold.

A dict of tensors needs no description. Otherwise it is JSON: ``tree`` is the object with entries in place of tensors
(see ``tree.py``), and ``layout`` says for entries that share memory, or do not lie in it row by row, where they lie.
Each entry is complete in itself, for programs that do not know the description.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ..arrays.dtypes import Array
from ..tensors.tensor.conversions import new
from .memory import look
from .tree import RESERVED, Entries, restored

_LOOSEST = 16  # a storage may have so many elements for each that the entries in it have


def described(obj: Any) -> tuple[list[tuple[str, Array]], str | None]:
    """Return the entries of ``obj``, arrays that lie row by row, and its description or None.

    ValueError for tensors that share memory of which they see less than a sixteenth.
    """
    entries = Entries(obj, RESERVED)
    pieces, storages = entries.memory.settle()
    members: dict[int, list[int]] = {}
    for place, piece in enumerate(pieces):
        members.setdefault(piece.storage, []).append(place)
    layout: dict[str, Any] = {}
    sizes: list[int] = []
    arrays = []
    for name, piece in zip(entries.names, pieces, strict=True):
        storage = storages[piece.storage]
        array = look(storage, piece.offset, piece.shape, piece.stride)
        arrays.append((name, np.ascontiguousarray(array).reshape(array.shape)))
    for places in members.values():
        storage = storages[pieces[places[0]].storage]
        visible = sum(prod(pieces[place].shape) for place in places)
        if len(places) == 1 and (storage.size > visible or _is_row_by_row(pieces[places[0]])):
            continue  # alone: as it is, or without its gaps
        if storage.size > _LOOSEST * visible:
            names = [entries.names[place] for place in places]
            raise ValueError(
                f"{names} share a memory of {storage.size} elements of which they see {visible}: save their clones, "
                "or in PyTorch's format"
            )
        for place in places:
            layout[entries.names[place]] = [len(sizes), pieces[place].offset, list(pieces[place].stride)]
        sizes.append(storage.size)
    if entries.plain and not layout:
        return arrays, None
    return arrays, json.dumps({"version": 1, "tree": entries.tree, "layout": layout, "storages": sizes})


def _is_row_by_row(piece: Any) -> bool:
    expected = 1
    for n, step in zip(reversed(piece.shape), reversed(piece.stride), strict=True):
        if n != 1 and step != expected:
            return 0 in piece.shape
        expected *= n
    return True


def rebuilt(description: str | None, names: list[str], array: Callable[[str], Array]) -> Any:
    """Return the object of a description, or a dict of all entries if there is none; ValueError if it is damaged."""
    if description is None:
        return {name: new(array(name)) for name in names}
    try:
        whole = json.loads(description)
        tree, layout, sizes = whole["tree"], whole["layout"], whole["storages"]
        if whole["version"] != 1:
            raise ValueError(f"version {whole['version']!r} is newer than this program")
        laid = _laid_out(layout, sizes, {name: array(name) for name in layout})
    except (LookupError, RecursionError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"the description of the file's content is damaged: {error}") from error

    def tensor(name: Any) -> Any:
        return new(laid[name] if name in laid else array(name))

    return restored(tree, tensor)


def _laid_out(layout: dict[str, Any], sizes: list[int], arrays: dict[str, Array]) -> dict[str, Array]:
    """Return the arrays on the memory they shared."""
    visible = [0] * len(sizes)
    kinds: dict[int, Any] = {}
    for name, (storage, _, _) in layout.items():
        if type(storage) is not int or not 0 <= storage < len(sizes):
            raise ValueError(f"entry {name!r} lies in no storage")
        visible[storage] += arrays[name].size
        if kinds.setdefault(storage, arrays[name].dtype) != arrays[name].dtype:
            raise ValueError(f"entry {name!r} has another dtype than its storage")
    storages = []
    for number, size in enumerate(sizes):
        if type(size) is not int or not 0 <= size <= _LOOSEST * visible[number]:
            raise ValueError(f"a storage of {size!r} elements for {visible[number]}")
        storages.append(np.zeros(size, kinds[number]) if number in kinds else None)
    made = {}
    for name, (storage, offset, stride) in layout.items():
        buffer: Any = storages[storage]
        made[name] = look(buffer, offset, arrays[name].shape, stride)
        made[name][...] = arrays[name]
    return made
