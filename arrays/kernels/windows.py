"""The geometry of a kernel's windows over an image."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

Ints = tuple[int, ...]


class Windows(NamedTuple):
    """The windows of a kernel over an image: one number per spatial dim in each field."""

    size: Ints
    kernel: Ints
    stride: Ints
    padding: Ints
    dilation: Ints
    out: Ints

    def with_unit_dim(self) -> Windows:
        """Return the same windows with a spatial dim of size 1 appended."""
        one = (1,)
        return Windows(
            self.size + one,
            self.kernel + one,
            self.stride + one,
            (*self.padding, 0),
            self.dilation + one,
            self.out + one,
        )

    def are_points(self) -> bool:
        """Return whether each window is one element of the image itself, none of its border."""
        inside = all((n - 1) * s < size for n, s, size in zip(self.out, self.stride, self.size, strict=True))
        return inside and prod(self.kernel) == 1 and not any(self.padding)


def overlap(count: int, offset: int, step: int, size: int) -> tuple[slice, slice]:
    """Return which of the ``count`` positions ``offset + step * t`` lie in ``range(size)``.

    The first slice selects them by ``t``, the second the elements they fall on.
    """
    low = max(0, -(offset // step))
    high = min(count, (size - 1 - offset) // step + 1)
    if high <= low:
        return slice(0, 0), slice(0, 0)
    start = offset + low * step
    return slice(low, high), slice(start, start + (high - low - 1) * step + 1, step)
