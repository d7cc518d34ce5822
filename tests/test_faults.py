"""The planted faults of ``make faults`` fit the code as it is, and say so where they do not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from faults import FAULTS, ROOT, DoesNotFitError, Fault
from syntax_patterns import rewrite


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_it_fits_the_source(fault: Fault) -> None:
    file, text = fault.planted(ROOT)
    compile(text, file, "exec")
    assert text != ast.unparse(ast.parse(file.read_text(encoding="utf-8")))
    assert (ROOT / fault.tests).exists()


@pytest.mark.parametrize(
    ("place", "old", "why"),
    [
        ("gone.py:f", "A", "'dropped': there is no gone.py any more"),
        ("file.py:g", "A", "'dropped': file.py has no function or class 'g' any more"),
        ("file.py:f", "A - B", "'dropped': nothing in file.py:f looks like `A - B` any more"),
        ("folder", "A - B", "'dropped': nothing in folder looks like `A - B` any more"),
        ("folder", "A + 1", "'dropped': `A \\+ 1` is in several files: g.py, h.py"),
    ],
)
def test_what_no_longer_fits_is_said(tmp_path: Path, place: str, old: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("file.py", "folder/g.py", "folder/h.py"):
        (tmp_path / name).write_text("def f(x):\n    return x + 1\n", encoding="utf-8")
    with pytest.raises(DoesNotFitError, match=why):
        Fault("dropped", place, old, "A", "").planted(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "source", "expected", "count"),
    [
        ("A - A * B", "A + A * B", "g - g * (out * out)", "g + g * (out * out)", 1),
        ("A - A * B", "A + A * B", "g - h * out", "g - h * out", 0),
        ("A if B else C", "A", "f(x if y else z, 1 if 2 else 3)", "f(x, 1)", 2),
        ("convert(A, B)", "A", "a.b = convert(x.y, z)", "a.b = x.y", 1),
        ("A[B] = C + D", "A[B] = D", "g[e] = g[e] + p", "g[e] = p", 1),
        (
            "for A in B: ...",
            "for A in B[1:]: ...",
            "for f, r in s:\n    a\n    b",
            "for f, r in s[1:]:\n    a\n    b",
            1,
        ),
        ("raise A", "pass", "if x:\n    raise E(1)", "if x:\n    pass", 1),
        ("0 in A", "False", "0 in x and 1 in x", "False and 1 in x", 1),
        ("f(A, key=B)", "A", "f(x, key=1) + f(x, y=1)", "x + f(x, y=1)", 1),
    ],
)
def test_a_pattern_finds_what_looks_like_it(old: str, new: str, source: str, expected: str, count: int) -> None:
    tree = ast.parse(source)
    assert rewrite(tree, old, new) == count
    assert ast.unparse(ast.fix_missing_locations(tree)) == expected
