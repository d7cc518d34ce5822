"""Max poolings that always return the places beside the maxima, under the names PyTorch has for them."""

from __future__ import annotations

from typing import Any

from .ops import average, pool


def _with_places(function: Any, name: str) -> Any:
    """Return ``function`` with ``return_indices`` always on; the argument is taken, and changes nothing."""

    def pooled(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return function(input, kernel_size, stride, padding, dilation, ceil_mode, True)

    pooled.__name__ = pooled.__qualname__ = name
    pooled.__doc__ = f"Return the maxima of windows, as :func:`{function.__name__}`, and their flat int64 indices."
    return pooled


def _adaptive_with_places(function: Any, name: str) -> Any:
    def pooled(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        return function(input, output_size, True)

    pooled.__name__ = pooled.__qualname__ = name
    pooled.__doc__ = f"Return the maxima of windows, as :func:`{function.__name__}`, and their flat int64 indices."
    return pooled


max_pool1d_with_indices = _with_places(pool.max_pool1d, "max_pool1d_with_indices")
max_pool2d_with_indices = _with_places(pool.max_pool2d, "max_pool2d_with_indices")
max_pool3d_with_indices = _with_places(pool.max_pool3d, "max_pool3d_with_indices")
adaptive_max_pool1d_with_indices = _adaptive_with_places(
    average.adaptive_max_pool1d, "adaptive_max_pool1d_with_indices"
)
adaptive_max_pool2d_with_indices = _adaptive_with_places(
    average.adaptive_max_pool2d, "adaptive_max_pool2d_with_indices"
)
adaptive_max_pool3d_with_indices = _adaptive_with_places(
    average.adaptive_max_pool3d, "adaptive_max_pool3d_with_indices"
)


def adaptive_max_pool1d(input: Any, output_size: Any) -> Any:
    """Return the maxima of ``output_size`` windows over the last dim, and their places."""
    return average.adaptive_max_pool1d(input, output_size, True)
