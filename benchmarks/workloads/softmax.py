"""Softmax and log_softmax of 4,096 rows of 1,024 floats, forward and backward."""

from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

ROWS, COLUMNS = 4096, 1024


def data() -> tuple[Array, Array]:
    """Return x (4096, 1024), and what the results are weighed by."""
    rng = np.random.default_rng(9)
    x, w = (rng.standard_normal((ROWS, COLUMNS)).astype(np.float32) for _ in range(2))
    return x, w


def by_hand() -> Case:
    """Return the case of NumPy, forward and backward written out."""
    x, w = data()

    def step() -> tuple[Array, ...]:
        shifted = x - x.max(axis=1, keepdims=True)
        share = np.exp(shifted)
        total = share.sum(axis=1, keepdims=True)
        share /= total
        dx = share * (w - (share * w).sum(axis=1, keepdims=True))

        again = x - x.max(axis=1, keepdims=True)
        powers = np.exp(again)
        again -= np.log(powers.sum(axis=1, keepdims=True))
        dy = w - np.exp(again) * w.sum(axis=1, keepdims=True)
        return share, dx, again, dy

    return Case(step, results)


def results(out: tuple[Array, ...]) -> Results:
    """Return both results and their gradients by name."""
    return dict(zip(("softmax", "its gradient", "log_softmax", "its gradient too"), out, strict=True))


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, weights = data()
    x, y = (torch.tensor(start, requires_grad=True) for _ in range(2))
    w = torch.tensor(weights)

    def step() -> tuple[Any, Any]:
        x.grad = y.grad = None
        share = torch.softmax(x, 1)
        share.backward(w)
        scores = torch.log_softmax(y, 1)
        scores.backward(w)
        return share, scores

    def read(out: tuple[Any, Any]) -> Results:
        share, scores = (each.detach().numpy() for each in out)
        return results((share, x.grad.numpy(), scores, y.grad.numpy()))

    return Case(step, read)


WORKLOAD = Workload(
    "softmax",
    "softmax and log_softmax of 4096 x 1024, forward + backward",
    by_hand,
    in_torch,
    over_torch=1.40,
    over_numpy=1.15,
)
