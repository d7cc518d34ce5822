"""Tensor: every op as a method. An index, not a body."""

from __future__ import annotations

from typing import Any

from .base import TensorBase
from .inplace import in_place
from .ops import adapt, arithmetic, pointwise, shape


class Tensor(TensorBase):
    """An array of numbers that records what is done with it.

    https://pytorch.org/docs/stable/tensors.html
    """

    __slots__ = ()

    # ------------------------------------------------------------------ arithmetic
    __add__ = __radd__ = arithmetic._add
    __mul__ = __rmul__ = arithmetic._mul
    __sub__ = arithmetic._sub
    __truediv__ = arithmetic._div
    __neg__ = neg = arithmetic.neg
    __iadd__ = in_place(arithmetic._add, "add_")
    __imul__ = in_place(arithmetic._mul, "mul_")

    # ------------------------------------------------------------------ functions of one number
    exp, tanh = pointwise.exp, pointwise.tanh

    # ------------------------------------------------------------------ reductions
    def sum(self, *args: Any) -> Tensor:
        """Return the sum of all elements."""
        return adapt.sum_to(self, ())

    # ------------------------------------------------------------------ shape and index
    def __getitem__(self, index: Any) -> Tensor:
        return shape.getitem(self, index if type(index) is tuple else (index,))
