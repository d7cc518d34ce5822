"""What a gradient does not follow, an index or a target, may be written after the call: right, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.nn import functional as F

X = [[0.1, 0.5, -0.3], [0.2, 0.7, 0.9]]


def rolled(t: Any) -> None:
    """Write another valid index, or the opposite of a mask, everywhere."""
    if t.dtype is torch.bool:
        t.logical_not_()
    else:
        t.copy_(1 - t.clamp(0, 1))


def written_at(x: Any, i: Any) -> Any:
    y = x * 1
    y[:, i] = 5.0
    return y * y


def gathered(x: Any) -> Any:
    order = x.argsort(1)
    return x.gather(1, order), order


ARGUMENTS: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "cross_entropy": (F.cross_entropy, [0, 2]),
    "cross_entropy smoothed": (lambda x, i: F.cross_entropy(x, i, label_smoothing=0.1), [0, 2]),
    "cross_entropy ignoring": (lambda x, i: F.cross_entropy(x, i, ignore_index=0), [0, 2]),
    "nll_loss": (F.nll_loss, [0, 2]),
    "nll_loss of images": (lambda x, i: F.nll_loss(x.reshape(1, 3, 2), i), [[0, 2]]),
    "multi_margin_loss": (F.multi_margin_loss, [0, 2]),
    "multilabel_margin_loss": (F.multilabel_margin_loss, [[0, -1, 1], [2, 1, -1]]),
    "ctc_loss": (lambda x, i: F.ctc_loss(x.log_softmax(1)[:, None], i, (2,), (1,)), [[2]]),
    "embedding": (lambda x, i: F.embedding(i, x), [0, 0, 1]),
    "embedding_bag": (lambda x, i: F.embedding_bag(i, x), [[0, 0], [0, 1]]),
    "embedding_bag of the largest": (lambda x, i: F.embedding_bag(i, x, mode="max"), [[0, 0], [0, 1]]),
    "gather": (lambda x, i: x.gather(1, i), [[0, 2], [1, 1]]),
    "index_select": (lambda x, i: x.index_select(1, i), [0, 2]),
    "getitem": (lambda x, i: x[:, i], [0, 2]),
    "getitem beside a slice": (lambda x, i: x[i, 1:], [0, 0]),
    "getitem of a number": (lambda x, i: x[i], 0),
    "getitem of a mask": (lambda x, i: x[i], [[True, False, True], [False, True, True]]),
    "take": (lambda x, i: x.take(i), [0, 2]),
    "take_along_dim": (lambda x, i: x.take_along_dim(i, 1), [[0, 2], [1, 1]]),
    "masked_select": (lambda x, i: x.masked_select(i), [[True, False, True], [False, True, True]]),
    "masked_fill": (lambda x, i: x.masked_fill(i, 3.0), [[True, False, True], [False, True, True]]),
    "where": (lambda x, i: torch.where(i, x, x * 2), [[True, False, True], [False, True, True]]),
    "index_add": (lambda x, i: torch.zeros(2, 3).double().index_add(1, i, x) * Y, [0, 2, 1]),
    "index_copy": (lambda x, i: torch.zeros(2, 3).double().index_copy(1, i, x) * Y, [0, 2, 1]),
    "index_put": (lambda x, i: torch.zeros(3, 3).double().index_put((i,), x) ** 2, [0, 2]),
    "scatter": (lambda x, i: torch.zeros(2, 3).double().scatter(1, i, x) * Y, [[0, 2, 1], [1, 0, 2]]),
    "scatter_add": (lambda x, i: torch.zeros(2, 3).double().scatter_add(1, i, x) * Y, [[0, 2, 1], [1, 0, 2]]),
    "scatter_reduce": (
        lambda x, i: torch.ones(2, 3).double().scatter_reduce(1, i, x, "prod") * Y,
        [[0, 2, 1], [1, 0, 2]],
    ),
    "masked_scatter": (
        lambda x, i: torch.zeros(2, 3).double().masked_scatter(i, x) * Y,
        [[True, False, True], [False, True, True]],
    ),
    "put": (lambda x, i: torch.zeros(6).double().put(i, x) * Y.flatten(), [[0, 1, 2], [3, 4, 5]]),
    "max_unpool": (lambda x, i: F.max_unpool1d(x[None], i[None], 2) * Y.reshape(1, 1, 6), [[0, 2, 4], [1, 3, 5]]),
    "repeat_interleave": (lambda x, i: x.repeat_interleave(i, 1) * Z, [0, 2, 1]),
    "attention": (lambda x, i: F.scaled_dot_product_attention(x, x, x, i), [[True, False], [True, True]]),
    "a write at an index": (written_at, [0, 2]),
}
Y = torch.tensor([[1.0, 2, 3], [4, 5, 6]]).double()
Z = torch.tensor([1.0, 2, 3]).double()


RESULTS: dict[str, Callable[[Any], Any]] = {
    "max": lambda x: x.max(1),
    "min": lambda x: x.min(1),
    "sort": lambda x: x.sort(1),
    "topk": lambda x: x.topk(2, 1),
    "median": lambda x: x.median(1),
    "nanmedian": lambda x: x.nanmedian(1),
    "mode": lambda x: x.mode(1),
    "kthvalue": lambda x: x.kthvalue(2, 1),
    "cummax": lambda x: x.cummax(1),
    "cummin": lambda x: x.cummin(1),
    "max_pool1d": lambda x: F.max_pool1d(x, 2, return_indices=True),
    "max_pool2d": lambda x: F.max_pool2d(x[None], 2, return_indices=True),
    "adaptive_max_pool1d": lambda x: F.adaptive_max_pool1d(x, 2, return_indices=True),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x[None], (1, 3), return_indices=True),
    "fractional_max_pool2d": lambda x: F.fractional_max_pool2d(
        x[None], (1, 2), (2, 2), return_indices=True, _random_samples=torch.tensor([[[0.2, 0.7]]]).double()
    ),
    "gather by argsort": gathered,
}


def gradient(call: Callable[[Any, Any], Any], argument: Any, write: bool) -> np.ndarray | None:
    """Return the gradient of ``call`` or, if that is refused, None."""
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    i = torch.tensor(argument)
    out = call(x, i)
    before = i.tolist()
    if write:
        rolled(i)
        assert i.tolist() != before
    return walked(out, x)


def walked(out: Any, x: Any) -> np.ndarray | None:
    try:
        out.sum().backward()
    except RuntimeError as error:
        if "modified by an inplace operation" in str(error):
            return None
        raise
    made: np.ndarray = x.grad.numpy()
    return made


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_a_written_argument(name: str) -> None:
    call, argument = ARGUMENTS[name]
    plain, written = gradient(call, argument, False), gradient(call, argument, True)
    assert plain is not None
    if written is not None:
        np.testing.assert_array_equal(written, plain)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_written_index_among_the_results(name: str) -> None:
    found = []
    for write in (False, True):
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        values, indices = RESULTS[name](x)
        if write:
            rolled(indices)
        found.append(walked(values, x))
    assert found[0] is not None
    if found[1] is not None:
        np.testing.assert_array_equal(found[1], found[0])


@pytest.mark.parametrize("training", [True, False])
def test_running_statistics_may_move_on(training: bool) -> None:
    def found(write: bool) -> np.ndarray | None:
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        mean, var = torch.zeros(3).double(), torch.ones(3).double()
        out = F.batch_norm(x, mean, var, training=training) ** 3
        if write:
            F.batch_norm(torch.ones(2, 3).double() * 3, mean, var, training=True)
            assert mean[0] != 0
        return walked(out, x)

    plain, written = found(False), found(True)
    assert plain is not None
    if written is not None:
        np.testing.assert_array_equal(written, plain)
