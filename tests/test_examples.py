"""The examples run on rushlight, and what they train gets better by the factor stated here."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LADDER = EXAMPLES / "ladder"

STEPS = 100
# By how much at least 100 steps must bring the loss down.
FACTORS = {
    "01_numpy_by_hand": 10_000,
    "02_tensors": 10_000,
    "03_autograd": 10_000,
    "04_custom_function": 10_000,
    "05_nn": 100,
    "06_optim": 10,
    "07_own_module": 100,
    "08_control_flow": 10,
}


def load_example(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names an example defines, with rushlight as engine; its main does not run."""
    monkeypatch.setenv("RUSHLIGHT_ENGINE", "rushlight")
    monkeypatch.syspath_prepend(str(path.parent))
    return runpy.run_path(str(path))


def run_example(*arguments: str | Path, engine: str = "rushlight") -> subprocess.CompletedProcess[str]:
    """Run an example as a user would, from the command line."""
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "RUSHLIGHT_ENGINE": engine}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_every_rung_has_a_factor() -> None:
    assert sorted(path.stem for path in LADDER.glob("[0-9]*.py")) == sorted(FACTORS)


@pytest.mark.parametrize("name", FACTORS)
def test_rung_learns(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    main = load_example(LADDER / f"{name}.py", monkeypatch)["main"]
    first = main(1)  # one step: the loss before any update
    last = main(STEPS)
    assert type(last) is float
    assert last < first / FACTORS[name]
    printed = capsys.readouterr().out
    assert printed.count(f"step    0  loss {first:.6g}\n") == 2  # both runs start the same
    assert printed.endswith(f"final loss {last:.6g}\n")


def test_custom_function_equals_clamp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rung 4 swaps rung 3's clamp for its own relu, so nothing may change, not even rounding."""
    built_in = load_example(LADDER / "03_autograd.py", monkeypatch)["main"]
    own = load_example(LADDER / "04_custom_function.py", monkeypatch)["main"]
    assert own(20) == built_in(20)


def test_autograd_equals_the_derivatives_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand = load_example(LADDER / "02_tensors.py", monkeypatch)["main"]
    automatic = load_example(LADDER / "03_autograd.py", monkeypatch)["main"]
    assert automatic(20) == pytest.approx(by_hand(20), rel=1e-5)


def test_rung_from_the_command_line() -> None:
    done = run_example(LADDER / "03_autograd.py", "--steps", "101")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"step    0  loss \S+\nstep  100  loss \S+\nfinal loss \S+\n", done.stdout)


def test_rung_refuses_no_steps() -> None:
    done = run_example(LADDER / "03_autograd.py", "--steps", "0")
    assert done.returncode == 2
    assert "--steps must be at least 1, not 0" in done.stderr


def test_unknown_engine_is_named() -> None:
    done = run_example(EXAMPLES / "engine.py", engine="tensorflow")
    assert done.returncode == 1
    assert "not 'tensorflow'" in done.stderr


def test_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = load_example(EXAMPLES / "digits.py", monkeypatch)["load"]()
    assert digits.train_images.shape == (1437, 8, 8)
    assert digits.test_images.shape == (360, 8, 8)
    for images, labels in (digits[:2], digits[2:]):
        assert images.dtype == np.float32
        assert labels.dtype == np.int64
        assert len(images) == len(labels)
        assert (images.min(), images.max()) == (0.0, 1.0)
        assert set(labels.tolist()) == set(range(10))


def test_training_is_a_plain_iterable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A progress display needs only len() and iteration; before that nothing is trained."""
    names = load_example(EXAMPLES / "train_digits.py", monkeypatch)
    data, model = names["read_data"](), names["make_mlp"]()
    optimizer = names["torch"].optim.SGD(model.parameters(), lr=0.1)
    training = names["Training"](model, optimizer, data.test_images, data.test_labels, 2)
    before = names["evaluate"](model, data.test_images, data.test_labels)
    assert len(training) == 2 * 12  # 360 images in batches of 32
    assert names["evaluate"](model, data.test_images, data.test_labels) == before
    assert len(list(training)) == 2 * 12


def test_convnet_trains_with_the_batch_and_reads_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch norm and dropout act in training only, whatever mode the network was left in."""
    names = load_example(EXAMPLES / "train_digits.py", monkeypatch)
    nn, data, model = names["torch"].nn, names["read_data"](), names["make_convnet"]()
    kinds = [type(layer).__name__ for layer in model]
    assert kinds[:4] == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"]
    assert kinds[-2:] == ["Dropout", "Linear"]
    norm = next(layer for layer in model if isinstance(layer, nn.BatchNorm2d))

    before = names["evaluate"](model.train(), data.test_images, data.test_labels)
    assert names["evaluate"](model.train(), data.test_images, data.test_labels) == before  # nothing is drawn
    assert norm.num_batches_tracked.item() == 0
    optimizer = names["torch"].optim.SGD(model.parameters(), lr=0.1)
    training = names["Training"](model, optimizer, data.test_images, data.test_labels, 2, decay=0.5)
    for step, _ in enumerate(training, 1):
        assert model.training
        assert norm.num_batches_tracked.item() == step
        assert optimizer.param_groups[0]["lr"] == (0.1 if step <= 12 else 0.05)  # epochs of 12 steps
        if step == 12:
            model.eval()  # as if somebody looked in between
    assert optimizer.param_groups[0]["lr"] == 0.025


def test_train_digits(tmp_path: Path) -> None:
    done = run_example(EXAMPLES / "train_digits.py", "--quick", "--out", tmp_path / "new" / "out")
    assert done.returncode == 0, done.stderr
    said = done.stdout
    for name in ("mlp", "convnet"):
        losses = re.search(rf"^{name} +training loss (\S+) before, (\S+) after 45", said, re.MULTILINE)
        accuracy = re.search(rf"^{name} +test accuracy (\S+) %", said, re.MULTILINE)
        assert losses is not None, said
        assert accuracy is not None, said
        assert float(losses[2]) < float(losses[1]) / 3
        assert float(accuracy[1]) > 75
        picture = tmp_path / "new" / "out" / f"graph-{name}.svg"
        if f"No graph picture of the {name}: " in said:  # nothing here can lay it out
            assert not picture.exists()
        else:
            assert f"Wrote {picture}\n" in said
            assert ET.parse(picture).getroot().tag.endswith("svg")
    curve = tmp_path / "new" / "out" / "loss-curve.png"
    if importlib.util.find_spec("matplotlib") is None:
        assert "pip install matplotlib" in said
    else:
        assert f"Wrote {curve}\n" in said
        assert curve.read_bytes().startswith(b"\x89PNG")


def test_time_series(tmp_path: Path) -> None:
    done = run_example(EXAMPLES / "time_series.py", "--quick", "--out", tmp_path / "new" / "out")
    assert done.returncode == 0, done.stderr
    losses = re.search(r"^training loss (\S+) at first, (\S+) after 30 steps$", done.stdout, re.MULTILINE)
    errors = re.search(r"^forecast error (\S+), of the mean (\S+)$", done.stdout, re.MULTILINE)
    assert losses is not None, done.stdout
    assert errors is not None, done.stdout
    assert float(losses[2]) < float(losses[1]) / 2
    assert float(errors[1]) < float(errors[2]) / 2
    picture = tmp_path / "new" / "out" / "forecast.png"
    if importlib.util.find_spec("matplotlib") is None:
        assert "pip install matplotlib" in done.stdout
    else:
        assert f"Wrote {picture}\n" in done.stdout
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_time_series_needs_no_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "time_series.py", monkeypatch)
    training = names["Training"](names["Forecaster"](), names["make_series"](), 2)
    monkeypatch.setitem(names["with_progress"].__globals__, "tqdm", None)
    assert names["with_progress"](training) is training
    assert len(training) == len(list(training)) == 2


def test_time_series_refuses_no_steps() -> None:
    done = run_example(EXAMPLES / "time_series.py", "--steps", "0")
    assert done.returncode == 2
    assert "--steps must be at least 1, not 0" in done.stderr


def test_char_gpt(tmp_path: Path) -> None:
    done = run_example(EXAMPLES / "char_gpt.py", "--small", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    losses = [float(text) for text in re.findall(r"loss (\d\S*?),?(?: |$)", done.stdout, re.MULTILINE)]
    assert losses[0] == pytest.approx(np.log(51), rel=0.02)  # at first every character is as likely as any
    assert losses[-1] < losses[0] - 0.8
    assert re.search(r"^\d+ words, \d+ % of them from the text's vocabulary$", done.stdout, re.MULTILINE)
    if importlib.util.find_spec("matplotlib") is not None:
        assert (tmp_path / "out" / "char-gpt-loss.png").read_bytes().startswith(b"\x89PNG")


def test_char_gpt_text(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "char_gpt.py", monkeypatch)
    text = names["TEXT"].read_text(encoding="ascii")
    assert len(text) > 10_000
    assert text.startswith("In the beginning God created the heaven and the earth.\n")
    assert names["words_of"]("And God's, light.") == ["and", "god's", "light"]


def test_char_gpt_looks_at_no_later_character(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "char_gpt.py", monkeypatch)
    torch = names["torch"]
    torch.manual_seed(0)
    model = names["GPT"](names["SMALL"], 7).eval()
    text = torch.tensor([[1, 2, 3, 4, 5]])
    changed = torch.tensor([[1, 2, 3, 6, 0]])
    before, after = model(text)[0], model(changed)[0]
    assert torch.allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert not torch.allclose(before[:, 3:], after[:, 3:], atol=1e-3)


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_generative_examples(name: str, tmp_path: Path) -> None:
    done = run_example(EXAMPLES / f"{name}_digits.py", "--quick", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"loss (?:of \w+ )?(\S+) at first, (\S+) after (\d+) steps", done.stdout)
    assert len(rows) == {"vae": 1, "gan": 2}[name], done.stdout
    assert float(rows[0][1]) < float(rows[0][0])
    if importlib.util.find_spec("matplotlib") is not None:
        assert (tmp_path / "out" / f"{name}-digits.png").read_bytes().startswith(b"\x89PNG")
