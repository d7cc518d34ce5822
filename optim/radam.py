"""RAdam: Adam that waits for its second average to be worth something."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .adam import average
from .blockwise import Array, Counted, decayed, decays
from .optimizer import check_betas, check_modes, check_not_negative, check_rate, scalar


class RAdam(Counted):
    r"""RAdam (https://arxiv.org/abs/1908.03265): Adam whose steps are scaled by how certain the second average is.

    The average's length is :math:`\rho_t = \rho_\infty - 2 t \beta_2^t / (1 - \beta_2^t)` with
    :math:`\rho_\infty = 2 / (1 - \beta_2) - 1`. While it is at most 5, :math:`p \leftarrow p - lr \cdot \hat m`; later
    the step is Adam's times :math:`\sqrt{\frac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)
    \rho_t}}`, with eps added before :math:`v` is corrected.

    https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html
    """

    _since: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
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
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        size = scalar(group["lr"]) / (1 - beta1**step)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / (1 - beta2**step)
        certain = length > 5
        if certain:
            share = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            size *= (share * (1 - beta2**step)) ** 0.5
        return {
            "beta1": beta1,
            "rest1": 1 - beta1,
            "beta2": beta2,
            "rest2": 1 - beta2,
            "eps": group["eps"],
            "size": size,
            "certain": certain,
            **decays(group),
        }

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, m: Array, v: Array) -> None:
        first, second, _ = scratch
        if c.shrink is not None:
            np.multiply(p, c.shrink, p)
        average(c, first, decayed(c, g, second, p), m, v)
        if c.certain:
            np.sqrt(v, first)
            np.add(first, c.eps, first)
            np.divide(m, first, first)
            np.multiply(first, c.size, first)
        else:
            np.multiply(m, c.size, first)
        np.subtract(p, first, p)
