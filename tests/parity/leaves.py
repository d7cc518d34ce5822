"""What the tests of recurrent layers share: drawn values, and a comparison that looks at parameters as well."""

from typing import Any

import numpy as np

from parity.oracle import ENGINES, close, describe, gradients, tensor

RNG = np.random.default_rng(0)


def values(*shape: int, kind: str = "float64") -> np.ndarray:
    return RNG.standard_normal(shape).astype(kind)


def compare(code: Any, *given: np.ndarray, tol: float = 1e-5) -> None:
    """Assert equal results, gradients and second gradients: ``code`` gives the results and more leaves."""
    seen = []
    for engine in ENGINES:
        leaves = [tensor(engine, a, True) for a in given]
        engine.manual_seed(3)
        outs, more = code(engine, *leaves)
        found = [describe(out) for out in outs]
        seen.append(found + gradients(engine, list(outs), leaves + list(more)))
    assert len(seen[0]) > len(given)
    close(seen[0], seen[1], tol)
