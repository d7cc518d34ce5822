"""RMSprop: steps scaled by a running average of the squared gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Counted, decayed, decays
from .optimizer import ParamsT, check_modes, check_not_negative, check_rate, scalar


class RMSprop(Counted):
    r"""RMSprop (Tieleman and Hinton, lecture 6.5 of *Neural Networks for Machine Learning*, 2012).

    :math:`v \leftarrow \alpha v + (1 - \alpha) g^2`, :math:`p \leftarrow p - lr \cdot g / (\sqrt v + eps)`.
    ``centered`` subtracts the square of the gradient's own average from :math:`v` under the root
    (https://arxiv.org/abs/1308.0850); with ``momentum`` the scaled gradients are gathered first:
    :math:`b \leftarrow momentum \cdot b + g / (\sqrt v + eps)`, :math:`p \leftarrow p - lr \cdot b`.

    https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
    """

    _scratch_count = 3
    _since = Counted._since | {"momentum": 0, "centered": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        check_not_negative("epsilon value", eps)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("alpha value", alpha)
        check_modes(foreach, None, differentiable)
        defaults = dict(
            lr=lr,
            momentum=momentum,
            alpha=alpha,
            eps=eps,
            centered=centered,
            weight_decay=weight_decay,
            capturable=capturable,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        names = ("square_avg", "momentum_buffer") if group["momentum"] > 0 else ("square_avg",)
        return (*names, "grad_avg") if group["centered"] else names

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        return {
            "alpha": group["alpha"],
            "one_minus_alpha": 1 - group["alpha"],
            "eps": group["eps"],
            "lr": scalar(group["lr"]),
            "momentum": group["momentum"] if group["momentum"] > 0 else None,
            "centered": bool(group["centered"]),
            **decays(group),
        }

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, squares: Array, *others: Array) -> None:
        first, second, third = scratch
        g = decayed(c, g, second, p)
        # v ← α · v + (1 − α) · g²
        np.multiply(g, g, first)
        np.multiply(first, c.one_minus_alpha, first)
        np.multiply(squares, c.alpha, squares)
        np.add(squares, first, squares)
        if c.centered:
            mean = others[-1]
            # ḡ ← ḡ + (1 − α) · (g − ḡ), and v − ḡ² goes under the root
            np.subtract(g, mean, first)
            np.multiply(first, c.one_minus_alpha, first)
            np.add(mean, first, mean)
            np.multiply(mean, mean, first)
            np.subtract(squares, first, first)
            np.sqrt(first, first)
        else:
            np.sqrt(squares, first)
        np.add(first, c.eps, first)
        if c.momentum is None:  # p ← p − lr · g / (√v + eps)
            np.multiply(g, c.lr, third)
            np.divide(third, first, first)
        else:  # b ← momentum · b + g / (√v + eps), p ← p − lr · b
            buffer = others[0]
            np.divide(g, first, first)
            np.multiply(buffer, c.momentum, buffer)
            np.add(buffer, first, buffer)
            np.multiply(buffer, c.lr, first)
        np.subtract(p, first, p)
