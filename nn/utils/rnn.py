"""Sequences of different lengths, padded or packed: ``torch.nn.utils.rnn``.

Packed are the first elements of all sequences, longest first, then the second elements of those that have one, and so
on: what a recurrent layer works on step by step, without padding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

import numpy as np

from ...arrays.dtypes import dtype_of, float16, float32, float64, int8, int16, int32, int64, uint8
from ...autograd.arguments import array_of
from ...autograd.variable import wrap
from ...tensors.creation.factories import as_tensor, empty_like, full
from ...tensors.creation.ranges import arange
from ...tensors.ops.index.scatter import index_copy, index_select
from ...tensors.ops.reduce.sorting import sort
from ...tensors.ops.shape.join import cat
from ...tensors.ops.shape.order import transpose
from ...tensors.ops.shape.views import expand, flatten, unflatten
from ...tensors.tensor.methods import Tensor


class _Fields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


def _bind(optional: Any, fn: Callable[[Any], Any]) -> Any:
    return None if optional is None else fn(optional)


class PackedSequence(_Fields):
    """Sequences packed step by step: ``data`` (rows, ...), and ``batch_sizes``, how many sequences each step has.

    ``sorted_indices`` says how the batch was sorted by length, ``unsorted_indices`` how to undo it; both are None if
    it was sorted before. Made by :func:`pack_padded_sequence` and :func:`pack_sequence`.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html

    >>> import rushlight as torch
    >>> from rushlight.nn.utils.rnn import pack_sequence
    >>> pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).data
    tensor([1, 3, 2])
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> Self:
        """Return the sequence; also takes (data, batch_sizes) as one pair."""
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not (isinstance(data, list | tuple) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError("batch_sizes should always be on CPU")
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequence with its data converted as ``Tensor.to`` does; itself if nothing changes."""
        if "copy" in kwargs:
            raise RuntimeError(".to() does not accept copy argument")
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def pin_memory(self) -> Self:
        """Raise as ``Tensor.pin_memory`` does: there is no device to pin memory for."""
        return type(self)(
            self.data.pin_memory(),
            self.batch_sizes,
            _bind(self.sorted_indices, lambda t: t.pin_memory()),
            _bind(self.unsorted_indices, lambda t: t.pin_memory()),
        )

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Raise as ``Tensor.cuda`` does: the only device is the CPU."""
        return type(self)(self.data.cuda(*args, **kwargs), self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequence, which is on the CPU already, converted as :meth:`to` does."""
        return self.to(*args, **kwargs) if args or kwargs else self

    def double(self) -> Self:
        """Return the sequence with data of float64."""
        return self.to(dtype=float64)

    def float(self) -> Self:
        """Return the sequence with data of float32."""
        return self.to(dtype=float32)

    def half(self) -> Self:
        """Return the sequence with data of float16."""
        return self.to(dtype=float16)

    def long(self) -> Self:
        """Return the sequence with data of int64."""
        return self.to(dtype=int64)

    def int(self) -> Self:
        """Return the sequence with data of int32."""
        return self.to(dtype=int32)

    def short(self) -> Self:
        """Return the sequence with data of int16."""
        return self.to(dtype=int16)

    def char(self) -> Self:
        """Return the sequence with data of int8."""
        return self.to(dtype=int8)

    def byte(self) -> Self:
        """Return the sequence with data of uint8."""
        return self.to(dtype=uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU: never."""
        return False

    def is_pinned(self) -> bool:
        """Return whether the data is in pinned memory: never."""
        return False


def invert_permutation(permutation: Any) -> Any:
    """Return the permutation that undoes ``permutation``, a 1-D tensor of integers; None for None.

    >>> import rushlight as torch
    >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    output = empty_like(permutation)
    output.scatter_(0, permutation, arange(0, permutation.numel(), dtype=permutation.dtype))
    return output


def _index(numbers: Any) -> Tensor:
    index: Tensor = wrap(Tensor, np.asarray(numbers, np.int64))
    return index


# ------------------------------------------------------------------ packed


def _checked_lengths(lengths: Any, steps: int, batch: int) -> Any:
    """Return sorted ``lengths`` as an array; RuntimeError if they do not fit ``steps`` and ``batch``."""
    values = array_of(lengths, "_pack_padded_sequence", "lengths", 2)
    if values.ndim != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {values.ndim}D cpu Long tensor"
        )
    if len(values) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(values)} (batch_size={batch})"
        )
    if len(values) and values.min() <= 0:
        raise RuntimeError(
            f"Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0: {values}"
        )
    if (values[1:] > values[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. With "
            f"`enforce_sorted=False` the sequences are sorted here. Got {values.tolist()}"
        )
    if len(values) and values[0] > steps:
        raise RuntimeError(f"a length of {values[0]} is more than the {steps} steps of the padded sequences")
    return values


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Return padded sequences packed: ``input`` is (T, N, ...), or (N, T, ...) if ``batch_first``.

    ``lengths`` are N numbers, in decreasing order unless ``enforce_sorted=False``. RuntimeError for lengths that do not
    fit, and for empty input.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html

    >>> import rushlight as torch
    >>> padded = torch.tensor([[1, 2, 0], [3, 4, 5]])
    >>> packed = torch.nn.utils.rnn.pack_padded_sequence(padded, [2, 3], batch_first=True, enforce_sorted=False)
    >>> packed.data, packed.batch_sizes
    (tensor([3, 1, 4, 2, 5]), tensor([2, 2, 1]))
    """
    shape = tuple(array_of(input, "_pack_padded_sequence").shape)
    lengths = lengths.to(int64) if isinstance(lengths, Tensor) else as_tensor(lengths, dtype=int64)
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = sort(lengths, descending=True)
    if 0 in shape:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(shape) < 2:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    batch, steps = shape[:2] if batch_first else (shape[1], shape[0])
    sizes = _checked_lengths(lengths, steps, batch)
    alive = np.arange(sizes[0])[:, None] < sizes  # (T, N)
    step, row = np.nonzero(alive)
    if sorted_indices is not None:
        row = sorted_indices.array[row]
    rows = index_select(flatten(input, 0, 1), 0, _index(row * steps + step if batch_first else step * batch + row))
    return PackedSequence(rows, _index(alive.sum(1)), sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Any]:
    """Return packed sequences padded to the longest, or to ``total_length``: (T, N, ...), and their lengths.

    With ``batch_first`` it is (N, T, ...). The batch is in the order it had before packing. ValueError if
    ``total_length`` is too small.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html
    """
    steps = sequence.batch_sizes.size(0)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    data, sizes = sequence.data, array_of(sequence.batch_sizes, "_pad_packed_sequence", "batch_sizes", 2)
    if not len(sizes):
        raise RuntimeError("batch_sizes can not be empty")
    if (sizes[1:] > sizes[:-1]).any() or sizes[-1] <= 0 or sizes.sum() != data.shape[0]:
        raise RuntimeError(f"batch_sizes {sizes.tolist()} are no sizes of steps of {data.shape[0]} rows in all")
    batch = int(sizes[0])
    step, row = np.nonzero(np.arange(batch) < sizes[:, None])
    lengths = (np.arange(batch) < sizes[:, None]).sum(0)
    blank = full((steps * batch, *data.shape[1:]), padding_value, dtype=float64).to(data.dtype)
    padded = unflatten(index_copy(blank, 0, _index(step * batch + row), data), 0, (steps, batch))
    if batch_first:
        padded = transpose(padded, 0, 1)
    unsorted = sequence.unsorted_indices
    if unsorted is None:
        return padded, _index(lengths)
    return index_select(padded, 0 if batch_first else 1, unsorted), _index(lengths[unsorted.array])


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Return a list of sequences (L, ...) packed; by decreasing length unless ``enforce_sorted=False``.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html
    """
    lengths = as_tensor([sequence.size(0) for sequence in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """Return the sequences of a packed one, each (L, ...).

    https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


# ------------------------------------------------------------------ padded


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Return sequences (L, ...) stacked to (T, N, ...), or (N, T, ...) if ``batch_first``, T being the longest L.

    ``padding_value`` fills the ``padding_side``, "right" or "left". The dtype is that of the first sequence.
    RuntimeError for no sequences, or ones that differ in more than their length.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html

    >>> import rushlight as torch
    >>> torch.nn.utils.rnn.pad_sequence([torch.tensor([1, 2]), torch.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    listed = list(sequences)
    arrays = [array_of(sequence, "pad_sequence", "sequences") for sequence in listed]
    if padding_side not in {"left", "right"}:
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not listed:
        raise RuntimeError("received an empty list of sequences")
    if any(a.ndim == 0 for a in arrays):
        raise RuntimeError("pad_sequence: a sequence needs a dim for its length, but got a tensor without dims")
    rest, dtype = arrays[0].shape[1:], dtype_of(arrays[0].dtype)
    for a in arrays:
        if a.shape[1:] != rest and (a.ndim > len(rest) + 1 or not _broadcasts(a.shape[1:], rest)):
            raise RuntimeError(
                f"a sequence of shape {list(a.shape)} does not fit the first one, {list(arrays[0].shape)}"
            )
    sizes = [len(a) for a in arrays]
    steps, batch = max(sizes), len(listed)
    starts = [steps - n if padding_side == "left" else 0 for n in sizes]
    step = np.concatenate([np.arange(start, start + n) for start, n in zip(starts, sizes, strict=True)])
    row = np.repeat(np.arange(batch), sizes)
    rows = [x if a.shape[1:] == rest else expand(x, (len(a), *rest)) for x, a in zip(listed, arrays, strict=True)]
    rows = [x if a.dtype is arrays[0].dtype else x.to(dtype) for x, a in zip(rows, arrays, strict=True)]
    blank = full((batch * steps, *rest), padding_value, dtype=float64).to(dtype)
    index = row * steps + step if batch_first else step * batch + row
    lead = (batch, steps) if batch_first else (steps, batch)
    return unflatten(index_copy(blank, 0, _index(index), cat(rows)), 0, lead)


def _broadcasts(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Return whether ``shape`` can be broadcast to ``wanted``."""
    return len(shape) == len(wanted) and all(n in (1, m) for n, m in zip(shape, wanted, strict=True))


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Return the sequences of a padded tensor (T, N, ...), or (N, T, ...) if ``batch_first``, each (L, ...).

    https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html
    """
    rows = padded_sequences if batch_first else transpose(padded_sequences, 0, 1)
    index = arange(rows.shape[1], device=lengths.device)
    return [sequence[index < length] for sequence, length in zip(rows, lengths, strict=True)]
