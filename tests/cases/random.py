"""Cases of tensors/random: the gradient is zero, whatever was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import arrays, unary


def _same_again(like: np.ndarray) -> np.ndarray:
    """Return the same numbers at every call, so that finite differences see no chance."""
    return np.random.default_rng(0).normal(size=like.shape).astype(like.dtype)


def _around(mean: Any, std: Any) -> np.ndarray:
    shape = np.broadcast_shapes(*[a.shape for a in (mean, std) if a is not None])
    return _same_again(np.empty(shape, (std if mean is None else mean).dtype))


_BOTH = st.fixed_dictionaries({"mean": arrays(shape=(2, 1)), "std": arrays(shape=(3,))})
_ONE = st.one_of(
    *[st.fixed_dictionaries({"mean": m, "std": s}) for m, s in ((arrays(), st.none()), (st.none(), arrays()))]
)
_DRAWN = {"draw": _around, "label": "NormalBackward1"}

CASES = {
    "redrawn": unary(draw=st.just(_same_again), label="NormalBackward0"),
    "normal": (_BOTH | _ONE).map(lambda given: given | _DRAWN),
}
