"""A small convnet on 50 images 3 x 32 x 32: conv, relu, pool, two linear layers, cross-entropy, SGD with momentum."""

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from .workload import Array, Case, Results, Workload, start_from, training_step

N, SIDE, FILTERS, KERNEL, HIDDEN, KINDS = 50, 32, 32, 7, 100, 10
HALF = SIDE // 2
FLAT = FILTERS * HALF * HALF
LR, MOMENTUM = 1e-2, 0.9
SHAPES = ((FILTERS, 3, KERNEL, KERNEL), (FILTERS,), (HIDDEN, FLAT), (HIDDEN,), (KINDS, HIDDEN), (KINDS,))


def data() -> tuple[Array, npt.NDArray[np.int64], list[Array]]:
    """Return x (50, 3, 32, 32), labels (50,) and weight and bias of the convolution and of both linear layers."""
    rng = np.random.default_rng(6)
    x = rng.standard_normal((N, 3, SIDE, SIDE)).astype(np.float32)
    labels = rng.integers(0, KINDS, N)
    return x, labels, [(rng.uniform(-1, 1, shape) * 0.05).astype(np.float32) for shape in SHAPES]


def changes(loss: Any, parameters: list[Array]) -> Results:
    """Return the loss and how far each parameter moved."""
    named = {"loss": np.asarray(loss)}
    for i, (now, start) in enumerate(zip(parameters, data()[2], strict=True)):
        named[f"change of parameter {i}"] = now - start
    return named


def columns(x: Array) -> Array:
    """Return the windows of each image as columns: (50, 3 * 7 * 7, 32 * 32)."""
    edge = KERNEL // 2
    padded = np.pad(x, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KERNEL, KERNEL), (2, 3))
    return np.ascontiguousarray(windows.transpose(0, 1, 4, 5, 2, 3)).reshape(N, 3 * KERNEL * KERNEL, SIDE * SIDE)


def quarters(h: Array) -> tuple[Array, Array, Array, Array]:
    """Return the four elements of every 2 x 2 window, each as (50, 32, 16, 16)."""
    return h[:, :, ::2, ::2], h[:, :, ::2, 1::2], h[:, :, 1::2, ::2], h[:, :, 1::2, 1::2]


def loss_and_gradients(x: Array, labels: npt.NDArray[np.int64], parameters: list[Array]) -> tuple[Array, list[Array]]:
    """Return the mean cross-entropy and the gradient of every parameter."""
    w, b, w1, b1, w2, b2 = parameters
    cols, flat = columns(x), w.reshape(FILTERS, -1)
    h = np.empty((N, FILTERS, SIDE, SIDE), np.float32)
    for image, col in zip(h, cols, strict=True):
        np.matmul(flat, col, image.reshape(FILTERS, -1))
    h += b[:, None, None]
    np.maximum(h, 0, h)
    a, c, d, e = quarters(h)
    pooled = np.maximum(np.maximum(a, c), np.maximum(d, e))
    rows = pooled.reshape(N, FLAT)
    h1 = np.maximum(rows @ w1.T + b1, 0)
    scores = h1 @ w2.T + b2
    scores -= scores.max(axis=1, keepdims=True)
    g2 = np.exp(scores)
    total = g2.sum(axis=1, keepdims=True)
    g2 /= total
    place = np.arange(N)
    loss = (np.log(total[:, 0]) - scores[place, labels]).mean()
    g2[place, labels] -= 1
    g2 /= N
    g1 = (g2 @ w2) * (h1 > 0)
    gp = (g1 @ w1).reshape(pooled.shape)
    gh = np.zeros_like(h)
    left = pooled > 0  # the relu's slope; ties go to the first of a window
    for part, into in zip(quarters(h), quarters(gh), strict=True):
        hit = (part == pooled) & left
        into[...] = gp * hit
        left &= ~hit
    gw = np.zeros((flat.shape[1], FILTERS), np.float32)
    for col, g in zip(cols, gh, strict=True):
        gw += col @ g.reshape(FILTERS, -1).T
    gradients = [gw.T.reshape(w.shape), gh.sum(axis=(0, 2, 3)), g1.T @ rows, g1.sum(axis=0), g2.T @ h1, g2.sum(axis=0)]
    return loss, gradients


def by_hand() -> Case:
    """Return the case of NumPy: the gradients above and SGD with momentum."""
    x, labels, parameters = data()
    moved = [np.zeros_like(p) for p in parameters]

    def step() -> Array:
        loss, gradients = loss_and_gradients(x, labels, parameters)
        for i, g in enumerate(gradients):
            moved[i] *= MOMENTUM
            moved[i] += g
            parameters[i] -= LR * moved[i]
        return loss

    return Case(step, lambda loss: changes(loss, parameters))


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, start_labels, values = data()
    x, labels, nn = torch.tensor(start), torch.tensor(start_labels), torch.nn
    model = nn.Sequential(
        *(nn.Conv2d(3, FILTERS, KERNEL, padding=KERNEL // 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(FLAT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, KINDS)),
    )
    start_from(torch, model, values)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    def read(loss: Any) -> Results:
        return changes(loss.detach().numpy(), [p.detach().numpy() for p in model.parameters()])

    return Case(training_step(torch, model, optimizer, x, labels), read)


WORKLOAD = Workload(
    "convnet",
    "convnet, 50 images 3 x 32 x 32, 32 filters 7 x 7, SGD with momentum, one step",
    by_hand,
    in_torch,
    over_torch=1.0,
    over_numpy=1.15,
    tolerance=1e-3,
)
