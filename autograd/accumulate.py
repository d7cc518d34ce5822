"""How a gradient lands in the ``grad`` of a leaf, also where several walks reach one leaf at once."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from .broadcast import convert
from .node import Node
from .threads import ONE_AT_A_TIME, shared_lock
from .variable import Variable, wrap
from .version import count_write

_LANDING = shared_lock()
"""Held while the gradients of one walk land: NumPy lets other threads run while it adds."""


def _alone() -> int:
    box = [np.empty(1)]
    array = box.pop()
    return getrefcount(array)


_ALONE = _alone() if ONE_AT_A_TIME else -1
"""The reference count of an array that only a local variable holds; none at all where counts cannot be trusted."""


def _own(box: list[Any]) -> Any:
    """Return the array in ``box``, or a copy if anyone else could see it."""
    array = box.pop()
    if type(array) is not np.ndarray:
        return array
    alone = getrefcount(array) == _ALONE and array.base is None and array.flags.c_contiguous and array.flags.writeable
    return array if alone else np.array(array, order="C")


def accumulate(node: Node, box: list[Any], record: bool) -> None:
    """Add the gradient in ``box`` to the ``grad`` of the leaf ``node``, then run its hooks.

    The box lets ``node`` take the array over without a copy if nobody else holds it. Hooks run outside the lock, as
    they may wait for other threads themselves.
    """
    with _LANDING:
        _land(node, box, record)
    hooks = node.hooks
    if hooks is not None:
        hooks.run_accumulated()


def _land(node: Node, box: list[Any], record: bool) -> None:
    """Add the gradient in ``box`` to the ``grad`` of the leaf ``node``: in place, unless the walk is recorded.

    A tensor that was told to require no grad since it was read gets none.
    """
    before = node.grad
    if node.saved is None:
        return
    if record:
        node.grad = convert(box.pop(), node.dtype) if before is None else before + box.pop()
    elif before is None:
        node.grad = wrap(Variable.result, _own(box))
    else:
        _add_in_place(before, box.pop())


def _add_in_place(grad: Variable, g: Any) -> None:
    if type(grad.array) is np.ndarray:
        np.add(grad.array, g, grad.array)
    else:
        grad.array = grad.array + g
    if grad.version is not None:
        count_write(grad.version, "backward")


def accumulate_all(arrived: dict[Node, Any], record: bool) -> None:
    """Add every gradient that arrived to the ``grad`` of its leaf, and run the leaves' hooks."""
    hooked: list[Node] = []
    _LANDING.acquire()  # every walk ends here: a with statement would cost twice as much
    try:
        while arrived:
            node, g = arrived.popitem()
            if node.hooks is not None:
                hooked.append(node)
            box = [g]
            del g
            _land(node, box, record)
    finally:
        _LANDING.release()
    for node in hooked:
        node.hooks.run_accumulated()
