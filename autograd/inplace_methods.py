"""In-place variants of ops, as methods of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .codegen.signature import InPlace
from .inplace import write_inplace


def inplace_variant(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """Return the method that computes ``function`` and writes the result into its first argument."""
    name = name or f"{function.__name__}_"

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return write_inplace(self, function, args, kwargs, name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place version of :func:`{function.__name__}`."
    method.__wrapped__ = InPlace(function)  # type: ignore[attr-defined]  # any function takes attributes
    return method


def inplace_cumulative(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return :func:`inplace_variant` of a running sum or product, whose ``dtype`` must be that of the tensor."""
    run = inplace_variant(function)

    def method(self: Any, dim: int, *, dtype: Any = None) -> Any:
        if dtype is not None and dtype is not self.dtype:
            raise RuntimeError(f"Bad in-place call: input tensor dtype {self.dtype}, output tensor dtype {dtype}")
        return run(self, dim)

    method.__name__ = method.__qualname__ = run.__name__
    method.__doc__ = run.__doc__
    return method
