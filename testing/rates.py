"""Checks without tolerance: how fast a Taylor remainder falls, and whether forward and reverse derivatives fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.functional import jvp as reverse_jvp
from .judge import Point, derived, drawn
from .recipe import recipe
from .subject import Function, called, floating, leaf
from .verdict import Finding, GradientError, Report, Verdict


def taylor_test(fn: Callable[..., Any], *inputs: Any, order: int = 1, seed: int = 0) -> float:
    """Return the power of the step by which the Taylor remainder of ``fn`` falls along a random direction.

    It must be ``order + 1`` or more (``inf`` where nothing but rounding remains), else GradientError is raised: a test
    without any tolerance, common where PDEs are solved (http://www.dolfin-adjoint.org). Order 1 tests the gradient,
    order 2 also the gradient of the gradient.

    >>> import rushlight as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> round(torch.testing.taylor_test(lambda x: x.sin(), x))
    2
    """
    __tracebackhide__ = True
    if order not in {1, 2}:
        raise ValueError(f"taylor_test: order must be 1 or 2, not {order}")
    subject = Function(fn, inputs)
    try:
        point = Point(subject, seed, 1)
        steps = point.direction()
        finding = point.judge(steps)
        terms = [finding.claimed]
        if order == 2:
            second = Point(derived(point, steps), seed, 2)
            grads = second.vjp([np.ones(())])
            terms.append(sum(float(np.sum(g * u)) for g, u in zip(grads, steps, strict=False)))
        power = point.remainder(steps, tuple(terms))
    finally:
        subject.rest()
    if not power > order + 0.9:
        finding.verdict, finding.rate, finding.order = Verdict.WRONG, power, order
        call = recipe("taylor_test", fn, inputs, seed, **({"order": order} if order > 1 else {}))
        raise GradientError(Report(called(fn), call, [finding], subject.calls, point.dtype))
    return power


def dot_product_test(
    fn: Callable[..., Any], *inputs: Any, jvp: Callable[..., Any] | None = None, seed: int = 0
) -> float:
    """Return by how much ``<w, J u>`` and ``<J^T w, u>`` differ, relative to their terms, for random ``u`` and ``w``.

    No differences are taken, so both agree to rounding; GradientError is raised where they do not. That shows whether
    forward and reverse derivatives belong together, not whether they are right: a fault in both stays hidden. The
    forward product is ``jvp(fn, inputs, u)``, which returns outputs and product; by default that of
    :mod:`rushlight.autograd.functional`. ``inputs`` are tensors.

    >>> import rushlight as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.testing.dot_product_test(lambda x: x.sin() * x.sum(), x) < 1e-12
    True
    """
    __tracebackhide__ = True
    subject = Function(fn, inputs)
    try:
        point = Point(subject, seed, 1)
        leaves = tuple(leaf(v, False) for v in subject.values)
        steps = [drawn(point.rng, v.shape).astype(v.dtype) for v in subject.values]
        steps[subject.count :] = [np.zeros_like(u) for u in steps[subject.count :]]  # parameters stay

        def outputs(*given: Any) -> tuple[Any, ...]:
            subject.start()
            return tuple(floating(subject.filled(list(given)))[n] for n in point.places)

        _, pushed = (jvp or reverse_jvp)(outputs, leaves, tuple(leaf(u, False) for u in steps))
    finally:
        subject.rest()
    forward = [w * np.asarray(y.array, np.float64) for w, y in zip(point.weights, pushed, strict=True)]
    back = [g * u for g, u in zip(point.grads, steps, strict=True)]
    ahead, behind = (float(sum(np.sum(part) for part in parts)) for parts in (forward, back))
    size = float(sum(np.abs(part).sum() for part in (*forward, *back)))
    off = abs(ahead - behind) / size if size else 0.0
    terms = sum(part.size for part in (*forward, *back))
    limit = 32 * point.eps * max(terms, 1) ** 0.5
    if off > limit and size:
        limit += 16 * _uncertainty(subject, point, steps, behind) / size
    if not off <= limit:
        note = "forward and reverse derivative do not fit: <w, J u> is measured, <J^T w, u> claimed"
        finding = Finding(Verdict.WRONG, 1, behind, ahead, 0.0, note=note)
        call = recipe("dot_product_test", fn, inputs, seed)
        raise GradientError(Report(called(fn), call, [finding], subject.calls, point.dtype))
    return off


def _size(values: Any) -> Any:
    """Return the size of each element, for a zero that of the largest, or 1 if all are zero."""
    size = np.abs(values)
    return np.where(size == 0, size.max(initial=0) or 1.0, size)


def _uncertainty(subject: Function, point: Point, steps: list[Any], value: float) -> float:
    """Return by how much the product changes when the last bits of the inputs do: it cannot be known better.

    A zero counts as known to the last bits of the largest element beside it.
    """
    rng, before, most = np.random.default_rng(0), subject.values, 0.0
    try:
        for _ in range(3):
            subject.values = [
                (v + 2 * point.eps * rng.choice([-1, 1], v.shape) * _size(v)).astype(v.dtype) for v in before
            ]
            near = Point(subject, 0, 1).vjp(point.weights)
            most = max(most, abs(float(sum(np.sum(g * u) for g, u in zip(near, steps, strict=True))) - value))
    finally:
        subject.values = before
        subject.rest()
    return most
