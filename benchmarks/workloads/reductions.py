"""Sum, mean and max over either dim of 2,048 x 2,048 floats, forward and backward."""

from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

SIZE = 2048
WAYS = tuple((name, dim) for name in ("sum", "mean", "max") for dim in (0, 1))


def data() -> tuple[Array, Array]:
    """Return x (2048, 2048) and what the results are weighed by (2048,)."""
    rng = np.random.default_rng(10)
    return rng.standard_normal((SIZE, SIZE)).astype(np.float32), rng.standard_normal(SIZE).astype(np.float32)


def by_hand() -> Case:
    """Return the case of NumPy, forward and backward written out."""
    x, w = data()
    every = np.arange(SIZE)

    def step() -> dict[str, Array]:
        out = {}
        for name, dim in WAYS:
            g = np.expand_dims(w, dim)
            if name == "max":
                index = x.argmax(axis=dim)
                place = (index, every) if dim == 0 else (every, index)
                out[f"max {dim}"] = x[place]
                dx = np.zeros_like(x)
                dx[place] = w
            elif name == "sum":
                out[f"sum {dim}"] = x.sum(axis=dim)
                dx = np.broadcast_to(g, x.shape).copy()
            else:
                out[f"mean {dim}"] = x.mean(axis=dim)
                dx = np.broadcast_to(g / np.float32(SIZE), x.shape).copy()
            out[f"{name} {dim} gradient"] = dx
        return out

    return Case(step, lambda out: {name: np.asarray(value) for name, value in out.items()})


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, weights = data()
    w = torch.tensor(weights)
    leaves = {way: torch.tensor(start, requires_grad=True) for way in WAYS}

    def step() -> dict[str, Any]:
        out = {}
        for (name, dim), x in leaves.items():
            x.grad = None
            made = getattr(x, name)(dim)
            made = made.values if name == "max" else made
            made.backward(w)
            out[f"{name} {dim}"] = made
        return out

    def read(out: dict[str, Any]) -> Results:
        found = {name: value.detach().numpy() for name, value in out.items()}
        return found | {f"{name} {dim} gradient": x.grad.numpy() for (name, dim), x in leaves.items()}

    return Case(step, read)


WORKLOAD = Workload(
    "reductions",
    "sum, mean, max over each dim of 2048 x 2048, forward + backward",
    by_hand,
    in_torch,
    over_torch=0.40,
    over_numpy=1.50,
    tolerance=2e-5,
)
