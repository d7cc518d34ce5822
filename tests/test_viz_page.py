"""The page in a real browser: it opens without an error, folds, searches, plays the backward pass, turns dark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import rushlight as torch
from rushlight import nn, viz
from rushlight.viz.html import Notebook, page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1400,900"),
    *("--virtual-time-budget=8000", "--enable-logging=stderr", "--dump-dom"),
]
STEPS = """
<script>
addEventListener("load", () => {
  const $ = id => document.getElementById(id), all = q => document.querySelectorAll(q).length, told = {};
  const key = k => document.body.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}));
  const type = text => { $("search").value = text; $("search").dispatchEvent(new Event("input")); };
  const click = q => document.querySelector(q)?.dispatchEvent(new MouseEvent("click", {bubbles: true}));
  try { /*{steps}*/ } catch (e) { told.error = e.stack; }
  const pre = document.createElement("pre");
  pre.id = "told"; pre.textContent = JSON.stringify(told); document.body.append(pre);
});
</script></body>
"""
NETWORK = re.compile(r"""(?:src|href)\s*=|url\((?!#tip)|https?://|import\s*\(|fetch\(|XMLHttpRequest""")

needs_browser = pytest.mark.skipif(BROWSER is None and os.environ.get("BROWSER") != "1", reason="no Chromium here")


def drive(text: str, steps: str, folder: Path) -> dict[str, Any]:
    """Open the page ``text``, run ``steps`` in it, and return what they put into ``told``."""
    assert BROWSER is not None, "BROWSER=1, but no Chromium was found"
    path = folder / "page.html"
    path.write_text(text.replace("</body>", STEPS.replace("/*{steps}*/", steps)), encoding="utf-8")
    command = [BROWSER, *OPTIONS, f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not console, console
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    told: dict[str, Any] = json.loads(unescape(found[1]))
    assert "error" not in told, told["error"]
    return told


def convnet() -> Any:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))
    with viz.record():
        loss = nn.functional.cross_entropy(model(torch.randn(5, 1, 8, 8)), torch.arange(5) % 3)
    return viz.trace(loss, model, backward=True)


@needs_browser
def test_a_convnet_as_a_reader_would(tmp_path: Path) -> None:
    told = drive(
        convnet().page(),
        """
        const theme = () => document.documentElement.dataset.theme;
        told.ready = document.documentElement.dataset.ready;
        told.boxes = all(".box"); told.frames = all(".frame");
        $("fold").click(); told.folded = all(".box"); told.shut = all(".frame");
        click(".box[data-id^=g]"); told.opened = all(".box");
        $("open").click(); told.again = all(".box");
        type("linear"); told.found = $("found").textContent; told.dim = all(".box.off"); type("");
        told.flowing = 0;
        while (+$("at").value < +$("at").max) {
          key("ArrowRight"); told.flowing = Math.max(told.flowing, all(".edge.flow"));
        }
        told.say = $("say").textContent; told.now = all(".box.now");
        const before = theme(); key("d"); told.turned = before !== theme();
        key("t"); told.rows = all("aside tr"); key("Escape");
        told.title = $("tt").textContent; told.described = $("dd").textContent;
        click(".box[data-id=n3]"); told.details = $("details").textContent;
        $("overlay").value = "gradient"; $("overlay").dispatchEvent(new Event("change"));
        told.norms = $("world").textContent.includes("‖∂‖");
        """,
        tmp_path,
    )
    graph = convnet()
    assert told["ready"] == "yes"
    assert told["boxes"] == told["again"] == len(graph.items)
    assert told["frames"] == len(graph.groups)
    assert told["folded"] < told["opened"] <= told["boxes"]
    assert told["shut"] == 0
    assert told["found"] == f"{told['boxes'] - told['dim']} found"
    assert told["say"].startswith(f"{len(graph.backward)}/{len(graph.backward)}")
    assert told["flowing"] >= 2
    assert told["now"] == 1
    assert told["turned"] is True
    assert told["rows"] == len(graph.items) + 1
    assert told["title"].startswith("Computation graph")
    assert "parameters" in told["described"]
    assert "shape" in told["details"]
    assert told["norms"] is True


@needs_browser
def test_names_that_html_could_take_for_markup(tmp_path: Path) -> None:
    w = torch.ones(2, requires_grad=True)
    evil = '</script><script>document.title = "broken"</script><b>&amp;"größe" 漢字\u2028'
    graph = viz.trace({evil: (w * 2).exp()}, {evil: w})
    told = drive(
        graph.page(),
        "told.boxes = all('.box'); told.bold = all('#world b') + all('aside b'); told.name = $('world').textContent;"
        "key('t'); told.table = $('details').textContent; told.title = document.title;",
        tmp_path,
    )
    assert told["boxes"] == len(graph.items)
    assert told["bold"] == 0
    assert "broken" not in told["title"].replace(evil, "")
    assert "</script>" in told["table"]


@needs_browser
@pytest.mark.parametrize("steps", [1, 3000])
def test_one_step_and_thousands(steps: int, tmp_path: Path) -> None:
    y = torch.ones(1, requires_grad=True)
    for _ in range(steps):
        y = y * 1.0
    graph = viz.trace(y)
    told = drive(
        page(graph), "told.boxes = all('.box'); told.ready = document.documentElement.dataset.ready; key('t')", tmp_path
    )
    assert told["ready"] == "yes"
    assert 0 < told["boxes"] <= len(graph.items)
    if steps == 1:
        assert told["boxes"] == len(graph.items)
    else:
        assert told["boxes"] < 1500  # only what is in sight is in the document


@needs_browser
def test_a_graph_of_nothing(tmp_path: Path) -> None:
    told = drive(page(viz.Graph()), "told.boxes = all('.box'); key('ArrowRight'); key(' '); key('c')", tmp_path)
    assert told["boxes"] == 0


def test_the_page_needs_nothing_from_outside() -> None:
    text = page(viz.Graph())
    assert len(text.encode()) < 150_000
    assert not NETWORK.findall(text)


def test_same_graph_same_page_and_a_notebook_shows_it() -> None:
    y = (torch.ones(2, requires_grad=True) * 2).sum()
    assert viz.trace(y).page() == viz.trace(y).page()
    shown = Notebook(viz.trace(y), height=400)._repr_html_()
    assert shown.startswith("<iframe")
    assert "height:400px" in shown
    assert unescape(re.search(r'srcdoc="([^"]*)"', shown)[1]) == page(viz.trace(y))  # type: ignore[index]
