"""``torch.sym_max`` and its kin: on plain numbers, which is all there is without a compiler, they are Python's own.

https://pytorch.org/docs/stable/torch.html#symbolic-numbers
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def sym_int(a: Any) -> int:
    """Return ``a`` without its fraction."""
    whole: int = math.trunc(a)
    return whole


def sym_float(a: Any) -> float:
    """Return ``a`` as a float."""
    return float(a)


def sym_not(a: bool) -> bool:
    """Return whether ``a`` is false."""
    return not a


def sym_max(a: Any, b: Any) -> Any:
    """Return the larger number, a float if one is: ``sym_max(3, 1.0)`` is 3.0."""
    found = max(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_min(a: Any, b: Any) -> Any:
    """Return the smaller number, a float if one is."""
    found = min(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_ite(b: bool, t: Any, f: Any) -> Any:
    """Return ``t`` if ``b`` holds, else ``f``."""
    return t if b else f


def sym_sum(args: Sequence[Any]) -> Any:
    """Return the sum of numbers."""
    return sum(args)
