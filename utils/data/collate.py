"""How samples become a batch: tensors are stacked, numbers become tensors, containers are joined item by item.

https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any

import numpy as np

from ...arrays.dtypes import float64
from ...tensors.creation.factories import as_tensor, tensor
from ...tensors.ops.shape.join import stack
from ...tensors.tensor.methods import Tensor

_UNFIT = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
_TEXT = "SaUO"  # kinds of NumPy's dtypes that hold no numbers
Collate = Callable[..., Any]


def default_convert(data: Any) -> Any:
    """Return ``data`` with NumPy's arrays and scalars in it as tensors, containers item by item.

    A loader without batches applies it to each sample. Tuples become lists; numbers, text and tensors stay.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.default_convert

    >>> import rushlight as torch
    >>> torch.utils.data.default_convert({"x": np.array([0, 1]), "name": "a"})
    {'x': tensor([0, 1]), 'name': 'a'}
    """
    if isinstance(data, Tensor):
        return data
    if type(data).__module__ == "numpy" and type(data).__name__ != "str_":
        if type(data) is np.ndarray and data.dtype.kind in _TEXT:
            return data
        return as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return list(map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _sequence(data, list(map(default_convert, data)))
    return data


def _mapping(like: Any, items: dict[Any, Any]) -> Any:
    """Return ``items`` in a mapping like the given one, with all that it has beside; a dict if that cannot be made."""
    try:
        if not isinstance(like, MutableMapping):
            return type(like)(items)
        made = copy(like)
        made.update(items)
        return made
    except TypeError:
        return items


def _sequence(like: Any, items: list[Any]) -> Any:
    """Return ``items`` in a sequence like the given one; a list if that cannot be made, as of a range."""
    try:
        if not isinstance(like, MutableSequence):
            return type(like)(items)
        made = copy(like)
        for place, item in enumerate(items):
            made[place] = item
        return made
    except TypeError:
        return items


def collate(batch: Any, *, collate_fn_map: Mapping[Any, Collate] | None = None) -> Any:
    """Return the samples of ``batch`` as one: by the function that the type of the first has in ``collate_fn_map``.

    The function gets the batch, and the map as ``collate_fn_map``. Mappings, named tuples and sequences without an
    entry are joined item by item. Raises TypeError for other types, RuntimeError for sequences of different lengths.
    """
    first = batch[0]
    if collate_fn_map is not None:
        join = collate_fn_map.get(type(first)) or next(
            (join for kind, join in collate_fn_map.items() if isinstance(first, kind)), None
        )
        if join is not None:
            return join(batch, collate_fn_map=collate_fn_map)

    def joined(parts: Iterable[Any]) -> list[Any]:
        return [collate(part, collate_fn_map=collate_fn_map) for part in parts]

    if isinstance(first, Mapping):
        return _mapping(first, dict(zip(first, joined([one[key] for one in batch] for key in first), strict=True)))
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*joined(zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        if any(len(one) != len(first) for one in batch):
            raise RuntimeError(
                f"each element in list of batch should be of equal size, not {[len(one) for one in batch]}"
            )
        items = joined(zip(*batch, strict=True))
        return items if isinstance(first, tuple) else _sequence(first, items)
    raise TypeError(_UNFIT.format(type(first)))


def collate_tensor_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Return tensors of one shape stacked along a new first dim."""
    return stack(batch, 0)


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Return arrays as one tensor; TypeError for arrays of text or objects."""
    if batch[0].dtype.kind in _TEXT:
        raise TypeError(_UNFIT.format(batch[0].dtype))
    return collate([as_tensor(one) for one in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Return NumPy's scalars as one tensor of their dtype."""
    return as_tensor(batch)


def collate_float_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Return floats as a float64 tensor."""
    return tensor(batch, dtype=float64)


def collate_int_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Return ints or bools as a tensor."""
    return tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Return texts or bytes as they are."""
    return batch


default_collate_fn_map: dict[Any, Collate] = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
"""How ``default_collate`` joins samples of each type; users may add to it."""


def default_collate(batch: Any) -> Any:
    """Return the samples of ``batch`` as one, with a new first dim.

    Tensors and arrays are stacked, numbers become tensors (floats float64), texts a list; dicts, named tuples and lists
    are joined item by item, and tuples become lists.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate

    >>> import rushlight as torch
    >>> torch.utils.data.default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
