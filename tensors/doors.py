"""Where a function of ``tensors/`` is public, said at its declaration.

An op says it by ``@primitive(doors="torch Tensor Tensor_")``, any other function by ``@doors("torch Tensor")``.

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

An in-place function that is written by hand, such as ``uniform_``, has ``Tensor`` for the method of its own name.
Nothing is registered: the declaration says what must be, and ``tests/test_doors.py`` compares it with what is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@cache  # most say the same
def doors(places: str) -> Callable[[F], F]:
    """Note on a function where it is public."""

    def note(function: F) -> F:
        function.doors = places  # type: ignore[attr-defined]
        return function

    return note
