"""Settings that a program makes before it computes. There is one way to compute: they are noted, and change nothing.

https://pytorch.org/docs/stable/torch.html#utilities
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import warn

_now: dict[str, Any] = {"threads": 1, "interop": 1, "deterministic": 0, "precision": "highest"}
_LEVELS = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")
_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")


def _positive(name: str, number: Any) -> int:
    if type(number) is not int:
        raise RuntimeError(f"{name} expects an int, but got {type(number).__name__}")
    if number <= 0:
        raise RuntimeError(f"{name} expects a positive integer")
    return number


def set_num_threads(number: int) -> None:
    """Note ``number``: how many threads NumPy's matrix products use is said by the environment, ``OMP_NUM_THREADS``.

    RuntimeError unless it is a positive int.
    """
    _now["threads"] = _positive("set_num_threads", number)


def get_num_threads() -> int:
    """Return what was noted, 1 at first."""
    return int(_now["threads"])


def set_num_interop_threads(number: int) -> None:
    """Note ``number``: ops never run beside each other. RuntimeError unless it is a positive int."""
    _now["interop"] = _positive("set_num_interop_threads", number)


def get_num_interop_threads() -> int:
    """Return what was noted, 1 at first."""
    return int(_now["interop"])


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Note it: every result is deterministic anyway. TypeError for what is no bool.

    >>> import rushlight as torch
    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    for name, value in (("mode", mode), ("warn_only", warn_only)):
        if type(value) is not bool:
            raise TypeError(
                f"use_deterministic_algorithms(): argument '{name}' must be bool, not {type(value).__name__}"
            )
    _now["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """Return what was noted, False at first."""
    return bool(_now["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return whether a warning was asked for where PyTorch has no deterministic algorithm."""
    return bool(_now["deterministic"] == 1)


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Note 0 or "default", 1 or "warn", 2 or "error". RuntimeError for anything else, TypeError for another type."""
    if isinstance(debug_mode, str):
        if debug_mode not in _LEVELS:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = _LEVELS.index(debug_mode)
    if not isinstance(debug_mode, int):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if not 0 <= debug_mode <= 2:
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _now["deterministic"] = int(debug_mode)


def get_deterministic_debug_mode() -> int:
    """Return 0, 1 or 2, as noted."""
    return int(_now["deterministic"])


def set_float32_matmul_precision(precision: str) -> None:
    """Note "highest", "high" or "medium": float32 is always multiplied in full precision.

    RuntimeError for what is no string; another word warns and is let go, as in PyTorch.
    """
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision not in _PRECISIONS:
        warn(f"{precision} is not one of 'highest', 'high', or 'medium'; the precision stays as it was", stacklevel=2)
        return
    _now["precision"] = precision


def get_float32_matmul_precision() -> str:
    """Return what was noted, "highest" at first."""
    return str(_now["precision"])


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Return False."""
    return False


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """Return ``model``, a function or module, as it is; without one, a decorator that does.

    There is no compiler: the program runs as written. RuntimeError for an unknown ``mode``, AssertionError for what
    cannot be called.

    https://pytorch.org/docs/stable/generated/torch.compile.html

    >>> import rushlight as torch
    >>> @torch.compile
    ... def double(x):
    ...     return x * 2
    >>> double(torch.ones(2))
    tensor([2., 2.])
    """
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if model is None:
        return compile
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    return model
