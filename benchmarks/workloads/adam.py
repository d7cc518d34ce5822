"""Adam alone, the gradients given: parameters that fit the cache, and parameters that do not."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
BLOCK = 16384  # elements that a careful NumPy program updates at a time, so that they stay in cache
SMALL, LARGE = (50, 10_000), (4, 1_000_000)


def data(count: int, size: int) -> tuple[list[Array], list[Array]]:
    """Return parameters and gradients."""
    rng = np.random.default_rng(6)
    parameters = [rng.standard_normal(size).astype(np.float32) for _ in range(count)]
    return parameters, [rng.standard_normal(size).astype(np.float32) for _ in range(count)]


def changes(parameters: list[Array], count: int, size: int) -> Results:
    """Return how far the first and the last parameter moved."""
    starts = data(count, size)[0]
    return {f"change of parameter {i}": parameters[i] - starts[i] for i in (0, count - 1)}


def update(p: Array, g: Array, m: Array, v: Array, free: Array, size: np.float32, eps: np.float32) -> None:
    """Update one block in place."""
    m *= np.float32(BETA1)
    np.multiply(g, np.float32(1 - BETA1), free)
    m += free
    v *= np.float32(BETA2)
    np.multiply(g, g, free)
    free *= np.float32(1 - BETA2)
    v += free
    np.sqrt(v, free)
    free += eps
    np.divide(m, free, free)
    free *= size
    p -= free


def by_hand(count: int, size: int) -> Callable[[], Case]:
    """Return the maker of NumPy's case: in place, in blocks."""

    def make() -> Case:
        parameters, gradients = data(count, size)
        ms, vs = ([np.zeros_like(p) for p in parameters] for _ in range(2))
        free = np.empty(BLOCK, np.float32)
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1
            root = (1 - BETA2**steps) ** 0.5
            scale, eps = np.float32(LR * root / (1 - BETA1**steps)), np.float32(EPS * root)
            for p, g, m, v in zip(parameters, gradients, ms, vs, strict=True):
                for low in range(0, p.size, BLOCK):
                    at = slice(low, low + BLOCK)
                    update(p[at], g[at], m[at], v[at], free[: p.size - low], scale, eps)

        return Case(step, lambda _: changes(parameters, count, size))

    return make


def in_torch(count: int, size: int) -> Callable[[ModuleType], Case]:
    """Return the maker of the case of an engine with PyTorch's API."""

    def make(torch: ModuleType) -> Case:
        values, gradients = data(count, size)
        parameters: list[Any] = [torch.tensor(value, requires_grad=True) for value in values]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.tensor(gradient)
        optimizer = torch.optim.Adam(parameters, lr=LR, betas=(BETA1, BETA2), eps=EPS)

        def read(_: Any) -> Results:
            return changes([p.detach().numpy() for p in parameters], count, size)

        return Case(optimizer.step, read)

    return make


SMALL_WORKLOAD = Workload(
    "adam-small",
    "Adam, 50 parameters of 10 000 elements",
    by_hand(*SMALL),
    in_torch(*SMALL),
    over_torch=0.45,
    over_numpy=1.10,
    tolerance=1e-4,
)
LARGE_WORKLOAD = Workload(
    "adam-large",
    "Adam, 4 parameters of 1 000 000 elements",
    by_hand(*LARGE),
    in_torch(*LARGE),
    over_torch=0.90,
    over_numpy=1.10,
    tolerance=1e-4,
)
