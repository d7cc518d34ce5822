"""Gradients at kinks, ties and poles, and in branches that drawn inputs seldom meet."""

from __future__ import annotations

import pytest

from support.corners import CORNERS, Corner, check_corner


@pytest.mark.parametrize("corner", CORNERS, ids=[f"{each.op}-{n}" for n, each in enumerate(CORNERS)])
def test_gradient_in_the_corner(corner: Corner) -> None:
    check_corner(corner)
