"""The bundled handwritten digits, split into a training and a test part."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).resolve().parent / "data" / "digits.npz"


class Digits(NamedTuple):
    """Images (count, 8, 8) in 0..1 and the digit each one shows (count,)."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def load() -> Digits:
    """Return 1,437 training and 360 test images with labels, as NumPy arrays.

    Every fifth image is a test image. All 1,797 are by 13 people, so expect the same hands in both
    parts: the score says how well a model reads these writers, not strangers.
    """
    with np.load(FILE) as stored:
        images = stored["images"].astype(np.float32) / np.float32(16)
        labels = stored["labels"].astype(np.int64)
    test = np.arange(len(labels)) % 5 == 0
    return Digits(images[~test], labels[~test], images[test], labels[test])
