"""Shape functions: the same elements in another shape or order of dims. Nearly all are views."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ....arrays.device import order_of
from ....arrays.dims import as_int, ints, norm_dim, norm_dims
from ....arrays.dtypes import Array, dtype, dtype_of
from ....autograd.arguments import array_of
from ....autograd.broadcast import broadcast_view, sum_to
from ....autograd.copy_slices import copied
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, as_ndarray, ensure_version, wrap
from ...doors import doors

_ALL = slice(None)


# ------------------------------------------------------------------ views by basic indices


def _title(index: tuple[Any, ...]) -> str:
    """Return PyTorch's name of the last of the steps that a basic index consists of."""
    last = "Alias"
    for each in index:
        if each is None:
            last = "Unsqueeze"
        elif isinstance(each, int):
            last = "Select"
        elif each is not Ellipsis and (each != _ALL or len(index) == 1):
            last = "Slice"
    return f"{last}Backward0"


@primitive(view=True, input=lambda g, input_shape, index: scatter_slice(g, input_shape, index), grad_fn_name=_title)
def getitem(input: Array, index: tuple[Any, ...]) -> Array:
    """Return ``input[index]`` for integers, slices, None and Ellipsis: a view."""
    out: Array = input[(*index, ...)] if Ellipsis not in index else input[index]
    return out


@primitive(g=lambda g, index: getitem(g, index))
def scatter_slice(g: Array, shape: tuple[int, ...], index: tuple[Any, ...]) -> Array:
    """Return zeros of ``shape`` with ``g`` at ``index``; the adjoint of ``getitem``."""
    out = np.zeros(shape, g.dtype)
    out[index] = g
    return out


@doors("torch Tensor")
def select(input: Any, dim: int, index: int) -> Any:
    """Return the slice ``index`` of ``dim``, which goes away: a view.

    https://pytorch.org/docs/stable/generated/torch.select.html
    """
    shape = array_of(input, "select").shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = norm_dim(dim, len(shape)), as_int(index, "index")
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    return getitem(input, (*(_ALL,) * dim, index))


@doors("torch Tensor")
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """Return ``length`` elements of ``dim`` from ``start`` on: a view.

    https://pytorch.org/docs/stable/generated/torch.narrow.html
    """
    shape = array_of(input, "narrow").shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim, first, length = norm_dim(dim, len(shape)), as_int(start, "start"), as_int(length, "length")
    size = shape[dim]
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, but got {length}.")
    if not -size <= first <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {first})")
    first += size if first < 0 else 0
    if first + length > size:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return getitem(input, (*(_ALL,) * dim, slice(first, first + length), ...))


# ------------------------------------------------------------------ reshape


def _as_before(g: Any, input_shape: tuple[int, ...]) -> Any:
    return reshape(g, input_shape)


@primitive(view=True, input=_as_before, grad_fn_name="ViewBackward0")
def _view(input: Array, shape: tuple[int, ...]) -> Array:
    """Return ``input`` in another ``shape``: a view."""
    try:
        return input.reshape(shape) if input.flags.c_contiguous else np.asarray(input).reshape(shape, copy=False)
    except ValueError:
        check_shape(shape, input.size)
        raise RuntimeError(
            f"view size {list(shape)} is not compatible with input tensor's size {list(input.shape)} and stride (at "
            "least one dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        ) from None


@primitive(input=_as_before)
def unsafe_view(input: Array, shape: tuple[int, ...]) -> Array:
    """Return ``input``, a copy that nobody else looks at, in another ``shape``."""
    return input.reshape(shape)


def check_shape(shape: tuple[int, ...], size: int) -> None:
    """Raise RuntimeError if ``size`` elements do not fit in ``shape``, which may hold one -1."""
    known = prod(n for n in shape if n >= 0)
    for place, n in enumerate(shape):
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n} at index {place} of shape {list(shape)}")
    if shape.count(-1) > 1:
        raise RuntimeError(f"only one dimension can be inferred, not {shape.count(-1)} of shape {list(shape)}")
    if -1 in shape and known == 0 and size == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if known != size and (-1 not in shape or known == 0 or size % known):
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")


def _sizes(shape: Any, size: int, name: str) -> tuple[int, ...]:
    """Return a shape as a tuple; negative sizes only where NumPy and PyTorch agree on them."""
    sizes = ints(shape, name, "shape")
    if sizes and min(sizes) < 0:
        check_shape(sizes, size)
    return sizes


@doors("Tensor")
def view(input: Any, *shape: Any) -> Any:
    """Return ``input`` in another shape, or its memory read as another dtype: always a view.

    ``shape`` may hold one -1, and is a tuple, separate numbers, or a ``dtype``. Raises RuntimeError if the layout of
    ``input`` in memory does not allow a view.

    https://pytorch.org/docs/stable/generated/torch.Tensor.view.html
    """
    wanted = shape[0] if len(shape) == 1 else shape
    if isinstance(wanted, dtype):
        return _view_dtype(input, wanted)
    return _view(input, _sizes(wanted, input.array.size, "view"))


def _view_dtype(input: Any, wanted: dtype) -> Any:
    """Return the memory of ``input`` as numbers of another dtype, which has no gradient."""
    array, new = as_ndarray(input), wanted.numpy
    if array.dtype == new:
        return getitem(input, (...,))
    if array.ndim == 0 and array.dtype.itemsize != new.itemsize:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {dtype_of(array.dtype)} as {wanted} (different element sizes)"
        )
    try:
        looked = array.view(new)
    except ValueError as error:
        raise RuntimeError(f"view(): cannot view {dtype_of(array.dtype)} as {wanted}: {error}") from None
    return wrap(type(input).result, looked, None, ensure_version(input))


@doors("torch Tensor")
def reshape(input: Any, shape: Any) -> Any:
    """Return ``input`` in another ``shape``, which may hold one -1: a view where the memory allows, else a copy.

    >>> import rushlight as torch
    >>> torch.reshape(torch.tensor([1, 2, 3, 4]), (2, -1)).shape
    torch.Size([2, 2])

    https://pytorch.org/docs/stable/generated/torch.reshape.html
    """
    array = input.array if isinstance(input, Variable) else array_of(input, "reshape")
    sizes = _sizes(shape, array.size, "reshape")
    if array.flags.c_contiguous or _can_view(array, sizes):
        return _view(input, sizes)
    check_shape(sizes, array.size)
    return unsafe_view(copied(input), sizes)


def _can_view(array: Array, shape: tuple[int, ...]) -> bool:
    try:
        array.reshape(shape, copy=False)
    except ValueError:
        return False
    return True


@doors("Tensor")
def reshape_as(input: Any, other: Any) -> Any:
    """Return ``input`` in the shape of ``other``: a view where the memory allows, else a copy."""
    return reshape(input, array_of(other, "reshape_as", "other", 2).shape)


@doors("Tensor")
def view_as(input: Any, other: Any) -> Any:
    """Return ``input`` in the shape of ``other``: a view."""
    return _view(input, array_of(other, "view_as", "other", 2).shape)


@doors("torch Tensor")
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Return ``input`` with the dims from ``start_dim`` to ``end_dim`` made one; itself if that changes nothing.

    https://pytorch.org/docs/stable/generated/torch.flatten.html
    """
    shape = array_of(input, "flatten").shape
    first, last = norm_dim(start_dim, len(shape)), norm_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, (1,))
    if first == last:
        return input
    return reshape(input, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))


@doors("torch Tensor")
def ravel(input: Any) -> Any:
    """Return ``input`` as one dim: a view where the memory allows, else a copy."""
    return reshape(input, (-1,)) if array_of(input, "ravel").flags.c_contiguous else reshape(contiguous(input), (-1,))


@doors("torch Tensor")
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Return ``input`` with ``dim`` made several dims of ``sizes``, of which one may be -1.

    https://pytorch.org/docs/stable/generated/torch.unflatten.html
    """
    shape = array_of(input, "unflatten").shape
    dim, sizes = norm_dim(dim, len(shape)), ints(sizes, "unflatten", "sizes")
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if not shape:
        raise RuntimeError(f"unflatten: dim {dim} cannot be unflattened, the input tensor has no dims")
    try:
        check_shape(sizes, shape[dim])
    except RuntimeError as error:
        if "invalid for input" not in str(error):
            raise
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the "
            "input tensor"
        ) from None
    if -1 in sizes:
        sizes = tuple(n if n >= 0 else shape[dim] // prod(m for m in sizes if m >= 0) for n in sizes)
    return _view(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


# ------------------------------------------------------------------ dims of size 1, and broadcasting


@primitive(view=True, input=_as_before, integers=("dim",), doors="torch Tensor Tensor_")
def unsqueeze(input: Array, dim: int) -> Array:
    """Return ``input`` with a dim of size 1 put in at ``dim``: a view.

    https://pytorch.org/docs/stable/generated/torch.unsqueeze.html
    """
    place = norm_dim(dim, input.ndim + 1)
    out: Array = np.asarray(input)[(*(_ALL,) * place, None, ...)]
    return out


@primitive(
    view=True,
    input=_as_before,
    grad_fn_name=lambda dim: f"SqueezeBackward{0 if dim is None else 1 if isinstance(dim, int) else 2}",
    doors="torch Tensor Tensor_",
)
def squeeze(input: Array, dim: int | Sequence[int] | None = None) -> Array:
    """Return ``input`` without its dims of size 1, or without those of ``dim`` that have size 1: a view.

    https://pytorch.org/docs/stable/generated/torch.squeeze.html
    """
    dims = () if dim == () else norm_dims(dim, input.ndim)
    return np.asarray(input).squeeze(tuple([d for d in dims if input.ndim and input.shape[d] == 1]))


@primitive(view=True, input=lambda g, input_shape: sum_to(g, input_shape), doors="Tensor")
def expand(input: Array, size: Sequence[int]) -> Array:
    """Return ``input`` broadcast to ``size``, where -1 keeps a dim: a view in which elements share memory.

    https://pytorch.org/docs/stable/generated/torch.Tensor.expand.html
    """
    shape, wanted = input.shape, ints(size, "expand", "size")
    lead = len(wanted) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{dtype_of(input.dtype).legacy}Tensor{{{list(shape)}}}, size={list(wanted)}): the number of "
            f"sizes provided ({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(shape)})"
        )
    sizes = tuple([shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)])
    for i, n in enumerate(sizes):
        if n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
            )
        if i >= lead and shape[i - lead] not in (n, 1):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({shape[i - lead]}) at "
                f"non-singleton dimension {i}.  Target sizes: {list(sizes)}.  Tensor sizes: {list(shape)}"
            )
    return broadcast_view(input, sizes) if input.flags.c_contiguous else _expand_strided(input, sizes)


def _expand_strided(x: Array, shape: tuple[int, ...]) -> Array:
    """Return ``x`` broadcast to ``shape``; unlike ``np.broadcast_to`` it can be written where nothing is shared."""
    lead = len(shape) - x.ndim
    strides = [0 if n == 1 else s for n, s in zip(x.shape, x.strides, strict=True)]
    return np.lib.stride_tricks.as_strided(x, shape, (*(0,) * lead, *strides))


@doors("Tensor")
def expand_as(input: Any, other: Any) -> Any:
    """Return ``input`` broadcast to the shape of ``other``: a view."""
    return expand(input, array_of(other, "expand_as", "other", 2).shape)


@doors("torch Tensor")
def broadcast_to(input: Any, size: Any) -> Any:
    """Return ``input`` broadcast to ``size``: a view.

    https://pytorch.org/docs/stable/generated/torch.broadcast_to.html
    """
    return expand(input, size)


# ------------------------------------------------------------------ copies


@doors("torch Tensor")
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """Return a copy of ``input`` that gradients pass through.

    https://pytorch.org/docs/stable/generated/torch.clone.html
    """
    return copied(input, order_of(memory_format))


@doors("Tensor")
def contiguous(input: Any, memory_format: Any = None) -> Any:
    """Return ``input`` itself if its elements lie in memory in order, else a copy of which that is true."""
    order_of(memory_format)
    return input if array_of(input, "contiguous").flags.c_contiguous else copied(input)


@doors("torch Tensor")
def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """Return :func:`narrow` in memory of its own.

    https://pytorch.org/docs/stable/generated/torch.Tensor.narrow_copy.html
    """
    return clone(narrow(input, dim, start, length))
