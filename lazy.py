"""Names that load when they are first asked for: the one place of the package that imports later than at its top.

A package lists its public names by module. ``import rushlight`` stays cheap, and ``dir``, completion and
documentation generators see every name, loaded or not. The shape is that of scientific Python's ``lazy_loader``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

_ROOT = __package__


def load(module: str) -> ModuleType:
    """Return ``module`` of this package, a dotted name below its root such as ``"nn.init"``; the root for ``""``."""
    return import_module(f"{_ROOT}.{module}" if module else _ROOT)


def load_extra(module: str) -> Any:
    """Return a module of a package that is no requirement, such as ``"matplotlib.figure"``; ImportError without it."""
    return import_module(module)


class Later:
    """A function of ``module`` that is loaded when it is first called, or first asked for as a method.

    As a method it then gives its place in the class to the function itself, so that signatures, help and speed are
    those of any other.
    """

    def __init__(self, module: str, name: str) -> None:
        self.module, self.__name__ = module, name
        self.home: tuple[type, str] | None = None

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(load(self.module), self.__name__)
        return found

    def __set_name__(self, owner: type, name: str) -> None:
        self.home = owner, name

    def __get__(self, instance: object, owner: type) -> Any:
        found = self.__wrapped__
        if self.home is not None:
            setattr(*self.home, found)
        return found.__get__(instance, owner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.__wrapped__(*args, **kwargs)


def function(module: str, name: str) -> Callable[..., Any]:
    """Return a function that calls ``name`` of ``module``, which is loaded at the first call."""
    return Later(module, name)


def functions(module: str, names: str) -> list[Callable[..., Any]]:
    """Return a :func:`function` for each of the names of ``module``, which are separated by spaces."""
    return [function(module, name) for name in names.split()]


def attach(
    package: str, members: Mapping[str, str], submodules: Iterable[str] = (), extra: tuple[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    ``members`` has for each module (a dotted name below the root) the names it gives, separated by spaces;
    ``new=old`` gives ``old`` under another name. ``submodules`` are the package's public modules; ``name=module`` is
    one that lies elsewhere. ``extra`` is a package that the members need and the name of the extra that installs it:
    without it they raise ModuleNotFoundError.
    """
    home: dict[str, tuple[str, str]] = {}
    for module, names in members.items():
        for given in names.split():
            name, _, original = given.partition("=")
            home[name] = module, original or name
    prefix = package.removeprefix(_ROOT).removeprefix(".")
    inner: dict[str, str] = {}
    for given in submodules:
        name, _, module = given.partition("=")
        inner[name] = module or (f"{prefix}.{name}" if prefix else name)

    def __getattr__(name: str) -> Any:
        if name in home:
            module, original = home[name]
            try:
                found = getattr(load(module), original)
            except ModuleNotFoundError as error:
                if extra is None or (error.name or "").split(".")[0] != extra[0]:
                    raise
                raise ModuleNotFoundError(
                    f"{package}.{name} needs {extra[0]}: pip install '{_ROOT}[{extra[1]}]'", name=extra[0]
                ) from error
        elif name in inner:
            found = load(inner[name])
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, found)
        return found

    public = sorted({*home, *inner})

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *public})

    return __getattr__, __dir__, public
