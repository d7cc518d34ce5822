"""The two-layer net of many course notes: 64 points, 1000 -> 100 -> 10, plain gradient descent."""

from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

N, D_IN, H, D_OUT = 64, 1000, 100, 10
LR = 1e-6


def data() -> tuple[Array, Array, Array, Array]:
    """Return x (64, 1000), y (64, 10), w1 (1000, 100) and w2 (100, 10)."""
    rng = np.random.default_rng(4)
    shapes = (N, D_IN), (N, D_OUT), (D_IN, H), (H, D_OUT)
    x, y, w1, w2 = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    return x, y, w1, w2


def changes(loss: Any, w1: Array, w2: Array) -> Results:
    """Return the loss and how far the weights moved: the weights alone would hide a bad step."""
    _, _, start1, start2 = data()
    return {"loss": np.asarray(loss), "change of w1": w1 - start1, "change of w2": w2 - start2}


def by_hand() -> Case:
    """Return the case of NumPy, forward, backward and update written out."""
    x, y, w1, w2 = data()

    def step() -> Array:
        nonlocal w1, w2
        h = x @ w1
        h_relu = np.maximum(h, 0)
        y_pred = h_relu @ w2
        error = y_pred - y
        loss: Array = np.square(error).sum()
        g = 2 * error
        dw2 = h_relu.T @ g
        dh = g @ w2.T
        dh[h < 0] = 0
        dw1 = x.T @ dh
        w1 -= LR * dw1
        w2 -= LR * dw2
        return loss

    def read(loss: Array) -> Results:
        return changes(loss, w1, w2)

    return Case(step, read)


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start = data()
    x, y = torch.tensor(start[0]), torch.tensor(start[1])
    w1 = torch.tensor(start[2], requires_grad=True)
    w2 = torch.tensor(start[3], requires_grad=True)

    def step() -> Any:
        nonlocal w1, w2
        y_pred = x.mm(w1).clamp(min=0).mm(w2)
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= LR * w1.grad
            w2 -= LR * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
        return loss

    def read(loss: Any) -> Results:
        return changes(loss.detach().numpy(), w1.detach().numpy(), w2.detach().numpy())

    return Case(step, read)


WORKLOAD = Workload(
    "two-layer",
    "two-layer net of the notes, one step",
    by_hand,
    in_torch,
    over_torch=0.50,
    over_numpy=1.20,
)
