"""Arguments that are one number for all dims, or one for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def per_dim(value: Any, dims: int) -> tuple[Any, ...]:
    """Return ``value`` as a tuple: its items, or itself once for each dim."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * dims
