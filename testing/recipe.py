"""How to reproduce what a check found: its call and its inputs, as code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays.dtypes import dtype_of
from ..autograd.variable import Variable, as_ndarray
from .subject import called, named

LONGEST = 200
"""Up to so many numbers of a tensor are written out."""


@dataclass
class Recipe:
    """The call of one check: ``torch.testing.check(function, *inputs, **options)``; inputs by name."""

    check: str
    function: str
    inputs: list[tuple[str, Any]]
    options: dict[str, Any] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return code that makes the call again."""
        names = [self.function, *(name for name, _ in self.inputs)]
        names += [f"{name}={value!r}" if name != "vjp" else "vjp=vjp" for name, value in self.options.items()]
        made = [f"{name} = {written(value)}" for name, value in self.inputs]
        return [*made, f"torch.testing.{self.check}({', '.join(names)})"]

    def __str__(self) -> str:
        return "\n".join(["  to reproduce:", *(f"    {line}" for line in self.lines())])


def recipe(check: str, fn: Callable[..., Any], inputs: tuple[Any, ...], seed: int, **options: Any) -> Recipe:
    """Return how ``check`` was called: ``options`` are those that are not as by default."""
    function = "model" if hasattr(fn, "named_parameters") else called(fn)
    shown = list(zip(named(fn, len(inputs)), inputs, strict=True))
    return Recipe(check, function, shown, {**options, "seed": seed})


def written(value: Any) -> str:
    """Return code that makes ``value``, numbers in full."""
    if isinstance(value, Variable):
        return _tensor(value)
    if isinstance(value, np.ndarray):
        return f"np.array({_numbers(value)}, np.{value.dtype})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return f"({', '.join(written(one) for one in value)}{',' if len(value) == 1 else ''})"
    return f"[{', '.join(written(one) for one in value)}]" if isinstance(value, list) else repr(value)


def _tensor(x: Any) -> str:
    """Return code for a tensor; one that is transposed in memory is so again."""
    array, asks = np.asarray(as_ndarray(x)), x.node is not None
    made = f"torch.tensor({_numbers(array)}, dtype={dtype_of(array.dtype)}"
    if array.ndim > 1 and array.size and array.flags.f_contiguous and not array.flags.c_contiguous:
        dims = ", ".join(map(str, reversed(range(array.ndim))))
        return f"{made}).permute({dims}).contiguous().permute({dims})" + ".requires_grad_()" * asks
    return made + ", requires_grad=True" * asks + ")"


def _numbers(array: np.ndarray[Any, Any]) -> str:
    if array.size > LONGEST:
        return f"<{array.size} numbers of shape {list(array.shape)}>"
    text = repr(array.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
    return text if array.size or array.ndim == 1 else f"np.zeros({array.shape})"
