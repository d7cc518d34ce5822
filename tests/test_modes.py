"""no_grad, enable_grad, set_grad_enabled, inference_mode: as contexts and decorators, in threads and tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rushlight as torch
from rushlight.autograd.observers import Watch
from rushlight.autograd.recording import Observer


def leaf() -> Any:
    return torch.tensor([1.0, 2.0], requires_grad=True)


def recorded() -> bool:
    """Whether operations are recorded, as the flag says and as an operation shows."""
    on: bool = (leaf() * 2.0).requires_grad
    assert on == torch.is_grad_enabled()
    return on


MODES: list[tuple[str, Callable[[], Any], bool]] = [
    ("no_grad", torch.no_grad, False),
    ("enable_grad", torch.enable_grad, True),
    ("set_grad_enabled(False)", lambda: torch.set_grad_enabled(False), False),
    ("set_grad_enabled(True)", lambda: torch.set_grad_enabled(True), True),
    ("inference_mode", torch.inference_mode, False),
    ("inference_mode(False)", lambda: torch.inference_mode(False), True),
]
every_mode = pytest.mark.parametrize(("make", "on"), [m[1:] for m in MODES], ids=[m[0] for m in MODES])
both_outside = pytest.mark.parametrize("outside", [True, False])


@every_mode
@both_outside
def test_context(make: Callable[[], Any], on: bool, outside: bool) -> None:
    with torch.set_grad_enabled(outside):
        with make():
            assert recorded() is on
        assert recorded() is outside
    assert recorded()


@every_mode
@both_outside
def test_an_exception_passes_and_the_mode_ends(make: Callable[[], Any], on: bool, outside: bool) -> None:
    with torch.set_grad_enabled(outside):
        with pytest.raises(KeyError), make():
            raise KeyError
        assert recorded() is outside


@every_mode
def test_one_object_nests_and_serves_again(make: Callable[[], Any], on: bool) -> None:
    mode = make()
    with mode:
        with torch.set_grad_enabled(not on):
            assert recorded() is not on
        assert recorded() is on
    with mode:
        assert recorded() is on
    assert recorded() is True or "set_grad" in type(mode).__name__
    torch.set_grad_enabled(True)


@pytest.mark.parametrize("mode", [torch.no_grad(), torch.enable_grad(), torch.inference_mode()])
def test_one_object_inside_itself(mode: Any) -> None:
    with torch.enable_grad():
        with mode, mode:
            pass
        assert recorded()


@every_mode
@both_outside
def test_decorated_function(make: Callable[[], Any], on: bool, outside: bool) -> None:
    torch.set_grad_enabled(outside)
    try:

        @make()
        def function(a: int, *, b: int = 2) -> tuple[bool, int, int]:
            """Doc."""
            return recorded(), a, b

        assert recorded() is outside, "to decorate changes nothing"
        assert function(1, b=3) == (on, 1, 3)
        assert function(1) == (on, 1, 2)
        assert function.__name__ == "function"
        assert function.__doc__ == "Doc."
        assert recorded() is outside
    finally:
        torch.set_grad_enabled(True)


@pytest.mark.parametrize("decorate", [torch.no_grad, torch.inference_mode])
def test_decorator_without_parentheses(decorate: Any) -> None:
    @decorate
    def function() -> bool:
        return recorded()

    assert function() is False
    assert recorded()


def test_enable_grad_without_parentheses() -> None:
    @torch.enable_grad
    def function() -> bool:
        return recorded()

    with torch.no_grad():
        assert function() is True
        assert not recorded()


def test_decorated_method_and_recursion() -> None:
    class Thing:
        @torch.no_grad()
        def method(self, depth: int) -> list[bool]:
            return [recorded(), *(self.method(depth - 1) if depth else [])]

    assert Thing().method(3) == [False] * 4
    assert recorded()


def test_decorated_function_that_raises() -> None:
    @torch.no_grad()
    def function() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        function()
    assert recorded()


# ------------------------------------------------------------------ generators


@every_mode
@both_outside
def test_generator(make: Callable[[], Any], on: bool, outside: bool) -> None:
    """Each step runs in the mode; the caller between steps does not."""
    torch.set_grad_enabled(outside)
    try:

        @make()
        def generator() -> Iterator[bool]:
            for _ in range(3):
                yield recorded()

        assert recorded() is outside
        for inside in generator():
            assert inside is on
            assert recorded() is outside
    finally:
        torch.set_grad_enabled(True)


def test_generator_send_throw_return_and_close() -> None:
    seen: list[Any] = []

    @torch.no_grad()
    def generator() -> Any:
        try:
            got = yield 1
            seen.append((got, recorded()))
            try:
                yield 2
            except KeyError:
                seen.append(("thrown", recorded()))
            yield 3
            return "end"
        finally:
            seen.append(("finally", recorded()))

    def outer() -> Any:
        seen.append((yield from generator()))

    run = outer()
    assert next(run) == 1
    assert run.send("sent") == 2
    assert run.throw(KeyError()) == 3
    with pytest.raises(StopIteration):
        next(run)
    assert seen == [("sent", False), ("thrown", False), ("finally", False), "end"]
    seen.clear()
    run = generator()
    next(run)
    assert recorded()
    run.close()
    assert seen == [("finally", False)]
    assert recorded()


def test_generator_that_raises_or_changes_the_mode() -> None:
    @torch.no_grad()
    def generator() -> Iterator[bool]:
        torch.set_grad_enabled(True)
        yield recorded()
        raise KeyError

    run = generator()
    assert next(run) is True
    assert recorded()
    with pytest.raises(KeyError):
        next(run)
    assert recorded()


# ------------------------------------------------------------------ threads and tasks


def test_a_new_thread_records() -> None:
    seen: list[bool] = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(recorded()))
        thread.start()
        thread.join()
        assert seen == [True]
        assert not recorded()


def test_threads_do_not_disturb_each_other() -> None:
    barrier, wrong = threading.Barrier(4), []

    def work(on: bool) -> None:
        for _ in range(20):
            with torch.set_grad_enabled(on):
                barrier.wait()
                if recorded() is not on:
                    wrong.append(on)
                barrier.wait()

    threads = [threading.Thread(target=work, args=(n % 2 == 0,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert recorded()


def test_tasks_do_not_disturb_each_other() -> None:
    async def work(on: bool) -> list[bool]:
        seen = []
        with torch.set_grad_enabled(on):
            for _ in range(5):
                await asyncio.sleep(0)
                seen.append(recorded())
        return seen

    async def main() -> list[list[bool]]:
        return await asyncio.gather(work(True), work(False), work(True))

    assert asyncio.run(main()) == [[True] * 5, [False] * 5, [True] * 5]
    assert recorded()


def test_decorated_coroutine() -> None:
    @torch.no_grad()
    async def inside() -> bool:
        await asyncio.sleep(0)
        return recorded()

    async def outside() -> list[bool]:
        seen = []
        for _ in range(4):
            seen.append(recorded())
            await asyncio.sleep(0)
        return seen

    async def main() -> Any:
        return await asyncio.gather(inside(), outside(), inside())

    assert asyncio.run(main()) == [False, [True] * 4, False]
    assert recorded()


# ------------------------------------------------------------------ set_grad_enabled and inference_mode


def test_set_grad_enabled_acts_at_once() -> None:
    try:
        torch.set_grad_enabled(False)
        assert not recorded()
        torch.set_grad_enabled(True)
        assert recorded()
    finally:
        torch.set_grad_enabled(True)


def test_set_grad_enabled_takes_effect_before_with() -> None:
    mode = torch.set_grad_enabled(False)
    assert not recorded()
    with mode:
        assert not recorded()
    assert recorded()


def test_no_grad_does_not_hide_a_leaf_that_is_made_inside() -> None:
    with torch.no_grad():
        x = leaf()
        assert x.requires_grad
    assert (x * 2.0).requires_grad


def test_inference_tensors_cannot_be_saved() -> None:
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled()
        x = leaf() * 2.0
        assert x.is_inference()
        view = x[0:1]
        assert view.is_inference()
    assert not torch.is_inference_mode_enabled()
    y = leaf()
    for bad in (x, view):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            y * bad
    assert not (x * 2.0).requires_grad
    (y + x).sum().backward()  # saves nothing
    (y * x.clone()).sum().backward()


def test_enable_grad_and_false_inside_inference_mode() -> None:
    with torch.inference_mode():
        with torch.inference_mode(False):
            assert recorded()
            assert not (torch.tensor([1.0]) * 2.0).is_inference()
        assert torch.is_inference_mode_enabled()
        assert not torch.is_grad_enabled()


def test_inference_mode_of_a_normal_tensor() -> None:
    x = torch.tensor([1.0, 2.0])
    with torch.inference_mode():
        x.mul_(2.0)
    assert not x.is_inference()
    (leaf() * x).sum().backward()


def test_an_observer_sees_the_steps_of_a_view_that_is_looked_at_again() -> None:
    """Also where the view is first used after the write under ``no_grad``."""

    class Names(Observer):
        def __init__(self) -> None:
            self.names: list[str] = []

        def node_made(self, node: Any, value: Any) -> None:
            self.names.append(node.name())

    base = torch.ones(2, 3, requires_grad=True) * 1
    seen = Names()
    with Watch(seen):
        view = base.t()
        base.mul_(2)
        with torch.no_grad():
            view.sum()
    assert seen.names == ["TBackward0", "MulBackward0", "TBackward0"]
