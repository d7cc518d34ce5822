"""The engine the examples run on: rushlight, or PyTorch for comparison.

Every example is written in what the two have in common, so the choice is one environment variable::

    python examples/train_digits.py                           # rushlight
    RUSHLIGHT_ENGINE=torch python examples/train_digits.py    # PyTorch
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

ENGINE = os.environ.get("RUSHLIGHT_ENGINE", "rushlight")
if ENGINE not in ("rushlight", "torch"):
    raise SystemExit(f"RUSHLIGHT_ENGINE must be 'rushlight' or 'torch', not {ENGINE!r}")

if TYPE_CHECKING:
    import rushlight as torch
else:
    torch = importlib.import_module(ENGINE)

# PyTorch has no graph pictures of its own, hence None there.
viz: Any = importlib.import_module("rushlight.viz") if ENGINE == "rushlight" else None

__all__ = ["ENGINE", "torch", "viz"]
