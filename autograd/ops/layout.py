"""Parts written into copies, memory seen with other strides, and tensors put together in patterns."""

from __future__ import annotations

from itertools import combinations as _combinations
from itertools import combinations_with_replacement
from math import prod
from typing import Any

import numpy as np

from ..dims import array_of, ints, norm_dim
from ..dtypes import Array, default_numpy, dtype_of
from ..node import Variable, wrap
from ..primitive import primitive
from .adapt import compatible, sum_to
from .join import cat
from .pad import constant_pad_nd
from .reduction import as_kind
from .scatter import index_select, place_rows
from .select import where
from .shape import clone, narrow, reshape

Ints = tuple[int, ...]


# ------------------------------------------------------------------ a part replaced


def _replaced(name: str, input: Any, src: Any, look: Any) -> Any:
    """Return ``input`` with what ``look`` sees of it replaced by ``src``, of the same shape."""
    x, y = array_of(input, name), array_of(src, name, "src", 2)
    places = look(np.arange(x.size).reshape(x.shape))
    if places.shape != y.shape:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the part of self, {list(places.shape)}, but got size "
            f"{list(y.shape)}"
        )
    mask = np.zeros(x.size, bool)
    mask[places.reshape(-1)] = True
    spread = place_rows(reshape(as_kind(src, x.dtype), (-1,)), (x.size,), 0, places.reshape(-1))
    return where(mask.reshape(x.shape), reshape(spread, x.shape), input)


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """Return ``input`` with the slice ``index`` of ``dim`` replaced by ``src``.

    https://pytorch.org/docs/stable/generated/torch.select_scatter.html
    """
    shape = array_of(input, "select_scatter").shape
    axis = norm_dim(dim, len(shape))
    if not shape or not -shape[axis] <= index < shape[axis]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    return _replaced("select_scatter", input, src, lambda x: np.take(x, index, axis))


def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """Return ``input`` with the slice ``start:end:step`` of ``dim`` replaced by ``src``.

    https://pytorch.org/docs/stable/generated/torch.slice_scatter.html
    """
    axis = norm_dim(dim, array_of(input, "slice_scatter").ndim)
    if step <= 0:
        raise RuntimeError(f"slice step must be positive, not {step}")
    return _replaced("slice_scatter", input, src, lambda x: x[(*(slice(None),) * axis, slice(start, end, step))])


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Return ``input`` with a diagonal replaced by ``src``.

    https://pytorch.org/docs/stable/generated/torch.diagonal_scatter.html
    """
    ndim = array_of(input, "diagonal_scatter").ndim
    first, second = norm_dim(dim1, ndim), norm_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _replaced("diagonal_scatter", input, src, lambda x: x.diagonal(offset, first, second))


def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """Return :func:`narrow` in memory of its own.

    https://pytorch.org/docs/stable/generated/torch.Tensor.narrow_copy.html
    """
    return clone(narrow(input, dim, start, length))


# ------------------------------------------------------------------ strides


def _places(size: Ints, stride: Ints, offset: int) -> Array:
    """Return which element of the memory each element of a strided tensor is."""
    total = np.full(size, offset, np.int64)
    for d, (n, step) in enumerate(zip(size, stride, strict=True)):
        total += (np.arange(n) * step).reshape(-1, *(1,) * (len(size) - 1 - d))
    return total


def _strided_back(g: Any, input_shape: Ints, size: Ints, stride: Ints, storage_offset: int) -> Any:
    places = _places(size, stride, storage_offset).reshape(-1)
    return reshape(place_rows(reshape(g, (-1,)), (prod(input_shape),), 0, places), input_shape)


@primitive(view=True, input=_strided_back, title="AsStridedBackward0")
def _as_strided(input: Array, size: Ints, stride: Ints, storage_offset: int) -> Array:
    """Return the memory of contiguous ``input`` seen with other sizes and strides: a view."""
    flat = input.reshape(-1)[storage_offset:]
    steps = tuple(step * input.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(flat, size, steps) if flat.size or 0 in size else np.empty(size, input.dtype)


def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """Return a view of the memory of ``input`` with other sizes and strides, counted in elements.

    Elements may be seen several times. RuntimeError where the view would reach beyond the memory, NotImplementedError
    unless ``input`` is contiguous. https://pytorch.org/docs/stable/generated/torch.as_strided.html

    >>> import rushlight as torch
    >>> torch.as_strided(torch.arange(4.0), (2, 2), (1, 1))
    tensor([[0., 1.],
            [1., 2.]])
    """
    x = array_of(input, "as_strided")
    sizes, strides = ints(size, "as_strided", "size"), ints(stride, "as_strided", "stride")
    if len(sizes) != len(strides):
        raise RuntimeError(f"mismatch in length of strides {list(strides)} and shape {list(sizes)}")
    if min((*sizes, *strides), default=0) < 0:
        raise RuntimeError(f"as_strided: sizes and strides must not be negative, but are {sizes} and {strides}")
    if not x.flags.c_contiguous:
        raise NotImplementedError(
            f"as_strided: tensors that are not contiguous (shape {list(x.shape)}) are not supported"
        )
    start = 0
    if storage_offset is not None:
        own = input.storage_offset() if hasattr(input, "storage_offset") else 0
        start = storage_offset - own
    last = start + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    if 0 not in sizes and (start < 0 or last >= x.size):
        raise RuntimeError(
            f"setStorage: sizes {list(sizes)}, strides {list(strides)}, storage offset {start} reach element {last} of "
            f"a tensor of {x.size} elements"
        )
    return _as_strided(input, sizes, strides, max(start, 0))


def sum_to_size(input: Any, *size: Any) -> Any:
    """Return ``input`` summed over the dims along which ``size`` would be broadcast to its shape.

    https://pytorch.org/docs/stable/generated/torch.Tensor.sum_to_size.html
    """
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    x = array_of(input, "sum_to_size")
    if not compatible(x.shape, shape):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(x.shape)}}}.")
    if shape and x.shape == shape:
        return reshape(input, shape)
    return sum_to(input if x.dtype.kind == "f" else as_kind(input, np.dtype(np.int64)), shape)


# ------------------------------------------------------------------ patterns


def block_diag(*tensors: Any) -> Any:
    """Return the matrices along the diagonal of a larger one, zeros around them; vectors count as rows.

    https://pytorch.org/docs/stable/generated/torch.block_diag.html
    """
    if not tensors:
        return wrap(Variable.result, np.zeros((1, 0), default_numpy()))
    shapes: list[Ints] = []
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


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """Return the combinations of ``r`` elements of a vector, one a row, in the order of itertools.

    https://pytorch.org/docs/stable/generated/torch.combinations.html
    """
    x = array_of(input, "combinations")
    if x.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input[:0]
    choose = combinations_with_replacement if with_replacement else _combinations
    rows = np.array(list(choose(range(len(x)), r)), np.int64).reshape(-1, r)
    return reshape(index_select(input, 0, rows.reshape(-1)), rows.shape)


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Return the coordinates, one tensor for each dim, of elements counted through an array of ``shape``.

    https://pytorch.org/docs/stable/generated/torch.unravel_index.html
    """
    index = array_of(indices, "unravel_index", "indices")
    if index.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {dtype_of(index.dtype)}")
    sizes = ints(shape, "unravel_index", "shape")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    if 0 in sizes:
        raise RuntimeError(f"unravel_index: there is no element in a tensor of shape {list(sizes)}")
    found, rest = [], index.astype(np.int64)
    for n in reversed(sizes):
        found.append(np.asarray(rest % n))
        rest = rest // n
    return tuple(wrap(type(indices), part) if isinstance(indices, Variable) else part for part in reversed(found))
