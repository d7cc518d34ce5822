"""The options of LinearCrossEntropyLoss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...arrays.dtypes import float16, float32, float64
from ..common_types import Dtype


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch would cut the computation into chunks; checked and kept, but the result is computed in one piece.

    https://pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyOptions.html
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Dtype = None

    def __post_init__(self) -> None:
        if self.acc_policy not in {"auto", "accurate", "balanced", "compact"}:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, sep, factor = str(self.chunking_method).partition(":")
            factor = factor if sep else "1"
            if name != "aspect_ratio" or not factor.isdigit() or int(factor) == 0:
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size: Any = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype not in (None, float16, float32, float64):
            raise ValueError(
                f"acc_dtype must be None, torch.float16, torch.float32 or torch.float64, got {self.acc_dtype!r}"
            )
