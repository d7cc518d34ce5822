"""docs/architecture.md prints what it says, and the core that it shows has the size it promises."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"


def core_files() -> list[Path]:
    """Return the files of the table under "The core, in reading order"."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("## The core, in reading order")[1].split("\n## ")[0]
    return [ROOT / "autograd" / name for name in re.findall(r"^\| `(\w+\.py)`", table, re.MULTILINE)]


def test_the_page_prints_what_it_says() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert tried > 20
    assert not failed


def test_the_core_is_an_evening_of_reading() -> None:
    files = core_files()
    assert len(files) == 10
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    assert lines <= 1200


def test_every_file_of_the_engine_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for path in (ROOT / "autograd").glob("*.py"):
        assert path.name == "__init__.py" or f"`{path.name}`" in text or f"/{path.name}" in text, path.name
