"""The page in a real browser: it opens without an error, folds, searches, plays the backward pass, turns dark.

Each test drives the page as a reader would and compares what it shows with the graph that it was made from.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import rushlight as torch
from rushlight import nn, viz
from rushlight.viz.html import Notebook, page

PAGE = Path(viz.__file__).parent / "page"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1400,900"),
    *("--virtual-time-budget=8000", "--enable-logging=stderr", "--dump-dom"),
]
STEPS = """
<script>
addEventListener("load", async () => {
  const $ = id => document.getElementById(id), all = q => document.querySelectorAll(q).length, told = {};
  const key = (k, target = document.body, more = {}) =>
    target.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true, ...more}));
  const point = (kind, x, y) =>
    $("graph").dispatchEvent(new PointerEvent(kind, {clientX: x, clientY: y, buttons: 1, bubbles: true}));
  const wait = time => new Promise(done => setTimeout(done, time));
  const chosen = () => document.querySelector(".box.chosen")?.dataset.id ?? "";
  const shown = () => [...document.querySelectorAll(".box")].map(box => box.dataset.id).sort();
  const place = id => document.querySelector(`[data-id="${id}"] .body`).getBoundingClientRect();
  const terms = () => Object.fromEntries(
    [...document.querySelectorAll("aside dt")].map(dt => [dt.textContent, dt.nextElementSibling.textContent]));
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


def drive(text: str, steps: str, folder: Path, *options: str, address: str = "") -> dict[str, Any]:
    """Open the page ``text`` at ``address``, run ``steps`` in it, and return what they put into ``told``."""
    assert BROWSER is not None, "BROWSER=1, but no Chromium was found"
    path = folder / "page.html"
    path.write_text(text.replace("</body>", STEPS.replace("/*{steps}*/", steps)), encoding="utf-8")
    command = [BROWSER, *OPTIONS, *options, f"--user-data-dir={folder / 'profile'}", path.as_uri() + address]
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
def test_keys_lead_along_the_arrows(tmp_path: Path) -> None:
    graph = convnet()
    told = drive(
        graph.page(),
        """
        click(".box[data-id=n4]");
        told.start = chosen();
        key("ArrowUp"); told.up = chosen(); told.focus = document.activeElement.dataset.id;
        key("ArrowDown"); told.down = chosen();
        key("Escape"); told.none = chosen(); told.overview = $("details").querySelector("h2").textContent;
        document.querySelector(".box[data-id=n3]").focus(); key("Enter"); told.entered = chosen();
        key("ArrowRight", $("search")); key("ArrowRight", document.body, {ctrlKey: true}); told.typed = $("at").value;
        key("/"); told.searching = document.activeElement.id; document.activeElement.blur();
        """,
        tmp_path,
    )
    source = next(arrow.source for arrow in graph.arrows if arrow.target == "n4")
    target = next(arrow.target for arrow in graph.arrows if arrow.source == source)
    assert (told["start"], told["up"], told["focus"], told["down"]) == ("n4", source, source, target)
    assert told["none"] == ""
    assert told["overview"] == (graph.title or "Computation graph")
    assert told["entered"] == "n3"
    assert told["typed"] == "0"  # keys belong to the field, and with Ctrl to the browser
    assert told["searching"] == "search"


@needs_browser
def test_frames_fold_by_title_key_and_panel(tmp_path: Path) -> None:
    graph = convnet()
    told = drive(
        graph.page(),
        """
        const rect = document.querySelector("[data-frame=g1] rect").getBoundingClientRect();
        told.open = shown();
        click("[data-frame=g1] .title"); told.shut = shown();
        const box = place("g1");
        told.moved = Math.hypot(rect.x + rect.width / 2 - box.x - box.width / 2, rect.y - box.y);
        document.querySelector("[data-id=g1]").focus(); key("Enter"); told.entered = shown();
        key("c"); told.none = shown(); key("e"); told.every = shown(); key("c");
        type("conv"); key("Enter", $("search")); told.found = chosen();
        click("aside [data-jump=g1]"); const fold = () => document.querySelector("aside [data-fold]").textContent;
        told.panel = [fold()]; click("aside [data-fold]"); told.panel.push(fold());
        key("Escape"); key("t"); click("aside [data-jump=n1]");
        told.jumped = chosen(); told.frames = [...document.querySelectorAll(".frame")].map(g => g.dataset.frame);
        """,
        tmp_path,
    )
    everything = {item.id for item in graph.items}
    inside = {item.id for item in graph.items if item.group == "g1"}
    assert told["open"] == told["entered"] == told["every"] == sorted(everything)
    assert told["shut"] == sorted(everything - inside | {"g1"})
    assert told["moved"] < 3  # it stays where the eye is
    assert told["none"] == sorted({item.id for item in graph.items if not item.group} | {"g0"})
    assert told["found"] == "g0"  # the shut frame stands for what is in it
    assert told["panel"] == ["Open this frame", "Fold this frame"]
    assert told["jumped"] == "n1"
    assert told["frames"] == ["g0", "g1"]  # the way to it was opened, and no more


@needs_browser
def test_search_by_words_and_line(tmp_path: Path) -> None:
    graph = convnet()
    told = drive(
        graph.page(),
        """
        const lit = () => [...document.querySelectorAll(".box:not(.off)")].map(box => box.dataset.id);
        type("conv  Step"); told.words = lit();
        type("test_viz_page.py:"); told.lines = lit(); told.found = $("found").textContent;
        told.turn = [];
        for (const shiftKey of [false, false, true, true]) {
          key("Enter", $("search"), {shiftKey}); told.turn.push(chosen());
        }
        type("no such thing"); key("Enter", $("search")); told.none = [$("found").textContent, lit().length, chosen()];
        $("search").focus(); key("Escape", $("search"));
        told.after = [$("search").value, $("found").textContent, all(".box.off"), document.activeElement.id];
        """,
        tmp_path,
    )
    lines = [item.id for item in graph.items if item.source]
    assert told["words"] == ["n3"]  # the module's name and the item's kind
    assert sorted(told["lines"]) == sorted(lines)
    assert told["found"] == f"{len(lines)} found"
    assert told["turn"] == [lines[0], lines[1], lines[0], lines[-1]]
    assert told["none"] == ["0 found", 0, lines[-1]]
    assert told["after"] == ["", "", 0, ""]


def stale() -> Any:
    """A graph with NaN in it, and a saved value that was written since."""
    with viz.record():
        w = torch.tensor([[1.0, -2.0, 0.0]], requires_grad=True)
        y = (w * 2.0).exp()
        y.mul_(float("nan"))
        loss = y.sum()
    return viz.trace(loss, {"w": w}, backward=True)


@needs_browser
@pytest.mark.parametrize("make", [convnet, stale])
def test_the_panel_says_what_the_graph_holds(make: Callable[[], Any], tmp_path: Path) -> None:
    graph = make()
    told = drive(
        graph.page(),
        """
        told.panels = shown().map(id => {
          click(`.box[data-id=${id}]`);
          const values = [...document.querySelectorAll("aside h3")].map(title => title.textContent);
          return {id, values, terms: terms(), bars: all("aside .bars rect"), text: $("details").textContent};
        });
        """,
        tmp_path,
    )
    assert len(told["panels"]) == len(graph.items)
    for panel in told["panels"]:
        (item,) = (each for each in graph.items if each.id == panel["id"])
        text, terms = panel["text"], panel["terms"]
        assert terms["dtype"] == item.dtype
        assert terms["shape"] == ("×".join(map(str, item.shape)) or "()")
        assert panel["bars"] == sum(len(each.bins) for each in (item.value, item.gradient) if each)
        assert ("Value" in panel["values"], "Made at" in panel["values"]) == (bool(item.value), bool(item.source))
        assert all(mark.text in text for mark in item.marks)
        assert {saved.name: terms[saved.name] for saved in item.saved}.keys() == {saved.name for saved in item.saved}
        inputs = [arrow for arrow in graph.arrows if arrow.target == item.id]
        assert ("Inputs" in panel["values"]) == bool(inputs)
        if item.source:
            assert f"test_viz_page.py:{item.source.line}" in text
        if item.value and item.value.nans:
            assert terms["NaN"] == f"⚠ {item.value.nans} of {item.value.count}"
    if make is stale:
        assert next(panel["terms"]["values"] for panel in told["panels"] if panel["id"] == "n0") == "1, -2, 0"
        exp = next(panel for panel in told["panels"] if panel["terms"].get("result"))
        assert exp["terms"]["result"].endswith("⚠ version 0 when saved, 1 now, written by mul_")
        assert "Adds 12 B." in exp["text"]


@needs_browser
@pytest.mark.parametrize("system", ["light", "dark"])
def test_dark_where_the_system_is(system: str, tmp_path: Path) -> None:
    told = drive(
        convnet().page(),
        """
        const look = () => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor,
          getComputedStyle(document.querySelector("[data-id=n0] .body")).fill];
        told.first = look(); $("theme").click(); told.second = look(); key("d"); told.third = look();
        await wait(400); told.address = location.hash;
        """,
        tmp_path,
        f"--blink-settings=preferredColorScheme={int(system == 'light')}",
    )
    light = ["light", "rgb(251, 251, 250)", "rgb(255, 240, 204)"]
    dark = ["dark", "rgb(22, 24, 29)", "rgb(61, 50, 20)"]
    assert [told["first"], told["second"]] == ([light, dark] if system == "light" else [dark, light])
    assert told["third"] == told["first"]
    assert told["address"] == f"#theme={system}"


@needs_browser
def test_the_address_shows_the_same_again(tmp_path: Path) -> None:
    state = "told.state = [chosen(), $('at').value, $('overlay').value, document.documentElement.dataset.theme];"
    first = drive(
        convnet().page(),
        """
        key("d"); $("overlay").value = "gradient"; $("overlay").dispatchEvent(new Event("change"));
        key("ArrowRight"); key("ArrowRight"); key("ArrowRight"); key("ArrowLeft");
        await wait(400); told.address = location.hash;
        """
        + state,
        tmp_path,
    )
    again = drive(convnet().page(), state, tmp_path, address=first["address"])
    assert again["state"] == first["state"]
    assert first["state"][1:3] == ["2", "gradient"]
    assert first["state"][0] == convnet().backward[1].item


@needs_browser
def test_playing_goes_through_all_steps_and_stops(tmp_path: Path) -> None:
    told = drive(
        convnet().page(),
        """
        key(" "); told.playing = $("play").textContent;
        await wait(2000); key(" "); told.paused = $("play").textContent; told.at = $("at").value;
        await wait(2000); told.still = $("at").value;
        $("play").click(); await wait(1000 * $("at").max);
        told.last = $("at").value; told.ended = $("play").textContent;
        $("back").click(); told.back = $("at").value;
        $("forth").click(); $("forth").click(); told.forth = $("at").value;
        $("at").value = 1; $("at").dispatchEvent(new Event("input")); told.slid = $("say").textContent;
        """,
        tmp_path,
        "--virtual-time-budget=60000",
    )
    steps = convnet().backward
    assert (told["playing"], told["paused"], told["ended"]) == ("❚❚ pause", "▶ backward", "▶ backward")
    assert told["at"] == told["still"] == "2"  # 900 milliseconds a step
    assert told["last"] == told["forth"] == str(len(steps))
    assert told["back"] == str(len(steps) - 1)
    assert told["slid"].startswith(f"1/{len(steps)}  ")


@needs_browser
def test_the_pointer_moves_chooses_and_zooms(tmp_path: Path) -> None:
    told = drive(
        convnet().page(),
        """
        const middle = () => { const box = place("n3"); return [box.x + box.width / 2, box.y + box.height / 2]; };
        const start = middle();
        point("pointerdown", 300, 300); point("pointermove", 302, 302); told.near = middle()[0] - start[0];
        point("pointermove", 340, 270); told.far = [middle()[0] - start[0], middle()[1] - start[1]];
        point("pointerup", 340, 270); click(".box[data-id=n4]"); told.dragged = chosen();
        await wait(20); click(".box[data-id=n4]"); told.clicked = chosen();
        const [clientX, clientY] = middle(), wide = place("n3").width;
        $("graph").dispatchEvent(new WheelEvent("wheel", {deltaY: -200, clientX, clientY, cancelable: true}));
        told.zoom = place("n3").width / wide; told.point = [middle()[0] - clientX, middle()[1] - clientY];
        dispatchEvent(new Event("resize")); told.resized = [middle()[0] - clientX, middle()[1] - clientY];
        key("f"); told.fitted = [middle()[0] - start[0], middle()[1] - start[1]];
        """,
        tmp_path,
    )
    assert told["near"] == 0  # a hand that trembles
    assert told["far"] == pytest.approx([40, -30], abs=0.1)
    assert (told["dragged"], told["clicked"]) == ("", "n4")
    assert told["zoom"] == pytest.approx(math.exp(0.4), rel=0.01)
    assert told["point"] == pytest.approx([0, 0], abs=1)  # whole pixels: what is under the pointer stays
    assert told["resized"] == told["point"]  # what the reader moved stays
    assert told["fitted"] == pytest.approx([0, 0], abs=0.1)


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


def test_the_modules_join_to_one_program() -> None:
    text = page(viz.Graph())
    names: list[str] = []
    for path in PAGE.glob("*.js"):
        module = path.read_text(encoding="utf-8")
        imports = re.findall(r"^import\b[^;]*;", module, re.MULTILINE)
        assert all(re.fullmatch(r'import \{[\w\s,]*\} from "\./\w+\.js";', one) for one in imports), path
        assert not any(" as " in one for one in imports), path
        names += re.findall(r"^(?:export )?(?:const|let|class|function) (\w+)", module, re.MULTILINE)
        assert module.splitlines()[0] in text, path  # main.js reaches it
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
    assert not re.search(r"^(?:import|export)\b", text, re.MULTILINE)
    assert all(path.read_text(encoding="utf-8").splitlines()[0] in text for path in PAGE.glob("*.css"))


def test_the_page_is_written_to_be_read() -> None:
    long = [
        f"{path.name}:{number}"
        for path in PAGE.iterdir()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


def test_same_graph_same_page_and_a_notebook_shows_it() -> None:
    y = (torch.ones(2, requires_grad=True) * 2).sum()
    assert viz.trace(y).page() == viz.trace(y).page()
    shown = Notebook(viz.trace(y), height=400)._repr_html_()
    assert shown.startswith("<iframe")
    assert "height:400px" in shown
    assert unescape(re.search(r'srcdoc="([^"]*)"', shown)[1]) == page(viz.trace(y))  # type: ignore[index]
