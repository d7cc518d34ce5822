"""Hooks of modules: what runs before and after ``forward``, and around the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from warnings import warn

from ...autograd.function import Function
from ...autograd.hooks import HookDict, RemovableHandle, add_hook, hooks_of
from ...autograd.recording import is_grad_enabled
from ...autograd.variable import Variable

Hook = Callable[..., Any]
Values = tuple[Any, ...]
_ONE_KIND = "Cannot use both regular backward hooks and full backward hooks"
GLOBAL_HOOKS = HookDict()
"""The hooks of all modules, of every kind. One dict, so that a call without hooks tests one."""


class _Hook(NamedTuple):
    """A hook and what it was registered with.

    kind: "forward_pre", "forward", "backward_pre", "backward", or "old_backward", the deprecated kind.
    function: what is called.
    with_kwargs: whether it takes the keyword arguments too.
    always_call: whether it runs even if ``forward`` raised.
    """

    kind: str
    function: Hook
    with_kwargs: bool = False
    always_call: bool = False


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, args)`` run before every module's ``forward``, ahead of the module's own hooks."""
    return GLOBAL_HOOKS.add(_Hook("forward_pre", hook))


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Have ``hook(module, args, output)`` run after every module's ``forward``, ahead of the module's own hooks."""
    return GLOBAL_HOOKS.add(_Hook("forward", hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, grad_output)`` run for every module, ahead of the module's own hooks."""
    return GLOBAL_HOOKS.add(_Hook("backward_pre", hook))


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, grad_input, grad_output)`` run for every module, ahead of the module's own hooks.

    RuntimeError while there are hooks by :func:`register_module_backward_hook`.
    """
    return _add_global_backward("backward", hook)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, grad_input, grad_output)`` run for every module, in the old way.

    The two are what enters and leaves the last step of ``forward``, as for :meth:`Module.register_backward_hook`.
    RuntimeError while there are full hooks of all modules.
    """
    return _add_global_backward("old_backward", hook)


def _add_global_backward(kind: str, hook: Hook) -> RemovableHandle:
    if any("backward" in other.kind and other.kind not in (kind, "backward_pre") for other in GLOBAL_HOOKS.values()):
        raise RuntimeError(f"{_ONE_KIND} as a global Module hook. Please use only one of them.")
    return GLOBAL_HOOKS.add(_Hook(kind, hook))


class ModuleHooks:
    """The part of :class:`Module` that calls ``forward`` and runs the hooks around it.

    _forward_hooks, _forward_pre_hooks: the hooks after and before ``forward``, by their handles' ids.
    _backward_hooks, _backward_pre_hooks: the hooks for the gradients of the inputs and of the outputs.
    _forward_hooks_with_kwargs, _forward_pre_hooks_with_kwargs: the ids of those that take the keyword arguments.
    _forward_hooks_always_called: the ids of those that run even if ``forward`` raised.
    _is_full_backward_hook: False if the backward hooks are of the deprecated kind, None if there were none yet.
    """

    _forward_hooks: HookDict
    _forward_pre_hooks: HookDict
    _backward_hooks: HookDict
    _backward_pre_hooks: HookDict
    _forward_hooks_with_kwargs: HookDict
    _forward_hooks_always_called: HookDict
    _forward_pre_hooks_with_kwargs: HookDict
    _is_full_backward_hook: bool | None = None
    forward: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` and the hooks make of the arguments."""
        # Five look-ups and one call: what a module costs that has no hooks.
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or GLOBAL_HOOKS
        ):
            return _HookedCall(self).run(args, kwargs)
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
        flags = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return add_hook(self._forward_pre_hooks, hook, prepend, flags)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Have ``hook(module, args, output)`` run after ``forward``; what it returns, unless None, is the new output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``; with ``always_call`` it also runs when
        ``forward`` or another hook raised, with output None if there is none.
        """
        flags = [self._forward_hooks_with_kwargs] if with_kwargs else []
        flags += [self._forward_hooks_always_called] if always_call else []
        return add_hook(self._forward_hooks, hook, prepend, flags)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(module, grad_input, grad_output)`` run once the gradients of the inputs are known.

        Both are tuples, with None where an argument is no tensor; what the hook returns, unless None, replaces
        ``grad_input``. RuntimeError if the module has hooks by :meth:`register_backward_hook`.
        """
        return self._add_backward_hook(hook, True, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, grad_input, grad_output)`` run when a walk passes the last step of ``forward``.

        This is PyTorch's first kind of backward hook, long deprecated: the two are the gradients that leave and reach
        that one step, which need not be those of the module. RuntimeError if the module has full hooks.
        """
        return self._add_backward_hook(hook, False)

    def _add_backward_hook(self, hook: Hook, full: bool, prepend: bool = False) -> RemovableHandle:
        if self._is_full_backward_hook is not full and self._is_full_backward_hook is not None:
            raise RuntimeError(f"{_ONE_KIND} on a single Module. Please use only one of them.")
        self._is_full_backward_hook = full
        return add_hook(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(module, grad_output)`` run when the gradients of the outputs are known, before all others."""
        return add_hook(self._backward_pre_hooks, hook, prepend)


def _hooks_to_run(kind: str, own: dict[int, Hook], with_kwargs: Any = (), always: Any = ()) -> list[tuple[int, _Hook]]:
    """Return id and hook of all modules' hooks of this kind, then of the module's own."""
    hooks = [(number, hook) for number, hook in GLOBAL_HOOKS.items() if hook.kind == kind]
    return hooks + [
        (number, _Hook(kind, hook, number in with_kwargs, number in always)) for number, hook in own.items()
    ]


class _HookedCall:
    """One call of a module that has hooks."""

    def __init__(self, module: ModuleHooks) -> None:
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
        self._run_forward_pre_hooks()
        backward = None
        full = module._is_full_backward_hook is not False
        hooks = [hook.function for _, hook in _hooks_to_run("backward", module._backward_hooks if full else {})]
        pre_hooks = [hook.function for _, hook in _hooks_to_run("backward_pre", module._backward_pre_hooks)]
        if hooks or pre_hooks:
            backward = BackwardHooks(module, hooks, pre_hooks)
            self.args = backward.setup_inputs(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        for number, hook in self._forward_hooks():
            self.called.add(number)
            self._run_forward_hook(hook)
        if backward is not None:
            if not isinstance(self.result, Variable | tuple):
                warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                    f"received {type(self.result)}",
                    UserWarning,
                    stacklevel=4,
                )
            self.result = backward.setup_outputs(self.result)
        for _, hook in _hooks_to_run("old_backward", {} if full else module._backward_hooks):
            hook_last_step(hook.function, module, self.args, self.result)
        return self.result

    def _run_forward_pre_hooks(self) -> None:
        module = self.module
        for _, hook in _hooks_to_run("forward_pre", module._forward_pre_hooks, module._forward_pre_hooks_with_kwargs):
            if not hook.with_kwargs:
                new_args = hook.function(module, self.args)
                if new_args is not None:
                    self.args = new_args if isinstance(new_args, tuple) else (new_args,)
                continue
            result = hook.function(module, self.args, self.kwargs)
            if result is None:
                continue
            if not isinstance(result, tuple) or len(result) != 2:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                )
            self.args, self.kwargs = result

    def _forward_hooks(self) -> list[tuple[int, _Hook]]:
        module = self.module
        return _hooks_to_run(
            "forward", module._forward_hooks, module._forward_hooks_with_kwargs, module._forward_hooks_always_called
        )

    def _run_forward_hook(self, hook: _Hook) -> None:
        kwargs = (self.kwargs,) if hook.with_kwargs else ()
        result = hook.function(self.module, self.args, *kwargs, self.result)
        if result is not None:
            self.result = result

    def _after_error(self) -> None:
        """Run the hooks with ``always_call`` that have not run yet; an error of theirs only warns."""
        for number, hook in self._forward_hooks():
            if hook.always_call and number not in self.called:
                try:
                    self._run_forward_hook(hook)
                except Exception as error:
                    warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}",
                        UserWarning,
                        stacklevel=4,
                    )


def hook_last_step(hook: Hook, module: Any, args: Values, result: Any) -> None:
    """Have ``hook(module, grad_input, grad_output)`` run at the step that made the first tensor of ``result``.

    A FutureWarning says which gradients the hook will not see.
    """
    first = result
    while not isinstance(first, Variable):
        first = next(v for v in first.values() if isinstance(v, Variable)) if isinstance(first, dict) else first[0]
    tensor: Any = first
    step = tensor.grad_fn
    if step is None:
        return
    step.register_hook(partial(hook, module))
    missing = _missing_from(step, args, result)
    if missing:
        warn(
            f"Using {missing} Please use register_full_backward_hook to get the documented behavior.",
            FutureWarning,
            stacklevel=5,
        )


def _missing_from(step: Any, args: Values, result: Any) -> str:
    """Return in which case ``step`` does not see all gradients of a call; an empty text if it does."""
    results = result if isinstance(result, tuple) else (result,)
    gone = "is deprecated and will be removed in future versions. This hook will be missing some"
    for values, what, lost in ((results, "does not return", "output"), (args, "does not take as input", "input")):
        if not all(isinstance(value, Variable) for value in values):
            where = f"non-full backward hooks on a Module that {what} a single Tensor or a tuple of Tensors"
            return f"{where} {gone} of the grad_{lost}."
    steps = {value.grad_fn for value in results if value.grad_fn is not None}
    if steps != {step}:
        return f"a non-full backward hook when outputs are generated by different autograd Nodes {gone} grad_output."
    if {value.grad_fn for value in args if value.grad_fn is not None} != {each for each, _ in step.next_functions}:
        return f"a non-full backward hook when the forward contains multiple autograd Nodes {gone} grad_input."
    return ""


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
    """One call of a module whose backward hooks run once its gradients are known.

    Inputs and outputs are each sent through an identity step. The step of the outputs comes first in the backward
    pass: it stores ``grad_output`` and runs the pre-hooks. The step of the inputs then has ``grad_input`` and runs the
    hooks. If no input requires grad, the step of the outputs runs both.

    module: the module that was called.
    hooks, pre_hooks: its backward hooks and pre-hooks, those of all modules first.
    grad_outputs: the gradients of the outputs, once known; None before and after.
    inputs, outputs: the positions of the tensors among them; ``inputs`` is None if none of them requires grad.
    n_inputs, n_outputs: how many there are, tensors or not.
    """

    def __init__(self, module: Any, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: Values | None = None
        self.inputs: list[int] | None = None
        self.outputs: list[int] = []
        self.n_inputs = self.n_outputs = -1

    def setup_inputs(self, args: Values) -> Values:
        """Return the inputs, tied to a step that runs the hooks when their gradients are known."""
        self.n_inputs = len(args)
        args, self.inputs = _through_identity(args, self._on_grad_inputs)
        return args

    def setup_outputs(self, result: Any) -> Any:
        """Return the outputs, tied to a step that stores their gradients."""
        values = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(values)
        self.outputs = [position for position, value in enumerate(values) if isinstance(value, Variable)]
        values, _ = _through_identity(values, self._on_grad_outputs)
        return values if isinstance(result, tuple) else values[0]

    def _on_grad_outputs(self, _: Values, grads: Values) -> Values | None:
        grad_outputs = _at_positions(self.outputs, grads, self.n_outputs)
        for hook in self.pre_hooks:
            replacement = hook(self.module, grad_outputs)
            if replacement is not None:
                grad_outputs = _checked(replacement, len(grad_outputs), "Backward pre hook", "grad_output")
        self.grad_outputs = grad_outputs
        if self.inputs is None:
            self._run_hooks_without_inputs()
        return tuple(grad_outputs[position] for position in self.outputs)

    def _run_hooks_without_inputs(self) -> None:
        if self.hooks:
            warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                f"inputs of {type(self.module).__name__} require gradients.",
                UserWarning,
                stacklevel=2,
            )
        for hook in self.hooks:
            result = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if result is not None and not (isinstance(result, tuple) and all(grad is None for grad in result)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        self.grad_outputs = None

    def _on_grad_inputs(self, grads: Values, _: Values) -> Values | None:
        if self.grad_outputs is None or self.inputs is None:
            return None  # a gradient that did not come through the outputs, as in a second derivative
        grad_inputs = _at_positions(self.inputs, grads, self.n_inputs)
        for hook in self.hooks:
            replacement = hook(self.module, grad_inputs, self.grad_outputs)
            if replacement is not None:
                grad_inputs = _checked(replacement, len(grad_inputs), "Backward hook", "grad_input")
        self.grad_outputs = None
        return tuple(grad_inputs[position] for position in self.inputs)


def _through_identity(args: Values, hook: Hook) -> tuple[Values, list[int] | None]:
    """Return ``args`` with its tensors sent through an identity step that calls ``hook``, and their positions.

    If no tensor requires grad, ``args`` comes back as it is, and None.
    """
    positions = [position for position, arg in enumerate(args) if isinstance(arg, Variable)]
    if not is_grad_enabled() or not any(args[position].requires_grad for position in positions):
        return args, None
    values = list(args)
    outputs = BackwardHookFunction.apply(*[args[position] for position in positions])
    for position, output in zip(positions, outputs, strict=True):
        values[position] = output
    step = next(output.grad_fn for output in outputs if output.grad_fn is not None)
    hooks_of(step).after.add(hook)
    is_plain_tuple = type(args) is tuple
    return (tuple(values) if is_plain_tuple else type(args)(*values)), positions


def _at_positions(positions: list[int], values: Values, size: int) -> Values:
    """Return a tuple of ``size`` items: ``values`` at ``positions``, None elsewhere."""
    items: list[Any] = [None] * size
    for position, value in zip(positions, values, strict=True):
        items[position] = value
    return tuple(items)


def _checked(result: Any, expected: int, hook: str, argument: str) -> Values:
    """Return what a hook returned as a tuple; RuntimeError unless it has ``expected`` items."""
    values = result if isinstance(result, tuple | list) else (result,)
    if len(values) != expected:
        raise RuntimeError(
            f"{hook} returned an invalid number of {argument}, got {len(values)}, but expected {expected}"
        )
    return tuple(values)
