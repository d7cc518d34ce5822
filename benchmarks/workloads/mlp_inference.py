"""An MLP 784-256-256-10 with ReLU on a batch of 128: scores alone, nothing recorded."""

from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np

from .mlp_adam import BATCH, SIZES, data
from .workload import Array, Case, Results, Workload


def by_hand() -> Case:
    """Return the case of NumPy: results in memory that is kept."""
    x, _, parameters = data()
    outs = [np.empty((BATCH, n), np.float32) for n in SIZES[1:]]

    def step() -> Array:
        h = x
        for layer, out in enumerate(outs):
            np.matmul(h, parameters[2 * layer].T, out)
            h = np.add(out, parameters[2 * layer + 1], out)
            if layer < len(outs) - 1:
                np.maximum(h, 0, out=h)
        return h

    return Case(step, read)


def read(scores: Any) -> Results:
    return {"scores": np.asarray(scores)}


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, _, values = data()
    x = torch.tensor(start)
    layers: list[Any] = []
    for m, n in pairwise(SIZES):
        layers += [torch.nn.Linear(m, n), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value))

    def step() -> Any:
        with torch.no_grad():
            return model(x)

    return Case(step, read)


WORKLOAD = Workload(
    "mlp-inference",
    "MLP 784-256-256-10, batch 128, inference",
    by_hand,
    in_torch,
    over_torch=0.70,
    over_numpy=1.10,
)
