"""The command line: ``python -m rushlight``."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import rushlight
from rushlight import viz

main = importlib.import_module("rushlight.__main__").main

SCRIPT = """
import sys
import rushlight as torch
from rushlight import nn
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
x = torch.ones(3, 4)
losses = {"loss": model(x).sum()}
arguments = sys.argv[1:]
if __name__ == "__main__":
    loss = losses["loss"]
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def test_a_graph_as_text(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", f"{script}:loss"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("loss: 4 steps")
    assert "2.weight" in said
    assert "train.py:7" in said
    assert "‖∂‖" in said


@pytest.mark.parametrize("ending", ["svg", "png", "json", "mmd", "html"])
def test_a_graph_in_a_file(script: Path, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = script.with_suffix(f".{ending}")
    assert main(["graph", f"{script}:losses", "-o", str(out), "--overlay", "bytes"] if ending == "svg" else
                ["graph", f"{script}:losses", "-o", str(out), "--fold", "--no-backward"]) == 0  # fmt: skip
    assert capsys.readouterr().out == f"Wrote {out}\n"
    assert out.stat().st_size > 300
    if ending == "json":
        graph = viz.Graph.from_json(out.read_text())
        assert {group.title for group in graph.groups} >= {"Sequential", "ReLU()"}
        assert not graph.backward


def test_a_script_that_raises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.py"
    path.write_text(SCRIPT.replace("nn.Linear(8, 2)", "nn.Linear(9, 2)"))
    assert main(["graph", f"{path}:loss"]) == 1
    said = capsys.readouterr()
    assert "✗ RuntimeError" in said.out
    assert "bad.py:7" in said.out
    assert said.err.startswith(f"rushlight: {path} raised RuntimeError")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{}:nothing", "no variable 'nothing' at its top level; it has: arguments, loss"),
        ("{}:model.nothing", "no attribute 'nothing'"),
        ("{}:arguments", "cannot be drawn"),
        ("{}", "expected SCRIPT.py:NAME"),
        ("missing.py:loss", "no file 'missing.py'"),
    ],
)
def test_what_is_wrong_is_said(script: Path, target: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.argv, list(sys.path)
    assert main(["graph", target.format(script), "--", "one"]) == 1
    assert message in capsys.readouterr().err
    assert (sys.argv, sys.path) == before


def test_unknown_ending_and_no_summary(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", f"{script}:loss", "-o", str(script.with_suffix(".xyz"))]) == 1
    assert "ending" in capsys.readouterr().err
    assert main(["summary", f"{script}:loss"]) == 1
    assert "no module" in capsys.readouterr().err


def test_summary(script: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(rushlight.nn, "summary", lambda *given: seen.append(given) or "a table", raising=False)
    for arguments in ([], ["--input", "x"], ["--input", "2,4"]):
        assert main(["summary", f"{script}:model", *arguments]) == 0
    assert capsys.readouterr().out == "a table\n" * 3
    assert [len(given) for given in seen] == [1, 2, 2]
    assert tuple(seen[2][1].shape) == (2, 4)
    assert main(["summary", f"{script}:model", "--input", "huh"]) == 1
    assert "neither a variable" in capsys.readouterr().err


def test_as_a_user_calls_it(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rushlight", "graph", "train.py:loss"],
        cwd=script.parent, capture_output=True, text=True, check=True, encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
    )  # fmt: skip
    assert "0.weight" in done.stdout
