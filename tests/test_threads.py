"""What is promised to threads: gradients add up, first uses do not disturb each other, every mode is a thread's own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import threads
from rushlight.autograd.codegen import forward
from rushlight.autograd.primitive import PRIMITIVES
from rushlight.autograd.recording import INFERENCE_CONTEXTS
from rushlight.autograd.threads import LockedCounter, shared_lock

THREADS = 8


def run_fresh(program: str) -> None:
    """Run ``program`` in a new process; what it raised is the message of the failure."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-P", "-c", program], env=env, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def at_once(*jobs: Callable[[], Any]) -> None:
    """Run ``jobs`` in a thread each, which start together; raise what one of them raised."""
    barrier, errors = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            job()
        except BaseException as error:  # raised below, in the thread of the test
            errors.append(error)

    started = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for each in started:
        each.start()
    for each in started:
        each.join()
    if errors:
        raise errors[0]


@pytest.fixture(autouse=True)
def _switch_often() -> Any:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("hooked", [False, True])
@pytest.mark.parametrize(("size", "rounds"), [((), 200), (1, 200), (1000, 100), (300_000, 10), (2_000_000, 2)])
def test_gradients_from_several_threads_add_up(size: Any, rounds: int, hooked: bool) -> None:
    leaf = torch.ones(size, requires_grad=True)
    if hooked:
        leaf.register_post_accumulate_grad_hook(lambda _: None)

    def train() -> None:
        for _ in range(rounds):
            (leaf * 2).sum().backward()

    at_once(*[train] * THREADS)
    assert np.all(leaf.grad.numpy() == 2 * rounds * THREADS)


def test_recorded_gradients_from_several_threads_add_up() -> None:
    leaf = torch.ones(50_000, requires_grad=True)

    def train() -> None:
        for _ in range(5):
            (leaf * 2).sum().backward(create_graph=True)

    at_once(*[train] * THREADS)
    assert np.all(leaf.grad.detach().numpy() == 2 * 5 * THREADS)


def test_one_graph_walked_by_several_threads() -> None:
    leaf = torch.ones(20_000, requires_grad=True)
    loss = (leaf.exp() * leaf).sum()
    at_once(*[lambda: loss.backward(retain_graph=True)] * THREADS)
    np.testing.assert_allclose(leaf.grad.numpy(), THREADS * 2 * np.e, rtol=1e-6)


FIRST_USE = """
import sys, threading
sys.setswitchinterval(1e-6)
import rushlight as torch
barrier, errors = threading.Barrier(8), []
def work(n):
    try:
        barrier.wait()
        x = torch.ones(2, 3, requires_grad=True)
        y = torch.nn.functional.gelu(x @ torch.ones(3, 3)) * x + x.exp() / (x + 1) - x.tanh().softmax(1)
        z = y.sum() + torch.linalg.vector_norm(x) + torch.special.gammaln(x).mean() + x.max() + x[0].sum()
        (g,) = torch.autograd.grad(z, x, create_graph=True)
        g.sum().backward()
        with torch.inference_mode():
            assert (x * 2).is_inference()
        assert x.grad is not None
    except BaseException as error:
        errors.append(error)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
if errors: raise errors[0]
assert not torch.ones(2).is_inference()
"""


def test_eight_threads_use_ops_for_the_first_time() -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, "-P", "-c", FIRST_USE], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]


def test_every_op_is_written_once_however_many_threads_ask() -> None:
    def write(op: Any, got: list[Any]) -> None:
        got.append(forward.build_function(op))
        got.append(op.backward("SomeBackward0", True))

    for op in list(PRIMITIVES.values()):
        op.function.__code__ = forward._build_and_call.__code__
        got: list[Any] = []
        at_once(*[lambda op=op, got=got: write(op, got)] * 4)  # type: ignore[misc]
        assert len({id(each) for each in got}) == 2, op
        code = op.function.__code__
        assert forward.build_function(op).__code__ is code
        del op.backwards["SomeBackward0", True]


def test_inference_contexts_are_counted_in_all_threads() -> None:
    def enter() -> None:
        for _ in range(300):
            with torch.inference_mode():
                assert torch.ones(1).is_inference()
            assert not torch.ones(1).is_inference()

    at_once(*[enter] * THREADS)
    assert INFERENCE_CONTEXTS.count == 0


def test_the_counter_of_free_threaded_builds_gives_each_number_once() -> None:
    counter, got = LockedCounter(3), []
    at_once(*[lambda: got.extend(next(counter) for _ in range(2000))] * 4)
    assert sorted(got) == list(range(3, 8003))


def test_without_one_thread_at_a_time_no_reference_count_decides() -> None:
    program = """
import sys
sys._is_gil_enabled = lambda: False
import numpy as np
import rushlight as torch
from rushlight.autograd import accumulate, engine, threads
from rushlight.autograd.node import clock
assert not threads.ONE_AT_A_TIME and accumulate._ALONE == engine._ONLY_IN_DICT == -1
assert type(clock) is threads.LockedCounter
x = torch.ones(20_000, requires_grad=True)
g = torch.ones(20_000)
(x + x + x.exp() * 0 + x).backward(g)
assert (x.grad.numpy() == 3).all() and (g.numpy() == 1).all()
"""
    run_fresh(program)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_lock_is_free_in_a_forked_process() -> None:
    lock, held, leave = shared_lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            leave.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    pid = os.fork()
    if not pid:
        os._exit(0 if lock.acquire(timeout=5) else 1)
    leave.set()
    holder.join()
    assert os.waitpid(pid, 0)[1] == 0
    assert threads.WRITING.acquire(blocking=False)
    threads.WRITING.release()


INTERRUPTED = """
import importlib, sys
from importlib.machinery import SourceFileLoader
import rushlight
names = [n for n in sys.modules if n.startswith("rushlight.")]
def forget():
    for name in [n for n in sys.modules if n == "rushlight" or n.startswith("rushlight.")]:
        del sys.modules[name]
run = SourceFileLoader.exec_module
def interrupted(self, module):
    run(self, module)
    if module.__name__ == target:
        raise KeyboardInterrupt
for target in names[::STEP]:
    forget()
    SourceFileLoader.exec_module = interrupted
    try: import rushlight
    except KeyboardInterrupt: pass
    SourceFileLoader.exec_module = run
    import rushlight as torch
    x = torch.ones(2, requires_grad=True)
    (x.exp() * x).sum().backward()
    assert abs(x.grad[0].item() - 5.4366) < 1e-3, target
"""


def test_an_import_that_was_broken_off_can_be_repeated() -> None:
    run_fresh(INTERRUPTED.replace("STEP", "9"))
