"""Optimizers whose update treats each element alone: run in place on arrays, in blocks that stay in cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.inplace import check_writable
from ..autograd.mode import enable_grad
from ..autograd.node import shared, wrote
from ..autograd.tensor import Tensor
from .optimizer import Optimizer

Array = Any
Update = Callable[..., None]

BLOCK = 32768
"""Elements updated at a time. Measured on Adam: 16-32k is fastest; 4k costs more than no blocks at all."""


class Blockwise(Optimizer):
    """Base of optimizers that are one update on arrays.

    ``step`` hands every parameter with a gradient to :meth:`_change`, which a subclass writes with :meth:`_run`.
    """

    _scratch: dict[Any, tuple[Array, Array]]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("_scratch", {})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter by its gradient; return what ``closure`` returned, which recomputes the loss."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            options = self._options(group)
            for p in group["params"]:
                grad = p.grad
                if grad is not None:
                    self._change(p, shared(p), grad.array, group, options)
                    wrote(p, type(self).__name__)
        return loss

    def _options(self, group: dict[str, Any]) -> Any:
        """Return what the parameters of ``group`` share in this step."""
        raise NotImplementedError

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], options: Any) -> None:
        """Update one parameter, whose memory is ``array``, by its gradient."""
        raise NotImplementedError

    def _run(self, update: Update, constants: Any, array: Array, *others: Array) -> None:
        """Call ``update(constants, scratch, scratch, array, *others)``, for large arrays on one block after the other.

        ``others`` are the gradient and the kept arrays, all of the shape of ``array``.
        """
        size = array.size
        contiguous = array.flags.c_contiguous
        if not contiguous:
            check_writable(_Written(array), type(self).__name__)
        if size <= BLOCK or not (contiguous and all(one.flags.c_contiguous for one in others[1:])):
            update(constants, *self._scratch_like(array.shape, array.dtype), array, *others)
            return
        flat = [one.reshape(-1) for one in (array, *others)]  # views; at most the gradient is copied
        first, second = self._scratch_like((BLOCK,), array.dtype)
        for low in range(0, size - size % BLOCK, BLOCK):
            high = low + BLOCK
            update(constants, first, second, *[one[low:high] for one in flat])
        rest = size % BLOCK
        if rest:
            update(constants, first[:rest], second[:rest], *[one[-rest:] for one in flat])

    def _scratch_like(self, shape: tuple[int, ...], kind: np.dtype[Any]) -> tuple[Array, Array]:
        """Return two arrays to compute in, kept for the next step."""
        found = self._scratch.get((shape, kind))
        if found is None:
            found = self._scratch[shape, kind] = np.empty(shape, kind), np.empty(shape, kind)
        return found


class _Written:
    """Shows an array to a check that asks for a tensor."""

    def __init__(self, array: Array) -> None:
        self.array = array


def scalar(value: Any) -> float:
    """Return an option, a number or a tensor of one element, as a number."""
    number: float = value.item() if isinstance(value, Tensor) else value
    return number


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
