"""Shared by the rungs: the engine, and a command line with ``--steps``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # engine.py is one folder up

from engine import torch

__all__ = ["run", "torch"]


def run(main: Callable[[int], float]) -> None:
    """Call ``main`` with the number of steps from the command line, 500 if none is given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=500, help="training steps (default 500)")
    steps = parser.parse_args().steps
    if steps < 1:
        parser.error(f"--steps must be at least 1, not {steps}")
    main(steps)
