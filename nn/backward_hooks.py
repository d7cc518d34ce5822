"""Backward hooks of modules: two identity steps, around a module's inputs and around its outputs, that report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import warn

from ..autograd.function import Function
from ..autograd.hooks import hooks_of
from ..autograd.mode import is_grad_enabled
from ..autograd.node import Variable

Hook = Callable[..., Any]
Values = tuple[Any, ...]


class BackwardHookFunction(Function):
    """The identity on any number of tensors: one step that all their gradients pass together."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Return the tensors as they came."""
        ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *args: Any) -> Any:
        """Return the gradients as they came."""
        return args


class BackwardHooks:
    """One call of a module whose backward hooks will run once its gradients are known.

    The outputs' identity step notes ``grad_output`` and runs the pre-hooks; the inputs' step then has
    ``grad_input`` and runs the hooks. If no input requires a gradient, the outputs' step runs both.
    """

    def __init__(self, module: Any, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: Values | None = None
        self.inputs: list[int] | None = None  # places of the tensors among the inputs, if any requires a gradient
        self.outputs: list[int] = []
        self.n_inputs = self.n_outputs = -1

    def enter(self, args: Values) -> Values:
        """Return the inputs, tied to a step that runs the hooks when their gradients are known."""
        self.n_inputs = len(args)
        args, self.inputs = _through(args, self._leave)
        return args

    def exit(self, result: Any) -> Any:
        """Return the outputs, tied to a step that notes their gradients."""
        values = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(values)
        self.outputs = [place for place, value in enumerate(values) if isinstance(value, Variable)]
        values, _ = _through(values, self._arrive)
        return values if isinstance(result, tuple) else values[0]

    def _arrive(self, _: Values, grads: Values) -> Values | None:
        given = _spread(self.outputs, grads, self.n_outputs)
        for hook in self.pre_hooks:
            got = hook(self.module, given)
            if got is not None:
                given = _checked(got, len(given), "Backward pre hook", "grad_output")
        self.grad_outputs = given
        if self.inputs is None:
            self._without_inputs()
        return tuple(given[place] for place in self.outputs)

    def _without_inputs(self) -> None:
        if self.hooks:
            warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                f"inputs of {type(self.module).__name__} require gradients.",
                UserWarning,
                stacklevel=2,
            )
        for hook in self.hooks:
            got = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if got is not None and not (isinstance(got, tuple) and all(one is None for one in got)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        self.grad_outputs = None

    def _leave(self, grads: Values, _: Values) -> Values | None:
        if self.grad_outputs is None or self.inputs is None:
            return None  # a gradient that did not come through the outputs, as in a second derivative
        given = _spread(self.inputs, grads, self.n_inputs)
        for hook in self.hooks:
            got = hook(self.module, given, self.grad_outputs)
            if got is not None:
                given = _checked(got, len(given), "Backward hook", "grad_input")
        self.grad_outputs = None
        return tuple(given[place] for place in self.inputs)


def _through(args: Values, hook: Hook) -> tuple[Values, list[int] | None]:
    """Return ``args`` with its tensors sent through an identity step that calls ``hook``, and their places.

    Without a tensor that requires a gradient nothing is done, and the places are None.
    """
    places = [place for place, arg in enumerate(args) if isinstance(arg, Variable)]
    if not is_grad_enabled() or not any(args[place].requires_grad for place in places):
        return args, None
    passed = list(args)
    made = BackwardHookFunction.apply(*[args[place] for place in places])
    for place, tensor in zip(places, made, strict=True):
        passed[place] = tensor
    step = next(tensor.grad_fn for tensor in made if tensor.grad_fn is not None)
    hooks_of(step).after.add(hook)
    plain = type(args) is tuple
    return (tuple(passed) if plain else type(args)(*passed)), places


def _spread(places: list[int], values: Values, size: int) -> Values:
    """Return ``size`` values: the given ones at their places, None elsewhere."""
    found: list[Any] = [None] * size
    for place, value in zip(places, values, strict=True):
        found[place] = value
    return tuple(found)


def _checked(got: Any, expected: int, hook: str, what: str) -> Values:
    values = got if isinstance(got, tuple | list) else (got,)
    if len(values) != expected:
        raise RuntimeError(f"{hook} returned an invalid number of {what}, got {len(values)}, but expected {expected}")
    return tuple(values)
