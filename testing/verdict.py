"""The verdicts of a gradient check, and their messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import isfinite, isnan
from typing import Any

from .recipe import Recipe


class Verdict(Enum):
    """The verdict on a gradient at one point."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_DIFFERENTIABLE = "not differentiable here"
    UNDECIDED = "too ill-conditioned to tell"


@dataclass
class Finding:
    """One comparison: what backward claims, what differences measure, and where."""

    verdict: Verdict
    order: int
    claimed: float
    measured: float
    error: float
    left: float = float("nan")
    right: float = float("nan")
    note: str = ""
    name: str = ""
    index: tuple[int, ...] | None = None
    output: str = ""
    rate: float = float("nan")
    culprit: str = ""
    size: float = 0.0

    @property
    def factor(self) -> float:
        """How many times too large the claimed gradient is."""
        return self.claimed / self.measured if self.measured else float("nan")

    @property
    def relative(self) -> float:
        """The difference of both values, relative to the measured one."""
        return abs(self.claimed - self.measured) / abs(self.measured) if self.measured else float("inf")

    @property
    def convention(self) -> str:
        """Which of the slopes that meet at a kink the engine took."""
        low, high = sorted((self.left, self.right))
        near = 1e-6 * max(abs(low), abs(high), 1e-30)
        names = {
            "the left slope": self.left,
            "the right slope": self.right,
            "the mean of both slopes": (low + high) / 2,
        }
        for name, value in names.items():
            if abs(self.claimed - value) <= near:
                return name
        if not self.claimed:
            return "zero"
        return "a value between the slopes" if low <= self.claimed <= high else "neither slope nor a value between"

    def rescaled(self, step: float) -> Finding:
        """Return the finding for a step of 1, measured with ``step``."""
        for name in ("claimed", "measured", "error", "left", "right", "size"):
            setattr(self, name, getattr(self, name) / step)
        return self

    def where(self) -> str:
        """Return the place: order, output, input and index."""
        place = self.name + ("" if self.index is None else f"[{', '.join(map(str, self.index))}]" if self.index else "")
        along = place or "a random direction"
        return f"order {self.order}, {self.output + ' ' if self.output else ''}with respect to {along}"

    def lines(self) -> list[str]:
        """Return the finding in words, one fact a line."""
        rows = [
            ("backward gives", f"{self.claimed!r}"),
            ("differences give", f"{self.measured!r} (± {self.error:.1g})"),
        ]
        if self.verdict is Verdict.NOT_DIFFERENTIABLE or isfinite(self.left):
            rows += [("slopes", f"{self.left:.6g} to the left, {self.right:.6g} to the right")]
            rows += [("backward took", self.convention)]
        if self.verdict is Verdict.WRONG and self.measured and isfinite(self.claimed):
            rows += [("factor", f"{self.factor:.6g}"), ("relative error", f"{self.relative:.3g}")]
        if not isnan(self.rate):
            rows += [("Taylor remainder", f"falls as h^{self.rate:.2f}; with a right gradient as h^2 or faster")]
        rows += [("note", self.note)] * bool(self.note) + [("made by", self.culprit)] * bool(self.culprit)
        return [f"{self.verdict.value}: {self.where()}", *(f"  {name:<17} {text}" for name, text in rows)]


ORDER = (Verdict.WRONG, Verdict.UNDECIDED, Verdict.NOT_DIFFERENTIABLE, Verdict.RIGHT)


@dataclass
class Report:
    """All that a check found. ``verdict`` is the worst of ``findings``; ``evaluations`` counts forward passes."""

    function: str
    recipe: Recipe
    findings: list[Finding] = field(default_factory=list)
    evaluations: int = 0
    dtype: str = ""

    @property
    def inputs(self) -> list[tuple[str, Any]]:
        """The inputs by name."""
        return self.recipe.inputs

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all findings."""
        found = {finding.verdict for finding in self.findings}
        return next((verdict for verdict in ORDER if verdict in found), Verdict.RIGHT)

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the gradient: right, or a slope that a kink allows."""
        return self.verdict in {Verdict.RIGHT, Verdict.NOT_DIFFERENTIABLE}

    def worst(self) -> Finding | None:
        """Return the finding that decided the verdict, None if nothing was compared."""
        return next((f for verdict in ORDER for f in self.findings if f.verdict is verdict), None)

    def __str__(self) -> str:
        worst = self.worst()
        if worst is None:
            return f"gradient of {self.function}: nothing to compare"
        if worst.verdict is Verdict.RIGHT:
            orders = max(finding.order for finding in self.findings)
            upto = f"order 1 to {orders}" if orders > 1 else "order 1"
            return f"gradient of {self.function} is right: {upto}, {self.evaluations} forward passes"
        text = [f"gradient of {self.function} is {worst.lines()[0]}", *worst.lines()[1:]]
        if not self.ok:
            text += [f"  {'dtype':<17} {self.dtype}", str(self.recipe)]
        return "\n".join(text)


class GradientError(AssertionError):
    """A gradient is wrong, or cannot be told from a wrong one. ``report`` has the details."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report
        self.recipe = report.recipe

    def __str__(self) -> str:
        return str(self.report)
