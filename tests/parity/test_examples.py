"""The same example file, run by rushlight and by PyTorch, prints the same losses.

Both start from the same random numbers, but sums are rounded in another order, and training makes
such differences grow. The runs are therefore short: after 30 steps (45 for the digits) two builds
of one engine still agree in five digits; four are asked for here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from support.oracle import not_mkl, takes_mkl

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LADDER = EXAMPLES / "ladder"
# The first rung is NumPy alone: it has no engine to compare.
RUNGS = sorted(path for path in LADDER.glob("[0-9]*.py") if not path.stem.startswith("01_"))
STEPS = 30
FOUR_DIGITS = 1e-4

# Runs the given rungs one after another, so that PyTorch is imported only once.
DRIVER = f"""
import runpy, sys
sys.path.insert(0, {str(LADDER)!r})
for path in sys.argv[1:]:
    runpy.run_path(path)["main"]({STEPS})
"""


def output(engine: str, *arguments: str | Path) -> str:
    """Return what a Python process prints with ``engine`` chosen for the examples."""
    environment = {**os.environ, "RUSHLIGHT_ENGINE": engine}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rung_losses(engine: str, *rungs: Path) -> list[tuple[float, float]]:
    """Return the first and the final loss each rung prints."""
    printed = output(engine, "-c", DRIVER, *rungs)
    pairs = re.findall(r"step    0  loss (\S+)\nfinal loss (\S+)\n", printed)
    assert len(pairs) == len(rungs), printed
    return [(float(first), float(final)) for first, final in pairs]


@pytest.fixture(scope="module")
def torch_losses() -> dict[Path, tuple[float, float]]:
    """First and final loss of every rung under PyTorch."""
    return dict(zip(RUNGS, rung_losses("torch", *RUNGS), strict=True))


@pytest.mark.parametrize("rung", RUNGS, ids=lambda path: path.stem)
def test_rung(rung: Path, torch_losses: dict[Path, tuple[float, float]]) -> None:
    ((first, final),) = rung_losses("rushlight", rung)
    expected_first, expected_final = torch_losses[rung]
    assert first == pytest.approx(expected_first, rel=FOUR_DIGITS)
    assert final == pytest.approx(expected_final, rel=FOUR_DIGITS)
    assert final < first


def test_train_digits(tmp_path: Path) -> None:
    rows = {}
    for engine in ("rushlight", "torch"):
        script = EXAMPLES / "train_digits.py"
        printed = output(engine, script, "--quick", "--seed", "7", "--out", tmp_path / engine)
        assert printed.startswith(f"{engine}: ")  # it did run on what was asked for
        losses = re.findall(r"training loss (\S+) before, (\S+) after", printed)
        accuracies = re.findall(r"test accuracy (\S+) %", printed)
        assert len(losses) == len(accuracies) == 2, printed
        rows[engine] = [float(text) for pair in losses for text in pair], accuracies
    # The perceptron comes first, and draws no masks; the convnet has dropout.
    last = 1 if takes_mkl() else 2
    losses, accuracies = rows["rushlight"][0][: 2 * last], rows["rushlight"][1][:last]
    expected_losses, expected_accuracies = rows["torch"][0][: 2 * last], rows["torch"][1][:last]
    assert losses == pytest.approx(expected_losses, rel=FOUR_DIGITS)
    # A score that is nearly a tie may fall either way: one image of 360 is 0.28 %.
    assert [float(text) for text in accuracies] == pytest.approx([float(text) for text in expected_accuracies], abs=0.3)


def test_time_series(tmp_path: Path) -> None:
    rows = {}
    for engine in ("rushlight", "torch"):
        printed = output(engine, EXAMPLES / "time_series.py", "--quick", "--seed", "7", "--out", tmp_path / engine)
        assert printed.startswith(f"{engine}: ")
        losses = re.search(r"training loss (\S+) at first, (\S+) after 30", printed)
        errors = re.search(r"forecast error (\S+), of the mean (\S+)\n", printed)
        assert losses is not None, printed
        assert errors is not None, printed
        rows[engine] = [float(text) for text in (*losses.groups(), *errors.groups())]
    assert rows["rushlight"] == pytest.approx(rows["torch"], rel=FOUR_DIGITS)


@not_mkl
def test_char_gpt(tmp_path: Path) -> None:
    script, found = EXAMPLES / "char_gpt.py", {}
    for engine in ("rushlight", "torch"):
        printed = output(engine, script, "--small", "--seed", "3", "--out", tmp_path / engine)
        assert printed.startswith(f"{engine}: ")
        found[engine] = [float(text) for text in re.findall(r"loss (\d\S*?),?(?: |$)", printed, re.MULTILINE)]
    assert len(found["torch"]) == 11
    assert found["rushlight"] == pytest.approx(found["torch"], rel=FOUR_DIGITS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[str, Path]]:
    """A function that gives what a generative example prints under an engine, and the folder of its checkpoint."""

    @cache
    def run(name: str, engine: str) -> tuple[str, Path]:
        out = tmp_path_factory.mktemp(f"{name}-{engine}")
        return output(engine, EXAMPLES / f"{name}_digits.py", "--quick", "--seed", "5", "--out", out), out

    return run


@pytest.mark.parametrize("name", ["vae", pytest.param("gan", marks=not_mkl)])
def test_generative_examples(name: str, trained: Callable[[str, str], tuple[str, Path]]) -> None:
    found = {}
    for engine in ("rushlight", "torch"):
        printed, _ = trained(name, engine)
        assert printed.startswith(f"{engine}: ")
        found[engine] = [float(text) for text in re.findall(r"(\d+\.\d+)", printed.split("Wrote")[0])]
    assert len(found["torch"]) >= 25
    assert found["rushlight"] == pytest.approx(found["torch"], rel=FOUR_DIGITS)


@pytest.mark.parametrize("name", ["vae", "gan"])
@pytest.mark.parametrize(("writer", "reader"), [("rushlight", "torch"), ("torch", "rushlight")])
def test_checkpoints_travel(
    name: str, writer: str, reader: str, trained: Callable[[str, str], tuple[str, Path]], tmp_path: Path
) -> None:
    """What one engine has learned the other one draws with, and finds as good."""
    wrote, folder = trained(name, writer)
    options = "--load", folder / f"{name}-digits.pt", "--seed", "5", "--out", tmp_path
    read = output(reader, EXAMPLES / f"{name}_digits.py", *options)
    numbers = []
    for engine, printed in ((writer, wrote), (reader, read)):
        (line,) = re.findall(rf"^{engine}: (?:test loss|taken for).*$", printed, re.MULTILINE)
        numbers.append([float(number) for number in re.findall(r"\d+\.\d+", line)])
    assert len(numbers[0]) >= 2
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-5)
