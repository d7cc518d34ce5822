"""When operations are recorded: ``no_grad`` and its kin.

The state lives in context variables, so every thread and every async task has its own.
``recording`` holds ``False``, ``True``, or an :class:`Observer` that looks at each node as it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from inspect import CO_COROUTINE, CO_GENERATOR
from typing import Any, Self, TypeVar, cast, overload

from .version import INFERENCE, Version

F = TypeVar("F", bound=Callable[..., Any])


class Observer:
    """Looks at every node as it is recorded: base of anomaly detection, saved-tensor hooks, tracing."""

    def node_made(self, node: Any, value: Any) -> None:
        """Be told of ``node``, complete but not yet seen by anyone, and of the array (or arrays) it stands for."""


class Observers(Observer):
    """Several observers, told in the order in which they were entered."""

    def __init__(self, members: tuple[Observer, ...]) -> None:
        self.members = members

    def node_made(self, node: Any, value: Any) -> None:
        """Tell each of them about a new node."""
        for member in self.members:
            member.node_made(node, value)


recording: ContextVar[bool | Observer] = ContextVar("recording", default=True)
observers: ContextVar[tuple[Observer, ...]] = ContextVar("observers", default=())
inference_version: ContextVar[Version | None] = ContextVar("fresh", default=None)
"""The version a new tensor starts with: none yet, or in inference mode one that forbids to be saved."""


class _Inferring:
    """How many inference-mode contexts are open, in all threads; while there is none, nobody asks for ``fresh``."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


INFERENCE_CONTEXTS = _Inferring()
recording.set(True)
inference_version.set(None)  # a context variable that was set is read four times as fast as one at its default


def is_grad_enabled() -> bool:
    """Return whether operations are recorded now.

    >>> import rushlight as torch
    >>> with torch.no_grad():
    ...     torch.is_grad_enabled()
    False
    """
    return recording.get() is not False


def is_inference_mode_enabled() -> bool:
    """Return whether :class:`inference_mode` is on."""
    return inference_version.get() is INFERENCE


def _set(on: bool) -> None:
    seen = observers.get()
    recording.set((seen[0] if len(seen) == 1 else Observers(seen)) if on and seen else on)


class Watch:
    """Context in which ``observer`` is told of every recorded node."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.before: list[tuple[Observer, ...]] = []

    def __enter__(self) -> Observer:
        self.before.append(observers.get())
        observers.set((*observers.get(), self.observer))
        _set(is_grad_enabled())
        return self.observer

    def __exit__(self, *_: object) -> None:
        observers.set(self.before.pop())
        _set(is_grad_enabled())


def remove_observer(observer: Observer) -> None:
    """Tell ``observer`` no more."""
    observers.set(tuple(each for each in observers.get() if each is not observer))
    _set(is_grad_enabled())


class Recording:
    """Context in which recording is on or off: what :class:`no_grad` is to users, for one use and at half the price."""

    __slots__ = ("before", "on")

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        self.before = recording.get()
        if self.on:
            _set(True)
        else:
            recording.set(False)

    def __exit__(self, *_: object) -> None:
        recording.set(self.before)


class Mode:
    """A setting that holds inside ``with``, or inside a function that it decorates."""

    def __enter__(self) -> Any:
        raise TypeError(f"{type(self).__name__} is abstract")

    def __exit__(self, *_: object) -> None:
        raise TypeError(f"{type(self).__name__} is abstract")

    def _again(self) -> Self:
        return type(self)()

    def __call__(self, fn: F) -> F:
        """Return ``fn`` (function, method, generator or coroutine function) run in this mode."""
        again = self._again
        flags = fn.__code__.co_flags if hasattr(fn, "__code__") else 0
        if flags & CO_GENERATOR:

            @wraps(fn)
            def generator(*args: Any, **kwargs: Any) -> Any:
                return (yield from _stepwise(fn(*args, **kwargs), again))

            return cast(F, generator)
        if flags & CO_COROUTINE:

            @wraps(fn)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with again():
                    return await fn(*args, **kwargs)

            return cast(F, coroutine)

        @wraps(fn)
        def function(*args: Any, **kwargs: Any) -> Any:
            with again():
                return fn(*args, **kwargs)

        return cast(F, function)


def _stepwise(generator: Any, again: Callable[[], Any]) -> Any:
    """Run each step of ``generator`` in the mode, and its caller's code between steps outside of it."""
    try:
        with again():
            item = next(generator)
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                with again():
                    generator.close()
                raise
            except BaseException as error:
                with again():
                    item = generator.throw(error)
            else:
                with again():
                    item = generator.send(sent)
    except StopIteration as stop:
        return stop.value


class _Switch(Mode):
    """A mode that sets recording on or off."""

    on: bool

    @overload
    def __new__(cls) -> Self: ...

    @overload
    def __new__(cls, fn: F) -> F: ...  # type: ignore[misc]  # not the class: a decorated function

    def __new__(cls, fn: Any = None) -> Any:
        made = super().__new__(cls)
        made.before = []
        return made if fn is None else made(fn)  # @no_grad and @no_grad() both decorate

    before: list[bool]

    def __enter__(self) -> None:
        self.before.append(is_grad_enabled())
        _set(self.on)

    def __exit__(self, *_: object) -> None:
        _set(self.before.pop())


class no_grad(_Switch):
    """Context manager and decorator: nothing inside is recorded, results need no gradient.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    on = False


class enable_grad(_Switch):
    """Context manager and decorator: recording is on inside, also within :class:`no_grad`."""

    on = True


class set_grad_enabled(Mode):
    """Turn recording on or off: at once as a call, and until the end of the block as a context."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self.before = [is_grad_enabled()]
        _set(self.mode)

    def _again(self) -> Self:
        return type(self)(self.mode)

    def __call__(self, fn: F) -> F:
        """Return ``fn`` run in this mode, and leave the mode of the caller as it was."""
        _set(self.before[0])  # as a decorator it acts on the function alone
        return super().__call__(fn)

    def __enter__(self) -> None:
        _set(self.mode)

    def __exit__(self, *_: object) -> None:
        _set(self.before[0])


class inference_mode(Mode):
    """Like :class:`no_grad`; besides, its results can never be saved for a backward pass."""

    @overload
    def __new__(cls, mode: bool = True) -> Self: ...

    @overload
    def __new__(cls, mode: F) -> F: ...  # type: ignore[misc]  # not the class: a decorated function

    def __new__(cls, mode: Any = True) -> Any:
        """Return the mode, or, used as a decorator without parentheses, the function in it."""
        made = super().__new__(cls)
        made.mode, made.before = mode if isinstance(mode, bool) else True, []
        return made(mode) if callable(mode) else made

    mode: bool
    before: list[tuple[bool, Version | None]]

    def _again(self) -> Self:
        return type(self)(self.mode)

    def __enter__(self) -> None:
        self.before.append((is_grad_enabled(), inference_version.get()))
        INFERENCE_CONTEXTS.count += 1
        inference_version.set(INFERENCE if self.mode else None)
        _set(not self.mode)

    def __exit__(self, *_: object) -> None:
        on, version = self.before.pop()
        INFERENCE_CONTEXTS.count -= 1
        inference_version.set(version)
        _set(on)
