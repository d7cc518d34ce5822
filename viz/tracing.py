"""From the record that tensors carry to a :class:`Graph`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.grad_fn import grad_fn_of
from ..autograd.node import Node, SavedArray
from ..autograd.saved_tensors import Packed
from ..autograd.variable import Variable
from ..nn.parameter import Parameter
from .diagnose import marked
from .facts import (
    CALLED,
    age,
    arrow_kind,
    bytes_of,
    hooks_on,
    is_constant,
    is_view,
    plain_shape,
    result_of,
    said,
    source_of,
    word,
    write_of,
    written,
)
from .graph import Graph
from .held import Ledger, dtype_name, held, row
from .model import Arrow, Item, Mark, Saved, Shape, Source, Stats
from .names import Names, flattened, root_of
from .notes import Note, note_of
from .rehearsal import Rehearsal, rehearse
from .scopes import Scopes
from .values import stats

MANY, LARGE = 5_000, 1_000_000
"""Unless asked for, statistics are left out in graphs of more steps, and for tensors of more elements."""


@dataclass(frozen=True)
class Failure:
    """A call that raised while a recorder was on: the error's type and text, its line, the tensors it was given."""

    kind: str
    message: str
    source: Source | None = None
    inputs: tuple[Any, ...] = ()


def trace(
    var: Any,
    params: Any = None,
    *,
    names: Mapping[str, Any] | None = None,
    backward: bool = False,
    values: bool | None = None,
    only: str = "all",
    title: str = "",
    max_attr_chars: int = 50,
    failure: Failure | None = None,
) -> Graph:
    """Return the graph that leads to ``var``: a tensor, or lists, tuples and dicts of tensors, or graph nodes.

    ``params`` names tensors: a module, several, a mapping, or pairs such as ``model.named_parameters()``; ``names``
    gives the caller's variable names: ``names=locals()``. Statistics of values and gradients are taken for tensors of
    up to a million elements in graphs of up to 5,000 steps, always or never with ``values``. ``backward`` rehearses the
    backward pass: gradients are worked out and shown, none is accumulated, and nothing is freed. Hooks of tensors and
    nodes run in a rehearsal, those on accumulated gradients do not. ``only="grad"`` leaves out tensors that ask for no
    gradient. What a recorder noted (:class:`record`) is shown too.

    Items are in the order in which they were computed, and ids count them: the same program gives the same graph. A
    leaf is drawn once for each step that reads it. TypeError for what is no tensor.

    >>> import rushlight as torch
    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> [item.name for item in torch.viz.trace(x * x, {"x": x}).items]
    ['x', 'x', 'mul', 'output']
    """
    if only not in {"all", "grad"}:
        raise ValueError(f"only must be 'all' or 'grad', not {only!r}")
    outputs = flattened(var) if failure is None or var else []
    walk = _Walk(Names(params, names), outputs, values, only == "all", max_attr_chars)
    if backward:
        walk.rehearsal = rehearse([value for _, value in outputs if root_of(value) is not None])
    walk.run(failure)
    if failure is not None:
        walk.failed(failure)
    found = _titled(walk, title)
    return marked(found)


def _titled(walk: _Walk, title: str) -> Graph:
    given = title or ", ".join(name for name in walk.output_names if name) or "graph"
    steps = walk.steps()  # adds to the notes
    return Graph(tuple(walk.items), tuple(walk.arrows), tuple(walk.scopes.groups), steps, given, tuple(walk.notes))


class _Walk:
    """A walk from the outputs to the leaves; a stack of its own, as graphs are deeper than Python's."""

    def __init__(
        self, names: Names, outputs: list[tuple[str, Any]], values: bool | None, constants: bool, limit: int
    ) -> None:
        self.names, self.outputs, self.values = names, outputs, values
        self.asked = values is True
        self.constants, self.limit = constants, limit
        self.items: list[Item] = []
        self.arrows: list[Arrow] = []
        self.notes: list[str] = []
        self.ids: dict[Node, str] = {}
        self.scopes = Scopes(names)
        self.ledger = Ledger()
        self.rehearsal: Rehearsal | None = None
        self.output_names: list[str] = []
        self.shared: dict[int, str] = {}
        self.uses: Counter[int] = Counter()
        self.known: dict[Node, Any] = {}
        self.alive: list[Any] = []
        self.ends = {root_of(value) for _, value in outputs}

    # ------------------------------------------------------------------ the walk

    def run(self, failure: Failure | None = None) -> None:
        """Turn every step that leads to the outputs, oldest first, into an item; then the outputs."""
        order = self._reachable()
        if self.values is None:
            self.values = len(order) <= MANY
            if not self.values:
                self.notes.append(f"no statistics: more than {MANY:,} steps (ask for them with values=True)")
        saved = [held(step) for step in order]
        self.scopes.note([note for step in order if (note := note_of(step)) is not None])
        for step, (arrays, _) in zip(order, saved, strict=True):
            self._prepare(step, arrays)
        for number, (step, (arrays, others)) in enumerate(zip(order, saved, strict=True)):
            self._step(number, step, arrays, others)
        failed = set() if failure is None else {root_of(each) for each in failure.inputs}
        for name, output in self.outputs:
            if root_of(output) not in failed:
                self._output(name, output)

    def _reachable(self) -> list[Node]:
        roots = [root_of(value) for _, value in self.outputs]
        stack = [root for root in roots if root is not None and root.backward is not None]
        seen = set(stack)
        while stack:
            for source in self._sources(stack.pop()):
                if source.backward is not None and source not in seen:
                    seen.add(source)
                    stack.append(source)
        return sorted(seen, key=age)

    def _sources(self, step: Node) -> list[Node]:
        """Return the steps and leaves that ``step`` read."""
        return [grad_fn_of(edge)[0] for edge in step.edges if edge is not None]

    def _prepare(self, step: Node, arrays: list[SavedArray]) -> None:
        """Count the uses of leaves and constants, and note which saved array is whose value."""
        for edge in step.edges:
            if edge is not None and edge.backward is None:
                self.uses[id(edge)] += 1
                tensor = edge.tensor()
                if tensor is not None:
                    self.ledger.own(tensor.array)
        for one in arrays:
            if one.source is None and is_constant(one):
                self.uses[id(one.array)] += 1
                self.alive.append(one.array)
                self.ledger.own(one.array)
            elif one.source is not None and not one.modified and not isinstance(one.array, Packed):
                self.known.setdefault(one.source, one.array)

    # ------------------------------------------------------------------ items

    def _add(self, kind: str, name: str, shape: Shape | None, dtype: str, bytes: int, **facts: Any) -> str:
        mine = f"n{len(self.items)}"
        self.items.append(Item(mine, kind, name, shape, dtype, bytes, **facts))
        return mine

    def _step(self, number: int, step: Node, arrays: list[SavedArray], others: list[tuple[str, Any]]) -> None:
        note = note_of(step)
        group = self.scopes.of(note)
        pending = self._stubs(step, arrays, group)
        saved = self._saved_rows(step, arrays)
        shape, dtype, results = result_of(step)
        mine = self.ids[step] = f"n{len(self.items)}"
        made = Item(
            id=mine,
            kind="step",
            name=self._name(step, note),
            shape=shape,
            dtype=dtype,
            bytes=bytes_of(shape, step.dtype),
            op=type(step).__name__,
            group=group,
            order=number,
            results=results,
            attributes=self._attributes(step, others),
            saved=saved,
            held=sum([one.adds for one in saved]),
            freed=step.saved is None,
            frees=bool(step.backward and step.backward.frees),
            value=self._value(step, note),
            gradient=self._gradient(step),
            hooks=hooks_on(step),
            source=source_of(note),
            forward=None if note is None else note.seconds,
            backward=self._backward(step),
            view=is_view(step),
            write=write_of(note),
        )
        self.items.append(made)
        self.arrows += [Arrow(source, mine, *rest) for source, *rest in pending]
        if note is not None and note.forward is not None:
            source = self.ids.get(grad_fn_of(note.forward)[0])
            if source is not None:
                self.arrows.append(Arrow(source, mine, "gradient"))

    def _stubs(self, step: Node, arrays: list[SavedArray], group: str) -> list[tuple[Any, ...]]:
        """Add the leaves and constants that ``step`` reads; return the arrows into it, but for their target."""
        found: list[tuple[Any, ...]] = []
        for slot, edge in enumerate(step.edges):
            if edge is None:
                continue
            source, output = grad_fn_of(edge)
            kind = arrow_kind(step, slot)
            mine = self._leaf(source, group) if source.backward is None else self.ids[source]
            shape = plain_shape(edge.shape)
            found.append((mine, kind, slot, output, shape, dtype_name(edge.dtype) if shape is not None else ""))
        if self.constants:
            slot = len(step.edges)
            for one in arrays:
                if one.source is None and is_constant(one):
                    mine = self._constant(one, group)
                    shape = tuple(one.array.shape)
                    found.append((mine, "data", slot, 0, shape, dtype_name(one.array.dtype)))
                    slot += 1
        return found

    def _leaf(self, leaf: Node, group: str) -> str:
        """Add the leaf once more, for one step that reads it."""
        tensor = leaf.tensor()
        kind = "parameter" if isinstance(tensor, Parameter) else "leaf"
        value = None if tensor is None else self._stats(tensor.array)
        grad = None if leaf.grad is None else self._stats(leaf.grad.array)
        if self.rehearsal is not None:
            grad = self._gradient(leaf)
        shape = tuple(leaf.shape)
        return self._add(
            kind, self.names.of_node(leaf), shape, dtype_name(leaf.dtype), bytes_of(shape, leaf.dtype), group=group,
            value=value, gradient=grad, hooks=hooks_on(leaf), shared=self._key(id(leaf)), uses=self.uses[id(leaf)] or 1,
        )  # fmt: skip

    def _constant(self, one: SavedArray, group: str) -> str:
        array = one.array
        name = self.names.of_array(array) or CALLED.get(one.name, one.name).partition("[")[0]
        return self._add(
            "constant", name, tuple(array.shape), dtype_name(array.dtype), int(array.nbytes), group=group,
            value=self._stats(array), shared=self._key(id(array)), uses=self.uses[id(array)],
        )  # fmt: skip

    def _output(self, name: str, output: Any) -> None:
        """Add one output and the arrow to it."""
        root = root_of(output)
        tensor: Any = output if isinstance(output, Variable) else None
        given = self.names.of(output) or name
        self.output_names.append(given)
        shape: Shape | None
        if tensor is not None:
            array = np.asarray(tensor.array)
            shape, dtype, bytes = tuple(array.shape), dtype_name(array.dtype), int(array.nbytes)
            value = self._stats(array)
        else:
            shape, dtype, _ = result_of(output)
            bytes, value = bytes_of(shape, output.dtype), None
        source = "" if root is None else self._leaf(root, "") if root.backward is None else self.ids[root]
        mine = self._add(
            "output", given or "output", shape, dtype, bytes, value=value,
            gradient=None if root is None else self._gradient(root),
            write=(0, tensor._version) if tensor is not None and written(tensor) else None,
        )  # fmt: skip
        if root is None:
            self.notes.append(f"{given or 'the output'} does not require grad: nothing was recorded")
            return
        number = 0 if tensor is None else tensor.output_nr
        self.arrows.append(Arrow(source, mine, "data", 0, number, shape, dtype))

    def failed(self, failure: Failure) -> None:
        """Add the call that raised, and what it was given."""
        lines = failure.message.splitlines() or [""]
        self.notes.append(f"{failure.kind}: {failure.message}")
        pending = []
        for slot, tensor in enumerate(failure.inputs):
            root = root_of(tensor)
            shape, dtype = tuple(tensor.array.shape), dtype_name(tensor.array.dtype)
            if root is None:
                name = self.names.of(tensor) or "input"
                mine = self._add("constant", name, shape, dtype, int(tensor.array.nbytes))
            elif root.backward is None:
                mine = self._leaf(root, "")
            elif root in self.ids:
                mine = self.ids[root]
            else:
                continue
            pending.append((mine, slot, shape, dtype))
        mark = Mark("error", "bad", failure.message)
        attributes = (("message", lines[0]),)
        error = self._add(
            "error", failure.kind, None, "", 0, attributes=attributes, source=failure.source, marks=(mark,)
        )
        self.arrows += [Arrow(mine, error, "data", slot, 0, shape, dtype) for mine, slot, shape, dtype in pending]

    # ------------------------------------------------------------------ what is on an item

    def _name(self, step: Node, note: Note | None) -> str:
        if note is not None and note.write is not None and note.write.name:
            return note.write.name
        return word(step)

    def _saved_rows(self, step: Node, arrays: list[SavedArray]) -> tuple[Saved, ...]:
        rows = []
        for one in arrays:
            owner = None if one.source is None or one.source is step else grad_fn_of(one.source)[0]
            rows.append(row(one, step, self.ledger, "" if owner is None else self._id_of(owner)))
        return tuple(rows)

    def _id_of(self, owner: Node) -> str:
        return self.shared.get(id(owner), "") if owner.backward is None else self.ids.get(owner, "")

    def _attributes(self, step: Node, others: list[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
        variable = self.names.of_node(step)
        if variable and step not in self.ends:
            others = [("variable", variable), *others]
        if not others:
            return ()
        limit, texts = self.limit, [(name, said(value)) for name, value in others]
        return tuple((name, text if len(text) <= limit else text[: max(limit - 1, 0)] + "…") for name, text in texts)

    def _key(self, identity: int) -> str:
        return self.shared.setdefault(identity, f"s{len(self.shared)}")

    def _stats(self, array: Any) -> Stats | None:
        return stats(array) if self.values and (self.asked or array.size <= LARGE) else None

    def _value(self, step: Node, note: Note | None) -> Stats | None:
        if note is not None and note.value is not None:
            return note.value
        known = self.known.get(step)
        return None if known is None else self._stats(known)

    def _gradient(self, node: Node) -> Stats | None:
        if self.rehearsal is not None:
            return self.rehearsal.gradients.get(node)
        kept = None if node.hooks is None else node.hooks.kept
        return None if kept is None else self._stats(kept.array)

    def _backward(self, step: Node) -> float | None:
        return None if self.rehearsal is None else self.rehearsal.seconds.get(step)

    def steps(self) -> Any:
        """Return the steps of the rehearsed backward pass, as data."""
        if self.rehearsal is None:
            return ()
        self.notes += self.rehearsal.notes
        return self.rehearsal.steps(self.ids, self.items, self.arrows)
