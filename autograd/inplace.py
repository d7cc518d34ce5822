"""In-place ops: run the out-of-place op, copy its result into the tensor, and rebase the history.

That is PyTorch's CopySlices: no op has a second gradient for its in-place variant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays.dtypes import number
from .broadcast import convert, is_expandable
from .copy_slices import copy_slices
from .errors import frozen_view
from .hooks import move_retain_grad
from .node import RESULT, Node
from .observers import Doing
from .out_argument import assert_no_internal_overlap, check_can_cast, check_written
from .primitive import PRIMITIVES, is_primitive
from .recording import is_grad_enabled, recording
from .variable import Variable, bump_version, wrap
from .view import refresh_view

ARRAY_OPERATORS: dict[Any, Callable[[Any, Any], Any]] = {}
"""For an op, the array operator that writes where it reads, for when nothing is recorded. The ops fill it in."""
SPARING: set[Any] = set()
"""Functions around a primitive that do not save their first input. The ops fill it in."""
UNIFORM = frozenset(("fill_", "zero_"))
"""Writers of one value everywhere: allowed where several elements share their memory, as in PyTorch."""

OF_A_NUMBER = frozenset(("fill_", "masked_fill_", "index_fill_"))
"""Writers that read one value before they write."""


def write_inplace(x: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Write ``function(x, *args, **kwargs)`` into ``x``, recorded if a gradient is required; return ``x``."""
    if 0 in x.array.strides and name not in UNIFORM:
        assert_no_internal_overlap(x.array, name)
    if x.view_of is not None:
        refresh_view(x)
    if x.version is not None:
        check_written(x, () if name in OF_A_NUMBER else (*args, *kwargs.values()) if kwargs else args)
    mode = recording.get()
    if not mode or not _any_requires_grad(x, args, kwargs):
        return _overwrite(x, function, args, kwargs, name)
    check_inplace(x)
    if mode is True:
        return _write_recorded(x, function, args, kwargs, name)
    with Doing("write", x, name):
        return _write_recorded(x, function, args, kwargs, name)


def _write_recorded(x: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    source = x if saves_no_input(function) else wrap(type(x), np.array(x.array), x.node)
    value = as_written(x, function(source, *args, **kwargs), name)
    write_array(x, value.array, name)
    rebase_history(x, value)
    return x


def _any_requires_grad(x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether ``x``, or an argument, or an item of one, requires a gradient."""
    base = x if x.view_of is None else x.view_of.base
    if x.node is not None or base.node is not None:
        return True
    for arg in (*args, *kwargs.values()):
        for one in arg if isinstance(arg, tuple | list) else (arg,):
            if isinstance(one, Variable):
                if one.view_of is not None:
                    refresh_view(one)
                if one.node is not None:
                    return True
    return False


def saves_no_input(function: Any) -> bool:
    """Return whether ``function`` does not save its first input, so that it may be overwritten right after."""
    if not is_primitive(function):
        return function in SPARING
    op = function.primitive
    return op.params[0] not in op.saves and not op.view


def _overwrite(x: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Write without a record, and for plain arithmetic without a temporary."""
    fast = ARRAY_OPERATORS.get(function)
    if fast is not None and len(args) == 1 and not kwargs and type(x.array) is np.ndarray:
        kind = x.array.dtype
        other = args[0].array if isinstance(args[0], Variable) else args[0]
        if type(other) is float and kind.kind == "f":
            other = number(other, kind)
        alike = isinstance(other, np.ndarray | np.generic) and other.dtype is kind and kind.kind == "f"
        if alike and (other.ndim == 0 or is_expandable(x.array.shape, other.shape)):
            fast(x.array, other)
            bump_version(x, name)
            return x
    write_array(x, as_written(x, function(x, *args, **kwargs), name).array, name)
    return x


def check_inplace(x: Any) -> None:
    """Raise RuntimeError if a recorded write into ``x`` has no place in the graph."""
    view = x.view_of
    base = x if view is None else view.base
    if is_grad_enabled() and any(one.node is not None and one.node.backward is None for one in (base, x)):
        which = "a leaf Variable" if view is None else "a view of a leaf Variable"
        raise RuntimeError(
            f"{which} that requires grad is being used in an in-place operation. Write it under torch.no_grad(), "
            "or write a clone() of it."
        )
    if view is not None and view.frozen and is_grad_enabled():
        raise RuntimeError(frozen_view(x.node, view.frozen))


def as_written(x: Any, value: Any, name: str) -> Any:
    """Return ``value`` in the dtype of ``x``; RuntimeError if it does not fit."""
    if value is NotImplemented:
        raise TypeError(f"{name}(): unsupported operand: the other argument is neither a tensor nor a number")
    if value.array.shape != x.array.shape:
        raise RuntimeError(
            f"{name}: output with shape {list(x.array.shape)} doesn't match the broadcast shape "
            f"{list(value.array.shape)}"
        )
    check_can_cast(name, value.array.dtype, x.array.dtype)
    return value if value.array.dtype is x.array.dtype else convert(value, x.array.dtype)


def write_array(x: Any, array: Any, name: str) -> None:
    """Let ``array`` land in the memory of ``x`` and count the write."""
    if type(x.array) is np.ndarray:
        x.array[...] = array
    else:
        x.array = x.array.dtype.type(array)  # a scalar nobody else looks at
    bump_version(x, name)


def rebase_history(x: Any, value: Any) -> None:
    """Give ``x``, and the tensor it is a view of, the history of ``value``, which was just stored into it."""
    mode: Any = recording.get()
    if mode is not True and (not mode or (not mode.reverse and mode.rebase(x, value))):
        return
    node, view, old = value.node, x.view_of, x.node
    if node is not None:
        _save_written_memory(node, value, x)
    if view is None and node is not None:
        x.node = node
    else:
        _rebase(x if view is None else view.base, () if view is None else view.view_ops, node)
        if view is not None:
            refresh_view(x)
    move_retain_grad(old, x.node)


def _rebase(base: Any, view_ops: tuple[Any, ...], node: Node | None) -> None:
    """Give ``base`` the history of a write of ``node``'s value (None: a constant) into what ``view_ops`` show."""
    kind = PRIMITIVES[copy_slices.__name__].backward("CopySlices", True)
    made = Node.record(kind, (base.node, node), (view_ops,), base.array.shape, base.array.dtype)
    move_retain_grad(base.node, made)
    base.node = made
    mode = recording.get()
    if not isinstance(mode, bool):
        with Doing("rebase", base):
            base.node = None if mode.node_made(made, base.array) else made


def _save_written_memory(node: Node, value: Any, x: Any) -> None:
    """Let a node that saved its result hold the memory of ``x`` instead: no second copy, and its version counts."""
    if node.saved is None or node.backward is None:
        return
    for slot in node.backward.saved_slots:
        place = slot.place
        if slot.source == RESULT and node.saved[place] is value.array and type(x.array) is np.ndarray:
            saved = list(node.saved)
            saved[place : place + 3] = x.array, x.version, bytes(x.version)
            node.saved = tuple(saved)
