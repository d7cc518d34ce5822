"""Extremes, orders and counts as PyTorch does them: values, indices, ties, NaN, gradients, errors."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import rushlight
from support.oracle import DTYPES, ENGINES, same

RNG = np.random.default_rng(0)
NAN, INF = np.nan, np.inf
X = RNG.permutation(24).reshape(2, 3, 4).astype(np.float32)
WIDE = RNG.permutation(48).reshape(2, 3, 8).astype(np.float32)
INPUTS = {
    "plain": X,
    "0-d": np.array(1.5, np.float32),
    "one": np.array([2.0], np.float32),
    "empty": np.zeros((0,), np.float32),
    "no rows": np.zeros((0, 3), np.float32),
    "no columns": np.zeros((3, 0), np.float32),
    "double": X.astype(np.float64),
    "transposed": X.transpose(2, 0, 1),
    "strided": WIDE[:, :, ::2],
    "nan": np.array([[1.0, NAN, 2.0], [3.0, 4.0, NAN], [NAN, NAN, NAN]], np.float32),
    "inf": np.array([[1.0, INF, 2.0], [-INF, 4.0, 5.0], [INF, -INF, 0.0]], np.float32),
}
TIES = np.array([[1.0, 3, 3, 2], [1.0, 1, 1, 1], [4.0, 0, 0, 4]])
PAIRS = ["max", "min", "median", "nanmedian", "mode", "kthvalue", "sort", "topk", "cummax", "cummin"]


def call(name: str, f: Callable[..., Any], x: Any, dim: int, keepdim: bool) -> Any:
    """Call a function of values and indices."""
    if name in ("sort", "cummax", "cummin"):
        return f(x, dim=dim)
    if name == "topk":
        return f(x, 2, dim)
    if name == "kthvalue":
        return f(x, 2, dim, keepdim)
    return f(x, dim, keepdim)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1, 2, -3])
@pytest.mark.parametrize("name", PAIRS)
def test_values_and_indices(name: str, dim: int, keepdim: bool) -> None:
    for kind, x in INPUTS.items():
        if kind == "nan" and name in ("mode", "topk", "kthvalue", "nanmedian"):
            continue  # which of several NaN is found is not defined
        if not x.size and name in ("cummax", "cummin"):
            continue  # PyTorch takes any dim there
        same(lambda T, x: call(name, getattr(T, name), x, dim, keepdim), x)
        same(lambda T, x: call(name, getattr(T.Tensor, name), x, dim, keepdim), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*PAIRS, "argmax", "argmin", "amax", "amin"])
def test_dtypes(name: str, dtype: str) -> None:
    x = np.array([[1, 0, 3], [2, 5, 4]]).astype(dtype)
    if dtype == "bool" and name in ("mode", "sort", "cummax", "cummin"):
        same(lambda T, x: call(name, getattr(T, name), x, 1, False)[0], x)
    else:
        same(lambda T, x: call(name, getattr(T, name), x, 1, False), x, grad=dtype != "float16")


@pytest.mark.parametrize("name", ["max", "min", "sort", "cummax", "cummin", "argsort", "argmax", "argmin"])
def test_ties(name: str) -> None:
    for dim in (0, 1):
        same(lambda T, x, dim=dim: getattr(T, name)(x, dim=dim), TIES)


@pytest.mark.parametrize("name", ["max", "min", "median", "nanmedian", "amax", "amin", "aminmax", "argmax", "argmin"])
def test_of_all(name: str) -> None:
    for kind, x in (*INPUTS.items(), ("ties", TIES)):
        if name in ("aminmax", "amax", "amin") and kind == "nan":
            continue  # a gradient of 0 / 0
        same(lambda T, x: getattr(T, name)(x), x, names="arg" not in name and name != "aminmax")
        same(lambda T, x: getattr(x, name)(), x)


def test_nan_in_all() -> None:
    for row in ([1.0, NAN, 3, NAN], [NAN, NAN], [1.0, 2.0, 2.0]):
        for name in ("max", "min", "median", "nanmedian"):
            same(lambda T, x, n=name: getattr(T, n)(x), np.array(row))
        for name in ("amax", "amin"):
            same(lambda T, x, n=name: getattr(T, n)(x, 0), np.array(row), grad=False)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [0, -1, 1, (0, 1), [0, -1], (), (0, 0), 3])
@pytest.mark.parametrize("name", ["amax", "amin"])
def test_over_dims(name: str, dim: Any, keepdim: bool) -> None:
    for kind, x in (*INPUTS.items(), ("ties", TIES)):
        same(lambda T, x: getattr(T, name)(x, dim, keepdim), x, grad=kind != "nan")


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1, 1, 5])
@pytest.mark.parametrize("name", ["argmax", "argmin", "aminmax"])
def test_one_dim_or_all(name: str, dim: Any, keepdim: bool) -> None:
    for kind, x in INPUTS.items():
        same(lambda T, x: getattr(T, name)(x, dim=dim, keepdim=keepdim), x, grad=kind != "nan")


@pytest.mark.parametrize("name", ["max", "min", "maximum", "minimum"])
def test_of_two(name: str) -> None:
    x, y = np.array([1.0, 3, NAN, 2, INF]), np.array([1.0, 4, 0, NAN, INF])
    same(lambda T, x, y: getattr(T, name)(x, y), x, y)
    same(lambda T, x, y: getattr(x, name)(y), X, X[0, :1])
    same(lambda T, x, y: getattr(T, name)(x, other=y), X, np.array(2, np.int64))
    same(lambda T, x, y: getattr(T, name)(x, y), X, X.astype(np.float64)[0])


@pytest.mark.parametrize("name", ["max", "min"])
def test_overloads_that_are_none(name: str) -> None:
    for bad in ("a", 0.5, (0, 1), None):
        same(lambda T, x, bad=bad: getattr(T, name)(x, bad), X)
        same(lambda T, x, bad=bad: getattr(x, name)(dim=bad), X)
    same(lambda T, x: getattr(T, name)(x, axis=1), X)
    same(lambda T, x: getattr(x, name)(dim=1, keepdim=True), X)


CALLS: list[Callable[..., Any]] = [
    lambda T, x: T.sort(x, 0, True),
    lambda T, x: T.sort(x, dim=1, descending=True, stable=True),
    lambda T, x: T.sort(x, stable=False),
    lambda T, x: x.sort(descending=True),
    lambda T, x: T.sort(x, True),
    lambda T, x: T.argsort(x, 0, True),
    lambda T, x: x.argsort(dim=-1, stable=True),
    lambda T, x: T.msort(x),
    lambda T, x: T.topk(x, 0),
    lambda T, x: T.topk(x, 3, 1, False),
    lambda T, x: T.topk(x, 3, largest=False, sorted=True),
    lambda T, x: T.topk(x, 5),
    lambda T, x: T.topk(x, -1),
    lambda T, x: T.kthvalue(x, 0),
    lambda T, x: T.kthvalue(x, 4, keepdim=True),
    lambda T, x: T.kthvalue(x, 5),
    lambda T, x: x.median(axis=0),
    lambda T, x: T.mode(x),
]


@pytest.mark.parametrize("code", CALLS)
def test_calls(code: Callable[..., Any]) -> None:
    same(code, X)


def test_sort_is_stable_with_nan_last() -> None:
    row = np.array([NAN, 1.0, 1, INF, 0, NAN, -0.0])
    for descending in (False, True):
        same(lambda T, x, d=descending: T.sort(x, descending=d, stable=True), row)


def test_large_topk_takes_the_same_elements() -> None:
    x = np.random.default_rng(1).permutation(5000).astype(np.float32).reshape(5, 1000)
    for largest in (True, False):
        for dim in (0, 1):
            same(lambda T, x, a=largest, d=dim: T.topk(x, 3, d, a), x)


def test_mode_of_ties_is_the_smallest_where_it_is_last() -> None:
    rows = np.array([[5.0, 2, 2, 5, 2], [1, 2, 2, 1, 3], [4, 4, 4, 4, 4], [5, 4, 3, 2, 1]])
    same(lambda T, x: T.mode(x), rows)
    same(lambda T, x: T.mode(x, 0, True), rows)


def test_a_write_into_the_indices_does_not_reach_the_gradient() -> None:
    for name in PAIRS:
        x = rushlight.from_numpy(X.copy()).requires_grad_()
        wanted, found = (call(name, getattr(rushlight, name), x, 1, False) for _ in range(2))
        found.indices.numpy()[...] = 0
        seed = rushlight.from_numpy(np.ones(tuple(found.values.shape), np.float32))
        grads = [rushlight.autograd.grad(each.values, x, seed)[0].numpy() for each in (wanted, found)]
        np.testing.assert_array_equal(*grads)


def test_named_tuples() -> None:
    mine, theirs = (T.max(T.from_numpy(X[0]), 1) for T in ENGINES)
    assert repr(mine) == repr(theirs)
    assert repr(rushlight.aminmax(rushlight.from_numpy(X))) == repr(torch.aminmax(torch.from_numpy(X)))
    assert isinstance(mine, rushlight.return_types.max)
    assert isinstance(mine, tuple)
    values, indices = mine
    assert values is mine.values is mine[0]
    assert indices is mine.indices is mine[1]
    assert (mine.n_fields, len(mine), mine[0:1][0] is values) == (2, 2, True)
    assert rushlight.return_types.sort((1, 2)).indices == 2
    for copied in (pickle.loads(pickle.dumps(rushlight.return_types.topk((1, 2)))), copy.copy(mine)):
        assert len(copied) == 2
        assert copied.values is copied[0]
    assert type(copy.copy(mine)) is rushlight.return_types.max
    for bad in ((1,), 3):
        for T in ENGINES:
            with pytest.raises(TypeError):
                T.return_types.max(bad)
    with pytest.raises(AttributeError):
        mine.foo  # noqa: B018


def test_out() -> None:
    def into(T: Any, name: str, x: Any, number: str, place: str) -> Any:
        out = (T.from_numpy(np.zeros(3, number)), T.from_numpy(np.zeros(3, place)))
        found = getattr(T, name)(x, dim=0, out=out) if name != "kthvalue" else T.kthvalue(x, 1, 0, out=out)
        assert found[0] is out[0]
        return found

    for name in ("max", "min", "median", "mode", "kthvalue"):
        same(lambda T, x, n=name: into(T, n, x, "float32", "int64"), X[0, :, :3].copy(), grad=False)
    same(lambda T, x: T.amax(x, 1, out=T.from_numpy(np.zeros((2, 4), np.float32))), X, grad=False)
    same(lambda T, x: T.argmax(x, 1, out=T.from_numpy(np.zeros((2, 4), np.int64))), X, grad=False)


# ------------------------------------------------------------------ counting

COUNTED: list[Callable[..., Any]] = [
    lambda T, x: T.unique(x),
    lambda T, x: T.unique(x, return_inverse=True),
    lambda T, x: T.unique(x, True, True, True),
    lambda T, x: x.unique(False, False, True),
    lambda T, x: x.unique_consecutive(return_inverse=True, return_counts=True),
    lambda T, x: T.unique_consecutive(x),
    *[lambda T, x, d=d: T.unique(x, dim=d, return_inverse=True, return_counts=True) for d in (0, 1, -1, 3)],
    *[lambda T, x, d=d: T.unique_consecutive(x, True, True, d) for d in (0, 1, -1, 3)],
]


@pytest.mark.parametrize("code", COUNTED)
def test_unique(code: Callable[..., Any]) -> None:
    table = np.array([[3, 1, 1, 3], [1, 2, 2, 1], [3, 1, 1, 3], [3, 1, 1, 3]])
    for x in (table, table.astype(np.float32), table > 1, table.T.copy().T, table.astype(np.uint8)):
        same(code, x, grad=False)
    for x in (INPUTS["0-d"], INPUTS["empty"], INPUTS["no rows"], INPUTS["no columns"]):
        same(code, x, grad=False)


@pytest.mark.parametrize("code", COUNTED[:6])
def test_every_nan_is_unique(code: Callable[..., Any]) -> None:
    same(code, np.array([NAN, 1.0, NAN, NAN]), grad=False)


def test_no_gradient_of_unique() -> None:
    for T in ENGINES:
        x = T.tensor([1.0, 2.0, 1.0], requires_grad=True)
        values, counts = T.unique(x, return_counts=True)
        assert values.requires_grad
        assert not counts.requires_grad
        with pytest.raises(RuntimeError, match="not implemented"):
            values.sum().backward()


@pytest.mark.parametrize("dtype", DTYPES)
def test_bincount(dtype: str) -> None:
    x = np.array([1, 3, 1, 0]).astype(dtype)
    same(lambda T, x: T.bincount(x), x, grad=False)
    for weights in DTYPES:
        w = np.array([1, 2, 3, 1]).astype(weights)
        same(lambda T, x, w: x.bincount(w), x, w, grad=False)
    same(lambda T, x: T.bincount(x, minlength=6), x, grad=False)


def test_bad_counts() -> None:
    same(lambda T, x: T.bincount(x, minlength=-1), np.array([1]))
    same(lambda T, x: T.bincount(x), np.array([-1]))
    same(lambda T, x: T.bincount(x), np.array([[1]]))
    same(lambda T, x: T.bincount(x), np.array([], np.int64))
    same(lambda T, x, w: T.bincount(x, w), np.array([1, 2]), np.array([1.0]))


def test_histc() -> None:
    for x in (X, X.astype(np.float64), INPUTS["empty"], np.array([1.0, 1.0]), np.array([1.0, INF]), np.array([NAN])):
        same(lambda T, x: T.histc(x), x, grad=False)
        same(lambda T, x: x.histc(4), x, grad=False)
    same(lambda T, x: T.histc(x, 3, 2, 9), X, grad=False)
    same(lambda T, x: T.histc(x, 2, 0, 2), np.array([1.0, NAN, INF]), grad=False)
    same(lambda T, x: T.histc(x, bins=3, min=9, max=2), X, grad=False)
    same(lambda T, x: T.histc(x, 0), X, grad=False)
    same(lambda T, x: T.histc(x), np.arange(3), grad=False)


# ------------------------------------------------------------------ quantiles


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest", "foo"])
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles(name: str, interpolation: str) -> None:
    with_nan = np.array([[1.0, NAN, 2.0], [3.0, 4.0, 7.0]])
    for x in (X.astype(np.float64), np.array(2.0), with_nan, INPUTS["empty"], INPUTS["no rows"]):
        for dim in (None, 0, -1, 3):
            for keepdim in (False, True):
                for q in (0.0, 0.3, 0.5, 1.0, 1.5, np.array([0.1, 0.5, 0.9]), np.array([[0.5]]), np.array([2.0])):
                    same(
                        lambda T, x, q, d=dim, k=keepdim: getattr(T, name)(x, q, d, k, interpolation=interpolation),
                        x, q, grad=False,
                    )  # fmt: skip
        same(lambda T, x: getattr(x, name)(0.3, interpolation=interpolation), x)


def test_gradient_of_quantiles() -> None:
    for q in (0.3, np.array([0.1, 0.5])):
        same(lambda T, x, q: T.quantile(x, q.detach() if hasattr(q, "detach") else q, 1), X.astype(np.float64), q)
        same(lambda T, x, q: T.quantile(x, q, 1), X.astype(np.float64), q)
    same(lambda T, x: T.nanquantile(x, 0.5), np.array([1.0, NAN, 3, 9]))


def test_bad_quantiles() -> None:
    same(lambda T, x: T.quantile(x, "a"), X)
    same(lambda T, x: T.quantile(x, 0.5), np.arange(3))
    same(lambda T, x: T.quantile(x, 0.5), X.astype(np.float16))
    same(lambda T, x, q: T.quantile(x, q), X, np.array([0.5]))


@settings(max_examples=60)
@given(data=st.data())
def test_any_shape(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    x = np.asarray(RNG.permutation(int(np.prod(shape))).reshape(shape) * 0.5)
    name = data.draw(st.sampled_from([*PAIRS, "argmax", "amin"]))
    dim, keepdim = data.draw(st.integers(-4, 3)), data.draw(st.booleans())
    same(lambda T, x: call(name, getattr(T, name), x, dim, keepdim), x)
