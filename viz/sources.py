"""Lines of the user's program."""

from __future__ import annotations

import linecache
from os import sep
from pathlib import Path, PurePath

from .model import Source


def text_of(file: str, line: int) -> str:
    """Return the text of a line, or "" where the file cannot be read."""
    return linecache.getline(file, line).strip()


def near(file: str) -> str:
    """Return ``file`` relative to the working directory if it is below it."""
    folder = str(Path.cwd()) + sep
    return file.removeprefix(folder)


def place(source: Source) -> str:
    """Return the place of a line as "train.py:12"."""
    return f"{PurePath(source.file).name}:{source.line}"
