"""Mixed precision, absent: ``torch.amp`` for programs that switch it off on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Self
from warnings import warn


def _enabled(what: str, device: str, enabled: bool) -> None:
    """Raise RuntimeError if mixed precision is asked for on the CPU; for a GPU warn, as PyTorch does where none is."""
    if enabled and str(device) == "cpu":
        raise RuntimeError(f"{what} is not supported on the CPU: there is no bfloat16. Pass enabled=False")
    if enabled:
        warn(f"{what} is enabled, but {str(device).upper()} is not available. Disabling.", UserWarning, stacklevel=3)


class autocast:
    """A context, and a decorator, that changes nothing.

    On the CPU it must be switched off by ``enabled=False``, else RuntimeError; for a GPU, which is not there, it is off
    with a warning, as in PyTorch.

    https://pytorch.org/docs/stable/amp.html

    >>> import rushlight as torch
    >>> with torch.amp.autocast("cpu", enabled=False):
    ...     (torch.ones(2) * 2).dtype
    torch.float32
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        _enabled("autocast", device_type, enabled)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function`` as it is, in a wrapper."""

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return called


class GradScaler:
    """A scaler of losses that is switched off: ``step`` is the optimizer's step, the rest does nothing.

    On the CPU RuntimeError unless ``enabled=False``; for a GPU, which is not there, it is off with a warning.

    https://pytorch.org/docs/stable/amp.html#gradient-scaling
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        _enabled("GradScaler", device, enabled)

    def scale(self, outputs: Any) -> Any:
        """Return ``outputs``."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Do nothing: no gradient is scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return ``optimizer.step(*args, **kwargs)``."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Do nothing: the scale stays 1."""

    def get_scale(self) -> float:
        """Return 1."""
        return 1.0

    def is_enabled(self) -> bool:
        """Return False."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """Return an empty dict."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Do nothing: there is nothing to restore."""


def is_autocast_available(device_type: str) -> bool:
    """Return False."""
    return False
