"""Containers of modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import chain, groupby
from operator import index as as_index
from typing import Any, Self, overload

from ...tensors.tensor.methods import Tensor
from ..parameter import Parameter
from .module import Module
from .module_attributes import Registry
from .module_registration import typename


class _Numbered(Module):
    """A container whose children are named "0", "1", ..., and are reached like the items of a list."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def _get_abs_string_index(self, idx: Any) -> str:
        """Return the name of child number ``idx``; IndexError if there is none."""
        names = list(self._modules)
        number = as_index(idx)
        if not -len(names) <= number < len(names):
            raise IndexError(f"index {idx} is out of range for {self._get_name()} of length {len(names)}")
        return names[number]

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._get_abs_string_index(idx), module)

    def __delitem__(self, idx: int | slice) -> None:
        for name in list(self._modules)[idx] if isinstance(idx, slice) else [self._get_abs_string_index(idx)]:
            delattr(self, name)
        left = self._modules.values()
        self._modules = Registry(items=((str(number), module) for number, module in enumerate(left)))

    def pop(self, key: int) -> Module:
        """Remove child number ``key`` and return it."""
        module: Module = self[key]  # type: ignore[index]
        del self[key]
        return module

    def append(self, module: Module) -> Self:
        """Add ``module`` at the end; return the container."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put ``module`` before child number ``index``; IndexError if that is out of range."""
        _check_child(module)
        modules = list(self._modules.values())
        modules.insert(self._insertion_index(index), module)
        self._modules.update({str(number): child for number, child in enumerate(modules)})
        return self

    def _insertion_index(self, index: int) -> int:
        """Return ``index`` counted from the front; IndexError if it is out of range."""
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Index out of range: {index} in {self._get_name()} of length {size}")
        return index + size if index < 0 else index


def _check_child(module: Any) -> None:
    if module is not None and not isinstance(module, Module):
        raise TypeError(f"{typename(module)} is not a Module subclass")


class Sequential(_Numbered):
    """Modules run one after the other; given as arguments, or named in an OrderedDict.

    https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    @overload
    def __init__(self, *args: Module) -> None: ...
    @overload
    def __init__(self, arg: OrderedDict[str, Module], /) -> None: ...
    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = list(args[0].items())
        else:
            named = [(str(number), module) for number, module in enumerate(args)]
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Return the output of the last module."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(OrderedDict(list(self._modules.items())[idx]))
        return self._modules[self._get_abs_string_index(idx)]

    def insert(self, index: int, module: Module) -> Self:
        """Put ``module`` before child number ``index``; return the container."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}, not {typename(module)}")
        super().insert(index, module)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Add all modules of ``sequential`` at the end; return the container."""
        for module in list(sequential):
            self.append(module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        _check_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        _check_sequential(other)
        return self.extend(other)

    def _repeated(self, other: Any) -> list[Any]:
        if not isinstance(other, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")
        return list(self) * other

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*self._repeated(other))

    def __rmul__(self, other: int) -> Sequential:
        return Sequential(*self._repeated(other))

    def __imul__(self, other: int) -> Self:
        return self.extend(self._repeated(other)[len(self) :])


def _check_sequential(value: Any) -> None:
    if not isinstance(value, Sequential):
        raise ValueError(f"add operator supports only objects of Sequential class, but {type(value)} is given.")


class ModuleList(_Numbered):
    """Modules in a list, registered; it has no ``forward``.

    https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self._modules.values())[idx])
        return self._modules[self._get_abs_string_index(idx)]

    def insert(self, index: int, module: Module) -> None:
        """Put ``module`` before child number ``index``."""
        super().insert(index, module)

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add all ``modules`` at the end; return the list. TypeError if they are no iterable."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __repr__(self) -> str:
        if not len(self):
            return f"{self._get_name()}()"
        lines, start = [], 0
        for text, group in groupby(repr(module) for module in self):
            count = len(list(group))
            numbers = f"({start})" if count == 1 else f"({start}-{start + count - 1})"
            lines.append(f"{numbers}: " + (f"{count} x " if count > 1 else "") + text.replace("\n", "\n  "))
            start += count
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """Modules by name, registered; it has no ``forward``.

    https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Remove the module called ``key`` and return it."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """Return names and modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Module]:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add or replace modules: a mapping, a ModuleDict, or an iterable of pairs."""
        for key, module in _key_value_pairs(modules, "ModuleDict"):
            self[key] = module


def _key_value_pairs(items: Any, name: str) -> list[tuple[str, Any]]:
    """Return the pairs given to ``update`` of the container ``name``; TypeError or ValueError if they are none."""
    if not isinstance(items, Iterable):
        raise TypeError(
            f"{name}.update should be called with an iterable of key/value pairs, but got {type(items).__name__}"
        )
    if isinstance(items, Mapping | ModuleDict) or hasattr(items, "items"):
        return list(items.items())
    pairs = []
    for number, pair in enumerate(items):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{name} update sequence element #{number} should be Iterable; is {type(pair).__name__}")
        key_value = tuple(pair)
        if len(key_value) != 2:
            raise ValueError(f"{name} update sequence element #{number} has length {len(key_value)}; 2 is required")
        pairs.append(key_value)
    return pairs


def _as_parameter(value: Any) -> Any:
    """Return a plain tensor as a Parameter, anything else as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _item_text(name: Any, value: Any, dtype: str) -> str:
    """Return the line of one item; ``dtype`` is in the words of its container."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {typename(value)}"
    word = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(n) for n in value.array.shape)
    return f"  ({name}): {word} containing: [{dtype} of size {size}]"


class ParameterList(Module):
    """Parameters in a list, registered; plain tensors become parameters, other values are kept beside them.

    https://pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _checked_index(self, idx: Any) -> int:
        number = as_index(idx)
        if not -len(self) <= number < len(self):
            raise IndexError(f"index {idx} is out of range for ParameterList of length {len(self)}")
        return number + len(self) if number < 0 else number

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(self[number] for number in range(*idx.indices(len(self))))
        return getattr(self, str(self._checked_index(idx)))

    def __setitem__(self, idx: Any, param: Any) -> None:
        setattr(self, str(self._checked_index(idx)), _as_parameter(param))

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
        value = values.pop(idx)
        for number in range(len(self)):
            delattr(self, str(number))
        self._size = 0
        self.extend(values)
        return value

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        """Return one line for each item."""
        return "\n".join(
            _item_text(number, value, str(value.dtype) if isinstance(value, Tensor) else "")
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
        setattr(self, self._attribute(key), _as_parameter(value))
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
        value = self[key]
        del self[key]
        return value

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

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._keys.keys()

    def items(self) -> list[tuple[str, Any]]:
        """Return names and values."""
        return [(key, self[key]) for key in self._keys]

    def values(self) -> list[Any]:
        """Return the values."""
        return [self[key] for key in self._keys]

    @classmethod
    def fromkeys(cls, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a ParameterDict with ``default`` under every key."""
        return ParameterDict([(key, default) for key in keys])

    def update(self, parameters: Any) -> None:
        """Add or replace values: a mapping, a ParameterDict, or an iterable of pairs."""
        pairs = _key_value_pairs(parameters, "ParameterDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs, key=lambda pair: pair[0])  # as PyTorch does with a plain mapping
        for key, value in pairs:
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other: dict[str, Any]) -> dict[str, Any]:
        return {**other, **dict(self.items())}

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        """Return one line for each item."""
        return "\n".join(_item_text(key, value, typename(value)) for key, value in self.items())

    def __call__(self, input: Any) -> Any:
        """Raise RuntimeError: there is nothing to compute."""
        raise RuntimeError("ParameterDict should not be called.")
