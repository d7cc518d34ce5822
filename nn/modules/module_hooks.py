"""Hooks of modules: what runs before and after ``forward``, and around the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import warn

from ...autograd.function import Function
from ...autograd.hooks import HookDict, RemovableHandle, hooks_of
from ...autograd.recording import is_grad_enabled
from ...autograd.variable import Variable
from .module_base import ModuleBase

EVERYWHERE = HookDict()
"""Hooks of all modules: for each its kind, itself, and its flags. One dict, so that a call looks at one."""


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, args)`` run before every module's ``forward``, ahead of the module's own hooks."""
    return EVERYWHERE.add(("forward_pre", hook, False, False))


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Have ``hook(module, args, output)`` run after every module's ``forward``, ahead of the module's own hooks."""
    return EVERYWHERE.add(("forward", hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, grad_output)`` run for every module, ahead of the module's own hooks."""
    return EVERYWHERE.add(("backward_pre", hook, False, False))


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, grad_input, grad_output)`` run for every module, ahead of the module's own hooks."""
    return EVERYWHERE.add(("backward", hook, False, False))


class HookedModule(ModuleBase):
    """The part of :class:`Module` that runs hooks."""

    _forward_hooks: HookDict
    _forward_pre_hooks: HookDict
    _backward_hooks: HookDict
    _backward_pre_hooks: HookDict
    _forward_hooks_with_kwargs: set[int]
    _forward_hooks_always_called: set[int]
    _forward_pre_hooks_with_kwargs: set[int]
    forward: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` and the hooks make of the arguments."""
        # Five look-ups and one call: what a module costs that has no hooks.
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or EVERYWHERE
        ):
            return _Call(self).run(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        return self(*args, **kwargs)

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Have ``hook(module, args)`` run before ``forward``; what it returns, unless None, replaces ``args``.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)`` and returns both or None. With ``prepend`` it runs
        before the hooks that are there.
        """
        handle = self._forward_pre_hooks.add(hook, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs.add(handle.id)
        return handle

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Have ``hook(module, args, output)`` run after ``forward``; what it returns, unless None, is the new output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``; with ``always_call`` it also runs when
        ``forward`` or another hook raised, with output None if there is none.
        """
        handle = self._forward_hooks.add(hook, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs.add(handle.id)
        if always_call:
            self._forward_hooks_always_called.add(handle.id)
        return handle

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(module, grad_input, grad_output)`` run once the gradients of the inputs are known.

        Both are tuples, with None where an argument is no tensor; what the hook returns, unless None, replaces
        ``grad_input``.
        """
        return self._backward_hooks.add(hook, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(module, grad_output)`` run when the gradients of the outputs are known, before all others."""
        return self._backward_pre_hooks.add(hook, prepend)


def _listed(kind: str, own: HookDict, with_kwargs: Any = (), always: Any = ()) -> list[tuple[int, Hook, bool, bool]]:
    """Return number, hook, and flags of those for all modules, then of a module's own."""
    found = [(number, hook, kw, on) for number, (which, hook, kw, on) in EVERYWHERE.items() if which == kind]
    return found + [(number, hook, number in with_kwargs, number in always) for number, hook in own.items()]


class _Call:
    """One call of a module that has hooks."""

    def __init__(self, module: HookedModule) -> None:
        self.module = module
        self.result: Any = None
        self.called: set[int] = set()

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.args, self.kwargs = args, kwargs
        try:
            return self._run()
        except Exception:
            self._after_error()
            raise

    def _run(self) -> Any:
        module = self.module
        self._before()
        backward = None
        hooks = [hook for _, hook, _, _ in _listed("backward", module._backward_hooks)]
        pre_hooks = [hook for _, hook, _, _ in _listed("backward_pre", module._backward_pre_hooks)]
        if hooks or pre_hooks:
            backward = BackwardHooks(module, hooks, pre_hooks)
            self.args = backward.enter(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        for number, hook, with_kwargs, _ in self._after():
            self.called.add(number)
            self._one(hook, with_kwargs)
        if backward is not None:
            if not isinstance(self.result, Variable | tuple):
                warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                    f"received {type(self.result)}",
                    UserWarning,
                    stacklevel=4,
                )
            self.result = backward.exit(self.result)
        return self.result

    def _after(self) -> list[tuple[int, Hook, bool, bool]]:
        module = self.module
        return _listed(
            "forward", module._forward_hooks, module._forward_hooks_with_kwargs, module._forward_hooks_always_called
        )

    def _before(self) -> None:
        module = self.module
        for _, hook, with_kwargs, _ in _listed(
            "forward_pre", module._forward_pre_hooks, module._forward_pre_hooks_with_kwargs
        ):
            if not with_kwargs:
                got = hook(module, self.args)
                if got is not None:
                    self.args = got if isinstance(got, tuple) else (got,)
                continue
            got = hook(module, self.args, self.kwargs)
            if got is None:
                continue
            if not isinstance(got, tuple) or len(got) != 2:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {got}."
                )
            self.args, self.kwargs = got

    def _one(self, hook: Hook, with_kwargs: bool) -> None:
        got = hook(self.module, self.args, *((self.kwargs,) if with_kwargs else ()), self.result)
        if got is not None:
            self.result = got

    def _after_error(self) -> None:
        """Run the hooks that were promised to run always and have not yet; an error of theirs only warns."""
        for number, hook, with_kwargs, always in self._after():
            if always and number not in self.called:
                try:
                    self._one(hook, with_kwargs)
                except Exception as error:
                    warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}",
                        UserWarning,
                        stacklevel=4,
                    )


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
