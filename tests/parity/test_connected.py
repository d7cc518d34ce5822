"""The recorded gradient of a function may be differentiated by its input once more where PyTorch's can, with zeros."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rushlight

VALUES = [1.0, -2.0, 0.5, 3.0]
IMAGE, ROW = (1, 1, 2, 2), (1, 1, 4)


def functional(name: str, *args: Any, shape: tuple[int, ...] = (4,), **kwargs: Any) -> Any:
    return lambda T, x: getattr(T.nn.functional, name)(x.view(shape), *args, **kwargs)


FUNCTIONS: dict[str, Any] = {
    "norm(1)": lambda T, x: x.norm(1),
    "norm(inf)": lambda T, x: x.norm(float("inf")),
    "norm(-inf)": lambda T, x: x.norm(-float("inf")),
    "matrix_norm(1)": lambda T, x: T.linalg.matrix_norm(x.view(2, 2), 1),
    "dist(1)": lambda T, x: T.dist(x, T.ones(4), p=1),
    "pairwise_distance(1)": lambda T, x: T.nn.functional.pairwise_distance(x[None], T.ones(1, 4), p=1),
    "pairwise_distance(inf)": lambda T, x: T.nn.functional.pairwise_distance(x[None], T.ones(1, 4), p=float("inf")),
    "abs": lambda T, x: x.abs(),
    "copysign": lambda T, x: T.copysign(x, T.tensor(-1.0)),
    "l1_loss": lambda T, x: T.nn.functional.l1_loss(x, T.zeros(4)),
    "prelu": lambda T, x: T.nn.functional.prelu(x, T.tensor(0.2)),
    "nll_loss": lambda T, x: T.nn.functional.nll_loss(x[None], T.tensor([1])),
    "relu": functional("relu"),
    "relu6": functional("relu6"),
    "leaky_relu": functional("leaky_relu"),
    "max_pool1d": functional("max_pool1d", 2, shape=ROW),
    "max_pool2d": functional("max_pool2d", 2, shape=IMAGE),
    "avg_pool1d": functional("avg_pool1d", 2, shape=ROW),
    "avg_pool2d": functional("avg_pool2d", 2, shape=IMAGE),
    "lp_pool1d(1)": functional("lp_pool1d", 1, 2, shape=ROW),
    "adaptive_max_pool1d": functional("adaptive_max_pool1d", 2, shape=ROW),
    "adaptive_avg_pool2d": functional("adaptive_avg_pool2d", 1, shape=IMAGE),
    "fractional_max_pool2d": functional("fractional_max_pool2d", 1, output_size=1, shape=IMAGE),
    "interpolate(area)": functional("interpolate", size=2, mode="area", shape=ROW),
    "interpolate(nearest)": functional("interpolate", size=8, shape=ROW),
    "interpolate(bilinear)": functional("interpolate", size=3, mode="bilinear", shape=IMAGE),
    "pad(reflect)": functional("pad", (1, 1), mode="reflect", shape=ROW),
    "pad(replicate)": functional("pad", (1, 1), mode="replicate", shape=ROW),
    "sum": lambda T, x: x.sum(),
    "max": lambda T, x: x.max(),
    "sort": lambda T, x: x.sort().values,
    "clamp": lambda T, x: x.clamp(-1, 1),
}


def again(T: Any, function: Any, weighted: bool) -> Any:
    """Return the gradient of the summed squares of the gradient, or None if that is a constant."""
    x = T.tensor(VALUES, requires_grad=True)
    w = T.tensor(2.0, requires_grad=weighted)
    (g,) = T.autograd.grad((function(T, x) * w).sum(), x, create_graph=True)
    if not g.requires_grad:
        return None
    found = T.autograd.grad(g.pow(2).sum(), x, allow_unused=True)[0]
    # PyTorch gives some zeros without memory, which only an addition shows
    return None if found is None else (found + T.zeros(4)).tolist()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gradient_stays_connected(name: str, weighted: bool) -> None:
    right = again(torch, FUNCTIONS[name], weighted)
    assert again(rushlight, FUNCTIONS[name], weighted) == (right if right is None else pytest.approx(right))
