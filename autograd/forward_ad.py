"""Forward mode: dual tensors, which hold a value and how fast it moves. ``torch.autograd.forward_ad``.

    with torch.autograd.forward_ad.dual_level():
        x = make_dual(primal, tangent)
        value, jvp = unpack_dual(f(x))

``levels.py`` has what happens in between. https://pytorch.org/docs/stable/autograd.html#forward-mode-automatic-differentiation
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from .grad_mode import Mode
from .levels import Level
from .recording import is_inference_mode_enabled
from .tangents import as_tensor
from .variable import Variable, as_ndarray, ensure_version, wrap

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

_level: ContextVar[Level | None] = ContextVar("level", default=None)
"""The level that is on in this thread or task, if there is one."""


class UnpackedDualTensor(NamedTuple):
    """What :func:`unpack_dual` returns: ``primal``, and ``tangent``, None for a tensor that does not move."""

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Begin a level, and return its number, 0; RuntimeError where one is on, as there are no nested ones.

    https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.enter_dual_level.html
    """
    if _level.get() is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _level.set(Level().__enter__())
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: no tensor has a tangent any more. RuntimeError if ``level`` is not the number of one that is on.

    https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.exit_dual_level.html
    """
    now = _level.get()
    if level is not None and level != (-1 if now is None else 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    if now is None:
        raise RuntimeError("Dual level must be a positive number.")
    _level.set(None)
    now.__exit__()


def _at(level: int | None, where: str) -> Level | None:
    now = _level.get()
    if level is not None and level >= 0 and (level or now is None):
        raise RuntimeError(f"Invalid level given to {where}")
    return None if level is not None and level < 0 else now


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """Return a tensor on the memory of ``tensor`` that moves by ``tangent``, a float tensor of the same shape.

    Gradients pass from it to ``tensor`` and ``tangent``. RuntimeError where no level is on, where ``tensor`` or
    ``tangent`` is a dual tensor, and for another shape; ValueError for integers.

    https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.make_dual.html

    >>> import rushlight as torch
    >>> from rushlight.autograd.forward_ad import dual_level, make_dual, unpack_dual
    >>> with dual_level():
    ...     x = make_dual(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
    ...     unpack_dual(x * x)
    UnpackedDualTensor(primal=tensor([1., 4.]), tangent=tensor([ 2., 40.]))
    """
    now = _at(level, "_make_dual")
    if now is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for one, what in (tensor, "primal"), (tangent, "tangent"):
        if not isinstance(one, Variable):
            raise TypeError(f"make_dual(): argument {what!r} must be Tensor, not {type(one).__name__}")
    if now.tangents(tensor) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not "
            "supported."
        )
    if now.tangents(tangent) is not None:
        raise RuntimeError(
            "Setting a forward grad that itself has a forward gradient at the same level 0 is not supported."
        )
    if is_inference_mode_enabled():
        return wrap(Variable.result, as_ndarray(tensor), None, ensure_version(tensor))
    return now.dual_along(tensor, tangent)


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """Return ``(primal, tangent)``: a tensor on the same memory that does not move, and how fast ``tensor`` moves.

    The tangent is None for a tensor that does not move, and where no level is on.

    https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.unpack_dual.html
    """
    now = _at(level, "_unpack_dual")
    if now is None:
        return UnpackedDualTensor(tensor, None)
    if not isinstance(tensor, Variable):
        raise TypeError(f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {type(tensor).__name__}")
    tangents = now.tangents(tensor)
    return UnpackedDualTensor(now.primal(tensor), None if tangents is None else as_tensor(tangents[0]))


class dual_level(Mode):
    """Context, and decorator, in which a level is on.

    https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.dual_level.html

    >>> import rushlight as torch
    >>> from rushlight.autograd.forward_ad import dual_level, make_dual, unpack_dual
    >>> with dual_level():
    ...     y = make_dual(torch.tensor(3.0), torch.tensor(1.0)).square()
    ...     unpack_dual(y).tangent
    tensor(6.)
    >>> unpack_dual(y).tangent is None
    True
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *_: object) -> None:
        exit_dual_level()
