"""Adagrad: steps scaled by the sum of all squared gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import wrap
from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Counted, decayed, decays, kept_scalar
from .optimizer import ParamsT, check_modes, check_not_negative, check_rate, scalar


class Adagrad(Counted):
    r"""Adagrad (https://jmlr.org/papers/v12/duchi11a.html).

    :math:`s \leftarrow s + g^2`, :math:`p \leftarrow p - \frac{lr}{1 + (t - 1) \cdot lr\_decay} g / (\sqrt s + eps)`.
    The sums start at ``initial_accumulator_value``, and are there before the first step.

    https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
    """

    _scratch_count = 3
    _since = Counted._since | {"fused": None}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_rate(lr)
        check_not_negative("lr_decay value", lr_decay)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("initial_accumulator_value value", initial_accumulator_value)
        check_not_negative("epsilon value", eps)
        check_modes(foreach, fused, differentiable)
        defaults = dict(
            lr=lr,
            lr_decay=lr_decay,
            eps=eps,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            fused=fused,
        )
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._begin(self.state[p], p, p.array, group)

    def share_memory(self) -> None:
        """Do nothing: there are no other processes to share the sums with."""

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def _begin(self, state: dict[str, Any], p: Any, array: Array, group: dict[str, Any]) -> None:
        state["step"] = kept_scalar(p, 0)
        state["sum"] = wrap(p.result, np.full_like(array, self.defaults["initial_accumulator_value"], subok=False))

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        rate = scalar(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        return {"step_size": rate, "eps": group["eps"], **decays(group)}

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, total: Array) -> None:
        first, second, third = scratch
        g = decayed(c, g, second, p)
        # s ← s + g²
        np.multiply(g, g, first)
        np.add(total, first, total)
        # p ← p − lr / (1 + (t − 1) · lr_decay) · g / (√s + eps)
        np.sqrt(total, first)
        np.add(first, c.eps, first)
        np.multiply(g, c.step_size, third)
        np.divide(third, first, first)
        np.subtract(p, first, p)
