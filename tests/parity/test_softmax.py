"""Softmax, look-up tables and attention, against PyTorch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from support.messages import in_warnings, in_words, real, rng
from support.oracle import same

# ------------------------------------------------------------------ softmax


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "dim"),
    [((), 0), ((3,), 0), ((2, 3), 0), ((2, 3), -1), ((2, 3, 2), 1), ((0,), 0), ((2, 0), 1), ((0, 2), 1)],
)
def test_softmax(name: str, dtype: str, shape: tuple[int, ...], dim: int) -> None:
    same(lambda T, x: getattr(T, name)(x, dim), real(*shape, dtype=dtype), names=True)
    same(lambda T, x: getattr(x, name)(dim=dim), real(*shape, dtype=dtype))
    same(lambda T, x: getattr(T.nn.functional, name)(x, dim=dim), real(*shape, dtype=dtype))
    same(lambda T, x: T.nn.functional.softmin(x, dim=dim), real(*shape, dtype=dtype))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_edges(name: str) -> None:
    x = np.array([[1.0, 2, -np.inf], [-np.inf, -np.inf, -np.inf], [np.inf, 0, 1], [np.nan, 0, 1], [1e30, 0, 1e30]])
    for dim in (0, 1):
        same(lambda T, x, dim=dim: getattr(T, name)(x, dim), x, grad=False)
    same(lambda T, x: getattr(T, name)(x, 0, dtype=T.float32), np.arange(3), grad=False)
    same(lambda T, x: getattr(T, name)(x, 0, dtype=T.float64), real(3, dtype="float32"))
    same(lambda T, x: getattr(T, name)(x, 0), np.arange(3))
    in_words(lambda T, x: getattr(T, name)(x, 2), real(2, 3))
    in_warnings(lambda T, x: getattr(T.nn.functional, name)(x), real(2, 3))
    for shape in [(3,), (2, 3), (2, 2, 2), (1, 2, 2, 2)]:

        def implicit(T: Any, x: Any) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return getattr(T.nn.functional, name)(x)

        same(implicit, real(*shape))


# ------------------------------------------------------------------ look-up tables


@pytest.mark.parametrize("shape", [(), (3,), (2, 4), (0,), (5, 2, 1)])
@pytest.mark.parametrize("options", [{}, {"padding_idx": 1}, {"padding_idx": -1}, {"scale_grad_by_freq": True}])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_embedding(shape: tuple[int, ...], options: dict[str, Any], dtype: str) -> None:
    index = np.asarray(rng.integers(0, 4, shape))
    twice = not options.get("scale_grad_by_freq")

    def look(T: Any, i: Any, w: Any) -> Any:
        out = T.nn.functional.embedding(i, w, **options)
        (g,) = T.autograd.grad((out * out).sum(), w)
        return out.detach(), g

    same(look, index, real(4, 3, dtype=dtype))
    if twice:
        same(lambda T, i, w: T.nn.functional.embedding(i, w, **options), index, real(4, 3, dtype=dtype), names=True)
    same(lambda T, i, w: T.nn.functional.embedding(i, w, **options), index.astype(np.int32), real(4, 3), grad=False)


@pytest.mark.parametrize("norm", [1.0, 2.0, float("inf")])
def test_embedding_renormalizes(norm: float) -> None:
    def look(T: Any, i: Any, w: Any) -> Any:
        out = T.nn.functional.embedding(i, w, max_norm=1.0, norm_type=norm)
        return out, w

    same(look, np.array([0, 2, 0]), 2 * real(4, 3), grad=False)


def test_embedding_refused() -> None:
    i, w = np.array([0, 1]), real(3, 4)
    in_words(lambda T, i, w: T.nn.functional.embedding(i, w), np.array([0, 5]), w)
    in_words(lambda T, i, w: T.nn.functional.embedding(i, w), np.array([0, -1]), w)
    in_words(lambda T, i, w: T.nn.functional.embedding(i, w, padding_idx=5), i, w)
    in_words(lambda T, i, w: T.nn.functional.embedding(i, w), i.astype("float32"), w)
    in_words(lambda T, i, w: T.nn.functional.embedding(i, w), i, real(3))


def test_one_hot() -> None:
    for index, classes in [([0, 2], -1), ([0, 2], 4), ([[0, 1], [1, 0]], -1), (1, 3), ([], 3)]:
        x = np.array(index, np.int64)
        same(lambda T, x, n=classes: T.nn.functional.one_hot(x, n), x)
    for index, classes in [([0, 2], 2), ([0, -2], -1), ([], -1), ([0, 1], 0)]:
        in_words(lambda T, x, n=classes: T.nn.functional.one_hot(x, n), np.array(index, np.int64))
    in_words(lambda T, x: T.nn.functional.one_hot(x), np.array([0.0, 2.0]))


# ------------------------------------------------------------------ attention


def once(T: Any, out: Any, *leaves: Any) -> Any:
    """The result and first gradients: PyTorch's fused attention has no second ones."""
    return out.detach(), T.autograd.grad((out * out).sum(), leaves)


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
@pytest.mark.parametrize("mask", ["none", "bool", "float", "causal"])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_attention(lead: tuple[int, ...], mask: str, scale: float | None, dtype: str) -> None:
    allowed = np.array([[True, False, True], [True, True, True], [False, False, False], [False, True, False]])
    masks = {"none": None, "bool": allowed, "float": real(4, 3, dtype=dtype), "causal": None}

    def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
        m = None if masks[mask] is None else T.tensor(masks[mask])
        out = T.nn.functional.scaled_dot_product_attention(q, k, v, m, is_causal=mask == "causal", scale=scale)
        return once(T, out, q, k, v)

    same(attend, *(real(*lead, n, 5, dtype=dtype) for n in (4, 3, 3)))


def test_attention_second_gradients_and_masks_with_gradients() -> None:
    q, k, v, m = real(4, 2), real(3, 2), real(3, 3), real(4, 3)
    same(lambda T, q, k, v, m: T.nn.functional.scaled_dot_product_attention(q, k, v, m), q, k, v, m)


def test_attention_shares_heads() -> None:
    def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
        return once(T, T.nn.functional.scaled_dot_product_attention(q, k, v, enable_gqa=True), q, k, v)

    same(attend, real(2, 4, 3, 5), real(2, 2, 3, 5), real(2, 2, 3, 5))


def test_attention_refused() -> None:
    F = "scaled_dot_product_attention"
    in_words(lambda T, x: getattr(T.nn.functional, F)(x, x, x), real(3))
    in_words(lambda T, x, y: getattr(T.nn.functional, F)(x, y, x), real(3, 2), real(3, 2, dtype="float32"))
    in_words(lambda T, x, m: getattr(T.nn.functional, F)(x, x, x, m), real(3, 2), np.ones((3, 3), np.int64))


def test_attention_drops_weights_as_pytorch_draws_them() -> None:
    def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
        T.manual_seed(3)
        return T.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=0.5)

    same(attend, real(2, 4, 3), real(2, 5, 3), real(2, 5, 3))
