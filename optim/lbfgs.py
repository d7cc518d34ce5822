"""L-BFGS: a quasi-Newton method that remembers its last steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import enable_grad, no_grad
from ..autograd.variable import Variable
from ..tensors.creation.factories import zeros
from ..tensors.ops.shape.join import cat
from ..tensors.tensor.methods import Tensor
from .line_search import Point, strong_wolfe
from .optimizer import Loss, Optimizer, ParamsT, check_rate


class LBFGS(Optimizer):
    """L-BFGS (Nocedal and Wright, *Numerical Optimization*, algorithm 7.5), with a line search if asked for.

    ``step`` takes a closure that clears the gradients, computes the loss, calls ``backward`` and returns the loss. One
    step is up to ``max_iter`` iterations and about ``max_eval`` calls of the closure (by default five for each four
    iterations); it ends earlier when no gradient is larger than ``tolerance_grad``, or when neither the loss nor a
    parameter changes by more than ``tolerance_change``. The last ``history_size`` changes are remembered, over steps
    too. ``line_search_fn`` is "strong_wolfe", or None for steps of length ``lr``. There is one group of parameters.

    https://pytorch.org/docs/stable/generated/torch.optim.LBFGS.html

    >>> import rushlight as torch
    >>> p = torch.zeros(2, requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([p], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((p - torch.tensor([1.0, 2.0])) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(5., grad_fn=<SumBackward0>)
    >>> p
    tensor([1.0000, 2.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_rate(lr)
        defaults = dict(
            lr=lr,
            max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Loss]) -> Loss:  # type: ignore[override]
        """Minimize the loss that ``closure`` computes; return what its first call returned."""
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        with no_grad():
            at_first: Loss = _Step(self.param_groups[0], self.state, closure).run()
        return at_first


class _Step:
    """One call of ``step``: the options, the kept state, and the loss and gradient of the moment."""

    loss: float
    gradient: Any

    def __init__(self, group: dict[str, Any], states: Any, closure: Callable[[], Any]) -> None:
        self.params = group["params"]
        self.group, self.closure = group, closure
        self.state = states[self.params[0]]  # global, yet kept with a parameter: loading casts it to its dtype
        self.state.setdefault("func_evals", 0)
        self.state.setdefault("n_iter", 0)
        self.evaluations = 0

    def run(self) -> Any:
        """Iterate until a limit or a tolerance is reached; return the loss at the start."""
        group, state = self.group, self.state
        at_first = self.evaluate()
        self.evaluations = 1
        if self.at_optimum():
            return at_first
        for number in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self.direction()
            before = state["prev_loss"] = self.loss
            state["prev_flat_grad"] = self.gradient.clone()
            length = self.first_length()
            slope = self.gradient.dot(direction)
            state["d"], state["t"] = direction, length
            if slope > -group["tolerance_change"]:
                break
            length = state["t"] = self.move(direction, length, slope, last=number == group["max_iter"])
            if number == group["max_iter"] or self.evaluations >= group["max_eval"] or self.at_optimum():
                break
            if direction.mul(length).abs().max() <= group["tolerance_change"]:
                break
            if abs(self.loss - before) < group["tolerance_change"]:
                break
        return at_first

    def direction(self) -> Any:
        """Return the way to go: the gradient times the remembered inverse Hessian, negated."""
        state = self.state
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return self.gradient.neg()
        self.remember()
        changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
        shares = state.setdefault("al", [None] * self.group["history_size"])
        way = self.gradient.neg()
        for i in reversed(range(len(changes))):
            shares[i] = steps[i].dot(way) * inverses[i]
            way.sub_(changes[i] * shares[i])
        way = way.mul(state["H_diag"])
        for change, step, inverse, share in zip(changes, steps, inverses, shares, strict=False):
            way.add_(step * (share - change.dot(way) * inverse))
        return way

    def remember(self) -> None:
        """Keep the last step and how it changed the gradient, if the curvature along it is positive."""
        state = self.state
        change = self.gradient.sub(state["prev_flat_grad"])
        step = state["d"].mul(state["t"])
        curvature = change.dot(step)
        if not curvature > 1e-10:
            return
        if len(state["old_dirs"]) == self.group["history_size"]:
            for name in ("old_dirs", "old_stps", "ro"):
                state[name].pop(0)
        state["old_dirs"].append(change)
        state["old_stps"].append(step)
        state["ro"].append(1.0 / curvature)
        state["H_diag"] = curvature / change.dot(change)

    def first_length(self) -> Any:
        """Return how far to go: ``lr``, but at the very first at most one over the sum of the gradient's sizes."""
        lr = self.group["lr"]
        if isinstance(lr, Variable):
            tensor: Any = lr
            lr = tensor.reshape(())
        return min(1.0, 1.0 / self.gradient.abs().sum()) * lr if self.state["n_iter"] == 1 else lr

    def move(self, direction: Any, length: Any, slope: Any, last: bool) -> Any:
        """Change the parameters along ``direction``, note loss and gradient there, and return how far they went."""
        search = self.group["line_search_fn"]
        if search is None:
            self.add(direction, length)
            if not last:  # what the loss is after the last step, nobody asks
                self.evaluate()
                self.evaluations += 1
            return length
        if search != "strong_wolfe":
            raise RuntimeError(f"only 'strong_wolfe' is supported, not {search!r}")
        origin = [p.clone() for p in self.params]
        begin = self.evaluations

        def look(at: Any) -> Point:
            self.add(direction, at)
            self.evaluate()
            for p, start in zip(self.params, origin, strict=True):
                p.copy_(start)
            return Point(at, self.loss, self.gradient, self.gradient.dot(direction))

        start = Point(0, self.loss, self.gradient, slope)
        longest = direction.abs().max()
        most = self.group["max_eval"] - begin
        best, looks = strong_wolfe(look, start, length, longest, self.group["tolerance_change"], most)
        self.loss, self.gradient = best.loss, best.gradient
        self.evaluations += looks
        self.add(direction, best.at)
        return best.at

    def evaluate(self) -> Any:
        """Call the closure; note the loss and all gradients in one row; return the loss as it came."""
        with enable_grad():
            loss = self.closure()
        self.state["func_evals"] += 1
        self.loss = float(loss)
        self.gradient = cat([zeros(p.numel(), dtype=p.dtype) if p.grad is None else _row(p.grad) for p in self.params])
        return loss

    def add(self, direction: Any, length: Any) -> None:
        """Move the parameters along ``direction``."""
        start = 0
        for p in self.params:
            part = direction[start : start + p.numel()]
            start += p.numel()
            p.add_((part * length).view(p.shape))

    def at_optimum(self) -> bool:
        """Whether no gradient is larger than ``tolerance_grad``."""
        return bool(self.gradient.abs().max() <= self.group["tolerance_grad"])


def _row(gradient: Any) -> Any:
    return gradient.detach().reshape(-1)
