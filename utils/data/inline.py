"""Workers for platforms without processes: they take turns in this one, each with random numbers of its own."""

from __future__ import annotations

import random
from collections import deque
from copy import deepcopy
from typing import Any

import numpy as np

from ...tensors.random.generator import get_rng_state, set_rng_state
from .info import get_worker_info, set_worker_info
from .worker import Job, Resumed, Worker


def _state() -> tuple[Any, ...]:
    return random.getstate(), get_rng_state(), np.random.get_state(), get_worker_info()  # noqa: NPY002


def _restore(state: tuple[Any, ...]) -> None:
    random.setstate(state[0])
    set_rng_state(state[1])
    np.random.set_state(state[2])  # noqa: NPY002
    set_worker_info(state[3])


class _Turn:
    """A context in which the random numbers and the worker's name are those of one worker."""

    def __init__(self, inline: Inline, worker: int) -> None:
        self.states, self.worker = inline.states, worker

    def __enter__(self) -> None:
        self.outside = _state()
        if self.worker in self.states:
            _restore(self.states[self.worker])

    def __exit__(self, *_: object) -> None:
        self.states[self.worker] = _state()
        _restore(self.outside)


class Inline:
    """The workers of one iterator, by turns in this process: the batches are those that processes would give."""

    processes: list[Any] = []  # noqa: RUF012  # there are none

    def __init__(self, jobs: list[Job]) -> None:
        self.states: dict[int, tuple[Any, ...]] = {}
        self._asked: deque[tuple[int, int | None, Any]] = deque()
        self._workers: list[Worker] = []
        for job in jobs:
            with _Turn(self, job.id):
                self._workers.append(Worker(job._replace(dataset=deepcopy(job.dataset))))

    def put(self, worker: int, number: int, index: Any) -> None:
        """Ask a worker for a batch: read when it is fetched."""
        self._asked.append((worker, number, index))

    def resume(self, worker: int) -> None:
        """Ask a worker to begin again."""
        self._asked.append((worker, None, None))

    def get(self, timeout: float) -> tuple[int | None, Any]:
        """Return the next answer, and the number of the batch, None after ``resume``."""
        worker, number, index = self._asked.popleft()
        with _Turn(self, worker):
            if number is None:
                self._workers[worker].resume()
                return None, Resumed()
            return number, self._workers[worker].fetch(index)

    def dismiss(self, worker: int) -> None:
        """Let a worker end."""

    def stop(self) -> None:
        """Let all workers end."""
        self._asked.clear()
