"""A tensor's dealings with Python: numbers, text, copies and pickles."""

from __future__ import annotations

import sys
from copy import deepcopy
from typing import Any

import numpy as np

from ...arrays.dtypes import get_default_dtype
from ...arrays.formatting import tensor_repr
from ...autograd import gradient_edge
from ...autograd.recording import inference_version
from ...autograd.tangents import as_tensor, moving
from ...autograd.variable import Variable, as_ndarray, ensure_version, new_leaf, wrap
from ...autograd.version import INFERENCE, Version, new_version
from ..ops.shape.order import flip
from .attributes import Attributes

_ONE = "only one element tensors can be converted to Python scalars, not one of shape "


def rebuild(cls: Any, array: Any, requires_grad: bool) -> Any:
    """Return the tensor that was pickled."""
    made = wrap(cls, array.view(np.dtype(array.dtype.str)))  # NumPy unpickles dtypes that are equal but not the same
    if requires_grad:
        made.node = new_leaf(made)
    return made


def _copied(array: Any, memo: dict[Any, Any]) -> Any:
    """Return a copy of ``array`` for a deep copy with ``memo``: what shares memory before shares memory after."""
    if type(array) is not np.ndarray:
        return array.copy()
    whole = _owner(array)
    before = _bytes(whole)
    start = array.__array_interface__["data"][0] - before.__array_interface__["data"][0]
    if not array.size or start < 0 or start + _span(array) > before.size or not np.may_share_memory(before, whole):
        return np.array(array)  # the memory has gaps or is looked at backward: it is copied for this tensor alone
    known = memo.setdefault("memories", {})
    if id(whole) not in known:
        known[id(whole)] = whole, np.array(whole)  # the old one too, so that no other gets its id meanwhile
    copy = known[id(whole)][1]
    if array is whole and copy.strides == array.strides:
        return copy
    return np.ndarray(array.shape, array.dtype, _bytes(copy), start, array.strides)


def _owner(array: Any) -> Any:
    """Return the array that has the memory of ``array``, as far as arrays lead."""
    base = array.base
    while type(base) is np.ndarray or hasattr(base, "__array_interface__"):  # as_strided puts an object in between
        if type(base) is np.ndarray:
            array = base
        base = getattr(base, "base", None)
    return array


def _bytes(array: Any) -> Any:
    """Return the memory of a dense array as bytes, in the order in which it lies there; of another, a copy."""
    return array.ravel("K").view(np.uint8)


def _copied_version(version: Version | None, memo: dict[Any, Any]) -> Version | None:
    """Return a new version for a deep copy with ``memo``, one for all tensors that had this one."""
    if version is None or version is INFERENCE:
        return inference_version.get()
    known: dict[int, tuple[Version, Version]] = memo.setdefault("versions", {})
    return known.setdefault(id(version), (version, new_version()))[1]


def _span(array: Any) -> int:
    """Return how many bytes from its first element on ``array`` looks at; more than there are if it goes backward."""
    if min(array.strides, default=0) < 0:
        return sys.maxsize
    last = sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True))
    return int(last + array.itemsize)


class PythonProtocols(Attributes):
    """Python's own protocols: truth, length, iteration, pickling and the like."""

    __slots__ = ()

    # ------------------------------------------------------------------ as Python's values

    def item(self) -> Any:
        """Return the only element as a Python number; RuntimeError unless there is exactly one."""
        try:
            return self.array.item()
        except ValueError:
            raise RuntimeError(
                f"a Tensor with {self.array.size} elements cannot be converted to Scalar: its shape is "
                f"{list(self.array.shape)}"
            ) from None

    def tolist(self) -> Any:
        """Return the elements as nested lists, or as a number if there are no dims."""
        return self.array.tolist()

    def _only(self) -> Any:
        if self.array.size != 1:
            raise ValueError(f"{_ONE}{list(self.array.shape)}")
        return self.array.item()

    def __float__(self) -> Any:
        return float(self._only())

    def __int__(self) -> Any:
        return int(self._only())

    def __complex__(self) -> complex:
        return complex(self._only())

    def __index__(self) -> Any:
        if self.array.size != 1 or self.array.dtype.kind == "f":
            raise TypeError(
                "only integer tensors of a single element can be converted to an index, not one of "
                f"{self.dtype} and shape {list(self.array.shape)}"
            )
        return int(self.array.item())

    def __bool__(self) -> Any:
        array = self.array
        if array.size != 1:
            several = "more than one value" if array.size else "no values"
            raise RuntimeError(f"Boolean value of Tensor with {several} is ambiguous: its shape is {list(array.shape)}")
        return array.item() != 0

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __reversed__(self) -> Any:
        """Return the tensor with its first dim in reverse; without dims the tensor itself."""
        return flip(self, (0,)) if self.array.ndim else self

    def __contains__(self, element: Any) -> Any:
        if not isinstance(element, Variable | bool | int | float | np.generic):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
            )
        return bool(np.any(self.array == (element.array if isinstance(element, Variable) else element)))

    # ------------------------------------------------------------------ text

    def __repr__(self) -> str:
        node = gradient_edge.node_of(self)
        computed = node is not None and node.backward is not None
        plain = type(self) is Variable.result or self._prints_as_tensor
        return tensor_repr(
            np.asarray(self.array),
            dtype_name=repr(self.dtype),
            default_dtype_name=repr(get_default_dtype()),
            requires_grad=node is not None,
            grad_fn_name=self.grad_fn.name() if computed and self.grad_fn is not None else None,
            tangent=repr(as_tensor(next(iter(tangents))[0])) if (tangents := moving(self.node).values()) else None,
            prefix="tensor(" if plain else f"{type(self).__name__}(",
        )

    _prints_as_tensor = False  # whether a subclass opens its text with "tensor(" as well

    def __format__(self, spec: str) -> str:
        if not self.array.ndim and type(self) is Variable.result:
            return format(self.array.item(), spec)
        return object.__format__(self, spec)

    # ------------------------------------------------------------------ copies and pickles

    def __copy__(self) -> Any:
        """Return another leaf on the same memory."""
        made = wrap(type(self), as_ndarray(self), None, ensure_version(self))
        made.__dict__.update(self.__dict__)
        made.requires_grad = gradient_edge.node_of(self) is not None
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a copy with memory of its own, its gradient too; RuntimeError unless the tensor is a leaf."""
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                f"moment, not the result of {self.grad_fn.name() if self.grad_fn is not None else 'a step'}."
            )
        made = memo[id(self)] = wrap(type(self), _copied(self.array, memo), None, _copied_version(self.version, memo))
        made.__dict__.update(deepcopy(self.__dict__, memo))
        if self.requires_grad:
            made.requires_grad = True
        grad = self.grad
        if grad is not None:
            made.grad = deepcopy(grad.detach() if not grad.is_leaf else grad, memo)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what pickle keeps: class, values, whether a gradient is required, and what the user has set."""
        array = np.array(self.array)
        return rebuild, (type(self), array, self.requires_grad), dict(self.__dict__) or None

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
