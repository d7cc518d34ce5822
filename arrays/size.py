"""Size: the shape of a tensor."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from operator import index
from typing import Any, SupportsIndex


class Size(tuple[int, ...]):
    """A tuple of ints that prints as ``torch.Size([2, 3])``; slices, sums and multiples are sizes too.

    https://pytorch.org/docs/stable/size.html

    >>> import rushlight as torch
    >>> torch.ones(2, 3).shape, torch.ones(2, 3).shape[1:]
    (torch.Size([2, 3]), torch.Size([3]))
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[SupportsIndex] = ()) -> Size:
        """Return the size of these dims; TypeError names an item that is no int."""
        return tuple.__new__(cls, [n if type(n) is int else _whole(n, place) for place, n in enumerate(sizes)])

    def numel(self) -> int:
        """Return how many elements a tensor of this size has."""
        return prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, place: Any) -> Any:
        found: Any = tuple.__getitem__(self, place)
        return tuple.__new__(Size, found) if type(found) is tuple else found

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            raise TypeError(f'can only concatenate tuple (not "{type(other).__name__}") to torch.Size')
        return tuple.__new__(Size, tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return tuple.__new__(Size, tuple.__add__(other, self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> Any:
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)


def size_of(shape: tuple[int, ...]) -> Size:
    """Return an array's ``shape`` as a Size, unchecked."""
    return tuple.__new__(Size, shape)


def _whole(given: Any, place: int) -> int:
    try:
        return index(given)
    except TypeError:
        raise TypeError(f"torch.Size() takes an iterable of 'int' (item {place} is '{type(given).__name__}')") from None


def sizes(given: tuple[Any, ...], name: str) -> tuple[int, ...]:
    """Return the size that a caller of ``name`` gave as ints, or as one tuple or list of ints.

    Raises TypeError for what is no int, RuntimeError for a negative one.
    """
    if len(given) == 1 and isinstance(given[0], tuple | list):
        given = tuple(given[0])
    found = tuple([n if type(n) is int else _dim(n, place, len(given), name) for place, n in enumerate(given)])
    for n in found:
        if n < 0:
            raise RuntimeError(f"{name}: Trying to create tensor with negative dimension {n}: {list(found)}")
    return found


def one_size(given: Any, name: str, position: int) -> tuple[int, ...]:
    """Return the size given as one tuple or list of ints; TypeError for anything else."""
    if not isinstance(given, tuple | list):
        raise TypeError(
            f"{name}(): argument 'size' (position {position}) must be tuple of ints, not {type(given).__name__}"
        )
    return sizes((given,), name)


def _dim(given: Any, place: int, total: int, name: str) -> int:
    try:
        if isinstance(given, bool):
            raise TypeError
        return index(given)
    except TypeError:
        kind = type(given).__name__
        if total == 1:
            raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {kind}") from None
        raise TypeError(
            f"{name}(): argument 'size' failed to unpack the object at pos {place + 1} with error "
            f'"type must be tuple of ints,but got {kind}"'
        ) from None
