"""The engine in a page: what the call of an op records, and how gradients flow back. Read this first.

It is the definition. ``codegen/`` writes a faster ``call`` and ``vjp`` for each op, ``engine.py`` and
``watched_walk.py`` a faster and a more obliging ``backward``; a test sends every op through both and compares values,
edges, saved values, gradients and second gradients. Left out here is what is convenience: ``out=``, NumPy's names of
arguments, hooks, error messages.

>>> import rushlight as torch
>>> from rushlight.autograd.reference import backward, call
>>> x, w = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [-1.0]], requires_grad=True)
>>> loss = call("mul", call("relu", call("mm", x, w)), 2.0)
>>> loss
tensor([[2.]], grad_fn=<MulBackward0>)
>>> backward({loss.node: torch.ones(1, 1).numpy()})
>>> w.grad
tensor([[2.],
        [4.]])
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from ..arrays.dtypes import floating
from .arguments import promoter
from .broadcast import convert, sum_to
from .connected import connect
from .errors import raise_modified_inplace
from .multi_output import result_node, results_of
from .node import NO_EDGE, Backward, Node, SavedSlot
from .primitive import PRIMITIVES, Primitive
from .recording import recording
from .variable import CONSTANT, Variable, ensure_version, wrap
from .view import attach, refresh_view


def call(name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Return the op called ``name`` of tensors, arrays and numbers, recorded if one of them requires grad."""
    op = PRIMITIVES[name]
    bound = signature(op.kernel).bind(*args, **kwargs)
    bound.apply_defaults()
    tensors = {x: bound.arguments[x] for x in op.rules}
    values = bound.arguments | {x: _array(given) for x, given in tensors.items()}
    values |= _promoted(op, tensors, values)
    made = op.kernel(**values) if op.aux or op.outputs else (op.kernel(**values),)
    values |= dict(zip((*op.results, *op.aux), made, strict=True))
    results = [wrap(Variable.result, values[name]) for name in op.results]
    edges = [edge for x in op.inputs for edge in _edges(tensors[x])]
    if any(edges) and recording.get():
        tensors |= dict(zip(op.results, results, strict=True))
        node = _record(op, edges, tensors, values)
        if op.outputs:  # each result has a node of its own, which hands its gradient to the step's
            results = list(results_of(node, [x.array for x in results], [x.version for x in results]))
        else:
            results[0].node = node
    if op.view:
        first, *rest = bound.arguments.values()
        attach(results[0], first, op.function, tuple(rest))
    if op.returns:
        return op.returns(*results, *(wrap(Variable.result, values[name]) for name in op.aux))
    return tuple(results) if op.outputs else results[0]


def _array(given: Any) -> Any:
    """Return what a kernel takes for a tensor, a sequence of tensors, a number, an array, or None."""
    if isinstance(given, list | tuple):
        return [_array(one) for one in given]
    if isinstance(given, Variable) and given.view_of is not None:
        refresh_view(given)
    return given.array if isinstance(given, Variable) else given


def _edges(given: Any) -> list[Node | None]:
    """Return the node of a tensor, or of each tensor of a sequence; None for what requires no grad."""
    each = given if isinstance(given, list | tuple) else [given]
    return [x.node if isinstance(x, Variable) else None for x in each]


def _promoted(op: Primitive, tensors: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return the operands of an elementwise op in their common dtype."""
    names = list(op.rules) if op.promote else []
    operands = [(x if isinstance(x, Variable) else CONSTANT, values[name]) for name in names for x in [tensors[name]]]
    if len(names) > 1:
        together = promoter(op.promote, len(names), op.refuse_bool)
        arrays = together(*[one for pair in operands for one in pair])
    else:
        arrays = [array for _, array in operands]
    return dict(zip(names, map(floating, arrays) if op.promote == "float" else arrays, strict=True))


def _record(op: Primitive, edges: list[Node | None], tensors: dict[str, Any], values: dict[str, Any]) -> Node:
    """Return the node of a call: it saves what the rules name, each array beside its version and a copy of that."""
    slots: list[SavedSlot] = []
    saved: list[Any] = []
    asked = [x for x, edge in zip(op.inputs, edges, strict=False) if edge is not None]
    for name in op.saves:
        if op.is_array(name):
            own = ~op.results.index(name) if name in op.results else None
            source = own if own is not None else op.inputs.index(name) if name in op.inputs else NO_EDGE
            slots.append(SavedSlot(name, len(saved), source))
            if len(op.inputs) == 1 or own is not None or any(name in op.needs[x] for x in asked):
                owner = tensors[name] if isinstance(tensors[name], Variable) else CONSTANT
                saved += [values[name], ensure_version(owner), bytes(ensure_version(owner))]
            else:
                saved += [None, None, None]  # only rules of inputs that require no grad name it
        elif name.endswith("_shape") and name[:-6] in op.rules:
            x = values[name[:-6]]
            saved.append([one.shape for one in x] if isinstance(x, list) else x is not None and x.shape)
        else:
            saved.append(tuple(values[name]) if isinstance(values[name], list) else values[name])
    title = op.grad_fn_name if isinstance(op.grad_fn_name, str) else _named(op.grad_fn_name, values)
    back = connect(lambda g, saved, node: vjp(op, g, saved, node), op.inputs, op.connected)
    kind = Backward(op.name, title, back, True, True, slots, len(op.inputs))
    shape, dtype = (None, None) if op.outputs else (values["out"].shape, values["out"].dtype)
    return Node.record(kind, edges, tuple(saved), shape, dtype)


def _named(function: Any, values: dict[str, Any]) -> Any:
    """Return the name that depends on the call: on its parameters, ``x_array`` for an input ``x``, and the result."""
    known = values | {f"{name}_array": value for name, value in values.items()} | {"array": values.get("out")}
    return function(*(known[name] for name in signature(function).parameters))


def vjp(op: Primitive, g: Any, saved: tuple[Any, ...], node: Node) -> Any:
    """Return the gradient of each input from that of the results: what the rules say of the saved values."""
    values: dict[str, Any] = {"needs": [edge is not None for edge in node.edges]}
    place = 0
    for name in op.saves:
        values[name] = saved[place]
        if op.is_array(name):
            version, saved_version = saved[place + 1], saved[place + 2]
            if version is not None and version != saved_version and node.backward is not None:
                raise_modified_inplace(node.backward, name, saved, node)
        place += 3 if op.is_array(name) else 1
    grads = g.items if op.outputs else (g,)
    if op.joint or op.many:
        rule: Any = op.joint or op.rules[op.inputs[0]]
        parts: Any = rule(*grads, *(values[name] for name in op.needs[op.inputs[0]]))
    else:
        rules = [(op.rules[x], op.needs[x], edge) for x, edge in zip(op.inputs, node.edges, strict=True)]
        parts = [rule(*grads, *map(values.get, names)) if edge and rule else None for rule, names, edge in rules]
    return parts[0] if node.other_edges is None else tuple(parts)


def backward(roots: dict[Node, Any], create_graph: bool = False) -> None:
    """Add to the ``grad`` of every leaf what the gradients at ``roots`` make of it: arrays, or tensors to record."""
    order, seen = list(roots), set(roots)
    for node in order:  # grows as it goes
        new = {edge for edge in node.edges if edge is not None} - seen
        order += new
        seen |= new
    grads = dict(roots)
    for node in sorted(order, key=lambda node: node.seq, reverse=True):  # a step is younger than what it read
        g = grads.pop(node, None)
        if g is None:
            continue
        if node.backward is None:
            g = g if isinstance(g, Variable) else wrap(Variable.result, g)
            node.grad = g if node.grad is None else node.grad + g
            continue
        parts = node.backward.vjp(g, _saved(node) if create_graph else node.saved, node)
        for edge, part in zip(node.edges, [parts] if node.other_edges is None else parts, strict=False):
            if edge is not None and part is not None:
                part = unbroadcast(part, edge)  # noqa: PLW2901
                grads[edge] = grads[edge] + part if edge in grads else part


def _saved(node: Node) -> tuple[Any, ...]:
    """Return what ``node`` saved, its arrays as tensors that are tied to the graph: the rules are recorded too."""
    saved = list(node.saved or ())
    for _, place, source in node.backward.saved_slots if node.backward is not None else ():
        array = saved[place]
        if array is not None:
            owner = None if source is None else node.edges[source] if source >= 0 else result_node(node, ~source, array)
            saved[place] = wrap(Variable.result, array, owner, saved[place + 1])
    return tuple(saved)


def unbroadcast(part: Any, edge: Node) -> Any:
    """Return a gradient in the shape and dtype of the value it belongs to: broadcasting and promotion, undone."""
    if edge.shape is not None and tuple(part.shape) != edge.shape:
        part = sum_to(part, edge.shape)
    kind = part.array.dtype if isinstance(part, Variable) else getattr(part, "dtype", edge.dtype)
    return part if kind == edge.dtype or edge.dtype is None else convert(part, edge.dtype)
