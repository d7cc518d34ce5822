"""Where an op is public, said at its declaration: ``doors="torch Tensor Tensor_"``, or ``@doors(...)`` on a function.

A door is a place, for the op's own name there, or a place and another name:

===============  ===================================================================
``torch``        ``torch.exp``: a name in ``_MEMBERS`` of the root's ``__init__.py``
``torch_``       ``torch.exp_``: in ``_MEMBERS`` too, under ``tensors.inplace_functions``
``Tensor``       the method ``Tensor.exp``, in ``tensors/tensor/methods.py``
``Tensor_``      its in-place variant ``Tensor.exp_``, there too
``functional``   ``torch.nn.functional.exp``, in ``nn/functional.py``
``functional_``  its in-place variant, there too
``linalg``       ``torch.linalg.exp``, in ``linalg.py``
``special``      ``torch.special.exp``, in ``special.py``
``torch.name``   the op under another name, and so for every place
===============  ===================================================================

Nothing is registered: the declaration says what must be, and a test compares it with what is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def doors(places: str) -> Callable[[F], F]:
    """Note on a function where it is public."""

    def note(function: F) -> F:
        function.doors = places  # type: ignore[attr-defined]
        return function

    return note


def names_of_doors(function: Any) -> list[str]:
    """Return the public names that the declaration of ``function`` claims, such as ``"Tensor.exp_"``."""
    own = function.__name__.lstrip("_")
    found = []
    for door in getattr(function, "doors", "").split():
        place, _, name = door.partition(".")
        found.append(door if name else f"{place.rstrip('_')}.{own}{'_' if place.endswith('_') else ''}")
    return found
