"""Datasets: what a loader reads samples from, by index or one after the other.

https://pytorch.org/docs/stable/data.html#dataset-types
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import floor, isclose
from typing import Any, Generic, TypeVar
from warnings import warn

from ...tensors.random.creation import randperm
from ...tensors.random.generator import Generator, default_generator
from ...tensors.tensor.methods import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base of datasets that give a sample for an index: subclasses write ``__getitem__``, and most ``__len__``.

    A subclass may also write ``__getitems__(indices)``, which returns the samples of a whole batch as a list. Datasets
    are joined by ``+``.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.Dataset
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(): a subclass of Dataset must have one")

    def __add__(self, other: Dataset[Any]) -> Any:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base of datasets that are streams: subclasses write ``__iter__``, which returns an iterator over the samples.

    With several workers each has a copy of the dataset and would give all of it; ``get_worker_info()`` tells
    ``__iter__`` which part is its own. Streams are joined by ``+``.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset
    """

    def __add__(self, other: Dataset[Any]) -> ChainDataset:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """The rows of one or more tensors side by side: sample ``i`` is the tuple of ``tensor[i]``.

    AssertionError unless all have the same number of rows.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset

    >>> import rushlight as torch
    >>> data = torch.utils.data.TensorDataset(torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, 1]))
    >>> len(data), data[1]
    (2, (tensor([3, 4]), tensor(1)))
    """

    def __init__(self, *tensors: Any) -> None:
        rows = [tensor.size(0) for tensor in tensors]
        if any(count != rows[0] for count in rows):
            raise AssertionError(f"the tensors differ in their number of rows: {rows}: Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """Datasets of one length side by side: a sample is the tuple of their samples, or the dict if given by keyword.

    ValueError if the lengths differ, if nothing is given, or both by place and by keyword.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.StackDataset
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError(
                "datasets are given by place (samples are tuples) or by keyword (samples are dicts), not both"
                if args
                else "At least one dataset should be passed"
            )
        self.datasets = args or kwargs
        lengths = [len(one) for one in self._listed()]
        if any(length != lengths[0] for length in lengths):
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def _listed(self) -> list[Any]:
        return list(self.datasets.values() if isinstance(self.datasets, dict) else self.datasets)

    def _sample(self, parts: Iterable[Any]) -> Any:
        return dict(zip(self.datasets, parts, strict=True)) if isinstance(self.datasets, dict) else tuple(parts)

    def __getitem__(self, index: Any) -> Any:
        return self._sample([one[index] for one in self._listed()])

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = []
        for one in self._listed():
            column = samples(one, indices)
            if len(column) != len(indices):
                raise ValueError(
                    f"Nested dataset's output size mismatch: {len(indices)} samples were asked for, "
                    f"{type(one).__name__}.__getitems__ returned {len(column)}"
                )
            columns.append(column)
        return [self._sample(parts) for parts in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other, counted through.

    AssertionError if there are none or one is a stream.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset

    >>> import rushlight as torch
    >>> data = torch.utils.data.ConcatDataset([range(3), "ab"])
    >>> len(data), data[2], data[3], data[-1]
    (5, 2, 'a', 'b')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        super().__init__()
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(one, IterableDataset) for one in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset: use ChainDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Return where each dataset ends, counted through."""
        return list(accumulate(map(len, sequence)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: Any) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise ValueError(f"index {idx}: absolute value of index should not exceed dataset length {len(self)}")
            idx += len(self)
        which = bisect_right(self.cumulative_sizes, idx)
        return self.datasets[which][idx - self.cumulative_sizes[which - 1] if which else idx]


class ChainDataset(IterableDataset[Any]):
    """Streams one after the other; AssertionError, while it runs, for one that is no stream.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.ChainDataset
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        super().__init__()
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for one in self.datasets:
            if not isinstance(one, IterableDataset):
                raise AssertionError(f"ChainDataset only supports IterableDataset, not {type(one).__name__}")
            yield one

    def __iter__(self) -> Iterator[Any]:
        for one in self._streams():
            yield from one

    def __len__(self) -> int:
        return sum(map(len, self._streams()))


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``, in this order.

    A subclass that writes ``__getitem__`` must write ``__getitems__`` too, since a loader prefers it:
    NotImplementedError.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.Subset
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__, which a DataLoader calls for a whole "
                "batch: write it too, for instance as [self[i] for i in indices]"
            )

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        found: list[Any] = samples(self.dataset, [self.indices[i] for i in indices])
        return found

    def __len__(self) -> int:
        return len(self.indices)


def samples(dataset: Any, indices: list[Any]) -> Any:
    """Return the samples at ``indices``, all at once if the dataset can."""
    if callable(getattr(dataset, "__getitems__", None)):
        return dataset.__getitems__(indices)
    return [dataset[i] for i in indices]


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Generator | None = default_generator
) -> list[Subset[Any]]:
    """Return random parts of ``dataset`` of the given lengths, or of fractions that sum to 1, as subsets.

    With fractions, what is left after rounding down goes to the parts in turn, one sample each; a part without samples
    gives a warning. ValueError for lengths that do not sum to the length of the dataset.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.random_split

    >>> import rushlight as torch
    >>> parts = torch.utils.data.random_split(range(10), [0.7, 0.3], torch.Generator().manual_seed(0))
    >>> [list(part) for part in parts]
    [[4, 1, 7, 5, 3, 9, 0], [8, 6, 2]]
    """
    total = sum(lengths)
    if isclose(total, 1) and total <= 1:
        lengths = _counts(lengths, len(dataset))
        for place, count in enumerate(lengths):
            if not count:
                warn(f"Length of split at index {place} is 0: this part is empty", UserWarning, stacklevel=2)
    if sum(lengths) != len(dataset):
        raise ValueError(
            f"Sum of input lengths does not equal the length of the input dataset: {sum(lengths)}, not {len(dataset)}"
        )
    order = randperm(sum(lengths), generator=generator).tolist()  # type: ignore[arg-type]  # they are ints by now
    ends: Any = accumulate(lengths)
    return [Subset(dataset, order[end - count : end]) for end, count in zip(ends, lengths, strict=True)]


def _counts(fractions: Sequence[float], total: int) -> list[int]:
    """Return how many of ``total`` samples each fraction gets."""
    for place, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"Fraction at index {place} is not between 0 and 1: {fraction}")
    counts = [floor(total * fraction) for fraction in fractions]
    for left in range(total - sum(counts)):
        counts[left % len(counts)] += 1
    return counts
