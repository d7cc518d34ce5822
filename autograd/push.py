"""The tangent of a step's result from the tangents of its inputs: the Jacobian from the other side.

No op need say anything for this: its rules are asked. A rule takes the gradient ``u`` of the result to that of an
input, and is linear in ``u``: rule(u) is Jᵀu. Differentiated by ``u``, along a tangent ``t`` of the input, it gives
J t: the trick of https://j-towns.github.io/2017/06/12/A-new-trick.html for one step at a time. Some go a shorter way:

- The Jacobian of an elementwise op is diagonal, so rule(t) is J t.
- The tangent of what is linear in an input is the op itself, of the tangent.
- What is slow the other way says its tangent on arrays (``SHORTCUTS``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .broadcast import convert, expand_to
from .entry import run
from .function import FunctionBackward
from .multi_output import OutputGrads, result_node
from .node import Node
from .primitive import PRIMITIVES, Primitive
from .recording import recording
from .tangents import SHORTCUTS
from .variable import Variable, new_leaf, wrap

Tangents = Sequence[Any]
"""One direction: a tangent for each edge of a node, or None for what does not move. Arrays, or tensors where tied."""
Tied = Callable[[Node], bool] | None
"""Whether a tangent must itself be differentiable along a node; None where it need not be along any: arrays will do."""

LINEAR = {
    *("mm", "mv", "vm", "dot", "bmm", "matmul", "gemm", "fold_gemm", "linear", "contract"),
    *("convolution", "conv_transposed", "conv_weight"),
    *("view", "unsafe_view", "reshape_to", "expand", "permute", "t", "transpose", "getitem"),
}
"""Ops that are linear in each input: products, where the way by the rule would take three times as long, and views.
What they saved for the rule of an input has all that the op needs of the others."""
ADDED = "bias"
"""The input of some of them that is only added: its tangent goes along with that of another."""
_STAND_INS = {"view": "reshape_to", "unsafe_view": "reshape_to"}
"""Ops that depend on how a value lies in memory, where a tangent may lie otherwise, and what does the same for any."""


def push(node: Node, value: Any, directions: Sequence[Tangents], tied: Tied) -> list[Any]:
    """Return for each direction the tangent of the result of ``node``, a tuple if it has several.

    ``value`` is the result's array, or a tuple of arrays. What ``node`` saved must be as it was when it was saved.
    """
    kind: Any = node.backward
    if isinstance(kind, FunctionBackward):
        return kind.jvp(node, directions)
    op = PRIMITIVES.get(kind.name)
    if op is None or op.backwards.get((kind.grad_fn_name, kind.needs_unbroadcast)) is not kind:
        return _transposed(node, value, directions, tied)
    if op.elementwise:
        saved = _by_name(op, node, tied)
        return [_diagonal(op, node, saved, tangents, tied) for tangents in directions]
    shortcut = SHORTCUTS.get(op.name) if tied is None else None
    if shortcut is not None:
        known, named = _by_name(op, node, tied), [zip(op.inputs, tangents, strict=True) for tangents in directions]
        return [shortcut({name: t for name, t in each if t is not None}, known) for each in named]
    if op.name not in LINEAR:
        return _transposed(node, value, directions, tied)
    result = {"shape": node.shape, "size": node.shape if op.view else node.shape[2:]}  # a convolution's has no batch
    known = _by_name(op, node, tied) | result
    return [_applied(op, node, known, tangents, tied) for tangents in directions]


def _by_name(op: Primitive, node: Node, tied: Tied) -> dict[str, Any]:
    """Return what ``node`` saved, by name: arrays, or tensors that are tied to the graph."""
    saved, place = saved_values(node, tied) if tied is not None else node.saved or (), 0
    found: dict[str, Any] = {}
    for name in op.saves:
        if name != "needs":
            found[name] = saved[place]
            place += 3 if op.is_array(name) else 1
    return found


def saved_values(node: Node, tied: Tied) -> tuple[Any, ...]:
    """Return what ``node`` saved, its arrays as tensors, which lead on where a tangent shall be differentiable."""
    saved, kind = list(node.saved or ()), node.backward
    for _, place, source in kind.saved_slots if kind is not None else ():
        array = saved[place]
        if array is not None:
            owner = None
            if source is not None and tied is not None:
                owner = node.edges[source] if source >= 0 else result_node(node, ~source, array)
                owner = owner if owner is not None and tied(owner) else None
            saved[place] = wrap(Variable.result, array, owner, saved[place + 1])
    return tuple(saved)


def _fitted(t: Any, shape: tuple[int, ...], kind: Any) -> Any:
    """Return a tangent broadcast and promoted, as its value was."""
    array = t.array if isinstance(t, Variable) else t
    if array.shape != shape:
        t = expand_to(t, shape)
    return t if array.dtype is kind else convert(t, kind)


def _zeros(value: Any, tied: Tied) -> Any:
    zeros = np.zeros(value.shape, value.dtype)
    return zeros if tied is None else wrap(Variable.result, zeros)


def _diagonal(op: Primitive, node: Node, saved: dict[str, Any], tangents: Tangents, tied: Tied) -> Any:
    """Return the tangent of an elementwise op: for each input its rule, given the tangent in place of the gradient."""
    total = None
    for number, (name, t) in enumerate(zip(op.inputs, tangents, strict=True)):
        if t is None:
            continue
        rule: Any = op.rules[name]
        known = saved if op.joint is None else saved | {"needs": [place == number for place in range(len(op.inputs))]}
        part = rule(_fitted(t, node.shape, node.dtype), *[known[each] for each in op.needs[name]])
        part = _fitted(part if op.joint is None else part[number], node.shape, node.dtype)
        total = part if total is None else total + part
    return _zeros(node, tied) if total is None else total


def _applied(op: Primitive, node: Node, saved: dict[str, Any], tangents: Tangents, tied: Tied) -> Any:
    """Return the tangent of an op that is linear in its inputs: for each the op, of the tangent in its place."""
    function = PRIMITIVES[_STAND_INS.get(op.name, op.name)].function
    moving = {name: t for name, t in zip(op.inputs, tangents, strict=True) if t is not None}
    added, total = moving.pop(ADDED, None), None
    if not moving and added is not None:
        return _transposed(node, node, [tangents], tied)[0]
    for name, t in moving.items():
        known = saved | {name: t, ADDED: added}
        part, added = function(*[known.get(each) for each in op.params]), None
        if total is None:
            total = part
        elif tied is None and isinstance(total, np.ndarray):
            total += part  # nobody else has it yet
        else:
            total = total + part
    return _zeros(node, tied) if total is None else total


def _transposed(node: Node, value: Any, directions: Sequence[Tangents], tied: Tied) -> list[Any]:
    """Return the tangents of any step, by the backward of its backward."""
    kind: Any = node.backward
    moved = [any(t is not None for t in column) for column in zip(*directions, strict=True)]
    edges = [edge if yes else None for edge, yes in zip(node.edges, moved, strict=True)]
    asked = node.restricted(edges)
    arrays = value if isinstance(value, tuple) else (value,)
    probes = [wrap(Variable.result, np.zeros(each.shape, each.dtype)) for each in arrays]
    for probe in probes:
        probe.node = new_leaf(probe)
    before = recording.set(recording.get() if tied is not None else True)
    try:
        parts = kind.vjp(
            OutputGrads(tuple(probes)) if isinstance(value, tuple) else probes[0], saved_values(node, tied), asked
        )
        found = [_pulled(_listed(parts, asked), probes, tangents, tied) for tangents in directions]
    finally:
        recording.reset(before)
    return [tuple(each) if isinstance(value, tuple) else each[0] for each in found]


def _listed(parts: Any, node: Node) -> tuple[Any, ...]:
    return tuple(parts) if node.other_edges is not None else (parts,)


def _pulled(parts: tuple[Any, ...], probes: list[Any], tangents: Tangents, tied: Tied) -> list[Any]:
    """Return the gradients by ``probes`` of the ``parts``, weighed by ``tangents``."""
    roots: dict[Node, Any] = {}
    for part, t in zip(parts, tangents, strict=False):
        if part is None or t is None or part.node is None:
            continue
        seed = _fitted(t, part.array.shape, part.array.dtype)
        roots[part.node] = roots[part.node] + seed if part.node in roots else seed
    arrived = run(roots, record=tied is not None, keep=True, targets={each.node for each in probes}) if roots else {}
    return [_zeros(each.array, tied) if (g := arrived.get(each.node)) is None else g for each in probes]
