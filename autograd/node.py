"""What is recorded: tensors, the nodes of the steps that made them, and what those nodes saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .threads import counter
from .version import FIXED, UNWRITTEN, Version

clock = counter()
"""Gives each node its place in time; the walk back goes newest first."""


RESULT, NO_EDGE = ~0, None


class SavedSlot(NamedTuple):
    """Where in ``Node.saved`` one array lies: at ``place``, followed by its version and a copy of that version.

    ``source`` is the number of the edge that the array came by, ``~n`` for the node's own result number ``n``, thus
    ``RESULT`` for the only one, and ``NO_EDGE`` for an input without a gradient.
    """

    name: str
    place: int
    source: int | None


class SavedArray(NamedTuple):
    """One array that a node saved.

    It is unchanged as long as ``version``, which counts the writes into its memory, equals ``saved_version``, a copy
    made when it was saved. ``source`` is the node whose result it is, or ``None`` for a constant.
    """

    name: str
    array: Any
    version: Version | None
    saved_version: bytes
    source: Node | None

    @property
    def modified(self) -> bool:
        """Whether the memory was written after it was saved, so that the backward pass must raise."""
        return bytes(self.version or b"") != self.saved_version


class Backward:
    """What a node does on the way back. All nodes of one kind of step share one.

    name                the op's name
    grad_fn_name        what users read, such as ``AddBackward0``
    vjp                 ``vjp(g, saved, node)``: the gradients of the inputs as a tuple, or that of the first alone if
                        ``node.other_edges`` is ``None``; ``node`` tells which inputs require grad
    frees               whether there are saved arrays to let go
    needs_unbroadcast   whether gradients may need to be summed or cast to fit the inputs
    saved_slots         where the saved arrays lie
    arity               the number of inputs that may have a gradient
    """

    __slots__ = ("arity", "frees", "grad_fn_name", "name", "needs_unbroadcast", "saved_slots", "vjp")
    vjp: Callable[[Any, Any, Any], Any]

    def __init__(
        self,
        name: str,
        grad_fn_name: str,
        vjp: Callable[[Any, Any, Any], Any] | None,
        frees: bool = False,
        needs_unbroadcast: bool = True,
        saved_slots: Sequence[SavedSlot] = (),
        arity: int = 1,
    ) -> None:
        self.name, self.grad_fn_name, self.frees = name, grad_fn_name, frees
        if vjp is not None:  # a subclass has it as a method
            self.vjp = vjp
        self.needs_unbroadcast, self.saved_slots, self.arity = needs_unbroadcast, saved_slots, arity

    def saved_arrays(self, node: Node) -> list[SavedArray]:
        """Return the arrays that ``node``, one of this kind, saved and still has."""
        saved, found = node.saved, []
        for name, place, source in self.saved_slots if saved else ():
            if saved is not None and saved[place] is not None:
                owner = None if source is None else node.edges[source] if source >= 0 else node
                found.append(SavedArray(name, saved[place], saved[place + 1], saved[place + 2], owner))
        return found

    def map_saved(self, node: Node, replace: Callable[[Any, Any], Any]) -> None:
        """Put ``replace(array, version)`` in the place of each array that ``node`` saved; no write to it counts."""
        saved = list(node.saved or ())
        for _, place, _ in self.saved_slots:
            if saved[place] is not None:
                saved[place : place + 3] = replace(saved[place], saved[place + 1]), FIXED, UNWRITTEN
        node.saved = tuple(saved)


class Node:
    """One recorded step. It keeps what its rules asked for, and no tensor.

    backward      what it does on the way back; ``None`` for a leaf
    edge          the node of the first input that may have a gradient, ``None`` if that requires none
    other_edges   those of the other inputs, or ``None`` if none of them requires grad: one more tuple for each node
                  would be felt in long graphs, where the garbage collector follows every one
    saved         what its rules named, or ``None`` once that was freed; of a leaf ``()``, or ``None`` while its tensor
                  is told to require no grad
    shape, dtype  those of its result; ``None`` for a step of several results
    seq           its place in time
    hooks         what users run when a gradient passes, or ``None``

    A leaf is a node without ``backward``: there gradients accumulate, in ``grad``. A leaf tensor and every graph that
    reads it share the leaf; ``tensor`` is a weak reference back. Both are one class, since attributes of objects of one
    class are read faster (``benchmarks/claims.py``).
    """

    __slots__ = (
        "__dict__", "__weakref__", "backward", "dtype", "edge", "grad", "hooks", "other_edges", "saved", "seq", "shape",
        "tensor",
    )  # fmt: skip
    backward: Backward | None
    edge: Any
    other_edges: tuple[Any, ...] | None
    saved: tuple[Any, ...] | None
    shape: Any
    dtype: Any
    seq: int
    hooks: Any
    grad: Any
    tensor: Any

    @staticmethod
    def record(
        backward: Backward | None,
        edges: Sequence[Any],
        saved: tuple[Any, ...] = (),
        shape: Any = None,
        dtype: Any = None,
    ) -> Node:
        """Return the node of a step that happens now."""
        node = Node()
        node.backward, node.saved, node.shape, node.dtype = backward, saved, shape, dtype
        node.edges, node.hooks, node.seq = edges, None, next(clock)
        return node

    def restricted(self, edges: Sequence[Any]) -> Node:
        """Return this node with ``edges`` of which some are ``None``: its vjp works out fewer gradients."""
        return Node.record(self.backward, edges, self.saved or (), self.shape, self.dtype)

    def name(self) -> str:
        """Return the name PyTorch gives this step, such as ``AddBackward0``."""
        return "torch::autograd::AccumulateGrad" if self.backward is None else self.backward.grad_fn_name

    @property
    def edges(self) -> tuple[Any, ...]:
        """The nodes of all inputs that may have a gradient."""
        if self.backward is None:
            return ()
        return (self.edge, *(self.other_edges or (None,) * (self.backward.arity - 1)))

    @edges.setter
    def edges(self, edges: Sequence[Any]) -> None:
        self.edge = edges[0] if edges else None
        rest = edges[1:]
        self.other_edges = tuple(rest) if any(rest) else None

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"
