"""``torch.cuda.amp``, the older door to ``torch.amp``."""

from __future__ import annotations

from typing import Any

from .. import amp as _amp


def autocast(enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> _amp.autocast:
    """Return a context that changes nothing; with ``enabled`` warn that it does not."""
    return _amp.autocast("cuda", dtype, enabled, cache_enabled)


def GradScaler(
    init_scale: float = 2.0**16,
    growth_factor: float = 2.0,
    backoff_factor: float = 0.5,
    growth_interval: int = 2000,
    enabled: bool = True,
) -> _amp.GradScaler:
    """Return a scaler that does nothing; with ``enabled`` warn that it does not."""
    return _amp.GradScaler("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
