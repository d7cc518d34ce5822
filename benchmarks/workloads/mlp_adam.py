"""An MLP 784-256-256-10 with ReLU on a batch of 128: cross-entropy and one step of Adam."""

from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from .workload import Array, Case, Results, Workload, start_from, training_step

SIZES = (784, 256, 256, 10)
BATCH = 128
LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


def data() -> tuple[Array, npt.NDArray[np.int64], list[Array]]:
    """Return x (128, 784), labels (128,) and weight (out, in) and bias (out,) of each layer."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((BATCH, SIZES[0])).astype(np.float32)
    labels = rng.integers(0, SIZES[-1], BATCH)
    parameters = []
    for m, n in pairwise(SIZES):
        bound = m**-0.5
        parameters.append(rng.uniform(-bound, bound, (n, m)).astype(np.float32))
        parameters.append(rng.uniform(-bound, bound, n).astype(np.float32))
    return x, labels, parameters


def changes(loss: Any, parameters: list[Array]) -> Results:
    """Return the loss and how far each parameter moved."""
    starts = data()[2]
    named = {"loss": np.asarray(loss)}
    for i, (now, start) in enumerate(zip(parameters, starts, strict=True)):
        named[f"change of parameter {i}"] = now - start
    return named


def loss_and_gradients(x: Array, labels: npt.NDArray[np.int64], parameters: list[Array]) -> tuple[Array, list[Array]]:
    """Return the mean cross-entropy and the gradient of every parameter."""
    w1, b1, w2, b2, w3, b3 = parameters
    h1 = np.maximum(x @ w1.T + b1, 0)
    h2 = np.maximum(h1 @ w2.T + b2, 0)
    scores = h2 @ w3.T + b3
    scores -= scores.max(axis=1, keepdims=True)
    probabilities = np.exp(scores)
    total = probabilities.sum(axis=1, keepdims=True)
    probabilities /= total
    rows = np.arange(BATCH)
    loss = (np.log(total[:, 0]) - scores[rows, labels]).mean()

    g3 = probabilities
    g3[rows, labels] -= 1
    g3 /= BATCH
    g2 = (g3 @ w3) * (h2 > 0)
    g1 = (g2 @ w2) * (h1 > 0)
    weights = [g1.T @ x, g2.T @ h1, g3.T @ h2]
    biases = [g1.sum(axis=0), g2.sum(axis=0), g3.sum(axis=0)]
    return loss, [g for pair in zip(weights, biases, strict=True) for g in pair]


def by_hand() -> Case:
    """Return the case of NumPy: the gradients above and Adam as its paper states it."""
    x, labels, parameters = data()
    ms = [np.zeros_like(p) for p in parameters]
    vs = [np.zeros_like(p) for p in parameters]
    steps = 0

    def step() -> Array:
        nonlocal steps
        loss, gradients = loss_and_gradients(x, labels, parameters)
        steps += 1
        for i, g in enumerate(gradients):
            ms[i] *= BETA1
            ms[i] += (1 - BETA1) * g
            vs[i] *= BETA2
            vs[i] += (1 - BETA2) * g * g
            m_hat = ms[i] / (1 - BETA1**steps)
            v_hat = vs[i] / (1 - BETA2**steps)
            parameters[i] -= LR * m_hat / (np.sqrt(v_hat) + EPS)
        return loss

    def read(loss: Array) -> Results:
        return changes(loss, parameters)

    return Case(step, read)


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, start_labels, values = data()
    x, labels = torch.tensor(start), torch.tensor(start_labels)
    layers: list[Any] = []
    for m, n in pairwise(SIZES):
        layers += [torch.nn.Linear(m, n), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    start_from(torch, model, values)
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, betas=(BETA1, BETA2), eps=EPS)

    def read(loss: Any) -> Results:
        return changes(loss.detach().numpy(), [p.detach().numpy() for p in model.parameters()])

    return Case(training_step(torch, model, optimizer, x, labels), read)


WORKLOAD = Workload(
    "mlp-adam",
    "MLP 784-256-256-10, batch 128, Adam, one step",
    by_hand,
    in_torch,
    over_torch=0.55,
    over_numpy=1.10,
    tolerance=1e-4,
)
