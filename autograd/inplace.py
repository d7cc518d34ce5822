"""Writing in place: compute the out-of-place twin, then let its value land. No op has a second gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays.dtypes import Array, number
from .broadcast import convert, copied, is_expandable
from .codegen.signature import InPlace
from .grad_mode import recording
from .node import Node, Variable, bump_version, clock, wrap
from .out_argument import assert_no_internal_overlap, check_can_cast
from .primitive import PRIMITIVES, is_primitive, primitive
from .view import move_retain_grad, refresh_view, replay

ARRAY_OPERATORS: dict[Any, Callable[[Any, Any], Any]] = {}
"""For an op, the array operator that writes where it reads, for when nothing is recorded. The ops fill it in."""

SPARING: set[Any] = set()
"""Functions around a primitive that do not save their first input. The ops fill it in."""

UNIFORM = frozenset(("fill_", "zero_"))
"""What writes one value everywhere: also where several elements share their memory, as in PyTorch."""

_ZERO = np.zeros(())


def _without_part(g: Any, steps: tuple[Any, ...]) -> Any:
    return copy_slices(g, _ZERO, steps)


def _with_part(array: Any, steps: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return ``array`` and what ``steps`` show of it.

    A step such as ``view`` depends on the order in memory, which for a gradient may differ from that of the tensor it
    belongs to: then of a copy, row by row or column by column. RuntimeError if the steps fit none of them.
    """
    for order in ("C", "F"):
        try:
            return array, replay(array, steps)
        except RuntimeError:
            array = copied(array, order)
    return array, replay(array, steps)


def _part(g: Any, steps: tuple[Any, ...]) -> Any:
    return _with_part(g, steps)[1]


@primitive(base=_without_part, value=_part, grad_fn_name="CopySlices")
def copy_slices(base: Array, value: Any, steps: tuple[Any, ...]) -> Array:
    """Return ``base`` with the part that ``steps`` look at replaced by ``value``."""
    out: Array
    out, part = _with_part(np.array(base), steps)
    part[...] = value
    return out


def inplace_variant(twin: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """Return the method that computes ``twin`` and writes the result into its first argument."""
    name = name or f"{twin.__name__}_"

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return write_inplace(self, twin, args, kwargs, name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place version of :func:`{twin.__name__}`."
    method.__wrapped__ = InPlace(twin)  # type: ignore[attr-defined]  # any function takes attributes
    return method


def write_inplace(x: Any, twin: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Write ``twin(x, *args, **kwargs)`` into ``x``, recorded if gradients are; return ``x``."""
    if 0 in x.array.strides and name not in UNIFORM:
        assert_no_internal_overlap(x.array, name)
    if x.view_of is not None:
        refresh_view(x)
    if not recording.get() or not (_any_requires_grad(x, args, kwargs)):
        return _overwrite(x, twin, args, kwargs, name)
    check_inplace(x)
    source = x if saves_no_input(twin) else wrap(type(x), np.array(x.array), x.node)
    value = as_written(x, twin(source, *args, **kwargs), name)
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


def inplace_cumulative(twin: Callable[..., Any]) -> Callable[..., Any]:
    """Return :func:`in_place` of a running sum or product, whose ``dtype`` must be that of the tensor."""
    run = inplace_variant(twin)

    def method(self: Any, dim: int, *, dtype: Any = None) -> Any:
        if dtype is not None and dtype is not self.dtype:
            raise RuntimeError(f"Bad in-place call: input tensor dtype {self.dtype}, output tensor dtype {dtype}")
        return run(self, dim)

    method.__name__ = method.__qualname__ = run.__name__
    method.__doc__ = run.__doc__
    return method


def saves_no_input(twin: Any) -> bool:
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
        if alike and (other.ndim == 0 or is_expandable(x.array.shape, other.shape)):
            fast(x.array, other)
            bump_version(x, name)
            return x
    write_array(x, as_written(x, twin(x, *args, **kwargs), name).array, name)
    return x


def check_inplace(x: Any) -> None:
    """Raise RuntimeError if a recorded write into ``x`` has no place in the graph."""
    view = x.view_of
    base = x if view is None else view.base
    if any(one.node is not None and one.node.backward is None for one in (base, x)):
        which = "a leaf Variable" if view is None else "a view of a leaf Variable"
        raise RuntimeError(
            f"{which} that requires grad is being used in an in-place operation. Write it under torch.no_grad(), "
            "or write a clone() of it."
        )
    if view is not None and view.frozen:
        made = f"Output 0 of {x.node.name()} is a view and is being modified inplace. " if x.node is not None else ""
        raise RuntimeError(made + view.frozen)


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
    node, view, before = value.node, x.view_of, x.node
    if node is not None:
        _share_saved_result(node, value, x)
    if view is None and node is not None:
        x.node = node
    else:
        _set_base_history(x if view is None else view.base, () if view is None else view.view_ops, node)
        if view is not None:
            refresh_view(x)
    move_retain_grad(before, x.node)


def _set_base_history(base: Any, steps: tuple[Any, ...], node: Node | None) -> None:
    """Give ``base`` the history of a write of ``node``'s value (None: a constant) into what ``steps`` look at."""
    made = Node()
    made.backward = PRIMITIVES["copy_slices"].backward("CopySlices", True)
    made.edges, made.saved, made.hooks = (base.node, node), (steps,), None
    made.shape, made.dtype, made.seq = base.array.shape, base.array.dtype, next(clock)
    move_retain_grad(base.node, made)
    base.node = made
    mode = recording.get()
    if not isinstance(mode, bool):
        mode.node_made(made, base.array)


def _share_saved_result(node: Node, value: Any, x: Any) -> None:
    """Let a node that saved its result hold the memory of ``x`` instead: no second copy, and its version counts."""
    if node.saved is None or node.backward is None:
        return
    for place, kind, _ in node.backward.layout:
        if kind == "out" and node.saved[place] is value.array and type(x.array) is np.ndarray:
            saved = list(node.saved)
            saved[place : place + 3] = x.array, x.version, bytes(x.version)
            node.saved = tuple(saved)
