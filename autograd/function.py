"""Function: a step whose forward and backward the user writes on tensors.

As https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function; the engine does not know that users exist:
each call makes one ordinary node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from typing import Any, cast
from warnings import warn
from weakref import ref

import numpy as np

from .errors import FreedError, modified_inplace
from .grad_mode import enable_grad, no_grad
from .inplace import check_inplace, rebase_history
from .multi_output import OutputGrads, output_node
from .node import Backward, Node, SavedArray
from .recording import recording, unrecorded
from .reentrant import run_nested
from .saved_tensors import Packed, entered, leave_down_to
from .tangents import carries_only
from .variable import Variable, as_ndarray, bump_version, ensure_version, wrap
from .version import FIXED, UNWRITTEN
from .view import View, refresh_view

INSIDE = (
    "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic "
    "to handle view+inplace would override the custom backward associated with the custom Function, leading to "
    "incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function."
)


class FunctionCtx:
    """The context of one call, from forward to backward: saved tensors, and whatever else is set as an attribute."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._to_save: tuple[Any, ...] = ()
        self._for_forward: tuple[Any, ...] | None = None
        self._forward = False  # whether jvp is running
        self._node: Any = None  # a weak reference to the step's node, which holds what was saved
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._materialize = self._materialize_non_diff_grads = True
        self._nodes: list[Any] = []  # weak references to the nodes of the outputs, None for one without gradient
        self._result: Any = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep input or output tensors (or None) for backward, guarded against writes in between."""
        for number, one in enumerate(tensors):
            if one is not None and not isinstance(one, Variable):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {number} is of type {type(one).__name__}"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep input or output tensors (or None) for :meth:`Function.jvp`, where ``saved_tensors`` holds them."""
        for number, one in enumerate(tensors):
            if one is not None and not isinstance(one, Variable):
                raise TypeError(
                    f"save_for_forward can only save variables, but argument {number} is of type {type(one).__name__}"
                )
        self._for_forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs forward wrote in place; each must also be returned."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Choose whether backward gets zeros (True, as from the start) or None for an output nobody used."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that :meth:`save_for_backward` kept; RuntimeError if it was freed, or written since."""
        if self._forward and self._for_forward is not None:
            return self._for_forward
        node = self._node() if self._node is not None else None
        if node is None:
            return self._to_save
        if node.saved is None:
            raise FreedError
        return tuple(self._unpack(*each) for each in node.saved)

    def _unpack(self, array: Any, version: Any, saved_version: bytes, edge: Any, output: int | None) -> Any:
        if array is None:
            return None
        if isinstance(array, Packed):
            array = array.open()
        if version != saved_version:
            raise RuntimeError(modified_inplace(array, version, saved_version, f"a tensor by {type(self).__name__}"))
        node = edge if output is None else self._output_node(output, array)
        owner = node.tensor() if node is not None and node.backward is None else None
        return owner if owner is not None and owner.array is array else wrap(self._result, array, node, version)

    def _output_node(self, number: int, array: Any) -> Any:
        """Return the node of an output, made anew if no tensor and no later step has it any more."""
        known = self._nodes[number]
        return None if known is None else known() or output_node(self._node(), number, len(self._nodes), array)


class Function(FunctionCtx):
    """A step with a gradient of its own: subclass it, write ``forward`` and ``backward``, and call ``apply``.

    >>> import rushlight as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x * x
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y.backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Return the outputs: ``forward(ctx, *args)``, or ``forward(*args)`` beside :meth:`setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function. (abstract)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Note on ``ctx`` what backward needs, where ``forward`` is written without it."""
        raise NotImplementedError("setup_context is not implemented. (abstract)")

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """Return one gradient, or None, for each argument of forward: ``backward(ctx, *grad_outputs)``."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD. (abstract)"
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return the tangent of each output of forward from those of its arguments (None for what is no tensor)."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise RuntimeError: a Function is called through ``apply``."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            f"function with static forward method: call {type(self).__name__}.apply(...)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward on ``args`` and return its outputs, tied to the graph through backward."""
        ctx = cls()
        separate = cls.setup_context is not Function.setup_context
        if kwargs or separate:
            args = _bound(cls.forward, () if separate else (ctx,), args, kwargs)
        inputs = [arg if isinstance(arg, Variable) else None for arg in args]
        for x in inputs:
            if x is not None and x.view_of is not None:
                refresh_view(x)
        edges = tuple(None if x is None else x.node for x in inputs)
        ctx.needs_input_grad = tuple(edge is not None and not carries_only(edge) for edge in edges)
        outer = unrecorded.set(False)  # its tangents are for jvp to tell
        try:
            with no_grad():
                if not separate:
                    outputs = cls.forward(ctx, *args)
                else:
                    outputs = cls.forward(*args)
                    cls.setup_context(ctx, args, outputs)
        finally:
            unrecorded.reset(outer)
        several = isinstance(outputs, tuple)
        made = _Outputs(ctx, list(outputs) if several else [outputs], inputs, edges)
        finished = made.finish()
        return tuple(finished) if several else finished[0]


def _bound(forward: Any, first: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Return all arguments of ``forward`` after ``first`` in their order, defaults filled in."""
    bound = signature(forward).bind(*first, *args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(f"forward() got an unexpected keyword argument {next(iter(bound.kwargs))!r}")
    return bound.args[len(first) :]


class _Outputs:
    """One call of a Function, after its forward: gives the outputs their place in the graph."""

    def __init__(self, ctx: Function, outputs: list[Any], inputs: list[Any], edges: tuple[Any, ...]) -> None:
        self.ctx, self.outputs, self.inputs, self.edges = ctx, outputs, inputs, edges
        self.name = type(ctx).__name__

    def finish(self) -> list[Any]:
        """Return the outputs, recorded if any input requires grad."""
        ctx, outputs = self.ctx, self.outputs
        first = next((x for x in (*outputs, *self.inputs) if isinstance(x, Variable)), None)
        recorded = first is not None and any(self.edges) and recording.get()
        for dirty in ctx._dirty:
            if not any(dirty is x for x in self.inputs):
                warn(
                    f"{self.name}: ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that "
                    "have been mutated should be passed to ctx.mark_dirty().",
                    UserWarning,
                    stacklevel=4,
                )
        ctx._dirty = tuple(dirty for dirty in ctx._dirty if any(dirty is x for x in self.inputs))
        for dirty in ctx._dirty:
            if not any(dirty is out for out in outputs):
                raise RuntimeError(f"{self.name}: an input that mark_dirty was called on must also be an output")
            if recorded:
                check_inplace(dirty)
            bump_version(dirty, self.name)
        if not recorded:
            return [self._output(out) for out in outputs]
        ctx._result = first.result  # type: ignore[union-attr]
        node = self._node()
        ready = [self._output(out) for out in outputs]
        written = self._connect(node, ready)
        self._save(node)
        mode = recording.get()
        dropped = not isinstance(mode, bool) and mode.node_made(node, tuple(getattr(x, "array", x) for x in ready))
        for out in ready if dropped else ():
            if isinstance(out, Variable) and not any(out is each for each, _ in written):
                out.node = None
        for out, result in written:
            rebase_history(out, wrap(out.result, out.array, None if dropped else result))
        return ready

    def _node(self) -> Node:
        node = Node.record(FunctionBackward(self.name, self.ctx, self.inputs), self.edges)
        self.ctx._node = ref(node)
        return node

    def _output(self, out: Any) -> Any:
        """Return ``out`` itself, or another tensor on its memory where ``out`` is an input that was handed on."""
        if not isinstance(out, Variable) or any(out is dirty for dirty in self.ctx._dirty):
            return out
        base = out if out.view_of is None else out.view_of.base
        if any(out is x for x in self.inputs):
            out = wrap(out.result, as_ndarray(out), None, ensure_version(out))
        elif out.view_of is None:
            return out
        out.view_of = View(base, None, base.node, INSIDE)
        return out

    def _differentiable(self, out: Any, original: Any) -> bool:
        return (
            isinstance(out, Variable)
            and out.array.dtype.kind == "f"
            and not any(original is x for x in self.ctx._constant)
        )

    def _connect(self, node: Node, ready: list[Any]) -> list[tuple[Any, Node]]:
        """Give the outputs their nodes; return those that were written in place, with theirs, which is still to do."""
        ctx, total = self.ctx, len(ready)
        written: list[tuple[Any, Node]] = []
        for number, (out, original) in enumerate(zip(ready, self.outputs, strict=True)):
            if not self._differentiable(out, original):
                ctx._nodes.append(None)
                continue
            if total == 1:
                node.shape, node.dtype = out.array.shape, out.array.dtype
            result = node if total == 1 else output_node(node, number, total, out.array)
            ctx._nodes.append(ref(result))
            if any(out is dirty for dirty in ctx._dirty):
                written.append((out, result))
            else:
                out.node = result
                if out.view_of is not None:
                    out.view_of.base_node = out.view_of.base.node
        kind = cast(FunctionBackward, node.backward)
        kind.constant = {n for n, x in enumerate(self.outputs) if any(x is c for c in ctx._constant)}
        kind.output_facts = [(x.array.shape, x.array.dtype) if isinstance(x, Variable) else None for x in ready]
        return written

    def _save(self, node: Node) -> None:
        ctx = self.ctx
        node.saved = tuple(self._packed(x) for x in ctx._to_save)
        cast(FunctionBackward, node.backward).frees = bool(node.saved)
        ctx._to_save = ctx._dirty = ctx._constant = ()

    def _packed(self, x: Any) -> tuple[Any, ...]:
        if x is None:
            return None, None, UNWRITTEN, None, None
        given = next((n for n, arg in enumerate(self.inputs) if arg is x), None)
        written = any(x is dirty for dirty in self.ctx._dirty)
        made = enumerate(self.outputs if written or given is None else ())  # an input handed on is saved as the input
        output = next((n for n, out in made if out is x), None)
        version = ensure_version(x)
        edge = None if output is not None else x.node if given is None else self.edges[given]
        return x.array, version, bytes(version) if version else UNWRITTEN, edge, output


class FunctionBackward(Backward):
    """The ``Backward`` of one call of a Function: hands the gradients to its ``backward``.

    ctx            the call's context
    output_facts   shape and dtype of each output, None for what is no tensor
    constant       the numbers of the outputs without a gradient

    Each entry of ``node.saved`` is (array, version, saved version, node, number of the output that it is, or None).
    """

    __slots__ = ("constant", "ctx", "input_facts", "inputs", "output_facts")
    output_facts: list[Any]
    constant: set[int]

    def __init__(self, name: str, ctx: Function, inputs: list[Any]) -> None:
        super().__init__(name, f"{name}Backward", None, frees=True, arity=len(inputs))
        self.ctx, self.inputs = ctx, [x is not None for x in inputs]
        self.input_facts = [None if x is None else (x.array.shape, x.array.dtype) for x in inputs]

    def saved_arrays(self, node: Node) -> list[SavedArray]:
        """Return what ``ctx.save_for_backward`` kept."""
        return [
            SavedArray(f"saved_tensors[{number}]", each[0], each[1], each[2], each[3] if each[4] is None else node)
            for number, each in enumerate(node.saved or ())
            if each[0] is not None
        ]

    def map_saved(self, node: Node, replace: Callable[[Any, Any], Any]) -> None:
        """Put ``replace(array, version)`` in the place of each array that ``node`` saved; no write to it counts."""
        node.saved = tuple(
            each if each[0] is None else (replace(*each[:2]), FIXED, UNWRITTEN, *each[3:]) for each in node.saved or ()
        )

    def vjp(self, g: Any, saved: Any, node: Node) -> Any:
        """Return what ``backward`` makes of the gradient, or gradients, that arrived."""
        ctx = self.ctx
        items = g.items if isinstance(g, OutputGrads) else (g,)
        recorded = any(isinstance(item, Variable) for item in items)
        given = [self._given(n, *each) for n, each in enumerate(zip(items, self.output_facts, strict=True))]
        backward = type(ctx).backward if type(ctx).backward is not Function.backward else type(ctx).vjp
        if backward is not Function.backward and type(ctx).vjp not in (backward, Function.backward):
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
                "implement one of them."
            )
        pairs = entered()
        with enable_grad() if recorded else no_grad():
            try:
                got = run_nested(backward, ctx, *given)
            finally:
                leave_down_to(pairs)
        grads = list(got) if isinstance(got, tuple | list) else [got]
        parts = self._checked(grads, node.edges, recorded)
        return parts[0] if node.other_edges is None else parts

    def jvp(self, node: Node, directions: Sequence[Sequence[Any]]) -> list[Any]:
        """Return for each direction the tangent of the result, a tuple if there are several."""
        ctx, found = self.ctx, []
        ctx._forward = True
        try:
            for tangents in directions:
                given = [self._given_tangent(t, fact) for t, fact in zip(tangents, self.input_facts, strict=True)]
                got = type(ctx).jvp(ctx, *given)
                checked = self._tangents_checked(got if isinstance(got, tuple) else (got,))
                found.append(checked if len(checked) > 1 else checked[0])
        finally:
            ctx._forward = False
        return found

    def _tangents_checked(self, tangents: tuple[Any, ...]) -> tuple[Any, ...]:
        count = len(self.output_facts)
        if len(tangents) != count:
            raise RuntimeError(
                f"Function's jvp returned an invalid number of forward gradients (expected {count} but got "
                f"{len(tangents)})"
            )
        for number, (one, fact) in enumerate(zip(tangents, self.output_facts, strict=True)):
            if one is not None and not isinstance(one, Variable):
                raise RuntimeError(f"expected Variable or None (got {type(one).__name__}) for grad output {number}.")
            if one is not None and fact is not None and one.array.shape != fact[0]:
                raise RuntimeError(
                    "Trying to set a forward gradient that has a different size than that of the original Tensor, this "
                    f"is not supported. Tensor is of size {list(fact[0])} while the given forward gradient is of size "
                    f"{list(one.array.shape)}."
                )
        return tuple(
            wrap(self.ctx._result, np.zeros(*fact)) if one is None and fact is not None else one
            for one, fact in zip(tangents, self.output_facts, strict=True)
        )

    def _given_tangent(self, item: Any, fact: Any) -> Any:
        if item is None:
            return wrap(self.ctx._result, np.zeros(*fact)) if fact is not None and self.ctx._materialize else None
        return item if isinstance(item, Variable) else wrap(self.ctx._result, item)

    def _given(self, number: int, item: Any, fact: Any) -> Any:
        if item is None:
            ctx = self.ctx
            wanted = ctx._materialize and (number not in self.constant or ctx._materialize_non_diff_grads)
            if fact is None or not wanted:
                return None
            return wrap(ctx._result, np.zeros(*fact))
        return item if isinstance(item, Variable) else wrap(self.ctx._result, item)

    def _checked(self, grads: list[Any], edges: tuple[Any, ...], recorded: bool) -> tuple[Any, ...]:
        name, count = f"{type(self.ctx).__name__}Backward", len(self.inputs)
        if len(grads) > count and all(extra is None for extra in grads[count:]):
            grads = grads[:count]
        if len(grads) != count:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got {len(grads)})"
            )
        parts: list[Any] = []
        for number, (grad, edge) in enumerate(zip(grads, edges, strict=True)):
            if grad is not None and not isinstance(grad, Variable):
                raise RuntimeError(f"{name}: expected Variable or None (got {type(grad).__name__})")
            if grad is not None and not self.inputs[number]:
                raise RuntimeError(
                    f"function {name} returned a gradient different than None at position {number + 1}, but the "
                    "corresponding forward input was not a Variable"
                )
            parts.append(None if grad is None or edge is None else grad if recorded else grad.array)
        return tuple(parts)


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward that runs unrecorded; to differentiate its results again raises RuntimeError."""

    @wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args)
        if not recording.get() or not any(isinstance(a, Variable) and a.node is not None for a in args):
            return outputs
        several = outputs if isinstance(outputs, tuple) else (outputs,)
        fenced = tuple(_fence(out, args) if isinstance(out, Variable) else out for out in several)
        return fenced if isinstance(outputs, tuple) else fenced[0]

    return wrapper


def _refuse(g: Any, saved: Any, edges: Any) -> Any:
    raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


_FENCE = Backward("once_differentiable", "DelayedErrorBackward", _refuse)


def _fence(out: Variable, args: tuple[Any, ...]) -> Any:
    fenced = wrap(out.result, out.array)
    edges = tuple(a.node if isinstance(a, Variable) else None for a in args)
    fenced.node = Node.record(_FENCE, edges, (), out.array.shape, out.array.dtype)
    return fenced
