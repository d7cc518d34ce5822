"""The command line.

python -m rushlight graph train.py:loss -o graph.html
python -m rushlight summary train.py:model --input x
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path
from typing import Any

from . import lazy, nn, viz


class Failed(Exception):
    """What is wrong with the command, in the words of the user."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 1 if something was wrong."""
    parser = argparse.ArgumentParser("python -m rushlight", description="Look into a program that uses rushlight.")
    commands = parser.add_subparsers(dest="command", required=True)
    graph = commands.add_parser("graph", help="draw the graph that leads to a tensor of a script")
    graph.add_argument(
        "target", metavar="SCRIPT.py:NAME", help="a script, and a tensor (or several, in any nesting) in it"
    )
    graph.add_argument(
        "-o", "--output", help="a file: .html .svg .png .pdf .dot .json .mmd .txt; without it, text is printed"
    )
    graph.add_argument("--no-backward", action="store_true", help="do not rehearse the backward pass")
    graph.add_argument("--fold", action="store_true", help="show what repeats once, even if the graph is small")
    graph.add_argument(
        "--overlay", choices=("gradient", "time", "bytes"), default="", help="colour the boxes of a picture"
    )
    summary = commands.add_parser("summary", help="print the table of a model's layers")
    summary.add_argument("target", metavar="SCRIPT.py:NAME", help="a script, and a module in it")
    summary.add_argument("--input", help="a variable of the script, or a shape such as 1,3,8,8")
    for command in (graph, summary):
        command.add_argument("arguments", nargs="*", help="arguments for the script, after --")
    options = parser.parse_args(arguments)
    try:
        return _graph(options) if options.command == "graph" else _summary(options)
    except Failed as error:
        print(f"rushlight: {error}", file=sys.stderr)
        return 1


def _graph(options: argparse.Namespace) -> int:
    script, name = _target(options.target)
    with_values = viz.record()
    error, found = None, {}
    try:
        with with_values:
            found = _run(script, options.arguments)
    except Exception as raised:  # whatever the script raises: the picture shows how far it came
        error = raised
    if error is None:
        modules = [value for value in found.values() if isinstance(value, nn.Module)]
        names = {key: value for key, value in found.items() if not key.startswith("__")}
        try:
            graph = viz.trace(
                _found(script, name, found), modules or None, names=names, title=name, backward=not options.no_backward
            )
        except TypeError as wrong:
            raise Failed(f"{name} of {script} cannot be drawn: {wrong}") from None
    else:
        graph = with_values.graph(title=f"{script.name}, which raised {type(error).__name__}")
    graph = viz.fold(graph) if options.fold else graph
    if options.output is None:
        print(graph)
    else:
        try:
            show = {"overlay": options.overlay} if options.overlay else {}
            print(f"Wrote {graph.save(options.output, **show)}")
        except (ValueError, OSError, RuntimeError) as wrong:
            raise Failed(str(wrong)) from None
    if error is not None:
        raise Failed(f"{script} raised {type(error).__name__}: {error}")
    return 0


def _summary(options: argparse.Namespace) -> int:
    script, name = _target(options.target)
    found = _run(script, options.arguments)
    model = _found(script, name, found)
    if not isinstance(model, nn.Module):
        raise Failed(f"{name} of {script} is no module but {type(model).__name__}")
    summary = getattr(nn, "summary", None)
    if summary is None:
        raise Failed("this rushlight has no nn.summary")
    inputs = () if options.input is None else (_input(options.input, script, found),)
    print(summary(model, *inputs))
    return 0


def _input(given: str, script: Path, found: dict[str, Any]) -> Any:
    if given in found:
        return found[given]
    try:
        return lazy.load("").zeros(tuple(int(size) for size in given.split(",") if size))
    except ValueError:
        raise Failed(f"--input {given!r} is neither a variable of {script} nor a shape such as 1,3,8,8") from None


def _target(text: str) -> tuple[Path, str]:
    script, colon, name = text.rpartition(":")
    if not colon or not script or not name:
        raise Failed(f"expected SCRIPT.py:NAME, not {text!r}")
    path = Path(script)
    if not path.is_file():
        raise Failed(f"there is no file {script!r}")
    return path, name


def _run(script: Path, arguments: list[str]) -> dict[str, Any]:
    """Run the script as Python would, and return its variables."""
    before = sys.argv, list(sys.path)
    sys.argv, sys.path[0:0] = [str(script), *arguments], [str(script.resolve().parent)]
    try:
        return runpy.run_path(str(script), run_name="__main__")
    except SystemExit as stopped:
        if stopped.code:
            raise Failed(f"{script} stopped with {stopped.code}") from None
        raise Failed(f"{script} called exit(): its variables are gone") from None
    finally:
        sys.argv, sys.path[:] = before


def _found(script: Path, name: str, found: dict[str, Any]) -> Any:
    """Return the variable ``name`` of the script, or an attribute of one: "state.loss"."""
    first, *rest = name.split(".")
    if first not in found:
        known = ", ".join(sorted(key for key in found if not key.startswith("_"))) or "none"
        raise Failed(f"{script} has no variable {first!r} at its top level; it has: {known}")
    value = found[first]
    for part in rest:
        if not hasattr(value, part):
            raise Failed(f"{first!r} of {script} has no attribute {part!r}")
        value = getattr(value, part)
    return value


if __name__ == "__main__":
    sys.exit(main())
