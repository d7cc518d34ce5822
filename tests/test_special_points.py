"""Every op at special points: where its value is a number, no derivative up to the third raises or is NaN.

A derivative may be infinite, and then the next is not looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch
from cases import CASES
from rushlight.autograd.primitive import PRIMITIVES
from support.op_gradients import differentiable, inputs_of, with_leaves
from test_gradients import DIFFERENTIABLE

POINTS = {"0": 0.0, "1": 1.0, "-1": -1.0, "1/2": 0.5, "1e10": 1e10, "-1e10": -1e10}
"""What one input is filled with: zeros and ties, poles and edges, where curves are flat or overflow."""

SINGULAR = "a matrix without inverse has no such derivative"
POLE = "the derivative before it grows without bound there"
EXCUSED = {
    "addcdiv": POLE,
    "pow_tensor": "at base 0 the derivatives by the exponent are limits of 0 * log(0), which PyTorch has as NaN too",
    "lu_compact": SINGULAR,
    "qr_factors": SINGULAR,
    "svd_factors": "equal singular values have no vectors of their own",
    "eigh_factors": "equal eigenvalues have no vectors of their own",
    "ctc_loss": "log-probabilities of 1e10 are none",
}


def filled(value: Any, number: float) -> Any:
    """Return an argument with every element ``number``."""
    if isinstance(value, list | tuple):
        return [filled(one, number) for one in value]
    return np.full_like(value, number)


def derivatives(op: Any, args: dict[str, Any], orders: int) -> None:
    """Assert that each derivative is no NaN, as long as the one before is finite and connected."""
    given_tensors, leaves = with_leaves(op, args)
    try:
        out = op.function(**given_tensors)
    except (RuntimeError, ValueError):  # refuses the value: nothing to differentiate
        return
    results = differentiable(out)
    for order in range(orders + 1):
        values = [one.detach().numpy() for one in results]
        assert order == 0 or not any(np.isnan(value).any() for value in values), f"derivative {order} is NaN"
        if not results or not all(np.isfinite(value).all() for value in values) or order == orders:
            return
        seeds = [torch.ones_like(one) for one in results]
        found = torch.autograd.grad(results, leaves, seeds, create_graph=True, allow_unused=True)
        results = [g for g in found if g is not None and g.requires_grad]


assert EXCUSED.keys() <= DIFFERENTIABLE.keys()


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE.keys() - EXCUSED.keys()))
@given(data=st.data())
@settings(max_examples=2)
def test_derivatives_exist_at_special_points(name: str, data: Any) -> None:
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    for which in inputs_of(op, args):
        for number in POINTS.values():
            derivatives(op, args | {which: filled(args[which], number)}, orders=3)
