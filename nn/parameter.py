"""Parameter and Buffer: the tensors that a module owns."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..autograd.device import require_cpu
from ..autograd.dtypes import as_numpy, default_numpy
from ..autograd.formatting import parameter_repr
from ..autograd.node import wrap
from ..autograd.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module trains: assigned as an attribute it is listed by ``Module.parameters()``.

    It shares the memory of ``data`` and is a leaf that requires a gradient, unless ``requires_grad=False``.
    What is computed from it is a plain tensor. RuntimeError if ``data`` is not floating and a gradient is asked for.

    https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html

    >>> import rushlight as torch
    >>> torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()
    _prints_as_tensor = True

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Self:
        """Return a parameter on the memory of ``data``, empty if that is None."""
        if data is None:
            made: Self = wrap(cls, np.empty(0, default_numpy()))
        else:
            source = data.detach()
            made = wrap(cls, source.array, None, source.version)
        return made.requires_grad_(requires_grad)

    def __init_subclass__(cls, **facts: Any) -> None:
        super().__init_subclass__(**facts)
        cls._prints_as_tensor = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        found: Self | None = memo.get(id(self))
        if found is None:  # unlike a tensor's copy, a parameter's comes without gradient
            found = memo[id(self)] = wrap(type(self), np.array(self.array))
            found.requires_grad_(self.requires_grad)
        return found

    def __repr__(self) -> str:
        return parameter_repr(super().__repr__(), subclass=type(self) is not Parameter)


class _IsBuffer(type):
    """Lets ``isinstance(x, Buffer)`` ask whether ``x`` was made as one; a buffer is a plain tensor otherwise."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_IsBuffer):
    """A tensor that a module keeps but does not train: assigned as an attribute it is registered as a buffer.

    The result is a plain tensor on the memory of ``data``, marked for registration; with ``persistent=False`` it is
    left out of ``state_dict``.

    https://pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
    """

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """Return a tensor on the memory of ``data``, empty if that is None, marked as a buffer."""
        made = wrap(Tensor, np.empty(0, default_numpy())) if data is None else data.detach()
        if data is not None and data.requires_grad:
            made.requires_grad_()
        made.persistent = persistent
        made._is_buffer = True
        return made


def empty_parameter(*shape: int, device: Any = None, dtype: Any = None) -> Parameter:
    """Return a parameter of ``shape`` whose values are still to be set."""
    return Parameter(empty(*shape, device=device, dtype=dtype))


def empty(*shape: int, device: Any = None, dtype: Any = None) -> Tensor:
    """Return a tensor of ``shape`` whose values are still to be set; RuntimeError for a device that is not the CPU."""
    if device is not None:
        require_cpu(device)
    made: Tensor = wrap(Tensor, np.empty(shape, default_numpy() if dtype is None else as_numpy(dtype)))
    return made
