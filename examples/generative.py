"""What the two generative examples share: options, a progress bar, and rows of pictures."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


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
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="folder for the picture")
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {options.epochs}")
    if options.quick:
        options.epochs = quick
    return options


def with_progress(steps: Iterable[Any], total: int) -> Iterable[Any]:
    """Return ``steps``, with a bar on the terminal if tqdm is there."""
    return steps if tqdm is None else tqdm.tqdm(steps, total=total, unit="step", leave=False, disable=None)


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
