"""The judgement on one derivative along one line: what is claimed, against what differences measure."""

from __future__ import annotations

from collections.abc import Callable
from math import fsum, isfinite

import numpy as np

from ..autograd.entry import grad
from .slopes import Slope, rate, slope
from .subject import Array, Arrays, Derivative, Subject, leaf
from .verdict import Finding, Verdict

RESOLUTION = 1e-3
"""To call a gradient right, an error of this share of it must have been visible."""
COARSE = "small steps change nothing: the values are too coarse"


class Point:
    """A subject at its values: outputs with weights, and gradients as the engine claims them."""

    def __init__(self, subject: Subject, seed: int, order: int) -> None:
        self.subject, self.order = subject, order
        rng = np.random.default_rng([seed, order])
        leaves, outputs = subject.call(subject.values, not isinstance(subject, Arrays))
        asking = [out for out in outputs if out.node is not None]
        self.places = [n for n, out in enumerate(outputs) if out.node is not None or not asking]
        self.count = len(outputs)
        self.leaves, self.outputs = leaves, [outputs[n] for n in self.places]
        self.weights = [drawn(rng, out.array.shape) for out in self.outputs]
        self.grads = self.vjp(self.weights)
        self.scales = [scale(v) for v in subject.values]
        self.rng = rng
        kinds = [v.dtype for v in (*subject.values, *(out.array for out in self.outputs)) if v.dtype.kind == "f"]
        self.eps = float(max((np.finfo(kind).eps for kind in kinds), default=2.3e-16))
        self.eps = max(self.eps, getattr(subject, "eps", 0.0))
        self.dtype = next((f"torch.{kind}" for kind in kinds if np.finfo(kind).eps == self.eps), "torch.float64")
        self.measure = getattr(subject, "magnitude", 0.0)

    def vjp(self, weights: list[Array]) -> list[Array]:
        """Return the gradients of the weighed outputs: zeros where there is none."""
        if isinstance(self.subject, Arrays):
            return [np.asarray(g, np.float64) for g in self.subject.pulled(weights)]
        pairs = [(out, w) for out, w in zip(self.outputs, weights, strict=True) if out.node is not None]
        if not pairs:
            return [np.zeros(x.array.shape) for x in self.leaves]
        outs = [out for out, _ in pairs]
        seeds = [leaf(w.astype(out.array.dtype), False) for out, w in pairs]
        found = grad(outs, self.leaves, seeds, retain_graph=True, allow_unused=True)
        for name, g, x in zip(self.subject.names, found, self.leaves, strict=True):
            if g is not None and (g.array.shape, g.array.dtype) != (x.array.shape, x.array.dtype):
                raise AssertionError(
                    f"the gradient of {name} is {g.array.dtype} {g.array.shape}, but {name} is {x.array.dtype} "
                    f"{x.array.shape}"
                )
        return [
            np.zeros(x.array.shape) if g is None else np.asarray(g.array, np.float64)
            for g, x in zip(found, self.leaves, strict=True)
        ]

    def direction(self) -> list[Array]:
        """Return a random step for each leaf, no entry of it small."""
        return [drawn(self.rng, v.shape) * s for v, s in zip(self.subject.values, self.scales, strict=True)]

    def judge(
        self,
        steps: list[Array],
        weights: list[Array] | None = None,
        grads: list[Array] | None = None,
        seen: dict[float, list[Array]] | None = None,
    ) -> Finding:
        """Return the finding for the derivative along ``steps`` of the outputs as weighed; ``seen`` holds outputs."""
        weights = self.weights if weights is None else weights
        grads = self.grads if grads is None else grads
        products = [g * u for g, u in zip(grads, steps, strict=True)]
        claimed = total(products)
        size = fsum(float(np.abs(each).sum()) for each in products) if isfinite(claimed) else 0.0
        line = Line(self.subject, steps, weights, self.places)
        line.seen = line.seen if seen is None else seen
        moved = [np.abs(g * v).sum() for g, v, u in zip(grads, self.subject.values, steps, strict=True) if np.any(u)]
        reach = fsum(float(one) for one in moved if isfinite(one))
        noise = self.eps * (max(line.magnitude(), self.measure) + reach)
        finding = decide(line, claimed, size, noise, self.eps)
        finding.order = self.order
        return finding

    def remainder(self, steps: list[Array], terms: tuple[float, ...]) -> float:
        """Return the power by which the Taylor remainder along ``steps`` falls."""
        line = Line(self.subject, steps, self.weights, self.places)
        return rate(line, terms, self.eps * line.magnitude())[0]


class Line:
    """The weighed outputs along a line through the subject's values; each place is evaluated once."""

    def __init__(self, subject: Subject, steps: list[Array], weights: list[Array], places: list[int]) -> None:
        self.subject, self.steps, self.weights, self.places = subject, steps, weights, places
        self.seen: dict[float, list[Array]] = {}

    def outputs(self, t: float) -> list[Array]:
        """Return the outputs at ``t``."""
        found = self.seen.get(t)
        if found is None:
            values = [np.array(v, order="K") for v in self.subject.values]
            for value, u in zip(values, self.steps, strict=True):
                value[...] += (t * u).astype(value.dtype)  # in place: the layout stays
            outs = self.subject.call(values, False)[1]
            found = self.seen[t] = [np.asarray(outs[n].array, np.float64) for n in self.places]
        return found

    def __call__(self, t: float) -> float:
        """Return the weighed sum of the outputs at ``t``."""
        return total([w * out for w, out in zip(self.weights, self.outputs(t), strict=True)])

    def magnitude(self) -> float:
        """Return the sum of the absolute terms of the weighed sum at 0."""
        return fsum(float(np.abs(w * out).sum()) for w, out in zip(self.weights, self.outputs(0.0), strict=True))


def drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return numbers of absolute values from a half to three halves."""
    return np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape))


def scale(value: Array) -> float:
    """Return a typical distance for steps around ``value``."""
    finite = value[np.isfinite(value)].astype(np.float64)
    size = float(np.sqrt(np.mean(finite * finite))) if finite.size else 0.0
    return size if size >= 1 else size**0.5 if size else 1.0


def total(parts: list[Array]) -> float:
    """Return the sum of all numbers in ``parts``."""
    sums = [float(np.sum(part)) for part in parts]
    return fsum(sums) if all(map(isfinite, sums)) else float(sum(sums))


def decide(phi: Callable[[float], float], claimed: float, size: float, noise: float, eps: float) -> Finding:
    """Return the verdict on the slope ``claimed`` of ``phi`` at 0, a sum of terms of absolute sum ``size``.

    Two values of ``phi`` beside the middle settle the usual case. Where they do not, the slope is measured with its
    error, and decides.
    """
    h = eps ** (1 / 3)
    ahead, behind, middle = phi(h), phi(-h), phi(0.0)
    central, bend = (ahead - behind) / (2 * h), abs(ahead - 2 * middle + behind) / h
    visible = 8 * noise / h + 8 * h * h * size
    if abs(central - claimed) <= visible <= RESOLUTION * size and bend <= 50 * h * size + 16 * noise / h:
        return Finding(Verdict.RIGHT, 1, claimed, central, visible, size=size)
    found = slope(phi, noise, eps)
    finding = weigh(found, claimed, size, eps, max(abs(middle), noise / eps))
    if finding.verdict is not Verdict.RIGHT and _coarse(phi, found, claimed, size):
        finding.verdict, finding.note = Verdict.UNDECIDED, COARSE
    if finding.verdict is Verdict.WRONG and isfinite(claimed):
        power = rate(phi, (claimed,), found.noise)[0]
        finding.rate = power if power < 1.5 else finding.rate
    return finding


def weigh(found: Slope, claimed: float, size: float, eps: float, magnitude: float) -> Finding:
    """Return the verdict on ``claimed`` from a slope that was measured."""
    if not isfinite(claimed):
        return _not_finite(found, claimed)
    rounding = max(eps, found.noise / magnitude if magnitude else eps) * 16 * size
    allowed = found.error + rounding

    def finding(verdict: Verdict, note: str = "", sides: bool = False) -> Finding:
        left, right = (found.left, found.right) if sides else (float("nan"), float("nan"))
        return Finding(verdict, 1, claimed, found.value, allowed, left, right, note, size=size)

    if found.kink:
        low, high = _span(found)
        allowed += 64 * eps * (abs(found.left) + abs(found.right))
        fits = low - allowed <= claimed <= high + allowed or "differ" not in found.why
        return finding(Verdict.NOT_DIFFERENTIABLE if fits else Verdict.WRONG, found.why, True)
    off = abs(claimed - found.value)
    if off > allowed and _confirmed(found, claimed, off):
        return finding(Verdict.WRONG)
    told = max(allowed, off) <= RESOLUTION * max(size, abs(found.value))
    varies = max((abs(value) for _, value in found.central), default=0.0)
    zero = size <= 64 * eps * max(magnitude, varies)
    nothing = zero and (not found.value or max(allowed, off) <= eps**0.25 * max(magnitude, varies))
    if told or nothing:
        return finding(Verdict.RIGHT)
    return finding(Verdict.UNDECIDED, "rounding errors drown what the step changes")


def _span(found: Slope) -> tuple[float, float]:
    sides = [side for side in (found.left, found.right) if isfinite(side)]
    return (min(sides), max(sides)) if sides else (float("-inf"), float("inf"))


def _coarse(phi: Callable[[float], float], found: Slope, claimed: float, size: float) -> bool:
    """Return whether ``phi`` is a staircase as rounding makes it: flat under the smallest steps, here and far away.

    Over some larger distances it must rise about as claimed: a constant has no stairs, and a flat part does not go on.
    """
    gaps = [value * h for h, value in found.central[-3:]]
    if not claimed or not isfinite(claimed) or not gaps or max(gaps) - min(gaps) > 1e-9 * max(map(abs, gaps)):
        return False
    small = found.central[-1][0]
    if any(phi(t + small) != phi(t) for t in (1.0, 8.0, 64.0, 512.0)):
        return False
    wide = [value for _, value in found.central[:-3]]
    wide += [(phi(t) - phi(-t)) / (2 * t) for t in (8.0**k for k in range(15))]
    return sum(abs(value - claimed) < 0.2 * size for value in wide) > 1


def _confirmed(found: Slope, claimed: float, off: float) -> bool:
    """Return whether the plain differences of the smallest steps, where noise allows, miss ``claimed`` too."""
    clear = [value for h, value in found.central if 8 * found.noise / h < off][-3:]
    return len(clear) > 1 and all(abs(value - claimed) > off / 2 for value in clear)


def _not_finite(found: Slope, claimed: float) -> Finding:
    smooth = not found.kink and isfinite(found.error) and found.error <= 1e-2 * max(1.0, abs(found.value))
    verdict = Verdict.WRONG if smooth else Verdict.NOT_DIFFERENTIABLE if found.kink else Verdict.UNDECIDED
    note = "the gradient is not finite where the function is smooth" if smooth else found.why
    return Finding(verdict, 1, claimed, found.value, found.error, found.left, found.right, note)


def derived(point: Point, steps: list[Array]) -> Derivative:
    """Return the derivative of ``point``'s weighed outputs along ``steps``, as a subject of the next order."""
    known = dict(zip(point.places, point.weights, strict=True))
    weights = [known.get(n, np.zeros(())) for n in range(point.count)]
    made = Derivative(point.subject, weights, steps)
    made.eps = point.eps
    made.magnitude = sum(float(np.abs(g * u).sum()) for g, u in zip(point.grads, steps, strict=True))
    return made
