"""What programs ask about GPUs before they run on the CPU: ``torch.cuda``, absent.

>>> import rushlight as torch
>>> "cuda" if torch.cuda.is_available() else "cpu"
'cpu'
"""

from __future__ import annotations

from typing import Any

from ..arrays.device import require_cpu as _require_cpu
from . import amp as amp


def is_available() -> bool:
    """Return False."""
    return False


def device_count() -> int:
    """Return 0."""
    return 0


def is_initialized() -> bool:
    """Return False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Return False."""
    return False


def manual_seed(seed: int) -> None:
    """Do nothing: there is no generator to seed."""


def manual_seed_all(seed: int) -> None:
    """Do nothing: there is no generator to seed."""


def seed_all() -> None:
    """Do nothing: there is no generator to seed."""


def empty_cache() -> None:
    """Do nothing: there is no cache."""


def memory_allocated(device: Any = None) -> int:
    """Return 0, in bytes."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """Return 0, in bytes."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """Return 0, in bytes."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """Return 0, in bytes."""
    return 0


def synchronize(device: Any = None) -> None:
    """Raise AssertionError: there is nothing to wait for."""
    _require_cpu("cuda")


def current_device() -> None:
    """Raise AssertionError: there is none."""
    _require_cpu("cuda")


def get_device_name(device: Any = None) -> None:
    """Raise AssertionError: there is none."""
    _require_cpu("cuda")
