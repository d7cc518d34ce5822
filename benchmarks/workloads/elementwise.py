"""``(x * y + x).exp().sum()`` on 4 million floats: how often memory is walked and asked for."""

from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

SIZE = 4_000_000


def data() -> tuple[Array, Array]:
    """Return x and y of 4 million floats in (-1, 1)."""
    rng = np.random.default_rng(7)
    x, y = (rng.uniform(-1, 1, SIZE).astype(np.float32) for _ in range(2))
    return x, y


def by_hand() -> Case:
    """Return the case of NumPy, forward and backward written out."""
    x, y = data()

    def step() -> tuple[Array, Array, Array]:
        e = np.exp(x * y + x)
        loss = e.sum()
        dx = e * y + e
        dy = e * x
        return loss, dx, dy

    def read(out: tuple[Array, Array, Array]) -> Results:
        return {"loss": np.asarray(out[0]), "x.grad": out[1], "y.grad": out[2]}

    return Case(step, read)


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    x, y = (torch.tensor(value, requires_grad=True) for value in data())

    def step() -> Any:
        x.grad = y.grad = None
        loss = (x * y + x).exp().sum()
        loss.backward()
        return loss

    def read(loss: Any) -> Results:
        return {"loss": loss.detach().numpy(), "x.grad": x.grad.numpy(), "y.grad": y.grad.numpy()}

    return Case(step, read)


WORKLOAD = Workload(
    "elementwise",
    "(x * y + x).exp().sum() on 4M floats",
    by_hand,
    in_torch,
    over_torch=0.80,
    over_numpy=1.6,
    tolerance=1e-6,
)
