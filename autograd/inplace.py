"""Writing in place: compute the out-of-place twin, then let its value land. No op has a second gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays.dtypes import Array, number
from .broadcast import compatible, convert, copied
from .grad_mode import recording
from .node import Node, Variable, clock, wrap, wrote
from .out_argument import apart, castable
from .primitive import PRIMITIVES, is_primitive, primitive
from .view import carry, look, settle

ARRAY_OPERATORS: dict[Any, Callable[[Any, Any], Any]] = {}
"""For an op, the array operator that writes where it reads, for when nothing is recorded. The ops fill it in."""

SPARING: set[Any] = set()
"""Functions around a primitive that do not save their first input. The ops fill it in."""

UNIFORM = frozenset(("fill_", "zero_"))
"""What writes one value everywhere: also where several elements share their memory, as in PyTorch."""

_ZERO = np.zeros(())


def _without_part(g: Any, steps: tuple[Any, ...]) -> Any:
    return put(g, _ZERO, steps)


def _seen(array: Any, steps: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return ``array`` and what ``steps`` show of it.

    A step such as ``view`` depends on the order in memory, which for a gradient may differ from that of the tensor it
    belongs to: then of a copy, row by row or column by column. RuntimeError if the steps fit none of them.
    """
    for order in ("C", "F"):
        try:
            return array, look(array, steps)
        except RuntimeError:
            array = copied(array, order)
    return array, look(array, steps)


def _part(g: Any, steps: tuple[Any, ...]) -> Any:
    return _seen(g, steps)[1]


@primitive(base=_without_part, value=_part, title="CopySlices")
def put(base: Array, value: Any, steps: tuple[Any, ...]) -> Array:
    """Return ``base`` with the part that ``steps`` look at replaced by ``value``."""
    out: Array
    out, part = _seen(np.array(base), steps)
    part[...] = value
    return out


def in_place(twin: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """Return the method that computes ``twin`` and writes the result into its first argument."""
    name = name or f"{twin.__name__}_"

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return write(self, twin, args, kwargs, name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place version of :func:`{twin.__name__}`."
    return method


def write(x: Any, twin: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Write ``twin(x, *args, **kwargs)`` into ``x``, recorded if gradients are; return ``x``."""
    if 0 in x.array.strides and name not in UNIFORM:
        apart(x.array, name)
    if x.view_of is not None:
        settle(x)
    if not recording.get() or not (_asks(x, args, kwargs)):
        return _overwrite(x, twin, args, kwargs, name)
    check_rebase(x)
    source = x if spares_input(twin) else wrap(type(x), np.array(x.array), x.node)
    value = fit(x, twin(source, *args, **kwargs), name)
    store(x, value.array, name)
    rebase(x, value)
    return x


def _asks(x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether ``x``, or an argument, or an item of one, requires a gradient."""
    base = x if x.view_of is None else x.view_of.base
    if x.node is not None or base.node is not None:
        return True
    for arg in (*args, *kwargs.values()):
        for one in arg if isinstance(arg, tuple | list) else (arg,):
            if isinstance(one, Variable):
                if one.view_of is not None:
                    settle(one)
                if one.node is not None:
                    return True
    return False


def running_in_place(twin: Callable[..., Any]) -> Callable[..., Any]:
    """Return :func:`in_place` of a running sum or product, whose ``dtype`` must be that of the tensor."""
    run = in_place(twin)

    def method(self: Any, dim: int, *, dtype: Any = None) -> Any:
        if dtype is not None and dtype is not self.dtype:
            raise RuntimeError(f"Bad in-place call: input tensor dtype {self.dtype}, output tensor dtype {dtype}")
        return run(self, dim)

    method.__name__ = method.__qualname__ = run.__name__
    method.__doc__ = run.__doc__
    return method


def spares_input(twin: Any) -> bool:
    """Return whether ``twin`` does not save its first input, so that it may be overwritten right after."""
    if not is_primitive(twin):
        return twin in SPARING
    op = twin.primitive
    return op.params[0] not in op.saves and not op.view


def _overwrite(x: Any, twin: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Write without a record, and for plain arithmetic without a temporary."""
    fast = ARRAY_OPERATORS.get(twin)
    if fast is not None and len(args) == 1 and not kwargs and type(x.array) is np.ndarray:
        kind = x.array.dtype
        other = args[0].array if isinstance(args[0], Variable) else args[0]
        if type(other) is float and kind.kind == "f":
            other = number(other, kind)
        alike = isinstance(other, np.ndarray | np.generic) and other.dtype is kind and kind.kind == "f"
        if alike and (other.ndim == 0 or compatible(x.array.shape, other.shape)):
            fast(x.array, other)
            wrote(x, name)
            return x
    store(x, fit(x, twin(x, *args, **kwargs), name).array, name)
    return x


def check_rebase(x: Any) -> None:
    """Raise RuntimeError if a recorded write into ``x`` has no place in the graph."""
    view = x.view_of
    base = x if view is None else view.base
    if any(one.node is not None and one.node.op is None for one in (base, x)):
        which = "a leaf Variable" if view is None else "a view of a leaf Variable"
        raise RuntimeError(
            f"{which} that requires grad is being used in an in-place operation. Write it under torch.no_grad(), "
            "or write a clone() of it."
        )
    if view is not None and view.frozen:
        made = f"Output 0 of {x.node.name()} is a view and is being modified inplace. " if x.node is not None else ""
        raise RuntimeError(made + view.frozen)


def fit(x: Any, value: Any, name: str) -> Any:
    """Return ``value`` in the dtype of ``x``; RuntimeError if it does not fit."""
    if value is NotImplemented:
        raise TypeError(f"{name}(): unsupported operand: the other argument is neither a tensor nor a number")
    if value.array.shape != x.array.shape:
        raise RuntimeError(
            f"{name}: output with shape {list(x.array.shape)} doesn't match the broadcast shape "
            f"{list(value.array.shape)}"
        )
    castable(name, value.array.dtype, x.array.dtype)
    return value if value.array.dtype is x.array.dtype else convert(value, x.array.dtype)


def store(x: Any, array: Any, name: str) -> None:
    """Let ``array`` land in the memory of ``x`` and count the write."""
    if type(x.array) is np.ndarray:
        x.array[...] = array
    else:
        x.array = x.array.dtype.type(array)  # a scalar nobody else looks at
    wrote(x, name)


def rebase(x: Any, value: Any) -> None:
    """Give ``x``, and the tensor it is a view of, the history of ``value``, which was just stored into it."""
    node, view, before = value.node, x.view_of, x.node
    if node is not None:
        _share_saved_result(node, value, x)
    if view is None and node is not None:
        x.node = node
    else:
        _replace_part(x if view is None else view.base, () if view is None else view.steps, node)
        if view is not None:
            settle(x)
    carry(before, x.node)


def _replace_part(base: Any, steps: tuple[Any, ...], node: Node | None) -> None:
    """Give ``base`` the history of a write of ``node``'s value (None: a constant) into what ``steps`` look at."""
    made = Node()
    made.op = PRIMITIVES["put"].op("CopySlices", True)
    made.edges, made.saved, made.hooks = (base.node, node), (steps,), None
    made.shape, made.dtype, made.seq = base.array.shape, base.array.dtype, next(clock)
    carry(base.node, made)
    base.node = made
    mode = recording.get()
    if not isinstance(mode, bool):
        mode.made(made, base.array)


def _share_saved_result(node: Node, value: Any, x: Any) -> None:
    """Let a node that saved its result hold the memory of ``x`` instead: no second copy, and its version counts."""
    if node.saved is None or node.op is None:
        return
    for place, kind, _ in node.op.layout:
        if kind == "out" and node.saved[place] is value.array and type(x.array) is np.ndarray:
            saved = list(node.saved)
            saved[place : place + 3] = x.array, x.version, bytes(x.version)
            node.saved = tuple(saved)
