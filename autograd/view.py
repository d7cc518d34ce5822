"""Views: how a tensor looks into the memory of another, its base."""

from __future__ import annotations

from typing import Any

from .grad_mode import Recording, recording
from .node import Node, Variable, ensure_version


class View:
    """How a tensor looks into its base: the view_ops that lead to it, and the base's node it last saw.

    ``frozen`` says why the view must not be written while recording, or is empty. ``view_ops`` is ``None`` where a custom
    Function made the view: it cannot be looked at again.
    """

    __slots__ = ("base", "base_node", "frozen", "view_ops")

    def __init__(self, base: Variable, view_ops: tuple[Any, ...] | None, base_node: Node | None, frozen: str) -> None:
        self.base, self.view_ops, self.base_node, self.frozen = base, view_ops, base_node, frozen


VIEW_UNDER_NO_GRAD = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use "
    "case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
    "inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside "
    "(if you want the inplace to be tracked)."
)
MULTI_OUTPUT_VIEW = (
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views "
    "to be modified inplace. You should replace the inplace operation by an out-of-place one."
)


def attach(made: Variable, x: Variable, function: Any, rest: tuple[Any, ...], frozen: str = "") -> None:
    """Note that ``made`` is ``function(x, *rest)`` and shares the memory of ``x``."""
    made.version = x.version if x.version is not None else ensure_version(x)
    before = x.view_of
    if not recording.get():
        frozen = VIEW_UNDER_NO_GRAD
    if before is None:
        made.view_of = View(x, ((function, rest),), x.node, frozen)
    else:
        view_ops = None if before.view_ops is None else (*before.view_ops, (function, rest))
        made.view_of = View(before.base, view_ops, before.base.node, frozen or before.frozen)


def replay(base: Any, view_ops: tuple[Any, ...]) -> Any:
    """Return what ``view_ops`` show of ``base``, a tensor or an array."""
    for function, rest in view_ops:
        base = function(base, *rest)
    return base


def refresh_view(x: Variable) -> None:
    """Give the view ``x`` its new history if its base was written since ``x`` last looked."""
    view = x.view_of
    base = view.base
    if view.base_node is not base.node and base.node is not None:  # None: the base was only told to ask for no gradient
        if view.view_ops is None:
            raise RuntimeError(view.frozen)
        before = x.node
        with Recording(True):  # and told to whoever looks on
            x.node = replay(base, view.view_ops).node
        move_retain_grad(before, x.node)
        view.base_node = base.node


def move_retain_grad(before: Node | None, after: Node | None) -> None:
    """Let ``after`` keep the gradient that ``before`` was to keep, and has: it is the tensor that was asked."""
    hooks = None if before is None else before.hooks
    if hooks is None or after is None or after is before or not (hooks.retain or hooks.kept is not None):
        return
    if after.hooks is None:
        after.hooks = type(hooks)()
    after.hooks.retain, hooks.retain = hooks.retain, False
    after.hooks.kept, hooks.kept = hooks.kept, None
