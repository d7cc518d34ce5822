"""Which step of a graph is wrong: each is checked by itself, its own rule against its own forward."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from ..autograd.function import Function as UserFunction
from ..autograd.node import Node
from ..autograd.observers import Watch
from ..autograd.recording import Observer
from .judge import Point, derived
from .subject import Function, leaf, mapped
from .verdict import Finding, Verdict

_APPLY = UserFunction.apply.__func__.__code__  # type: ignore[attr-defined]
_PACKAGE = __name__.split(".", maxsplit=1)[0]


@dataclass
class Step:
    """One recorded step: its name, the call that made it, and the user's line that asked for it."""

    name: str
    function: Callable[..., Any]
    arguments: Any
    line: str = ""

    def run(self, arguments: Any) -> Any:
        """Return the step's result for ``arguments``."""
        given = dict(arguments)
        args, more = given.pop("*", ()), given.pop("**", {})
        return self.function(*args, **given, **more)

    def check(self, order: int, seed: int) -> Finding | None:
        """Return the first finding that is not right, None if all are."""
        subject: Any = Function(self.run, (self.arguments,))
        for number in range(1, order + 1):
            point = Point(subject, seed, number)
            if not any(out.array.size for out in point.outputs):
                return None
            finding = point.judge(point.direction())
            if finding.verdict is not Verdict.RIGHT:
                return finding
            subject = derived(point, point.direction())
        return None

    def __str__(self) -> str:
        return f"{self.name} at {self.line}" if self.line else self.name


class Recorder(Observer):
    """Context that notes the calls behind every recorded step."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.calls: dict[int, Any] = {}
        self.watch = Watch(self)

    def __enter__(self) -> Recorder:
        self.before = sys.getprofile()
        self.watch.__enter__()
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *details: object) -> None:
        sys.setprofile(self.before)
        self.watch.__exit__(*details)

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        """Keep the arguments of a call of an op, or of a Function's ``apply``, as they were before anything ran."""
        code = frame.f_code
        generated = code.co_name == "forward" and code.co_filename.startswith("<rushlight forward")
        if not generated and code is not _APPLY:
            return
        if event == "call":
            names = code.co_varnames[: code.co_argcount]
            found = frame.f_locals
            given = {"*": found["args"], "**": found["kwargs"]} if code is _APPLY else {n: found[n] for n in names}
            self.calls[id(frame)] = mapped(given, _copied)
        elif event == "return":
            self.calls.pop(id(frame), None)

    def node_made(self, node: Node, value: Any) -> None:
        """Note the step of ``node``."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and id(frame) not in self.calls:
            if frame.f_globals.get("__name__", "").split(".")[0] != _PACKAGE:
                return
            frame = frame.f_back
        if frame is None:
            return
        apply = frame.f_code is _APPLY
        function = frame.f_locals["cls"].apply if apply else frame.f_globals["this"].function
        arguments = self.calls[id(frame)]
        if not apply and "out" in arguments and "out" not in frame.f_globals["this"].params:
            arguments = {name: value for name, value in arguments.items() if name != "out"}
        self.steps.append(Step(node.name(), function, arguments, _asked(frame)))


def _copied(x: Any) -> Any:
    return leaf(np.array(x.array, order="K"), x.node is not None)


def _asked(frame: FrameType | None) -> str:
    """Return file, line and text of the nearest call from outside of the package."""
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] == _PACKAGE:
        frame = frame.f_back
    if frame is None:
        return ""
    file, number = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{number}: {linecache.getline(file, number).strip()}"


def steps_of(fn: Callable[..., Any], inputs: tuple[Any, ...]) -> list[Step]:
    """Return the recorded steps of ``fn(*inputs)``, oldest first."""
    subject = Function(fn, inputs)
    try:
        with Recorder() as recorder:
            subject.call(subject.values, True)
    finally:
        subject.rest()
    return recorder.steps


def bisect(fn: Callable[..., Any], *inputs: Any, order: int = 1, seed: int = 0) -> Step | None:
    """Return the first step of ``fn(*inputs)`` whose own rule disagrees with its own forward; None if all agree.

    Each recorded step is run again by itself, at the values it had, and its gradient is compared with differences. So
    the step that is wrong is found even if many follow, and faults that cancel are found too. Where all steps are
    right and the whole is wrong, something between them cuts the graph (``detach``, ``.data``, NumPy).

    >>> import rushlight as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> print(torch.testing.bisect(lambda x: (x.sin() * x).exp(), x))
    None
    """
    for step in steps_of(fn, inputs):
        finding = step.check(order, seed)
        if finding is not None and finding.verdict is Verdict.WRONG:
            return step
    return None


def blame(fn: Callable[..., Any], inputs: tuple[Any, ...], order: int, seed: int) -> str:
    """Return in words which step is wrong."""
    try:
        step = bisect(fn, *inputs, order=order, seed=seed)
    except Exception as error:  # a step that cannot be run again by itself must not hide the finding
        return f"unknown: a step could not be run by itself ({type(error).__name__}: {error})"
    if step is None:
        return (
            "no single step: every step's own rule agrees with its own forward, so something cuts the graph "
            "between them (detach, .data, NumPy, no_grad)"
        )
    return f"{step}, whose own rule disagrees with its own forward"
