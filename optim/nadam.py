"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import as_ndarray
from ..tensors.tensor.methods import Tensor
from .adam import MODES, average
from .blockwise import Array, Constants, Counted, count_step, decayed, decays, kept_scalar
from .optimizer import ParamsT, check_betas, check_modes, check_not_negative, check_rate, scalar


class NAdam(Counted):
    r"""NAdam (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ): Adam that steps along the momentum to come.

    With :math:`m` and :math:`\hat v` as in Adam and :math:`\mu_t = \beta_1 (1 - 0.96^{t \psi} / 2)`, where :math:`\psi`
    is ``momentum_decay``, and :math:`M_t` the product of all :math:`\mu` until :math:`t`:
    :math:`p \leftarrow p - lr \left(\frac{1 - \mu_t}{1 - M_t} g + \frac{\mu_{t+1}}{1 - M_{t+1}} m\right) /
    (\sqrt{\hat v} + eps)`.

    https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html
    """

    _since = MODES | {"decoupled_weight_decay": False}
    _scalars = ("step", "mu_product")
    _scratch_count = 3

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative("momentum_decay value", momentum_decay)
        check_modes(foreach, None, differentiable)
        defaults = dict(
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _begin(self, state: dict[str, Any], p: Any, array: Array, group: dict[str, Any]) -> None:
        state.update(step=None, mu_product=kept_scalar(p, 1))  # the step comes first, as in PyTorch
        super()._begin(state, p, array, group)

    def _prepared(self, state: dict[str, Any], group: dict[str, Any], kind: Any, cache: dict[Any, Any]) -> Constants:
        step = count_step(state, group)
        mu, coming = _mu(group, step), _mu(group, step + 1)
        product = as_ndarray(state["mu_product"])
        product *= product.dtype.type(mu)
        key = step, float(product), kind
        found: Constants | None = cache.get(key)
        if found is None:
            beta1, beta2 = group["betas"]
            # As in Adam, the correction of v is folded: its root stands in eps and in the rate.
            lr, root_of_correction2 = scalar(group["lr"]), (1 - beta2**step) ** 0.5
            values = {
                "beta1": beta1,
                "one_minus_beta1": 1 - beta1,
                "beta2": beta2,
                "one_minus_beta2": 1 - beta2,
                "eps": group["eps"] * root_of_correction2,
                "gradient_step_size": lr * root_of_correction2 * (1 - mu) / (1 - float(product)),
                "momentum_step_size": lr * root_of_correction2 * coming / (1 - float(product) * coming),
                **decays(group),
            }
            found = cache[key] = Constants(kind, values)
        return found

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, m: Array, v: Array) -> None:
        first, second, third = scratch
        if c.shrink is not None:
            np.multiply(p, c.shrink, p)
        g = decayed(c, g, second, p)
        average(c, first, g, m, v)
        # p ← p − lr · ((1 − μₜ) / (1 − Mₜ) · g + μₜ₊₁ / (1 − Mₜ₊₁) · m) / (√v̂ + eps)
        np.sqrt(v, first)
        np.add(first, c.eps, first)
        np.multiply(g, c.gradient_step_size, second)
        np.multiply(m, c.momentum_step_size, third)
        np.add(second, third, second)
        np.divide(second, first, second)
        np.subtract(p, second, p)


def _mu(group: dict[str, Any], step: float) -> float:
    """Return the momentum of a step: it grows from half of ``beta1`` to ``beta1``."""
    mu: float = group["betas"][0] * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"]))
    return mu
