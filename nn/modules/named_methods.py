"""Errors about arguments that name the layer one called."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from .module import Module


def name_inherited_methods(layer: Any) -> None:
    """Give the class ``layer`` its own ``__init__`` and ``forward``, copies of those it inherits.

    Python takes the name in "Conv2d.__init__() missing 3 required positional arguments" from the function. Layers that
    share a private base would all be called "_Conv.__init__()" without this.
    """
    for name in ("__init__", "forward"):
        inherited = getattr(layer, name)
        if name in vars(layer) or inherited is getattr(Module, name):
            continue
        method = FunctionType(
            inherited.__code__, inherited.__globals__, name, inherited.__defaults__, inherited.__closure__
        )
        method.__kwdefaults__ = inherited.__kwdefaults__
        method.__annotations__ = inherited.__annotations__
        method.__doc__ = inherited.__doc__
        method.__qualname__ = f"{layer.__qualname__}.{name}"
        setattr(layer, name, method)
