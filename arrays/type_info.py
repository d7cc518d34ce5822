"""The limits of dtypes: ``finfo`` and ``iinfo``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import bool_, dtype, get_default_dtype


def _typed(name: str, given: Any) -> dtype:
    if isinstance(given, dtype):
        return given
    raise TypeError(f"{name}(): argument 'type' (position 1) must be torch.dtype, not {type(given).__name__}")


class finfo:
    """The limits of a floating-point dtype (the default one if none is given).

    https://pytorch.org/docs/stable/type_info.html

    >>> import rushlight as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtype | None = None) -> None:
        found = get_default_dtype() if type is None else _typed("finfo", type)
        if not found.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type, not {found}. Use torch.iinfo for it")
        limits = np.finfo(found.numpy)
        self.bits, self.dtype = int(limits.bits), found.name
        self.eps, self.min, self.max = float(limits.eps), float(limits.min), float(limits.max)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(str(limits.resolution))

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{n}={getattr(self, n):g}' for n in names)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("finfo", self.dtype))


class iinfo:
    """The limits of an integer dtype.

    https://pytorch.org/docs/stable/type_info.html

    >>> import rushlight as torch
    >>> torch.iinfo(torch.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: dtype) -> None:
        found = _typed("iinfo", type)
        if found.is_floating_point:
            raise TypeError(f"torch.iinfo() requires an integer input type, not {found}. Use torch.finfo for it")
        if found is bool_:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        limits = np.iinfo(found.numpy)
        self.bits, self.dtype, self.min, self.max = limits.bits, found.name, int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("iinfo", self.dtype))
