"""Operands, and errors and warnings whose words are compared too."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import rushlight

rng = np.random.default_rng(1)


def real(*shape: int, dtype: str = "float64") -> np.ndarray:
    return np.asarray(rng.normal(size=shape)).astype(dtype)


def unit(*shape: int, dtype: str = "float64") -> np.ndarray:
    return np.asarray(rng.uniform(0.05, 0.95, size=shape)).astype(dtype)


def in_words(code: Any, *arrays: np.ndarray) -> None:
    """Assert that both engines raise the same error in the same words."""
    raised = []
    for engine in (rushlight, torch):
        given = [engine.from_numpy(x) if x.ndim else engine.tensor(x) for x in arrays]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises((RuntimeError, ValueError, IndexError, AssertionError)) as caught:
                code(engine, *given)
        raised.append((type(caught.value), str(caught.value).split("\n")[0]))
    assert raised[0] == raised[1]


def in_warnings(code: Any, *arrays: np.ndarray) -> None:
    """Assert that both engines give the same warnings."""
    seen = []
    for engine in (rushlight, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            code(engine, *[engine.from_numpy(x) for x in arrays])
        seen.append([(w.category, " ".join(str(w.message).split())) for w in caught])
    assert seen[0] == seen[1]
    assert seen[0]
