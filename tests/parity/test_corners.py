"""The gradients at kinks, ties and poles that are written down in ``corners.py`` are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from support.corners import CORNERS, Corner

GIVEN = [corner for corner in CORNERS if corner.grads is not None and corner.public]


@pytest.mark.parametrize("corner", GIVEN, ids=[f"{each.op}-{n}" for n, each in enumerate(GIVEN)])
def test_gradient_is_pytorchs(corner: Corner) -> None:
    grads: Any = corner.grads
    for theirs, ours in zip(corner.gradients(torch, False), grads, strict=True):
        assert theirs.shape == np.shape(ours)
        np.testing.assert_allclose(theirs, np.array(ours), 1e-7 if corner.dtype is np.float64 else 1e-3)
