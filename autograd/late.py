"""Methods whose module loads when one of them is first called: importing the package stays cheap."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def late(module: str, name: str) -> Any:
    """Return a function that calls ``name`` of ``module`` (a file of ``autograd``), loaded at the first call."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(f".{module}", __package__), name)(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See :func:`rushlight.autograd.{module}.{name}`."
    return function


def several(module: str, names: str) -> list[Any]:
    """Return :func:`late` functions for several names of one module."""
    return [late(module, name) for name in names.split()]
