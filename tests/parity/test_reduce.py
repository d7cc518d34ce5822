"""Reductions as PyTorch does them: values, dtypes, shapes, gradients, node names, errors."""

from __future__ import annotations

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
X = RNG.normal(size=(2, 3, 4)).astype(np.float32)
WIDE = RNG.normal(size=(2, 3, 8)).astype(np.float32)
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
    "nan": np.array([[1.0, np.nan, 2.0], [3.0, 4.0, 5.0]], np.float32),
    "inf": np.array([[1.0, np.inf, 2.0], [-np.inf, 4.0, 5.0], [np.inf, -np.inf, 0.0]], np.float32),
    "zeros": np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0], [1.0, 4.0, 2.0]], np.float32),
}
DIMS: list[Any] = [None, 0, -1, 1, (0, 1), [0, -1], (), (0, 0), 3, (0, 7)]
MANY = ["sum", "nansum", "mean", "nanmean", "var", "std", "amax", "amin", "all", "any", "norm"]
FLOATS = ["sum", "nansum", "mean", "nanmean", "prod", "var", "std", "norm"]


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", DIMS, ids=str)
@pytest.mark.parametrize("name", MANY)
def test_dims(name: str, dim: Any, keepdim: bool) -> None:
    for kind, x in INPUTS.items():
        if name in ("amax", "amin") and (kind == "empty" and dim is None):
            continue  # PyTorch takes no None here; covered by test_extrema
        if dim is None and name in ("amax", "amin"):
            same(lambda T, x: getattr(T, name)(x, keepdim=keepdim), x)
        else:
            # Left out: PyTorch's second derivatives where a deviation or norm is 0, inf or NaN, and its gradient of
            # a variance over dim=(), which divides by the freedom of a single element.
            odd = name in ("std", "var", "norm") and kind not in ("plain", "double", "transposed", "strided")
            grad = not (odd or (name in ("std", "var") and dim == ()))
            same(lambda T, x: getattr(T, name)(x, dim=dim, keepdim=keepdim), x, grad=grad)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize("name", ["sum", "mean", "nansum", "prod", "var", "std", "all", "any", "norm"])
def test_of_all(name: str) -> None:
    for x in (X, INPUTS["nan"], INPUTS["transposed"], INPUTS["no rows"]):
        grad = x.size > 0 or name not in ("std", "var")  # PyTorch has no second derivative there
        same(lambda T, x: getattr(T, name)(x), x, names=True, grad=grad)
        same(lambda T, x: getattr(x, name)(), x, grad=grad)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["sum", "nansum", "mean", "nanmean", "prod", "var", "std", "all", "any", "count_nonzero", "norm", "amax"]
)
def test_dtypes(name: str, dtype: str) -> None:
    x = np.array([[1, 0, 3], [2, 5, 1]]).astype(dtype)
    same(lambda T, x: getattr(T, name)(x), x, grad=dtype != "float16")
    same(lambda T, x: getattr(x, name)(dim=1), x, grad=dtype != "float16")
    same(lambda T, x: getattr(T, name)(x, 0), x, grad=dtype != "float16")


@pytest.mark.parametrize("into", DTYPES)
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", ["sum", "nansum", "mean", "prod", "cumsum", "cumprod"])
def test_dtype_argument(name: str, dtype: str, into: str) -> None:
    x = np.array([[1, 0, 3], [2, 5, 1]]).astype(dtype)
    if name == "nansum" and (into == "bool" or dtype == "float32"):
        return  # nansum of bools is not defined in PyTorch
    same(lambda T, x: getattr(T, name)(x, 0, dtype=getattr(T, into)), x, grad=into in ("float32", "float64"))
    if not name.startswith("cum"):
        same(lambda T, x: getattr(T, name)(x, dtype=getattr(T, into)), x, grad=into in ("float32", "float64"))


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2)])
def test_numpys_words(axis: Any) -> None:
    for name in ("sum", "mean", "var", "std", "amax", "logsumexp", "all"):
        same(lambda T, x, n=name: getattr(T, n)(x, axis=axis, keepdims=True), X)


NAMES: list[tuple[Callable[..., Any], Any]] = [
    (lambda T, x: T.sum(x, 0), X),
    (lambda T, x: T.sum(x, ()), X),
    (lambda T, x: T.mean(x, 0), X),
    (lambda T, x: T.nanmean(x), X),
    (lambda T, x: T.prod(x, 0), X),
    (lambda T, x: T.var(x, 0), X),
    (lambda T, x: T.std(x, (0, 1)), X),
    (lambda T, x: T.logsumexp(x, 0), X),
    (lambda T, x: T.norm(x), X),
    (lambda T, x: T.norm(x, 3, 0), X),
    (lambda T, x: T.dist(x, x * 2), X),
    (lambda T, x: T.nansum(x, 0), X),
]


@pytest.mark.parametrize(("code", "x"), NAMES)
def test_names(code: Callable[..., Any], x: Any) -> None:
    same(code, x, names=True)


@pytest.mark.parametrize("dim", [None, 0, 1, -1, 2])
def test_product_beside_zeros(dim: Any) -> None:
    for kind, x in INPUTS.items():
        grad = kind not in ("inf", "one", "0-d")  # PyTorch has no second derivative of one element
        for keepdim in (False, True):
            if dim is None:
                same(lambda T, x: T.prod(x), x.astype(np.float64), grad=grad)
            else:
                same(lambda T, x, k=keepdim: T.prod(x, dim, k), x.astype(np.float64), grad=grad)
    for row in ([0.0, 2, 3], [0.0, 0, 3], [0.0, 0, 0], [2.0, 0, 3, 0, 5]):
        same(lambda T, x: x.prod(), np.array(row))


def test_product_takes_one_dim() -> None:
    same(lambda T, x: T.prod(x, (0, 1)), X)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_corrections(name: str) -> None:
    calls: list[Callable[..., Any]] = [
        lambda f, x: f(x, False),
        lambda f, x: f(x, True),
        lambda f, x: f(x, 0, False),
        lambda f, x: f(x, 0, False, True),
        lambda f, x: f(x, dim=(0, 1), unbiased=False),
        lambda f, x: f(x, unbiased=False),
        lambda f, x: f(x, 0, correction=0),
        lambda f, x: f(x, correction=0),
        lambda f, x: f(x, 1, correction=1.5),
        lambda f, x: f(x, (0, 2), correction=2, keepdim=True),
        lambda f, x: f(x, dim=None, correction=1),
        lambda f, x: f(x, 0, unbiased=True, correction=1),
    ]
    for call in calls:
        same(lambda T, x, call=call: call(getattr(T, name), x), X)
        if "_" not in name:
            same(lambda T, x, call=call: call(getattr(T.Tensor, name), x), X)
    for row in ([2.0], [2.0, 2.0], [1.0, 2.0]):
        for correction in (0, 1, 2, 3):
            second = "std" not in name or (len(set(row)) > 1 and correction < len(row))
            same(
                lambda T, x, c=correction: getattr(T, name)(x, correction=c),
                np.array(row), grad=second and correction < len(row),
            )  # fmt: skip


def test_std_of_equal_elements_has_gradient_zero() -> None:
    found = []
    for T in ENGINES:
        x = T.tensor([2.0, 2.0], requires_grad=True)
        x.std().backward()
        found.append(x.grad.tolist())
    assert found == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1, (0, 1), [1, 0], 2, (0, 0)])
def test_logsumexp(dim: Any, keepdim: bool) -> None:
    rows = {name: x for name, x in INPUTS.items() if name != "inf"}
    rows["large"] = np.array([[1000.0, 1000.0], [-1000.0, -1001.0]])
    for x in rows.values():
        same(lambda T, x: T.logsumexp(x, dim, keepdim), x)
        same(lambda T, x: x.logsumexp(dim, keepdim=keepdim), x)


def test_logsumexp_of_infinities() -> None:
    inf, nan = np.inf, np.nan
    for row in ([-inf, -inf], [inf, 0.0], [inf, inf], [nan, 0.0], [-inf, 0.0], [inf, -inf]):
        same(lambda T, x: T.logsumexp(x, 0), np.array(row), grad=False)
        if row == [-inf, -inf]:
            continue  # PyTorch's gradient is NaN, also where the loss does not read the sum; here it is 0
        found = []
        for T in ENGINES:
            x = T.tensor(row, dtype=T.float64, requires_grad=True)
            T.logsumexp(x, 0).backward()
            found.append(x.grad.numpy())
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logsumexp_dtypes(dtype: str) -> None:
    same(lambda T, x: T.logsumexp(x, 0), np.array([1, 0, 3]).astype(dtype), grad=dtype != "float16")


@pytest.mark.parametrize("dim", [None, 0, 1, (0, 1), (), -1, 4])
def test_counts(dim: Any) -> None:
    for x in INPUTS.values():
        same(lambda T, x: T.count_nonzero(x, dim=dim), x)


def test_out() -> None:
    def into(T: Any, code: Callable[..., Any], shape: Any, dtype: str) -> Any:
        out = T.from_numpy(np.zeros(shape, dtype))
        assert code(out) is out
        return out

    for name in ("sum", "mean", "prod", "var", "std", "amax", "logsumexp", "nansum", "norm"):
        same(lambda T, x, n=name: into(T, lambda o: getattr(T, n)(x, dim=1, out=o), (2, 4), "float32"), X, grad=False)
    for name in ("sum", "prod", "nansum"):
        whole = np.round(X)  # PyTorch sums in the dtype of ``out``
        same(
            lambda T, x, n=name: into(T, lambda o: getattr(T, n)(x, dim=1, out=o), (2, 4), "float64"), whole, grad=False
        )
    for name in ("all", "any"):
        same(lambda T, x, n=name: into(T, lambda o: getattr(T, n)(x, 1, out=o), (2, 4), "bool"), X, grad=False)


@pytest.mark.parametrize("bad", ["a", 0.5, {}])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "all", "amax", "logsumexp"])
def test_bad_dims(name: str, bad: Any) -> None:
    same(lambda T, x: getattr(T, name)(x, bad), X)
    same(lambda T, x: getattr(T, name)(x, dim=bad), X)


@pytest.mark.parametrize("name", [*MANY, "prod", "count_nonzero"])
def test_not_a_tensor(name: str) -> None:
    for value in ([1.0, 2.0], 3.0, None):
        with pytest.raises(TypeError):
            getattr(rushlight, name)(value)


@pytest.mark.parametrize("shape", [(1_000_000,), (1_000_000, 4), (1000, 1000), (30_000, 32), (3, 20_000, 5)])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "norm", "logsumexp"])
def test_large_sums_are_as_exact(name: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).random(shape, dtype=np.float32)
    dims = range(len(shape))
    for dim in dims:
        mine = getattr(rushlight, name)(rushlight.from_numpy(x), dim=dim).numpy()
        exact = getattr(torch, name)(torch.from_numpy(x.astype(np.float64)), dim=dim).numpy()
        np.testing.assert_allclose(mine, exact, rtol=1e-6)


@settings(max_examples=60)
@given(data=st.data())
def test_any_shape(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    x = np.asarray(RNG.normal(size=shape))
    dims = data.draw(st.none() | st.lists(st.integers(-4, 3), max_size=4).map(tuple) | st.integers(-5, 4))
    keepdim = data.draw(st.booleans())
    name = data.draw(st.sampled_from(["sum", "mean", "nansum", "count_nonzero", "logsumexp", "all"]))
    if name == "logsumexp" and (dims is None or dims == ()):
        dims = 0
    if name == "count_nonzero":
        same(lambda T, x: T.count_nonzero(x, dim=dims), x)
    else:
        same(lambda T, x: getattr(T, name)(x, dim=dims, keepdim=keepdim), x)


@pytest.mark.parametrize("x", [[[-0.35, 1.0]] * 3, [[0.1, 0.2], [0.1, 0.3], [0.1, 0.4]]])
@pytest.mark.parametrize("name", ["std", "var"])
def test_equal_elements_do_not_vary(name: str, x: list[list[float]]) -> None:
    """Rounding of their mean must not give them a spread, and so a gradient of any size."""
    same(lambda T, x: getattr(T, name)(x, 0), np.array(x))


def test_all_equal() -> None:
    x = rushlight.full((3,), -0.35, dtype=rushlight.float64, requires_grad=True)
    out = x.std()
    out.backward()
    assert out.item() == 0
    assert x.grad.tolist() == [0, 0, 0]
