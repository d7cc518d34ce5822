"""Muon: steps along the orthogonal matrix nearest to the momentum."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar

import numpy as np

from ..autograd.variable import Variable, as_ndarray, wrap
from .blockwise import Array, Blockwise
from .optimizer import ParamsT, scalar


class Muon(Blockwise):
    r"""Muon (https://kellerjordan.github.io/posts/muon), for matrices only.

    The momentum is an average, :math:`B \leftarrow B + (1 - \mu)(g - B)`; ``nesterov`` takes it once more into the
    gradient. The result is made nearly orthogonal by ``ns_steps`` rounds of :math:`X \leftarrow a X + (b A + c A^2) X`
    with :math:`A = X X^T`, in the precision of bfloat16, and :math:`p \leftarrow (1 - lr \cdot wd) p - lr' X`. With
    ``adjust_lr_fn`` "original" or None :math:`lr' = lr \sqrt{\max(1, rows / columns)}`, with "match_rms_adamw"
    :math:`lr' = 0.2\, lr \sqrt{\max(rows, columns)}` (https://arxiv.org/abs/2502.16982).

    https://pytorch.org/docs/stable/generated/torch.optim.Muon.html
    """

    _since: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Variable) and lr.array.size != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not scalar(value) >= 0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in {None, "original", "match_rms_adamw"}:
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = dict(
            lr=lr,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            ns_coefficients=ns_coefficients,
            eps=eps,
            ns_steps=ns_steps,
            adjust_lr_fn=adjust_lr_fn,
        )
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}"
                    )

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], cache: dict[Any, Any]) -> None:
        if group["ns_steps"] >= 100:
            raise ValueError(f"Number of steps must be less than 100 for computational efficiency: {group['ns_steps']}")
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Coefficients must be a tuple of exactly 3 values: {group['ns_coefficients']}")
        state, momentum = self.state[p], group["momentum"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = wrap(p.result, np.zeros_like(grad))
        buffer = as_ndarray(state["momentum_buffer"])
        if array.size == 0:
            return
        buffer[...] = _between(buffer, grad, 1 - momentum)
        ahead = _between(grad, buffer, momentum) if group["nesterov"] else buffer
        update = _orthogonal(ahead, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = array.shape
        lr = scalar(group["lr"])
        matched = group["adjust_lr_fn"] == "match_rms_adamw"
        size = lr * (0.2 * sqrt(max(rows, columns)) if matched else sqrt(max(1, rows / columns)))
        array *= array.dtype.type(1 - lr * group["weight_decay"])
        array -= update.astype(array.dtype) * array.dtype.type(size)


def _between(start: Array, end: Array, weight: float) -> Array:
    """Return the point that lies ``weight`` of the way from ``start`` to ``end``, computed from the nearer of them."""
    return start + weight * (end - start) if weight < 0.5 else end - (end - start) * (1 - weight)


def _orthogonal(matrix: Array, coefficients: tuple[float, float, float], rounds: int, eps: float) -> Array:
    """Return a matrix with the singular vectors of ``matrix`` and singular values near 1."""
    a, b, c = coefficients
    x = _bfloat16(matrix.astype(np.float32))
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = _bfloat16(x / max(_bfloat16(np.linalg.norm(x)), np.float32(eps)))
    for _ in range(rounds):
        gram = _bfloat16(x @ x.T)
        x = _bfloat16(a * x + _bfloat16(b * gram + c * (gram @ gram)) @ x)
    return x.T if tall else x


def _bfloat16(x: Any) -> Array:
    """Return float32 values rounded to the nearest that have only bfloat16's 8 bits of precision."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32).reshape(np.shape(x)))
