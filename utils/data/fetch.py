"""How the samples of a batch are read and joined, in this process or in a worker's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .dataset import IterableDataset, samples


class MapFetcher:
    """Reads samples by index."""

    def __init__(self, dataset: Any, batched: bool, join: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset, self.batched, self.join = dataset, batched, join

    def fetch(self, index: Any) -> Any:
        """Return the batch of these indices, or the sample of this index where there are no batches."""
        return self.join(samples(self.dataset, index) if self.batched else self.dataset[index])


class StreamFetcher:
    """Reads samples from a stream, one after the other; the indices only say how many."""

    def __init__(self, dataset: Any, batched: bool, join: Callable[[Any], Any], drop_last: bool) -> None:
        self.stream, self.batched, self.join, self.drop_last = iter(dataset), batched, join, drop_last
        self.ended = False

    def fetch(self, index: Any) -> Any:
        """Return the next batch, or the next sample where there are no batches; StopIteration at the end."""
        if self.ended:
            raise StopIteration
        if not self.batched:
            return self.join(next(self.stream))
        read = []
        for _ in index:
            try:
                read.append(next(self.stream))
            except StopIteration:
                self.ended = True
                break
        if not read or (self.drop_last and self.ended):
            raise StopIteration
        return self.join(read)


def fetcher_of(dataset: Any, batched: bool, join: Callable[[Any], Any], drop_last: bool) -> Any:
    """Return the reader of ``dataset``, a stream or one with indices."""
    kind = StreamFetcher if isinstance(dataset, IterableDataset) else MapFetcher
    return kind(dataset, batched, join, drop_last)
