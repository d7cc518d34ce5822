"""Pictures: the graph behind them, their text, and the programs that draw them."""

import subprocess
import sys

import pytest

import rushlight as torch
from rushlight import viz
from rushlight.viz import dot, run
from rushlight.viz.model import Arrow, Graph, Item


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def test_graph_of_a_small_program() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    graph = viz.trace((x * w).exp(), {"x": x, "w": w})
    assert graph == Graph(
        (
            Item("n0", "output", "output", (2,)),
            Item("n1", "step", "ExpBackward0", (2,)),
            Item("n2", "step", "MulBackward0", (2,)),
            Item("n3", "leaf", "x", (2,)),
            Item("n4", "leaf", "w", (2,)),
        ),
        (Arrow("n1", "n0"), Arrow("n2", "n1"), Arrow("n3", "n2"), Arrow("n4", "n2")),
    )


def test_same_program_same_bytes() -> None:
    def source() -> str:
        x, w = leaf(1.0), leaf(2.0)
        y = (x * w + x).exp()
        return viz.make_dot({"y": y, "z": y * x}, params={"w": w}, show_attrs=True, show_saved=True).source

    assert source() == source()


def test_a_shared_leaf_is_drawn_at_each_use() -> None:
    x = leaf(1.0)
    graph = viz.trace(x * x + x, [("x", x)])
    leaves = [item for item in graph.items if item.kind == "leaf"]
    assert [item.name for item in leaves] == ["x"] * 3
    assert {item.rows for item in leaves} == {("shared × 3",)}


def test_a_step_read_twice_is_drawn_once() -> None:
    y = leaf(1.0).exp()
    graph = viz.trace(y * y)
    assert [item.name for item in graph.items if item.kind == "step"] == ["MulBackward0", "ExpBackward0"]
    assert len(graph.arrows) == 4


def test_deep_graphs() -> None:
    y = leaf(1.0)
    for _ in range(20_000):
        y = y.exp()
    assert len(viz.trace(y).items) == 20_002


def test_many_outputs_and_none() -> None:
    x = leaf(1.0)
    graph = viz.trace({"a": [x.exp(), None], "b": (x.tanh(),), "c": torch.tensor([1.0])})
    assert [item.name for item in graph.items if item.kind == "output"] == ["output a.0", "output b.0", "output c"]
    for wrong in (3, [3], "text"):
        with pytest.raises(TypeError):
            viz.trace(wrong)
    with pytest.raises(TypeError, match="'x' is int"):
        viz.trace(x, {"x": 3})


def test_saved_values_and_what_is_left_after_backward() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    assert "saved result: (2)" in viz.trace(y, show_saved=True).items[1].rows
    y.backward(torch.tensor([1.0, 1.0]))
    assert viz.trace(y, show_saved=True).items[1].rows == ("saved values freed",)


def test_long_attributes_are_cut() -> None:
    y = torch.tensor([[1.0] * 3] * 4, requires_grad=True)[1:2, 0:3:2]
    rows = viz.trace(y, show_attrs=True, max_attr_chars=12).items[1].rows
    assert rows
    assert all(len(row) <= 12 for row in rows)


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
