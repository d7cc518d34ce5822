"""Tensors joined into one, repeated, or brought to common shapes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ....arrays.device import contiguous_format
from ....arrays.dims import ints, norm_dim
from ....arrays.dtypes import Array, cast, default_numpy, result_numpy
from ....arrays.size import size_of
from ....autograd.arguments import array_of
from ....autograd.broadcast import sum_to
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, wrap
from ...doors import doors
from .pad import constant_pad_nd
from .views import clone, expand, flatten, getitem, reshape, unsqueeze

_ALL = slice(None)


def listed(tensors: Any, name: str) -> list[Any]:
    """Return a sequence of tensors as a list; TypeError if it is a tensor or holds anything else."""
    if not isinstance(tensors, list | tuple):
        raise TypeError(f"{name}(): argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}")
    for place, one in enumerate(tensors):
        if not isinstance(one, Variable) and not isinstance(one, np.ndarray | np.generic):
            raise TypeError(
                f"expected Tensor as element {place} in argument 0 of {name}(), but got {type(one).__name__}"
            )
    return list(tensors)


def _in_one_dtype(arrays: Sequence[Array]) -> list[Array]:
    kind = arrays[0].dtype
    for one in arrays:
        if one.dtype is not kind:
            kind = result_numpy(*arrays)
            return [cast(a, kind) for a in arrays]
    return list(arrays)


# ------------------------------------------------------------------ cat and stack


def _cat_parts(g: Any, tensors_shape: list[tuple[int, ...]], dim: int) -> list[Any]:
    """Return the part of ``g`` that belongs to each tensor; an empty one of another rank gets an empty one."""
    lead = (_ALL,) * norm_dim(dim, g.ndim)
    sizes = [0 if shape == (0,) else shape[len(lead)] for shape in tensors_shape]
    ends = list(accumulate(sizes))
    return [
        getitem(g, (*lead, slice(end - size, end))) if len(shape) == g.ndim else getitem(reshape(g, (-1,)), (_NONE,))
        for shape, size, end in zip(tensors_shape, sizes, ends, strict=True)
    ]


_NONE = slice(0, 0)


@primitive(tensors=_cat_parts, many="tensors", grad_fn_name="CatBackward0")
def _cat(tensors: Any, dim: int = 0) -> Array:
    """Return the arrays one after the other along ``dim``, in their common dtype."""
    ndim, kind = tensors[0].ndim, tensors[0].dtype
    for one in tensors:
        if one.ndim != ndim or one.dtype is not kind or not ndim:
            return _cat_mixed(tensors, dim)
    place = norm_dim(dim, ndim)
    try:
        out: Array = np.concatenate(tensors, place)
    except ValueError:
        return _cat_mixed(tensors, dim)
    return out if out.flags.c_contiguous else np.ascontiguousarray(out)  # as in PyTorch


def _cat_mixed(tensors: Any, dim: int) -> Array:
    """Do as :func:`_cat` for arrays that differ in dtype or rank, or raise."""
    arrays = [a for a in _in_one_dtype(tensors) if a.shape != (0,)] or _in_one_dtype(tensors)
    first = arrays[0]
    for place, one in enumerate(tensors):
        if not one.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {place}) cannot be concatenated")
    dim = norm_dim(dim, first.ndim)
    for place, one in enumerate(tensors):
        if one.shape != (0,) or first.ndim == 1:
            _check_beside(first.shape, one.shape, dim, place)
    return np.ascontiguousarray(np.concatenate(arrays, dim))


def _check_beside(first: tuple[int, ...], shape: tuple[int, ...], dim: int, place: int) -> None:
    """Raise RuntimeError unless the shapes agree in all dims but ``dim``."""
    if len(shape) != len(first):
        raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
    for d, (n, m) in enumerate(zip(first, shape, strict=True)):
        if n != m and d != dim:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {n} but got size {m} for tensor "
                f"number {place} in the list."
            )


@doors("torch")
def cat(tensors: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Return ``tensors`` one after the other along ``dim``; their other sizes must agree.

    Dtypes are promoted. Empty tensors of shape ``(0,)`` are passed over.

    https://pytorch.org/docs/stable/generated/torch.cat.html
    """
    given = listed(tensors, "cat")
    if not given:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    joined: Any = _cat
    return joined(given, dim, out=out)


@doors("torch")
def concat(tensors: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Return ``tensors`` one after the other along ``dim``: another name of :func:`cat`."""
    return cat(tensors, dim, out=out)


@doors("torch")
def concatenate(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Any:
    """Return ``tensors`` one after the other along ``dim``: NumPy's name of :func:`cat`."""
    return cat(tensors, dim if axis is None else axis, out=out)


def _stack_parts(g: Any, tensors_shape: list[tuple[int, ...]], dim: int) -> list[Any]:
    lead = (_ALL,) * norm_dim(dim, g.ndim)
    return [getitem(g, (*lead, place)) for place in range(len(tensors_shape))]


@primitive(tensors=_stack_parts, many="tensors", grad_fn_name="StackBackward0")
def _stack(tensors: Any, dim: int = 0) -> Array:
    """Return the arrays side by side along a new ``dim``, in their common dtype."""
    shape = tensors[0].shape
    for place, one in enumerate(tensors):
        if one.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and {list(one.shape)} "
                f"at entry {place}"
            )
    dim = norm_dim(dim, len(shape) + 1)
    if not shape:
        return np.array(_in_one_dtype(tensors))
    lead = (_ALL,) * dim
    out: Array = np.concatenate([np.asarray(a)[(*lead, None)] for a in _in_one_dtype(tensors)], dim)
    return out if out.flags.c_contiguous else np.ascontiguousarray(out)


@doors("torch")
def stack(tensors: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Return ``tensors``, all of one shape, side by side along a new ``dim``.

    >>> import rushlight as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])

    https://pytorch.org/docs/stable/generated/torch.stack.html
    """
    given = listed(tensors, "stack")
    if not given:
        raise RuntimeError("stack expects a non-empty TensorList")
    joined: Any = _stack
    return joined(given, dim, out=out)


@doors("torch")
def hstack(tensors: Any, *, out: Any = None) -> Any:
    """Return ``tensors`` joined along dim 1, those of at most one dim along dim 0.

    https://pytorch.org/docs/stable/generated/torch.hstack.html
    """
    given = _at_least(1, tensors, "hstack")
    return cat(given, 0 if array_of(given[0], "hstack").ndim == 1 else 1, out=out)


@doors("torch torch.row_stack")
def vstack(tensors: Any, *, out: Any = None) -> Any:
    """Return ``tensors`` joined along dim 0; those of at most one dim become rows.

    https://pytorch.org/docs/stable/generated/torch.vstack.html
    """
    return cat(_at_least(2, tensors, "vstack"), 0, out=out)


@doors("torch")
def dstack(tensors: Any, *, out: Any = None) -> Any:
    """Return ``tensors`` joined along dim 2, which those of fewer dims get first.

    https://pytorch.org/docs/stable/generated/torch.dstack.html
    """
    return cat(_at_least(3, tensors, "dstack"), 2, out=out)


@doors("torch")
def column_stack(tensors: Any, *, out: Any = None) -> Any:
    """Return ``tensors`` joined along dim 1; those of at most one dim become columns."""
    given = [
        reshape(x, (-1, 1)) if array_of(x, "column_stack").ndim < 2 else x for x in listed(tensors, "column_stack")
    ]
    return hstack(given, out=out)


def _at_least(ndim: int, tensors: Any, name: str) -> list[Any]:
    given = listed(tensors, name)
    if not given:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return [_padded(x, ndim) for x in given]


# ------------------------------------------------------------------ more dims, common shapes


def _padded(x: Any, ndim: int) -> Any:
    """Return ``x`` with at least ``ndim`` (at most 3) dims, new ones where NumPy and PyTorch put them."""
    has = array_of(x, f"atleast_{ndim}d").ndim
    if has >= ndim:
        return x
    if has == 0:
        return reshape(x, (1,) * ndim)
    if has == 1:
        x = unsqueeze(x, 0)
    return unsqueeze(x, 2) if ndim == 3 else x


def _each_padded(tensors: tuple[Any, ...], ndim: int) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], tuple | list):
        return _padded(tensors[0], ndim)
    return tuple(_padded(x, ndim) for x in (tensors[0] if len(tensors) == 1 else tensors))


@doors("torch")
def atleast_1d(*tensors: Any) -> Any:
    """Return each of ``tensors`` with at least one dim.

    https://pytorch.org/docs/stable/generated/torch.atleast_1d.html
    """
    return _each_padded(tensors, 1)


@doors("torch")
def atleast_2d(*tensors: Any) -> Any:
    """Return each of ``tensors`` with at least two dims, new ones in front.

    https://pytorch.org/docs/stable/generated/torch.atleast_2d.html
    """
    return _each_padded(tensors, 2)


@doors("torch")
def atleast_3d(*tensors: Any) -> Any:
    """Return each of ``tensors`` with at least three dims; a matrix gets its new dim at the end.

    https://pytorch.org/docs/stable/generated/torch.atleast_3d.html
    """
    return _each_padded(tensors, 3)


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that ``shapes`` broadcast to; RuntimeError that names the first pair of sizes that differ."""
    found: tuple[int, ...] = ()
    for shape in shapes:
        if shape == found:
            continue
        ndim = max(len(found), len(shape))
        left, right = (1,) * (ndim - len(found)) + found, (1,) * (ndim - len(shape)) + shape
        for d in range(ndim - 1, -1, -1):
            if left[d] != right[d] and left[d] != 1 and right[d] != 1:
                raise RuntimeError(
                    f"The size of tensor a ({left[d]}) must match the size of tensor b ({right[d]}) at non-singleton "
                    f"dimension {d}"
                )
        found = tuple([m if n == 1 else n for n, m in zip(left, right, strict=True)])
    return found


@doors("torch")
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """Return the shape that ``shapes`` broadcast to.

    https://pytorch.org/docs/stable/generated/torch.broadcast_shapes.html
    """
    given = [ints(shape, "broadcast_shapes", "shapes") for shape in shapes]
    if any(n < 0 for shape in given for n in shape):
        raise ValueError("Attempting to broadcast a dimension with negative length!")
    return size_of(common_shape(*given))


@doors("torch")
def broadcast_tensors(*tensors: Any) -> list[Any]:
    """Return ``tensors`` expanded to the shape they broadcast to: views.

    https://pytorch.org/docs/stable/generated/torch.broadcast_tensors.html
    """
    given = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else list(tensors)
    shape = common_shape(*[array_of(x, "broadcast_tensors", "tensors").shape for x in given])
    return [expand(x, shape) for x in given]


@doors("torch")
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Return, for coordinates on several axes, the grids on which each axis is constant along the others: views.

    ``indexing="xy"`` swaps the first two dims of the grids.

    https://pytorch.org/docs/stable/generated/torch.meshgrid.html
    """
    given = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else list(tensors)
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    arrays = [array_of(x, "meshgrid", "tensors") for x in given]
    for x, a in zip(given, arrays, strict=True):
        if a.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x}")
        if a.dtype != arrays[0].dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    swaps = indexing == "xy" and len(given) > 1
    if swaps:
        given[:2] = given[1::-1]
    shape = tuple([array_of(x, "meshgrid").size for x in given])
    grids = [
        expand(reshape(x, tuple([-1 if d == place else 1 for d in range(len(shape))])), shape)
        for place, x in enumerate(given)
    ]
    if swaps:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@doors("torch")
def cartesian_prod(*tensors: Any) -> Any:
    """Return every combination of one element from each of ``tensors``, in rows.

    https://pytorch.org/docs/stable/generated/torch.cartesian_prod.html
    """
    given = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else list(tensors)
    for x in given:
        if array_of(x, "cartesian_prod", "tensors").ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(array_of(x, 'cartesian_prod').shape)}")
    if len(given) == 1:
        return given[0]
    return stack([flatten(grid) for grid in meshgrid(*given)], 1)


# ------------------------------------------------------------------ repeated


def _repeat_back(g: Any, input_shape: tuple[int, ...], repeats: Sequence[int]) -> Any:
    """Sum over the copies: each repeated dim is split into copies and elements."""
    shape = (1,) * (len(repeats) - len(input_shape)) + input_shape
    apart = tuple([n for pair in zip(repeats, shape, strict=True) for n in pair])
    kept = tuple([n for size in shape for n in (1, size)])
    return reshape(sum_to(reshape(g, apart), kept), input_shape)


@primitive(input=_repeat_back, doors="Tensor")
def repeat(input: Array, repeats: Sequence[int]) -> Array:
    """Return ``input`` repeated as often as ``repeats`` says for each dim, new dims in front: a copy.

    https://pytorch.org/docs/stable/generated/torch.Tensor.repeat.html
    """
    times = ints(repeats, "repeat", "repeats")
    if len(times) < input.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
            f"{len(times)} and {input.ndim}"
        )
    shape = (1,) * (len(times) - input.ndim) + input.shape
    if min(times, default=0) < 0:
        sizes = [n * m for n, m in zip(times, shape, strict=True)]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {sizes}")
    out: Array = np.tile(input, times)
    return out


@doors("torch Tensor")
def tile(input: Any, dims: Any) -> Any:
    """Return ``input`` repeated as often as ``dims`` says, which fewer dims than ``input`` has may leave out in front.

    https://pytorch.org/docs/stable/generated/torch.tile.html
    """
    times = ints(dims, "tile", "dims")
    return repeat(input, (1,) * (array_of(input, "tile").ndim - len(times)) + times)


def repeat_each(input: Any, repeats: int, dim: int | None) -> Any:
    """Return ``input`` with each element along ``dim`` (None: of all) ``repeats`` times in a row."""
    if repeats < 0:
        raise RuntimeError(f"Repeats must be non-negative, got {repeats}")
    if dim is None:
        input, dim = flatten(input), 0
    shape = array_of(input, "repeat_interleave").shape
    if not shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = norm_dim(dim, len(shape))
    wide = expand(unsqueeze(input, dim + 1), (*shape[: dim + 1], repeats, *shape[dim + 1 :]))
    copied = clone(wide, memory_format=contiguous_format)
    return reshape(copied, (*shape[:dim], shape[dim] * repeats, *shape[dim + 1 :]))


def broadcast(*tensors: Any) -> list[Any]:
    """Return tensors in their common shape; RuntimeError that names the first dim where they disagree."""
    shapes = [array_of(x, "broadcast_tensors").shape for x in tensors]
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(_disagreement(shapes)) from None
    return [x if shape == common else expand(x, common) for x, shape in zip(tensors, shapes, strict=True)]


def _disagreement(shapes: list[tuple[int, ...]]) -> str:
    a, b = shapes[:2]
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
            return (
                f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at non-singleton "
                f"dimension {max(len(a), len(b)) - back}"
            )
    return f"shapes {[list(s) for s in shapes]} do not broadcast together"


# ------------------------------------------------------------------ patterns


@doors("torch")
def block_diag(*tensors: Any) -> Any:
    """Return the matrices along the diagonal of a larger one, zeros around them; vectors count as rows.

    https://pytorch.org/docs/stable/generated/torch.block_diag.html
    """
    if not tensors:
        return wrap(Variable.result, np.zeros((1, 0), default_numpy()))
    shapes: list[tuple[int, ...]] = []
    for x in tensors:
        shape = array_of(x, "block_diag", "tensors").shape
        if len(shape) > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{len(shapes)} has {len(shape)} dimensions"
            )
        shapes.append((1,) * (2 - len(shape)) + shape)
    width, before, rows = sum(s[1] for s in shapes), 0, []
    for x, shape in zip(tensors, shapes, strict=True):
        rows.append(constant_pad_nd(reshape(x, shape), (before, width - before - shape[1]), 0))
        before += shape[1]
    return cat(rows, 0)
