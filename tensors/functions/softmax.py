"""Softmax as ``torch.nn.functional`` has it: the dim may be missing, with a warning."""

from __future__ import annotations

import warnings
from typing import Any

from ...autograd.arguments import array_of
from ..doors import doors
from ..ops.reduce import softmax as core


@doors("functional")
def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return ``torch.softmax`` along ``dim``; without a dim PyTorch warns, and takes 0 for 0, 1 or 3 dims, else 1.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
    """
    return core.softmax(input, _chosen(input, dim, "softmax", _stacklevel), dtype)


@doors("functional")
def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return ``torch.log_softmax`` along ``dim``; without a dim as :func:`softmax`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
    """
    return core.log_softmax(input, _chosen(input, dim, "log_softmax", _stacklevel), dtype)


@doors("functional")
def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return :func:`softmax` of ``-input``: the smallest gets the most.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html
    """
    return core.softmax(-input, _chosen(input, dim, "softmin", _stacklevel), dtype)


def _chosen(input: Any, dim: int | None, name: str, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if array_of(input, name).ndim in (0, 1, 3) else 1
