"""Levels of forward mode: while one is on, each recorded step is told to it, and it notes the tangent of the result.

A level is an observer of the record (``observers.py``), so it costs nothing while there is none. A step is asked for
its tangent at once, while what it saved is as it was; no value is kept for longer than the forward pass keeps it. Views
and writes in place need nothing more: they move nodes, and tangents lie there. Under ``no_grad`` steps are still told.

Levels are nested: a tangent of an inner one is worked out on the outer ones, so it moves as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Self
from weakref import ref

import numpy as np

from ..arrays.dtypes import dtype_of
from .broadcast import convert
from .node import Node
from .observers import Observers, members
from .push import Tied, push
from .recording import Observer, is_grad_enabled, observer, recording, set_recording, unrecorded
from .tangents import (
    CARRIER,
    DUAL,
    Key,
    Step,
    as_tensor,
    carrier,
    carries_only,
    hold,
    moving,
    since,
    tangents_of,
    without_history,
)
from .variable import Variable, as_ndarray, ensure_version, wrap
from .view import View, refresh_view

Keys = tuple[Key, ...]
_keys: ContextVar[Keys] = ContextVar("keys", default=())
"""The levels that are on, outermost first."""


class Level:
    """One level: a context in which duals are made, and tangents follow from them.

    A value has one tangent for each direction; all directions are pushed in one pass. With a ``tape`` steps are noted
    there, and no tangent is worked out.
    """

    __slots__ = ("key",)

    def __init__(self, tape: list[Step] | None = None) -> None:
        self.key = Key(tape)

    def __enter__(self) -> Self:
        _install((*_keys.get(), self.key), _past())
        return self

    def __exit__(self, *_: object) -> None:
        self.key.end()
        left, past = tuple(each for each in _keys.get() if each is not self.key), (*_past(), ref(self.key))
        self.key = Key()
        _install(left, past)
        _end_if_nothing_moves(left, past)

    def dual_along(self, x: Any, tangent: Any) -> Any:
        """Return :meth:`dual` of one direction; RuntimeError or ValueError for a tangent that does not fit."""
        float_only(x, "primal")
        float_only(tangent, "tangent")
        if x.array.shape != tangent.array.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is "
                f"not supported. Tensor is of size {list(x.array.shape)} while the given forward gradient is of size "
                f"{list(tangent.array.shape)}."
            )
        kind = x.array.dtype
        return self.dual(x, (tangent if tangent.array.dtype is kind else convert(tangent, kind),))

    def dual(self, x: Any, tangents: Sequence[Any]) -> Any:
        """Return a tensor on the memory of ``x`` that moves by ``tangents``, one for each direction (None: not)."""
        if x.view_of is not None:
            refresh_view(x)
        made = wrap(Variable.result, as_ndarray(x), None, ensure_version(x))
        before = x.node
        both: Any = moving(before) | {self.key: tuple(None if t is None else _bare(t) for t in tangents)}
        if before is None or carries_only(before) or not is_grad_enabled():
            made.node = carrier(made.array_shape, made.array_dtype, both)
        else:
            made.node = node = Node.record(DUAL, (before,), (), made.array_shape, made.array_dtype)
            hold(node, both)
            made.view_of = View(*_looked_into(x), _OF_A_DUAL)
        return made

    def tangents(self, x: Any) -> tuple[Any, ...] | None:
        """Return the tangents of ``x``, tensors or arrays, or None if it does not move at this level."""
        if x.view_of is not None:
            refresh_view(x)
        return tangents_of(x.node, self.key)

    def primal(self, x: Any) -> Any:
        """Return a tensor on the memory of ``x`` that does not move at this level."""
        if x.view_of is not None:
            refresh_view(x)
        made = wrap(Variable.result, as_ndarray(x), None, ensure_version(x))
        others = {key: each for key, each in moving(x.node).items() if key is not self.key}
        if x.node is not None and not carries_only(x.node):
            made.node = Node.record(DUAL, (x.node,), (), made.array_shape, made.array_dtype)
            hold(made.node, others)
        elif others:
            made.node = carrier(made.array_shape, made.array_dtype, others)
        return made


def float_only(x: Any, what: str) -> None:
    """Raise ValueError unless ``x``, the primal or the tangent of a dual, is of a float dtype."""
    if x.array.dtype.kind != "f":
        raise ValueError(f"Expected {what} to be floating point or complex, but got: {dtype_of(x.array.dtype)}")


_OF_A_DUAL = (
    "A dual tensor is a view of its primal, which requires grad, and is being modified inplace. Write a clone() of the "
    "dual tensor."
)


def _looked_into(x: Variable) -> tuple[Any, None, Any]:
    base = x if x.view_of is None else x.view_of.base
    return base, None, base.node


def _bare(t: Any) -> Any:
    """Return a tangent as it is kept: as an array where it depends on nothing."""
    if isinstance(t, tuple):
        return tuple(_bare(one) for one in t)
    if not isinstance(t, Variable):
        return t
    if t.view_of is not None:
        refresh_view(t)
    return as_ndarray(t) if t.node is None or (carries_only(t.node) and not moving(t.node)) else t


class Pusher(Observer):
    """The levels that are on, told of each node. ``past`` are levels that are over and of which values are left.

    ``reverse`` tells whether the steps are recorded for the way back too; under ``no_grad`` they are not.
    """

    def __init__(self, keys: Keys, past: tuple[Any, ...], reverse: bool) -> None:
        self.keys, self.past, self.reverse = keys, past, reverse

    def node_made(self, node: Node, value: Any) -> bool:
        """Note the tangents of ``node``; let it go, or keep it as a carrier, where no gradient can pass."""
        _end_if_nothing_moves(self.keys, self.past)
        edges = node.edges
        leading = [edge for edge in edges if edge is not None and not carries_only(edge)] if self.reverse else []
        began = min(map(since, leading), default=0)
        if began:
            node.__dict__["since"] = began
        for depth, key in enumerate(self.keys):
            each = [tangents_of(edge, key) for edge in edges]
            if any(each):
                self._note(node, value, depth, each, bool(leading) and began < key.seq)
        if leading:
            return False
        node.backward, node.edge, node.other_edges, node.saved = CARRIER, None, None, ()
        return not moving(node)

    def _note(self, node: Node, value: Any, depth: int, each: list[Any], alive: bool) -> None:
        """Note the tangents of ``node`` at the level ``depth``, from ``each`` of its edges; ``alive``: with a graph."""
        key, outer, found = self.keys[depth], self.keys[:depth], next(one for one in each if one)
        noted = node.__dict__.setdefault("tangents", {})
        if key.tape is not None:
            made = tuple(object() for _ in value) if isinstance(value, tuple) else object()
            key.tape.append(Step(key.seq, _copy(node), _like(value), each, made, alive))
            noted[key] = (made,)
            return
        columns = [one or (None,) * len(found) for one in each]
        directions = [[column[number] for column in columns] for number in range(len(found))]
        asked = [number for number, t in enumerate(directions) if any(one is not None for one in t)]
        wanted = [directions[number] for number in asked]
        if not asked:
            return
        if not outer and not alive and not any(isinstance(t, Variable) for one in wanted for t in one):
            off = recording.set(False)
            try:
                pushed = push(node, value, wanted, None)
            finally:
                recording.reset(off)
            pushed = [_bare(one) for one in pushed]
        else:
            wanted = [[None if t is None else as_tensor(t) for t in one] for one in wanted]
            with _Within(outer):
                pushed = push(node, value, wanted, _tied(key.seq, outer, alive))
            pushed = [_kept(one, self.reverse) for one in pushed]
            key.owned.append(ref(node))
        all_of_them: list[Any] = [None] * len(found)
        for number, one in zip(asked, pushed, strict=True):
            all_of_them[number] = one
        noted[key] = tuple(all_of_them)

    def rebase(self, x: Any, value: Any) -> bool:
        """Return whether ``x``, into which ``value`` was written under ``no_grad``, keeps its history: a leaf does.

        It then moves as ``value``. RuntimeError for a part of such a tensor.
        """
        base = x if x.view_of is None else x.view_of.base
        if base.node is None or carries_only(base.node):
            return False
        tangents = moving(value.node)
        if x is base:
            hold(base.node, tangents)
        elif tangents or moving(base.node):
            raise RuntimeError(
                "A dual tensor is being written, under no_grad, into a view of a tensor that requires grad. Write it "
                "into the whole tensor, or with grad mode enabled."
            )
        return True


def _tied(began: int, outer: Keys, alive: bool) -> Tied:
    """Return whether a tangent depends on a node: in the graph, if that is ``alive``, or by the ``outer`` levels."""

    def leads_on(owner: Node) -> bool:
        if alive and not carries_only(owner) and since(owner) < began:
            return True
        return any(tangents_of(owner, key) is not None for key in outer)

    return leads_on


def _kept(tangent: Any, recorded: bool) -> Any:
    """Return a tangent, or a tuple of them, as it is kept: with its graph only where that is ``recorded``."""
    if isinstance(tangent, tuple):
        return tuple(_kept(one, recorded) for one in tangent)
    return _bare(tangent if recorded or tangent is None else without_history(tangent))


def _copy(node: Node) -> Node:
    """Return another node of the same step, as the first may become a carrier."""
    made = Node.record(node.backward, node.edges, node.saved or (), node.shape, node.dtype)
    hold(made, dict(node.__dict__["tangents"]))
    return made


def _like(value: Any) -> Any:
    """Return an array of the shape and dtype of ``value`` that takes no memory, or a tuple of them."""
    if isinstance(value, tuple):
        return tuple(_like(one) for one in value)
    return np.broadcast_to(np.zeros((), value.dtype), value.shape)


def push_kept(step: Step, tangents: Sequence[Any]) -> Any:
    """Return the tangent of the result of a step on a tape, a tuple if it has several, on the levels that are on."""
    given, on, keys = [None if t is None else as_tensor(t) for t in tangents], is_grad_enabled(), _keys.get()
    with _Within(keys):
        pushed = push(step.node, step.value, [given], _tied(step.began, keys, step.alive and on))[0]
    return _kept(pushed, on)


class _Within:
    """Context in which only the levels ``keys`` are on, and all is recorded."""

    __slots__ = ("before", "keys")

    def __init__(self, keys: Keys) -> None:
        self.keys = keys

    def __enter__(self) -> None:
        watcher = Pusher(self.keys, (), True) if self.keys else None
        off = Pusher(self.keys, (), False) if self.keys else False
        self.before = observer.set(watcher), unrecorded.set(off), recording.set(watcher or True)

    def __exit__(self, *_: object) -> None:
        watching, off, on = self.before
        observer.reset(watching)
        unrecorded.reset(off)
        recording.reset(on)


def _past() -> tuple[Any, ...]:
    now = unrecorded.get()
    return tuple(one for one in now.past if one() is not None) if isinstance(now, Pusher) else ()


def _end_if_nothing_moves(keys: Keys, past: tuple[Any, ...]) -> None:
    """Tell nobody of steps any more where no level is on and no value is left of those that were."""
    if not keys and all(one() is None for one in past):
        _install((), ())


def _install(keys: Keys, past: tuple[Any, ...]) -> None:
    """Tell the levels ``keys`` of each step, and do so as long as a value of the levels ``past`` is left."""
    on, others = is_grad_enabled(), [each for each in members() if not isinstance(each, Pusher)]
    past = tuple(one for one in past if one() is not None)
    _keys.set(keys)
    if keys or past:
        others.insert(0, Pusher(keys, past, True))
    unrecorded.set(Pusher(keys, past, False) if keys or past else False)
    observer.set(Observers(tuple(others)) if len(others) > 1 else others[0] if others else None)
    set_recording(on)
