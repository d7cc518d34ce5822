"""An Elman RNN unrolled by hand: 50 steps, batch 32, 64 inputs, 128 hidden units.

``h = tanh(x[t] @ W + h @ U + b)``; the loss is the sum of squares of the last hidden state.
"""

from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

STEPS, BATCH, INPUTS, HIDDEN = 50, 32, 64, 128


def data() -> tuple[Array, Array, Array, Array]:
    """Return x (50, 32, 64), w (64, 128), u (128, 128) and b (128,)."""
    rng = np.random.default_rng(6)
    x = rng.standard_normal((STEPS, BATCH, INPUTS)).astype(np.float32)
    w = (rng.standard_normal((INPUTS, HIDDEN)) * 0.3 * INPUTS**-0.5).astype(np.float32)
    u = (rng.standard_normal((HIDDEN, HIDDEN)) * HIDDEN**-0.5).astype(np.float32)
    b = (rng.standard_normal(HIDDEN) * 0.1).astype(np.float32)
    return x, w, u, b


def by_hand() -> Case:
    """Return the case of NumPy, back through time."""
    x, w, u, b = data()

    def step() -> tuple[Array, ...]:
        hs = [np.zeros((BATCH, HIDDEN), dtype=np.float32)]
        for t in range(STEPS):
            hs.append(np.tanh(x[t] @ w + hs[-1] @ u + b))
        loss = np.square(hs[-1]).sum()
        dw, du, db = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
        dh = 2 * hs[-1]
        for t in reversed(range(STEPS)):
            dz = dh * (1 - np.square(hs[t + 1]))
            dw += x[t].T @ dz
            du += hs[t].T @ dz
            db += dz.sum(axis=0)
            dh = dz @ u.T
        return loss, dw, du, db

    def read(out: tuple[Array, ...]) -> Results:
        names = ("loss", "w.grad", "u.grad", "b.grad")
        return {name: np.asarray(value) for name, value in zip(names, out, strict=True)}

    return Case(step, read)


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start = data()
    x = torch.tensor(start[0])
    w, u, b = (torch.tensor(value, requires_grad=True) for value in start[1:])

    def step() -> Any:
        w.grad = u.grad = b.grad = None
        h = torch.zeros(BATCH, HIDDEN)
        for t in range(STEPS):
            h = torch.tanh(x[t] @ w + h @ u + b)
        loss = h.pow(2).sum()
        loss.backward()
        return loss

    def read(loss: Any) -> Results:
        gradients = {"w.grad": w.grad, "u.grad": u.grad, "b.grad": b.grad}
        return {"loss": loss.detach().numpy()} | {k: g.numpy() for k, g in gradients.items()}

    return Case(step, read)


WORKLOAD = Workload(
    "rnn",
    "Elman RNN by hand, 50 steps, batch 32, hidden 128",
    by_hand,
    in_torch,
    over_torch=0.55,
    over_numpy=1.6,
)
