"""Shared by the two generative examples: options, progress, batches, and rows of pictures."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine import torch


def optional(name: str) -> Any:
    """Return the module ``name`` if it is installed, else None."""
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


# Neither comes along with rushlight, and both can be missing.
figure, tqdm = optional("matplotlib.figure") if optional("matplotlib") else None, optional("tqdm")


def options_of(description: str, epochs: int, quick: int) -> argparse.Namespace:
    """Return the options of the command line; ``--quick`` runs ``quick`` epochs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=epochs, help=f"passes over the images (default {epochs})")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default 0)")
    parser.add_argument("--quick", action="store_true", help=f"{quick} epochs, only to see that it runs")
    parser.add_argument("--load", type=Path, metavar="FILE", help="do not train: draw with this checkpoint")
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="folder for picture and checkpoint (default demo-output)"
    )
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {options.epochs}")
    if options.load is not None and not options.load.is_file():
        parser.error(f"--load: there is no file {options.load}")
    if options.quick:
        options.epochs = quick
    return options


def batches_of(images: torch.Tensor, size: int, seed: int, *, drop_last: bool = False) -> Any:
    """Return a loader of the images in batches. A generator of its own shuffles them: other draws change no order."""
    shuffler = torch.Generator().manual_seed(seed)
    data = torch.utils.data.TensorDataset(images)
    return torch.utils.data.DataLoader(data, size, shuffle=True, drop_last=drop_last, generator=shuffler)


def with_progress(steps: Iterable[tuple[float, ...]], total: int, names: str) -> Iterator[tuple[float, ...]]:
    """Yield the losses of each of the ``steps`` and say how it goes: a bar on a terminal with tqdm, else ten lines."""
    if tqdm is not None and sys.stdout.isatty():
        yield from tqdm.tqdm(steps, total=total, unit="step", leave=False)
        return
    for number, losses in enumerate(steps, 1):
        if number % max(total // 10, 1) == 0:
            print(f"step {number:4d}/{total}  {names} {', '.join(f'{loss:.6g}' for loss in losses)}", flush=True)
        yield losses


def keep(states: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint, which both engines read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(states), path)
    print(f"Wrote {path}")


def pictures(path: Path, rows: Mapping[str, Any]) -> None:
    """Write rows of 8 by 8 images, each row (N, 64) with its name, to ``path``."""
    if figure is None:
        print("No picture: matplotlib is not installed. Get it with: pip install matplotlib")
        return
    wide = max(len(images) for images in rows.values())
    picture = figure.Figure(figsize=(wide, 1.2 * len(rows)), layout="constrained")
    grid = picture.subplots(len(rows), wide, squeeze=False)
    for axes, (name, images) in zip(grid, rows.items(), strict=True):
        axes[0].set_title(name, loc="left", fontsize=9)
        for place, image in zip(axes, images, strict=True):
            place.imshow(image.reshape(8, 8).tolist(), cmap="gray_r", vmin=0, vmax=1)
            place.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=150)
    print(f"Wrote {path}")
