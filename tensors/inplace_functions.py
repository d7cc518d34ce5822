"""The in-place methods of tensors as functions: ``torch.exp_(x)`` is ``x.exp_()``.

They are made when first asked for: the one list of them is that of ``_MEMBERS`` in the root's ``__init__.py``.
"""

from __future__ import annotations

from typing import Any

from .doors import doors
from .predicates import checked
from .tensor.methods import Tensor


def __getattr__(name: str) -> Any:
    """Return the function that calls the method ``name`` of its first argument, a tensor."""
    if name.startswith("_") or not name.endswith("_") or not hasattr(Tensor, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    method = getattr(Tensor, name)

    def function(input: Any, *args: Any, **kwargs: Any) -> Any:
        return method(checked(name, input), *args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Do ``input.{name}(...)`` and return ``input``."
    function.__wrapped__ = method  # type: ignore[attr-defined]  # any function takes attributes
    globals()[name] = function
    return function


@doors("torch")
def detach(input: Any) -> Any:
    """Return a tensor on the same memory that no gradient flows through."""
    return checked("detach", input).detach()


@doors("torch")
def fill(input: Any, value: Any) -> Any:
    """Return a tensor like ``input`` full of ``value``."""
    return checked("fill", input).clone().fill_(value)
