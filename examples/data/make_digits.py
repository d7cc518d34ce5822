"""Build digits.npz from the table inside a scikit-learn wheel.

Run by hand only; the result is part of the repository::

    pip download --no-deps scikit-learn
    unzip scikit_learn-*.whl sklearn/datasets/data/digits.csv.gz
    python examples/data/make_digits.py sklearn/datasets/data/digits.csv.gz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

TARGET = Path(__file__).resolve().parent / "digits.npz"


def main(source: Path) -> None:
    """Write the images (1797, 8, 8) and labels (1797,) of ``source`` to digits.npz, both uint8."""
    rows = np.loadtxt(source, delimiter=",")  # 64 pixels, then the label
    table = rows.astype(np.uint8)
    if table.shape != (1797, 65) or not np.array_equal(table, rows):
        raise SystemExit(f"{source} is not the expected table: shape {rows.shape}")
    images, labels = table[:, :64].reshape(-1, 8, 8), table[:, 64]
    if images.max() != 16 or set(labels.tolist()) != set(range(10)):
        raise SystemExit(f"{source} holds values outside 0..16 or labels other than 0..9")
    np.savez_compressed(TARGET, images=images, labels=labels)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python make_digits.py path/to/digits.csv.gz")
    main(Path(sys.argv[1]))
