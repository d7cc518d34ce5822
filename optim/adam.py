"""Adam and AdamW: steps scaled by running averages of the gradient and its square."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.dtypes import default_numpy, float32, float64
from ..autograd.node import Variable, shared, wrap
from .blockwise import Array, Blockwise, check_modes, scalar
from .sgd import decayed

_ONE = {kind: kind.type(1) for kind in (float32.numpy, float64.numpy)}


class Adam(Blockwise):
    r"""Adam (https://arxiv.org/abs/1412.6980), with weight decay, AMSGrad and decoupled decay if asked for.

    With gradient :math:`g` at step :math:`t`: :math:`m \leftarrow \beta_1 m + (1 - \beta_1) g`,
    :math:`v \leftarrow \beta_2 v + (1 - \beta_2) g^2`, and
    :math:`p \leftarrow p - lr \cdot \hat m / (\sqrt{\hat v} + eps)` where :math:`\hat m = m / (1 - \beta_1^t)` and
    :math:`\hat v = v / (1 - \beta_2^t)`. ``amsgrad`` takes the largest :math:`v` so far. ``weight_decay`` adds
    :math:`wd \cdot p` to the gradient, or if decoupled first shrinks :math:`p` by :math:`1 - lr \cdot wd`.

    https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
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
        if isinstance(lr, Variable):
            if foreach and not capturable:
                raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
            if lr.array.size != 1:
                raise ValueError("Tensor lr must be 1-element")
        _check(lr, betas, eps, weight_decay)
        check_modes(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "betas": tuple(scalar(beta) for beta in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)
            group.setdefault("fused", None)

    def _options(self, group: dict[str, Any]) -> dict[Any, _Constants]:
        if group["capturable"]:
            raise AssertionError("If capturable=True, params and state_steps must be on supported devices: not the CPU")
        return {}

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], options: Any) -> None:
        state = self.state[p] or self._begin(p, array, group)
        step = _count(state["step"])
        key = step, array.dtype
        constants = options.get(key)
        if constants is None:
            constants = options[key] = _Constants(group, step, array.dtype)
        kept = [shared(state["exp_avg"]), shared(state["exp_avg_sq"])]
        if group["amsgrad"]:
            kept.append(shared(state["max_exp_avg_sq"]))
        self._run(_update, constants, array, grad, *kept)

    def _begin(self, p: Any, array: Array, group: dict[str, Any]) -> Any:
        state, kind = self.state[p], default_numpy()
        state["step"] = wrap(p.result, (kind if kind is float64.numpy else float32.numpy).type(0))
        for name in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 3 if group["amsgrad"] else 2]:
            state[name] = wrap(p.result, np.zeros(array.shape, array.dtype))
        return state


class AdamW(Adam):
    """Adam with decoupled weight decay (https://arxiv.org/abs/1711.05101): it does not enter the running averages.

    https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


def _check(lr: Any, betas: tuple[Any, Any], eps: float, weight_decay: float) -> None:
    if not scalar(lr) >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")
    if not eps >= 0.0:
        raise ValueError(f"Invalid epsilon value: {eps}")
    for place, beta in enumerate(betas):
        if not 0.0 <= scalar(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {place}: {beta}")
    if not weight_decay >= 0.0:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}")
    if len({type(beta) if isinstance(beta, float) else Variable for beta in betas}) != 1 or not all(
        isinstance(beta, float | Variable) for beta in betas
    ):
        raise ValueError("betas must be either both floats or both Tensors")


def _count(step: Any) -> float:
    """Count one step and return the new number."""
    if not isinstance(step, Variable):
        raise TypeError(f"the state's step must be a tensor, not {type(step).__name__}: {step!r}")
    array = step.array
    if type(array) is np.ndarray:
        array += 1
    else:
        step.array = array = array + _ONE[array.dtype]
    return float(array)


class _Constants:
    """What one step multiplies by, as arrays without dims: they cost half as much as Python's numbers.

    The corrections of both averages are folded into two numbers:
    ``lr / c1 * m / (sqrt(v) / sqrt(c2) + eps) == (lr * sqrt(c2) / c1) * m / (sqrt(v) + eps * sqrt(c2))``.
    """

    __slots__ = ("amsgrad", "beta1", "beta2", "decay", "eps", "maximize", "rest1", "rest2", "shrink", "size")

    def __init__(self, group: dict[str, Any], step: float, kind: Any) -> None:
        beta1, beta2 = group["betas"]
        lr, decay = scalar(group["lr"]), scalar(group["weight_decay"])
        root = (1 - beta2**step) ** 0.5
        self.beta1, self.rest1 = np.array(beta1, kind), np.array(1 - beta1, kind)
        self.beta2, self.rest2 = np.array(beta2, kind), np.array(1 - beta2, kind)
        self.eps = np.array(group["eps"] * root, kind)
        self.size = np.array(lr * root / (1 - beta1**step), kind)
        decoupled = group["decoupled_weight_decay"]
        self.shrink = np.array(1 - lr * decay, kind) if decay and decoupled else None
        self.decay = np.array(decay, kind) if decay and not decoupled else None
        self.maximize, self.amsgrad = group["maximize"], group["amsgrad"]


def _update(
    c: _Constants, first: Array, second: Array, p: Array, g: Array, m: Array, v: Array, largest: Array | None = None
) -> None:
    """Update one block in place: twelve passes over memory that fits the cache."""
    multiply, add = np.multiply, np.add
    g = decayed(g, c.maximize, c.decay, second, p)
    if c.shrink is not None:
        multiply(p, c.shrink, p)
    multiply(m, c.beta1, m)
    multiply(g, c.rest1, first)
    add(m, first, m)
    multiply(v, c.beta2, v)
    multiply(g, g, first)
    multiply(first, c.rest2, first)
    add(v, first, v)
    if largest is not None:
        np.maximum(largest, v, out=largest)
    np.sqrt(v if largest is None else largest, first)
    add(first, c.eps, first)
    np.divide(m, first, first)
    multiply(first, c.size, first)
    np.subtract(p, first, p)
