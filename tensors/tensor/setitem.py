"""Writing into a tensor from outside: ``x[index] = value``, ``copy_``, ``fill_``, ``zero_``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays.dtypes import Array, dtype_of, wrapped
from ...autograd.arguments import as_number
from ...autograd.inplace import write_inplace
from ...autograd.out_argument import assert_no_internal_overlap, check_overlap, check_written
from ...autograd.primitive import primitive
from ...autograd.recording import recording
from ...autograd.variable import CONSTANT, Variable, as_ndarray, bump_version, wrap
from ...autograd.version import INFERENCE
from ...autograd.view import refresh_view
from ..doors import doors
from ..ops.common import zeros
from ..ops.index.advanced import assign, is_simple, is_whole, kept, parse, put_at, reworded, same_dtype
from ..ops.shape.views import getitem, reshape


def _emptied(g: Any) -> Any:
    return zeros(g)


@primitive(input=_emptied, src=lambda g: g, grad_fn_name="CopyBackwards")
def copy_into(input: Array, src: Any) -> Array:
    """Return ``src`` in the shape and dtype of ``input``."""
    return np.broadcast_to(src, input.shape).astype(input.dtype)


@primitive(
    input=_emptied,
    value=lambda g: g,
    grad_fn_name=lambda value: "FillBackward2" if value is CONSTANT else "FillBackward3",
)
def filled(input: Array, value: Any) -> Array:
    """Return ``value``, which has no dims, in the shape and dtype of ``input``."""
    return np.full(input.shape, value, input.dtype)


@primitive(input=_emptied, grad_fn_name="ZeroBackward0")
def zeroed(input: Array) -> Array:
    """Return zeros in the shape and dtype of ``input``."""
    return np.zeros(input.shape, input.dtype)


def _asks(x: Variable, value: Any) -> bool:
    """Return whether a write of ``value`` into ``x`` is recorded."""
    if not recording.get():
        return False
    base = x if x.view_of is None else x.view_of.base
    if x.node is not None or base.node is not None:
        return True
    if not isinstance(value, Variable):
        return False
    if value.view_of is not None:
        refresh_view(value)
    return value.node is not None


def _number(value: Any, kind: np.dtype[Any], name: str) -> Array:
    """Return a Python number as an array of dtype ``kind``; RuntimeError if an integer dtype cannot hold it."""
    if kind.kind == "f" or isinstance(value, bool):
        return np.asarray(value).astype(kind)
    if kind.kind == "b":
        return np.asarray(bool(value))
    limits = np.iinfo(kind)
    low = limits.min or -limits.max
    if not low <= value <= limits.max:
        raise RuntimeError(f"{name}: value {value} cannot be converted to type {dtype_of(kind)} without overflow")
    return wrapped(int(value), kind)


# ------------------------------------------------------------------ x[index] = value


def _given(value: Any, target: Array) -> tuple[Any, Array]:
    """Return what is to be written into ``target``, and its array; TypeError for anything but numbers and tensors."""
    if isinstance(value, Variable):
        return value, value.array
    if not isinstance(value, bool | int | float | np.generic):
        raise TypeError(f"can't assign a {type(value).__name__} to a torch.{dtype_of(target.dtype).legacy}Tensor")
    number = _number(value.item() if isinstance(value, np.generic) else value, target.dtype, "setitem")
    return number, number


def store_item(x: Any, index: Any, value: Any) -> None:
    """Write ``value``, a number or a tensor that broadcasts, into ``x[index]``; recorded if gradients are."""
    target = as_ndarray(x)
    check_written(x, ())
    if index is False:
        return
    if (
        type(value) is float
        and target.dtype.kind == "f"
        and is_simple(index)
        and not _asks(x, value)
        and 0 not in target.strides
    ):
        try:
            target[index] = value
        except IndexError:
            pass  # the slow way knows the words
        else:
            bump_version(x, "__setitem__")
            return
    value, source = _given(value, target)
    basic, arrays = parse(target, index)
    recorded = _asks(x, value)
    if arrays is not None:
        if source.ndim or not any(isinstance(each, np.ndarray) and each.dtype.kind == "b" for each in arrays):
            same_dtype("Index put", target, source)
        if isinstance(value, Variable):
            value, source = _trimmed(value, target, basic, arrays)
        if recorded:
            part = x if is_whole(basic) else getitem(x, basic)
            write_inplace(part, put_at, (value, kept(arrays, x, value), False), {}, "index_put_")
            return
        assign(target if is_whole(basic) else target[basic], arrays, source)
    else:
        part = target[basic if Ellipsis in basic else (*basic, ...)]
        if source.shape != part.shape and source.ndim:
            value, source = _fitted(value, part.shape)
        if recorded:
            whole = part.shape == target.shape and all(isinstance(each, slice) or each is Ellipsis for each in basic)
            part = x if whole else getitem(x, basic)
            write_inplace(part, copy_into if source.ndim else filled, (value,), {}, "copy_")
            return
        assert_no_internal_overlap(part, "copy_")
        _check_source(x, part, value)
        part[...] = source
    bump_version(x, "__setitem__")


def _check_source(x: Variable, part: Array, value: Any) -> None:
    """Raise RuntimeError if ``value`` lies partly in ``part``, the memory of ``x`` that it is written into."""
    if isinstance(value, Variable) and value.version is not None and value.version is x.version:
        check_overlap(wrap(type(x), part), value)


def _trimmed(value: Any, target: Array, basic: Any, arrays: Any) -> tuple[Any, Any]:
    """Return ``value`` without leading dims of size 1 that the place has not."""
    shape = value.array.shape
    if not shape or shape[0] != 1:
        return value, value.array
    try:
        ndim = (target if is_whole(basic) else target[basic])[arrays].ndim
    except IndexError as error:
        raise reworded(error) from None
    return _shorter(value, ndim)


def _shorter(value: Any, ndim: int) -> tuple[Any, Any]:
    shape = value.array.shape
    while len(shape) > ndim and shape[0] == 1:
        shape = shape[1:]
    if len(shape) != value.array.ndim:
        value = reshape(value, shape)
    return value, value.array


def _fitted(value: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return ``value`` as it broadcasts to ``shape``; RuntimeError that names the sizes that differ."""
    value, source = _shorter(value, len(shape))
    lead = len(shape) - source.ndim
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{dtype_of(source.dtype).legacy}Tensor{{{list(source.shape)}}}, size={list(shape)}): the "
            f"number of sizes provided ({len(shape)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({source.ndim})"
        )
    for d, n in enumerate(source.shape):
        if n not in (1, shape[lead + d]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[lead + d]}) must match the existing size ({n}) at "
                f"non-singleton dimension {lead + d}.  Target sizes: {list(shape)}.  Tensor sizes: {list(source.shape)}"
            )
    return value, source


# ------------------------------------------------------------------ whole tensors


@doors("Tensor")
def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write the values of ``src``, broadcast and in the dtype of ``self``, into ``self`` and return it.

    https://pytorch.org/docs/stable/generated/torch.Tensor.copy_.html
    """
    if isinstance(src, bool | int | float):
        src = wrap(type(self), np.asarray(src, self.array.dtype))
    if not isinstance(src, Variable):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    _check_copy(self.array.shape, src.array.shape)
    if _asks(self, src):
        return write_inplace(self, copy_into, (src,), {}, "copy_")
    if self.version is not None:
        check_written(self, (src,))
    if src is not self:
        assert_no_internal_overlap(self.array, "copy_")
        as_ndarray(self)[...] = src.array
    bump_version(self, "copy_")
    return self


def _check_copy(shape: tuple[int, ...], given: tuple[int, ...]) -> None:
    lead = len(shape) - len(given)
    if lead < 0:
        raise RuntimeError(f"output with shape {list(shape)} doesn't match the broadcast shape {list(given)}")
    for d, n in enumerate(given):
        if n not in (1, shape[lead + d]):
            raise RuntimeError(
                f"The size of tensor a ({shape[lead + d]}) must match the size of tensor b ({n}) at non-singleton "
                f"dimension {lead + d}"
            )


@doors("torch Tensor")
def fill_(self: Any, value: Any) -> Any:
    """Write ``value``, a number or a tensor without dims, everywhere in ``self`` and return it.

    https://pytorch.org/docs/stable/generated/torch.Tensor.fill_.html
    """
    if isinstance(value, Variable):
        if value.array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.array.ndim} dimensions."
            )
        assert_no_internal_overlap(self.array, "fill_")
    elif isinstance(value, bool | int | float | np.generic):
        value = _number(value, self.array.dtype, "fill_")
    else:
        raise TypeError(f"fill_(): argument 'value' (position 1) must be Number, not {type(value).__name__}")
    if self.version is INFERENCE:
        check_written(self, ())
    if _asks(self, value):
        return write_inplace(self, filled, (value,), {}, "fill_")
    as_ndarray(self)[...] = value.array if isinstance(value, Variable) else value
    bump_version(self, "fill_")
    return self


@doors("torch Tensor")
def zero_(self: Any) -> Any:
    """Write zeros everywhere in ``self`` and return it.

    https://pytorch.org/docs/stable/generated/torch.Tensor.zero_.html
    """
    if self.version is INFERENCE:
        check_written(self, ())
    if _asks(self, None):
        return write_inplace(self, zeroed, (), {}, "zero_")
    as_ndarray(self).fill(0)
    bump_version(self, "zero_")
    return self


@doors("Tensor")
def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Write a number on the main diagonal of ``self`` and return it; ``wrap`` starts again below in a tall matrix.

    https://pytorch.org/docs/stable/generated/torch.Tensor.fill_diagonal_.html
    """
    fill_value = as_number("fill_diagonal_", "fill_value", fill_value)
    shape = self.array.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length, but got shape {list(shape)}")
    rows = np.arange(shape[0] if wrap and len(shape) == 2 else min(shape))
    columns = rows if len(shape) > 2 else rows % (shape[1] + 1 if wrap else max(shape[1], 1))
    rows, columns = rows[columns < shape[1]], columns[columns < shape[1]]
    store_item(self, (rows, columns) if len(shape) == 2 else (rows,) * len(shape), fill_value)
    return self
