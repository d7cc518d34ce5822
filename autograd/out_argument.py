"""``out=``: a result is written into a tensor that exists, after checks of overlap, dtype and shape."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any
from warnings import warn

import numpy as np

from ..arrays.dtypes import dtype_of
from .node import Node
from .recording import inference_version, is_grad_enabled, recording
from .tangents import carries_only, moving
from .variable import Variable, as_ndarray, bump_version, set_array
from .version import INFERENCE

_KIND = {"b": 0, "u": 1, "i": 1, "f": 2}


def assert_no_internal_overlap(array: Any, name: str) -> None:
    """Raise RuntimeError if writing one element of ``array`` would write several."""
    if (
        0 in array.strides
        and array.size
        and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True))
    ):
        raise RuntimeError(
            f"{name}: unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


def check_overlap(x: Variable, other: Variable) -> None:
    """Raise RuntimeError if ``other`` is read from a part of the memory of ``x`` while ``x`` is written.

    As in PyTorch: not if both are the same elements, and not where one of them has gaps.
    """
    a, b = x.array, other.array
    if type(a) is not np.ndarray or type(b) is not np.ndarray or not (_dense(a) and _dense(b)):
        return
    start, first = a.__array_interface__["data"][0], b.__array_interface__["data"][0]
    if (
        start < first + b.nbytes
        and first < start + a.nbytes
        and not (start == first and a.nbytes == b.nbytes and a.strides == b.strides)
    ):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )


def _dense(array: Any) -> bool:
    """Return whether the elements fill one piece of memory without gaps, each once."""
    if array.flags.c_contiguous:
        return True
    expected = array.itemsize
    for stride, n in sorted(zip(array.strides, array.shape, strict=True)):
        if n != 1 and stride != expected:
            return False
        expected *= n
    return True


def check_written(x: Variable, others: Iterable[Any]) -> None:
    """Raise RuntimeError if ``x`` may not be written now, or not from ``others``, tensors among them."""
    version = x.version
    if version is INFERENCE and inference_version.get() is not INFERENCE:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    if version is not None:  # tensors that share memory share a version
        for other in others:
            if isinstance(other, Variable) and other.version is version and other is not x:
                check_overlap(x, other)


def check_can_cast(name: str, result: np.dtype[Any], target: np.dtype[Any]) -> None:
    """Raise RuntimeError if a ``result`` of a higher kind would be written into ``target``."""
    if _KIND[result.kind] > _KIND[target.kind]:
        raise RuntimeError(
            f"{name}: result type {dtype_of(result).legacy} can't be cast to the desired output type "
            f"{dtype_of(target).legacy}"
        )


def write_out(name: str, result: Any, out: Any, reads: tuple[Any, ...] = ()) -> Any:
    """Write ``result`` (a tensor, or a named tuple of them) into ``out`` and return ``out``.

    ``reads`` are the tensors that it was computed from, where ``out`` must not overlap them.
    """
    if isinstance(result, tuple):
        if not isinstance(out, tuple | list) or len(out) != len(result):
            raise TypeError(f"{name}(): argument 'out' must be a tuple of {len(result)} Tensors")
        return tuple.__new__(type(result), [write_out(name, one, into) for one, into in zip(result, out, strict=True)])
    if not isinstance(out, Variable):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if recording.get() and (_matters(result.node) or _matters(out.node)):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    check_written(out, reads)
    check_can_cast(name, result.array.dtype, out.array.dtype)
    if out.array.shape != result.array.shape:
        _resize(name, out, result.array.shape)
    target = as_ndarray(out)
    assert_no_internal_overlap(target, name)
    target[...] = result.array
    bump_version(out, name)
    return out


def _matters(node: Any) -> bool:
    """Return whether a gradient or a tangent of this node would be lost."""
    return isinstance(node, Node) and (bool(moving(node)) or (is_grad_enabled() and not carries_only(node)))


def _resize(name: str, out: Variable, shape: tuple[int, ...]) -> None:
    if out.array.size:
        warn(
            f"An output with one or more elements was resized since it had shape {list(out.array.shape)}, which does "
            f"not match the required output shape {list(shape)} of {name}. Reset it with out.resize_(0) before.",
            UserWarning,
            stacklevel=4,
        )
    if out.view_of is not None:
        _resize_view(name, out, shape)
        return
    set_array(out, np.empty(shape, out.array.dtype))


def _resize_view(name: str, out: Variable, shape: tuple[int, ...]) -> None:
    """Let ``out``, a view, show ``shape`` from its first element on; RuntimeError if its memory ends before that."""
    array = as_ndarray(out)
    whole = array if array.base is None else array.base
    start = array.__array_interface__["data"][0]
    end = start + prod(shape) * array.itemsize
    if not isinstance(whole, np.ndarray) or not whole.flags.c_contiguous or end > whole.ctypes.data + whole.nbytes:
        raise RuntimeError(f"{name}(): out= is a view of another tensor and cannot be resized to {list(shape)}")
    flat = whole.reshape(-1).view(np.uint8)[start - whole.ctypes.data :][: prod(shape) * array.itemsize]
    set_array(out, flat.view(array.dtype).reshape(shape))
    out.view_of = None  # as ``resize_``: it shares the memory still, and no step leads to it from the base
