"""Arguments of ops: coerce those that are no tensors, promote operands to their common dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from warnings import warn

import numpy as np

from ..arrays.dtypes import bool_, cast, default_numpy, promote_two, result_numpy, scalar_operand
from .variable import CONSTANT, Variable
from .view import refresh_view


def coerce_argument(
    value: Any, name: str, parameter: str, position: int, numbers: bool, optional: bool, operator: bool
) -> Any:
    """Return an argument that is no tensor as a kernel may take it, or raise TypeError."""
    if value is None and optional:
        return None
    if isinstance(value, np.generic | np.ndarray):
        return value
    if numbers and isinstance(value, float | int):
        return value
    if operator:
        return NotImplemented
    raise TypeError(
        f"{name}(): argument {parameter!r} (position {position}) must be Tensor, not {type(value).__name__}"
    )


def numbers_first(
    function: Callable[..., Any], name: str, words: Sequence[str], given: tuple[Any, ...], out: Any = None
) -> Any:
    """Return ``function`` of the tensors among ``given``; the numbers before them are its keywords ``words``.

    So PyTorch reads the deprecated ``x.add_(alpha, other)`` and ``addmm(beta, input, alpha, mat1, mat2)``.
    """
    tensors = [x for x in given if isinstance(x, Variable)]
    numbers = [x for x in given if not isinstance(x, Variable)]
    if len(numbers) > len(words) or not all(isinstance(x, int | float) for x in numbers):
        kinds = ", ".join(type(x).__name__ for x in given)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds})")
    warn(
        f"This overload of {name} is deprecated: pass {', '.join(words)} by keyword, after the tensors.",
        UserWarning,
        stacklevel=3,
    )
    return function(*tensors, **dict(zip(words, numbers, strict=False)), out=out)


_PLAIN = {float, int, bool}


def as_number(name: str, parameter: str, value: Any) -> Any:
    """Return a number of any kind, or a tensor without dims, as a Python number; TypeError for anything else.

    A tensor that requires grad is something else: its gradient would be lost.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Variable):
        if value.view_of is not None:
            refresh_view(value)
        value = value if value.node is not None else value.array
    if isinstance(value, np.ndarray | np.generic | int | float) and not np.ndim(value):
        return value.item() if isinstance(value, np.ndarray | np.generic) else value
    raise TypeError(f"{name}(): argument {parameter!r} must be Number, not {type(value).__name__}")


def promote_operands(*pairs: Any) -> list[Any]:
    """Return the arrays of ``(tensor or CONSTANT, array)`` in their common dtype; None stays."""
    arrays = _operands(pairs)
    if len(arrays) == 2 and arrays[0] is not None and arrays[1] is not None:
        return list(promote_two(*arrays))
    kind = result_numpy(*[a for a in arrays if a is not None])
    return [None if a is None else cast(a, kind) for a in arrays]


def promote_to_float(*pairs: Any) -> list[Any]:
    """Return the arrays of ``(tensor or CONSTANT, array)`` in their common float dtype."""
    arrays = _operands(pairs)
    if any(isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in arrays):
        return list(promote_two(*arrays))
    kind = result_numpy(*arrays)
    if kind.kind != "f":
        kind = default_numpy()
    return [cast(a, kind) for a in arrays]


def promote_refusing_bool(*pairs: Any) -> list[Any]:
    """Return the arrays of ``(tensor or CONSTANT, array)`` in their common dtype; RuntimeError if one is bool."""
    if any(isinstance(a, bool | np.bool_) or getattr(a, "dtype", None) is bool_.numpy for a in pairs[1::2]):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )
    return promote_operands(*pairs)


def _operands(pairs: tuple[Any, ...]) -> list[Any]:
    return [
        a.item() if x is CONSTANT and isinstance(a, np.generic) else a
        for x, a in zip(pairs[::2], pairs[1::2], strict=True)
    ]


_PROMOTIONS = {
    "": promote_operands,
    "same": promote_operands,
    "float": promote_to_float,
}


_NUMBERS = {float, int}


ACCEPTED_TYPES = {np.ndarray, float, int}
"""Types of arguments that are no tensors and that a kernel may take at once."""


def promoter(promote: str, operands: int, refuse_bool: bool = False) -> Any:
    """Return the function that brings operands together; two of them, a number and floats, take a shorter way."""
    general = promote_refusing_bool if refuse_bool else _PROMOTIONS[promote]

    def meet_two(x: Any, a: Any, y: Any, b: Any) -> Any:
        if y is CONSTANT and type(b) in _NUMBERS and a.dtype.kind == "f":
            return a, scalar_operand(b, a)
        if x is CONSTANT and type(a) in _NUMBERS and b.dtype.kind == "f":
            return scalar_operand(a, b), b
        return general(x, a, y, b)

    return meet_two if operands == 2 else general


def array_of(x: Any, name: str, parameter: str = "input", position: int = 1) -> Any:
    """Return the array of a tensor, or an array itself; TypeError that names the argument for anything else."""
    if isinstance(x, Variable):
        return x.array
    if isinstance(x, np.ndarray | np.generic):
        return x
    raise TypeError(f"{name}(): argument {parameter!r} (position {position}) must be Tensor, not {type(x).__name__}")
