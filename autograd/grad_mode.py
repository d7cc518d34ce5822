"""``no_grad`` and its kin: contexts and decorators that switch recording on and off.

https://pytorch.org/docs/stable/torch.html#locally-disabling-gradient-computation
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import CO_COROUTINE, CO_GENERATOR
from typing import Any, Self, TypeVar, cast, overload

from .recording import INFERENCE_CONTEXTS, inference_version, is_grad_enabled, recording, set_recording
from .threads import INFERENCE_LOCK
from .version import INFERENCE, Version

F = TypeVar("F", bound=Callable[..., Any])


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
        set_recording(self.on)

    def __exit__(self, *_: object) -> None:
        set_recording(self.before.pop())


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
        set_recording(self.mode)

    def _again(self) -> Self:
        return type(self)(self.mode)

    def __call__(self, fn: F) -> F:
        """Return ``fn`` run in this mode, and leave the mode of the caller as it was."""
        set_recording(self.before[0])  # as a decorator it acts on the function alone
        return super().__call__(fn)

    def __enter__(self) -> None:
        set_recording(self.mode)

    def __exit__(self, *_: object) -> None:
        set_recording(self.before[0])


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
        with INFERENCE_LOCK:
            INFERENCE_CONTEXTS.count += 1
        inference_version.set(INFERENCE if self.mode else None)
        set_recording(not self.mode)
        if self.mode:
            recording.set(False)  # forward mode is off too

    def __exit__(self, *_: object) -> None:
        on, version = self.before.pop()
        with INFERENCE_LOCK:
            INFERENCE_CONTEXTS.count -= 1
        inference_version.set(version)
        set_recording(on)
