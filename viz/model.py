"""A picture as plain data: items, arrows between them, groups around them. Knows no engine, no renderer.

Everything is frozen and made of numbers, texts and tuples, so two graphs are equal if they show the same. The JSON form
is in ``docs/graph-schema.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of one tensor; all but the counts are of its finite numbers.

    An item folded from several has those of the first.

    - ``zeros``: share of exact zeros
    - ``dead``: share of units (places along dim 1) that are zero for the whole batch
    - ``norm``: root of the sum of squares
    - ``bins``: histogram of equal steps from ``low`` to ``high``
    - ``values``: the numbers themselves, where there are few
    """

    count: int
    nans: int = 0
    infs: int = 0
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    std: float = 0.0
    norm: float = 0.0
    zeros: float = 0.0
    dead: float = 0.0
    bins: tuple[int, ...] = ()
    values: tuple[float, ...] = ()

    @property
    def finite(self) -> bool:
        """Whether there is no NaN and no infinity."""
        return not (self.nans or self.infs)


@dataclass(frozen=True, slots=True)
class Saved:
    """One tensor that a step keeps for the backward pass.

    - ``adds``: bytes held for this alone; 0 for memory that a parameter or an earlier saved tensor holds anyway
    - ``of``: "result", "input" (of an item that requires grad) or "constant"
    - ``owner``: id of the item whose value it is, where that is in the graph
    - ``version``: writes into the memory when it was saved
    - ``now``: writes until today; backward raises if it differs from ``version``
    - ``writer``: the last writer, if they differ
    """

    name: str
    shape: Shape
    dtype: str
    bytes: int
    adds: int = 0
    of: str = "input"
    owner: str = ""
    version: int = 0
    now: int = 0
    writer: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The line of the user's program that made a step."""

    file: str
    line: int
    function: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something worth a look. ``level`` is "bad", "warn" or "note"; ``kind`` one of those in ``diagnose.RULES``."""

    kind: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One box.

    - ``kind``: "step" (a recorded operation), "parameter", "leaf" (requires grad, no parameter), "constant" (does not
      require grad), "output", "error" (the call that raised) or "group" (a frame drawn shut)
    - ``order``: number of a step, in the order they were made
    - ``held``: bytes that all its saved tensors add
    - ``forward``, ``backward``: seconds, summed over the repeats
    - ``write``: version before and after, for a step in place
    - ``shared``: equal for all items of one leaf, which is drawn once for each step that reads it
    - ``uses``: number of those items
    - ``count``: steps in a "group"
    - ``repeat``: number of equal items this one stands for
    - ``norms``: norms of their gradients, in order
    - ``change``: "added", "gone" or "reshaped" in the difference of two graphs
    - ``before``: old shape of a "reshaped" item
    """

    id: str
    kind: str
    name: str
    shape: Shape | None = None
    dtype: str = ""
    bytes: int = 0
    op: str = ""
    group: str = ""
    order: int = 0
    results: tuple[Shape, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    saved: tuple[Saved, ...] = ()
    held: int = 0
    freed: bool = False
    frees: bool = False
    value: Stats | None = None
    gradient: Stats | None = None
    hooks: int = 0
    source: Source | None = None
    forward: float | None = None
    backward: float | None = None
    view: bool = False
    write: tuple[int, int] | None = None
    shared: str = ""
    uses: int = 1
    repeat: int = 1
    count: int = 1
    norms: tuple[float | None, ...] = ()
    marks: tuple[Mark, ...] = ()
    change: str = ""
    before: Shape | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the item that made a value to the item that read it, with the value's shape and dtype.

    ``kind`` is "data", "view" (the target looks into the source's memory), "inplace" (the target wrote into it),
    "carry" (from one turn of a folded repeat to the next), or "gradient" (the target was made when backward ran the
    source). ``slot`` is the place among the target's inputs, ``output`` that among the source's results.
    """

    source: str
    target: str
    kind: str = "data"
    slot: int = 0
    output: int = 0
    shape: Shape | None = None
    dtype: str = ""
    label: str = ""
    repeat: int = 1
    change: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A frame around items and groups: one call of a module, a folded repeat, or the graph of a gradient.

    ``kind`` is "module", "repeat" or "gradient". ``name`` is the module's path, ``title`` its class; ``call``
    counts the calls of one module. ``repeat`` is how many equal frames this one stands for, ``fold`` what was
    folded: "siblings" (equal modules), "calls" (one module again), "loop" (equal stretches of steps).
    """

    id: str
    name: str
    title: str = ""
    kind: str = "module"
    parent: str = ""
    call: int = 1
    repeat: int = 1
    fold: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The gradient that a step of the backward pass sent to one item."""

    target: str
    norm: float | None
    shape: Shape
    finite: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the backward pass: the item that ran, the norm of what it received, and what it sent on.

    ``repeat``: how many equal steps this one stands for, the first of them.
    """

    item: str
    norm: float | None
    shape: Shape
    sent: tuple[Sent, ...] = ()
    seconds: float = 0.0
    finite: bool = True
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class GraphData:
    """The items and arrows of one picture in the order in which they were met, groups, and the backward pass.

    ``notes`` say what the reader must know: what was folded or left out, and how to see it.
    """

    items: tuple[Item, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    groups: tuple[Group, ...] = ()
    backward: tuple[Step, ...] = ()
    title: str = ""
    notes: tuple[str, ...] = ()


def size(shape: Shape) -> str:
    """Return a shape as text, such as "(2, 3)"."""
    return f"({', '.join(map(str, shape))})"


def amount(bytes: int) -> str:
    """Return a number of bytes as text, such as "1.5 KiB"."""
    number, units = float(bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number /= 1024
        units.pop(0)
    return f"{bytes} B" if units[0] == "B" else f"{number:.1f} {units[0]}"


def short(number: float | None) -> str:
    """Return a number in few characters: "0.12", "3.1e-09", "NaN", and "–" for none."""
    if number is None:
        return "–"
    if number != number:  # noqa: PLR0124 - NaN
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "inf" if number > 0 else "-inf"
    return f"{number:.3g}"


def gradient_text(item: Item) -> str:
    """Return the norm of an item's gradient as text: of a folded one the smallest and the largest."""
    known = [norm for norm in item.norms if norm is not None and norm == norm]  # noqa: PLR0124 - not NaN
    if item.gradient is not None and not item.gradient.finite:
        return "not finite"
    if known and short(min(known)) != short(max(known)):
        return f"{short(min(known))} … {short(max(known))}"
    return short(None if item.gradient is None else item.gradient.norm)


def value_text(stats: Stats) -> str:
    """Return a value in one line: the numbers if there are few, else range, mean and deviation."""
    if stats.values and len(stats.values) <= 4:
        return ", ".join(short(number) for number in stats.values)
    if not stats.finite:
        parts = [f"{count} {word}" for count, word in ((stats.nans, "NaN"), (stats.infs, "inf")) if count]
        return f"{', '.join(parts)} of {stats.count}"
    if stats.low == stats.high:
        return f"all {short(stats.low)}"
    return f"{short(stats.low)} … {short(stats.high)}, mean {short(stats.mean)} ± {short(stats.std)}"
