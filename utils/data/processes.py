"""Workers in processes of their own; the only module here that loads ``multiprocessing``.

Each worker has a pipe of its own. There are no queues, and so no threads and no semaphores; the end of a pipe tells a
worker to stop, also if this process was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.reduction import ForkingPickler
from pickle import PicklingError
from time import monotonic
from typing import Any
from warnings import warn
from weakref import finalize

from .worker import Failure, Job, Resumed, Worker

_PATIENCE = 5.0  # seconds between looks whether the other side lives, and until a worker that must stop is killed
_ROOM = 8192  # bytes that surely fit into a pipe


def context_of(given: Any) -> Any:
    """Return a context of ``multiprocessing``, given by name or itself, or the default one.

    Raises ValueError for an unknown name, TypeError for another type.
    """
    if isinstance(given, str):
        known = multiprocessing.get_all_start_methods()
        if given not in known:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {known!r}, but got "
                f"multiprocessing_context={given!r}"
            )
        return multiprocessing.get_context(given)
    if given is not None and not isinstance(given, BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got multiprocessing_context={given}"
        )
    return given


def serve(job: Job, pipe: Connection, inherited: list[Connection]) -> None:
    """Read batches until the pipe ends: what a worker's process runs.

    ``inherited`` are the ends that a forked process has only by accident: held open here, they would hide from other
    workers that they must stop.
    """
    for other in inherited:
        other.close()
    parent = os.getppid()
    try:
        worker = Worker(job)
        while True:
            while not pipe.poll(_PATIENCE):
                if os.getppid() != parent:
                    return
            message = pipe.recv()
            if message is None:
                worker.resume()
                pipe.send((None, Resumed()))
                continue
            number, index = message
            _send(pipe, number, worker.fetch(index), worker.where)
    except (EOFError, OSError, KeyboardInterrupt):
        return  # the loader does not want more


def _send(pipe: Connection, number: int, data: Any, where: str) -> None:
    try:
        packed = ForkingPickler.dumps((number, data))
    except Exception as error:  # a batch that cannot be sent is the user's error, too
        failure = data if isinstance(data, Failure) else Failure(error, where)
        failure.kind = failure.kind if failure is not data else RuntimeError  # its own class cannot be sent
        packed = ForkingPickler.dumps((number, failure))
    pipe.send_bytes(packed)


class _Process:
    """One worker, seen from the loader: its process, its pipe, and what is under way to it."""

    def __init__(self, context: Any, job: Job, inherited: list[Connection]) -> None:
        self.id = job.id
        self.pipe, theirs = context.Pipe()
        forked = context.get_start_method() == "fork"
        arguments = (job, theirs, [*inherited, self.pipe] if forked else [])
        self.process = context.Process(target=serve, args=arguments, daemon=True)
        self.waiting: list[Any] = []  # messages that might not fit into the pipe yet
        self.under_way: list[int] = []  # the lengths of those sent and not answered
        try:
            self.process.start()
        except (TypeError, AttributeError, PicklingError):
            self.pipe.close()
            warn(
                "a worker process could not be started since the dataset, collate_fn or worker_init_fn cannot be "
                f"pickled, which the start method {context.get_start_method()!r} needs: define them at the top level "
                "of a module, or pass multiprocessing_context='fork' where that exists",
                UserWarning,
                stacklevel=6,
            )
            raise
        except BaseException:
            self.pipe.close()
            raise
        finally:
            theirs.close()

    def put(self, message: Any) -> None:
        """Send a message, or keep it back while the worker is busy and the pipe may be full: neither side may block."""
        self.waiting.append(bytes(ForkingPickler.dumps(message)))
        self.flush()

    def flush(self) -> None:
        """Send what surely fits, or one message to a worker that has nothing else to do."""
        while self.waiting:
            size = len(self.waiting[0]) + 64
            if self.under_way and sum(self.under_way) + size > _ROOM:
                return
            self.under_way.append(size)
            self.pipe.send_bytes(self.waiting.pop(0))

    def get(self) -> Any:
        """Return the next answer, which must be there."""
        packed = self.pipe.recv_bytes()
        self.under_way.pop(0)
        self.flush()
        return ForkingPickler.loads(packed)


class Processes:
    """All worker processes of one iterator. They are stopped when it is gone, at the latest when Python ends."""

    def __init__(self, context: Any, jobs: list[Job]) -> None:
        context = context or multiprocessing.get_context()
        self._all: list[_Process] = []
        self.stop = finalize(self, _stop, self._all, os.getpid())
        try:
            for job in jobs:
                self._all.append(_Process(context, job, [one.pipe for one in self._all]))
        except BaseException:
            self.stop()
            raise

    @property
    def processes(self) -> list[Any]:
        """The processes, as ``multiprocessing`` knows them."""
        return [one.process for one in self._all]

    def put(self, worker: int, number: int, index: Any) -> None:
        """Ask a worker for a batch."""
        self._talk(worker, lambda one: one.put((number, index)))

    def resume(self, worker: int) -> None:
        """Ask a worker to begin again; batches that it was not asked for yet are forgotten."""
        self._all[worker].waiting.clear()
        self._talk(worker, lambda one: one.put(None))

    def get(self, timeout: float) -> tuple[int | None, Any]:
        """Return an answer, and the number of the batch, None after ``resume``.

        Raises RuntimeError after ``timeout`` seconds, unless that is 0, and if a worker died.
        """
        end = monotonic() + timeout if timeout else None
        pipes = {one.pipe: one.id for one in self._all if not one.pipe.closed}
        while True:
            left = _PATIENCE if end is None else max(0.0, end - monotonic())
            ready: Any = wait(list(pipes), left)
            if ready:
                answer: tuple[int | None, Any] = self._talk(pipes[ready[0]], _Process.get)
                return answer
            if end is not None and monotonic() >= end:
                raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
            for one in self._all:  # what a worker itself started may hold its pipe open
                if not one.pipe.closed and not one.process.is_alive():
                    raise _died(one)

    def _talk(self, worker: int, what: Any) -> Any:
        one = self._all[worker]
        try:
            return what(one)
        except (EOFError, OSError) as error:
            one.process.join(_PATIENCE)
            raise _died(one) from error

    def dismiss(self, worker: int) -> None:
        """Let a worker end, whose stream has."""
        self._all[worker].pipe.close()


def _died(one: _Process) -> RuntimeError:
    return RuntimeError(
        f"DataLoader worker (pid(s) {one.process.pid}) exited unexpectedly with exit code {one.process.exitcode}"
    )


def _stop(workers: list[_Process], owner: int) -> None:
    """End all workers: closed pipes tell them; who does not hear in time is killed."""
    if os.getpid() != owner:
        return
    for one in workers:
        one.pipe.close()
    end = monotonic() + (_PATIENCE if not sys.is_finalizing() else 0.1)
    for one in workers:
        one.process.join(max(0.0, end - monotonic()))
        if one.process.is_alive():
            one.process.kill()
            one.process.join()
        one.process.close()
