"""Runs a layout program: the only place in the package that starts another process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig

SECONDS = 30
"""Time limit of one run: large graphs with many crossing arrows may take Graphviz hours."""

INCHES = 100
"""Largest width and height of a PNG, at 96 dots per inch: without a cap a long graph fills the memory."""

MISSING = (
    "no layout program was found to draw the graph: there is neither Graphviz's `dot` on PATH nor `graphviz-pure`. "
    'Run: pip install "rushlight[viz]"  (or name a program in the environment variable RUSHLIGHT_DOT)'
)


def programs(engine: str | None = None) -> list[str]:
    """Return the programs to try, in order: ``engine`` or ``RUSHLIGHT_DOT`` alone, else ``dot``, ``graphviz-pure``.

    RuntimeError if the one that was named does not exist, or none is there.
    """
    named = engine or os.environ.get("RUSHLIGHT_DOT")
    if named:
        found = shutil.which(named)
        if found is None:
            raise RuntimeError(f"the layout program {named!r}, named by engine= or RUSHLIGHT_DOT, does not exist")
        return [found]
    scripts = sysconfig.get_path("scripts")
    tried = shutil.which("dot"), shutil.which("graphviz-pure", path=scripts), shutil.which("graphviz-pure")
    candidates = list(dict.fromkeys(one for one in tried if one))
    if not candidates:
        raise RuntimeError(MISSING)
    return candidates


def render(source: str, format: str, layout: str = "dot", engine: str | None = None, seconds: float = SECONDS) -> bytes:
    """Return the picture of DOT ``source`` in ``format`` ("svg", "png", ...).

    A program that does not know the format, or is half installed, gives way to the next. RuntimeError if none can do
    it, or if it takes longer than ``seconds``.
    """
    failures = []
    for program in programs(engine):
        command = [program, f"-K{layout}", f"-T{format}"]
        if format == "png":
            command += ["-Gdpi=96", f"-Gsize={INCHES},{INCHES}"]
        try:
            done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise RuntimeError(
                f"{program} took longer than {seconds} seconds to draw a graph of {len(source)} characters as "
                f"{format}: draw a smaller part of it"
            ) from None
        except OSError as error:
            failures.append(f"{program}: {error}")
            continue
        if done.returncode == 0 and done.stdout:
            return done.stdout
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        failures.append(f"{program}: {said or f'exit status {done.returncode}'}")
    raise RuntimeError(f"cannot draw the graph as {format!r}. " + "; ".join(failures))
