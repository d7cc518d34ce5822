"""Diagnoses of a graph: marks, each given by a rule that is stated here and shown with the picture."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median
from typing import TypeVar

from .model import GraphData, Item, Mark, Stats

G = TypeVar("G", bound=GraphData)
TINY, HUGE = 1e-6, 1e3
RULES = {
    "first-nonfinite": (
        "the first step, in the order of execution, whose result holds NaN though no input does; likewise for inf, "
        "unless it was filled in on purpose. An inf is bad only if a NaN or an output that is not finite follows"
    ),
    "nonfinite": "a value or gradient that holds NaN or inf",
    "backward-nonfinite": "the first step backward that received a finite gradient and sent NaN or inf",
    "vanishing": f"root mean square of the gradient below {TINY:g} of the largest among parameters, or zero throughout",
    "exploding": f"root mean square of the gradient above {HUGE:g} times the median of parameters",
    "dead": "units (places along dim 1) of a relu that are zero for the whole batch; a warning from one half on",
    "stale": "a saved tensor was written in place afterwards: backward raises",
    "hook": "user code runs when the gradient passes",
    "error": "the call that raised",
}
"""The rule behind each kind of mark."""
_RELUS = {"relu", "relu_", "relu6", "hardtanh", "threshold", "threshold_"}
_CULPRITS = {"first-nonfinite", "backward-nonfinite", "stale", "error"}


def marked(graph: G) -> G:
    """Return ``graph`` with the marks of all rules on its items."""
    found: dict[str, list[Mark]] = {}
    _forward(graph, found)
    _backward(graph, found)
    _sizes(graph, found)
    for item in graph.items:
        for mark in _of_item(item):
            found.setdefault(item.id, []).append(mark)
    if not found:
        return graph
    items = (replace(i, marks=(*i.marks, *found[i.id])) if i.id in found else i for i in graph.items)
    return replace(graph, items=tuple(items))


def first_nonfinite(graph: GraphData) -> Item | None:
    """Return the item at which NaN or a harmful inf first appeared, or None: forward before backward, NaN before inf.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> x = torch.tensor([1.0, -1.0], requires_grad=True)
    >>> with viz.record():
    ...     y = (x.log() * 2).sum()
    >>> viz.first_nonfinite(viz.trace(y)).name
    'log'
    """
    for kind in ("first-nonfinite", "backward-nonfinite", "nonfinite"):
        found = [i for i in graph.items if any(m.kind == kind and m.level != "note" for m in i.marks)]
        if found:
            return next((item for item in found if item.value is not None and item.value.nans), found[0])
    return None


def culprits(graph: GraphData) -> list[Item]:
    """Return the items that are the cause of something that went wrong."""
    return [item for item in graph.items if any(mark.kind in _CULPRITS and mark.level == "bad" for mark in item.marks)]


def _bad(stats: Stats | None) -> bool:
    return stats is not None and not stats.finite


def _counts(stats: Stats) -> str:
    parts = [f"{count} {word}" for count, word in ((stats.nans, "NaN"), (stats.infs, "inf")) if count]
    return f"{' and '.join(parts)} of {stats.count}"


def _forward(graph: GraphData, found: dict[str, list[Mark]]) -> None:
    """Mark where NaN and inf first appear, each for itself: an inf may be meant, as in a mask, a NaN never is."""
    items = {item.id: item for item in graph.items}
    inputs: dict[str, list[Item]] = {}
    for arrow in graph.arrows:
        if arrow.kind != "gradient":
            inputs.setdefault(arrow.target, []).append(items[arrow.source])
    harm = any(item.value is not None and item.value.nans for item in graph.items)
    harm = harm or any(_bad(item.value) for item in graph.items if item.kind == "output")
    blamed = {"nans": False, "infs": False}
    for item in graph.items:
        if item.value is None or item.value.finite or item.kind == "output":
            continue
        marks = found.setdefault(item.id, [])
        for count, word in (("nans", "NaN"), ("infs", "inf")):
            made = getattr(item.value, count)
            came = any(getattr(source.value, count) for source in inputs.get(item.id, ()) if source.value is not None)
            meant = any(text in {"inf", "-inf", "nan"} for _, text in item.attributes)
            if item.kind == "step" and made and not came and not meant and not blamed[count]:
                blamed[count] = True
                spotless = not any(_bad(source.value) for source in inputs.get(item.id, ()))
                inputs_text = "finite inputs" if spotless else "inputs with inf"
                level = "bad" if word == "NaN" or harm else "note"
                text = f"{item.name} makes {made} {word} of {item.value.count} elements, from {inputs_text}"
                marks.append(Mark("first-nonfinite", level, text))
        if not marks:
            marks.append(Mark("nonfinite", "warn" if harm else "note", f"value: {_counts(item.value)}"))


def _backward(graph: GraphData, found: dict[str, list[Mark]]) -> None:
    names = {item.id: item.name for item in graph.items}
    for step in graph.backward:
        wrong = [sent for sent in step.sent if not sent.finite]
        if step.finite and wrong:
            to = ", ".join(names[sent.target] or "leaf" for sent in wrong)
            text = f"the rule of {names[step.item]} turns a finite gradient into NaN or inf, for {to}"
            forward = any(item.value is not None and item.value.nans for item in graph.items)
            found.setdefault(step.item, []).append(Mark("backward-nonfinite", "warn" if forward else "bad", text))
            break
    for item in graph.items:
        if _bad(item.gradient) and item.kind != "output":
            text = f"gradient: {_counts(item.gradient)}"  # type: ignore[arg-type]
            found.setdefault(item.id, []).append(Mark("nonfinite", "warn", text))


def _rms(stats: Stats) -> float:
    return stats.norm / math.sqrt(max(stats.count, 1))


def _sizes(graph: GraphData, found: dict[str, list[Mark]]) -> None:
    """Mark gradients that vanish or explode, among parameters and, against these, on steps."""
    seen: set[str] = set()
    sizes = []
    for item in graph.items:
        if item.kind == "parameter" and item.gradient is not None and item.gradient.finite and item.shared not in seen:
            seen.add(item.shared)
            sizes.append(_rms(item.gradient))
    if len(sizes) < 2:
        return
    largest, middle = max(sizes), median(sizes)
    for item in graph.items:
        if item.gradient is None or not item.gradient.finite or item.kind in {"output", "constant"}:
            continue
        size = _rms(item.gradient)
        if item.kind == "parameter" and not size:
            text = "gradient is zero throughout"
        elif size < TINY * largest and item.kind == "parameter":
            text = f"rms of the gradient {size:.1e}, the largest of a parameter is {largest:.1e}"
        elif size > HUGE * middle and middle and item.kind == "parameter":
            text = f"rms of the gradient {size:.1e}, the median of parameters is {middle:.1e}"
            found.setdefault(item.id, []).append(Mark("exploding", "warn", text))
            continue
        else:
            continue
        found.setdefault(item.id, []).append(Mark("vanishing", "warn", text))


def _of_item(item: Item) -> list[Mark]:
    marks = []
    if item.name in _RELUS and item.value is not None and item.value.dead and item.shape is not None:
        units = item.shape[1]
        dead = round(item.value.dead * units)
        level = "warn" if item.value.dead >= 0.5 else "note"
        marks.append(Mark("dead", level, f"{dead} of {units} units are zero for the whole batch"))
    for saved in item.saved:
        if saved.now != saved.version:
            text = f"saved {saved.name!r} was at version {saved.version}, {saved.writer} wrote it since"
            marks.append(Mark("stale", "bad", f"backward raises here: {text} (now version {saved.now})"))
    if item.hooks:
        marks.append(Mark("hook", "note", f"{item.hooks} hook{'s' * (item.hooks > 1)}"))
    return marks
