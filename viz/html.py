"""One page that needs nothing else: the graph as JSON, and the program that lays it out and draws it."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from importlib.resources import files

from . import schema
from .model import GraphData

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|function|let)", re.MULTILINE)


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _add_module(name: str, program: dict[str, str]) -> None:
    """Add the page's module ``name`` to ``program``, after the modules that it imports.

    A page has no files beside it to import from, so its modules are joined to one: no two give a name at their top.
    """
    text = _part(name)
    for imported in _IMPORT.findall(text):
        if imported not in program:
            _add_module(imported, program)
    program[name] = _EXPORT.sub("", _IMPORT.sub("", text))


@cache
def _program() -> str:
    program: dict[str, str] = {}
    _add_module("main.js", program)
    return "\n".join(program.values())


def page(graph: GraphData) -> str:
    """Return ``graph`` as a self-contained HTML page: no server, no network, from ``file://`` or inside a notebook.

    The page folds frames, searches, zooms, shows the details of each box, and plays the backward pass where the graph
    holds one. Same graph, same text.

    >>> import rushlight as torch
    >>> loss = (torch.ones(2, requires_grad=True) * 2).sum()
    >>> text = torch.viz.trace(loss).page()
    >>> text.startswith("<!doctype html>"), "MulBackward0" in text
    (True, True)
    """
    data = json.dumps(schema.to_dict(graph), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<\u2028\u2029":  # nothing in the data may end the block it stands in
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    text = _part("page.html")
    for mark, part in (("styles", _part("page.css")), ("program", _program()), ("data", data)):
        before, _, after = text.partition(f"/*{{{mark}}}*/")
        text = before + part + after
    return text


class Notebook:
    """A page as a notebook shows it: in a frame of its own, ``height`` pixels high."""

    def __init__(self, graph: GraphData, height: int = 640) -> None:
        self.graph, self.height = graph, height

    def _repr_html_(self) -> str:
        style = f"width:100%;height:{self.height}px;border:1px solid #c9ccd3"
        return f'<iframe title="computation graph" srcdoc="{escape(page(self.graph))}" style="{style}"></iframe>'
