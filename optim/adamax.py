"""Adamax: Adam with the largest gradient of late in place of the root of the mean square."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Counted, decayed, decays
from .optimizer import ParamsT, check_betas, check_modes, check_not_negative, check_rate, scalar


class Adamax(Counted):
    r"""Adamax (https://arxiv.org/abs/1412.6980, section 7).

    :math:`m \leftarrow \beta_1 m + (1 - \beta_1) g`, :math:`u \leftarrow \max(\beta_2 u, |g| + eps)`,
    :math:`p \leftarrow p - \frac{lr}{1 - \beta_1^t} m / u`.

    https://pytorch.org/docs/stable/generated/torch.optim.Adamax.html
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_rate(lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        check_modes(foreach, None, differentiable)
        defaults = dict(
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            capturable=capturable,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        return {
            "beta1": beta1,
            "one_minus_beta1": 1 - beta1,
            "beta2": beta2,
            "eps": group["eps"],
            "step_size": scalar(group["lr"]) / (1 - beta1**step),
            **decays(group),
        }

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, m: Array, u: Array) -> None:
        first, second = scratch
        g = decayed(c, g, second, p)
        # m ← β1 · m + (1 − β1) · g
        np.multiply(m, c.beta1, m)
        np.multiply(g, c.one_minus_beta1, first)
        np.add(m, first, m)
        # u ← max(β2 · u, |g| + eps)
        np.absolute(g, first)
        np.add(first, c.eps, first)
        np.multiply(u, c.beta2, u)
        np.maximum(u, first, out=u)
        # p ← p − lr / (1 − β1ᵗ) · m / u
        np.divide(m, u, first)
        np.multiply(first, c.step_size, first)
        np.subtract(p, first, p)
