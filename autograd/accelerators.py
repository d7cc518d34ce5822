"""What programs ask about GPUs before they run on the CPU: ``torch.cuda`` and ``torch.backends``, both absent."""

from __future__ import annotations

from typing import Any

from .amp import cuda as _amp_on_gpu
from .device import require_cpu


class cuda:
    """The GPU: there is none, and whoever only asks is told so.

    >>> import rushlight as torch
    >>> "cuda" if torch.cuda.is_available() else "cpu"
    'cpu'
    """

    amp = _amp_on_gpu

    @staticmethod
    def is_available() -> bool:
        """Return False."""
        return False

    @staticmethod
    def device_count() -> int:
        """Return 0."""
        return 0

    @staticmethod
    def is_initialized() -> bool:
        """Return False."""
        return False

    @staticmethod
    def manual_seed(seed: int) -> None:
        """Do nothing: there is no generator to seed."""

    @staticmethod
    def manual_seed_all(seed: int) -> None:
        """Do nothing: there is no generator to seed."""

    @staticmethod
    def empty_cache() -> None:
        """Do nothing: there is no cache."""

    @staticmethod
    def synchronize(device: Any = None) -> None:
        """Raise AssertionError: there is nothing to wait for."""
        require_cpu("cuda")


class _Switches:
    """Settings of a library that is not there: they may be set, and change nothing."""

    enabled = deterministic = benchmark = False

    def is_available(self) -> bool:
        """Return False."""
        return False

    def is_built(self) -> bool:
        """Return False."""
        return False


class backends:
    """The libraries that PyTorch may compute with; none of them is here."""

    cuda = _Switches()
    cudnn = _Switches()
    mps = _Switches()
    mkldnn = _Switches()
