"""The device that programs should prefer to the CPU: ``torch.accelerator``, absent.

>>> import rushlight as torch
>>> torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
'cpu'
"""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Return False."""
    return False


def device_count() -> int:
    """Return 0."""
    return 0


def current_accelerator(check_available: bool = False) -> Any:
    """Return None."""
    return None


def synchronize(device: Any = None) -> None:
    """Raise RuntimeError: there is nothing to wait for."""
    raise RuntimeError("Cannot access accelerator device when none is available.")
