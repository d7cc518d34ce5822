"""A pass over a loader's batches that workers read ahead: who reads which, and in which order they are handed out."""

from __future__ import annotations

import errno
import sys
from itertools import count, islice
from typing import Any
from warnings import warn

from ... import lazy
from .inline import Inline
from .passes import _BaseDataLoaderIter
from .worker import End, Failure, Job, Resumed

_WITHOUT_PROCESSES = ("emscripten", "wasi")
_CANNOT = (errno.ENOSYS, errno.EPERM, errno.EACCES, getattr(errno, "ENOTSUP", errno.ENOSYS))


def start(context: Any, jobs: list[Job]) -> Any:
    """Return workers in processes, or, with a warning, in this one where no process can be started."""
    why = f"on {sys.platform} there are no processes"
    if sys.platform not in _WITHOUT_PROCESSES:
        try:
            return lazy.load("utils.data.processes").Processes(context, jobs)
        except ImportError as error:
            why = str(error)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            why = str(error)
    warn(
        f"num_workers={len(jobs)}, but worker processes cannot be started here ({why}): the same batches are read in "
        "this process, one after the other",
        UserWarning,
        stacklevel=6,
    )
    return Inline(jobs)


class MultiProcessingIter(_BaseDataLoaderIter):
    """Batches are numbered in order and given to the workers in turn; each worker has ``prefetch_factor`` ahead."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        if not loader.prefetch_factor:
            raise AssertionError("prefetch_factor must be greater than 0 with worker processes")
        self._most = loader.prefetch_factor * self._num_workers
        self._in_order = loader.in_order
        jobs = [
            Job(
                self._dataset, self._auto_collation, self._collate_fn, self._drop_last, self._base_seed,
                loader.worker_init_fn, number, self._num_workers,
            )
            for number in range(self._num_workers)
        ]  # fmt: skip
        self._workers = start(loader.multiprocessing_context, jobs)
        self._begin(loader)

    def _begin(self, loader: Any) -> None:
        super()._reset(loader)
        self._ended = False
        self._active = [True] * self._num_workers
        self._sent, self._due = 0, 0  # the number of the next batch to ask for, and to hand out
        self._asked: dict[int, int] = {}  # which worker reads a batch
        self._here: dict[int, tuple[int, Any]] = {}  # batches that came before their turn, and who read them
        self._load = [0] * self._num_workers
        self._turns = count()
        for _ in range(self._most):
            self._ask()

    def _reset(self, loader: Any) -> None:
        """Begin another pass with the same workers; what they still read for the last one is thrown away."""
        for number in range(self._num_workers):
            self._workers.resume(number)
        left = self._num_workers
        while left:
            left -= isinstance(self._workers.get(self._timeout)[1], Resumed)
        self._begin(loader)

    def _ask(self) -> None:
        """Ask the next active worker for the next batch, if there is one."""
        try:
            index = self._next_index()
        except StopIteration:
            return
        for turn in islice(self._turns, self._num_workers):
            worker = turn % self._num_workers
            if self._active[worker] and (self._in_order or self._load[worker] < self._most // sum(self._active)):
                self._workers.put(worker, self._sent, index)
                self._asked[self._sent] = worker
                self._load[worker] += 1
                self._sent += 1
                return

    def _next_data(self) -> Any:
        if self._ended:
            raise StopIteration
        while self._due < self._sent:
            if self._due in self._here:
                worker, data = self._here.pop(self._due)
            elif self._due not in self._asked or not self._active[self._asked[self._due]]:
                self._asked.pop(self._due, None)  # handed out before, or asked of a worker whose stream has ended
                self._due += 1
                continue
            else:
                number, data = self._workers.get(self._timeout)
                reader = self._asked.pop(number, None)
                if reader is None or not self._active[reader]:  # what a worker was asked for beyond its stream's end
                    continue
                worker = reader
                if isinstance(data, End):
                    self._retire(worker)
                    continue
                if number != self._due and self._in_order:
                    self._here[number] = worker, data
                    continue
            self._due += self._in_order
            return self._hand_out(worker, data)
        self._end()
        raise StopIteration

    def _retire(self, worker: int) -> None:
        self._active[worker] = False
        if not self._persistent_workers:
            self._workers.dismiss(worker)
        self._ask()

    def _hand_out(self, worker: int, data: Any) -> Any:
        self._load[worker] -= 1
        self._ask()
        if isinstance(data, Failure):
            data.reraise()
        return data

    def _end(self) -> None:
        if not self._persistent_workers:
            self._ended = True
            self._workers.stop()
