"""``Graph``: the plain data of a picture, and the doors to every form it can take."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from . import dot, run, schema
from .explorer_export import chrome_trace, explorer
from .fitting import fit
from .html import Notebook, page
from .labels import Show
from .labels import html as escaped
from .mermaid_text import mermaid
from .model import GraphData
from .terminal_text import text
from .totals import headline, totals

LIMIT = 300
"""Items of a picture by Graphviz; larger graphs are folded."""
PAGE = 400
"""Items of a page; larger graphs are folded."""


@dataclass(frozen=True, slots=True, repr=False)
class Graph(GraphData):
    """A computation graph as frozen data; :func:`trace` makes it, renderers read it.

    Printed it is a tree for the terminal; in a notebook it shows itself as a picture.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as dicts and lists, ready for JSON: ``docs/graph-schema.md``."""
        return schema.to_dict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Return the graph as JSON text."""
        separators = (",", ":") if indent is None else None
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, separators=separators, allow_nan=False)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the graph that :meth:`to_dict` described; ValueError for what is none."""
        return schema.from_dict(data, cls)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the graph that :meth:`to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @property
    def totals(self) -> dict[str, int]:
        """The numbers of steps, parameters, bytes and so on."""
        return totals(self)

    def render(self, format: str = "svg", *, limit: int = LIMIT, **show: Any) -> bytes:
        """Return a picture by Graphviz: "svg", "png", and with a full Graphviz also "pdf" and others.

        ``show`` takes the fields of :class:`Show`: what the boxes say, and ``overlay``. Above ``limit`` items the graph
        is folded. RuntimeError if there is no program to draw it, or it takes too long.
        """
        picture = run.render(dot.source(fit(self, limit), Show(**show)), format)
        return _described(picture, self.title, headline(self)) if format == "svg" else picture

    def page(self, *, limit: int = PAGE) -> str:
        """Return one HTML page that needs nothing else: zoom, search, folding, the backward pass step by step.

        Above ``limit`` items what repeats is shown once, and the page says so.
        """
        return page(fit(self, limit))

    def save(self, path: Any, **show: Any) -> str:
        """Write the graph to ``path`` in the form its ending names, and return the path.

        ``.html`` a page, ``.svg``, ``.png``, ``.pdf`` pictures, ``.dot`` or ``.gv`` Graphviz's text, ``.json`` all the
        data, ``.mmd`` Mermaid, ``.txt`` a tree, ``.explorer.json`` for Model Explorer, ``.trace.json`` for Chrome's
        trace viewer. ``show`` is that of :meth:`render`. ValueError for other endings.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        before = Path(path.stem).suffix.lower() if suffix == ".json" else ""
        if suffix in {".svg", ".png", ".pdf"}:
            path.write_bytes(self.render(suffix[1:], **show))
        elif suffix in {".dot", ".gv"}:
            path.write_text(dot.source(fit(self, show.pop("limit", LIMIT)), Show(**show)), encoding="utf-8")
        elif suffix == ".html":
            path.write_text(self.page(limit=show.pop("limit", PAGE)), encoding="utf-8")
        elif suffix == ".mmd":
            path.write_text(mermaid(self), encoding="utf-8")
        elif suffix == ".txt":
            path.write_text(text(self, color=False, ascii=False) + "\n", encoding="utf-8")
        elif before in _JSON:
            path.write_text(json.dumps(_JSON[before](self), ensure_ascii=False), encoding="utf-8")
        elif suffix == ".json":
            path.write_text(self.to_json(), encoding="utf-8")
        else:
            known = ".html .svg .png .pdf .dot .gv .json .explorer.json .trace.json .mmd .txt"
            raise ValueError(f"cannot tell the form of {path.name!r} from its ending: use one of {known}")
        return str(path)

    def __str__(self) -> str:
        return text(self)

    def __repr__(self) -> str:
        return f"<Graph of {self.title or 'nothing'}: {headline(self)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return the data a notebook shows: a picture, or the page where none can be drawn, and text."""
        bundle = {"text/plain": text(self, color=False, ascii=False)}
        try:
            bundle["image/svg+xml"] = self.render().decode()
        except (RuntimeError, OSError) as error:  # no program, or none can be started, as in a browser
            bundle["text/plain"] += f"\n({error})"
            bundle["text/html"] = Notebook(fit(self, LIMIT))._repr_html_()
        return bundle


_JSON = {".explorer": explorer, ".trace": chrome_trace}


def _described(svg: bytes, title: str, description: str) -> bytes:
    """Return an SVG that fits its page and says to screen readers what it shows."""
    said = f"<title>{escaped(title or 'graph')}</title><desc>{escaped(description)}</desc>"
    text = svg.decode("utf-8")
    return re.sub(
        r"<svg ([^>]*)>",
        lambda found: f'<svg role="img" style="max-width:100%;height:auto" {found[1]}>{said}',
        text,
        count=1,
        flags=re.DOTALL,
    ).encode()
