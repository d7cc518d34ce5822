"""The gradients a model promises: which parameters get one, which get zeros, which none, and how large they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd.entry import grad
from ..autograd.grad_mode import enable_grad
from ..tensors.random.generator import get_rng_state, manual_seed, set_rng_state
from .subject import Buffers, floating

KINDS = ("gradient", "zero", "none", "frozen", "not finite")


@dataclass(frozen=True)
class Gradient:
    """The gradient of one parameter: its kind, and the root mean square of the gradient and of the parameter."""

    name: str
    kind: str
    size: float = 0.0
    weight: float = 0.0


class ContractError(AssertionError):
    """A parameter's gradient is not of the kind, or of the size, that was promised."""


class Contract(list[Gradient]):
    """The gradients of all parameters of a model for one input, as :func:`gradient_contract` finds them."""

    def kinds(self) -> dict[str, str]:
        """Return the kind of each parameter's gradient."""
        return {each.name: each.kind for each in self}

    def expect(
        self,
        zero: Iterable[str] = (),
        none: Iterable[str] = (),
        frozen: Iterable[str] = (),
        ratio: float = float("inf"),
    ) -> Contract:
        """Return itself if all is as promised, else raise ContractError that lists every difference.

        Patterns such as ``"head.*"`` say which parameters get exactly zeros, which get none because the loss does not
        depend on them, and which do not ask. All others must get a gradient that is finite and not all zeros. Between
        the largest and the smallest gradient there may be ``ratio``.
        """
        wanted = {"zero": list(zero), "none": list(none), "frozen": list(frozen)}
        problems = [
            f"{pattern!r} matches no parameter"
            for patterns in wanted.values()
            for pattern in patterns
            if not any(fnmatchcase(each.name, pattern) for each in self)
        ]
        for each in self:
            said = [k for k, patterns in wanted.items() if any(fnmatchcase(each.name, p) for p in patterns)]
            promised = said[0] if said else "gradient"
            if each.kind != promised:
                problems.append(f"{each.name}: promised {promised}, got {each.kind}")
        sizes = {each.size: each.name for each in self if each.kind == "gradient"}
        if sizes and max(sizes) > ratio * min(sizes):
            problems.append(
                f"{sizes[max(sizes)]} has a gradient {max(sizes) / min(sizes):.3g} times that of {sizes[min(sizes)]}, "
                f"more than {ratio:g}"
            )
        return self._demand(problems)

    def compare(self, path: str | Path, factor: float = 2.0, update: bool = False) -> Contract:
        """Return itself if kinds are those in the file at ``path``, and sizes theirs up to ``factor``.

        Where there is no file, or with ``update``, it is written: keep it with the tests.
        """
        file = Path(path)
        if update or not file.exists():
            rows = {each.name: {"kind": each.kind, "size": each.size} for each in self}
            file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
            return self
        before = json.loads(file.read_text(encoding="utf-8"))
        problems = [f"{name}: in {file.name}, but no parameter now" for name in before if name not in self.kinds()]
        for each in self:
            old = before.get(each.name)
            if old is None:
                problems.append(f"{each.name}: a new parameter, not in {file.name}")
            elif old["kind"] != each.kind:
                problems.append(f"{each.name}: was {old['kind']}, is {each.kind}")
            elif each.kind == "gradient" and not old["size"] / factor <= each.size <= old["size"] * factor:
                problems.append(f"{each.name}: size was {old['size']:.3g}, is {each.size:.3g}")
        return self._demand(problems)

    def _demand(self, problems: list[str]) -> Contract:
        if problems:
            raise ContractError("gradients are not as promised\n  " + "\n  ".join(problems) + f"\nall of them:\n{self}")
        return self

    def __str__(self) -> str:
        width = max((len(each.name) for each in self), default=0)
        return "\n".join(
            f"  {each.name:{width}}  {each.kind:10}" + (f"  rms {each.size:.3g}" if each.kind == "gradient" else "")
            for each in self
        )


def gradient_contract(model: Any, *inputs: Any, loss: Callable[[Any], Any] | None = None, seed: int = 0) -> Contract:
    """Return the gradient that each parameter of ``model`` gets from ``loss(model(*inputs))``; by default a mixed sum.

    One pass forward and one backward: cheap enough for every run of CI. Random numbers start from ``seed``; neither
    they, nor gradients and buffers, change. ``"none"`` means that the loss does not depend on a parameter.

    >>> import rushlight as torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    >>> contract = torch.testing.gradient_contract(model, torch.ones(4, 2))
    >>> contract.expect().kinds()["0.weight"]
    'gradient'
    """
    state, buffers = get_rng_state(), Buffers(model)
    manual_seed(seed)
    try:
        with enable_grad():
            out = model(*inputs)
            total = loss(out) if loss is not None else _mixed(out)
    finally:
        set_rng_state(state)
        buffers.restore()
    parameters = list(model.named_parameters())
    asking = [p for _, p in parameters if p.requires_grad]
    got = grad(total, asking, allow_unused=True) if asking and total.requires_grad else [None] * len(asking)
    found = {id(p): g for p, g in zip(asking, got, strict=True)}
    return Contract(_seen(name, p, found) for name, p in parameters)


def _mixed(out: Any) -> Any:
    """Return a sum of all outputs in which no symmetry cancels."""
    total: Any = None
    for each in floating(out):
        weights = np.cos(np.arange(each.array.size) * 1.7).reshape(each.array.shape) + 0.3
        part = (each * each.new_tensor(weights)).sum()
        total = part if total is None else total + part
    if total is None:
        raise TypeError("the model returned no floating tensor: give loss=")
    return total


def _seen(name: str, parameter: Any, found: dict[int, Any]) -> Gradient:
    weight = _rms(parameter.array)
    if not parameter.requires_grad:
        return Gradient(name, "frozen", 0.0, weight)
    g = found[id(parameter)]
    if g is None:
        return Gradient(name, "none", 0.0, weight)
    if not np.all(np.isfinite(g.array)):
        return Gradient(name, "not finite", float("nan"), weight)
    return Gradient(name, "gradient" if np.any(g.array) else "zero", _rms(g.array), weight)


def _rms(array: Any) -> float:
    wide = np.asarray(array, np.float64)
    return float(np.sqrt(np.mean(wide * wide))) if wide.size else 0.0
