"""ASGD: gradient descent that also averages where it has been."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays.dtypes import default_numpy
from ..autograd.variable import as_ndarray, wrap
from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Constants, Counted, count_step, decayed, decays, kept_scalar
from .optimizer import ParamsT, check_modes, check_not_negative, check_rate, scalar


class ASGD(Counted):
    r"""Averaged stochastic gradient descent (Polyak and Juditsky, 1992).

    :math:`p \leftarrow (1 - \lambda \eta) p - \eta g`, where the rate :math:`\eta` falls as
    :math:`lr / (1 + \lambda \cdot lr \cdot t)^\alpha`. ``state[p]["ax"]`` is the mean of :math:`p` since step ``t0``.

    https://pytorch.org/docs/stable/generated/torch.optim.ASGD.html
    """

    _scalars = ("step", "eta", "mu")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_rate(lr)
        check_not_negative("weight_decay value", weight_decay)
        check_modes(foreach, None, differentiable)
        defaults = dict(
            lr=lr,
            lambd=lambd,
            alpha=alpha,
            t0=t0,
            weight_decay=weight_decay,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            capturable=capturable,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("ax",)

    def _begin(self, state: dict[str, Any], p: Any, array: Array, group: dict[str, Any]) -> None:
        state["step"] = kept_scalar(p, 0)
        state["eta"] = kept_scalar(p, scalar(group["lr"]))
        state["mu"] = kept_scalar(p, 1)
        state["ax"] = wrap(p.result, np.zeros_like(array))

    def _prepared(self, state: dict[str, Any], group: dict[str, Any], kind: Any, cache: dict[Any, Any]) -> Constants:
        step = count_step(state, group)
        eta, mu = as_ndarray(state["eta"]), as_ndarray(state["mu"])
        key = step, float(eta), float(mu), kind
        found: Constants | None = cache.get(key)
        if found is None:
            values = {
                "eta": float(eta),
                "one_minus_lambd_eta": 1 - group["lambd"] * float(eta),
                "mu": float(mu) if mu != 1 else None,
                **decays(group),
            }
            found = cache[key] = Constants(kind, values)
        lr = scalar(group["lr"])
        number = default_numpy().type  # of this precision, also where loading has cast them to the parameter's dtype
        eta[...] = number(lr / (1 + group["lambd"] * lr * step) ** group["alpha"])
        mu[...] = number(1 / max(1, step - group["t0"]))
        return found

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, mean: Array) -> None:
        first, second = scratch
        g = decayed(c, g, second, p)
        # p ← (1 − λ · η) · p − η · g
        np.multiply(p, c.one_minus_lambd_eta, p)
        np.multiply(g, c.eta, first)
        np.subtract(p, first, p)
        # ax ← ax + μ · (p − ax), which is p as long as μ is 1
        if c.mu is None:
            np.copyto(mean, p)
        else:
            np.subtract(p, mean, first)
            np.multiply(first, c.mu, first)
            np.add(mean, first, mean)
