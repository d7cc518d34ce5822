"""What losses share: the ``reduction`` at their end, operands of different shapes, refused gradients."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np

from ..dims import array_of
from ..dtypes import dtype_of, result_numpy
from ..node import Variable
from .adapt import convert
from .shape import expand

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


def as_kind(x: Any, kind: np.dtype[Any]) -> Any:
    """Return tensor ``x`` in NumPy's dtype ``kind``, itself if it is already."""
    return x if array_of(x, "to").dtype == kind else convert(x, kind)


def broadcast(*tensors: Any) -> list[Any]:
    """Return tensors in their common shape; RuntimeError that names the first dim where they disagree."""
    shapes = [array_of(x, "broadcast_tensors").shape for x in tensors]
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(_disagreement(shapes)) from None
    return [x if shape == common else expand(x, common) for x, shape in zip(tensors, shapes, strict=True)]


def _disagreement(shapes: list[tuple[int, ...]]) -> str:
    a, b = shapes[:2]
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
            return (
                f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at non-singleton "
                f"dimension {max(len(a), len(b)) - back}"
            )
    return f"shapes {[list(s) for s in shapes]} do not broadcast together"
