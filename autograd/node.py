"""What one recorded step is: a value, the node that made it, and where gradients come to rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count as counter
from typing import Any, ClassVar
from weakref import ref

import numpy as np

from ..arrays.dtypes import dtype_of
from .version import FIXED, Version, count_write, last_writer, new_version, writes

clock = counter()
"""Gives each node its place in time; the walk back goes newest first."""


class Backward:
    """What a node did, as the walk needs it.

    ``vjp(g, saved, node)`` gives the gradient of each input as a tuple, or that of the first alone if ``node.other_edges`` is
    ``None``; ``node`` tells which inputs ask for one. ``frees``: there are saved arrays to let go. ``needs_unbroadcast``:
    gradients may need to be summed or cast to fit the inputs. ``layout``: for each saved array its place in ``saved``,
    its name, and its edge (-1 is the result, -2 an input without gradient). ``arity`` is the number of inputs that may
    have a gradient.
    """

    __slots__ = ("arity", "frees", "grad_fn_name", "layout", "name", "needs_unbroadcast", "vjp")
    vjp: Callable[[Any, Any, Any], Any]

    def __init__(
        self,
        name: str,
        grad_fn_name: str,
        vjp: Callable[[Any, Any, Any], Any],
        frees: bool = False,
        needs_unbroadcast: bool = True,
        layout: Sequence[tuple[int, str, int]] = (),
        arity: int = 1,
    ) -> None:
        self.name, self.grad_fn_name, self.vjp = name, grad_fn_name, vjp
        self.frees, self.needs_unbroadcast, self.layout, self.arity = frees, needs_unbroadcast, layout, arity


class Node:
    """One recorded step. It keeps what its rules asked for, and no tensor.

    ``edges`` are the nodes of its differentiable inputs (``None`` where one needs no gradient): ``edge`` is the first,
    and ``other_edges`` the others, or ``None`` if none of them asks for a gradient; one other_edges tuple for each node would be felt
    in long graphs, where the garbage collector follows every one. ``shape`` and ``dtype`` are those of its result,
    ``saved`` is what its rules named, or ``None`` once that was freed.

    A leaf is a node whose ``backward`` is ``None``: there a gradient comes to rest, in ``grad``. A leaf tensor and every
    graph that reads it share the leaf; ``tensor`` is a weak reference back. Both are one class, since a walk over
    objects of one class costs a fifth less.
    """

    __slots__ = (
        "__dict__", "__weakref__", "backward", "dtype", "edge", "grad", "hooks", "other_edges", "saved", "seq", "shape", "tensor",
    )  # fmt: skip
    backward: Backward | None
    edge: Any
    other_edges: tuple[Any, ...] | None
    saved: tuple[Any, ...] | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    seq: int
    hooks: Any
    grad: Any
    tensor: Any

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
        self.edge, rest = edges[0], edges[1:]
        self.other_edges = tuple(rest) if any(rest) else None

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


def new_leaf(tensor: Variable) -> Node:
    """Return a leaf for ``tensor``."""
    leaf, array = Node(), tensor.array
    leaf.backward = leaf.edge = leaf.other_edges = leaf.hooks = leaf.grad = None
    leaf.saved = ()
    leaf.shape, leaf.dtype, leaf.seq = array.shape, array.dtype, next(clock)
    leaf.tensor = ref(tensor)
    return leaf


OUTPUT = "pick"
"""The ``Op.name`` of a node that stands for one result of a step with several."""


class Variable:
    """All that the engine knows of a tensor: its array, its node, its version, and what it is a view of.

    ``array`` is an ndarray, or for a value without dims a NumPy scalar until its memory is shared. Its shape and dtype
    are noted beside it: to read them off the array takes eight times as long, and every step asks for them.
    """

    __slots__ = ("__dict__", "__weakref__", "array", "array_dtype", "array_shape", "node", "version", "view_of")
    array: Any
    array_shape: tuple[int, ...]
    array_dtype: np.dtype[Any]
    node: Node | None
    version: Version | None
    view_of: Any
    result: ClassVar[Any]  # the class of every result, set once by the class that has the methods


def wrap(cls: Any, array: Any, node: Node | None = None, version: Version | None = None) -> Any:
    """Return a new ``cls`` around ``array``, which is not copied."""
    made = object.__new__(cls)
    made.array, made.array_shape, made.array_dtype = array, array.shape, array.dtype
    made.node, made.version, made.view_of = node, version, None
    return made


def set_array(x: Variable, array: Any) -> None:
    """Let ``x`` stand on ``array``, which may be of another shape or dtype than what it held."""
    x.array, x.array_shape, x.array_dtype = array, array.shape, array.dtype


def ensure_version(x: Variable) -> Version:
    """Return the version of ``x``, made now if nobody needed it before."""
    version = x.version
    if version is None:
        version = x.version = new_version()
    return version


def bump_version(x: Variable, writer: str) -> None:
    """Note a write into the memory of ``x``, by the operation called ``writer``."""
    version = x.version
    count_write(ensure_version(x) if version is None else version, writer)


def _constant() -> Any:
    made: Any = Variable()
    made.array = made.array_shape = made.array_dtype = made.node = made.view_of = None
    made.version = FIXED
    return made


CONSTANT = _constant()
"""Stands for an input that is no tensor, where the version or the dtype of one is asked for."""


def as_ndarray(x: Variable) -> Any:
    """Return the ndarray of ``x``, such that whoever holds it shares the memory of ``x``."""
    if type(x.array) is not np.ndarray:
        x.array = np.asarray(x.array)
    return x.array


class FreedError(RuntimeError):
    """A second walk through a graph whose saved values were freed by the first."""

    def __init__(self) -> None:
        super().__init__(
            "Trying to backward through the graph a second time (or directly access saved tensors after they have "
            "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
            "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
            "if you need to access saved tensors after calling backward."
        )


def raise_modified_inplace(op: Backward, name: str, saved: tuple[Any, ...], node: Node) -> None:
    """Raise RuntimeError: the saved value ``name`` was written after ``backward`` saved it."""
    place, _, edge = next(each for each in op.layout if each[1] == name)
    array, version, expected = saved[place : place + 3]
    array = array.array if isinstance(array, Variable) else array  # a tensor where the walk is recorded
    source = node.edges[edge] if edge >= 0 else None
    maker = (
        op.grad_fn_name if edge == -1 else source.name() if source is not None and source.backward is not None else ""
    )
    made = f", which is output 0 of {maker}," if maker else ""
    raise RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{dtype_of(array.dtype).legacy}Tensor {list(array.shape)}]{made} is at version {writes(version)}; "
        f"expected version {writes(expected)} instead. It was saved as {name!r} by {op.grad_fn_name} and last written by "
        f"{last_writer(version)}. Hint: enable anomaly detection to find the operation that failed to compute its "
        "gradient, with torch.autograd.set_detect_anomaly(True)."
    )
