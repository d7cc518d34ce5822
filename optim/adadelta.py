"""Adadelta: steps in the units of the parameters, without a rate to choose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Counted, decayed, decays
from .optimizer import ParamsT, check_modes, check_not_negative, check_rate, scalar


class Adadelta(Counted):
    r"""Adadelta (https://arxiv.org/abs/1212.5701).

    :math:`v \leftarrow \rho v + (1 - \rho) g^2`, :math:`d = g \sqrt{u + eps} / \sqrt{v + eps}`,
    :math:`u \leftarrow \rho u + (1 - \rho) d^2`, :math:`p \leftarrow p - lr \cdot d`.

    https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
    """

    _scratch_count = 3

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative("epsilon value", eps)
        check_not_negative("weight_decay value", weight_decay)
        check_modes(foreach, None, differentiable)
        defaults = dict(
            lr=lr,
            rho=rho,
            eps=eps,
            weight_decay=weight_decay,
            maximize=maximize,
            capturable=capturable,
            foreach=foreach,
            differentiable=differentiable,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        rho = group["rho"]
        return {"rho": rho, "one_minus_rho": 1 - rho, "eps": group["eps"], "lr": scalar(group["lr"]), **decays(group)}

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, squares: Array, deltas: Array) -> None:
        first, second, third = scratch
        g = decayed(c, g, second, p)
        # v ← ρ · v + (1 − ρ) · g²
        np.multiply(g, g, first)
        np.multiply(first, c.one_minus_rho, first)
        np.multiply(squares, c.rho, squares)
        np.add(squares, first, squares)
        # d ← √(u + eps) / √(v + eps) · g
        np.add(squares, c.eps, first)
        np.sqrt(first, first)
        np.add(deltas, c.eps, third)
        np.sqrt(third, third)
        np.divide(third, first, third)
        np.multiply(third, g, third)
        # u ← ρ · u + (1 − ρ) · d²
        np.multiply(third, third, first)
        np.multiply(first, c.one_minus_rho, first)
        np.multiply(deltas, c.rho, deltas)
        np.add(deltas, first, deltas)
        # p ← p − lr · d
        np.multiply(third, c.lr, third)
        np.subtract(p, third, p)
