"""How to draw arguments for every primitive: the case of an op of ``tensors/ops/<topic>/`` is in ``<topic>.py``.

No differentiable primitive may be missing.

A case is a hypothesis strategy for a dict: each parameter of the primitive with its value, tensors as float64 arrays
at points where the op is smooth.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

_FILES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in {"__init__", "draw"})
_PARTS: list[dict[str, Any]] = [import_module(f"cases.{name}").CASES for name in _FILES]

CASES: dict[str, Any] = {}
for _part in _PARTS:
    _twice = CASES.keys() & _part.keys()
    assert not _twice, f"two cases for {_twice}"
    CASES |= _part
