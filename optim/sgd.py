"""SGD: stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Variable, as_ndarray, wrap
from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Blockwise, Constants, decayed, decays
from .optimizer import ParamsT, check_modes, scalar


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

    _since = Blockwise._since | {"nesterov": False, "fused": None}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
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
        defaults = dict(
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
            foreach=foreach,
            differentiable=differentiable,
            fused=fused,
        )
        super().__init__(params, defaults)

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], cache: dict[Any, Any]) -> None:
        kind = array.dtype
        constants = cache.get(kind)
        if constants is None:
            constants = cache[kind] = Constants(kind, _constants(group))
        if not group["momentum"]:
            self._run(_descend, constants, array, grad)
            return
        state = self.state[p]
        buffer = state.get("momentum_buffer")
        if buffer is None:
            buffer = state["momentum_buffer"] = wrap(p.result, np.zeros_like(array))
            self._run(_begin, constants, array, grad, buffer.array)
        else:
            self._run(_continue, constants, array, grad, as_ndarray(buffer))


def _constants(group: dict[str, Any]) -> dict[str, Any]:
    return {
        "lr": scalar(group["lr"]),
        "momentum": group["momentum"],
        "one_minus_dampening": 1 - group["dampening"] if group["dampening"] else None,
        "nesterov": bool(group["nesterov"]),
        **decays(group),
    }


def _descend(c: Any, scratch: list[Array], p: Array, g: Array) -> None:
    first, second = scratch
    g = decayed(c, g, second, p)
    np.multiply(g, c.lr, first)  # p ← p − lr · g
    np.subtract(p, first, p)


def _begin(c: Any, scratch: list[Array], p: Array, g: Array, buffer: Array) -> None:
    first, second = scratch
    g = decayed(c, g, second, p)
    buffer[...] = g  # b ← g
    _move(c, first, p, g, buffer)


def _continue(c: Any, scratch: list[Array], p: Array, g: Array, buffer: Array) -> None:
    first, second = scratch
    g = decayed(c, g, second, p)
    # b ← momentum · b + (1 − dampening) · g
    np.multiply(buffer, c.momentum, buffer)
    np.add(buffer, g if c.one_minus_dampening is None else np.multiply(g, c.one_minus_dampening, first), buffer)
    _move(c, first, p, g, buffer)


def _move(c: Any, first: Array, p: Array, g: Array, buffer: Array) -> None:
    if c.nesterov:  # p ← p − lr · (g + momentum · b)
        np.multiply(buffer, c.momentum, first)
        np.add(first, g, first)
        np.multiply(first, c.lr, first)
    else:  # p ← p − lr · b
        np.multiply(buffer, c.lr, first)
    np.subtract(p, first, p)
