"""Checkpointing: a part of the graph is computed again in the backward pass rather than saved.

https://pytorch.org/docs/stable/checkpoint.html, after Chen et al. 2016, "Training Deep Nets with Sublinear Memory
Cost", https://arxiv.org/abs/1604.06174.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from warnings import warn

from ..autograd import enable_grad
from ..autograd.entry import backward
from ..autograd.function import Function
from ..autograd.graph import saved_tensors_hooks
from ..autograd.variable import Variable, as_ndarray, ensure_version, new_leaf, wrap
from ..tensors.random.generator import get_rng_state, set_rng_state

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointError(RuntimeError):
    """The function did not save the same when it ran again."""


def noop_context_fn() -> Contexts:
    """Return two contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Return ``function(*args, **kwargs)`` without keeping what its steps saved: backward runs it again for that.

    ``preserve_rng_state``: the second run draws the same random numbers. ``context_fn`` returns a context for the first
    run and one for the second. If the second run saves other numbers, shapes or dtypes than the first, backward raises
    :class:`CheckpointError`, unless ``determinism_check="none"``. ``use_reentrant=True`` runs a backward inside
    backward; it takes neither keywords nor ``context_fn``. Pass it by name.

    >>> import rushlight as torch
    >>> from rushlight.utils.checkpoint import checkpoint
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: x * x * x, x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    """
    if use_reentrant is None:
        warn(
            "checkpoint: pass use_reentrant explicitly; use_reentrant=False is recommended, True is the default.",
            UserWarning,
            stacklevel=2,
        )
        use_reentrant = True
    if determinism_check not in {"default", "none"}:
        raise ValueError(f"determinism_check should be one of ('default', 'none') but got {determinism_check!r}")
    if not use_reentrant:
        again = _Again(function, args, kwargs, preserve_rng_state, context_fn, determinism_check == "default")
        return again.first()
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug:
        raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
    if not any(isinstance(x, Variable) and x.node is not None for x in args):
        warn("None of the inputs have requires_grad=True. Gradients will be None", UserWarning, stacklevel=2)
    return CheckpointFunction.apply(function, preserve_rng_state, *args)


class _Again:
    """One checkpointed call: how to run it again, and what the second run saved until backward asked for it."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        preserve: bool,
        context_fn: Callable[[], Contexts],
        checked: bool,
    ) -> None:
        self.call = function, args, kwargs
        self.rng = get_rng_state() if preserve else None
        self.contexts = context_fn()
        self.checked = checked
        self.facts: list[tuple[Any, Any]] = []
        self.found: dict[int, Any] = {}
        self.complete = False  # until then the function may itself walk backward, and needs what it saved
        given = [x for x in (*args, *kwargs.values()) if isinstance(x, Variable)]
        self.stamps = [(version, bytes(version)) for version in map(ensure_version, given)]

    def first(self) -> Any:
        """Run the function; each value it saves is replaced by its number."""
        function, args, kwargs = self.call
        with self.contexts[0], saved_tensors_hooks(self._number, self._value):
            made = function(*args, **kwargs)
        self.complete = True
        self.found.clear()
        return made

    def _number(self, x: Any) -> int:
        self.facts.append((x.shape, x.dtype))
        return len(self.facts) - 1

    def _value(self, number: int) -> Any:
        if number not in self.found:
            self._run()
        return self.found.pop(number)

    def _run(self) -> None:
        if any(version != said for version, said in self.stamps):
            raise CheckpointError("checkpoint: an input was modified by an inplace operation since the first run")
        function, args, kwargs = self.call
        saved: list[Any] = []

        def keep(x: Any) -> Any:
            saved.append(x)
            return x

        now = get_rng_state()
        try:
            if self.rng is not None:
                set_rng_state(self.rng)
            with enable_grad(), self.contexts[1], saved_tensors_hooks(keep, _itself):
                function(*args, **kwargs)
        finally:
            if self.rng is not None:
                set_rng_state(now)
        self._check(saved)
        self.found = dict(enumerate(saved))

    def _check(self, saved: list[Any]) -> None:
        if len(saved) != len(self.facts) and (self.complete or len(saved) < len(self.facts)):
            raise CheckpointError(
                "checkpoint: A different number of tensors was saved during the original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.facts)}\n"
                f"Number of tensors saved during recomputation: {len(saved)}"
            )
        for number, (x, fact) in enumerate(zip(saved, self.facts, strict=False)):
            if self.checked and (x.shape, x.dtype) != fact:
                raise CheckpointError(
                    "checkpoint: Recomputed values for the following tensors have different metadata than during the "
                    f"forward pass.\ntensor at position {number}: saved {fact}, recomputed {(x.shape, x.dtype)}"
                )


def _itself(x: Any) -> Any:
    return x


class CheckpointFunction(Function):
    """The reentrant variant: one node whose backward runs the function again and walks its graph."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        """Return ``function(*args)``, unrecorded."""
        ctx.function, ctx.rng = function, get_rng_state() if preserve else None
        ctx.places = [n for n, x in enumerate(args) if isinstance(x, Variable)]
        ctx.rest = [None if isinstance(x, Variable) else x for x in args]
        ctx.save_for_backward(*(args[n] for n in ctx.places))
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return the gradients of the arguments; gradients of other leaves accumulate right away."""
        args = list(ctx.rest)
        for n, x in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[n] = wrap(x.result, as_ndarray(x), None, ensure_version(x))
            if ctx.needs_input_grad[n + 2]:
                args[n].node = new_leaf(args[n])
        now = get_rng_state()
        try:
            if ctx.rng is not None:
                set_rng_state(ctx.rng)
            with enable_grad():
                outputs = ctx.function(*args)
        finally:
            if ctx.rng is not None:
                set_rng_state(now)
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(o, g) for o, g in zip(listed, grads, strict=True) if isinstance(o, Variable) and o.node is not None]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in pairs], [g for _, g in pairs])
        return None, None, *(x.node.grad if isinstance(x, Variable) and x.node is not None else None for x in args)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, *, preserve_rng_state: bool = True
) -> Any:
    """Return ``input`` sent through ``functions`` (a Sequential or a sequence), checkpointed in ``segments`` parts.

    The last part is not checkpointed: backward needs it first.
    """
    if use_reentrant is None:
        warn(
            "checkpoint_sequential: pass use_reentrant explicitly; use_reentrant=False is recommended.",
            UserWarning,
            stacklevel=2,
        )
        use_reentrant = True
    steps = list(functions)
    size = len(steps) // segments
    for number in range(segments - 1):
        part = _chain(steps[number * size : (number + 1) * size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return _chain(steps[(segments - 1) * size :])(input)


def _chain(steps: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return run
