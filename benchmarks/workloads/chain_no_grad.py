"""The chain of `chain`, forward only, under ``no_grad``: what one op costs beyond NumPy."""

from types import ModuleType
from typing import Any

import numpy as np

from .chain import BLOCKS, NODES, A, B, C, X, forward
from .workload import Array, Case, Results, Workload


def by_hand() -> Case:
    """Return the case of NumPy, forward only."""

    def step() -> Array:
        y = X
        for _ in range(BLOCKS):
            y = y * A
            y = y + B
            y = np.tanh(y)
            y = y - C
            y = np.exp(y)
        return y

    def read(y: Array) -> Results:
        return {"y": y}

    return Case(step, read)


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    a, b, c = torch.tensor(A), torch.tensor(B), torch.tensor(C)
    x = torch.tensor(X, requires_grad=True)

    def step() -> Any:
        with torch.no_grad():
            return forward(x, a, b, c)

    def read(y: Any) -> Results:
        return {"y": y.numpy()}

    return Case(step, read)


WORKLOAD = Workload(
    "chain-no-grad",
    "the same chain, forward under no_grad",
    by_hand,
    in_torch,
    over_torch=0.50,
    over_numpy=3.0,
    nodes=NODES,
)
