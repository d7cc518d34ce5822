"""Anomaly detection: which line of the forward pass made the NaN that the backward pass ran into."""

from __future__ import annotations

import traceback
from contextvars import ContextVar
from sys import _getframe
from typing import Any
from warnings import warn

import numpy as np

from .multi_output import step_of
from .node import Node
from .observers import Watch, remove_observer
from .recording import Observer
from .variable import Variable


class Anomaly(Observer):
    """Notes where each node was made and looks for NaN in what it gives back."""

    def __init__(self, check_nan: bool) -> None:
        self.check_nan = check_nan

    def node_made(self, node: Node, value: Any) -> None:
        """Keep the stack of the call that made ``node``."""
        node.__dict__.setdefault("metadata", {})["traceback_"] = traceback.StackSummary.extract(
            traceback.walk_stack(_getframe(2)), limit=32, lookup_lines=False
        )

    def check(self, node: Node, parts: Any) -> None:
        """Raise RuntimeError if a gradient that ``node`` gave back holds NaN."""
        if not self.check_nan or step_of(node)[0] is not node:  # an output node only hands on what came
            return
        for number, part in enumerate(parts):
            array = part.array if isinstance(part, Variable) else part
            if array is not None and np.isnan(array).any():
                explain(node)
                raise RuntimeError(f"Function '{node.name()}' returned nan values in its {number}th output.")


def explain(node: Node) -> None:
    """Warn with the stack of the forward call that made ``node``, if it was noted."""
    stack = node.__dict__.get("metadata", {}).get("traceback_")
    if stack is None:
        where = (
            " No forward pass information available. Enable detect anomaly during forward pass for more information."
        )
    else:
        where = " Traceback of forward call that caused the error:\n" + "".join(reversed(stack.format()))
    warn(f"Error detected in {node.name()}.{where}", UserWarning, stacklevel=2)


anomaly: ContextVar[Anomaly | None] = ContextVar("anomaly", default=None)


def is_anomaly_enabled() -> bool:
    """Return whether anomaly detection is on."""
    return anomaly.get() is not None


class detect_anomaly:
    """Context in which backward names the forward line whose gradient turned to NaN, or raised.

    Slow: it keeps a stack for every node. ``check_nan=False`` only adds the line to errors.

    >>> import rushlight as torch
    >>> with torch.autograd.detect_anomaly():
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, check_nan: bool = True) -> None:
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            UserWarning,
            stacklevel=2,
        )
        self.watch = Anomaly(check_nan)
        self.contexts: list[tuple[Watch, Anomaly | None]] = []

    def __enter__(self) -> None:
        context = Watch(self.watch)
        self.contexts.append((context, anomaly.get()))
        context.__enter__()
        anomaly.set(self.watch)

    def __exit__(self, *details: object) -> None:
        context, before = self.contexts.pop()
        anomaly.set(before)
        context.__exit__(*details)


class set_detect_anomaly:
    """Turn anomaly detection on or off, at once as a call, until the end of the block as a context."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = anomaly.get()
        self.context = Watch(Anomaly(check_nan)) if mode else None
        if self.before is not None:
            remove_observer(self.before)
        if self.context is not None:
            self.context.__enter__()
            anomaly.set(self.context.observer)  # type: ignore[arg-type]
        else:
            anomaly.set(None)

    def __enter__(self) -> None:
        """Nothing is left to do."""

    def __exit__(self, *_: object) -> None:
        now = anomaly.get()
        if now is not None:
            remove_observer(now)
        if self.before is not None:
            Watch(self.before).__enter__()
        anomaly.set(self.before)
