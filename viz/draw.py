"""``make_dot``: the picture of a graph as an object of the ``graphviz`` package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graphviz

from . import dot, run
from .fitting import fit
from .graph import LIMIT
from .labels import Show
from .model import GraphData
from .tracing import trace


class Drawing(graphviz.Digraph):  # type: ignore[misc]  # graphviz states no types
    """A ``graphviz.Digraph`` that can be drawn without a system-wide Graphviz.

    ``pipe`` and ``render`` find a program by themselves: ``engine=`` (a path; or the name of a layout such as
    "neato"), the environment variable ``RUSHLIGHT_DOT``, ``dot`` on PATH, or ``graphviz-pure`` from
    ``pip install "rushlight[viz]"``. In a notebook the object shows itself.
    """

    def pipe(
        self,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: Any = None,
        quiet: bool = False,
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> Any:
        """Return the picture in ``format`` ("svg" unless set otherwise): bytes, or text if ``encoding`` is given."""
        kind = ":".join(part for part in (format or self.format, renderer, formatter) if part)
        layout, program = (engine, None) if engine in graphviz.ENGINES else (str(self.engine), engine)
        picture = run.render(self.source, kind, str(layout), program)
        return picture if encoding is None else picture.decode(encoding)

    def render(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: Any = None,
        quiet: bool = False,
        quiet_view: bool = False,
        *,
        outfile: Any = None,
        engine: str | None = None,
        raise_if_result_exists: bool = False,
        overwrite_source: bool = False,
    ) -> str:
        """Write the DOT text to ``filename`` and the picture beside it, or to ``outfile``; return the picture's path.

        ``cleanup`` removes the text again. FileExistsError with ``raise_if_result_exists``.
        """
        if outfile is not None:
            filename = filename or str(Path(outfile).with_suffix(".gv"))
        suffix = "" if outfile is None else Path(outfile).suffix[1:]
        kind: str = format or suffix or self.format
        picture = self.pipe(kind, renderer, formatter, engine=engine)
        saved = Path(self.save(filename, directory=directory))
        target = Path(directory or "", outfile) if outfile is not None else saved.with_name(f"{saved.name}.{kind}")
        if raise_if_result_exists and target.exists():
            raise FileExistsError(f"output file exists: {target}")
        if target == saved and not overwrite_source:
            raise ValueError(f"outfile {target} is the file of the DOT text: set overwrite_source=True to replace it")
        target.write_bytes(picture)
        if cleanup:
            saved.unlink()
        if view or quiet_view:
            self._view(str(target), format=kind, quiet=quiet_view)
        return str(target)


def drawing(graph: GraphData, *, limit: int = LIMIT, **show: Any) -> Drawing:
    """Return the picture of ``graph``; ``show`` takes the fields of :class:`Show`. Above ``limit`` items it is folded.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> x = torch.ones(3, requires_grad=True)
    >>> picture = viz.drawing(viz.trace(x.exp().sum()), values=True, overlay="bytes")
    >>> "subgraph" in picture.source
    False
    """
    return Drawing(body=dot.body(fit(graph, limit), Show(**show)), format="svg")


def make_dot(
    var: Any,
    params: Any = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
    *,
    clusters: bool = True,
    limit: int = LIMIT,
) -> Drawing:
    """Return a picture of the steps that lead to ``var``, drawn from the inputs at the top to the outputs.

    ``var`` is a tensor, or lists, tuples and dicts of tensors; ``params`` names leaves: a module, a mapping, or pairs
    such as ``model.named_parameters()``. ``show_saved`` lists the tensors each step keeps for the backward pass and
    ``show_attrs`` its other saved values, cut after ``max_attr_chars``. So far the arguments are those of torchviz.
    ``clusters`` draws frames around modules, where a recorder saw them. A leaf read by several steps is drawn beside
    each. Graphs of more than ``limit`` items are folded, and the picture says how.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> picture = torch.viz.make_dot((x * x).sum(), params={"x": x})
    >>> "MulBackward0" in picture.source
    True
    """
    graph = trace(var, params, max_attr_chars=max_attr_chars)
    return drawing(graph, limit=limit, attributes=show_attrs, saved=show_saved, clusters=clusters, titles=True)
