"""Pictures by Graphviz: ``make_dot``, and the programs that draw."""

import subprocess
import sys

import pytest

from rushlight import viz
from rushlight.viz import Graph, dot, run
from support.viz_graphs import leaf


@pytest.mark.parametrize("name", ['a"b', "a\\nb", "<b>x</b>", "&amp;", "a\nb", "größe ж 漢", "->", "{a|b}", "\\"])
def test_names_show_as_they_are(name: str) -> None:
    x = leaf(1.0)
    picture = viz.make_dot(x * 2.0, params={name: x})
    assert picture.pipe("plain")  # the program reads the text
    shown = picture.pipe(encoding="utf-8")
    for word in name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").split():
        assert word in shown.replace("&#45;", "-").replace("&#37;", "%"), shown


def test_quoting() -> None:
    assert dot.quoted('a"\\&\n') == '"a\\"\\\\&amp;\\n"'
    assert dot.source(Graph()).startswith("digraph {\n")


def test_pictures_in_every_way(tmp_path) -> None:
    x = leaf(1.0)
    picture = viz.make_dot(x * x, params={"x": x})
    assert picture.pipe(encoding="utf-8").rstrip().endswith("</svg>")
    assert picture.pipe("png").startswith(b"\x89PNG")
    assert "image/svg+xml" in picture._repr_mimebundle_()
    path = picture.render("graph", directory=tmp_path, format="png", cleanup=True)
    assert [p.name for p in tmp_path.iterdir()] == ["graph.png"]
    assert path == str(tmp_path / "graph.png")
    other = picture.render(outfile=tmp_path / "other.svg")
    assert (tmp_path / "other.svg").read_text().rstrip().endswith("</svg>")
    assert other == str(tmp_path / "other.svg")
    with pytest.raises(FileExistsError):
        picture.render(outfile=tmp_path / "other.svg", raise_if_result_exists=True)


def test_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(run.sysconfig, "get_path", lambda name: "/nowhere")
    monkeypatch.delenv("RUSHLIGHT_DOT", raising=False)
    with pytest.raises(RuntimeError, match=r'pip install "rushlight\[viz\]"'):
        viz.make_dot(leaf(1.0).exp()).pipe()


def test_a_named_program(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = viz.make_dot(leaf(1.0).exp())
    for call in (lambda: picture.pipe(engine="/no/such/dot"), picture.pipe):
        with pytest.raises(RuntimeError, match="/no/such/dot"):
            call()
        monkeypatch.setenv("RUSHLIGHT_DOT", "/no/such/dot")


def test_a_program_that_fails_gives_way(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, works = tmp_path / "broken", tmp_path / "works"
    broken.write_text("#!/bin/sh\necho 'no such format' >&2\nexit 1\n")
    works.write_text("#!/bin/sh\necho drawn\n")
    for program in (broken, works):
        program.chmod(0o755)
    monkeypatch.setattr(run, "programs", lambda engine: [str(broken), str(works)])
    assert run.render("digraph {}", "svg") == b"drawn\n"
    monkeypatch.setattr(run, "programs", lambda engine: [str(broken)])
    with pytest.raises(RuntimeError, match="no such format"):
        run.render("digraph {}", "svg")


def test_time_limit(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 10\n")
    slow.chmod(0o755)
    with pytest.raises(RuntimeError, match="longer than"):
        run.render("digraph {}", "svg", engine=str(slow), seconds=0.1)


def test_import_does_not_load_pictures() -> None:
    code = "import sys, rushlight; assert 'graphviz' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
