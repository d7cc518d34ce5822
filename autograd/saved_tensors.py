"""Saved-tensor hooks: pack values when they are saved, unpack them when they are needed.

As https://pytorch.org/docs/stable/autograd.html#hooks-for-saved-tensors. An observer packs each node as it is made,
so a graph made without hooks pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from .errors import FreedError
from .grad_mode import no_grad
from .node import Backward, Node
from .observers import Watch, remove_observer
from .recording import Observer
from .variable import Variable, set_array, wrap
from .version import UNWRITTEN

Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]] | None


class Packed:
    """A saved value as a user's hook packed it."""

    __slots__ = ("dtype", "shape", "unpack", "value")

    def __init__(self, array: Any, version: Any, pair: tuple[Callable[[Any], Any], Callable[[Any], Any]]) -> None:
        pack, self.unpack = pair
        self.shape, self.dtype = array.shape, array.dtype
        given = wrap(Variable.result, array, None, version)
        before = bytes(version) if version else UNWRITTEN
        with no_grad():
            self.value = pack(given)
        if version is not None and version != before:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can "
                "not be modified by in-place operations as this can lead to unexpected side-effects."
            )

    def open(self) -> Any:
        """Return the array; TypeError unless the hook gives a tensor back."""
        found = self.unpack(self.value)
        if not isinstance(found, Variable):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(found).__name__}"
            )
        return found.array


class _UnpackingBackward(Backward):
    """The ``Backward`` of a node whose saved arrays were packed: unpacks them first."""

    __slots__ = ("packed",)

    def __init__(self, packed: Backward) -> None:
        super().__init__(
            packed.name, packed.grad_fn_name, None, frees=True, needs_unbroadcast=packed.needs_unbroadcast,
            saved_slots=packed.saved_slots, arity=packed.arity,
        )  # fmt: skip
        self.packed = packed

    def vjp(self, g: Any, saved: Any, node: Node) -> Any:
        """Open what was packed, then do as before."""
        if saved is None:
            raise FreedError
        opened = list(saved)
        for _, place, _ in self.saved_slots:
            value = opened[place]
            if isinstance(value, Packed):
                opened[place] = value.open()
            elif isinstance(value, Variable) and isinstance(value.array, Packed):
                set_array(value, value.array.open())  # the walk is recorded, and this tensor was made for it
        return self.packed.vjp(g, tuple(opened), node)


class _Packer(Observer):
    """Packs what each new node saved with the innermost pair of hooks."""

    def node_made(self, node: Any, value: Any) -> None:
        pair = _pairs.get()[-1]
        if pair is None or not node.saved:
            return
        node.backward.map_saved(node, lambda array, version: Packed(array, version, pair))
        if node.backward.saved_slots:  # a Function opens what was packed itself
            node.backward = _UnpackingBackward(node.backward)


_PACKER = _Packer()
_pairs: ContextVar[tuple[Pair, ...]] = ContextVar("pairs", default=())
_refused: ContextVar[str | None] = ContextVar("refused", default=None)


def entered() -> tuple[Pair, ...]:
    """Return the pairs of hooks that are in force, innermost last."""
    return _pairs.get()


def leave_down_to(pairs: tuple[Pair, ...]) -> None:
    """Put the hooks out of force that were entered since ``pairs`` were and never left."""
    if _pairs.get() is not pairs:
        _pairs.set(pairs)
        if not pairs:
            remove_observer(_PACKER)


class saved_tensors_hooks:
    """Context in which ``pack_hook`` takes each tensor that is saved, and ``unpack_hook`` gives it back.

    ``pack_hook(tensor)`` may return anything; ``unpack_hook`` gets that and must return a tensor of the same values.
    Of nested contexts the innermost acts. Writes into a packed value are not noticed: the hooks own it.

    >>> import rushlight as torch
    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy().tolist(), torch.tensor):
    ...     y = x.exp()
    >>> y.grad_fn._saved_result
    tensor([20.0855], grad_fn=<ExpBackward0>)
    """

    pair: Pair

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pair = pack_hook, unpack_hook
        self.watch = Watch(_PACKER)

    def __enter__(self) -> None:
        message = _refused.get()
        if message is not None:
            raise RuntimeError(message)
        if not _pairs.get():
            self.watch.__enter__()
        _pairs.set((*_pairs.get(), self.pair))

    def __exit__(self, *details: object) -> None:
        _pairs.set(_pairs.get()[:-1])
        if not _pairs.get():
            self.watch.__exit__(*details)


class save_on_cpu(saved_tensors_hooks):
    """Context that keeps saved tensors in the memory of the CPU, where all of rushlight's are.

    So it only puts the hooks around it out of force.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        self.pair = None
        self.watch = Watch(_PACKER)


class disable_saved_tensors_hooks:
    """Context and decorator in which to enter :class:`saved_tensors_hooks` raises RuntimeError ``error_message``."""

    def __init__(self, error_message: str) -> None:
        self.message = error_message
        self.before: list[str | None] = []

    def __enter__(self) -> None:
        if _pairs.get():
            raise RuntimeError(self.message)
        self.before.append(_refused.get())
        _refused.set(self.message)

    def __exit__(self, *_: object) -> None:
        _refused.set(self.before.pop())
