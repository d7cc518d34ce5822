"""``torch.autograd.Variable``: what gave tensors a gradient before tensors had one themselves."""

from __future__ import annotations

from typing import Any
from warnings import warn

import numpy as np

from ..arrays.dtypes import default_numpy
from . import variable
from .variable import as_ndarray, ensure_version, wrap


class VariableMeta(type):
    """Answers ``isinstance(x, Variable)`` with whether ``x`` is a tensor."""

    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, variable.Variable)


class Variable(metaclass=VariableMeta):
    """``Variable(data, requires_grad=False)`` is a tensor on the memory of ``data``, and every tensor is a Variable.

    Without ``data`` the tensor is empty. TypeError unless ``data`` is a tensor. New code writes
    ``data.detach().requires_grad_()``.

    https://pytorch.org/docs/stable/autograd.html#variable-deprecated

    >>> import rushlight as torch
    >>> torch.autograd.Variable(torch.tensor([1.0, 2.0]), requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        """Return the tensor."""
        if volatile is not None:
            warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                UserWarning,
                stacklevel=2,
            )
        if data is None:
            made = wrap(variable.Variable.result, np.empty(0, default_numpy()))
        elif isinstance(data, variable.Variable):
            made = wrap(variable.Variable.result, as_ndarray(data), None, ensure_version(data))
        else:
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return made.requires_grad_(requires_grad)
