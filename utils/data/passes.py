"""A pass over a loader's batches: what all passes share, and the one that reads in this process."""

from __future__ import annotations

from typing import Any
from warnings import warn

from .fetch import fetcher_of
from .sampler import draw_seed


class _DatasetKind:
    """Whether samples are read by index or as a stream."""

    Map = 0
    Iterable = 1


class _BaseDataLoaderIter:
    """One pass over a loader's batches. Order of the draws: the base seed of the workers first, then the sampler's."""

    def __init__(self, loader: Any) -> None:
        self._dataset, self._dataset_kind = loader.dataset, loader._dataset_kind
        self._auto_collation, self._drop_last = loader._auto_collation, loader.drop_last
        self._index_sampler, self._num_workers = loader._index_sampler, loader.num_workers
        self._timeout, self._collate_fn = loader.timeout, loader.collate_fn
        self._persistent_workers = loader.persistent_workers
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        self._num_yielded = 0
        if loader.pin_memory:
            warn(
                "'pin_memory' argument is set as true but no accelerator is found: memory is not pinned",
                UserWarning,
                stacklevel=5,
            )
        self._sampler_iter = iter(self._index_sampler)
        self._base_seed = draw_seed(loader.generator)

    def __iter__(self) -> Any:
        return self

    def _reset(self, loader: Any) -> None:
        """Begin another pass."""
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def _next_index(self) -> Any:
        return next(self._sampler_iter)

    def _next_data(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no _next_data()")

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        told = self._IterableDataset_len_called
        if self._dataset_kind == _DatasetKind.Iterable and told is not None and self._num_yielded > told:
            shared = " Each worker has to give a part of its own: see get_worker_info()." if self._num_workers else ""
            warn(
                f"Length of IterableDataset {self._dataset} was reported to be {told} (when accessing "
                f"len(dataloader)), but {self._num_yielded} samples have been fetched.{shared}",
                UserWarning,
                stacklevel=2,
            )
        return data

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Reads each batch when it is asked for."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        if self._timeout:
            raise AssertionError(f"timeout={self._timeout} needs num_workers > 0: nothing else can be waited for")
        self._fetcher = fetcher_of(self._dataset, self._auto_collation, self._collate_fn, self._drop_last)

    def _next_data(self) -> Any:
        return self._fetcher.fetch(self._next_index())
