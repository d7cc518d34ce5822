"""From Python's data to an array: nested sequences, numbers, tensors in between; ragged and foreign data refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain
from typing import Any
from warnings import warn

import numpy as np

from ...arrays.dtypes import Array, bool_, common, default_numpy, dtype_of, int64
from ...autograd.variable import Variable

_PLAIN = frozenset((float, int, bool))
_NUMBERS = (bool, int, float, complex, np.generic, np.ndarray, Variable)
_OVERFLOW = "Overflow when unpacking long long"


def checked_array(array: Array) -> Array:
    """Return ``array`` if a tensor may hold it, with the one dtype object that the engine knows by identity.

    Raises TypeError for a dtype there is no tensor of, ValueError for a foreign byte order or a negative stride.
    """
    if not array.dtype.isnative:
        raise ValueError(
            f"the byte order of this ndarray ({array.dtype}) is not the machine's; convert it with "
            "array.astype(array.dtype.newbyteorder('='))"
        )
    kind = dtype_of(array.dtype).numpy
    if array.strides and min(array.strides) < 0:
        raise ValueError(
            f"At least one stride of this ndarray is negative ({array.strides}), which tensors do not support: copy it "
            "with array.copy()"
        )
    return array if array.dtype is kind else array.view(kind)


def build(data: Any, kind: np.dtype[Any] | None = None) -> Any:
    """Return a new array of ``data``, in ``kind`` or the dtype PyTorch infers; a NumPy scalar if it has no dims."""
    if isinstance(data, Variable):
        data = data.array
        return _copied(data, kind)
    if type(data) in _PLAIN:
        return _numbers([data], kind)[0]
    if type(data) is list and data and _PLAIN.issuperset(map(type, data)):
        return _numbers(data, kind)
    if isinstance(data, np.ndarray | np.generic):
        return _copied(checked_array(np.asarray(data)), kind)
    if not is_sequence(data) and not isinstance(data, str):
        if hasattr(type(data), "__array__"):
            return _copied(checked_array(np.asarray(data)), kind)
        return _numbers([data], kind)[0]
    shape, leaves = flatten(data)
    return _numbers(leaves, kind).reshape(shape)


def _copied(array: Any, kind: np.dtype[Any] | None) -> Any:
    made = np.array(array, kind)
    return made if made.ndim else made[()]


def is_sequence(data: Any) -> bool:
    """Return whether ``data`` is a sequence, which counts as a dim: a list, a tuple, a range, an ndarray with dims."""
    if isinstance(data, list | tuple | range):
        return True
    if isinstance(data, np.ndarray):
        return data.ndim > 0
    if isinstance(data, dict | Variable | np.generic | str):
        return False
    return hasattr(type(data), "__getitem__") and hasattr(type(data), "__len__")


def flatten(data: Any) -> tuple[tuple[int, ...], list[Any]]:
    """Return the shape of nested sequences and their items, in order; the first item of each decides on its depth.

    Raises ValueError where two sequences side by side differ in length.
    """
    shape: list[int] = []
    level = [data]
    while is_sequence(level[0]) or isinstance(level[0], str):
        if isinstance(level[0], str | bytes):
            if not shape:
                raise TypeError(f"new(): invalid data type {type(level[0]).__name__!r}")
            raise ValueError(f"too many dimensions {type(level[0]).__name__!r}")
        length = len(level[0])
        for one in level:
            if not is_sequence(one):
                raise TypeError(f"expected a sequence at dim {len(shape)}, not {type(one).__name__}: not a sequence")
            if len(one) != length:
                raise ValueError(f"expected sequence of length {length} at dim {len(shape)} (got {len(one)})")
        shape.append(length)
        if not length:
            return tuple(shape), []
        level = list(chain.from_iterable(level))
    return tuple(shape), level


def _numbers(leaves: list[Any], kind: np.dtype[Any] | None) -> Array:
    """Return a flat array of numbers."""
    types = set(map(type, leaves))
    if not types <= _PLAIN:
        if kind is not None and not all(isinstance(leaf, _NUMBERS) or is_sequence(leaf) for leaf in leaves):
            raise TypeError(f"must be real number, not {'/'.join(sorted(t.__name__ for t in types))}")
        inferred = infer(leaves)
        kind = inferred if kind is None else kind
        leaves = [_plain(leaf) for leaf in leaves]
    elif kind is None:
        kind = default_numpy() if float in types or not types else int64.numpy if int in types else bool_.numpy
    if kind.kind == "f":
        try:
            return np.array(leaves, kind)
        except OverflowError:
            raise ValueError(f"{_OVERFLOW}: int too large to convert to float") from None
    if kind.kind == "b":
        return np.array([bool(leaf) for leaf in leaves], kind)
    return _integers(leaves, kind)


def infer(leaves: Iterable[Any]) -> np.dtype[Any]:
    """Return the dtype in which items meet, each of which may be a number, a NumPy scalar or a tensor."""
    found: np.dtype[Any] | None = None
    for leaf in leaves:
        if isinstance(leaf, Variable):
            _plain(leaf)  # only one element may stand for a number
            kind = leaf.array.dtype
        elif isinstance(leaf, np.generic | np.ndarray):
            kind = dtype_of(leaf.dtype).numpy
        elif isinstance(leaf, bool):
            kind = bool_.numpy
        elif isinstance(leaf, int):
            kind = int64.numpy
        elif isinstance(leaf, float):
            kind = default_numpy()
        else:
            raise _foreign(leaf)
        found = kind if found is None else common(found, kind)
    return found or default_numpy()


def _foreign(leaf: Any) -> Exception:
    kind = type(leaf).__name__
    if isinstance(leaf, str):
        return TypeError("new(): invalid data type 'str'")
    if isinstance(leaf, complex):
        return TypeError("complex numbers are not supported: no dtype holds them")
    if is_sequence(leaf):
        return TypeError(f"{kind!r} object cannot be interpreted as a number: the data is nested unevenly")
    return RuntimeError(f"Could not infer dtype of {kind}")


def _plain(leaf: Any) -> Any:
    if isinstance(leaf, Variable):
        if leaf.array.size != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars, not one of shape "
                f"{list(leaf.array.shape)}"
            )
        return leaf.array.item()
    return leaf.item() if isinstance(leaf, np.generic | np.ndarray) else leaf


def _integers(leaves: list[Any], kind: np.dtype[Any]) -> Array:
    """Return numbers as integers, cut off; RuntimeError for one that ``kind`` cannot hold."""
    try:
        wide = np.array([int(leaf) for leaf in leaves], np.int64)
    except OverflowError:
        if any(isinstance(leaf, float) for leaf in leaves):
            raise unfit(kind, "inf") from None
        raise ValueError(f"{_OVERFLOW}: an int beyond int64") from None
    except ValueError:
        raise unfit(kind, "nan") from None
    if kind.itemsize < 8 and wide.size:
        limits = np.iinfo(kind)
        low, high = int(wide.min()), int(wide.max())
        wraps = limits.min == 0 and not any(isinstance(leaf, float) and leaf <= -1 for leaf in leaves)
        if high > limits.max or low < (-int(limits.max) if wraps else limits.min):
            raise unfit(kind, str(high if high > limits.max else low))
    return wide.astype(kind, copy=False)


def unfit(kind: np.dtype[Any], value: str) -> RuntimeError:
    """Return the error for a number beyond the range of ``kind``."""
    return RuntimeError(f"value cannot be converted to type {kind.name} without overflow: {value}")


def fill_number(name: str, value: Any, kind: np.dtype[Any] | None) -> Any:
    """Return a NumPy scalar of a fill value, in ``kind`` or the dtype of the number.

    Raises TypeError if it is no number, RuntimeError if ``kind`` cannot hold it.
    """
    if isinstance(value, Variable) and value.array.ndim == 0 and value.node is None:
        kind, value = value.array.dtype if kind is None else kind, value.array.item()
    elif isinstance(value, np.generic) and value.dtype.kind in "fiub":
        value = value.item()
    if not isinstance(value, int | float):
        raise TypeError(f"{name}(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    if kind is None:
        kind = bool_.numpy if isinstance(value, bool) else int64.numpy if isinstance(value, int) else default_numpy()
    if kind.kind == "f":
        if math.isfinite(value) and abs(value) > float(np.finfo(kind).max):
            raise unfit(kind, str(value))
        return kind.type(value)
    if kind.kind != "b" and isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise unfit(kind, str(value))
    return _numbers([value], kind)[0]


def warn_read_only(what: str) -> None:
    """Warn that a tensor was made on memory that must not be written."""
    warn(
        f"The given {what} is not writable, and a tensor on it must not be written either: writing raises an error. "
        "Copy it first if you want to write.",
        UserWarning,
        stacklevel=3,
    )
