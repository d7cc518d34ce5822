"""Dims as arguments: negative ones counted from the end, bad ones refused in PyTorch's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np


def norm_dim(dim: int, ndim: int) -> int:
    """Return ``dim`` counted from the front. A tensor without dims takes 0 and -1, as if it had one.

    Raises IndexError naming the range if ``dim`` is not one of ``ndim`` dims.
    """
    if type(dim) is not int:
        dim = as_int(dim)
    if 0 <= dim < ndim:
        return dim
    low = -(ndim or 1)
    if low <= dim < 0 or (dim == 0 and ndim == 0):
        return dim + (ndim or 1) if dim < 0 else 0
    raise IndexError(f"Dimension out of range (expected to be in range of [{low}, {-low - 1}], but got {dim})")


def norm_dims(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return one dim or several as a tuple counted from the front; ``None`` and ``()`` stand for all of them.

    Raises IndexError as :func:`norm_dim` does, RuntimeError if a dim comes twice.
    """
    if dim is None:
        return tuple(range(ndim))
    if not isinstance(dim, Sequence):
        return (norm_dim(dim, ndim),)
    if not dim:
        return tuple(range(ndim))
    dims = tuple([norm_dim(one, ndim) for one in dim])
    distinct(dims)
    return dims


def distinct(dims: Sequence[int]) -> None:
    """Raise RuntimeError if one of ``dims``, counted from the front, comes twice."""
    if len(set(dims)) != len(dims):
        twice = next(one for place, one in enumerate(dims) if one in dims[:place])
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")


_WRONG_TYPE = "could not convert string", "invalid literal for int", "The truth value of an array"
"""How the messages of NumPy and Python begin for an argument that is not a number."""


def mismatch(error: ValueError, *arrays: Any) -> None:
    """Raise RuntimeError if ``error``, by NumPy, says that ``arrays`` do not broadcast, TypeError if a wrong type."""
    if str(error).startswith(_WRONG_TYPE):
        raise TypeError(f"an argument has the wrong type: {error}")
    if "broadcast" not in str(error):
        return
    shapes = [np.shape(a) for a in arrays if a is not None]
    ndim = max(map(len, shapes))
    for dim in range(ndim - 1, -1, -1):
        sizes = [s[dim - ndim] for s in shapes if len(s) >= ndim - dim and s[dim - ndim] != 1]
        other = next((n for n in sizes if n != sizes[0]), None)
        if other is not None:
            raise RuntimeError(
                f"The size of tensor a ({sizes[0]}) must match the size of tensor b ({other}) at non-singleton "
                f"dimension {dim}"
            )
    raise RuntimeError(str(error))


def as_int(dim: Any, name: str = "dim") -> int:
    """Return ``dim`` as an int if it is a whole number of any type, or raise TypeError that calls it ``name``."""
    if type(dim) is int:
        return dim
    if isinstance(dim, bool):
        raise TypeError(f"{name} must be an int, not bool")
    try:
        return index(dim)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {type(dim).__name__}") from None


def ints(given: Any, name: str, parameter: str) -> tuple[int, ...]:
    """Return one whole number or a sequence of them as a tuple of ints; TypeError that names the argument."""
    if isinstance(given, tuple):
        for n in given:
            if type(n) is not int:
                break
        else:
            return given
    if not isinstance(given, Sequence | np.ndarray):
        given = (given,)
    try:
        return tuple([index(n) for n in given])
    except TypeError:
        raise TypeError(f"{name}(): argument {parameter!r} must be tuple of ints, not {given!r}") from None


def variadic(function: Callable[..., Any], parameter: str) -> Callable[..., Any]:
    """Return the method that takes the sequence ``parameter`` of ``function`` as a tuple or as separate numbers."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not isinstance(args[0], int):
            return function(self, args[0], **kwargs)
        if not args and parameter in kwargs:
            return function(self, **kwargs)
        return function(self, args, **kwargs)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    method.__wrapped__ = function  # type: ignore[attr-defined]  # any function takes attributes
    return method
