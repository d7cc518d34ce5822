"""Three times conv 3 x 3, batch norm, relu, pool on 50 images 3 x 32 x 32; a linear layer, cross-entropy, SGD."""

from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .convnet import quarters
from .workload import Array, Case, Results, Workload, start_from, training_step

N, SIDE, CHANNELS, KINDS = 50, 32, (3, 32, 64, 128), 10
FLAT = CHANNELS[-1] * (SIDE // 8) ** 2
LR, MOMENTUM, DRIFT, EPS = 1e-2, 0.9, 0.1, 1e-5


def data() -> tuple[Array, npt.NDArray[np.int64], list[Array]]:
    """Return x (50, 3, 32, 32), labels (50,), and of each layer weight and bias, of each norm too."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((N, 3, SIDE, SIDE)).astype(np.float32)
    labels = rng.integers(0, KINDS, N)
    shapes = [s for i, o in pairwise(CHANNELS) for s in ((o, i, 3, 3), (o,), (o,), (o,))]
    values = [(rng.uniform(-1, 1, s) * 0.1).astype(np.float32) for s in (*shapes, (KINDS, FLAT), (KINDS,))]
    values[2:-2:4] = [scale + 1 for scale in values[2:-2:4]]
    return x, labels, values


def changes(loss: Any, parameters: list[Array], running: list[Array]) -> Results:
    """Return the loss, how far each parameter moved, and the running statistics.

    A bias before a batch norm has a gradient of zero but for rounding: it is left out.
    """
    named = {"loss": np.asarray(loss)}
    for i, (now, start) in enumerate(zip(parameters, data()[2], strict=True)):
        if i % 4 != 1 or i == len(parameters) - 1:
            named[f"change of parameter {i}"] = now - start
    for i, statistic in enumerate(running):
        named[f"running statistic {i}"] = statistic.copy()
    return named


def columns(x: Array) -> Array:
    """Return the 3 x 3 windows of each image as columns: (50, C * 9, H * W)."""
    batch, channels, side, _ = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.ascontiguousarray(windows.transpose(0, 1, 4, 5, 2, 3)).reshape(batch, channels * 9, side * side)


def scattered(cols: Array, channels: int, side: int) -> Array:
    """Return images to which the columns of their 3 x 3 windows are added."""
    padded = np.zeros((len(cols), channels, side + 2, side + 2), np.float32)
    taps = cols.reshape(len(cols), channels, 3, 3, side, side)
    for i in range(3):
        for j in range(3):
            padded[:, :, i : i + side, j : j + side] += taps[:, :, i, j]
    return padded[:, :, 1:-1, 1:-1]


class Block(NamedTuple):
    """The values saved for the backward pass of one block."""

    cols: Array
    unit: Array
    rstd: Array
    active: Array
    pooled: Array


def forward(x: Array, parameters: list[Array], running: list[Array]) -> tuple[Array, Block]:
    """Return one block's result and its saved values; the running statistics are updated."""
    w, b, scale, shift = parameters
    side, cols = x.shape[2], columns(x)
    h = np.matmul(w.reshape(len(w), -1), cols)
    h += b[:, None]
    mean = h.mean(axis=(0, 2))
    h -= mean[:, None]
    var = np.einsum("ncr,ncr->c", h, h) / (h.size // len(w))
    count = h.size // len(w)
    for statistic, now in zip(running, (mean, var * (count / (count - 1))), strict=True):
        statistic[...] = (1 - DRIFT) * statistic + DRIFT * now
    rstd = 1 / np.sqrt(var + np.float32(EPS))
    h *= rstd[:, None]
    active = h * scale[:, None]
    active += shift[:, None]
    np.maximum(active, 0, active)
    a, c, d, e = quarters(active.reshape(len(x), len(w), side, side))
    pooled = np.maximum(np.maximum(a, c), np.maximum(d, e))
    return pooled, Block(cols, h, rstd, active, pooled)


def backward(g: Array, kept: Block, parameters: list[Array], first: bool) -> tuple[Array | None, list[Array]]:
    """Return the gradient of the input, unless it is the ``first`` block, and of the parameters."""
    w, _, scale, _ = parameters
    side = g.shape[2] * 2
    active = kept.active.reshape(len(g), len(w), side, side)
    seed = np.zeros_like(active)
    left = kept.pooled > 0  # the relu's slope; ties go to the first of a window
    for part, into in zip(quarters(active), quarters(seed), strict=True):
        hit = (part == kept.pooled) & left
        into[...] = g * hit
        left &= ~hit
    seed = seed.reshape(kept.unit.shape)
    g_shift, g_scale = seed.sum(axis=(0, 2)), np.einsum("ncr,ncr->c", seed, kept.unit)
    count = np.float32(seed.size // len(w))
    seed -= (g_shift / count)[:, None]
    seed -= kept.unit * (g_scale / count)[:, None]
    seed *= (scale * kept.rstd)[:, None]
    gw = np.zeros((kept.cols.shape[1], len(w)), np.float32)
    for col, part in zip(kept.cols, seed, strict=True):
        gw += col @ part.T
    gradients = [gw.T.reshape(w.shape), seed.sum(axis=(0, 2)), g_scale, g_shift]
    if first:
        return None, gradients
    return scattered(np.matmul(w.reshape(len(w), -1).T, seed), w.shape[1], side), gradients


def loss_and_gradients(
    x: Array, labels: npt.NDArray[np.int64], parameters: list[Array], running: list[Array]
) -> tuple[Array, list[Array]]:
    """Return the mean cross-entropy and the gradient of every parameter."""
    kept: list[Block] = []
    for i in range(3):
        x, block = forward(x, parameters[4 * i : 4 * i + 4], running[2 * i : 2 * i + 2])
        kept.append(block)
    rows, (w, b) = x.reshape(N, FLAT), parameters[-2:]
    scores = rows @ w.T + b
    scores -= scores.max(axis=1, keepdims=True)
    g2 = np.exp(scores)
    total = g2.sum(axis=1, keepdims=True)
    g2 /= total
    place = np.arange(N)
    loss = (np.log(total[:, 0]) - scores[place, labels]).mean()
    g2[place, labels] -= 1
    g2 /= N
    gradients = [g2.T @ rows, g2.sum(axis=0)]
    g: Any = (g2 @ w).reshape(x.shape)
    for i in (2, 1, 0):
        g, found = backward(g, kept[i], parameters[4 * i : 4 * i + 4], i == 0)
        gradients = found + gradients
    return loss, gradients


def by_hand() -> Case:
    """Return the case of NumPy: the gradients above and SGD with momentum."""
    x, labels, parameters = data()
    moved = [np.zeros_like(p) for p in parameters]
    running = [make(c, np.float32) for c in CHANNELS[1:] for make in (np.zeros, np.ones)]

    def step() -> Array:
        loss, gradients = loss_and_gradients(x, labels, parameters, running)
        for i, g in enumerate(gradients):
            moved[i] *= MOMENTUM
            moved[i] += g
            parameters[i] -= LR * moved[i]
        return loss

    return Case(step, lambda loss: changes(loss, parameters, running))


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, start_labels, values = data()
    x, labels, nn = torch.tensor(start), torch.tensor(start_labels), torch.nn
    blocks = [
        (nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2)) for i, o in pairwise(CHANNELS)
    ]
    model = nn.Sequential(*(layer for block in blocks for layer in block), nn.Flatten(), nn.Linear(FLAT, KINDS))
    start_from(torch, model, values)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    def read(loss: Any) -> Results:
        running = [b.numpy() for name, b in model.named_buffers() if name.split(".")[-1] != "num_batches_tracked"]
        return changes(loss.detach().numpy(), [p.detach().numpy() for p in model.parameters()], running)

    return Case(training_step(torch, model, optimizer, x, labels), read)


WORKLOAD = Workload(
    "conv-bn",
    "3 x (conv 3 x 3, batch norm, relu, pool), 32/64/128 channels, 50 images 3 x 32 x 32, one step",
    by_hand,
    in_torch,
    over_torch=1.4,
    over_numpy=1.15,
    # Rounding flips a relu or a maximum here and there: against float64 all three are 1e-3 to 2.5e-3 off.
    tolerance=5e-3,
)
