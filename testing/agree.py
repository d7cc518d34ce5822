"""One call for everything about a derivative that should agree with everything else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.entry import grad
from ..autograd.variable import as_ndarray
from ..tensors.random.generator import get_rng_state
from ..utils.checkpoint import checkpoint
from .gradient import check_gradient
from .judge import Point
from .rates import dot_product_test
from .recipe import Recipe, recipe
from .subject import Array, Function, called, leaf, mapped
from .verdict import GradientError, Verdict


@dataclass
class Agreement:
    """The outcome of one comparison: ``detail`` is empty where both agree, ``skipped`` says why it was not made."""

    name: str
    detail: str = ""
    skipped: str = ""


class Agreements(list[Agreement]):
    """All comparisons of one call, as a list with a readable form."""

    @property
    def wrong(self) -> list[Agreement]:
        """Those that found a difference."""
        return [each for each in self if each.detail]

    def __str__(self) -> str:
        width = max((len(each.name) for each in self), default=0)
        rows = ((each.name, each.detail or ("skipped: " + each.skipped if each.skipped else "agrees")) for each in self)
        return "\n".join(f"{name:{width}}  {text}" for name, text in rows)


class AgreementError(AssertionError):
    """Two ways to the same derivative differ. ``agreements`` holds all that were compared, ``recipe`` the call."""

    def __init__(self, name: str, agreements: Agreements, recipe: Recipe) -> None:
        super().__init__(name, agreements, recipe)
        self.name, self.agreements, self.recipe = name, agreements, recipe

    def __str__(self) -> str:
        return f"derivatives of {self.name} do not agree\n{self.agreements}\n{self.recipe}"


def check_agreement(
    fn: Callable[..., Any], *inputs: Any, order: int = 2, seed: int = 0, raise_exception: bool = True
) -> Agreements:
    """Return the comparisons made; AgreementError if anything differs.

    The gradient with differences, up to ``order``; reverse with forward products; several gradients at once with one
    after another; float32 with float64; inputs in other memory layouts; checkpointed with plain; a second walk with
    the first, bit by bit; inputs, and the gradient that comes in, with what they were before. ``fn`` may be a Module.

    >>> import rushlight as torch
    >>> x = torch.tensor([[0.5, -1.0], [2.0, 0.25]], dtype=torch.float64, requires_grad=True)
    >>> len(torch.testing.check_agreement(lambda x: x.softmax(-1), x).wrong)
    0
    """
    __tracebackhide__ = True
    compare = _Comparisons(fn, inputs, order, seed)
    found = Agreements()
    for name, one in compare.all():
        try:
            detail = one()
            found.append(Agreement(name, detail))
        except _Skip as why:
            found.append(Agreement(name, skipped=str(why)))
        except Exception as error:  # that one way fails where others do not is a disagreement too
            found.append(Agreement(name, f"raised {type(error).__name__}: {error}"))
        finally:
            compare.subject.rest()
    if raise_exception and found.wrong:
        more = {"order": order} if order != 2 else {}
        raise AgreementError(called(fn), found, recipe("check_agreement", fn, inputs, seed, **more))
    return found


class _Skip(Exception):
    """A comparison that makes no sense here."""


class _Comparisons:
    """The ways to compare one function's derivatives at one point."""

    def __init__(self, fn: Callable[..., Any], inputs: tuple[Any, ...], order: int, seed: int) -> None:
        self.fn, self.inputs, self.order, self.seed = fn, inputs, order, seed
        self.subject = Function(fn, inputs)
        self.point = Point(self.subject, seed, 1)

    def all(self) -> list[tuple[str, Callable[[], str]]]:
        """Return each comparison with its name."""
        return [
            *((f"order {n} and differences", lambda n=n: self.differences(n)) for n in range(1, self.order + 1)),
            ("reverse and forward", self.products),
            ("batched and one by one", self.batched),
            ("float32 and float64", self.single),
            ("other memory layouts", self.layouts),
            ("checkpointed and plain", self.checkpointed),
            ("twice in a row", self.twice),
            ("inputs unchanged", self.inputs_unchanged),
            ("incoming gradient unchanged", self.seeds_unchanged),
        ]

    def differences(self, order: int) -> str:
        """Compare with differences up to ``order``."""
        report = check_gradient(self.fn, *self.inputs, order=order, seed=self.seed, raise_exception=False)
        worst = report.worst()
        if worst is not None and worst.order < order and worst.verdict is not Verdict.RIGHT:
            raise _Skip(f"order {worst.order} is {worst.verdict.value}")
        if report.verdict is Verdict.NOT_DIFFERENTIABLE and worst is not None:
            raise _Skip(f"not differentiable here, backward took {worst.convention}")
        return "" if report.ok else "\n".join(worst.lines() if worst is not None else [])

    def products(self) -> str:
        """Compare the product from the left with that from the right."""
        try:
            dot_product_test(self.fn, *self.inputs, seed=self.seed)
        except GradientError as error:
            return "\n".join(error.report.findings[0].lines())
        return ""

    def run(self, values: list[Array], fn: Callable[..., Any] | None = None) -> list[Array]:
        """Return the gradients at ``values``, of ``fn`` in place of the function."""
        subject = self.subject
        before = subject.fn
        subject.fn = before if fn is None else fn
        try:
            return self.vjp(*subject.call(values, True))
        finally:
            subject.fn = before

    def vjp(self, leaves: list[Any], outputs: list[Any]) -> list[Array]:
        """Return the gradients of the weighed outputs."""
        outs = [outputs[n] for n in self.point.places if outputs[n].node is not None]
        if not outs:
            raise _Skip("nothing requires grad")
        weights = [w for n, w in zip(self.point.places, self.point.weights, strict=True) if outputs[n].node is not None]
        seeds = [leaf(w.astype(out.array.dtype), False) for w, out in zip(weights, outs, strict=True)]
        found = grad(outs, leaves, seeds, allow_unused=True)
        return [
            np.zeros(x.array.shape, x.array.dtype) if g is None else np.array(g.array)
            for g, x in zip(found, leaves, strict=True)
        ]

    def near(self, found: list[Array], eps: float, what: str) -> str:
        """Return how ``found`` differs from the gradients by more than rounding of ``eps`` explains."""
        for name, mine, other in zip(self.subject.names, found, self.point.grads, strict=True):
            scale = max([float(np.abs(g).max()) for g in self.point.grads if g.size], default=0.0)
            if other.size and not np.allclose(mine, other, rtol=1e4 * eps, atol=1e4 * eps * scale, equal_nan=True):
                with np.errstate(all="ignore"):
                    place = np.unravel_index(int(np.nanargmax(np.abs(mine - other))), other.shape)
                index = tuple(int(n) for n in place)
                return f"{what}: gradient of {name} at {index} is {float(mine[index])!r}, not {float(other[index])!r}"
        return ""

    def batched(self) -> str:
        """Compare ``is_grads_batched`` with the same gradients one after another."""
        leaves, outputs = self.subject.call(self.subject.values, True)
        for n in self.point.places:
            out = outputs[n]
            if out.node is None or not out.array.size:
                continue
            rng = np.random.default_rng(self.seed)
            rows = rng.normal(size=(2, *out.array.shape)).astype(out.array.dtype)
            kept: dict[str, Any] = {"retain_graph": True, "allow_unused": True}
            together = grad(out, leaves, leaf(rows, False), is_grads_batched=True, **kept)
            for number, row in enumerate(rows):
                alone = grad(out, leaves, leaf(row, False), **kept)
                for name, one, each in zip(self.subject.names, together, alone, strict=True):
                    same = one is None if each is None else np.allclose(one.array[number], each.array, rtol=1e-6)
                    if not same:
                        return f"gradient of {name} in a batch differs from the same alone"
        return ""

    def single(self) -> str:
        """Compare float32 with float64: values, and no other dtype on the way. Of a Module a copy is taken."""
        if any(v.dtype != np.float64 for v in self.subject.values):
            raise _Skip("not everything is float64")
        fn: Any = self.fn
        if hasattr(fn, "named_parameters"):
            fn = deepcopy(fn).float()
        single = Function(fn, tuple(mapped(self.subject.inputs, _narrow)))
        try:
            found = self.vjp(*single.call(single.values, True))
        finally:
            single.rest()
        for name, g in zip(self.subject.names, found, strict=True):
            if g.dtype != np.float32:
                return f"the gradient of {name} in float32 is {g.dtype}"
        return self.near(found, float(np.finfo(np.float32).eps), "in float32")

    def layouts(self) -> str:
        """Compare inputs that are transposed, and spread, in memory."""
        if not any(v.ndim for v in self.subject.values[: self.subject.count]):
            raise _Skip("no input has dims")
        self.subject.call(self.subject.values, False)
        if get_rng_state().tolist() != self.subject.rng.tolist():
            raise _Skip("random numbers are drawn in the order of memory")
        for what, change in (("transposed in memory", np.asfortranarray), ("strided in memory", _strided)):
            values = [change(v) if v.ndim and n < self.subject.count else v for n, v in enumerate(self.subject.values)]
            said = self.near(self.run(values), self.point.eps, what)
            if said:
                return said
        return ""

    def checkpointed(self) -> str:
        """Compare with the function run again during the walk."""
        found = self.run(self.subject.values, lambda *given: checkpoint(self.fn, *given, use_reentrant=False))
        return self.near(found, self.point.eps, "checkpointed")

    def twice(self) -> str:
        """Compare two runs bit by bit."""
        first, second = self.run(self.subject.values), self.run(self.subject.values)
        for name, a, b in zip(self.subject.names, first, second, strict=True):
            if not np.array_equal(a, b, equal_nan=True):
                return f"the gradient of {name} differs from one run to the next"
        return ""

    def inputs_unchanged(self) -> str:
        """See that forward and backward left the inputs as they were."""
        before = [np.array(v) for v in self.subject.values]
        leaves, outputs = self.subject.call([np.array(v, order="K") for v in self.subject.values], True)
        self.vjp(leaves, outputs)
        for name, x, old in zip(self.subject.names, leaves, before, strict=True):
            if not np.array_equal(as_ndarray(x), old, equal_nan=True):
                return f"{name} was written"
        return ""

    def seeds_unchanged(self) -> str:
        """See that backward left the gradient that comes in as it was."""
        leaves, outputs = self.subject.call(self.subject.values, True)
        outs = [outputs[n] for n in self.point.places if outputs[n].node is not None]
        if not outs:
            raise _Skip("nothing requires grad")
        seeds = [leaf(np.full(out.array.shape, 0.5, out.array.dtype), False) for out in outs]
        grad(outs, leaves, seeds, allow_unused=True)
        wrote = any(np.any(as_ndarray(seed) != 0.5) for seed in seeds)
        return "backward wrote into the gradient that came in" if wrote else ""


def _narrow(x: Any) -> Any:
    """Return a float64 tensor in float32, others as they are."""
    if x.array.dtype != np.float64:
        return x
    return leaf(as_ndarray(x).astype(np.float32), x.node is not None)


def _strided(array: Array) -> Array:
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]
