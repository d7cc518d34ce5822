"""A worker of a loader: it seeds all random numbers, reads batches, and says who it is.

It runs in a process of its own (``processes.py``), or by turns in this one where there are no others (``inline.py``).
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...tensors.random.generator import manual_seed
from .dataset import IterableDataset
from .fetch import fetcher_of
from .info import WorkerInfo, set_worker_info


class End:
    """Sent instead of a batch: the worker's stream has ended."""


class Resumed:
    """Sent when a worker has begun again."""


class Failure:
    """Sent instead of a batch: an exception, as its type and text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind, self.name, self.where = type(error), type(error).__name__, where
        self.text = "".join(traceback.format_exception(error))

    def reraise(self) -> None:
        """Raise an exception of the same type, or RuntimeError, that tells the worker's traceback."""
        text: Any = f"Caught {self.name} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            text = _Unquoted(text)  # a KeyError shows the repr of its argument
        try:
            error = self.kind(text)
        except Exception:
            raise RuntimeError(text) from None
        raise error


class _Unquoted(str):
    """A text whose repr is the text itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Job(NamedTuple):
    """All that a worker needs to know."""

    dataset: Any
    batched: bool
    join: Callable[[Any], Any]
    drop_last: bool
    base_seed: int
    begin: Callable[[int], Any] | None
    id: int
    workers: int


class Worker:
    """Reads batches for a loader. What goes wrong at the start is told in place of the first batch."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.where = f"in DataLoader worker process {job.id}"
        seed = job.base_seed + job.id
        random.seed(seed)
        manual_seed(seed)
        np.random.seed(  # noqa: NPY002  # users' datasets may draw from NumPy's global numbers
            np.random.SeedSequence([job.id, job.base_seed & 0xFFFFFFFF, job.base_seed >> 32, 0]).generate_state(4)
        )
        set_worker_info(WorkerInfo(job.id, job.workers, seed, job.dataset))
        self.failure: Failure | None = None
        try:
            if job.begin is not None:
                job.begin(job.id)
            self.resume()
        except Exception as error:
            self.failure = Failure(error, self.where)

    def resume(self) -> None:
        """Begin to read again from the start."""
        job = self.job
        self.fetcher = fetcher_of(job.dataset, job.batched, job.join, job.drop_last)

    def fetch(self, index: Any) -> Any:
        """Return a batch, or the End of the stream, or a Failure."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            return failure
        try:
            return self.fetcher.fetch(index)
        except StopIteration as error:
            return End() if isinstance(self.job.dataset, IterableDataset) else Failure(error, self.where)
        except Exception as error:
            return Failure(error, self.where)
