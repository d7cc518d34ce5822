"""Cases of tensors/ops/loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import LINE, UNIT, arrays, shapes, unary
from rushlight.arrays.kernels.ctc import alignment

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ pointwise, cross_entropy, margin

REDUCTION = st.sampled_from(["none", "mean", "sum"])
INNER = st.floats(0.2, 0.8).map(lambda v: round(v, 3))  # the slope of a logarithm grows fast near 0
IGNORED = st.sampled_from([-100, 1])


@st.composite
def pair(draw: Any, input: Any = LINE, target: Any = LINE, apart: float = -1.0, **fixed: Any) -> dict[str, Any]:
    """An input and a target of one shape; given ``apart``, their distance is not near 0 nor near that: a loss bends.

    Near 0 the gradients of a square drown in its rounding, too.
    """
    x = draw(arrays(shapes(), input))
    t = draw(arrays(x.shape, target))
    if apart >= 0:
        distance = np.abs(x - t)
        near = (distance < 0.1) | (np.abs(distance - apart) < 0.1)
        x = np.where(near, t + 0.35, x)
    drawn = {name: draw(each) if isinstance(each, st.SearchStrategy) else each for name, each in fixed.items()}
    if not x.size and drawn.get("reduction") == "mean":
        drawn["reduction"] = "sum"  # the mean of nothing is NaN
    return {"input": x, "target": t} | drawn


@st.composite
def weighted(draw: Any, base: Any, *names: str) -> dict[str, Any]:
    """A case with weights, or without, under each of ``names``."""
    found: dict[str, Any] = draw(base)
    for name in names:
        found[name] = draw(st.none() | arrays(found["input"].shape, UNIT).map(np.float32))
    return found


@st.composite
def classes(draw: Any, flat: bool = False, weight: bool = False) -> dict[str, Any]:
    """Scores and a class for each sample."""
    rest = () if flat else draw(st.sampled_from([(), (2,), (2, 2)]))
    count, kinds = draw(st.integers(0, 3)), draw(st.integers(2, 4))
    alone = not flat and draw(st.booleans()) and rest == ()
    shape = (kinds,) if alone else (count, kinds, *rest)
    size = () if alone else (count, *rest)
    target = np.array(draw(st.lists(st.integers(0, kinds - 1), min_size=int(np.prod(size)), max_size=99)))
    target = target[: int(np.prod(size))].astype(np.int64).reshape(size)
    found = {
        "input": draw(arrays(shape)),
        "target": target,
        "ignore_index": draw(IGNORED),
        "reduction": draw(REDUCTION),
    }
    if found["reduction"] == "mean" and (target == found["ignore_index"]).all():
        found["reduction"] = "sum"
    if weight:
        found["weight"] = draw(st.none() | arrays((kinds,), UNIT).map(np.float32))
    return found


@st.composite
def placed(draw: Any, dual: bool = False) -> dict[str, Any]:
    """An index along one dim of an array; for the dual, of an array without that dim."""
    shape = draw(shapes(min_dims=1, min_side=1))
    dim = draw(st.integers(0, len(shape) - 1))
    small = (*shape[:dim], *shape[dim + 1 :])
    every = st.lists(st.integers(0, shape[dim] - 1), min_size=int(np.prod(small)), max_size=int(np.prod(small)))
    index = np.array(draw(every), np.int64).reshape(small)
    if dual:
        return {"g": draw(arrays(small)), "index": index, "dim": dim, "size": shape[dim]}
    return {"input": draw(arrays(shape)), "index": index, "dim": dim}


CASES |= {
    "mse_loss": pair(apart=0.0, reduction=REDUCTION),
    "l1_loss": pair(apart=0.0, reduction=REDUCTION),
    "clipped_difference": pair(apart=1.0, width=1.0),
    "huber": pair(apart=1.0, reduction=REDUCTION, width=1.0, scale=0.5, name="HuberLossBackward0"),
    "bce_slope": pair(INNER, INNER),
    "binary_cross_entropy": weighted(pair(INNER, INNER, reduction=REDUCTION), "weight"),
    "binary_cross_entropy_with_logits": weighted(pair(LINE, UNIT, reduction=REDUCTION), "weight", "pos_weight"),
    "nll_loss": classes(weight=True),
    "cross_entropy": classes(flat=True),
    "times_own_log": unary(UNIT),
    "take_class": placed(),
    "put_class": placed(dual=True),
}


# ------------------------------------------------------------------ ctc


@st.composite
def sequences(draw: Any) -> dict[str, Any]:
    """Scores, and alignments of labels that differ or do not, with enough steps for them."""
    steps, batch, classes = draw(st.sampled_from([3, 4, 5, 2, 1])), draw(st.integers(1, 2)), 3
    longest = min(draw(st.sampled_from([2, 1, 0])), (steps + 1) // 2)
    targets = np.array([draw(st.sampled_from([(2, 1), (1, 2), (1, 1)])) for _ in range(batch)], np.int64)
    lengths = np.array([draw(st.sampled_from([longest, longest // 2])) for _ in range(batch)], np.int64)
    times = np.array([draw(st.sampled_from([steps, max(2 * n - 1, steps - 1)])) for n in lengths], np.int64)
    how = alignment(targets[:, :longest], times, lengths, 0)
    return {"log_probs": draw(arrays((steps, batch, classes), LINE)), "how": how, "zero_infinity": False,
            "normalized": False}  # fmt: skip


CASES |= {"ctc_loss": sequences()}
