"""Adam: steps scaled by running averages of the gradient and its square."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Counted, decayed, decays
from .optimizer import ParamsT, check_betas, check_modes, check_not_negative, check_rate, scalar

_KEPT = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
_WITHOUT_MAX = _KEPT[:2]

MODES = {name: Counted._since[name] for name in ("maximize", "foreach", "capturable", "differentiable")}
"""What older states of Adam and NAdam lack, in PyTorch's order: the order of a group's options is seen in states."""


class Adam(Counted):
    r"""Adam (https://arxiv.org/abs/1412.6980), with weight decay, AMSGrad and decoupled decay if asked for.

    With gradient :math:`g` at step :math:`t`: :math:`m \leftarrow \beta_1 m + (1 - \beta_1) g`,
    :math:`v \leftarrow \beta_2 v + (1 - \beta_2) g^2`, and
    :math:`p \leftarrow p - lr \cdot \hat m / (\sqrt{\hat v} + eps)` where :math:`\hat m = m / (1 - \beta_1^t)` and
    :math:`\hat v = v / (1 - \beta_2^t)`. ``amsgrad`` takes the largest :math:`v` so far. ``weight_decay`` adds
    :math:`wd \cdot p` to the gradient, or if decoupled first shrinks :math:`p` by :math:`1 - lr \cdot wd`.

    https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    _since = {"amsgrad": False} | MODES | {"decoupled_weight_decay": False, "fused": None}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Variable) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_rate(lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        _check_same_kind(betas, foreach and not capturable)
        check_modes(foreach, fused, differentiable)
        defaults = dict(
            lr=lr,
            betas=tuple(beta.reshape(()) if isinstance(beta, Tensor) else beta for beta in betas),
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return _KEPT if group["amsgrad"] else _WITHOUT_MAX

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        """Return the constants, the bias corrections of both averages folded into two of them.

        If ``c1 = 1 - beta1**step`` and ``c2 = 1 - beta2**step``, then ``lr * (m / c1) / (sqrt(v / c2) + eps)`` is,
        both sides of the fraction times ``sqrt(c2)``, ``(lr * sqrt(c2) / c1) * m / (sqrt(v) + eps * sqrt(c2))``.
        """
        beta1, beta2 = map(scalar, group["betas"])
        bias_correction1 = 1 - beta1**step
        root_of_correction2 = (1 - beta2**step) ** 0.5
        return {
            "beta1": beta1,
            "one_minus_beta1": 1 - beta1,
            "beta2": beta2,
            "one_minus_beta2": 1 - beta2,
            "eps": group["eps"] * root_of_correction2,
            "step_size": scalar(group["lr"]) * root_of_correction2 / bias_correction1,
            **decays(group),
        }

    @staticmethod
    def _update(
        c: Any, scratch: list[Array], p: Array, g: Array, m: Array, v: Array, largest: Array | None = None
    ) -> None:
        """Update one block in place: twelve passes over memory that fits the cache."""
        multiply, add = np.multiply, np.add
        first, second = scratch
        g = decayed(c, g, second, p)
        if c.shrink is not None:  # p ← p − lr · weight_decay · p
            multiply(p, c.shrink, p)
        average(c, first, g, m, v)
        if largest is not None:  # v̂ ← max(v̂, v)
            v = np.maximum(largest, v, out=largest)
        # p ← p − lr · m̂ / (√v̂ + eps), m̂ and v̂ corrected by the constants
        np.sqrt(v, first)
        add(first, c.eps, first)
        np.divide(m, first, first)
        multiply(first, c.step_size, first)
        np.subtract(p, first, p)


def average(c: Any, first: Array, g: Array, m: Array, v: Array) -> None:
    """Take ``g`` into the running averages of the gradient, ``m``, and of its square, ``v``; ``first`` is written."""
    multiply, add = np.multiply, np.add
    # m ← β1 · m + (1 − β1) · g
    multiply(m, c.beta1, m)
    multiply(g, c.one_minus_beta1, first)
    add(m, first, m)
    # v ← β2 · v + (1 − β2) · g²
    multiply(v, c.beta2, v)
    multiply(g, g, first)
    multiply(first, c.one_minus_beta2, first)
    add(v, first, v)


def _check_same_kind(betas: Any, by_list: Any) -> None:
    """Raise ValueError unless ``betas`` are two floats, or two tensors of one element."""
    tensors = [isinstance(beta, Variable) for beta in betas]
    if not all(tensors) and not all(isinstance(beta, float) for beta in betas):
        raise ValueError("betas must be either both floats or both Tensors")
    for place, beta in enumerate(betas):
        if tensors[place]:
            if by_list:
                raise ValueError(f"betas[{place}] as a Tensor is not supported for capturable=False and foreach=True")
            if beta.array.size != 1:
                raise ValueError(f"Tensor betas[{place}] must be 1-element")
