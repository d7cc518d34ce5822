"""Containers of parameters: ParameterList, ParameterDict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_index
from typing import Any, Self

from ..autograd.tensor import Tensor
from .base import typename
from .containers import pairs
from .module import Module
from .parameter import Parameter


def _kept(value: Any) -> Any:
    """Return a plain tensor as a Parameter, anything else as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(name: Any, value: Any, kind: str) -> str:
    """Return the line of one item; ``kind`` is how its container words the dtype."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {typename(value)}"
    word = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(n) for n in value.array.shape)
    return f"  ({name}): {word} containing: [{kind} of size {size}]"


class ParameterList(Module):
    """Parameters in a list, registered; plain tensors become parameters, other values are kept beside them.

    https://pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _number(self, idx: Any) -> int:
        number = as_index(idx)
        if not -len(self) <= number < len(self):
            raise IndexError(f"index {idx} is out of range for ParameterList of length {len(self)}")
        return number + len(self) if number < 0 else number

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(self[number] for number in range(*idx.indices(len(self))))
        return getattr(self, str(self._number(idx)))

    def __setitem__(self, idx: Any, param: Any) -> None:
        setattr(self, str(self._number(idx)), _kept(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[number] for number in range(len(self))])

    def append(self, value: Any) -> Self:
        """Add ``value`` at the end; return the list."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add all ``values`` at the end; return the list."""
        if isinstance(values, Tensor) or not hasattr(values, "__iter__"):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def pop(self, idx: Any = -1) -> Any:
        """Remove item ``idx`` and return it."""
        values = list(self)
        found = values.pop(idx)
        for number in range(len(self)):
            delattr(self, str(number))
        self._size = 0
        self.extend(values)
        return found

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        """Return one line for each item."""
        return "\n".join(
            _described(number, value, str(value.dtype) if isinstance(value, Tensor) else "")
            for number, value in enumerate(self)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise RuntimeError: there is nothing to compute."""
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """Parameters by name, registered; plain tensors become parameters, other values are kept beside them.

    https://pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    @staticmethod
    def _attribute(key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(f"Index given to ParameterDict cannot be used as a key as it is not a string: {key!r}")
        return key

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._attribute(key))

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, self._attribute(key), _kept(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._attribute(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value called ``key``, or ``default``."""
        return getattr(self, self._attribute(key)) if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value called ``key``, after setting it to ``default`` if it was not there."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Remove the value called ``key`` and return it."""
        found = self[key]
        del self[key]
        return found

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the last key and value."""
        key = next(reversed(self), None)
        if key is None:
            raise KeyError("popitem(): dictionary is empty")
        return key, self.pop(key)

    def clear(self) -> None:
        """Remove all values."""
        for key in list(self._keys):
            del self[key]

    def copy(self) -> ParameterDict:
        """Return a new ParameterDict of the same values."""
        return ParameterDict(self.items())

    def keys(self) -> Any:
        """Return the names."""
        return self._keys.keys()

    def items(self) -> Any:
        """Return names and values."""
        return [(key, self[key]) for key in self._keys]

    def values(self) -> Any:
        """Return the values."""
        return [self[key] for key in self._keys]

    @classmethod
    def fromkeys(cls, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a ParameterDict with ``default`` under every key."""
        return ParameterDict([(key, default) for key in keys])

    def update(self, parameters: Any) -> None:
        """Add or replace values: a mapping, a ParameterDict, or an iterable of pairs."""
        found = pairs(parameters, "ParameterDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            found = sorted(found, key=lambda pair: pair[0])  # as PyTorch does with a plain mapping
        for key, value in found:
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: dict[str, Any]) -> dict[str, Any]:
        return {**other, **dict(self.items())}

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        """Return one line for each item."""
        return "\n".join(_described(key, value, typename(value)) for key, value in self.items())

    def __call__(self, input: Any) -> Any:
        """Raise RuntimeError: there is nothing to compute."""
        raise RuntimeError("ParameterDict should not be called.")
