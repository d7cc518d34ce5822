"""Worker processes of a loader: order, errors, seeds, ends. Nothing here may leave a process behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info
from rushlight.utils.data import processes as transport
from rushlight.utils.data import workers as scheduling

DATA = torch.arange(20).reshape(10, 2)
FORKS = "fork" in multiprocessing.get_all_start_methods()
pytestmark = pytest.mark.skipif(not FORKS, reason="the tests' local classes need fork")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    gc.collect()
    assert multiprocessing.active_children() == []


class Items(Dataset[Any]):
    """Calls a function for each of ``length`` indices."""

    def __init__(self, item: Callable[[int], Any], length: int = 10) -> None:
        self.item, self.length = item, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.item(index)


class Stream(IterableDataset[Any]):
    def __init__(self, length: int = 5) -> None:
        self.length = length

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        return iter(range(self.length)) if info is None else iter(range(info.id, self.length, info.num_workers))


def loader(item: Callable[[int], Any], length: int = 10, **options: Any) -> DataLoader[Any]:
    return DataLoader(Items(item, length), **{"num_workers": 2, "multiprocessing_context": "fork", **options})


def test_batches_come_in_order_although_workers_are_late() -> None:
    seen = [batch.tolist() for batch in loader(lambda i: time.sleep(0.05 * (i % 3 == 0)) or i, batch_size=2)]
    assert seen == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_out_of_order_gives_what_is_ready() -> None:
    def item(i: int) -> int:
        time.sleep(0.6 * (i == 0))
        return i

    seen = [batch.item() for batch in loader(item, 6, in_order=False)]
    assert sorted(seen) == list(range(6))
    assert seen[0] != 0


def test_each_worker_is_another_process_with_its_info() -> None:
    def item(i: int) -> Any:
        info: Any = get_worker_info()
        return os.getpid(), info.id, info.num_workers, info.seed, type(info.dataset).__name__

    torch.manual_seed(1)
    seen = list(loader(item, 6, batch_size=None))
    first = seen[0][3] - seen[0][1]
    assert [(one[1], one[2], one[3] - first, one[4]) for one in seen] == [(i % 2, 2, i % 2, "Items") for i in range(6)]
    assert len({one[0] for one in seen} - {os.getpid()}) == 2
    assert get_worker_info() is None


def test_random_numbers_differ_between_workers_and_repeat_with_the_seed() -> None:
    def item(i: int) -> Any:
        return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002

    def epoch() -> Any:
        torch.manual_seed(5)
        state = random.getstate()
        seen = list(loader(item, 4, batch_size=None))
        assert random.getstate() == state
        return seen

    first = epoch()
    assert epoch() == first
    assert len({number for sample in first for number in sample}) == 12


@pytest.mark.parametrize("kind", [ValueError, KeyError, IndexError, ZeroDivisionError, StopIteration])
def test_an_error_in_a_worker_is_raised_with_its_traceback(kind: type[Exception]) -> None:
    def item(i: int) -> int:
        if i == 3:
            raise kind("the fourth is bad")
        return i

    passes = iter(loader(item, 6))
    assert [next(passes).item() for _ in range(3)] == [0, 1, 2]
    expected: Any = RuntimeError if kind is StopIteration else kind
    if kind is StopIteration:  # would end the loop of whoever asks for a batch
        with pytest.raises(StopIteration, match="the fourth is bad"):
            passes.__next__()
    else:
        with pytest.raises(expected, match=r"(?s)^Caught .* in DataLoader worker process 1.*item.*the fourth is bad"):
            next(passes)
    assert [batch.item() for batch in passes] == [4, 5]


def test_an_error_that_takes_other_arguments_becomes_a_runtime_error() -> None:
    class PickyError(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(one, two)

    def item(i: int) -> int:
        raise PickyError(1, 2)

    with pytest.raises(RuntimeError, match=r"(?s)Caught PickyError in DataLoader worker process 0.*\(1, 2\)"):
        next(iter(loader(item, 2)))


def test_an_error_in_worker_init_fn() -> None:
    def begin(worker: int) -> None:
        raise OSError(f"worker {worker} has no disk")

    with pytest.raises(OSError, match="worker 0 has no disk"):
        next(iter(loader(lambda i: i, worker_init_fn=begin)))


def test_worker_init_fn_runs_after_seeding() -> None:
    def begin(worker: int) -> None:
        info: Any = get_worker_info()
        info.dataset.item = lambda i: (worker, random.random() == random.Random(info.seed).random(), i)

    assert list(loader(lambda i: i, 2, batch_size=None, worker_init_fn=begin)) == [[0, True, 0], [1, True, 1]]


def test_a_batch_that_cannot_be_pickled_is_an_error_and_no_hang() -> None:
    with pytest.raises(
        (AttributeError, TypeError, transport.PicklingError), match=r"(?s)in DataLoader worker process 0"
    ):
        next(iter(loader(lambda i: lambda: i, batch_size=None)))


@pytest.mark.parametrize("end", [lambda: os._exit(3), lambda: os.kill(os.getpid(), signal.SIGKILL), sys.exit])
def test_a_worker_that_dies_is_noticed(end: Any) -> None:
    passes = iter(loader(lambda i: end() if i == 1 else i, 4))
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly"):
        list(passes)


def test_timeout() -> None:
    passes = iter(loader(lambda i: time.sleep(1.5) if i == 1 else i, 3, batch_size=None, timeout=0.3))
    assert next(passes) == 0
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.3 seconds"):
        next(passes)


def test_an_early_break_ends_the_workers_at_once() -> None:
    passes = iter(loader(lambda i: torch.zeros(100_000), 1000))
    processes = passes._workers.processes
    next(passes)
    assert all(process.is_alive() for process in processes)
    began = time.monotonic()
    del passes
    gc.collect()
    assert multiprocessing.active_children() == []
    assert time.monotonic() - began < transport._PATIENCE  # nobody had to be killed


def test_a_worker_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_PATIENCE", 0.2)
    passes = iter(loader(lambda i: time.sleep(60), 2))
    del passes
    gc.collect()
    assert multiprocessing.active_children() == []


def test_large_index_lists_and_batches_do_not_block() -> None:
    """Both pipes full at once would be a deadlock."""

    class Together(Items):
        def __getitems__(self, indices: list[int]) -> Any:
            return np.zeros((len(indices), 8))

    indices = [list(range(300_000)) for _ in range(8)]
    source = DataLoader(
        Together(int), batch_sampler=indices, num_workers=2, prefetch_factor=4, multiprocessing_context="fork",
        collate_fn=torch.from_numpy,
    )  # fmt: skip
    assert [batch.shape[0] for batch in source] == [300_000] * 8


def test_persistent_workers_stay_and_begin_again() -> None:
    source = loader(lambda i: os.getpid(), 4, batch_size=None, persistent_workers=True)
    first = list(source)
    assert list(source) == first
    passes = iter(source)
    next(passes)  # half a pass; what was read ahead for it must not come back
    assert list(source) == first
    assert len(set(first)) == 2


def test_persistent_streams_begin_again() -> None:
    source = DataLoader(Stream(7), batch_size=2, num_workers=2, persistent_workers=True, multiprocessing_context="fork")
    seen = [[batch.tolist() for batch in source] for _ in range(3)]
    assert seen[0] == [[0, 2], [1, 3], [4, 6], [5]]
    assert seen == [seen[0]] * 3
    passes = iter(source)
    next(passes)
    assert [batch.tolist() for batch in source] == seen[0]


def test_no_prefetch_is_refused() -> None:
    with pytest.raises(AssertionError, match="prefetch_factor"):
        iter(loader(lambda i: i, prefetch_factor=0))


def test_spawn_needs_what_can_be_pickled() -> None:
    with (
        pytest.warns(UserWarning, match="cannot be pickled"),
        pytest.raises((AttributeError, TypeError, transport.PicklingError)),
    ):
        iter(loader(lambda i: i, multiprocessing_context="spawn"))


def test_spawn() -> None:
    source = DataLoader(
        torch.utils.data.TensorDataset(DATA), batch_size=5, num_workers=1, multiprocessing_context="spawn"
    )
    assert [batch[0].tolist() for batch in source] == [DATA[:5].tolist(), DATA[5:].tolist()]


SCRIPT = """
import os, sys
import rushlight as torch
loader = torch.utils.data.DataLoader(
    torch.arange(100), num_workers=2, persistent_workers=True, multiprocessing_context="fork"
)
passes = iter(loader)
next(passes)
sys.stdout.write(" ".join(str(process.pid) for process in passes._workers.processes))
sys.stdout.flush()
if sys.argv[1] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["ended", "killed"])
def test_workers_end_with_their_program(end: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, end], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (0 if end == "ended" else -9)
    assert done.stderr == ""
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    until = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a zombie that nobody has asked about yet is dead
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


# ------------------------------------------------------------------ where there are no processes


def without_processes(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "platform":
        monkeypatch.setattr(sys, "platform", "emscripten")
    else:
        error: Exception = ImportError("no _multiprocessing") if why == "import" else OSError(38, "not implemented")

        def refuse(*_: Any) -> Any:
            raise error

        monkeypatch.setattr(transport, "Processes", refuse)


def noise(i: int) -> Any:
    info: Any = get_worker_info()
    return i, info.id, info.seed, random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002


SOURCES: list[Any] = [
    lambda: loader(noise, 9, batch_size=2, shuffle=True),
    lambda: loader(noise, 9, batch_size=None, persistent_workers=True),
    lambda: DataLoader(Stream(9), batch_size=2, num_workers=2, multiprocessing_context="fork"),
    lambda: DataLoader(Stream(9), batch_size=2, num_workers=2, multiprocessing_context="fork", persistent_workers=True),
]


@pytest.mark.parametrize("why", ["platform", "import", "system"])
@pytest.mark.parametrize("source", SOURCES, ids=range(4))
def test_without_processes_the_batches_are_the_same(monkeypatch: pytest.MonkeyPatch, source: Any, why: str) -> None:
    def passes() -> Any:
        torch.manual_seed(2)
        made = source()
        seen = [[str(batch) for batch in made] for _ in range(2)]
        return seen, torch.get_rng_state().tolist()

    expected = passes()
    without_processes(monkeypatch, why)
    state = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    with pytest.warns(UserWarning, match="worker processes cannot be started here"):
        assert passes() == expected
    assert (random.getstate(), str(np.random.get_state())) == state  # noqa: NPY002
    assert get_worker_info() is None


def test_another_error_at_the_start_is_no_reason_for_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(transport, "Processes", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        iter(loader(lambda i: i))


def test_scheduling_imports_no_multiprocessing_by_itself() -> None:
    code = (
        "import sys, rushlight.utils, rushlight.utils.data.workers; "
        "list(rushlight.utils.data.DataLoader([1, 2])); assert 'multiprocessing' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert scheduling.__name__.startswith("rushlight")
