"""From the record that a tensor carries to a :class:`Graph`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..autograd.node import FreedError, Node, Variable
from ..autograd.shown import shown
from .model import Arrow, Graph, Item, size

FREED = "saved values freed"


def trace(
    var: Any, params: Any = None, *, show_attrs: bool = False, show_saved: bool = False, max_attr_chars: int = 50
) -> Graph:
    """Return the graph that leads to ``var``: a tensor, or lists, tuples and dicts of tensors.

    ``params`` names tensors: a mapping, or pairs such as ``model.named_parameters()``. Ids count the items in the
    order in which the walk from the outputs meets them, so that the same program gives the same graph. A leaf that
    several steps read is drawn once for each of them. TypeError for what is no tensor.
    """
    walk = _Walk(_names(params), show_attrs, show_saved, max_attr_chars)
    for name, output in _outputs(var, ""):
        walk.output(name, output)
    walk.run()
    return Graph(tuple(walk.items), tuple(walk.arrows))


def _names(params: Any) -> dict[int, str]:
    """Return the name of each given tensor, by the identity of its node and of itself."""
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    names: dict[int, str] = {}
    for name, tensor in pairs:
        if not isinstance(tensor, Variable):
            raise TypeError(f"params must map names to tensors, but {name!r} is {type(tensor).__name__}")
        names[id(tensor)] = str(name)
        if tensor.node is not None and tensor.node.op is None:
            names[id(tensor.node)] = str(name)
    return names


def _outputs(var: Any, name: str) -> list[tuple[str, Any]]:
    if isinstance(var, Variable):
        return [(name, var)]
    if isinstance(var, Mapping):
        pairs = [(str(key), value) for key, value in var.items()]
    elif isinstance(var, Iterable) and not isinstance(var, str):
        pairs = [(str(number), value) for number, value in enumerate(var)]
    else:
        raise TypeError(f"expected a tensor, or lists, tuples or dicts of tensors, but got {type(var).__name__}")
    dot = "." if name else ""
    return [one for key, value in pairs if value is not None for one in _outputs(value, f"{name}{dot}{key}")]


class _Walk:
    """A walk from the outputs to the leaves; a stack of its own, as graphs are deeper than Python's."""

    def __init__(self, names: dict[int, str], show_attrs: bool, show_saved: bool, max_attr_chars: int) -> None:
        self.names = names
        self.show_attrs, self.show_saved, self.max_attr_chars = show_attrs, show_saved, max_attr_chars
        self.items: list[Item] = []
        self.arrows: list[Arrow] = []
        self.ids: dict[Node, str] = {}
        self.stack: list[Node] = []

    def output(self, name: str, tensor: Any) -> None:
        """Add one output and what it came from."""
        given = self.names.get(id(tensor))
        mine = self._add("output", given or (f"output {name}" if name else "output"), tuple(tensor.array.shape))
        fn = tensor.grad_fn
        if fn is not None:
            if fn not in self.ids:
                self._step(fn)
            self.arrows.append(Arrow(self.ids[fn], mine))

    def run(self) -> None:
        """Follow every step to what it read."""
        readers = self._readers()
        while self.stack:
            step = self.stack.pop()
            mine = self.ids[step]
            for source in self._sources(step):
                if source.op is None:
                    self.arrows.append(Arrow(self._leaf(source, readers[source]), mine))
                    continue
                if source not in self.ids:
                    self._step(source)
                self.arrows.append(Arrow(self.ids[source], mine))

    def _sources(self, step: Node) -> list[Node]:
        """Return the steps and leaves that ``step`` read."""
        return [shown(edge)[0] for edge in step.edges if edge is not None]

    def _readers(self) -> Counter[Node]:
        """Count how often each leaf is read."""
        readers: Counter[Node] = Counter()
        stack, seen = list(self.stack), set(self.stack)
        while stack:
            for source in self._sources(stack.pop()):
                if source.op is None:
                    readers[source] += 1
                elif source not in seen:
                    seen.add(source)
                    stack.append(source)
        return readers

    def _add(self, kind: str, name: str, shape: tuple[int, ...] | None, rows: tuple[str, ...] = ()) -> str:
        mine = f"n{len(self.items)}"
        self.items.append(Item(mine, kind, name, shape, rows))
        return mine

    def _leaf(self, leaf: Node, uses: int) -> str:
        """Add the leaf once more, for one step that reads it."""
        rows = (f"shared × {uses}",) if uses > 1 else ()
        return self._add("leaf", self.names.get(id(leaf), ""), tuple(leaf.shape), rows)

    def _step(self, step: Node) -> None:
        # The shape of a step with several results is no shape.
        shape = tuple(step.shape) if all(isinstance(n, int) for n in step.shape) else None
        self.ids[step] = self._add("step", type(step).__name__, shape, tuple(self._rows(step)))
        self.stack.append(step)

    def _rows(self, step: Any) -> list[str]:
        """Return the lines on what the step saved: its tensors, its other values, as asked for."""
        if not (self.show_attrs or self.show_saved):
            return []
        rows = []
        for name in sorted(name for name in dir(step) if name.startswith("_saved_")):
            try:
                value = getattr(step, name)
            except FreedError:
                return [FREED]
            except RuntimeError:
                value = "written since"
            if isinstance(value, Variable):
                if self.show_saved:
                    rows.append(f"saved {name[7:]}: {size(value.array.shape)}")
            elif self.show_attrs and value is not None:
                rows.append(self._short(f"{name[7:]}: {value}"))
        return rows

    def _short(self, text: str) -> str:
        limit = self.max_attr_chars
        return text if len(text) <= limit else text[: max(limit - 3, 0)] + "..."
