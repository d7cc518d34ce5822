"""Sharing memory with other libraries: ``torch.utils.dlpack``.

https://pytorch.org/docs/stable/dlpack.html
"""

from __future__ import annotations

from typing import Any

from ..tensors.creation.dlpack import from_dlpack
from ..tensors.tensor.methods import Tensor


def to_dlpack(tensor: Tensor) -> Any:
    """Return the memory of a tensor as a DLPack capsule, which may be taken once; TypeError for what is no tensor.

    BufferError if a gradient is required.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"to_dlpack takes a Tensor, not {type(tensor).__name__}")
    return tensor.__dlpack__()


__all__ = ["from_dlpack", "to_dlpack"]
