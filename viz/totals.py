"""The totals of a graph: the numbers of its headline."""

from __future__ import annotations

from math import prod

from .model import GraphData, amount


def totals(graph: GraphData) -> dict[str, int]:
    """Return the numbers of steps, parameters, arrows and so on that ``graph`` shows.

    A shared leaf counts once, a folded item as often as it stands for: ``steps`` is the number of operations, ``shown``
    that of the boxes. ``parameter_bytes`` are those of parameters, ``saved_bytes`` those that saved tensors hold.
    """
    leaves = {}
    found = {"steps": 0, "shown": len(graph.items), "arrows": len(graph.arrows), "saved_bytes": 0, "marks": 0}
    for item in graph.items:
        if item.kind in {"step", "group"}:
            found["steps"] += item.repeat * item.count
        elif item.kind == "parameter":
            leaves[item.shared or item.id] = item
        found["saved_bytes"] += item.held
        found["marks"] += sum(mark.level != "note" for mark in item.marks)
    found["parameters"] = sum(prod(item.shape or ()) * item.repeat for item in leaves.values())
    found["parameter_tensors"] = sum(item.repeat for item in leaves.values())
    found["parameter_bytes"] = sum(item.bytes * item.repeat for item in leaves.values())
    return found


def headline(graph: GraphData) -> str:
    """Return the numbers of ``graph`` in one line."""
    sums = totals(graph)
    parts = [f"{sums['steps']:,} step{'s' * (sums['steps'] != 1)}"]
    if sums["parameter_tensors"]:
        parts.append(f"{sums['parameters']:,} parameters in {sums['parameter_tensors']} tensors")
    if sums["saved_bytes"]:
        parts.append(f"{amount(sums['saved_bytes'])} held for backward")
    if sums["marks"]:
        parts.append(f"{sums['marks']} mark{'s' * (sums['marks'] != 1)}")
    return " · ".join(parts)
