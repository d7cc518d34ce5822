"""Views: how a tensor looks into the memory of another, its base."""

from __future__ import annotations

from typing import Any

from .errors import VIEW_UNDER_NO_GRAD
from .hooks import move_retain_grad
from .node import Node
from .observers import Doing
from .recording import Recording, recording
from .variable import Variable, ensure_version


class View:
    """How a tensor looks into its base.

    base        the tensor that owns the memory; it is no view itself
    view_ops    the ops that lead from the base to the view, with their arguments; ``None`` where a custom Function
                made the view, which cannot be replayed
    base_node   the node that the base had when the view was last refreshed
    frozen      why the view must not be written while recording, or ``""``
    """

    __slots__ = ("base", "base_node", "frozen", "view_ops")

    def __init__(self, base: Variable, view_ops: tuple[Any, ...] | None, base_node: Node | None, frozen: str) -> None:
        self.base, self.view_ops, self.base_node, self.frozen = base, view_ops, base_node, frozen


def attach(made: Variable, x: Variable, function: Any, rest: tuple[Any, ...], frozen: str = "") -> None:
    """Note that ``made`` is ``function(x, *rest)`` and shares the memory of ``x``."""
    made.version = x.version if x.version is not None else ensure_version(x)
    through = x.view_of
    if not recording.get():
        frozen = VIEW_UNDER_NO_GRAD
    if through is None:
        x.viewed = True
        made.view_of = View(x, ((function, rest),), x.node, frozen)
    else:
        view_ops = None if through.view_ops is None else (*through.view_ops, (function, rest))
        made.view_of = View(through.base, view_ops, through.base.node, frozen or through.frozen)


def replay(base: Any, view_ops: tuple[Any, ...]) -> Any:
    """Return what ``view_ops`` show of ``base``, a tensor or an array."""
    for function, rest in view_ops:
        base = function(base, *rest)
    return base


def refresh_view(x: Variable) -> None:
    """Give the view ``x`` its new history if its base was written since ``x`` was last refreshed."""
    view = x.view_of
    base = view.base
    if view.base_node is base.node or base.node is None:  # None: the base was only told to require no grad
        return
    if view.view_ops is None:
        raise RuntimeError(view.frozen)
    old = x.node
    with Recording(True), Doing("refresh", x):  # whoever looks on is told of the replayed steps
        x.node = replay(base, view.view_ops).node
    move_retain_grad(old, x.node)
    view.base_node = base.node
