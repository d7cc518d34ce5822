"""What public functions around an operator share: foreign operands, ``out=``, and refusals."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ..dtypes import dtype_of
from ..node import Variable
from ..writes import deliver


def finish(name: str, made: Any, other: Any, out: Any) -> Any:
    """Return ``made``, written into ``out`` if there is one; TypeError if the operator declined ``other``."""
    if made is NotImplemented:
        raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    return made if out is None else deliver(name, made, out)


def tensors_only(name: str, **given: Any) -> None:
    """Raise TypeError, in PyTorch's words, unless all that is ``given`` are tensors (or arrays, inside a rule)."""
    for position, (parameter, value) in enumerate(given.items()):
        if not isinstance(value, Variable | np.ndarray | np.generic):
            raise TypeError(
                f"{name}(): argument {parameter!r} (position {position + 1}) must be Tensor, not {type(value).__name__}"
            )


def unsupported(kernel: str, array: Any) -> NoReturn:
    """Raise NotImplementedError: ``kernel`` knows nothing of the dtype of ``array``."""
    raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype_of(array.dtype).legacy}'")


def no_bool(kernel: str, array: Any) -> None:
    """Raise NotImplementedError if ``array`` holds bools."""
    if array.dtype.kind == "b":
        unsupported(kernel, array)


def floats_only(kernel: str, array: Any) -> None:
    """Raise NotImplementedError unless ``array`` holds floats."""
    if array.dtype.kind != "f":
        unsupported(kernel, array)
