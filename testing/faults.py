"""Faults planted into known rules, one at a time: what a suite of tests does not notice, it does not test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..autograd.codegen.inline import names_of
from ..autograd.primitive import PRIMITIVES
from ..autograd.variable import Variable

COMMON = (
    "exp", "log", "sin", "cos", "tanh", "sigmoid", "sqrt", "relu", "mul", "div", "pow_tensor", "sum", "mean", "mm",
    "softmax", "log_softmax", "transpose", "getitem", "cat", "where", "amax", "cumsum", "abs",
)  # fmt: skip
"""The ops that faults are planted into, unless others are named."""


def _scaled(part: Any) -> Any:
    return part * 1.01


def _flipped(part: Any) -> Any:
    return -part


def _dropped(part: Any) -> Any:
    return part * 0


def _cut(part: Any) -> Any:
    return part.detach() if isinstance(part, Variable) else part  # type: ignore[attr-defined]


def _turned(part: Any) -> Any:
    return part[::1] if part.ndim == 0 else (part.flip(0) if isinstance(part, Variable) else part[::-1].copy())  # type: ignore[attr-defined]


KINDS: dict[str, Callable[[Any], Any]] = {
    "one percent too large": _scaled,
    "of the wrong sign": _flipped,
    "dropped": _dropped,
    "cut from the graph": _cut,
    "in reverse order": _turned,
}


@dataclass(frozen=True)
class Fault:
    """One rule gone wrong: the gradient of ``op`` by ``input`` is ``kind``. Used in a ``with`` block it is planted."""

    op: str
    input: str
    kind: str

    def __str__(self) -> str:
        return f"{self.op}: the gradient of {self.input} is {self.kind}"

    @contextmanager
    def planted(self) -> Iterator[Fault]:
        """Context in which the rule is wrong, in every graph."""
        primitive = PRIMITIVES[self.op]
        before, joint = dict(primitive.rules), primitive.joint
        place = primitive.inputs.index(self.input)
        spoil = KINDS[self.kind]
        if joint is not None or primitive.many:
            rule = _joint(joint or before[self.input], place if joint is not None else 0, spoil)
            primitive.joint = rule if joint is not None else None
            primitive.rules.update(dict.fromkeys(primitive.inputs if joint is not None else [self.input], rule))
        else:
            primitive.rules[self.input] = _single(before[self.input], spoil)
        _rewrite(primitive)
        try:
            yield self
        finally:
            primitive.rules.update(before)
            primitive.joint = joint
            _rewrite(primitive)


def _rewrite(primitive: Any) -> None:
    """Generate the vjp again from the current rules."""
    for op in primitive.backwards.values():
        op.vjp = primitive._first_vjp


def _single(rule: Any, spoil: Callable[[Any], Any]) -> Any:
    return _as(rule, lambda *args: spoil(rule(*args)))


def _joint(rule: Any, place: int, spoil: Callable[[Any], Any]) -> Any:
    def run(*args: Any) -> tuple[Any, ...]:
        parts = list(rule(*args))
        if parts[place] is not None:
            parts[place] = spoil(parts[place])
        return tuple(parts)

    return _as(rule, run)


def _as(rule: Any, run: Callable[..., Any]) -> Any:
    """Return ``run`` with the parameters of ``rule``, by whose names it is called."""
    names = ", ".join(names_of(rule))
    return eval(f"lambda {names}: run({names})", {"run": run})


def planted_faults(ops: Iterable[str] | None = None, kinds: Iterable[str] | None = None) -> Iterator[Fault]:
    """Yield faults for the rules of ``ops``: names of primitives, by default those that networks are made of.

    Test your own test suite with them: with each planted, it must fail.

    >>> from rushlight.testing import check_gradient, planted_faults
    >>> import rushlight as torch
    >>> fault = next(planted_faults(["exp"]))
    >>> print(fault)
    exp: the gradient of input is one percent too large
    >>> x = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    >>> with fault.planted():
    ...     print(check_gradient(torch.exp, x, raise_exception=False).verdict)
    Verdict.WRONG
    """
    for name in COMMON if ops is None else ops:
        if name not in PRIMITIVES:
            raise ValueError(f"planted_faults: there is no op called {name!r}")
        for each in PRIMITIVES[name].inputs:
            for kind in KINDS if kinds is None else kinds:
                yield Fault(name, each, kind)


def surviving_faults(suite: Callable[[], Any], faults: Iterable[Fault] | None = None) -> list[Fault]:
    """Return the faults that ``suite()`` does not notice: it must raise while one is planted, and only then.

    AssertionError if the suite fails without any fault.
    """
    try:
        suite()
    except Exception as error:
        raise AssertionError("surviving_faults: the suite fails without any fault") from error
    survivors: list[Fault] = []
    for fault in planted_faults() if faults is None else faults:
        with fault.planted():
            try:
                suite()
            except Exception:
                continue
        survivors.append(fault)
    return survivors
