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


def function(module: str, name: str) -> Callable[..., Any]:
    """Return a function that calls ``name`` of ``module``, which is loaded at the first call."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(load(module), name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"See :func:`rushlight.{module}.{name}`."
    return call


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
