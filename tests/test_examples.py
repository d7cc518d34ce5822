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
    """A run learns and keeps a checkpoint; another one draws with it, and sees the same."""
    script, first, second = EXAMPLES / f"{name}_digits.py", tmp_path / "new" / "out", tmp_path / "again"
    trained = run_example(script, "--quick", "--seed", "4", "--out", first)
    assert trained.returncode == 0, trained.stderr
    rows = re.findall(r"loss (?:of \w+ )?(\S+) at first, (\S+) after (\d+) steps", trained.stdout)
    assert len(rows) == {"vae": 1, "gan": 2}[name], trained.stdout
    assert float(rows[0][1]) < float(rows[0][0])
    assert len(re.findall(r"^step +\d+/\d+  loss", trained.stdout, re.MULTILINE)) in (10, 11)
    assert (first / f"{name}-digits.pt").is_file()

    loaded = run_example(script, "--load", first / f"{name}-digits.pt", "--seed", "4", "--out", second)
    assert loaded.returncode == 0, loaded.stderr
    assert " steps" not in loaded.stdout
    seen = [line for line in loaded.stdout.splitlines() if "test loss" in line or "probability" in line]
    assert len(seen) == 1
    assert seen[0] in trained.stdout
    assert not (second / f"{name}-digits.pt").exists()
    if importlib.util.find_spec("matplotlib") is not None:
        picture = (first / f"{name}-digits.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert (second / f"{name}-digits.png").read_bytes() == picture


def test_generative_examples_refuse_what_is_no_file(tmp_path: Path) -> None:
    done = run_example(EXAMPLES / "vae_digits.py", "--load", tmp_path / "none.pt")
    assert done.returncode == 2
    assert f"there is no file {tmp_path / 'none.pt'}" in done.stderr


def test_batches_depend_on_their_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "generative.py", monkeypatch)
    torch = names["torch"]
    images, orders = torch.arange(20), []
    for outer, inner in ((0, 3), (1, 3), (1, 4)):
        torch.manual_seed(outer)
        orders.append([batch.tolist() for (batch,) in names["batches_of"](images, 8, inner)])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(i for batch in orders[0] for i in batch) == list(range(20))


def blind(names: dict[str, Any], encoded: Any) -> Any:
    """Return a VAE whose decoder takes every pixel for a toss-up, and whose encoder says ``encoded`` of each image."""
    nn = names["torch"].nn

    class Constant(nn.Module):
        def __init__(self, value: Any) -> None:
            super().__init__()
            self.value = nn.Parameter(value)

        def forward(self, x: Any) -> Any:
            return self.value.expand(len(x), -1)

    model = names["VAE"]()
    if encoded is not None:
        model.encoder = Constant(encoded)
    model.decoder = Constant(names["torch"].zeros(64)).requires_grad_(False)
    return model


def test_vae_loss_is_that_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    """The divergence is the integral of q log(q / p), the cross-entropy 64 log 2 if nothing is known of the pixels."""
    names = load_example(EXAMPLES / "vae_digits.py", monkeypatch)
    torch, count = names["torch"], names["CODE"]
    mean, log_variance = np.linspace(-2, 2, count), np.linspace(-3, 1.5, count)
    x = np.linspace(-30, 30, 60_001)[:, None]
    deviation = np.exp(log_variance / 2)
    log_q = -0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)
    log_p = -0.5 * x**2 - 0.5 * np.log(2 * np.pi)
    expected = (np.exp(log_q) * (log_q - log_p)).sum() * (x[1, 0] - x[0, 0])

    encoded = torch.tensor(np.concatenate([mean, log_variance]), dtype=torch.float32)
    pixels, divergence = names["losses_of"](blind(names, encoded), torch.rand(5, 64))
    assert pixels.item() == pytest.approx(64 * np.log(2), rel=1e-5)
    assert divergence.item() == pytest.approx(expected, rel=1e-5)
    assert expected > 5
    ((loss, *parts),) = names["train"](blind(names, encoded), torch.rand(5, 64), 1, 0)
    assert loss == pytest.approx(64 * np.log(2) + expected, rel=1e-5)
    assert parts == pytest.approx([64 * np.log(2), expected], rel=1e-5)


def test_vae_codes_have_the_spread_the_encoder_says(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "vae_digits.py", monkeypatch)
    torch, count = names["torch"], names["CODE"]
    torch.manual_seed(0)
    mean, log_variance = torch.linspace(-2, 2, count), torch.linspace(-3, 1.5, count)
    model = blind(names, torch.cat([mean, log_variance]))
    model.decoder = torch.nn.Identity()  # shows the codes
    codes, *_ = model(torch.zeros(20_000, 64))
    assert torch.allclose(codes.mean(dim=0), mean, atol=0.06)
    assert torch.allclose(codes.std(dim=0), (log_variance / 2).exp(), rtol=0.03)


def test_vae_posterior_goes_to_the_prior_if_pixels_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "vae_digits.py", monkeypatch)
    torch = names["torch"]
    torch.manual_seed(0)
    images, model = torch.rand(128, 64), blind(names, None)
    torch.nn.init.constant_(model.encoder[-1].bias, 1.0)  # a start far from the prior
    losses = list(names["train"](model, images, 60, 0))
    with torch.no_grad():
        _, mean, log_variance = model(images)
    assert losses[0][2] > 7
    assert losses[-1][2] < 0.02 * losses[0][2]
    assert mean.abs().mean().item() < 0.1
    assert log_variance.abs().mean().item() < 0.1


def snapshot(model: Any) -> list[np.ndarray]:
    """Return copies of all parameters."""
    return [p.detach().numpy().copy() for p in model.parameters()]


def moved(model: Any, before: list[np.ndarray]) -> list[bool]:
    """Return of each parameter whether it has changed since."""
    return [bool((p.detach().numpy() != old).any()) for p, old in zip(model.parameters(), before, strict=True)]


@pytest.mark.parametrize("who", ["draws", "tells"])
def test_gan_each_side_learns_while_the_other_stands_still(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "gan_digits.py", monkeypatch)
    torch = names["torch"]
    torch.manual_seed(0)
    draws, tells = names["generator"](), names["discriminator"]()
    models = {"draws": draws, "tells": tells}
    optimizer = torch.optim.Adam(models[who].parameters(), lr=1e-3)
    codes, real = torch.randn(64, names["CODE"]), torch.rand(64, 64).round()
    before, losses = {name: snapshot(model) for name, model in models.items()}, []
    first_score = tells.eval()(draws(codes)).mean().item()
    tells.train()
    for _ in range(60):
        made = draws(codes)
        if who == "draws":
            losses.append(names["learn_to_draw"](tells, optimizer, made))
        else:
            losses.append(names["learn_to_tell"](tells, optimizer, real, made))
            assert all(p.grad is None for p in draws.parameters())
    chance = np.log(2) if who == "draws" else 2 * np.log(2)
    assert losses[0] == pytest.approx(chance, rel=0.2)
    assert losses[-1] < losses[0] - 0.1
    for name, model in models.items():
        assert any(moved(model, before[name])) == (name == who)
    score = tells.eval()(draws(codes)).mean().item()
    if who == "draws":  # more is taken for real
        assert score > first_score + 0.2
    else:  # yes to the real ones, no to the others
        assert tells(real).mean().item() > 0.5
        assert score < -0.5


def test_gan_play_moves_both_sides_once_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_example(EXAMPLES / "gan_digits.py", monkeypatch)
    torch = names["torch"]
    torch.manual_seed(0)
    draws, tells = names["generator"](), names["discriminator"]()
    images = torch.rand(2 * names["BATCH"] + 1, 64)
    before = snapshot(draws), snapshot(tells)
    count = 0
    for told, fooled in names["play"](draws, tells, images, 2, 0):
        assert told == pytest.approx(2 * np.log(2), rel=0.2)
        assert fooled == pytest.approx(np.log(2), rel=0.2)
        assert all(moved(draws, before[0]))
        assert all(moved(tells, before[1]))
        before, count = (snapshot(draws), snapshot(tells)), count + 1
    assert count == 4  # two full batches in each of two epochs
