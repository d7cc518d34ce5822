"""Learn a noisy series of sines with an LSTM, forecast how it goes on, and draw both.

    python examples/time_series.py

The network reads a window of the series and guesses the next 100 values. It is trained on windows of the past, and
then asked for the future, which it has never seen. The folder demo-output/ then holds a picture of forecast and truth.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from engine import ENGINE, torch

nn = torch.nn


def optional(name: str) -> Any:
    """Return the module ``name`` if it is installed, else None."""
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


# Neither comes along with rushlight, and both can be missing.
figure, tqdm = optional("matplotlib.figure") if optional("matplotlib") else None, optional("tqdm")

PAST, FUTURE = 900, 100  # points to learn from, points to forecast
PERIODS = (25.0, 60.0)
NOISE = 0.1
WINDOW, BATCH = 50, 32
UNITS = 32


def make_series() -> torch.Tensor:
    """Return sines of different periods, phases and heights, with noise: shape (PAST + FUTURE,)."""
    time = torch.arange(PAST + FUTURE, dtype=torch.float32)
    series = torch.randn(PAST + FUTURE) * NOISE
    for number, period in enumerate(PERIODS):
        phase = torch.rand(()) * 2 * math.pi
        series = series + torch.sin(time * (2 * math.pi / period) + phase) * 0.6**number
    return series


class Forecaster(nn.Module):
    """An LSTM that reads a window, and a linear layer that makes of its last state all that follows."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, UNITS, batch_first=True)
        self.guess = nn.Linear(UNITS, FUTURE)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return the next values after each of ``windows``: (N, T) to (N, FUTURE)."""
        _output, (hidden, _cell) = self.lstm(windows.unsqueeze(-1))
        guesses: torch.Tensor = self.guess(hidden[-1])
        return guesses


class Training:
    """An iterable that trains: each turn is one batch of windows and gives its loss.

    Nothing happens until it is iterated, and it has a length, so any progress display can wrap it.
    """

    def __init__(self, model: Forecaster, series: torch.Tensor, steps: int) -> None:
        self.model, self.series, self.steps = model, series, steps
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[float]:
        loss_fn = nn.MSELoss()
        for _ in range(self.steps):
            starts = torch.randint(0, len(self.series) - WINDOW - FUTURE + 1, (BATCH,))
            windows = self.series[starts.unsqueeze(1) + torch.arange(WINDOW + FUTURE)]
            loss = loss_fn(self.model(windows[:, :WINDOW]), windows[:, WINDOW:])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            yield float(loss.item())


def with_progress(training: Training) -> Iterable[float]:
    """Return ``training`` behind a progress bar, or as it is where tqdm is not installed."""
    return training if tqdm is None else tqdm.tqdm(training, desc="training", unit="step", disable=None)


def mean_square(error: torch.Tensor) -> float:
    """Return the mean of the squares."""
    return float((error * error).mean().item())


def draw(truth: torch.Tensor, guesses: torch.Tensor, path: Path) -> None:
    """Write a picture of the last part of the past, and of forecast and truth after it."""
    shown = 2 * FUTURE
    picture = figure.Figure(figsize=(9, 4), layout="constrained")
    axes = picture.add_subplot()
    axes.plot(range(PAST - shown, PAST + FUTURE), truth[PAST - shown :].tolist(), color="0.6", label="truth")
    axes.plot(range(PAST, PAST + FUTURE), guesses.tolist(), color="C3", label="forecast")
    axes.axvline(PAST, color="0.3", linewidth=0.8, linestyle="--")
    axes.set(xlabel="time", title=f"A forecast of {FUTURE} steps ({ENGINE})")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=150)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Forecast a series with an LSTM.")
    parser.add_argument("--steps", type=int, default=300, help="training steps (default 300)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default 0)")
    parser.add_argument("--quick", action="store_true", help="30 steps, only to see that it runs")
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="folder for the picture (default demo-output)"
    )
    options = parser.parse_args()
    if options.steps < 1:
        parser.error(f"--steps must be at least 1, not {options.steps}")
    return options


def main() -> None:
    """Train, forecast, compare and draw."""
    options = parse_arguments()
    torch.manual_seed(options.seed)
    series = make_series()
    past, future = series[:PAST], series[PAST:]
    print(f"{ENGINE}: {len(past)} points to learn from, {len(future)} to forecast")

    model = Forecaster()
    losses = list(with_progress(Training(model, past, 30 if options.quick else options.steps)))
    print(f"training loss {losses[0]:.6g} at first, {losses[-1]:.6g} after {len(losses)} steps")
    with torch.no_grad():
        guesses = model(past[-WINDOW:].unsqueeze(0)).squeeze(0)
    print(f"forecast error {mean_square(guesses - future):.6g}, of the mean {mean_square(past.mean() - future):.6g}")

    path = options.out / "forecast.png"
    if figure is None:
        print("No picture: matplotlib is not installed. Get it with: pip install matplotlib")
    else:
        draw(series, guesses, path)
        print(f"Wrote {path}")


if __name__ == "__main__":
    main()
