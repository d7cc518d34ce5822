"""RAdam: Adam that waits for its second average to be worth something."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensors.tensor.methods import Tensor
from .adam import average
from .blockwise import Array, Counted, decayed, decays
from .optimizer import ParamsT, check_betas, check_modes, check_not_negative, check_rate, scalar


class RAdam(Counted):
    r"""RAdam (https://arxiv.org/abs/1908.03265): Adam whose steps are scaled by how certain the second average is.

    The average's length is :math:`\rho_t = \rho_\infty - 2 t \beta_2^t / (1 - \beta_2^t)` with
    :math:`\rho_\infty = 2 / (1 - \beta_2) - 1`. While it is at most 5, :math:`p \leftarrow p - lr \cdot \hat m`; later
    the step is Adam's times :math:`\sqrt{\frac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)
    \rho_t}}`, with eps added before :math:`v` is corrected.

    https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html
    """

    _since = Counted._since | {"decoupled_weight_decay": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            decoupled_weight_decay=decoupled_weight_decay,
            differentiable=differentiable,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        step_size = scalar(group["lr"]) / (1 - beta1**step)
        # ρ∞ and ρₜ: how many gradients the second average stands for, in the end and now
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / (1 - beta2**step)
        certain = length > 5  # else the variance of √v is too large to divide by it
        if certain:
            rectification = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            step_size *= (rectification * (1 - beta2**step)) ** 0.5
        return {
            "beta1": beta1,
            "one_minus_beta1": 1 - beta1,
            "beta2": beta2,
            "one_minus_beta2": 1 - beta2,
            "eps": group["eps"],
            "step_size": step_size,
            "certain": certain,
            **decays(group),
        }

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, m: Array, v: Array) -> None:
        first, second = scratch
        if c.shrink is not None:
            np.multiply(p, c.shrink, p)
        average(c, first, decayed(c, g, second, p), m, v)
        if c.certain:  # p ← p − lr · m̂ · r · √(1 − β2ᵗ) / (√v + eps)
            np.sqrt(v, first)
            np.add(first, c.eps, first)
            np.divide(m, first, first)
            np.multiply(first, c.step_size, first)
        else:  # p ← p − lr · m̂
            np.multiply(m, c.step_size, first)
        np.subtract(p, first, p)
