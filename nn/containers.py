"""Containers of modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from operator import index as as_index
from typing import Any, Self

from .base import typename
from .module import Module


class Numbered(Module):
    """What Sequential and ModuleList share: children named "0", "1", ... and reached like items of a list."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def _key(self, idx: Any) -> str:
        """Return the name of child number ``idx``; IndexError if there is none."""
        names = list(self._modules)
        number = as_index(idx)
        if not -len(names) <= number < len(names):
            raise IndexError(f"index {idx} is out of range for {self._get_name()} of length {len(names)}")
        return names[number]

    def __setitem__(self, idx: Any, module: Any) -> None:
        setattr(self, self._key(idx), module)

    def __delitem__(self, idx: Any) -> None:
        for name in list(self._modules)[idx] if isinstance(idx, slice) else [self._key(idx)]:
            delattr(self, name)
        self._modules = {str(number): module for number, module in enumerate(self._modules.values())}

    def pop(self, key: Any) -> Any:
        """Remove child number ``key`` and return it."""
        found = self[key]  # type: ignore[index]
        del self[key]
        return found

    def append(self, module: Any) -> Self:
        """Add ``module`` at the end; return the container."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Any) -> Any:
        """Put ``module`` before child number ``index``; IndexError if that is out of range."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        number = self._place(index)
        modules = list(self._modules.values())
        modules.insert(number, module)
        self._modules = {str(place): each for place, each in enumerate(modules)}
        return self

    def _place(self, index: int) -> int:
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Index out of range: {index} in {self._get_name()} of length {size}")
        return index + size if index < 0 else index


class Sequential(Numbered):
    """Modules run one after the other; given as arguments, or named in an OrderedDict.

    https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = list(args[0].items())
        else:
            named = [(str(number), module) for number, module in enumerate(args)]
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Return what the last module makes of it all."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(OrderedDict(list(self._modules.items())[idx]))
        return self._modules[self._key(idx)]

    def insert(self, index: int, module: Any) -> Self:
        """Put ``module`` before child number ``index``; return the container."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}, not {typename(module)}")
        super().insert(index, module)
        return self

    def extend(self, sequential: Iterable[Any]) -> Self:
        """Add all modules of ``sequential`` at the end; return the container."""
        for module in list(sequential):
            self.append(module)
        return self

    def __add__(self, other: Any) -> Sequential:
        _check(isinstance(other, Sequential), "add operator supports only objects of Sequential class", other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Self:
        _check(isinstance(other, Sequential), "add operator supports only objects of Sequential class", other)
        return self.extend(other)

    def _times(self, other: Any) -> list[Any]:
        if not isinstance(other, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")
        return list(self) * other

    def __mul__(self, other: Any) -> Sequential:
        return Sequential(*self._times(other))

    def __rmul__(self, other: Any) -> Sequential:
        return Sequential(*self._times(other))

    def __imul__(self, other: Any) -> Self:
        return self.extend(self._times(other)[len(self) :])


def _check(right: bool, rule: str, given: Any) -> None:
    if not right:
        raise ValueError(f"{rule}, but {type(given)} is given.")


class ModuleList(Numbered):
    """Modules in a list, registered; it has no ``forward``.

    https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self._modules.values())[idx])
        return self._modules[self._key(idx)]

    def insert(self, index: int, module: Any) -> None:
        """Put ``module`` before child number ``index``."""
        super().insert(index, module)

    def extend(self, modules: Iterable[Any]) -> Self:
        """Add all ``modules`` at the end; return the list. TypeError if they are no iterable."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, modules: Iterable[Any]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Any]) -> ModuleList:
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

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Any) -> None:
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

    def pop(self, key: str) -> Any:
        """Remove the module called ``key`` and return it."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> Any:
        """Return names and modules."""
        return self._modules.items()

    def values(self) -> Any:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add or replace modules: a mapping, a ModuleDict, or an iterable of pairs."""
        for key, module in pairs(modules, "ModuleDict"):
            self[key] = module


def pairs(given: Any, name: str) -> list[tuple[str, Any]]:
    """Return the key/value pairs of what was given to ``update`` of the container ``name``."""
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{name}.update should be called with an iterable of key/value pairs, but got {type(given).__name__}"
        )
    if isinstance(given, Mapping | ModuleDict) or hasattr(given, "items"):
        return list(given.items())
    found = []
    for number, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{name} update sequence element #{number} should be Iterable; is {type(pair).__name__}")
        items = tuple(pair)
        if len(items) != 2:
            raise ValueError(f"{name} update sequence element #{number} has length {len(items)}; 2 is required")
        found.append(items)
    return found
