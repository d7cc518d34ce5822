"""docs/testing-gradients.md is run from top to bottom, as a newcomer would, and prints what it says."""

from __future__ import annotations

import contextlib
import doctest
import io
import linecache
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "testing-gradients.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """One block of the page: its language, its text, and the line where it starts."""

    kind: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    return [Block(m[1], m[2], page[: m.start()].count("\n") + 2) for m in BLOCK.finditer(page)]


def same(wanted: str, got: str) -> bool:
    """Return whether ``got`` is what the page says: the doctest rules, with ``...`` for anything."""
    return doctest.OutputChecker().check_output(wanted, got, doctest.ELLIPSIS)


class Newcomer:
    """Follows a page in an empty folder: saves files, types commands, runs the rest in one session."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.names, self.said = folder, {"__name__": "guide"}, ""
        self.env = {name: value for name, value in os.environ.items() if name not in {"CI", "BUILD_NUMBER"}}
        self.env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # by TF_BUILD hypothesis, but not pytest, knows a CI: it draws the same each time
        self.env |= {"TF_BUILD": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "", "COLUMNS": "80"}

    def follow(self, block: Block) -> None:
        getattr(self, block.kind)(block)

    def python(self, block: Block) -> None:
        """Save a file, if the first line names one; else run the code and keep what it prints."""
        if name := re.match(r"# (\w+\.py)\n", block.text):
            (self.folder / name[1]).write_text(block.text, encoding="utf-8")
            return
        file = f"<{PAGE.name}, line {block.line}>"
        linecache.cache[file] = (len(block.text), None, block.text.splitlines(keepends=True), file)
        with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.chdir(self.folder):
            exec(compile(block.text, file, "exec"), self.names)
        self.said = printed.getvalue()

    def text(self, block: Block) -> None:
        """Compare what the code before printed."""
        assert same(block.text, self.said), f"{PAGE.name}:{block.line} says\n{block.text}\nbut it is\n{self.said}"
        self.said = ""

    def console(self, block: Block) -> None:
        """Type the command, and compare what it prints."""
        command, wanted = block.text.removeprefix("$ ").split("\n", 1)
        done = subprocess.run(
            command.split(),
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert same(wanted, done.stdout), f"{PAGE.name}:{block.line}: {command} prints\n{done.stdout}"

    def diff(self, block: Block) -> None:
        """Change the first file that holds the line."""
        old, new = (re.findall(rf"(?m)^\{sign}(.*\n)", block.text)[0] for sign in "-+")
        file = next(each for each in sorted(self.folder.glob("*.py")) if old in each.read_text(encoding="utf-8"))
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_the_guide_says_what_happens(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    found = blocks(PAGE.read_text(encoding="utf-8"))
    for block in found:
        newcomer.follow(block)
    assert {block.kind for block in found} == {"python", "text", "console", "diff"}


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("factor 2\n", "factor 3\n"),
        ("a\n...\nc\n", "a\nb\n"),
        ("a\n", "a\nb\n"),
        ("1 passed in ...s\n", "1 failed in 2s\n"),
    ],
)
def test_a_page_that_says_something_else_fails(wanted: str, got: str, tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    newcomer.said = got
    with pytest.raises(AssertionError, match="but it is"):
        newcomer.follow(Block("text", wanted, 1))


def test_every_name_of_the_guide_exists() -> None:
    from rushlight import testing  # noqa: PLC0415

    text = PAGE.read_text(encoding="utf-8")
    names: set[Any] = set(re.findall(r"torch\.testing\.(\w+)", text))
    assert len(names) > 10
    assert [name for name in names if not hasattr(testing, name)] == []
    public = {
        name for name in dir(testing) if name[0] != "_" and callable(getattr(testing, name)) and name[0].islower()
    }
    assert [name for name in public if not re.search(rf"\b{name}\b", text)] == ["assert_allclose", "make_tensor"]
