"""Whether steps are recorded, and who is told of them.

The state lives in context variables, so every thread and every async task has its own.
"""

from __future__ import annotations

from contextvars import ContextVar

from .observers import Observer, Observers, observers
from .version import INFERENCE, Version

recording: ContextVar[bool | Observer] = ContextVar("recording", default=True)
"""``False``, ``True``, or an :class:`Observer` that looks at each node as it is made."""


inference_version: ContextVar[Version | None] = ContextVar("inference_version", default=None)
"""The version a new tensor starts with: none yet, or in inference mode one that forbids to be saved."""


recording.set(True)


inference_version.set(None)  # a context variable that was set is read four times as fast as one at its default


class _InferenceContexts:
    """How many inference-mode contexts are open, in all threads: while there is none, nobody reads the variable."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


INFERENCE_CONTEXTS = _InferenceContexts()


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


def set_recording(on: bool) -> None:
    """Switch recording on, for those who look on too, or off."""
    told = observers.get()
    recording.set((told[0] if len(told) == 1 else Observers(told)) if on and told else on)


class Recording:
    """Context in which recording is on or off: what :class:`no_grad` is to users, for one use and at half the price."""

    __slots__ = ("before", "on")

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        self.before = recording.get()
        if self.on:
            set_recording(True)
        else:
            recording.set(False)

    def __exit__(self, *_: object) -> None:
        recording.set(self.before)


class Watch:
    """Context in which ``observer`` is told of every recorded node."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.before: list[tuple[Observer, ...]] = []

    def __enter__(self) -> Observer:
        self.before.append(observers.get())
        observers.set((*observers.get(), self.observer))
        set_recording(is_grad_enabled())
        return self.observer

    def __exit__(self, *_: object) -> None:
        observers.set(self.before.pop())
        set_recording(is_grad_enabled())


def remove_observer(observer: Observer) -> None:
    """Tell ``observer`` no more."""
    observers.set(tuple(each for each in observers.get() if each is not observer))
    set_recording(is_grad_enabled())
