"""Train two networks to read handwritten digits, and draw what happened.

    python examples/train_digits.py

A multilayer perceptron (SGD with Nesterov momentum) and the convolutional network of CS231n, with batch norm and
dropout (AdamW, with a learning rate that falls), learn the 1,797 bundled 8 x 8 images. The folder demo-output/ then
holds the loss curves and one picture per network of the graph its loss was computed by.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digits import load
from engine import ENGINE, torch, viz

nn = torch.nn

# matplotlib is the one thing used here that rushlight does not bring along.
figure: Any = importlib.import_module("matplotlib.figure") if importlib.util.find_spec("matplotlib") else None

BATCH = 32
BAR = 24  # characters of the progress bar


@dataclass(frozen=True)
class Data:
    """The digits as tensors: images (count, 1, 8, 8) float32, labels (count,) int64."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


def read_data() -> Data:
    """Return the bundled digits; the 1 in the images' shape is their one colour channel."""
    digits = load()
    return Data(
        torch.tensor(digits.train_images).reshape(-1, 1, 8, 8),
        torch.tensor(digits.train_labels),
        torch.tensor(digits.test_images).reshape(-1, 1, 8, 8),
        torch.tensor(digits.test_labels),
    )


def make_mlp() -> nn.Sequential:
    """Return a perceptron with two hidden layers, 17,226 parameters."""
    return nn.Sequential(
        nn.Flatten(),  # (N, 64)
        nn.Linear(64, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),  # (N, 10): one score a digit
    )


def make_convnet() -> nn.Sequential:
    """Return the network of CS231n, 85,162 parameters: conv, batch norm, ReLU, pool; affine layers with dropout.

    The convolutions have no bias: batch norm takes the mean off again, and has a bias itself.
    """
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU()),  # (N, 32, 8, 8)
        nn.MaxPool2d(2),  # (N, 32, 4, 4)
        *(nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()),  # (N, 64, 4, 4)
        nn.Flatten(),  # (N, 1024)
        *(nn.Linear(1024, 64), nn.ReLU(), nn.Dropout(0.5)),  # (N, 64)
        nn.Linear(64, 10),  # (N, 10)
    )


class Training:
    """An iterable that trains: each turn is one mini-batch and gives its loss.

    Nothing happens until it is iterated, and it has a length, so any progress display can wrap it:
    ``for loss in tqdm(Training(...))`` works as well as ``with_progress`` below. After each epoch the learning rate is
    multiplied by ``decay``.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        images: torch.Tensor,
        labels: torch.Tensor,
        epochs: int,
        decay: float = 1.0,
    ) -> None:
        self.model, self.optimizer = model, optimizer
        self.images, self.labels = images, labels
        self.epochs, self.decay = epochs, decay
        self.steps_per_epoch = math.ceil(len(images) / BATCH)

    def __len__(self) -> int:
        return self.epochs * self.steps_per_epoch

    def __iter__(self) -> Iterator[float]:
        loss_fn = nn.CrossEntropyLoss()
        schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, self.decay)
        for _ in range(self.epochs):
            self.model.train()  # batch norm looks at the batch, dropout drops
            order = torch.randperm(len(self.images))
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                loss = loss_fn(self.model(self.images[batch]), self.labels[batch])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                yield float(loss.item())
            schedule.step()


def with_progress(training: Training, name: str) -> Iterator[float]:
    """Yield the losses of ``training``, keeping the terminal up to date.

    A terminal gets one line that rewrites itself; a file or pipe gets one line an epoch.
    """
    live = sys.stdout.isatty()
    per_epoch = training.steps_per_epoch
    recent: list[float] = []
    for step, loss in enumerate(training, 1):
        recent = [*recent[1 - per_epoch :], loss]
        mean = sum(recent) / len(recent)
        text = f"epoch {math.ceil(step / per_epoch):3d}/{training.epochs}  loss {mean:8.4f}"
        if live:
            bar = ("#" * (BAR * step // len(training))).ljust(BAR, ".")
            print(f"\r{name:8s} [{bar}]  {text}", end="", flush=True)
        elif step % per_epoch == 0:
            print(f"{name:8s} {text}", flush=True)
        yield loss
    if live:
        print()


def evaluate(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Return the mean loss and the share of images read right, 0 to 1; ``model`` stays in evaluation mode."""
    model.eval()  # batch norm uses its running averages, dropout lets everything through
    with torch.no_grad():
        scores = model(images)  # (N, 10)
        loss = nn.CrossEntropyLoss()(scores, labels)
        right = scores.argmax(dim=1) == labels
    return float(loss.item()), float(right.float().mean().item())


def fit(
    name: str, model: nn.Module, optimizer: torch.optim.Optimizer, data: Data, epochs: int, decay: float
) -> list[float]:
    """Train ``model``, print how it went and return the loss of every step."""
    before, _ = evaluate(model, data.train_images, data.train_labels)
    start = time.perf_counter()
    training = Training(model, optimizer, data.train_images, data.train_labels, epochs, decay)
    losses = list(with_progress(training, name))
    seconds = time.perf_counter() - start
    after, _ = evaluate(model, data.train_images, data.train_labels)
    _, accuracy = evaluate(model, data.test_images, data.test_labels)
    print(f"{name:8s} training loss {before:.6g} before, {after:.6g} after {len(losses)} steps")
    print(f"{name:8s} test accuracy {100 * accuracy:.2f} %, trained in {seconds:.1f} s\n")
    return losses


def draw_losses(histories: dict[str, list[float]], per_epoch: int, path: Path) -> None:
    """Write the picture of all loss curves, each step pale and the mean of each epoch bold."""
    picture = figure.Figure(figsize=(7, 4), layout="constrained")
    axes = picture.add_subplot()
    for number, (name, losses) in enumerate(histories.items()):
        ends = range(per_epoch, len(losses) + 1, per_epoch)
        means = [sum(losses[end - per_epoch : end]) / per_epoch for end in ends]
        colour = f"C{number}"
        axes.semilogy(range(1, len(losses) + 1), losses, color=colour, alpha=0.3, linewidth=0.8)
        axes.semilogy(list(ends), means, color=colour, marker=".", label=name)
    axes.set(xlabel="step", ylabel="cross-entropy loss", title=f"Reading digits ({ENGINE})")
    axes.grid(alpha=0.3)
    axes.legend()
    picture.savefig(path, dpi=150)


def draw_graph(model: nn.Module, data: Data, path: Path) -> None:
    """Write the picture of the graph that training walks back for a few images; ``path`` ends in .svg.

    RuntimeError if the program that lays out the picture is missing.
    """
    model.train()
    loss = nn.CrossEntropyLoss()(model(data.train_images[:4]), data.train_labels[:4])
    dot = viz.make_dot(loss, params=dict(model.named_parameters()))
    dot.render(str(path.with_suffix("")), format="svg", cleanup=True)


def draw(models: dict[str, nn.Sequential], histories: dict[str, list[float]], data: Data, out: Path) -> None:
    """Write every picture that can be made here and say where it is, or why it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    if figure is None:
        print("No loss curve: matplotlib is not installed. Get it with: pip install matplotlib")
    else:
        path = out / "loss-curve.png"
        draw_losses(histories, math.ceil(len(data.train_labels) / BATCH), path)
        print(f"Wrote {path}")
    if viz is None:
        print("No graph picture: PyTorch draws none; run this with rushlight to see it")
        return
    for name, model in models.items():
        path = out / f"graph-{name}.svg"
        try:
            draw_graph(model, data, path)
        except RuntimeError as error:
            print(f"No graph picture of the {name}: {error}")
        else:
            print(f"Wrote {path}")


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Train two networks to read handwritten digits.")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default 20)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default 0)")
    parser.add_argument("--quick", action="store_true", help="one epoch, only to see that it runs")
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="folder for the pictures (default demo-output)"
    )
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {options.epochs}")
    return options


def main() -> None:
    """Train both networks, then draw."""
    options = parse_arguments()
    epochs = 1 if options.quick else options.epochs
    torch.manual_seed(options.seed)
    data = read_data()
    train_count, test_count = len(data.train_labels), len(data.test_labels)
    print(f"{ENGINE}: {train_count} training and {test_count} test images\n")

    mlp, convnet = make_mlp(), make_convnet()
    models = {"mlp": mlp, "convnet": convnet}
    optimizers: dict[str, torch.optim.Optimizer] = {
        "mlp": torch.optim.SGD(mlp.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
        "convnet": torch.optim.AdamW(convnet.parameters(), lr=3e-3, weight_decay=0.1),
    }
    decays = {"mlp": 1.0, "convnet": 0.9}
    histories = {name: fit(name, model, optimizers[name], data, epochs, decays[name]) for name, model in models.items()}
    draw(models, histories, data, options.out)


if __name__ == "__main__":
    main()
