"""Losses of classes, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.messages import in_words, real, rng, unit
from support.oracle import same

REDUCTIONS = ["none", "mean", "sum"]
SHAPES = [(), (1,), (4,), (2, 3), (0,), (2, 0, 3), (2, 3, 2)]

SCORES = [(3,), (2, 3), (0, 3), (2, 3, 4), (2, 3, 2, 2), (2, 3, 1, 2, 2)]


def labels(shape: tuple[int, ...], classes: int = 3) -> np.ndarray:
    rest = () if len(shape) == 1 else (shape[0], *shape[2:])
    return np.asarray(rng.integers(0, classes, rest))


@pytest.mark.parametrize("shape", SCORES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignore", [-100, 1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy", "smoothed"])
def test_classes(shape: tuple[int, ...], reduction: str, ignore: int, weighted: bool, name: str) -> None:
    options: dict[str, Any] = {"reduction": reduction, "ignore_index": ignore}
    if name == "smoothed":
        options["label_smoothing"] = 0.2
    function = "cross_entropy" if name == "smoothed" else name
    weight = unit(3)

    def loss(T: Any, x: Any, t: Any) -> Any:
        w = T.tensor(weight) if weighted else None
        return getattr(T.nn.functional, function)(x * x, t, w, **options)  # PyTorch has zeros, not None, for x alone

    plain = len(shape) < 3 and name != "smoothed"
    same(loss, real(*shape), labels(shape), names=plain)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_dtypes(dtype: str, reduction: str) -> None:
    x = real(4, 3, dtype=dtype)
    same(lambda T, x, t: T.nn.functional.cross_entropy(x, t, reduction=reduction), x, labels((4, 3)))
    same(lambda T, x, t: T.nn.functional.cross_entropy(x, t.to(T.uint8), reduction=reduction), x, labels((4, 3)))


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nothing_counts(name: str, reduction: str) -> None:
    ignored = np.full(2, -100)
    same(lambda T, x, t: getattr(T.nn.functional, name)(x * x, t, reduction=reduction), real(2, 3), ignored)


def test_extreme_scores() -> None:
    x = np.array([[1000.0, 0, -1000], [-1e30, 1e30, 0], [0, -np.inf, 1]])
    same(lambda T, x, t: T.nn.functional.cross_entropy(x, t, reduction="none"), x, np.array([2, 1, 0]))
    same(lambda T, x, t: T.nn.functional.cross_entropy(x, t, reduction="none"), x, np.array([0, 0, 1]), grad=False)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities(shape: tuple[int, ...], reduction: str, smoothing: float, weighted: bool) -> None:
    weight = unit(3)

    def loss(T: Any, x: Any, t: Any) -> Any:
        w = T.tensor(weight) if weighted else None
        return T.nn.functional.cross_entropy(x, t, w, reduction=reduction, label_smoothing=smoothing)

    same(loss, real(*shape), unit(*shape))


NLL_WRONG: list[tuple[Any, list[np.ndarray]]] = [
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(2, 3), np.array([0, 5])]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(2, 3), np.array([0, -1])]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(2, 3), np.array([0])]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(2, 3), np.array([0.0, 1.0], "float32")]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(2, 3), np.array([0, 1], "int32")]),
    (lambda T, x, t, w: T.nn.functional.nll_loss(x, t, w), [real(2, 3), np.array([0, 1]), real(2)]),
    (lambda T, x, t, w: T.nn.functional.nll_loss(x, t, w.requires_grad_()), [real(2, 3), np.array([0, 1]), real(3)]),
    (lambda T, x, t, w: T.nn.functional.nll_loss(x, t, w.float()), [real(2, 3), np.array([0, 1]), real(3)]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(2, 3), np.array([[1], [1]])]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(), np.array(0)]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(3), np.array([0, 1])]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [np.ones((2, 3), np.int64), np.array([0, 1])]),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), [real(2, 3, 4), np.zeros((2, 5), np.int64)]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), [real(2, 3), np.array([0, 7])]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), [real(2, 3), np.array([0, 1, 1])]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), [real(2, 3), np.array([0.0, 1.0])]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t, label_smoothing=1.1), [real(2, 3), np.array([0, 1])]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t, ignore_index=1), [real(2, 3), unit(2, 3)]),
    (lambda T, x, t, w: T.nn.functional.cross_entropy(x, t, w), [real(2, 3), unit(2, 3), unit(2)]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), [real(2, 3), np.ones((2, 3), np.int64)]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), [np.ones((2, 3), np.int64), np.array([0, 1])]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), [real(2, 0), np.array([0, 0])]),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t, reduction="x"), [real(2, 3), np.array([0, 0])]),
]


@pytest.mark.parametrize("number", range(len(NLL_WRONG)))
def test_wrong_classes(number: int) -> None:
    code, arrays = NLL_WRONG[number]
    in_words(code, *arrays)
