"""What shall come out the same on every platform, as one line of JSON.

``compare.py`` runs it here and under CPython for WebAssembly, which is 32 bits wide and has no threads and processes.
The argument is a folder to write in.
Every result is written as dtype, shape and values.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import rushlight as torch
from rushlight import nn, viz


def plain(value: Any) -> Any:
    """Return a result as lists, numbers and texts."""
    if isinstance(value, torch.Tensor):
        array = value.detach().numpy()
        return [str(value.dtype), list(array.shape), [str(v) for v in array.ravel().tolist()]]
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    return [type(value).__name__, str(value)]


X = torch.tensor([[3.0, -1.0, 2.0, 2.0], [0.0, 5.0, -4.0, 1.0], [1.0, 1.0, 1.0, 7.0]])
N = torch.tensor([[3, 1, 2, 2], [0, 5, 4, 1]])
SMALL = torch.tensor([3, 1, 2, 2], dtype=torch.int32)
BYTES = torch.tensor([200, 100, 255], dtype=torch.uint8)


def indices_and_counts() -> Iterator[tuple[str, Any]]:
    """Yield what hands out places, counts or whole numbers: int64 wherever PyTorch says so."""
    for name in ["argmax", "argmin"]:
        yield name, [getattr(X, name)(), getattr(X, name)(1), getattr(N, name)(0, keepdim=True)]
    for name in ["max", "min", "median", "nanmedian", "mode", "sort", "cummax", "cummin"]:
        yield name, [tuple(getattr(X, name)(1)), tuple(getattr(N, name)(0))]
    yield "kthvalue", [tuple(X.kthvalue(2, 1)), tuple(N.kthvalue(1, 0))]
    yield "topk", [tuple(X.topk(2)), tuple(N.topk(1, 0, largest=False))]
    yield "argsort", [X.argsort(1), X.argsort(0, descending=True), N.argsort(stable=True), torch.msort(X)]
    yield "aminmax", list(X.aminmax(dim=1))
    yield "nonzero", [X.nonzero(), torch.argwhere(N), list(N.nonzero(as_tuple=True)), list(torch.where(X > 1))]
    yield "count_nonzero", [X.count_nonzero(), X.count_nonzero(1), (X > 1).sum(), (X > 1).sum(0), (X > 1).cumsum(1)]
    yield "bincount", [torch.bincount(N.flatten()), torch.bincount(SMALL, minlength=9)]
    yield "histc", [torch.histc(X, 4), *torch.histogram(X, 3)]
    yield "unique", list(torch.unique(N, return_inverse=True, return_counts=True))
    yield "unique(dim)", list(torch.unique(N, dim=0, return_inverse=True, return_counts=True))
    yield "unique_consecutive", list(torch.unique_consecutive(SMALL, return_inverse=True, return_counts=True))
    yield (
        "searchsorted",
        [
            torch.searchsorted(torch.tensor([1.0, 2.0, 3.0]), X),
            torch.searchsorted(torch.tensor([1.0, 2.0, 3.0]), X, out_int32=True),
            torch.bucketize(X, torch.tensor([0.0, 2.0])),
        ],
    )
    yield (
        "sums",
        [
            SMALL.sum(),
            SMALL.prod(),
            SMALL.cumsum(0),
            SMALL.cumprod(0),
            BYTES.sum(),
            BYTES.cumsum(0),
            (N > 1).prod(),
            N.sum(0),
            (SMALL > 1).cumprod(0),
            SMALL.float().sum(),
            BYTES.sum(dtype=torch.int32),
            torch.trace(N),
        ],
    )
    yield (
        "large",
        [
            torch.tensor(3_000_000_000),
            torch.full((2,), 3_000_000_000),
            torch.arange(3_000_000_000, 3_000_000_003),
            X.argmax(1) * 3_000_000_000,
            N.sum() * 1_000_000_000,
            torch.tensor([2**40]) // 3,
            torch.tensor(2) ** 40,
            torch.tensor([1, 2]) << 40,
            torch.tensor([7]).bitwise_xor(torch.tensor([2**50])),
            N.numel() * 2**33,
            SMALL.long() * 2**33,
            torch.tensor(2**40).item(),
            torch.tensor([2.0**40]).long(),
            (N * 2**32).tolist(),
            torch.iinfo(torch.int64).max,
            torch.tensor([2**62]).float(),
            torch.randint(2**40, (3,)) * 0,
        ],
    )
    yield (
        "made",
        [
            torch.arange(5),
            torch.arange(0, 5, 2),
            torch.tensor([1, 2]),
            torch.tensor(True),
            torch.tensor([[1], [2]]),
            torch.zeros(2, dtype=torch.long),
            torch.full((2,), 7),
            torch.eye(2, dtype=torch.int64),
            torch.randperm(7),
            torch.tril_indices(3, 3),
            torch.triu_indices(3, 3),
            torch.as_tensor(np.arange(3, dtype=np.int64)),
            torch.tensor(np.arange(3, dtype=np.int32)),
            torch.logspace(0, 3, 4, dtype=torch.int64),
            torch.cartesian_prod(N[0], N[1]),
            torch.combinations(N[0]),
            torch.meshgrid(N[0], N[1], indexing="ij")[0],
            torch.vander(N[0]),
        ],
    )
    yield (
        "arithmetic",
        [
            N + 1,
            N * N,
            N // 2,
            N % 2,
            N / 2,
            -N,
            N.abs(),
            N.clamp(1, 3),
            N == 2,
            N.pow(2),
            torch.floor_divide(N, 2),
            N.float().round().long(),
            N.remainder(3),
            torch.gcd(N, N + 2),
            torch.lcm(N, N + 2),
            N.sign(),
            N.diff(),
            ~N,
            N.fmod(3),
            N.bitwise_and(1),
            N << 1,
            torch.dot(N[0], N[1]),
            N @ N.T,
            N.square(),
            N.T.clone(),
        ],
    )
    yield (
        "indexed",
        [
            X[X.argmax(1)[:2]],
            X.gather(1, X.argsort(1)),
            X.take(N),
            X.index_select(1, N[0]),
            torch.take_along_dim(X, X.argsort(1), 1),
            torch.zeros(3, 6).scatter_add(1, torch.tensor([[0, 5, 1, 1]] * 3), X),
            X.index_put((N[0] % 3,), torch.ones(4)),
            nn.utils.rnn.pack_padded_sequence(X, [4, 2, 1], batch_first=True).batch_sizes,
            nn.functional.one_hot(N),
            nn.functional.embedding(N, torch.arange(12.0).reshape(6, 2)),
            torch.unravel_index(N, (3, 2)),
            torch.isin(N, torch.tensor([1, 2])),
            X.masked_select(X > 1),
            N.repeat_interleave(2, 1),
            N.flip(0),
            N.roll(1),
            X.sort(stable=True).indices,
            nn.functional.max_pool2d(X[None, None], 2, return_indices=True),
            nn.functional.adaptive_max_pool1d(X, 2, return_indices=True),
            nn.functional.embedding_bag(N, torch.arange(12.0).reshape(6, 2), mode="max"),
            torch.bincount(N[0], X[0]),
        ],
    )


def streams() -> Iterator[tuple[str, Any]]:
    """Yield random numbers: the same from the same seed everywhere."""
    draws = {
        "rand": lambda: [torch.rand(5), torch.rand(40), torch.rand(3, dtype=torch.float64)],
        "randn": lambda: [torch.randn(5), torch.randn(40), torch.randn(3, dtype=torch.float64)],
        "randint": lambda: [torch.randint(10, (6,)), torch.randint(-5, 2**40, (3,)), torch.randint(0, 2**32 + 5, (4,))],
        "randperm": lambda: [torch.randperm(10), torch.randperm(3000).sum(), torch.randperm(70000)[:5]],
        "bernoulli": lambda: [torch.bernoulli(torch.full((20,), 0.3)), torch.zeros(9).bernoulli_(0.5)],
        "multinomial": lambda: [
            torch.multinomial(torch.tensor([1.0, 2.0, 3.0]), 2),
            torch.multinomial(X.abs(), 5, True),
        ],
        "normal": lambda: [torch.normal(torch.zeros(4), 2.0), torch.zeros(20).normal_(1, 3)],
        "others": lambda: [
            torch.zeros(6).uniform_(-1, 1),
            torch.zeros(6).exponential_(),
            torch.zeros(6).geometric_(0.3),
            torch.zeros(6).cauchy_(),
            torch.zeros(6).log_normal_(),
            torch.poisson(torch.full((8,), 4.0)),
            torch.zeros(6, dtype=torch.int64).random_(100),
            torch.zeros(4, dtype=torch.int64).random_(),
            torch.zeros(3).random_(),
        ],
        "dropout": lambda: [
            nn.functional.dropout(torch.ones(20)),
            nn.Linear(3, 2).weight,
            nn.init.orthogonal_(torch.empty(3, 3)),
        ],
        "state": lambda: [
            torch.initial_seed(),
            torch.get_rng_state()[:40],
            torch.Generator().manual_seed(2**40).initial_seed(),
        ],
        "split": lambda: [list(torch.utils.data.random_split(range(9), [4, 5])[0].indices)],
    }
    for name, draw in draws.items():
        for seed in (0, 2**35 + 7):
            torch.manual_seed(seed)
            yield f"{name} from {seed}", draw()


def training() -> Iterator[tuple[str, Any]]:
    """Yield the losses of a small classifier, which is then saved and loaded in every format, and drawn."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    data = torch.utils.data.TensorDataset(torch.randn(40, 8), torch.randint(4, (40,)))
    losses = []
    for _ in range(4):
        for x, y in torch.utils.data.DataLoader(data, batch_size=16, shuffle=True):
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
    yield "losses", [torch.tensor(losses)]
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "large": torch.tensor([2**40])}
    for format in ("pt", "npz", "safetensors"):
        file, what = io.BytesIO(), state["model"] if format == "safetensors" else state
        torch.save(what, file, format=format)
        file.seek(0)
        yield f"saved and loaded as {format}", torch.load(file)
        path = Path(sys.argv[1]) / f"state.{format}"
        torch.save(what, path)
        yield f"{format} in a file", torch.load(path)
    convnet = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.MaxPool2d(2), nn.Flatten(), nn.LSTM(12, 4)
    )
    out = convnet(torch.arange(32.0).reshape(2, 1, 4, 4).sin())[0]
    out.square().sum().backward()
    yield "gradients", [p.grad for p in convnet.parameters()]
    graph = viz.trace(model(torch.ones(1, 8)).sum(), model)
    yield "page", [re.sub(r"-?\d+(\.\d+)?(e-\d+)?", "a number", graph.page()), str(graph)]


def main() -> None:
    """Print all of it."""
    found = {}
    for part in (indices_and_counts, streams, training):
        for name, value in part():
            found[f"{part.__name__}: {name}"] = plain(value)
    json.dump({"pointer": sys.maxsize.bit_length() + 1, "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
