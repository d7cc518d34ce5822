"""Whether steps are recorded, and who is told of them.

The state lives in context variables, so every thread and every async task has its own.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from .version import INFERENCE, Version


class Observer:
    """Looks at every node as it is recorded: base of anomaly detection, saved-tensor hooks, tracing, forward mode."""

    reverse = True  # whether what it sees is recorded for a walk backward

    def node_made(self, node: Any, value: Any) -> bool | None:
        """Be told of ``node``, not yet seen by anyone, and of the array (or arrays) it stands for; True drops it."""


recording: ContextVar[bool | Observer] = ContextVar("recording", default=True)
"""``False``, ``True``, or an :class:`Observer` that looks at each node as it is made."""
observer: ContextVar[Observer | None] = ContextVar("observer", default=None)
"""Who looks on while recording is on."""
unrecorded: ContextVar[bool | Observer] = ContextVar("unrecorded", default=False)
"""What ``recording`` is while it is off: ``False``, or who works out tangents, which goes on under ``no_grad``."""
inference_version: ContextVar[Version | None] = ContextVar("inference_version", default=None)
"""The version a new tensor starts with: none yet, or in inference mode one that forbids to be saved."""
recording.set(True)
unrecorded.set(False)
inference_version.set(None)  # reading one at its default takes longer: benchmarks/claims.py


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
    return (mode := recording.get()) is True or (not isinstance(mode, bool) and mode.reverse)


def is_inference_mode_enabled() -> bool:
    """Return whether :class:`inference_mode` is on."""
    return inference_version.get() is INFERENCE


def set_recording(on: bool) -> None:
    """Switch recording on, for who looks on too, or off."""
    recording.set((observer.get() or True) if on else unrecorded.get())


class Recording:
    """Context in which recording is on or off: :class:`no_grad` for one use, at half the price (claims.py)."""

    __slots__ = ("before", "on")

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        self.before = recording.get()
        if self.on:
            set_recording(True)
        else:
            recording.set(unrecorded.get())

    def __exit__(self, *_: object) -> None:
        recording.set(self.before)
