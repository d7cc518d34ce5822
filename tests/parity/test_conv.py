"""Convolutions, and blocks as columns, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight.nn.functional
from support.oracle import DTYPES, same
from support.values import normals

RNG = np.random.default_rng(0)
normal = normals(RNG)


X = {1: normal(2, 4, 7), 2: normal(2, 4, 7, 6), 3: normal(2, 4, 5, 4, 4)}
W = {1: normal(6, 4, 3), 2: normal(6, 4, 3, 2), 3: normal(6, 4, 2, 3, 1)}
B = normal(6)

SETTINGS: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"padding": 3, "stride": 3},
    {"dilation": 2, "padding": 2},
    {"padding": "same"},
    {"padding": "valid"},
    {"padding": "same", "dilation": 3},
    {"stride": (2,)},
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("how", SETTINGS, ids=str)
def test_conv(dims: int, how: dict[str, Any]) -> None:
    conv = f"conv{dims}d"
    same(lambda T, x, w, b: getattr(T.nn.functional, conv)(x, w, b, **how), X[dims], W[dims], B, names=True)
    same(lambda T, x, w: getattr(T, conv)(x, w, **how), X[dims], W[dims], names=True)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_conv_without_a_batch_and_in_groups(dims: int) -> None:
    conv = f"conv{dims}d"
    same(lambda T, x, w, b: getattr(T, conv)(x, w, b, padding=1), X[dims][0], W[dims], B, names=True)
    same(lambda T, x, w, b: getattr(T, conv)(x, w, b, groups=2), X[dims], W[dims][:, :2].copy(), B, names=True)
    same(lambda T, x, w: getattr(T, conv)(x, w, groups=4), X[dims], W[dims][:4, :1].copy())


TRANSPOSED: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"stride": 3, "padding": 1, "output_padding": 2},
    {"dilation": 2, "output_padding": 1},
    {"padding": 1},
]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("how", TRANSPOSED, ids=str)
def test_conv_transpose(dims: int, how: dict[str, Any]) -> None:
    conv = f"conv_transpose{dims}d"
    w = np.ascontiguousarray(W[dims].swapaxes(0, 1))
    same(lambda T, x, w, b: getattr(T.nn.functional, conv)(x, w, b, **how), X[dims], w, B, names=True)
    same(lambda T, x, w: getattr(T, conv)(x, w, **how), X[dims][0], w, names=True)
    same(lambda T, x, w, b: getattr(T, conv)(x, w, b, groups=2, **how), X[dims], w[:, :3].copy(), B)


@pytest.mark.parametrize("kind", DTYPES)
def test_dtypes(kind: str) -> None:
    x, w = (abs(normal(*s) * 3).astype(kind) for s in ((2, 2, 5), (4, 2, 3)))
    same(lambda T, x, w: T.conv1d(x, w), x, w, tol=1e-5)
    same(lambda T, x, w: T.conv_transpose1d(x, w), x, w.swapaxes(0, 1).copy(), tol=1e-5)
    same(lambda T, x, w: T.conv1d(x, w), x, w.astype("float64" if kind != "float64" else "float32"))


@pytest.mark.parametrize(
    ("x", "w"),
    [
        ((0, 4, 5, 5), (6, 4, 3, 3)),
        ((2, 4, 0, 5), (6, 4, 3, 3)),
        ((2, 4, 5, 5), (0, 4, 3, 3)),
        ((2, 4, 5, 5), (6, 4, 6, 3)),
        ((2, 4, 5, 5), (6, 3, 3, 3)),
        ((2, 4, 5, 5), (6, 4, 3)),
        ((4, 5), (6, 4, 3, 3)),
        ((1, 2, 4, 5, 5), (6, 4, 3, 3)),
        ((), (6, 4, 3, 3)),
    ],
    ids=str,
)
def test_empty_and_misfit_shapes(x: tuple[int, ...], w: tuple[int, ...]) -> None:
    given = normal(*x), normal(*w)
    once = x[:1] != (0,)  # of an empty batch PyTorch has no second derivative
    same(lambda T, x, w: T.conv2d(x, w), *given, grad=once)
    same(lambda T, x, w: T.conv2d(x, w, padding=2), *given, grad=once)
    same(lambda T, x, w: T.conv_transpose2d(x, w), given[0], given[1].swapaxes(0, 1).copy(), grad=once)


def test_no_channels() -> None:
    """PyTorch gives no channels here, whatever the weight; a sum of nothing is the bias."""
    x, w, b = (rushlight.from_numpy(a) for a in (normal(2, 0, 5, 5), normal(6, 0, 3, 3), B))
    np.testing.assert_array_equal(rushlight.conv2d(x, w, b).numpy(), np.broadcast_to(B[:, None, None], (2, 6, 3, 3)))


BAD: list[dict[str, Any]] = [
    {"stride": (1, 2, 3)},
    {"stride": 1.5},
    {"stride": 0},
    {"padding": -1},
    {"padding": "foo"},
    {"padding": "same", "stride": 2},
    {"dilation": 0},
    {"groups": 0},
    {"groups": 3},
    {"groups": 5},
]


@pytest.mark.parametrize("how", BAD, ids=str)
def test_bad_numbers(how: dict[str, Any]) -> None:
    same(lambda T, x, w: T.conv2d(x, w, **how), X[2], W[2])
    same(lambda T, x, w: T.conv_transpose2d(x, w, **how), X[2], W[2].swapaxes(0, 1).copy())


def test_bad_operands() -> None:
    same(lambda T, x, w, b: T.conv2d(x, w, b), X[2], W[2], normal(5))
    same(lambda T, x, w, b: T.conv2d(x, w, b), X[2], W[2], normal(6, 1))
    same(lambda T, x, w, b: T.conv2d(x, w, b), X[2], W[2], normal(6, kind="float32"))
    same(lambda T, w: T.conv2d([1.0], w), W[2])
    same(lambda T, x: T.conv2d(x, [1.0]), X[2])
    w = W[2].swapaxes(0, 1).copy()
    same(lambda T, x, w: T.conv_transpose2d(x, w, output_padding=1), X[2], w)
    same(lambda T, x, w: T.conv_transpose2d(x, w, output_padding=-1, stride=2), X[2], w)
    same(lambda T, x, w: T.conv_transpose2d(x, w, padding=5), X[2], w)


def test_layouts_and_frozen_operands() -> None:
    x, w = np.asfortranarray(X[2]), W[2][::-1].copy()[::-1]
    same(lambda T, x, w: T.conv2d(x.transpose(2, 3), w.transpose(2, 3)), x, np.ascontiguousarray(w))
    for number in range(3):

        def slope(T: Any, *given: Any, number: int = number) -> Any:
            wanted = given[number].requires_grad_()
            return T.autograd.grad(T.conv2d(*given).exp().sum(), wanted)

        same(slope, X[2] * 0.1, W[2] * 0.1, B, grad=False)


def test_nonfinite_values() -> None:
    x = X[1].copy()
    x[0, 0, 2], x[1, 1, 3] = np.nan, np.inf
    same(lambda T, x, w: T.conv1d(x, w, padding=1), x, W[1])


@settings(max_examples=30)
@given(st.data())
def test_drawn_shapes(data: st.DataObject) -> None:
    pick = lambda low, high: data.draw(st.integers(low, high))
    groups, kernel, stride, padding, dilation = pick(1, 3), pick(1, 4), pick(1, 3), pick(0, 3), pick(1, 3)
    size = max(pick(1, 9), dilation * (kernel - 1) + 1 - 2 * padding)
    x, w = normal(pick(1, 3), groups * pick(1, 2), size, size + 1), normal(groups * 2, 1, kernel, 1)
    w = np.ascontiguousarray(np.broadcast_to(w, (groups * 2, x.shape[1] // groups, kernel, 1)))
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    same(lambda T, x, w: T.conv2d(x, w, **how), x, w)


def test_large_enough_for_several_blocks() -> None:
    x, w, b = normal(9, 8, 40, 40, kind="float32"), normal(16, 8, 5, 5, kind="float32"), normal(16, kind="float32")
    same(lambda T, x, w, b: T.conv2d(x, w, b, padding=2), x, w, b, tol=1e-4)


# ------------------------------------------------------------------ unfold, fold


@pytest.mark.parametrize(
    "how",
    [
        {"kernel_size": 2},
        {"kernel_size": (2, 3), "padding": (1, 0), "stride": (2, 1)},
        {"kernel_size": 2, "dilation": 2, "padding": 1},
        {"kernel_size": (1, 2, 3)},
        {"kernel_size": 0},
        {"kernel_size": 9},
        {"kernel_size": 2, "stride": 0},
        {"kernel_size": 2, "padding": -1},
        {"kernel_size": 2.0},
    ],
    ids=str,
)
def test_unfold(how: dict[str, Any]) -> None:
    same(lambda T, x: T.nn.functional.unfold(x, **how), X[2])
    same(lambda T, x: T.nn.functional.unfold(x, **how), X[2][0].copy())


@pytest.mark.parametrize("shape", [(0, 4, 6, 6), (2, 0, 6, 6), (6, 6), (1, 1, 1, 6, 6)])
def test_unfold_shapes(shape: tuple[int, ...]) -> None:
    if shape == (6, 6):
        with pytest.raises(RuntimeError, match=r"but got: \[6, 6\]"):
            rushlight.nn.functional.unfold(rushlight.from_numpy(normal(*shape)), 2)
        return
    same(lambda T, x: T.nn.functional.unfold(x, 2), normal(*shape))


@pytest.mark.parametrize("kind", DTYPES)
def test_unfold_dtypes(kind: str) -> None:
    same(lambda T, x: T.nn.functional.unfold(x, 2), X[2].astype(kind))
    if kind != "bool":
        same(lambda T, x: T.nn.functional.fold(x, (3, 3), 2), (normal(2, 8, 4) * 4).astype(kind))


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        ((2, 12, 25), {"output_size": (6, 6), "kernel_size": 2}),
        ((12, 25), {"output_size": 6, "kernel_size": 2}),
        ((0, 12, 25), {"output_size": (6, 6), "kernel_size": 2}),
        ((2, 12, 9), {"output_size": (5, 6), "kernel_size": (3, 2), "stride": 2, "padding": (1, 0)}),
        ((2, 12, 24), {"output_size": 6, "kernel_size": 2}),
        ((2, 11, 25), {"output_size": 6, "kernel_size": 2}),
        ((2, 12, 25), {"output_size": (6,), "kernel_size": 2}),
        ((12,), {"output_size": 6, "kernel_size": 2}),
        ((2, 2, 2, 2), {"output_size": 6, "kernel_size": 2}),
    ],
    ids=str,
)
def test_fold(shape: tuple[int, ...], how: dict[str, Any]) -> None:
    same(lambda T, x: T.nn.functional.fold(x, **how), normal(*shape), names=True)
