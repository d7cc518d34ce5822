"""A chain of 1,000 small ops on 8 floats: what one node of the graph costs.

The mix, 200 times over: ``y * a``, ``y + b``, ``tanh``, ``y - c``, ``exp``. Only the start
requires a gradient, so every node has one edge. The constants make the chain's slope nearly one:
values stay near ``exp(-1)``, and gradients reach the start far from underflow.
"""

from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

BLOCKS = 200
NODES = 5 * BLOCKS
X = np.linspace(0.30, 0.36, 8, dtype=np.float32)
A = np.full(8, 2.71, dtype=np.float32)
B = np.full(8, -1.0, dtype=np.float32)
C = np.full(8, 1.0, dtype=np.float32)


def by_hand() -> Case:
    """Return the case of NumPy, forward and backward written out."""

    def step() -> tuple[Array, Array]:
        y = X
        saved = []
        for _ in range(BLOCKS):
            y = y * A
            y = y + B
            t = np.tanh(y)
            y = t - C
            y = np.exp(y)
            saved.append((t, y))
        loss = y.sum()
        g = np.ones_like(y)
        for t, y in reversed(saved):
            g = g * y
            g = g * (1 - t * t)
            g = g * A
        return loss, g

    def read(out: tuple[Array, Array]) -> Results:
        return {"loss": np.asarray(out[0]), "x.grad": out[1]}

    return Case(step, read)


def forward(x: Any, a: Any, b: Any, c: Any) -> Any:
    """Return the end of the chain from tensors of any engine."""
    y = x
    for _ in range(BLOCKS):
        y = y * a
        y = y + b
        y = y.tanh()
        y = y - c
        y = y.exp()
    return y


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    a, b, c = torch.tensor(A), torch.tensor(B), torch.tensor(C)
    x = torch.tensor(X, requires_grad=True)

    def step() -> Any:
        x.grad = None
        loss = forward(x, a, b, c).sum()
        loss.backward()
        return loss

    def read(loss: Any) -> Results:
        return {"loss": loss.detach().numpy(), "x.grad": x.grad.numpy()}

    return Case(step, read)


WORKLOAD = Workload(
    "chain",
    "chain of 1,000 ops on 8 floats, forward + backward",
    by_hand,
    in_torch,
    over_torch=0.38,
    over_numpy=2.5,
    tolerance=1e-4,
    nodes=NODES,
)
