"""Indexing by arrays, masks, slices and everything else that PyTorch takes between square brackets."""

from __future__ import annotations

from operator import index as whole
from typing import Any

import numpy as np

from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels.scatter_add import add_at
from ....autograd.primitive import primitive
from ....autograd.recording import recording
from ....autograd.variable import Variable
from ...doors import doors
from ..common import drop
from ..shape.views import getitem

_ALL = slice(None)
_ZERO = np.zeros(())
_KINDS = {"l": np.intp, "q": np.intp, "i": np.intp, "?": np.bool_, "B": np.bool_}

# ------------------------------------------------------------------ look-ups and their duals


@primitive(input=lambda g, input_shape, index: place_at(g, input_shape, index), grad_fn_name="IndexBackward0")
def look_up(input: Array, index: tuple[Any, ...]) -> Array:
    """Return ``input[index]``, a copy, for whole slices and either integer arrays or one mask."""
    try:
        out: Array = input[index]
    except IndexError as error:
        raise reworded(error) from None
    return np.ascontiguousarray(out) if out.ndim else out  # NumPy may give it transposed in memory, PyTorch does not


@primitive(g=lambda g, index: look_up(g, index), grad_fn_name="IndexPutBackward0")
def place_at(g: Array, shape: tuple[int, ...], index: tuple[Any, ...]) -> Array:
    """Return zeros of ``shape`` with ``g`` added in at ``index``; the adjoint of ``look_up``."""
    return add_at(g, shape, index)


def reworded(error: IndexError) -> IndexError:
    """Return an error of NumPy's with the message that PyTorch gives."""
    return IndexError(str(error).replace("for axis", "for dimension").replace("indexing arrays", "indexing tensors"))


# ------------------------------------------------------------------ what stands in the brackets


def fetch(input: Any, index: Any) -> Any:
    """Return ``input[index]``: a view for numbers, slices, None and Ellipsis, a copy for arrays, lists and masks.

    Integers and slices act first, dim by dim; arrays then look up in what is left, broadcast together. Where arrays
    stand apart, their dims come first.

    https://pytorch.org/docs/stable/tensor_view.html
    """
    if is_simple(index):
        try:
            return getitem(input, index if type(index) is tuple else (index,))
        except IndexError:
            pass  # parsing the index raises the same error in PyTorch's words
    basic, arrays = parse(input.array, index)
    if arrays is None:
        return getitem(input, basic)
    if not is_whole(basic):
        input = getitem(input, basic)
    return look_up(input, kept(arrays, input))


def is_simple(index: Any) -> bool:
    """Return whether ``index`` consists of ints, None, Ellipsis and slices of ints without steps, nothing else."""
    if type(index) is not tuple:
        return type(index) is int or (type(index) is slice and index.step is None and _plain(index))
    for each in index:
        kind = type(each)
        if kind is slice:
            if each.step is not None or not _plain(each):
                return False
        elif kind is not int and each is not None and each is not Ellipsis:
            return False
    return True


def _plain(index: slice) -> bool:
    """Return whether both bounds of a slice are ints or None."""
    start, stop = index.start, index.stop
    return (start is None or type(start) is int) and (stop is None or type(stop) is int)


def is_whole(basic: tuple[Any, ...]) -> bool:
    """Return whether a basic index selects all of an array and leaves its shape as it is."""
    return all(each is Ellipsis or (isinstance(each, slice) and each == _ALL) for each in basic)


def kept(arrays: tuple[Any, ...], *inputs: Any) -> tuple[Any, ...]:
    """Return index arrays as a recorded step may keep them: copies, as the caller might change the originals."""
    if recording.get() and any(isinstance(x, Variable) and x.node is not None for x in inputs):
        return tuple([each if isinstance(each, slice) else np.array(each) for each in arrays])
    return arrays


def as_items(index: Any) -> tuple[Any, ...]:
    """Return an index as a tuple. A short list that holds more than numbers counts as a tuple, as in PyTorch."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32:
        for each in index:
            if each is None or each is Ellipsis or isinstance(each, list | tuple | slice | np.ndarray | Variable):
                return tuple(index)
    return (index,)


class _Reader:
    """Splits an index into a basic index ``basic`` and an advanced one ``arrays``, which is applied to the result.

    ``dim`` is the dim that the next item reads, ``open`` the number of dims that an Ellipsis stands for.
    """

    def __init__(self, array: Array, items: list[Any]) -> None:
        self.shape = array.shape
        self.basic: list[Any] = []
        self.arrays: list[Any] = []
        self.dim = 0
        spans = [
            each.ndim if isinstance(each, np.ndarray) and each.dtype.kind == "b" else 1
            for each in items
            if each is not None and each is not Ellipsis and not isinstance(each, bool)
        ]
        self.open = len(self.shape) - sum(spans)
        if self.open < 0:
            self._too_many(items)
        for item in items:
            self._read(item)

    def _too_many(self, items: list[Any]) -> None:
        """Raise the IndexError of an index with more items than the array has dims."""
        if not self.shape and isinstance(items[0], int):
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a 0-dim tensor to a number"
            )
        if not self.shape and isinstance(items[0], slice):
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        raise IndexError(f"too many indices for tensor of dimension {len(self.shape)}")

    def _read(self, item: Any) -> None:
        """Add one item to both indices."""
        if item is Ellipsis:
            self.basic += [_ALL] * self.open
            self.arrays += [_ALL] * self.open
            self.dim += self.open
            self.open = 0
        elif item is None:
            self.basic.append(None)
            self.arrays.append(_ALL)
        elif isinstance(item, bool):
            self.basic.append(None)
            self.arrays.append(np.zeros(int(item), np.intp))
        elif isinstance(item, int):
            size = self.shape[self.dim]
            if not -size <= item < size:
                raise IndexError(f"index {item} is out of bounds for dimension {self.dim} with size {size}")
            self.basic.append(item)
            self.dim += 1
        elif isinstance(item, slice):
            self.basic.append(item)
            self.arrays.append(_ALL)
            self.dim += 1
        elif item.dtype.kind == "b":
            self._mask(item)
        else:
            self.basic.append(_ALL)
            self.arrays.append(item)
            self.dim += 1

    def _mask(self, mask: Array) -> None:
        """Add a mask, which reads as many dims as it has; IndexError unless their sizes agree."""
        for place, n in enumerate(mask.shape):
            if n != self.shape[self.dim + place]:
                raise IndexError(
                    f"The shape of the mask {list(mask.shape)} at index {place} does not match the shape of the "
                    f"indexed tensor {list(self.shape)} at index {self.dim + place}"
                )
        self.basic += [_ALL] * mask.ndim
        self.arrays.append(mask)
        self.dim += mask.ndim


def parse(array: Array, index: Any) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """Return the basic part of ``index``, and what then looks up in the result, or None.

    The second part holds whole slices and either integer arrays or a single mask.
    """
    if isinstance(index, Variable) and index.array.dtype.kind == "b" and index.array.shape == array.shape != ():
        return (), (index.array,)
    reader = _Reader(array, [_item(each) for each in as_items(index)])
    arrays = reader.arrays
    found = [each for each in arrays if not isinstance(each, slice)]
    if not found:
        return tuple(reader.basic) or (Ellipsis,), None
    if len(found) > 1 and any(each.dtype.kind == "b" for each in found):
        arrays = [one for each in arrays for one in _as_integers(each)]
    return tuple(reader.basic), tuple(arrays)


def _as_integers(each: Any) -> tuple[Any, ...]:
    """Return an index array as integer arrays: a mask gives one for each of its dims."""
    return each.nonzero() if isinstance(each, np.ndarray) and each.dtype.kind == "b" else (each,)


def _item(each: Any) -> Any:
    """Return one item of an index as None, Ellipsis, bool, int, slice, integer array or mask."""
    if each is None or each is Ellipsis or isinstance(each, int):
        return each
    if isinstance(each, slice):
        return _slice(each)
    if isinstance(each, Variable):
        each = each.array
    if isinstance(each, np.ndarray | np.generic):
        return _array(each)
    if isinstance(each, list | tuple | range):
        return _sequence(each)
    try:
        return whole(each)
    except TypeError:
        if isinstance(each, str):
            raise TypeError(f"an index cannot be a str: {each!r}") from None
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
            f"{type(each).__name__})"
        ) from None


def _slice(each: slice) -> slice:
    """Return a slice with bounds and step as ints; ValueError unless the step is positive."""
    if each.step is not None:
        step = whole(each.step)
        if step == 0:
            raise ValueError("slice step cannot be zero")
        if step < 0:
            raise ValueError("step must be greater than zero")
    if _plain(each):
        return each
    try:
        return slice(*[None if bound is None else whole(bound) for bound in (each.start, each.stop, each.step)])
    except TypeError:
        raise TypeError("slice indices must be integers or None or have an __index__ method") from None


def _array(each: Any) -> Any:
    """Return an index array as intp or bool; without dims it is a number, or a bool."""
    kind = _KINDS.get(each.dtype.char)
    if kind is None and not each.ndim and each.dtype.kind in "iu":
        return int(each)  # as a number, which an integer of any width is
    if kind is None:
        raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, not {dtype_of(each.dtype)}")
    if not each.ndim:
        return bool(each) if kind is np.bool_ else int(each)
    return each.astype(kind, copy=False)


def _sequence(each: Any) -> Any:
    """Return a list of numbers as an index array; floats lose their fraction, as in PyTorch."""
    listed = [one.array if isinstance(one, Variable) else one for one in each]
    try:
        array = np.array(listed)
    except ValueError as error:
        raise ValueError(f"an index list must hold numbers in equal rows: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an index list must hold numbers, not {listed!r}")
    return array if array.dtype.kind == "b" else array.astype(np.intp)


# ------------------------------------------------------------------ index_put


@primitive(
    input=lambda g, index, accumulate: g if accumulate else put_at(g, _ZERO, index, False),
    values=lambda g, index, accumulate: _put_back(g, index, accumulate),
    grad_fn_name="IndexPutBackward0",
)
def put_at(input: Array, values: Any, index: tuple[Any, ...], accumulate: bool) -> Array:
    """Return ``input`` with ``values``, broadcast, at ``index``, or added in there."""
    out = np.array(input)
    assign(out, index, values, accumulate)
    return out


def _put_back(g: Any, index: tuple[Any, ...], accumulate: bool) -> Any:
    """Return the gradient of the values put at ``index``: 0 for those that another one overwrote."""
    found = look_up(g, index)
    if accumulate or not any(isinstance(each, np.ndarray) and each.dtype.kind != "b" for each in index):
        return found  # no place was written twice
    numbers = np.arange(found.size if isinstance(found, np.ndarray) else found.array.size).reshape(found.shape)
    last = np.zeros(tuple(g.shape), np.intp)
    last[index] = numbers
    lost = last[index] != numbers
    return drop(found, lost) if lost.any() else found


def assign(array: Array, index: tuple[Any, ...], values: Any, accumulate: bool = False) -> None:
    """Write ``values`` into ``array`` at ``index``, or add them."""
    try:
        if np.ndim(values) and values.shape[0] == 1 and np.ndim(values) > array[index].ndim:
            raise ValueError  # NumPy would take further dims in front
        if accumulate:
            array += add_at(np.broadcast_to(values, array[index].shape), array.shape, index)
        else:
            array[index] = values
    except IndexError as error:
        raise reworded(error) from None
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(np.shape(values))} cannot be broadcast to indexing result of "
            f"shape {list(array[index].shape)}"
        ) from None


def same_dtype(name: str, target: Array, source: Any) -> None:
    """Raise RuntimeError unless both arrays have one dtype."""
    if target.dtype != source.dtype:
        raise RuntimeError(
            f"{name} requires the source and destination dtypes match, got {dtype_of(target.dtype).legacy} for the "
            f"destination and {dtype_of(source.dtype).legacy} for the source."
        )


@doors("torch Tensor Tensor_ torch_")
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Return ``input`` with ``values`` at the places that the tensors ``indices`` name, one tensor per dim.

    With ``accumulate`` values are added to what is there, repeated places several times.

    https://pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html
    """
    if not isinstance(indices, tuple | list):
        raise TypeError(f"index_put(): argument 'indices' must be tuple of Tensors, not {type(indices).__name__}")
    for place, each in enumerate(indices):
        if not isinstance(each, Variable | np.ndarray):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type(each).__name__}")
    target = input.array if isinstance(input, Variable) else np.asarray(input)
    source = values.array if isinstance(values, Variable) else np.asarray(values)
    same_dtype("Index put", target, source)
    places = [each.array if isinstance(each, Variable) else each for each in indices]
    if not any(each.ndim for each in places) and source.ndim > target.ndim - len(places) >= 0:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(source.shape)} cannot be broadcast to indexing result of "
            f"shape {list(target.shape[len(places) :])}"
        )
    items = tuple([np.reshape(each, 1) if each.ndim == 0 and each.dtype.kind != "b" else each for each in places])
    _, arrays = parse(target, items)
    if arrays is None:
        raise ValueError("index_put(): indices must hold at least one tensor with dims")
    return put_at(input, values, kept(arrays, input, values), accumulate)
