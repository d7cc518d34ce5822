"""The vjp of a primitive as source text: from the gradient of its result to those of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..node import NO_EDGE, SavedSlot
from .inline import call

if TYPE_CHECKING:
    from ..primitive import Primitive


def vjp_lines(op: Primitive) -> list[str]:
    """Return the lines of the vjp of ``op``: check that nothing it saved was written, then call the rules."""
    lines = ["def vjp(g_, saved, node):"]
    if op.frees:
        lines += ["    if saved is None: raise FreedError"]
    if op.saves:
        names = [n if not op.is_array(n) else f"{n}, {n}_version, {n}_saved_version" for n in op.saves]
        lines += [f"    {', '.join(names)}, = saved"]
    for name in op.saves:
        if op.is_array(name):
            written = f"({name}_version or {name}_saved_version) and {name}_version != {name}_saved_version"
            lines += [f"    if {written}: raise_modified_inplace(backward, {name!r}, saved, node)"]
    given = [f"{name}_grad" for name in op.outputs] or ["g_"]
    if op.outputs:
        lines += [f"    {', '.join(given)}, = g_.items"]
    if op.joint:
        lines += ["    needs = [edge is not None for edge in node.edges]"]
        parts = f"rule({', '.join([*given, *op.needs[op.inputs[0]]])})"
        return [*lines, f"    return {parts}[0] if node.other_edges is None else {parts}"]
    calls = [call(op.rules[name], f"rule_{name}", [*given, *op.needs[name]]) for name in op.inputs]
    if op.many:
        return [*lines, f"    return {calls[0]}[0] if node.other_edges is None else {calls[0]}"]
    if len(calls) == 1:
        return [*lines, f"    return {calls[0]}"]
    edges = [f"edge_{name}" for name in op.inputs]
    parts = ", ".join(f"None if {edge} is None else {text}" for edge, text in zip(edges, calls, strict=True))
    lines += ["    others = node.other_edges", f"    if others is None: return {calls[0]}"]
    lines += [f"    {edges[0]} = node.edge; {', '.join(edges[1:])}, = others"]
    return [*lines, f"    return ({parts})"]


def saved_slots(op: Primitive) -> list[SavedSlot]:
    """Return where each saved array lies; its version and a copy of that follow it."""
    found: list[SavedSlot] = []
    place = 0
    for name in op.saves:
        if op.is_array(name):
            found.append(SavedSlot(name, place, source_of(op, name)))
            place += 2
        place += 1
    return found


def source_of(op: Primitive, name: str) -> int | None:
    """Return where the saved array ``name`` comes from, as in ``SavedSlot``."""
    if name in op.results:
        return ~op.results.index(name)
    return op.inputs.index(name) if name in op.inputs else NO_EDGE
