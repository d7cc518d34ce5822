"""Paths that the documentation names exist: in backticks, in links, and in the commands it tells to run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")]
SUFFIXES = "css|html|js|json|md|npz|png|py|pyi|svg|toml"
PATH = re.compile(rf"[\w.-]*/[\w./-]*/|(?:[\w-]+/)*[\w-]+\.(?:{SUFFIXES})|[\w-]+/")
COMMAND = re.compile(r"python3? (?:-P )?([\w./-]+\.py)")

# A reader's own files, and the folder that the examples write.
READERS = {"check.py", "softplus.py", "test_softplus.py", "demo-output/", "demo-output/report.html"}


def named(text: str) -> set[str]:
    """Return the paths that ``text`` (Markdown) names; not those with blanks, patterns or a scheme."""
    found = {words for words in re.findall(r"`([^`\n]+)`", text) if PATH.fullmatch(words)}
    found |= set(re.findall(r"\]\((?!\w+:)([^)#\s]+)", text))
    return (found | set(COMMAND.findall(text))) - READERS


def missing(text: str, folder: Path) -> list[str]:
    """Return the paths in ``text`` which are neither in ``folder`` nor below the root.

    A document about one folder may leave that folder out: a path counts as found if a file of the package ends so.
    """
    return [path for path in sorted(named(text)) if not _exists(path, folder)]


def _exists(path: str, folder: Path) -> bool:
    if (folder / path).exists() or (ROOT / path).exists():
        return True
    return any(file.exists() for file in ROOT.glob(f"[!.]*/**/{path}"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_path_exists(document: Path) -> None:
    assert missing(document.read_text(encoding="utf-8"), document.parent) == []


def test_a_wrong_path_is_found() -> None:
    text = "`tests/mutants.py`, [figures](tests/figures.py), `nothing/`, run `python -P tools/gone.py --all`"
    assert missing(text, ROOT) == ["nothing/", "tests/figures.py", "tests/mutants.py", "tools/gone.py"]
    text = "`tools/mutants.py`, [the core](docs/architecture.md#the-core), <https://a.org/b.py>, `viz/`, `engine.py`"
    assert missing(text, ROOT) == []
