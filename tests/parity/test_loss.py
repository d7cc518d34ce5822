"""Losses, against PyTorch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from support.messages import in_warnings, in_words, real, rng, unit
from support.oracle import same

REDUCTIONS = ["none", "mean", "sum"]
SHAPES = [(), (1,), (4,), (2, 3), (0,), (2, 0, 3), (2, 3, 2)]


def labels(shape: tuple[int, ...], classes: int = 3) -> np.ndarray:
    rest = () if len(shape) == 1 else (shape[0], *shape[2:])
    return np.asarray(rng.integers(0, classes, rest))


# ------------------------------------------------------------------ between two tensors of one shape

PAIRS: dict[str, Any] = {
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {"beta": 0.7},
    "huber_loss": {"delta": 0.7},
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_pairs(name: str, shape: tuple[int, ...], reduction: str, dtype: str) -> None:
    def loss(T: Any, x: Any, t: Any) -> Any:
        return getattr(T.nn.functional, name)(x, t, reduction=reduction, **PAIRS[name])

    same(loss, real(*shape, dtype=dtype), real(*shape, dtype=dtype), names=shape == (2, 3))


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_at_kinks_and_edges(name: str) -> None:
    values = np.array([0, 1, -1, 0.5, -0.5, np.inf, -np.inf, 1e-30, 5])
    same(lambda T, x: getattr(T.nn.functional, name)(x, T.zeros(9, dtype=T.float64), reduction="none"), values)
    nan = np.array([np.nan, 1.0])
    same(lambda T, x: getattr(T.nn.functional, name)(x, T.zeros(2, dtype=T.float64)), nan, grad=False)


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_broadcast_with_a_warning(name: str) -> None:
    def loss(T: Any, x: Any, t: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(T.nn.functional, name)(x, t)

    for one, two in [((2, 3), (3,)), ((3,), (2, 3)), ((), (3,)), ((2, 1), (1, 3))]:
        same(loss, real(*one), real(*two))
    in_warnings(lambda T, x, t: getattr(T.nn.functional, name)(x, t), real(2, 3), real(3))
    in_words(lambda T, x, t: getattr(T.nn.functional, name)(x, t), real(2, 3), real(4))


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_other_dtypes(name: str) -> None:
    for one, two in [("float32", "float64"), ("float32", "int64"), ("int64", "float32"), ("int64", "int64")]:
        x, t = ((real(3) * 4).astype(kind) for kind in (one, two))
        if (name, one) != ("huber_loss", "int64"):
            same(lambda T, x, t: getattr(T.nn.functional, name)(x, t), x, t, grad=False)
        if one == "float32" and name != "huber_loss":  # for which PyTorch has no gradient here
            same(lambda T, x, t: T.autograd.grad(getattr(T.nn.functional, name)(x, t), x), x, t)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_pairs_with_weights(name: str, reduction: str) -> None:
    def loss(T: Any, x: Any, t: Any, w: Any) -> Any:
        return getattr(T.nn.functional, name)(x, t, weight=w, reduction=reduction)

    same(loss, real(2, 3), real(2, 3), unit(2, 3))
    in_words(loss, real(2, 3), real(2, 3), unit(3))


@pytest.mark.parametrize("legacy", [{"size_average": False}, {"reduce": False}, {"size_average": True, "reduce": True}])
def test_legacy_arguments(legacy: dict[str, Any]) -> None:
    in_warnings(lambda T, x: T.nn.functional.mse_loss(x, x, **legacy), real(2))
    in_words(lambda T, x: T.nn.functional.mse_loss(x, x, reduction="foo"), real(2))


def test_refused_widths() -> None:
    in_words(lambda T, x: T.nn.functional.smooth_l1_loss(x, x, beta=-1.0), real(2))
    in_words(lambda T, x: T.nn.functional.huber_loss(x, x, delta=0.0), real(2))
    same(lambda T, x, t: T.nn.functional.smooth_l1_loss(x, t, beta=0.0), real(3), real(3))


# ------------------------------------------------------------------ two classes


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_two_classes(name: str, shape: tuple[int, ...], reduction: str, weighted: bool) -> None:
    weight = unit(*shape[-1:])

    def loss(T: Any, x: Any, t: Any) -> Any:
        options = {"weight": T.tensor(weight)} if weighted else {}
        return getattr(T.nn.functional, name)(x, t, reduction=reduction, **options)

    middle = np.asarray(
        0.2 + 0.6 * unit(*shape)
    )  # PyTorch's least divisor is a float32 number, which tells near the ends
    same(loss, middle if name == "binary_cross_entropy" else real(*shape), unit(*shape), names=shape == (4,))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_positive_weights(reduction: str) -> None:
    def loss(T: Any, x: Any, t: Any) -> Any:
        pos = T.tensor([2.0, 0.5, 1.0], dtype=T.float64)
        return T.nn.functional.binary_cross_entropy_with_logits(x, t, pos_weight=pos, reduction=reduction)

    same(loss, real(2, 3), unit(2, 3))


def test_two_classes_at_the_ends() -> None:
    x, t = np.array([0, 1, 0.5, 0, 1]), np.array([0, 1, 0.3, 1, 0])
    same(lambda T, x: T.nn.functional.binary_cross_entropy(x, T.tensor(t), reduction="none"), x, grad=False)
    single = x.astype("float32")
    same(lambda T, x: T.autograd.grad(T.nn.functional.binary_cross_entropy(x, T.tensor(t).float()), x), single)
    far = np.array([200.0, -200, 1e4, -1e4, 0])
    same(lambda T, x: T.nn.functional.binary_cross_entropy_with_logits(x, T.tensor(t), reduction="none"), far)


def test_two_classes_refused() -> None:
    F = "binary_cross_entropy"
    in_words(lambda T, x, t: getattr(T.nn.functional, F)(x, t), unit(2) + 1, unit(2))
    in_words(lambda T, x, t: getattr(T.nn.functional, F)(x, t), unit(2, 3), unit(3))
    in_words(lambda T, x, t: getattr(T.nn.functional, F)(x, t), unit(2), np.ones(2, np.int64))
    in_words(lambda T, x, t: getattr(T.nn.functional, F)(x, t, x.clone().requires_grad_()), unit(2), unit(2))
    F = "binary_cross_entropy_with_logits"
    in_words(lambda T, x, t: getattr(T.nn.functional, F)(x, t), unit(2, 3), unit(3))
    in_words(lambda T, x, t: getattr(T.nn.functional, F)(x, t, pos_weight=x.clone().requires_grad_()), unit(2), unit(2))
    in_words(lambda T, x, t: getattr(T.nn.functional, F)(x, t), unit(2), np.ones(2, np.int64))


# ------------------------------------------------------------------ more losses

SIGNS = np.array([1.0, -1, 1])
OTHERS: dict[str, tuple[Any, list[np.ndarray]]] = {
    "kl_div": (lambda F, x, t, **o: F.kl_div(x, t, **o), [real(2, 3), unit(2, 3)]),
    "kl_div of logs": (lambda F, x, t, **o: F.kl_div(x, t, log_target=True, **o), [real(2, 3), real(2, 3)]),
    "poisson": (lambda F, x, t, **o: F.poisson_nll_loss(x, t, **o), [real(3), unit(3)]),
    "poisson rate": (lambda F, x, t, **o: F.poisson_nll_loss(x, t, log_input=False, **o), [unit(3), unit(3)]),
    "poisson full": (lambda F, x, t, **o: F.poisson_nll_loss(x, t, full=True, **o), [real(3), 3 * unit(3)]),
    "gaussian": (lambda F, x, t, v, **o: F.gaussian_nll_loss(x, t, v, **o), [real(2, 3), real(2, 3), unit(2, 3)]),
    "gaussian rows": (lambda F, x, t, v, **o: F.gaussian_nll_loss(x, t, v, full=True, **o),
        [real(2, 3), real(2, 3), unit(2)]),
    "gaussian one": (lambda F, x, t, v, **o: F.gaussian_nll_loss(x, t, v, eps=0.5, **o),
        [real(2, 3), real(2, 3), unit(2, 1)]),
    "gaussian number": (lambda F, x, t, **o: F.gaussian_nll_loss(x, t, 0.5, **o), [real(2, 3), real(2, 3)]),
    "hinge": (lambda F, x, **o: F.hinge_embedding_loss(x, x.new_tensor([1.0, -1, 1]), **o), [real(3)]),
    "ranking": (lambda F, x, y, **o: F.margin_ranking_loss(x, y, x.new_tensor([1.0, -1, 1]), 0.3, **o),
        [real(3), real(3)]),
    "soft margin": (lambda F, x, **o: F.soft_margin_loss(x, x.new_tensor([1.0, -1, 1]), **o), [real(3)]),
    "multi-label": (lambda F, x, t, **o: F.multilabel_soft_margin_loss(x, t, **o), [real(2, 3), unit(2, 3)]),
    "cosine": (lambda F, x, y, **o: F.cosine_embedding_loss(x, y, x.new_tensor([1.0, -1, 1]), 0.1, **o),
        [real(3, 4), real(3, 4)]),
    "triplet": (lambda F, a, b, c, **o: F.triplet_margin_loss(a, b, c, **o), [real(3, 4), real(3, 4), real(3, 4)]),
    "triplet swapped": (lambda F, a, b, c, **o: F.triplet_margin_loss(a, b, c, p=3, swap=True, **o),
        [real(3, 4), real(3, 4), real(3, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.filterwarnings("ignore:reduction")
def test_other_losses(name: str, reduction: str) -> None:
    code, arrays = OTHERS[name]
    same(lambda T, *xs: code(T.nn.functional, *xs, reduction=reduction), *arrays)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multi_margin(p: int, reduction: str) -> None:
    F = "multi_margin_loss"
    grad_once = {"names": False}
    for x, t in [(real(4, 3), labels((4, 3))), (real(3), labels((3,)))]:

        def loss(T: Any, x: Any, t: Any) -> Any:
            y = getattr(T.nn.functional, F)(x, t, p=p, margin=0.7, reduction=reduction)
            (g,) = T.autograd.grad(y.sum(), x)
            return y.detach(), g

        same(loss, x, t, **grad_once)


def test_kl_div_mean_warns_and_batchmean_divides() -> None:
    in_warnings(lambda T, x, t: T.nn.functional.kl_div(x, t), real(2, 3), unit(2, 3))
    same(lambda T, x, t: T.nn.functional.kl_div(x, t, reduction="batchmean"), real(2, 3), unit(2, 3))


@pytest.mark.parametrize("name", ["normalize", "cosine_similarity", "pairwise_distance"])
def test_lengths_and_angles(name: str) -> None:
    second = [] if name == "normalize" else [real(2, 3)]
    same(lambda T, *xs: getattr(T.nn.functional, name)(*xs), real(2, 3), *second)
    for options in {
        "normalize": [{"p": 1.0}, {"dim": 0}, {"dim": -1, "eps": 2.0}],
        "cosine_similarity": [{"dim": 0}, {"dim": -1}, {"eps": 5.0}],
        "pairwise_distance": [{"p": 3.0}, {"keepdim": True}, {"eps": 0.1}],
    }[name]:
        same(lambda T, *xs, o=options: getattr(T.nn.functional, name)(*xs, **o), real(2, 3), *second)
