"""One page that needs nothing else: the graph as JSON, and the program that lays it out and draws it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from .model import Graph

_SCRIPTS = ("model.js", "layout.js", "draw.js", "details.js", "page.js")


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def page(graph: Graph) -> str:
    """Return ``graph`` as a self-contained HTML page: no server, no network, from ``file://`` or inside a notebook.

    The page folds frames, searches, zooms, shows the details of each box, and plays the backward pass where the graph
    holds one. Same graph, same text.

    >>> import rushlight as torch
    >>> loss = (torch.ones(2, requires_grad=True) * 2).sum()
    >>> text = torch.viz.page(torch.viz.trace(loss))
    >>> text.startswith("<!doctype html>"), "MulBackward0" in text
    (True, True)
    """
    data = graph.to_json().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    scripts = "\n".join(_part(name) for name in _SCRIPTS)
    text = _part("page.html")
    for mark, part in (("css", _part("page.css")), ("scripts", scripts), ("data", data)):
        before, _, after = text.partition(f"/*{{{mark}}}*/")
        text = before + part + after
    return text
