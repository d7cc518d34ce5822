"""What can be asked about dtypes and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import bool_, dtype, dtype_of, get_default_dtype, result_numpy
from .node import Variable
from .version import INFERENCE


def _typed(name: str, given: Any) -> dtype:
    if isinstance(given, dtype):
        return given
    raise TypeError(f"{name}(): argument 'type' (position 1) must be torch.dtype, not {type(given).__name__}")


class finfo:
    """The limits of a floating-point dtype (the default one if none is given).

    https://pytorch.org/docs/stable/type_info.html

    >>> import rushlight as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtype | None = None) -> None:
        found = get_default_dtype() if type is None else _typed("finfo", type)
        if not found.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type, not {found}. Use torch.iinfo for it")
        limits = np.finfo(found.numpy)
        self.bits, self.dtype = int(limits.bits), found.name
        self.eps, self.min, self.max = float(limits.eps), float(limits.min), float(limits.max)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(str(limits.resolution))

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{n}={getattr(self, n):g}' for n in names)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("finfo", self.dtype))


class iinfo:
    """The limits of an integer dtype.

    https://pytorch.org/docs/stable/type_info.html

    >>> import rushlight as torch
    >>> torch.iinfo(torch.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: dtype) -> None:
        found = _typed("iinfo", type)
        if found.is_floating_point:
            raise TypeError(f"torch.iinfo() requires an integer input type, not {found}. Use torch.finfo for it")
        if found is bool_:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        limits = np.iinfo(found.numpy)
        self.bits, self.dtype, self.min, self.max = limits.bits, found.name, int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("iinfo", self.dtype))


def checked(name: str, input: Any) -> Any:
    """Return the tensor ``input``; TypeError in the name of ``name`` if it is none."""
    if isinstance(input, Variable):
        return input
    raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")


def is_tensor(obj: Any) -> bool:
    """Return whether ``obj`` is a tensor."""
    return isinstance(obj, Variable)


def is_storage(obj: Any) -> bool:
    """Return whether ``obj`` is a storage: never, there is no such class here."""
    return False


def is_floating_point(input: Any) -> bool:
    """Return whether the elements are floating-point numbers."""
    return bool(checked("is_floating_point", input).array.dtype.kind == "f")


def is_complex(input: Any) -> bool:
    """Return whether the elements are complex numbers: never, none are supported."""
    checked("is_complex", input)
    return False


def is_signed(input: Any) -> bool:
    """Return whether the elements may be negative."""
    return bool(checked("is_signed", input).array.dtype.kind in "fi")


def is_conj(input: Any) -> bool:
    """Return whether a conjugation is pending: never."""
    checked("is_conj", input)
    return False


def is_neg(input: Any) -> bool:
    """Return whether a negation is pending: never."""
    checked("is_neg", input)
    return False


def is_inference(input: Any) -> bool:
    """Return whether the tensor was made in inference mode."""
    return checked("is_inference", input).version is INFERENCE


def is_nonzero(input: Any) -> bool:
    """Return whether the only element is not zero; RuntimeError unless there is exactly one."""
    return bool(checked("is_nonzero", input))


def is_same_size(input: Any, other: Any) -> bool:
    """Return whether two tensors have the same shape."""
    return bool(checked("is_same_size", input).array.shape == checked("is_same_size", other).array.shape)


def numel(input: Any) -> int:
    """Return the number of elements.

    https://pytorch.org/docs/stable/generated/torch.numel.html
    """
    return int(checked("numel", input).array.size)


def get_device(input: Any) -> int:
    """Return the number of the tensor's device: -1, the CPU has none."""
    checked("get_device", input)
    return -1


def typename(obj: Any) -> str:
    """Return the name of an object's type: ``torch.FloatTensor`` for a tensor of float32."""
    if isinstance(obj, Variable):
        return f"torch.{dtype_of(obj.array.dtype).legacy}Tensor"
    kind = obj if isinstance(obj, type) else type(obj)
    return kind.__name__ if kind.__module__ in ("builtins", "__builtin__") else f"{kind.__module__}.{kind.__qualname__}"


def result_type(tensor: Any, other: Any) -> dtype:
    """Return the dtype in which two tensors, or a tensor and a number, meet.

    https://pytorch.org/docs/stable/generated/torch.result_type.html

    >>> import rushlight as torch
    >>> torch.result_type(torch.tensor([1, 2]), 1.5)
    torch.float32
    """
    for one in (tensor, other):
        if not isinstance(one, Variable | bool | int | float):
            raise TypeError(f"result_type(): arguments must be Tensors or Numbers, not {type(one).__name__}")
    return dtype_of(result_numpy(*[x.array if isinstance(x, Variable) else x for x in (tensor, other)]))
