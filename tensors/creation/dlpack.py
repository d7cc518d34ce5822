"""Tensors on the memory of other libraries' arrays, by way of DLPack.

https://dmlc.github.io/dlpack/latest/python_spec.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays.device import require_cpu
from ..doors import doors
from ..tensor.conversions import new
from ..tensor.methods import Tensor
from .from_data import checked_array


class _Capsule:
    """A bare DLPack capsule as an object that gives it away, and then as the array that NumPy made of it."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule
        self._tells = "versioned" in repr(capsule)  # only then it can say that its memory must not be written

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # NumPy looks into the capsule itself

    def array(self, copy: bool | None) -> Any:
        """Return the array; NumPy takes all memory that cannot tell for read-only, PyTorch none."""
        self._kept = np.from_dlpack(self)
        self.__array_interface__ = dict(self._kept.__array_interface__)
        if not self._tells:
            self.__array_interface__["data"] = (self._kept.__array_interface__["data"][0], False)
        return np.array(self, copy=True if copy else None)


@doors("torch")
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Return a tensor on the memory of any object that speaks DLPack, such as another library's array, or of a capsule.

    With ``copy`` the memory is new. RuntimeError for other objects and for a capsule that was taken before.

    https://pytorch.org/docs/stable/dlpack.html
    """
    require_cpu(device)
    if not hasattr(ext_tensor, "__dlpack__"):
        if type(ext_tensor).__name__ != "PyCapsule":
            raise RuntimeError(f"from_dlpack received a {type(ext_tensor).__name__}, which does not speak DLPack")
        ext_tensor = _Capsule(ext_tensor)
    try:
        capsule = type(ext_tensor) is _Capsule
        array = ext_tensor.array(copy) if capsule else np.from_dlpack(ext_tensor, copy=copy)
    except ValueError as error:
        raise RuntimeError(f"from_dlpack received an invalid capsule: {error}") from error
    made: Tensor = new(checked_array(array))
    return made
