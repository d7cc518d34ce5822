"""Adafactor: a running average of the squared gradient, kept as rows and columns."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar

import numpy as np

from ..arrays.dtypes import float16, float32
from ..autograd.variable import as_ndarray, wrap
from ..tensors.tensor.methods import Tensor
from .blockwise import Array, Counted, count_step, kept_scalar
from .optimizer import ParamsT, scalar

_SHORT = 8192  # elements that BLAS sums in one thread, whatever number it may use


class Adafactor(Counted):
    r"""Adafactor (https://arxiv.org/abs/1804.04235): of a matrix it keeps one number a row and one a column.

    With :math:`w = t^{\beta_2\,decay}` the mean squares of the gradient's rows and columns are averaged,
    :math:`R \leftarrow R + w (R_g - R)`, :math:`C \leftarrow C + w (C_g - C)`, and stand for all squares as
    :math:`V = R C / \max(\bar R, eps_1)`; parameters of fewer than two dims keep :math:`V` itself. With
    :math:`U = g / \sqrt{\max(V, eps_1^2)}` the step is :math:`p \leftarrow p - \max(eps_2, RMS(p)) \min(lr, t^{-1/2}) U
    / \max(1, RMS(U) / d)`. ``weight_decay`` first shrinks :math:`p` by :math:`1 - lr \cdot wd`. ``eps[0]`` None stands
    for the dtype's eps.

    https://pytorch.org/docs/stable/generated/torch.optim.Adafactor.html
    """

    _since: ClassVar[dict[str, Any]] = {"foreach": None}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        rate = scalar(lr)
        for fine, complaint in (
            (rate >= 0, f"Learning rate should be >= 0 but is: {lr}"),
            (beta2_decay <= 0, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is None or eps[0] >= 0, f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (eps[1] >= 0, f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (d >= 1, f"Clipping threshold d should be >= 1 but is: {d}"),
            (weight_decay >= 0, f"weight_decay should be >= 0 but is: {weight_decay}"),
        ):
            if not fine:
                raise ValueError(complaint)
        defaults = dict(
            lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay, foreach=foreach, maximize=maximize
        )
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        raise NotImplementedError("what is kept depends on the parameter's dims")

    def _begin(self, state: dict[str, Any], p: Any, array: Array, group: dict[str, Any]) -> None:
        state["step"] = kept_scalar(p, 0)
        shape, kind = array.shape, array.dtype
        if len(shape) > 1:
            state["row_var"] = wrap(p.result, np.zeros((*shape[:-1], 1), kind))
            state["col_var"] = wrap(p.result, np.zeros((*shape[:-2], 1, shape[-1]), kind))
        else:
            state["variance"] = wrap(p.result, np.zeros(shape, kind))

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], cache: dict[Any, Any]) -> None:
        state = self.state[p]
        if not state:
            self._begin(state, p, array, group)
        step = count_step(state, group)
        if array.size == 0:
            return
        wide = float32.numpy if array.dtype == float16.numpy else array.dtype
        here, g = array.astype(wide, copy=False), grad.astype(wide, copy=False)
        lr, (least, lowest) = scalar(group["lr"]), group["eps"]
        least = float(np.finfo(array.dtype).eps) if least is None else least
        size = max(lowest, _rms(here)) * min(lr, step**-0.5)
        update = _variance(state, g, step ** group["beta2_decay"], least)
        np.maximum(update, least * least, out=update)
        np.sqrt(update, out=update)
        np.divide(g, update, out=update)
        size /= max(1.0, _rms(update) / group["d"])
        update *= -size if group["maximize"] else size
        if group["weight_decay"]:
            here = here * (1 - lr * group["weight_decay"])
        array[...] = here - update


def _rms(x: Array) -> float:
    """Return the root of the mean square, summed in parts so short that BLAS does not split them among its threads."""
    flat = x.reshape(-1)
    parts = [flat[low : low + _SHORT] for low in range(0, flat.size, _SHORT)]
    return sqrt(sum([float(np.dot(part, part)) for part in parts]) / flat.size)


def _variance(state: dict[str, Any], g: Array, weight: float, least: float) -> Array:
    """Take the squares of ``g`` into what is kept, and return the estimate of all of them as a new array."""
    squares = np.multiply(g, g, out=np.empty_like(g))
    if g.ndim < 2:
        return np.array(_approach(state["variance"], squares, weight), g.dtype)
    rows = _approach(state["row_var"], squares.mean(-1, keepdims=True), weight)
    columns = _approach(state["col_var"], squares.mean(-2, keepdims=True), weight)
    np.multiply(rows, columns, out=squares)
    squares /= np.maximum(rows.mean(-2, keepdims=True), least)
    return squares


def _approach(kept: Any, target: Array, weight: float) -> Array:
    """Move what is kept towards ``target`` by ``weight``, and return it in the dtype of ``target``."""
    array = as_ndarray(kept)
    moved = array.astype(target.dtype) + target.dtype.type(weight) * (target - array)
    array[...] = moved
    return moved
