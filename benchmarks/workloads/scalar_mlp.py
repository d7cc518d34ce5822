"""A multilayer perceptron of scalars: every weight is a 0-d tensor, as in micrograd.

3 -> 8 -> 8 -> 1 tanh neurons on four points, squared error. NumPy's version works on whole
layers: it is the reference for the numbers, not a rival in speed, so it has no target.
"""

from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

SIZES = (3, 8, 8, 1)
POINTS = 4
# Per point: a product and a sum per weight, a tanh per neuron, then sub, pow and add.
PAIRS = tuple(pairwise(SIZES))
NODES = POINTS * (sum(2 * m * n + n for m, n in PAIRS) + 3)


def data() -> tuple[Array, Array, list[Array], list[Array]]:
    """Return points (4, 3), targets (4,), weights (out, in) and biases (out,) of each layer."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (POINTS, SIZES[0])).astype(np.float32)
    target = np.array([1, -1, -1, 1], dtype=np.float32)
    weights = [rng.uniform(-0.6, 0.6, (n, m)).astype(np.float32) for m, n in PAIRS]
    biases = [rng.uniform(-0.1, 0.1, n).astype(np.float32) for _, n in PAIRS]
    return x, target, weights, biases


def by_hand() -> Case:
    """Return the case of NumPy, layer by layer."""
    x, target, weights, biases = data()

    def step() -> tuple[Array, list[Array], list[Array]]:
        hs = [x]
        for w, b in zip(weights, biases, strict=True):
            hs.append(np.tanh(hs[-1] @ w.T + b))
        error = hs[-1][:, 0] - target
        loss = (error**2).sum()
        g: Array = (2 * error)[:, None]
        dws: list[Array] = []
        dbs: list[Array] = []
        for i in reversed(range(len(weights))):
            g = g * (1 - hs[i + 1] ** 2)
            dws.append(g.T @ hs[i])
            dbs.append(g.sum(axis=0))
            g = g @ weights[i]
        return loss, dws[::-1], dbs[::-1]

    def read(out: tuple[Array, list[Array], list[Array]]) -> Results:
        loss, dws, dbs = out
        named = {"loss": np.asarray(loss)}
        named |= {f"grad of layer {i}'s weights": dw for i, dw in enumerate(dws)}
        return named | {f"grad of layer {i}'s biases": db for i, db in enumerate(dbs)}

    return Case(step, read)


def neuron(weights: list[Any], bias: Any, inputs: list[Any]) -> Any:
    """Return tanh of the weighted sum, one scalar op at a time."""
    total = bias
    for w, x in zip(weights, inputs, strict=True):
        total = total + w * x
    return total.tanh()


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    x, target, weights, biases = data()

    def scalar(value: np.float32, requires_grad: bool = False) -> Any:
        return torch.tensor(float(value), requires_grad=requires_grad)

    points = [[scalar(v) for v in row] for row in x]
    targets = [scalar(v) for v in target]
    ws = [[[scalar(v, True) for v in row] for row in w] for w in weights]
    bs = [[scalar(v, True) for v in b] for b in biases]
    leaves = [w for layer in ws for row in layer for w in row] + [b for layer in bs for b in layer]

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        loss = scalar(np.float32(0))
        for point, wanted in zip(points, targets, strict=True):
            h = point
            for layer, layer_bias in zip(ws, bs, strict=True):
                h = [neuron(row, b, h) for row, b in zip(layer, layer_bias, strict=True)]
            loss = loss + (h[0] - wanted) ** 2
        loss.backward()
        return loss

    def read(loss: Any) -> Results:
        named = {"loss": loss.detach().numpy()}
        for i, (layer, layer_bias) in enumerate(zip(ws, bs, strict=True)):
            dw = [[w.grad.numpy() for w in row] for row in layer]
            named[f"grad of layer {i}'s weights"] = np.array(dw)
            named[f"grad of layer {i}'s biases"] = np.array([b.grad.numpy() for b in layer_bias])
        return named

    return Case(step, read)


WORKLOAD = Workload(
    "scalar-mlp",
    "scalar graph: MLP 3-8-8-1 of 0-d tensors",
    by_hand,
    in_torch,
    over_torch=0.25,
    over_numpy=None,
    nodes=NODES,
)
