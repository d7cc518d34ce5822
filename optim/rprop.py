"""Rprop: steps of their own size for each element, whatever the size of the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import wrap
from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Counted
from .optimizer import ParamsT, check_modes, check_rate, scalar


class Rprop(Counted):
    r"""Resilient backpropagation (Riedmiller and Braun, 1993): only the gradient's sign counts.

    Each element keeps a step size, at first ``lr``. It grows by ``etas[1]`` when the gradient keeps its sign and
    shrinks by ``etas[0]`` when the sign changes, within ``step_sizes``; after a change of sign the element rests for
    one step.

    https://pytorch.org/docs/stable/generated/torch.optim.Rprop.html
    """

    _scratch_count = 3

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        check_modes(foreach, None, differentiable)
        defaults = dict(
            lr=lr,
            etas=etas,
            step_sizes=step_sizes,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            capturable=capturable,
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("prev", "step_size")

    def _begin(self, state: dict[str, Any], p: Any, array: Array, group: dict[str, Any]) -> None:
        super()._begin(state, p, array, group)
        state["step_size"] = wrap(p.result, np.full_like(array, scalar(group["lr"]), subok=False))

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        (shrink, grow), (least, most) = group["etas"], group["step_sizes"]
        return {"shrink": shrink, "grow": grow, "least": least, "most": most, "maximize": group["maximize"]}

    @staticmethod
    def _update(c: Any, scratch: list[Array], p: Array, g: Array, before: Array, size: Array) -> None:
        first, second, third = scratch
        np.negative(g, second) if c.maximize else np.copyto(second, g)
        # size ← size · grow, shrink or 1, as g · before is more than, less than or equal to 0
        np.multiply(second, before, first)
        turned = np.less(first, 0)
        np.sign(first, third)  # what is neither more nor less than 0 keeps its size; NaN stays
        np.copyto(third, c.grow, where=np.greater(first, 0))
        np.copyto(third, 1, where=np.equal(first, 0))
        np.copyto(third, c.shrink, where=turned)
        np.multiply(size, third, size)
        np.clip(size, c.least, c.most, size)
        # p ← p − sign(g) · size, where g counts as 0 if the sign has changed
        np.copyto(second, 0, where=turned)
        np.sign(second, first)
        np.multiply(first, size, first)
        np.subtract(p, first, p)
        np.copyto(before, second)
