"""Predicates of dtypes and tensors: ``is_tensor``, ``is_floating_point`` and the like."""

from __future__ import annotations

from typing import Any

from ..arrays.dtypes import dtype, dtype_of, result_numpy
from ..autograd.variable import Variable, as_ndarray
from ..autograd.version import INFERENCE
from .doors import doors


def checked(name: str, input: Any) -> Any:
    """Return the tensor ``input``; TypeError in the name of ``name`` if it is none."""
    if isinstance(input, Variable):
        return input
    raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")


@doors("torch")
def is_tensor(obj: Any) -> bool:
    """Return whether ``obj`` is a tensor."""
    return isinstance(obj, Variable)


@doors("torch")
def is_storage(obj: Any) -> bool:
    """Return whether ``obj`` is a storage: never, there is no such class here."""
    return False


@doors("torch")
def is_floating_point(input: Any) -> bool:
    """Return whether the elements are floating-point numbers."""
    return bool(checked("is_floating_point", input).array.dtype.kind == "f")


@doors("torch")
def is_complex(input: Any) -> bool:
    """Return whether the elements are complex numbers: never, none are supported."""
    checked("is_complex", input)
    return False


@doors("torch")
def is_signed(input: Any) -> bool:
    """Return whether the elements may be negative."""
    return bool(checked("is_signed", input).array.dtype.kind in "fi")


@doors("torch Tensor")
def is_conj(input: Any) -> bool:
    """Return whether a conjugation is pending: never."""
    checked("is_conj", input)
    return False


@doors("torch Tensor")
def is_neg(input: Any) -> bool:
    """Return whether a negation is pending: never."""
    checked("is_neg", input)
    return False


@doors("torch")
def is_inference(input: Any) -> bool:
    """Return whether the tensor was made in inference mode."""
    return checked("is_inference", input).version is INFERENCE


@doors("torch Tensor")
def is_nonzero(input: Any) -> bool:
    """Return whether the only element is not zero; RuntimeError unless there is exactly one."""
    return bool(checked("is_nonzero", input))


@doors("torch Tensor")
def is_same_size(input: Any, other: Any) -> bool:
    """Return whether two tensors have the same shape."""
    return bool(checked("is_same_size", input).array.shape == checked("is_same_size", other).array.shape)


@doors("Tensor")
def is_set_to(input: Any, tensor: Any) -> bool:
    """Return whether two tensors look at the same memory, with the same shape and strides.

    https://pytorch.org/docs/stable/generated/torch.Tensor.is_set_to.html
    """
    one, other = as_ndarray(checked("is_set_to", input)), as_ndarray(checked("is_set_to", tensor))
    layout = "data", "shape", "strides", "typestr"
    return one is other or all(one.__array_interface__[k] == other.__array_interface__[k] for k in layout)


@doors("torch")
def numel(input: Any) -> int:
    """Return the number of elements.

    https://pytorch.org/docs/stable/generated/torch.numel.html
    """
    return int(checked("numel", input).array.size)


@doors("torch")
def get_device(input: Any) -> int:
    """Return the number of the tensor's device: -1, the CPU has none."""
    checked("get_device", input)
    return -1


@doors("torch")
def typename(obj: Any) -> str:
    """Return the name of an object's type: ``torch.FloatTensor`` for a tensor of float32."""
    if isinstance(obj, Variable):
        return f"torch.{dtype_of(obj.array.dtype).legacy}Tensor"
    kind = obj if isinstance(obj, type) else type(obj)
    return kind.__name__ if kind.__module__ in ("builtins", "__builtin__") else f"{kind.__module__}.{kind.__qualname__}"


@doors("torch")
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
