"""``check_gradient``: is the gradient right at this point? One call, four answers, no tolerance."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from .judge import Line, Point, derived
from .locate import locate
from .recipe import recipe
from .slopes import complex_slope
from .subject import Array, Arrays, Function, called
from .trace import blame
from .verdict import Finding, GradientError, Report, Verdict

METHODS = ("auto", "differences", "complex")
DEFAULTS: dict[str, Any] = {"order": 2, "directions": 2, "full": False, "vjp": None, "method": "auto"}


def check_gradient(
    fn: Callable[..., Any],
    *inputs: Any,
    order: int = 2,
    directions: int = 2,
    full: bool = False,
    vjp: Callable[..., Any] | None = None,
    method: str = "auto",
    seed: int = 0,
    raise_exception: bool = True,
) -> Report:
    """Return a report on the gradient of ``fn`` at ``inputs``: right, wrong, not differentiable here, or undecided.

    Compared are derivatives along random ``directions``, of the outputs weighed at random: two forward passes each
    where the case is clear, more where it is not. Every entry of the gradient takes part. ``full`` compares the whole
    Jacobian entry by entry instead. Order 2 compares the gradient's gradient in the same way, by the incoming
    gradient also, and so on. The answer rests on an estimate of the differences' own error, not on a tolerance.

    Floating tensors that require grad are moved, or all if none does; a Module's parameters too. Lists and dicts
    of tensors are fine. Wrong and undecided raise :class:`GradientError`; with ``raise_exception=False`` they do not.
    At a kink any slope between those to the left and to the right is accepted, and the report says which was taken.

    For functions of another library give ``vjp(inputs, weights)``, which returns the gradients of the outputs, weighed,
    by each input, all as arrays; then only order 1 is checked, and ``method`` may say ``"complex"``: differentiate
    numerically by a complex step, exact to rounding, for functions that are analytic. ``"auto"`` tries that and falls
    back to differences.

    >>> import rushlight as torch
    >>> x = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
    >>> torch.testing.check_gradient(lambda x: x.exp() * x, x).verdict
    <Verdict.RIGHT: 'right'>
    >>> zero = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    >>> print(torch.testing.check_gradient(torch.relu, zero).worst().convention)
    the left slope
    """
    __tracebackhide__ = True
    if order < 1 or directions < 1:
        raise ValueError(f"check_gradient: order and directions must be at least 1, not {order} and {directions}")
    if method not in METHODS or (method == "complex" and vjp is None):
        raise ValueError(f"check_gradient: method must be one of {METHODS}, 'complex' only with vjp, not {method!r}")
    subject: Any = Function(fn, inputs) if vjp is None else Arrays(fn, inputs, vjp)
    given = {"order": order, "directions": directions, "full": full, "vjp": vjp, "method": method}
    options = {name: value for name, value in given.items() if value != DEFAULTS[name]}
    report = Report(called(fn), recipe("check_gradient", fn, inputs, seed, **options))
    try:
        with np.errstate(all="ignore"):
            _orders(subject, report, order if vjp is None else 1, directions, full, method)
    finally:
        report.evaluations = subject.calls
        if vjp is None:
            subject.rest()
    worst = report.worst()
    if worst is not None and worst.verdict is Verdict.WRONG and vjp is None:
        worst.culprit = blame(fn, inputs, worst.order, seed)
    if raise_exception and not report.ok:
        raise GradientError(report)
    return report


def _orders(subject: Any, report: Report, order: int, directions: int, full: bool, method: str) -> None:
    """Add the findings of each order to ``report``; an order that is not smooth or not right ends it."""
    for number in range(1, order + 1):
        point = Point(subject, report.recipe.options["seed"], number)
        report.dtype = point.dtype
        if not point.count:
            raise ValueError(f"nothing to differentiate: {report.function} returns no floating tensor")
        if not any(v.size for v in subject.values) or not any(out.array.size for out in point.outputs):
            return
        if full:
            report.findings += _entries(point)
        else:
            for _ in range(directions):
                report.findings.append(_along(point, method))
                if report.findings[-1].verdict is Verdict.WRONG:
                    break
        if report.verdict is not Verdict.RIGHT or number == order:
            return
        subject = derived(point, point.direction())


def _along(point: Point, method: str) -> Finding:
    """Return the finding for one random direction; what is wrong is found down to the entry."""
    steps = point.direction()
    finding = point.judge(steps)
    if isinstance(point.subject, Arrays) and method != "differences":
        finding = _complex(point, steps, finding, method)
    return locate(point, steps, finding) if finding.verdict is not Verdict.RIGHT else finding


def _complex(point: Point, steps: list[Array], finding: Finding, method: str) -> Finding:
    """Return the finding by a complex step, if the function takes one and differences do not contradict it."""
    subject: Any = point.subject

    def phi(t: complex) -> complex:
        outs = subject.outputs([v + t * u for v, u in zip(subject.values, steps, strict=True)])
        outs = [outs[n] for n in point.places]
        return complex(sum(np.sum(w * out) for w, out in zip(point.weights, outs, strict=True)))

    try:
        value = complex_slope(phi)
    except Exception as error:  # whatever another library raises on complex numbers
        if method == "complex":
            raise ValueError(f"the function takes no complex numbers: {error!r}") from error
        return finding
    own = 64 * point.eps * max(finding.size, abs(value))
    if not isfinite(value) or not abs(value - finding.measured) <= finding.error + own:
        if method == "complex":
            raise ValueError("a complex step and differences disagree: the function is not analytic here")
        return finding
    verdict = Verdict.RIGHT if abs(value - finding.claimed) <= own else Verdict.WRONG
    return Finding(verdict, 1, finding.claimed, value, own, note="by a complex step", size=finding.size)


def _entries(point: Point) -> list[Finding]:
    """Return the findings for every entry of the Jacobian that is not right, or one for all if all are."""
    found: list[Finding] = []
    last: Finding | None = None
    rows = list(_rows(point))
    for number, value in enumerate(point.subject.values):
        for index in np.ndindex(value.shape):
            steps = [np.zeros(v.shape) for v in point.subject.values]
            steps[number][index] = point.scales[number]
            line = Line(point.subject, steps, point.weights, point.places)
            for output, weights, grads in rows:
                last = point.judge(steps, weights, grads, line.seen)
                last.name, last.index, last.output = point.subject.names[number], index, output
                if last.verdict is not Verdict.RIGHT:
                    found.append(last.rescaled(point.scales[number]))
    return found or ([] if last is None else [last])


def _rows(point: Point) -> Any:
    """Yield for each element of the outputs its name, the weights that single it out, and its gradient."""
    for number, out in enumerate(point.outputs):
        for index in np.ndindex(out.array.shape):
            weights = [np.zeros(each.array.shape) for each in point.outputs]
            weights[number][index] = 1
            place = f"output{number if len(point.outputs) > 1 else ''}"
            yield place + (f"[{', '.join(map(str, index))}]" if index else ""), weights, point.vjp(weights)
