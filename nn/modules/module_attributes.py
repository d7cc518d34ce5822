"""Where a module keeps its parameters, buffers and submodules: in three dicts, which are the truth, as in PyTorch.

Python calls ``__getattr__`` only for a name that the object's own dict does not have, and then a read takes many times
as long (``benchmarks/claims.py``). So a module keeps what is registered as plain attributes too, as long as nobody can
notice: its dicts are of class ``Registry``, which makes each change twice. Whoever asks for the module's ``__dict__``,
or puts another dict in the place of one of the three, may change what no code here sees. Then the second copies go for
good, and ``__getattr__`` reads the dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import ref

REGISTRIES = ("_parameters", "_buffers", "_modules")


class _HasDict:
    """The base that gives modules their dict; the class below hides it behind a property."""


_dict_of: Any = vars(_HasDict)["__dict__"]
attributes: Callable[[Any], dict[str, Any]] = _dict_of.__get__
"""Returns the dict of a module as it is, second copies included; it must not be handed out."""


def _unclaimed() -> None:
    """Stand for the owner of a new, copied or unpickled registry: its module is still to take it."""


def _shared() -> None:
    """Stand for the owner of a registry that others may reach: no module writes its changes down twice."""


class Registry(dict[str, Any]):
    """A module's ``_parameters``, ``_buffers`` or ``_modules``, whose items are plain attributes of the module too.

    owner: returns the module, or None if there is none that keeps second copies. The reference is weak: a module is
    part of no cycle, and its memory is freed at once.
    """

    __slots__ = ("owner",)

    def __init__(self, owner: Attributes | None = None, items: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(items)
        self.owner: Callable[[], Any] = _unclaimed if owner is None else ref(owner)

    def _copies(self, name: str) -> dict[str, Any]:
        """Return the dict that has a second copy of ``name``, or may get one.

        An attribute of that name which is no such copy was set past the module's ``__setattr__``. It stays, and hides
        what is registered.
        """
        owner = self.owner()
        if owner is None:
            return {}
        own = attributes(owner)
        if own.get(name, self) is self.get(name, self):
            return own
        release(owner)
        return {}

    def __setitem__(self, name: str, value: Any) -> None:
        self._copies(name)[name] = value
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self._copies(name).pop(name, None)
        super().__delitem__(name)

    def pop(self, name: str, *default: Any) -> Any:
        """Remove ``name`` and return what it held."""
        if name not in self and default:
            return default[0]
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the item registered last."""
        name = next(reversed(self), None)
        if name is None:
            raise KeyError("popitem(): dictionary is empty")
        return name, self.pop(name)

    def clear(self) -> None:
        """Remove every item."""
        for name in list(self):
            del self[name]

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return what ``name`` holds, after setting it to ``default`` if it was not there."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *others: Any, **items: Any) -> None:
        """Set every item of the given mappings."""
        for name, value in dict(*others, **items).items():
            self[name] = value

    def __ior__(self, other: Any) -> Registry:  # type: ignore[override, misc]
        self.update(other)
        return self

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Registry, (), None, None, iter(self.items())


def _owned(module: Attributes) -> list[Registry]:
    """Return those registries of ``module`` whose items are its plain attributes too."""
    found = [attributes(module).get(name) for name in REGISTRIES]
    return [each for each in found if type(each) is Registry and each.owner() is module]


def release(module: Attributes) -> None:
    """Take the second copies away, for good."""
    for registry in _owned(module):
        _let_go(registry, attributes(module))


def _let_go(registry: Registry, own: dict[str, Any]) -> None:
    registry.owner = _shared
    for name, value in registry.items():
        if own.get(name, registry) is value:
            del own[name]


def claim(module: Attributes) -> None:
    """Let ``module`` keep second copies of what is in its unclaimed registries, unless names collide."""
    own = attributes(module)
    new = [each for each in map(own.get, REGISTRIES) if type(each) is Registry and each.owner is _unclaimed]
    names = [name for registry in new for name in registry]
    fits = len(own.keys() | set(names)) == len(own) + len(names)
    for registry in new:
        registry.owner = ref(module) if fits else _shared
        if fits:
            own.update(registry)


def _registry(name: str, doc: str) -> Any:
    """Return a property in front of a registry, so that nobody puts another dict there unseen."""

    def read(self: Attributes) -> dict[str, Any]:
        try:
            found: dict[str, Any] = attributes(self)[name]
        except KeyError:
            raise AttributeError(name) from None
        return found

    def write(self: Attributes, value: dict[str, Any]) -> None:
        own = attributes(self)
        before: Any = own.get(name)
        unseen = any(before is each for each in _owned(self)) and type(value) is Registry and value.owner is _unclaimed
        if unseen:
            _let_go(before, own)
        else:
            release(self)
        own[name] = value
        if unseen:
            claim(self)

    return property(read, write, doc=doc)


class Attributes(_HasDict):
    """The part of a module that finds its attributes, and is copied and pickled."""

    _parameters: dict[str, Any] = _registry("_parameters", "The parameters by name; None for one that is left out.")
    _buffers: dict[str, Any] = _registry("_buffers", "The buffers by name.")
    _modules: dict[str, Any] = _registry("_modules", "The submodules by name.")

    @property
    def __dict__(self) -> dict[str, Any]:
        """The attributes, without what is registered."""
        release(self)
        return attributes(self)

    @__dict__.setter
    def __dict__(self, value: dict[str, Any]) -> None:
        release(self)
        _dict_of.__set__(self, value)

    def _find(self, name: str) -> Any:
        """Return what is registered as ``name``; AttributeError if nothing is."""
        own = attributes(self)
        for registry in REGISTRIES:
            items = own.get(registry, ())
            if name in items:
                return items[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, without what is registered."""
        second = {name for registry in _owned(self) for name in registry}
        return {name: value for name, value in attributes(self).items() if name not in second}

    def __dir__(self) -> list[str]:
        own = attributes(self)
        names = {*dir(type(self)), *own, *(name for registry in REGISTRIES for name in own.get(registry, ()))}
        return sorted(name for name in names if not name[:1].isdigit())
