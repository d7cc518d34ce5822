"""Hooks: what a user runs when a gradient passes a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self
from weakref import ref

import numpy as np

from ..arrays.dtypes import dtype_of
from .multi_output import OutputGrads, step_of
from .node import Node
from .threads import counter
from .variable import Variable, wrap

Hook = Callable[..., Any]
_ids = counter()


def keep_ahead(hooks: Any) -> None:
    """Give out only numbers above those of ``hooks``, which may come from another process."""
    global _ids  # noqa: PLW0603
    highest = max(hooks, default=-1)
    current = next(_ids)
    _ids = counter(max(current, highest + 1))


class HookDict(dict[int, Any]):
    """Hooks by number, in the order of registration."""

    __slots__ = ("__weakref__",)

    def add(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Put ``hook`` last, or with ``prepend`` first, and return its handle."""
        return add_hook(self, hook, prepend)

    def move_to_end(self, number: int, last: bool = True) -> None:
        """Put hook ``number`` last, or first."""
        others = [] if last else [(each, hook) for each, hook in self.items() if each != number]
        for each, hook in [(number, self[number]), *others]:
            del self[each]
            self[each] = hook


def add_hook(hooks: Any, hook: Any, prepend: bool = False, flags: Iterable[Any] = ()) -> RemovableHandle:
    """Put ``hook`` last into ``hooks``, or with ``prepend`` first, and return its handle.

    ``hooks`` is a HookDict, or an OrderedDict that somebody put in the place of one. Its number is also noted in
    ``flags``, dicts of the same kinds, until the hook is removed.
    """
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for each in flags:
        each[handle.id] = True
    return handle


class RemovableHandle:
    """The handle of a registered hook: ``remove()`` takes the hook away; leaving a ``with`` block does too.

    id: the number of the hook.
    hooks_dict_ref: a weak reference to the dict of hooks by number.
    extra_dict_ref: weak references to further dicts that lose the number when the hook goes.
    """

    __slots__ = ("__weakref__", "extra_dict_ref", "hooks_dict_ref", "id")

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        extra = extra_dict if isinstance(extra_dict, list) else [] if extra_dict is None else [extra_dict]
        self.hooks_dict_ref: Callable[[], Any] = ref(hooks_dict)
        self.extra_dict_ref: tuple[Callable[[], Any], ...] = tuple(map(ref, extra))
        self.id = next(_ids)

    def remove(self) -> None:
        """Take the hook away; once it is gone this does nothing."""
        for each in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = each()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _handle, (self.hooks_dict_ref(), self.id, [each() for each in self.extra_dict_ref])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _handle(hooks: Any, number: int, extra: Iterable[Any] = ()) -> RemovableHandle:
    """Return the handle of hook ``number``; of none if the hooks are gone."""
    living = [each for each in extra if each is not None]
    made = RemovableHandle(HookDict() if hooks is None else hooks, extra_dict=living)
    made.id = number
    return made


class Hooks:
    """The hooks of one node, in the order in which the walk runs them.

    tensor        see, and may replace, the gradient of the node's result
    retain        whether ``retain_grad`` asked to keep that gradient, in ``kept``
    before        see all gradients that reach the node
    after         see those, and the ones that leave it
    accumulated   see a leaf's tensor once its ``grad`` is written; ``variable`` keeps that tensor alive
    """

    __slots__ = ("accumulated", "after", "before", "kept", "retain", "tensor", "variable")

    def __init__(self) -> None:
        self.tensor, self.before, self.after, self.accumulated = HookDict(), HookDict(), HookDict(), HookDict()
        self.retain = False
        self.kept: Any = None
        self.variable: Any = None

    def run_tensor_hooks(self, node: Node, g: Any) -> Any:
        """Run what belongs to the result of ``node``, a tensor; return the gradient, maybe replaced."""
        recorded = isinstance(g, Variable)
        for hook in tuple(self.tensor.values()):
            got = hook(g if recorded else wrap(Variable.result, g))
            if got is not None:
                _check(got, node, g)
                g = got if recorded else got.array
        if self.retain:
            mine = g.to(dtype_of(node.dtype), copy=True) if recorded else wrap(Variable.result, np.array(g, node.dtype))
            self.kept = mine if self.kept is None else self.kept + mine
        return g

    def run_accumulated(self) -> None:
        """Show a leaf's tensor, whose ``grad`` was just written; RuntimeError if a hook returns anything."""
        for hook in tuple(self.accumulated.values()):
            if hook(self.variable) is not None:
                raise RuntimeError("Tensor post accumulate grad hooks should return None.")

    def run_before(self, g: Any) -> Any:
        """Run what comes right before the node's own step; return the gradient, maybe replaced."""
        incoming = g.items if isinstance(g, OutputGrads) else (g,)
        recorded = any(isinstance(item, Variable) for item in incoming)
        for hook in tuple(self.before.values()):
            got = hook(_tensors(g.items if isinstance(g, OutputGrads) else (g,)))
            if got is not None:
                arrays = _arrays(got, recorded)
                g = OutputGrads(arrays) if isinstance(g, OutputGrads) else arrays[0]
        return g

    def run_after(self, parts: Any, g: Any) -> Any:
        """Run what comes after the node's own step; return the gradients of its inputs, maybe replaced."""
        parts = tuple(parts)
        incoming = g.items if isinstance(g, OutputGrads) else (g,)
        recorded = any(isinstance(part, Variable) for part in (*parts, *incoming))
        for hook in tuple(self.after.values()):
            got = hook(_tensors(parts), _tensors(incoming))
            if got is None:
                continue
            arrays = _arrays(got, recorded)
            if len(arrays) != len(parts):
                raise RuntimeError(
                    f"hook {hook!r} has returned an incorrect number of values (got {len(arrays)}, "
                    f"but expected {len(parts)})"
                )
            parts = arrays
        return parts


def hooks_of(node: Node) -> Hooks:
    """Return the hooks of ``node``, made now if it had none."""
    if node.hooks is None:
        node.hooks = Hooks()
    found: Hooks = node.hooks
    return found


def move_retain_grad(old: Node | None, new: Node | None) -> None:
    """Move ``retain_grad`` state from the old node of a tensor to the new one."""
    hooks = None if old is None else old.hooks
    if hooks is None or new is None or new is old or not (hooks.retain or hooks.kept is not None):
        return
    moved = hooks_of(new)
    moved.retain, hooks.retain = hooks.retain, False
    moved.kept, hooks.kept = hooks.kept, None


def _tensors(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(v if v is None or isinstance(v, Variable) else wrap(Variable.result, v) for v in values)


def _arrays(values: Any, recorded: bool) -> tuple[Any, ...]:
    values = values if isinstance(values, tuple | list) else (values,)
    return tuple(v.array if isinstance(v, Variable) and not recorded else v for v in values)


def _check(got: Any, node: Node, g: Any) -> None:
    if not isinstance(got, Variable):
        raise TypeError(f"expected Variable, but hook of {step_of(node)[0].name()} returned {type(got).__name__}")
    if got.array.shape != tuple(g.shape):
        raise RuntimeError(
            f"hook of {step_of(node)[0].name()} has changed the size of value: got {list(got.array.shape)}, "
            f"expected {list(g.shape)}"
        )
