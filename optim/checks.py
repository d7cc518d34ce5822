"""Checks of the options that optimizers have in common."""

from __future__ import annotations

from typing import Any

from ..autograd.node import Variable
from ..autograd.tensor import Tensor


def scalar(value: Any) -> float:
    """Return an option, a number or a tensor of one element, as a number."""
    number: float = value.item() if isinstance(value, Tensor) else value
    return number


def check_rate(lr: Any) -> None:
    """Raise ValueError unless ``lr`` is a number or a tensor of one element, and not negative."""
    if isinstance(lr, Variable) and lr.array.size != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_not_negative("learning rate", lr)


def check_not_negative(name: str, value: Any) -> None:
    """Raise ValueError if ``value`` is negative or NaN."""
    if not scalar(value) >= 0.0:
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: Any) -> None:
    """Raise ValueError unless both are at least 0 and less than 1."""
    for place in (0, 1):
        if not 0.0 <= scalar(betas[place]) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {place}: {betas[place]}")


def check_modes(foreach: Any, fused: Any, differentiable: Any) -> None:
    """Raise RuntimeError for modes that exclude each other, and for ``differentiable``, which is not supported."""
    if differentiable:
        raise RuntimeError(
            "`fused` does not support `differentiable`"
            if fused
            else "differentiable=True is not supported: steps are written in place on arrays"
        )
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
