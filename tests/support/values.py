"""Tensors and arrays that many tests start from, and the comparison they end with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import rushlight as torch


def leaf(*values: Any, dtype: Any = torch.float64) -> Any:
    """Return a leaf of these values that requires grad."""
    return torch.tensor(list(values), dtype=dtype, requires_grad=True)


def equal(x: Any, *values: float) -> None:
    """Assert that a vector holds ``values``, up to rounding in float64."""
    np.testing.assert_allclose(x.detach().numpy(), values, rtol=1e-12)


def normals(rng: np.random.Generator) -> Callable[..., np.ndarray]:
    """Return a function that draws an array of a shape from ``rng``, each time new values."""

    def normal(*shape: int, kind: str = "float64") -> np.ndarray:
        return np.asarray(rng.standard_normal(shape), kind)

    return normal
