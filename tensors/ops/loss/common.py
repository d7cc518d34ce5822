"""Shared by the losses: the ``reduction`` at their end, operands of different shapes, refused gradients."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np

from ....arrays.dtypes import dtype_of, result_numpy
from ....autograd.arguments import array_of
from ....autograd.variable import Variable
from ..common import as_kind
from ..reduce.sums import mean, sum
from ..shape.join import broadcast

REDUCTIONS = ("none", "mean", "sum")


def legacy(size_average: Any, reduce: Any, reduction: str) -> str:
    """Return the reduction, also from the two arguments that came before it; ValueError if there is no such one."""
    if size_average is not None or reduce is not None:
        every, mean = reduce is None or reduce, size_average is None or size_average
        reduction = "none" if not every else "mean" if mean else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def add_all(x: Any) -> Any:
    """Return the sum of all elements, a NumPy scalar; float16 is added up in float32."""
    if x.dtype.char == "e":
        return np.add.reduce(x, None, np.float32).astype(x.dtype)
    return np.add.reduce(x, None)


def reduced(x: Any, reduction: str) -> Any:
    """Return array ``x`` as it is, its mean, or its sum."""
    if reduction == "none":
        return x
    if x.dtype.char == "e":
        return reduced(np.asarray(x, np.float32), reduction).astype(x.dtype)
    total = np.add.reduce(x, None)
    return total if reduction == "sum" else total / x.dtype.type(x.size)


def each(g: Any, reduction: str, shape: tuple[int, ...]) -> Any:
    """Return the gradient of each element of ``shape`` before ``reduction``, or one number that all of them have."""
    return g / prod(shape) if reduction == "mean" and shape else g


def no_gradient(function: str, **given: Any) -> None:
    """Raise RuntimeError if an argument that has no gradient asks for one."""
    for name, x in given.items():
        if isinstance(x, Variable) and x.node is not None:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot "
                "have requires_grad True."
            )


def warn_shapes(x: Any, t: Any, stacklevel: int = 4) -> None:
    """Warn that ``input`` and ``target`` broadcast, which is mostly a mistake."""
    warnings.warn(
        f"Using a target size (torch.Size({list(t.shape)})) that is different to the input size "
        f"(torch.Size({list(x.shape)})). This will likely lead to incorrect results due to broadcasting. Please ensure "
        "they have the same size.",
        stacklevel=stacklevel,
    )


def pair(name: str, kernel: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Return ``input`` and ``target`` in their common shape, with a warning, and in their common float dtype."""
    x, t = array_of(input, name), array_of(target, name, "target", 2)
    if x.shape != t.shape:
        warn_shapes(x, t, 5)
        input, target = broadcast(input, target)
        x, t = array_of(input, name), array_of(target, name, "target", 2)  # now of one rank, which decides the dtype
    kind = x.dtype if x.dtype == t.dtype else result_numpy(x, t)
    if kind.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype_of(kind).legacy}'")
    return as_kind(input, kind), as_kind(target, kind)


def finished(losses: Any, reduction: str) -> Any:
    """Return the losses of elements, their mean, or their sum."""
    return losses if reduction == "none" else mean(losses) if reduction == "mean" else sum(losses)
