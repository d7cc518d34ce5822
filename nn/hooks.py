"""Hooks of modules: what runs before and after ``forward``, and around the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import warn

from ..autograd.hooks import HookDict, RemovableHandle
from ..autograd.node import Variable
from .backward_hooks import BackwardHooks
from .base import ModuleBase

Hook = Callable[..., Any]
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
