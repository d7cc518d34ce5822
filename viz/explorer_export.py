"""The graph for Model Explorer, and the times in it for Chrome's trace viewer."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .fitting import paths
from .model import GraphData, Group, Item, amount, gradient_text, size, value_text
from .sources import place


def explorer(graph: GraphData) -> dict[str, Any]:
    """Return ``graph`` as Model Explorer's JSON.

    https://github.com/google-ai-edge/model-explorer

    Write it with ``json.dump`` and open the file there: modules are its layers.
    """
    way, groups = paths(graph.groups), {group.id: group for group in graph.groups}
    spaces = {mine: "/".join(_layer(groups[each]) for each in path) for mine, path in way.items()}
    incoming: dict[str, list[dict[str, str]]] = defaultdict(list)
    outputs: dict[str, dict[int, str]] = defaultdict(dict)
    for arrow in graph.arrows:
        one = {
            "sourceNodeId": arrow.source,
            "sourceNodeOutputId": str(arrow.output),
            "targetNodeInputId": str(arrow.slot),
        }
        incoming[arrow.target].append(one)
        if arrow.shape is not None:
            outputs[arrow.source][arrow.output] = f"{arrow.dtype}{size(arrow.shape)}"
    nodes = [
        {
            "id": item.id,
            "label": item.name or item.kind,
            "namespace": spaces[item.group],
            "attrs": [{"key": key, "value": value} for key, value in _facts(item)],
            "incomingEdges": incoming[item.id],
            "outputsMetadata": [
                {"id": str(number), "attrs": [{"key": "tensor_shape", "value": text}]}
                for number, text in sorted(outputs[item.id].items())
            ],
        }
        for item in graph.items
    ]
    return {"graphs": [{"id": graph.title or "graph", "nodes": nodes}]}


def _layer(group: Group) -> str:
    name = group.name or group.title or group.fold or group.kind
    call = f" (call {group.call})" if group.call > 1 else ""
    times = f" × {group.repeat}" if group.repeat > 1 else ""
    return f"{name}{call}{times}".replace("/", "|")  # a slash would be one more layer


def _facts(item: Item) -> list[tuple[str, str]]:
    found = [("kind", item.kind), ("op", item.op), ("dtype", item.dtype), *item.attributes]
    if item.shape is not None:
        found += [("shape", size(item.shape)), ("bytes", amount(item.bytes))]
    if item.value is not None:
        found.append(("value", value_text(item.value)))
    if item.gradient is not None:
        found.append(("gradient norm", gradient_text(item)))
    if item.held:
        found.append(("held for backward", amount(item.held)))
    if item.source is not None:
        found.append(("made at", place(item.source)))
    found += [(mark.kind, mark.text) for mark in item.marks]
    return [(key, value) for key, value in found if value]


def chrome_trace(graph: GraphData) -> dict[str, Any]:
    """Return the times of ``graph`` as the JSON that chrome://tracing and https://ui.perfetto.dev open.

    The first row holds the steps of the forward pass, one after the other (a step's time reaches back to the step
    before it, so Python between them is included), the rows above them the modules; then the rules of the backward
    pass. The graph must be traced from what a recorder saw, or with ``backward=True``: ValueError if it has no times.
    """
    items = {item.id: item for item in graph.items}
    steps = [item for item in graph.items if item.kind == "step" and item.forward is not None]
    if not steps and not graph.backward:
        raise ValueError(
            "the graph has no times: record the forward pass with viz.record(), or trace with backward=True"
        )
    events: list[dict[str, Any]] = []
    clock = 0.0
    spans: dict[str, list[float]] = {}
    way = paths(graph.groups)
    for item in steps:
        seconds = item.forward or 0.0
        events.append(_event(item, "forward", clock, seconds, 1))
        for group in way[item.group]:
            span = spans.setdefault(group, [clock, clock])
            span[1] = clock + seconds
        clock += seconds
    for frame in graph.groups:
        if frame.id in spans:
            begin, end = spans[frame.id]
            level = len(way[frame.id])
            events.append({
                "name": frame.name or frame.title, "cat": "module", "ph": "X", "pid": 1, "tid": 100 + level,
                "ts": begin * 1e6, "dur": (end - begin) * 1e6, "args": {"title": frame.title, "call": frame.call},
            })  # fmt: skip
    for step in graph.backward:
        events.append(_event(items[step.item], "backward", clock, step.seconds, 2))
        clock += step.seconds
    names = {1: "forward", 2: "backward"} | {event["tid"]: "modules" for event in events if event["tid"] > 2}
    threads = [
        {"name": "thread_name", "ph": "M", "pid": 1, "tid": number, "args": {"name": name}}
        for number, name in names.items()
    ]
    return {"displayTimeUnit": "ms", "traceEvents": threads + events}


def _event(item: Item, category: str, start: float, seconds: float, row: int) -> dict[str, Any]:
    facts = {"op": item.op, "shape": "" if item.shape is None else size(item.shape), "held": item.held}
    if item.source is not None:
        facts["line"] = place(item.source)
    return {
        "name": item.name, "cat": category, "ph": "X", "pid": 1, "tid": row, "ts": start * 1e6, "dur": seconds * 1e6,
        "args": facts,
    }  # fmt: skip
