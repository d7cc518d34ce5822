"""Methods that call a Python function for each element: ``apply_``, ``map_``, ``map2_``. Slow, and not recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays.dtypes import dtype_of
from ...autograd.gradient_edge import node_of
from ...autograd.inplace import write_array
from ...autograd.variable import Variable, as_ndarray
from ..doors import doors
from ..ops.shape.views import expand


def _written(self: Any, name: str, function: Callable[..., Any], others: dict[str, Any]) -> Any:
    """Write what ``function`` makes of each element, and of those of ``others``, into ``self``; return it."""
    for one in (self, *others.values()):
        if isinstance(one, Variable) and node_of(one) is not None:
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
            )
    array = as_ndarray(self)
    sources = [array]
    for position, (parameter, other) in enumerate(others.items(), start=1):
        if not isinstance(other, Variable):
            kind = type(other).__name__
            raise TypeError(f"{name}(): argument '{parameter}' (position {position}) must be Tensor, not {kind}")
        if other.array.dtype is not array.dtype:
            mine, its = (dtype_of(one.dtype).legacy for one in (array, other.array))
            raise TypeError(f"{name}: expected torch.{mine}Tensor for '{parameter}' (got torch.{its}Tensor)")
        sources.append(np.asarray(expand(other, array.shape).array))
    cast = {"f": float, "b": bool}.get(array.dtype.kind, int)
    lists = [source.reshape(-1).tolist() for source in sources]
    made = [cast(function(*each)) for each in zip(*lists, strict=True)]
    write_array(self, np.array(made, array.dtype).reshape(array.shape), name)
    return self


@doors("Tensor")
def apply_(self: Any, callable: Callable[[Any], Any]) -> Any:
    """Replace each element by ``callable(element)``, a Python number, and return the tensor.

    RuntimeError if a gradient is required. https://pytorch.org/docs/stable/generated/torch.Tensor.apply_.html

    >>> import rushlight as torch
    >>> torch.tensor([1.0, 2.0]).apply_(lambda v: v * v)
    tensor([1., 4.])
    """
    return _written(self, "apply_", callable, {})


@doors("Tensor")
def map_(self: Any, other: Any, callable: Callable[[Any, Any], Any]) -> Any:
    """Replace each element by ``callable(element, element of other)`` and return the tensor.

    ``other`` has the same dtype and broadcasts. https://pytorch.org/docs/stable/generated/torch.Tensor.map_.html
    """
    return _written(self, "map_", callable, {"other": other})


@doors("Tensor")
def map2_(self: Any, x: Any, y: Any, callable: Callable[[Any, Any, Any], Any]) -> Any:
    """Replace each element by ``callable(element, element of x, element of y)`` and return the tensor."""
    return _written(self, "map2_", callable, {"x": x, "y": y})
