"""A module spread over several GPUs: there are none, so it runs as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..arrays.device import device
from .modules.module import Module


class DataParallel(Module):
    """Holds ``module`` and calls it, as PyTorch's does without a GPU. Its parameters are under ``module.``.

    ``device_ids``, ``output_device`` and ``dim`` are accepted and not used.

    https://pytorch.org/docs/stable/generated/torch.nn.DataParallel.html

    >>> import rushlight as torch
    >>> list(torch.nn.DataParallel(torch.nn.Linear(1, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[int | device] | None = None,
        output_device: int | device | None = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return ``module(*inputs, **kwargs)``."""
        return self.module(*inputs, **kwargs)
