"""Choosing and mixing: where, masked_fill, clamp, lerp, addcmul."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array, Number, as_int64, cast, dtype_of, number, result_numpy
from ....arrays.kernels import mask as masks
from ....autograd.arguments import as_number, numbers_first
from ....autograd.codegen.forward import UNSET
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ...doors import doors
from ..common import drop, finish_operator, floats_only, keep, no_bool, tensors_only, without_old

_TENSOR = Variable | np.ndarray | np.generic


def _kind(x: Any) -> np.dtype[Any]:
    kind: np.dtype[Any] = (x.array if isinstance(x, Variable) else x).dtype
    return kind


# ------------------------------------------------------------------ by a mask


@primitive(
    condition=None,
    input=lambda g, condition: keep(g, mask=condition),
    other=lambda g, condition: drop(g, mask=condition),
)
def _where(condition: Array, input: Array, other: Array) -> Any:
    """Return ``input`` where ``condition`` holds, else ``other``, in their common dtype."""
    if input.dtype is not other.dtype:
        kind = result_numpy(input, other)
        input, other = cast(input, kind), cast(other, kind)
    return masks.choose(condition, input, other)


@doors("torch")
def where(condition: Any, input: Any = UNSET, other: Any = UNSET, *, out: Any = None) -> Any:
    """Return ``input`` where ``condition`` holds, else ``other``, broadcast together; each a tensor or a number.

    With ``condition`` alone: a tuple with the indices of what is not zero, one tensor for each dim. What is not
    chosen gets a zero gradient, even where its own slope is infinite. RuntimeError if ``condition`` is not bool.

    https://pytorch.org/docs/stable/generated/torch.where.html

    >>> import rushlight as torch
    >>> x = torch.tensor([-1.0, 2.0])
    >>> torch.where(x > 0, x, 0)
    tensor([0., 2.])
    """
    tensors_only("where", condition=condition)
    kind = _kind(condition)
    if input is UNSET and other is UNSET:
        found = np.nonzero(np.atleast_1d(condition.array if isinstance(condition, Variable) else condition))
        return tuple([wrap(Variable.result, as_int64(each)) for each in found])
    if kind.kind != "b":
        if kind != np.uint8:
            raise RuntimeError(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {dtype_of(kind).legacy}"
            )
        condition = condition != 0
    return finish_operator("where", _where(condition, *_tensors("where", input, other)), None, out, input)


def _tensors(name: str, input: Any, other: Any) -> tuple[Any, Any]:
    """Return both as tensors or arrays, a number in the dtype that it gets beside the other operand."""
    arrays = [x.array if isinstance(x, Variable) else x for x in (input, other)]
    for parameter, x in zip(("input", "other"), arrays, strict=True):
        if not isinstance(x, np.ndarray | np.generic | int | float):
            raise TypeError(f"{name}(): argument {parameter!r} must be Tensor or number, not {type(x).__name__}")
    if all(isinstance(x, _TENSOR) for x in (input, other)):
        return input, other
    kind = result_numpy(*arrays)
    left, right = (x if isinstance(x, _TENSOR) else number(x, kind) for x in (input, other))
    return left, right


@primitive(input=lambda g, mask: drop(g, mask=mask), mask=None, grad_fn_name="MaskedFillBackward0")
def _fill_number(input: Array, mask: Array, value: Number) -> Any:
    """Return ``input`` with a number where ``mask`` holds."""
    return masks.choose(mask, _into(value, input.dtype), np.asarray(input, order="C"))


@primitive(
    input=lambda g, mask: drop(g, mask=mask),
    mask=None,
    value=lambda g, mask: keep(g, mask=mask),
    grad_fn_name="MaskedFillBackward1",
)
def _fill_tensor(input: Array, mask: Array, value: Any) -> Any:
    """Return ``input`` with a 0-d tensor's value where ``mask`` holds."""
    return masks.choose(mask, np.asarray(value).astype(input.dtype), np.asarray(input, order="C"))


_SAFE = 65504  # what every float dtype holds


def _into(value: Number, kind: np.dtype[Any]) -> Any:
    """Return a number in dtype ``kind``, as it is stored there; RuntimeError if it does not fit."""
    if kind.kind == "f":
        made = number(float(value), kind)
        if not -_SAFE <= value <= _SAFE and np.isinf(made) and not np.isinf(value):
            raise RuntimeError(f"value cannot be converted to type {dtype_of(kind)} without overflow: {value}")
        return made
    if kind.kind in "iu":
        if not -(2.0**64) < value < 2.0**64:
            raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow: {value}")
        value, info = int(value), np.iinfo(kind)
        if not (info.min if kind.kind == "i" else -info.max) <= value <= info.max:
            raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow: {value}")
    return number(value, kind)


@doors("torch Tensor Tensor_")
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """Return ``input`` with ``value``, a number or a 0-d tensor, where the bool ``mask`` holds, broadcast together.

    https://pytorch.org/docs/stable/generated/torch.Tensor.masked_fill.html

    >>> import rushlight as torch
    >>> torch.masked_fill(torch.tensor([1.0, 2.0]), torch.tensor([True, False]), -1)
    tensor([-1.,  2.])
    """
    tensors_only("masked_fill", input=input, mask=mask)
    if _kind(mask).kind != "b":
        raise RuntimeError(f"masked_fill only supports boolean masks, but got mask with dtype {dtype_of(_kind(mask))}")
    if not isinstance(value, _TENSOR):
        return _fill_number(input, mask, as_number("masked_fill", "value", value))
    ndim = (value.array if isinstance(value, Variable) else value).ndim
    if ndim:
        raise RuntimeError(
            f"masked_fill only supports a 0-dimensional value tensor, but got tensor with {ndim} dimension(s)."
        )
    return _fill_tensor(input, mask, value)


# ------------------------------------------------------------------ between bounds


def _bound(value: Number, kind: np.dtype[Any]) -> Any:
    return masks.ZERO[kind] if kind.kind == "f" and not value else _into(value, kind)


def _between(input: Array, low: Any, high: Any) -> Any:
    """Return ``input`` clamped between two numbers of its dtype; None is no bound."""
    if low is None:
        return np.minimum(input, high)
    if high is None:
        return np.maximum(input, low)
    return input.clip(low, high)  # one call where np.minimum and np.maximum are two: benchmarks/claims.py


def _clamped(input: Array, low: Number | None, high: Number | None) -> Any:
    kind = input.dtype
    if kind.kind != "f":
        kind = result_numpy(input, *[bound for bound in (low, high) if bound is not None])
        if kind.kind == "b":
            no_bool(f"clamp_{'max' if low is None else 'min'}_scalar_cpu", input)
        input = cast(input, kind)
    return _between(
        input, None if low is None else _bound(low, kind), None if high is None else _bound(high, kind)
    )  # fmt: skip


@primitive(grad=lambda g, input, min, max: _clamp_grad(g, input, min, max), input=None)
def _clamp_grad(grad: Array, input: Array, min: Number | None, max: Number | None) -> Array:
    """Return ``grad`` where ``input`` is within the bounds or at one, else 0."""
    kind = input.dtype
    if min is None or max is None:
        inside = input <= _bound(max, kind) if max is not None else input >= _bound(min or 0, kind)
    else:
        inside = (input >= _bound(min, kind)) & (input <= _bound(max, kind))
    return masks.keep(grad, inside)


@primitive(
    input=lambda g, input, min, max: _clamp_grad(g, input, min, max),
    promote="same",
    grad_fn_name="ClampBackward1",
)
def _clamp(input: Array, min: Number | None, max: Number | None) -> Any:
    """Return ``input`` clamped between two numbers; None is no bound."""
    return _clamped(input, min, max)


@primitive(
    input=lambda g, input, min: _clamp_grad(g, input, min, None), promote="same", grad_fn_name="ClampMinBackward0"
)
def _clamp_min(input: Array, min: Number) -> Any:
    """Return the maximum of ``input`` and a number."""
    return _clamped(input, min, None)


@primitive(
    input=lambda g, input, max: _clamp_grad(g, input, None, max), promote="same", grad_fn_name="ClampMaxBackward0"
)
def _clamp_max(input: Array, max: Number) -> Any:
    """Return the minimum of ``input`` and a number."""
    return _clamped(input, None, max)


def _within(g: Any, input: Any, min: Any, max: Any) -> Any:
    if min is None or max is None:
        return keep(g, input <= max if min is None else input >= min)
    return keep(g, (input >= min) & (input <= max))


@primitive(
    input=_within,
    min=lambda g, input, min, max: keep(g, input < min if max is None else (input < min) & (min < max)),
    max=lambda g, input, min, max: keep(g, input > max if min is None else (input > max) | (max < min)),
    promote="same",
    grad_fn_name="ClampBackward0",
)
def _clamp_tensors(input: Array, min: Any = None, max: Any = None) -> Array:
    """Return ``input`` clamped between two tensors; None is no bound."""
    if min is not None:
        input = np.maximum(input, min)
    return input if max is None else np.minimum(input, max)


@doors("torch Tensor Tensor_ torch_ torch.clip torch.clip_ Tensor.clip Tensor.clip_")
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """Return ``input`` within ``min`` and ``max``, both numbers or both tensors; None is no bound.

    If ``min > max`` the result is ``max``. Its gradient at a bound is 1. RuntimeError without any bound.

    https://pytorch.org/docs/stable/generated/torch.clamp.html

    >>> import rushlight as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Variable | np.ndarray) or isinstance(max, Variable | np.ndarray):
        if isinstance(min, int | float) or isinstance(max, int | float):
            for name, bound in (("min", min), ("max", max)):
                if np.ndim(bound.array if isinstance(bound, Variable) else bound):
                    raise TypeError(f"clamp(): argument {name!r} must be a number or have no dims, as the other bound")
            min, max = as_number("clamp", "min", min), as_number("clamp", "max", max)
            return finish_operator("clamp", _clamp(input, min, max), None, out, input)
        return finish_operator("clamp", _clamp_tensors(input, min, max), None, out, input)
    return finish_operator(
        "clamp", _clamp(input, _numeric("clamp", "min", min), _numeric("clamp", "max", max)), None, out
    )


def _numeric(name: str, parameter: str, value: Any) -> Any:
    """Return a bound that is a number or None; TypeError otherwise."""
    return None if value is None else as_number(name, parameter, value)


@doors("torch Tensor Tensor_ torch_")
def clamp_min(input: Any, min: Any, *, out: Any = None) -> Any:
    """Return ``input``, but nowhere less than ``min``, a number or a tensor."""
    if isinstance(min, Variable | np.ndarray):
        return finish_operator("clamp_min", _clamp_tensors(input, min), None, out, input)
    return finish_operator("clamp_min", _clamp_min(input, _numeric("clamp_min", "min", min)), None, out, input)


@doors("torch Tensor Tensor_ torch_")
def clamp_max(input: Any, max: Any, *, out: Any = None) -> Any:
    """Return ``input``, but nowhere more than ``max``, a number or a tensor."""
    if isinstance(max, Variable | np.ndarray):
        return finish_operator("clamp_max", _clamp_tensors(input, None, max), None, out, input)
    return finish_operator("clamp_max", _clamp_max(input, _numeric("clamp_max", "max", max)), None, out, input)


clip = clamp

# ------------------------------------------------------------------ mixed


@primitive(
    input=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    promote="same",
    grad_fn_name="LerpBackward0",
)
def _lerp_number(input: Array, end: Array, weight: Number) -> Any:
    """Return the point between ``input`` and ``end`` at a number."""
    floats_only("lerp_kernel_scalar", input)
    return _mix(input, end, number(float(weight), input.dtype))


@primitive(
    input=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
    promote="same",
    grad_fn_name="LerpBackward1",
)
def _lerp(input: Array, end: Array, weight: Array) -> Any:
    """Return the point between ``input`` and ``end`` at each ``weight``."""
    floats_only("lerp_kernel_tensor", input)
    return _mix(input, end, weight)


def _mix(input: Array, end: Array, weight: Any) -> Any:
    """Return ``input + weight * (end - input)``, computed from the nearer end as PyTorch does."""
    gap = end - input
    near = input + weight * gap
    if weight.ndim == 0 and abs(weight) < 0.5:
        return near
    return np.where(np.less(np.abs(weight), 0.5), near, end - gap * (1 - weight))


@doors("torch Tensor Tensor_")
def lerp(input: Any, end: Any, weight: Any, *, out: Any = None) -> Any:
    """Return ``input + weight * (end - input)``, broadcast together; floats of one dtype only.

    https://pytorch.org/docs/stable/generated/torch.lerp.html
    """
    tensors_only("lerp", input=input, end=end)
    if isinstance(weight, np.float64):  # a kind of float, and an array scalar
        weight = float(weight)
    for name, x in (("end", end), ("weight", weight)):
        if isinstance(x, _TENSOR) and _kind(x) != _kind(input):
            raise RuntimeError(f"expected dtype {_kind(input)} for `{name}` but got dtype {_kind(x)}")
    op: Any = _lerp if isinstance(weight, _TENSOR) else _lerp_number
    return op(input, end, weight, out=out)


def _times(x: Array, value: Number) -> Array:
    """Return ``x * value``, the number in the dtype of ``x``."""
    if value == 1:
        return x
    return x * (number(float(value), x.dtype) if x.dtype.kind == "f" else _into(value, x.dtype))


@primitive(
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (tensor2 * value),
    tensor2=lambda g, tensor1, value: g * (tensor1 * value),
    promote="same",
)
def _addcmul(input: Array, tensor1: Array, tensor2: Array, value: Number) -> Any:
    """Return ``input + value * tensor1 * tensor2``."""
    no_bool("addcmul_cpu_out", input)
    return input + _times(tensor1, value) * tensor2


@doors("torch Tensor Tensor_")
@without_old
def addcmul(input: Any, tensor1: Any, tensor2: Any, *old: Any, value: Number = 1, out: Any = None) -> Any:
    """Return ``input + value * tensor1 * tensor2``, broadcast together.

    https://pytorch.org/docs/stable/generated/torch.addcmul.html
    """
    if old:
        return numbers_first(addcmul, "addcmul", ("value",), (input, tensor1, tensor2, *old), out)
    tensors_only("addcmul", input=input, tensor1=tensor1, tensor2=tensor2)
    return finish_operator(
        "addcmul", _addcmul(input, tensor1, tensor2, as_number("addcmul", "value", value)), None, out
    )


@primitive(
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: (g * value) / tensor2,
    tensor2=lambda g, tensor1, tensor2, value: (g * -value) / tensor2 * (tensor1 / tensor2),
    promote="same",
    grad_fn_name="AddcdivBackward0",
)
def _addcdiv(input: Array, tensor1: Array, tensor2: Array, value: Number) -> Array:
    """Return ``input + value * tensor1 / tensor2`` of floats."""
    return input + _times(tensor1, value) / tensor2


@doors("torch Tensor Tensor_")
@without_old
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *old: Any, value: Number = 1, out: Any = None) -> Any:
    """Return ``input + value * tensor1 / tensor2``, broadcast together; RuntimeError if both are integers.

    https://pytorch.org/docs/stable/generated/torch.addcdiv.html
    """
    if old:
        return numbers_first(addcdiv, "addcdiv", ("value",), (input, tensor1, tensor2, *old), out)
    tensors_only("addcdiv", input=input, tensor1=tensor1, tensor2=tensor2)
    if _kind(tensor1).kind != "f" and _kind(tensor2).kind != "f":
        raise RuntimeError("Integer division with addcdiv is no longer supported; convert tensor1 or tensor2 to float.")
    return finish_operator(
        "addcdiv", _addcdiv(input, tensor1, tensor2, as_number("addcdiv", "value", value)), None, out
    )
