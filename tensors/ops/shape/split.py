"""A tensor cut into parts, all of them views. The parts of a recorded cut share one node."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....arrays.dims import ints, norm_dim
from ....arrays.dtypes import Array
from ....autograd.arguments import array_of
from ....autograd.errors import MULTI_OUTPUT_VIEW
from ....autograd.multi_output import OutputGrads, output_node
from ....autograd.node import Backward, Node
from ....autograd.recording import recording
from ....autograd.variable import Variable, as_ndarray, ensure_version, wrap
from ....autograd.view import attach, refresh_view
from ...doors import doors
from .join import cat, stack
from .views import clone, getitem

_ALL = slice(None)


def _present(g: OutputGrads, like: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Return the gradients of all parts, zeros for those of ``shapes`` that got none."""
    return [np.zeros(shape, like) if item is None else item for item, shape in zip(g.items, shapes, strict=True)]


def _join_parts(g: OutputGrads, saved: Any, node: Any) -> Any:
    dim, sizes, shape, kind = saved
    shapes = [(*shape[:dim], n, *shape[dim + 1 :]) for n in sizes]
    return cat(_present(g, kind, shapes), dim)


def _stack_parts(g: OutputGrads, saved: Any, node: Any) -> Any:
    dim, sizes, shape, kind = saved
    return stack(_present(g, kind, [(*shape[:dim], *shape[dim + 1 :])] * len(sizes)), dim)


_SPLIT = Backward("split", "SplitBackward0", _join_parts)
_SPLIT_SIZES = Backward("split_with_sizes", "SplitWithSizesBackward0", _join_parts)
_UNBIND = Backward("unbind", "UnbindBackward0", _stack_parts)


def _cut(input: Any, backward: Backward, dim: int, indices: list[Any], sizes: Sequence[int]) -> tuple[Any, ...]:
    """Return the view at each of ``indices`` of ``dim``, recorded as one step."""
    lead = (_ALL,) * dim
    if not isinstance(input, Variable):
        return tuple([input[(*lead, index, ...)] for index in indices])
    if input.view_of is not None:
        refresh_view(input)
    array, cls, version = as_ndarray(input), input.result, ensure_version(input)
    arrays = [array[(*lead, index, ...)] for index in indices]
    node = input.node
    mode = recording.get() if node is not None else False
    if not mode or not arrays:
        parts = [wrap(cls, part, None, version) for part in arrays]
    else:
        step = Node.record(backward, (node,), (dim, sizes, array.shape, array.dtype))
        kept, total = mode is True or not mode.node_made(step, tuple(arrays)), len(arrays)
        nodes = [output_node(step, n, total, part) if kept else None for n, part in enumerate(arrays)]
        parts = [wrap(cls, part, node, version) for part, node in zip(arrays, nodes, strict=True)]
    for part, index in zip(parts, indices, strict=True):
        attach(part, input, getitem, ((*lead, index),), MULTI_OUTPUT_VIEW)
    return tuple(parts)


def _slices(sizes: Sequence[int]) -> list[Any]:
    found, end = [], 0
    for n in sizes:
        found.append(slice(end, end + n))
        end += n
    return found


def _dims(input: Any, dim: int, name: str) -> tuple[int, int]:
    """Return ``dim`` counted from the front and its size; RuntimeError for a tensor without dims."""
    shape = array_of(input, name).shape
    if not shape:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    dim = norm_dim(dim, len(shape))
    return dim, shape[dim]


@doors("torch Tensor")
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Return the slices of ``input`` along ``dim``, without that dim: views.

    https://pytorch.org/docs/stable/generated/torch.unbind.html
    """
    shape = array_of(input, "unbind").shape
    if not shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = norm_dim(dim, len(shape))
    return _cut(input, _UNBIND, dim, list(range(shape[dim])), (1,) * shape[dim])


@doors("torch")
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Return parts of ``split_size_or_sections`` elements of ``dim`` each (the last may be smaller), or of these sizes.

    https://pytorch.org/docs/stable/generated/torch.split.html
    """
    if isinstance(split_size_or_sections, Variable) and not split_size_or_sections.array.ndim:
        split_size_or_sections = operator.index(split_size_or_sections.array)
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    dim, size = _dims(tensor, dim, "split")
    each = split_size_or_sections
    if each < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={each}")
    if each == 0 and size != 0:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
    sizes = [min(each, size - begin) for begin in range(0, size, each)] if size else [0]
    return _cut(tensor, _SPLIT, dim, _slices(sizes), sizes)


@doors("torch Tensor")
def split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """Return parts with ``split_sizes`` elements of ``dim``, which must add up to its size: views."""
    dim, size = _dims(input, dim, "split_with_sizes")
    sizes = ints(split_sizes, "split_with_sizes", "split_sizes")
    if min(sizes, default=0) < 0:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}"
        )
    if sum(sizes) != size:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension {dim}), "
            f"but got split_sizes={list(sizes)}"
        )
    return _cut(input, _SPLIT_SIZES, dim, _slices(sizes), sizes)


@doors("torch Tensor")
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Return ``chunks`` parts of equal size along ``dim``; the last may be smaller, and there may be fewer: views.

    https://pytorch.org/docs/stable/generated/torch.chunk.html
    """
    dim, size = _dims(input, dim, "chunk")
    chunks = operator.index(chunks)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    each = -(-size // chunks)
    if each == 0:
        return split_with_sizes(input, (0,) * chunks, dim)
    return split(input, each, dim)


def _one_of(name: str, *ways: Any) -> Any:
    """Return how to cut, which PyTorch also takes by the keyword ``indices`` or ``sections``; TypeError but for one."""
    given = [way for way in ways if way is not None]
    if len(given) != 1:
        raise TypeError(f"{name}() takes one of 'indices_or_sections', 'indices' and 'sections', but got {len(given)}")
    return given[0]


@doors("torch Tensor")
def tensor_split(
    input: Any,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Any = None,
    sections: Any = None,
    tensor_indices_or_sections: Any = None,
) -> tuple[Any, ...]:
    """Return parts that begin at the given indices of ``dim``, or a number of parts of nearly equal size: views.

    https://pytorch.org/docs/stable/generated/torch.tensor_split.html
    """
    dim, size = _dims(input, dim, "tensor_split")
    given = _one_of("tensor_split", indices_or_sections, indices, sections, tensor_indices_or_sections)
    if isinstance(given, Variable):
        if given.array.dtype != np.int64 or given.array.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor "
                f"of dtype long, but got {given.array.dtype} of shape {list(given.array.shape)}"
            )
        given = given.array.tolist()
    if isinstance(given, int):
        if given <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {given}")
        short, longer = divmod(size, given)
        slices = _slices([short + 1] * longer + [short] * (given - longer))
    else:
        ends = ints(given, "tensor_split", "indices")
        slices = [slice(a, b) for a, b in zip((0, *ends), (*ends, size), strict=True)]
        slices[-1] = slice(slices[-1].start, None)
    return tuple([getitem(input, (*(_ALL,) * dim, each, ...)) for each in slices])


def _sectioned(input: Any, given: Any, dim: int, least: int, name: str) -> tuple[Any, ...]:
    """Return the parts of ``input`` that ``name`` cuts along ``dim``; RuntimeError below ``least`` dims."""
    if isinstance(given, Variable) and not given.array.ndim:
        given = operator.index(given.array)
    shape = array_of(input, name).shape
    if len(shape) < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {len(shape)} "
            "dimensions!"
        )
    if isinstance(given, int) and (given <= 0 or shape[dim] % given):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {shape[dim]} is not "
            f"divisible by the split_size {given}!"
        )
    return tensor_split(input, given, dim)


@doors("torch Tensor")
def hsplit(
    input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Any, ...]:
    """Return parts of ``input`` along dim 1, or along dim 0 if it is the only one: views."""
    given = _one_of("hsplit", indices_or_sections, indices, sections)
    return _sectioned(input, given, 0 if array_of(input, "hsplit").ndim == 1 else 1, 1, "hsplit")


@doors("torch Tensor")
def vsplit(
    input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Any, ...]:
    """Return parts of ``input``, of at least two dims, along dim 0: views."""
    return _sectioned(input, _one_of("vsplit", indices_or_sections, indices, sections), 0, 2, "vsplit")


@doors("torch Tensor")
def dsplit(
    input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Any, ...]:
    """Return parts of ``input``, of at least three dims, along dim 2: views."""
    return _sectioned(input, _one_of("dsplit", indices_or_sections, indices, sections), 2, 3, "dsplit")


def rows(input: Array) -> Any:
    """Return an iterator over the slices of ``input`` along dim 0; TypeError for a tensor without dims."""
    if not array_of(input, "iter").shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(input, 0))


# ------------------------------------------------------------------ copies


def _copies(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([clone(part) for part in parts])


@doors("torch Tensor")
def unsafe_split(tensor: Any, split_size: int, dim: int = 0) -> tuple[Any, ...]:
    """Return :func:`split` as copies, each of which may be written; PyTorch's still share the memory."""
    return _copies(split(tensor, split_size, dim))


@doors("torch Tensor")
def unsafe_split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """Return :func:`split_with_sizes` as copies, each of which may be written."""
    return _copies(split_with_sizes(input, split_sizes, dim))


@doors("torch Tensor")
def unsafe_chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Return :func:`chunk` as copies, each of which may be written.

    https://pytorch.org/docs/stable/generated/torch.unsafe_chunk.html
    """
    return _copies(chunk(input, chunks, dim))
