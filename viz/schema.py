"""A graph as JSON and back: ``docs/graph-schema.md`` describes it.

What has its default is left out; NaN and infinities, which JSON does not know, are the texts "NaN", "Infinity" and
"-Infinity".
"""

from __future__ import annotations

import math
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar, get_type_hints

from . import model
from .diagnose import RULES
from .model import Arrow, GraphData, Group, Item, Mark, Saved, Sent, Source, Stats, Step
from .totals import totals

NAME, VERSION = "rushlight-graph", 1
G = TypeVar("G", bound=GraphData)
_PARTS: dict[str, Any] = {
    "items": Item, "arrows": Arrow, "groups": Group, "backward": Step, "saved": Saved, "value": Stats,
    "gradient": Stats, "source": Source, "marks": Mark, "sent": Sent,
}  # fmt: skip
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_HINTS: dict[Any, dict[str, str]] = {}


def to_dict(graph: GraphData) -> dict[str, Any]:
    """Return ``graph`` as dicts, lists, texts and numbers, ready for JSON."""
    rules = {mark.kind: RULES.get(mark.kind, "") for item in graph.items for mark in item.marks}
    return {"schema": NAME, "version": VERSION, **_plain(graph), "summary": totals(graph), "rules": rules}


def from_dict(data: dict[str, Any], kind: type[G]) -> G:
    """Return the graph of class ``kind`` that :func:`to_dict` wrote; ValueError for another schema or version."""
    if data.get("schema") != NAME or data.get("version") != VERSION:
        raise ValueError(
            f"expected schema {NAME!r} in version {VERSION}, but got {data.get('schema')!r}, {data.get('version')!r}"
        )
    own = {key: value for key, value in data.items() if key not in {"schema", "version", "summary", "rules"}}
    made: G = _made(kind, own)
    return made


def _fields(kind: Any) -> list[tuple[str, Any]]:
    found = _HINTS.get(kind)
    if found is None:
        found = _HINTS[kind] = {field.name: _default(field) for field in fields(kind)}
    return list(found.items())


def _default(field: Field[Any]) -> Any:
    return field.default if field.default is not MISSING else ...


def _plain(one: Any) -> Any:
    """Return a dataclass, or what is in one, as JSON knows it."""
    kind = type(one)
    if kind is float:
        return one if math.isfinite(one) else "NaN" if one != one else "Infinity" if one > 0 else "-Infinity"  # noqa: PLR0124
    if kind is tuple:
        return [_plain(each) for each in one]
    if kind in (str, int, bool) or one is None:
        return one
    found = ((name, getattr(one, name), default) for name, default in _fields(kind))
    return {name: _plain(value) for name, value, default in found if default is ... or value != default}


def _made(kind: Any, data: dict[str, Any]) -> Any:
    known = dict(_fields(kind))
    unknown = data.keys() - known.keys()
    if unknown:
        raise ValueError(f"{kind.__name__} has no {min(unknown)!r}")
    return kind(**{name: _value(name, value, kind) for name, value in data.items()})


def _value(name: str, value: Any, kind: Any) -> Any:
    part = _PARTS.get(name)
    if isinstance(value, dict):
        return _made(part, value)
    if isinstance(value, list):
        return tuple(_value(name, each, kind) for each in value)
    return _NUMBERS[value] if isinstance(value, str) and _is_number(kind, name) else value


def _is_number(kind: Any, name: str) -> bool:
    hints = get_type_hints(kind, vars(model))
    return "float" in str(hints[name])
