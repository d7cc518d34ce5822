"""Every form of a graph, for the graphs that matter: text, DOT, pictures, Mermaid, Model Explorer, Chrome's trace."""

import io
import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import rushlight as torch
from rushlight import viz
from rushlight.viz import run
from rushlight.viz.model import Arrow, Item, Mark, amount, short
from support.viz_graphs import PICTURES, chain, convnet, gpt

NASTY = [
    'a"b',
    "a\\nb",
    "<b>x</b>",
    "&amp;",
    "a\nb",
    "größe ж 漢",
    "->",
    "{a|b}",
    "\\",
    "",
    "]]>",
    "a\x07b",
    "\ud800",
    "#`%%",
]


@pytest.fixture(scope="module")
def graphs() -> dict[str, viz.Graph]:
    return {name: make() for name, make in PICTURES.items()}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("ending", ["svg", "png", "dot", "json", "mmd", "txt", "explorer.json", "html"])
def test_every_form_of_every_graph(graphs: dict[str, viz.Graph], name: str, ending: str, tmp_path: Path) -> None:
    path = Path(graphs[name].save(tmp_path / f"graph.{ending}"))
    content = path.read_bytes()
    if ending == "png":
        assert content.startswith(b"\x89PNG")
        return
    text = content.decode()
    if ending == "svg":
        root = ET.fromstring(text)
        assert root.get("role") == "img"
        assert root[1].tag.endswith("desc")
        assert "steps" in root[1].text
    elif ending.endswith("json"):
        assert json.loads(text)
    assert "0x" not in text  # no address


@pytest.mark.parametrize("name", NASTY)
def test_names_show_as_they_are(name: str, tmp_path: Path) -> None:
    items = (
        Item("n0", "parameter", name, (2,)),
        Item("n1", "step", name, (2,), marks=(Mark("stale", "bad", name),), attributes=((name, name),)),
        Item("n2", "output", name, group="g0"),
    )
    graph = viz.Graph(
        items, (Arrow("n0", "n1"), Arrow("n1", "n2", label=name)), (viz.Group("g0", name, name),), title=name
    )
    shown = graph.render("svg", attributes=True).decode()
    words = "".join(ET.fromstring(shown).itertext())
    for word in name.replace("\x07", "�").replace("\ud800", "�").split():
        assert word in words
    assert graph.render("plain")
    mermaid = viz.mermaid(graph)
    assert all(line.count('"') in {0, 2} for line in mermaid.splitlines())
    assert viz.text(graph, ascii=False)
    if name != "\ud800":  # which is no text that a file could hold
        assert viz.Graph.from_json(graph.to_json()) == graph
    assert viz.explorer(graph)


def test_empty_and_huge() -> None:
    for form in (viz.mermaid, viz.text, viz.explorer, viz.fold, str, repr):
        assert form(viz.Graph())
    assert b"</svg>" in viz.Graph().render()
    huge = viz.Graph((Item("n0", "leaf", "x" * 20_000, marks=(Mark("stale", "bad", "word " * 2_000),)),))
    assert b"</svg>" in huge.render()
    assert max(map(len, viz.text(huge).splitlines())) < 60_000


def test_text_of_a_convnet() -> None:
    lines = viz.text(viz.fit(convnet(), 100), color=False, ascii=False).splitlines()
    assert lines[0].startswith("loss: 6 steps · 690 parameters in 4 tensors · ")
    shape = [re.split(r" {2,}", line)[:2] for line in lines[1:]]
    assert shape == [
        ["◎ loss", "()"],
        ["● cross_entropy", "()"],
        ["● linear", "(5, 10)"],
        ["├─▣ 4.weight", "(10, 64)"],
        ["├─▣ 4.bias", "(10)"],
        ["● view", "(5, 64)"],
        ["● max_pool2d", "(5, 4, 4, 4)"],
        ["● relu", "(5, 4, 8, 8)"],
        ["● convolution", "(5, 4, 8, 8)"],
        ["├─▣ 0.weight", "(4, 1, 3, 3)"],
        ["├─▣ 0.bias", "(4)"],
        ["└─◇ x", "(5, 1, 8, 8)"],
    ]


def test_text_has_each_step_once() -> None:
    graph = gpt(2)
    lines = viz.text(graph, color=False, ascii=False, limit=10_000).splitlines()
    assert sum("●" in line for line in lines) == graph.totals["steps"]


def test_colour_and_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = viz.trace(torch.ones(2, requires_grad=True).exp())
    for variable in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(variable, raising=False)
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", terminal)
    assert "\x1b[" in str(graph)
    assert "●" in str(graph)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in str(graph)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b[" not in str(graph)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert str(graph).isascii()
    assert viz.text(gpt(2), color=True, ascii=True).isascii()


def test_mermaid_stays_inside_its_limits() -> None:
    for graph in (gpt(6), chain(3000)):
        text = viz.mermaid(graph)
        assert len(re.findall(r"--?>|-\.->|==>", text)) <= 500
        assert len(text) <= 50_000
    wide = viz.trace([torch.ones(n + 1, requires_grad=True).exp() for n in range(700)])
    text = viz.mermaid(wide)
    assert len(re.findall(r"-->", text)) <= 500
    assert "left out" in text
    assert len(viz.mermaid(gpt(6), characters=3_000)) <= 3_000


def test_model_explorer() -> None:
    (graph,) = viz.explorer(gpt(1))["graphs"]
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert any(node["namespace"].startswith("GPT/blocks.0/blocks.0.attn") for node in nodes.values())
    assert all(edge["sourceNodeId"] in nodes for node in nodes.values() for edge in node["incomingEdges"])
    assert all(isinstance(pair["value"], str) for node in nodes.values() for pair in node["attrs"])


def test_chrome_trace(tmp_path: Path) -> None:
    graph = convnet()
    graph.save(tmp_path / "steps.trace.json")
    events = [e for e in json.loads((tmp_path / "steps.trace.json").read_text())["traceEvents"] if e["ph"] == "X"]
    forward = [event for event in events if event["cat"] == "forward"]
    assert [event["name"] for event in forward] == [item.name for item in graph.items if item.kind == "step"]
    assert len([event for event in events if event["cat"] == "backward"]) == len(graph.backward)
    root = next(event for event in events if event["args"].get("title") == "Sequential")
    inside = forward[0]
    assert root["ts"] <= inside["ts"]
    assert inside["ts"] + inside["dur"] <= root["ts"] + root["dur"]
    with pytest.raises(ValueError, match="record"):
        viz.chrome_trace(viz.trace(torch.ones(1, requires_grad=True).exp()))


def test_pictures_show_frames_folds_and_overlays() -> None:
    source = viz.dot.source(viz.fold(gpt(3)))
    assert source.count("subgraph cluster_") >= 6
    assert "× 3" in source
    assert "each into the next" in source
    assert source.count("{") == source.count("}")
    plain = viz.drawing(gpt(1), clusters=False).source
    assert "subgraph" not in plain
    assert viz.drawing(gpt(1), overlay="gradient").source != viz.drawing(gpt(1)).source
    assert "colour: bytes held for backward, to" in viz.drawing(gpt(1), overlay="bytes").source
    assert "which the graph does not know" in viz.drawing(chain(3), overlay="time").source
    with pytest.raises(ValueError, match="overlay"):
        viz.drawing(gpt(1), overlay="taste")


def test_notebooks_need_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = viz.trace(torch.ones(2, requires_grad=True).exp())
    bundle = graph._repr_mimebundle_()
    assert bundle["image/svg+xml"].rstrip().endswith("</svg>")
    assert bundle["text/plain"].startswith("graph: 1 step")
    monkeypatch.setattr(run, "programs", lambda engine: (_ for _ in ()).throw(RuntimeError(run.MISSING)))
    bundle = graph._repr_mimebundle_()
    assert "image/svg+xml" not in bundle
    assert "pip install" in bundle["text/plain"]
    assert bundle["text/html"].startswith("<iframe")
    assert "IPython" not in sys.modules


def test_unknown_endings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"graph\.xyz.*\.svg"):
        viz.Graph().save(tmp_path / "graph.xyz")


def test_numbers_as_text() -> None:
    assert [amount(n) for n in (0, 1023, 1536, 5 * 2**20)] == ["0 B", "1023 B", "1.5 KiB", "5.0 MiB"]
    assert [short(n) for n in (None, float("nan"), float("-inf"), 0.1234, 1e-9)] == [
        "–",
        "NaN",
        "-inf",
        "0.123",
        "1e-09",
    ]


def test_curves(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    model = torch.nn.Linear(2, 1)
    curves = viz.Curves()
    for step in range(30):
        loss = model(torch.ones(1, 2)).sum() ** 2
        model.zero_grad()
        if step != 3:
            loss.backward()
        curves.step(loss, model, rate=0.1 if step != 5 else float("nan"))
    assert len(curves.history["rate"]) == 30
    assert curves.history["gradient of weight"][3] != curves.history["gradient of weight"][3]
    path = curves.save(tmp_path / "curves.png", title="training")
    assert Path(path).read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no numbers"):
        viz.draw_curves({}, tmp_path / "none.png")


def test_curves_without_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(RuntimeError, match="pip install"):
        viz.draw_curves({"loss": [1.0]}, tmp_path / "none.png")
