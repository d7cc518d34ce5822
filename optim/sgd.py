"""SGD: stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.node import Variable, shared, wrap
from .blockwise import Array, Blockwise, check_modes, scalar


class SGD(Blockwise):
    r"""Stochastic gradient descent, with momentum if asked for.

    With gradient :math:`g` (negated by ``maximize``), :math:`g \leftarrow g + wd \cdot p`,
    :math:`b \leftarrow momentum \cdot b + (1 - dampening) g` (at first :math:`b = g`),
    :math:`p \leftarrow p - lr \cdot b`; ``nesterov`` takes :math:`g + momentum \cdot b` for the last :math:`b`.

    https://pytorch.org/docs/stable/generated/torch.optim.SGD.html

    >>> import rushlight as torch
    >>> p = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Variable) and lr.array.size != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (("learning rate", lr), ("momentum value", momentum), ("weight_decay value", weight_decay)):
            if scalar(value) < 0.0:
                raise ValueError(f"Invalid {name}: {value}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_modes(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in (("nesterov", False), ("maximize", False), ("foreach", None), ("differentiable", False)):
                group.setdefault(name, value)

    def _options(self, group: dict[str, Any]) -> dict[Any, _Constants]:
        return {}

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], options: Any) -> None:
        kind = array.dtype
        constants = options.get(kind)
        if constants is None:
            constants = options[kind] = _Constants(group, kind)
        if not group["momentum"]:
            self._run(_descend, constants, array, grad)
            return
        state = self.state[p]
        buffer = state.get("momentum_buffer")
        if buffer is None:
            buffer = state["momentum_buffer"] = wrap(p.result, np.zeros(array.shape, kind))
            self._run(_begin, constants, array, grad, buffer.array)
        else:
            self._run(_continue, constants, array, grad, shared(buffer))


class _Constants:
    """A group's options as arrays without dims: beside an array they cost half as much as Python's numbers."""

    __slots__ = ("decay", "fresh", "lr", "maximize", "momentum", "nesterov")

    def __init__(self, group: dict[str, Any], kind: Any) -> None:
        decay = scalar(group["weight_decay"])
        self.lr = np.array(scalar(group["lr"]), kind)
        self.momentum = np.array(group["momentum"], kind)
        self.fresh = np.array(1 - group["dampening"], kind) if group["dampening"] else None
        self.decay = np.array(decay, kind) if decay else None
        self.maximize, self.nesterov = group["maximize"], group["nesterov"]


def decayed(g: Array, maximize: bool, decay: Any, free: Array, p: Array) -> Array:
    """Return the gradient to descend along, negated and with the decay of ``p`` if asked for; ``free`` is written."""
    if decay is not None:
        np.multiply(p, decay, free)
        return np.subtract(free, g, free) if maximize else np.add(free, g, free)
    return np.negative(g, free) if maximize else g


def _descend(c: _Constants, first: Array, second: Array, p: Array, g: Array) -> None:
    g = decayed(g, c.maximize, c.decay, second, p)
    np.multiply(g, c.lr, first)
    np.subtract(p, first, p)


def _begin(c: _Constants, first: Array, second: Array, p: Array, g: Array, buffer: Array) -> None:
    g = decayed(g, c.maximize, c.decay, second, p)
    buffer[...] = g
    _move(c, first, p, g, buffer)


def _continue(c: _Constants, first: Array, second: Array, p: Array, g: Array, buffer: Array) -> None:
    g = decayed(g, c.maximize, c.decay, second, p)
    np.multiply(buffer, c.momentum, buffer)
    np.add(buffer, g if c.fresh is None else np.multiply(g, c.fresh, first), buffer)
    _move(c, first, p, g, buffer)


def _move(c: _Constants, first: Array, p: Array, g: Array, buffer: Array) -> None:
    if c.nesterov:
        np.multiply(buffer, c.momentum, first)
        np.add(first, g, first)
        np.multiply(first, c.lr, first)
    else:
        np.multiply(buffer, c.lr, first)
    np.subtract(p, first, p)
