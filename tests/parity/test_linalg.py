"""Matrix products and their kin, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight
from support.oracle import DTYPES, same, torch

rng = np.random.default_rng(0)


def real(*shape: int, dtype: str = "float32") -> np.ndarray:
    return rng.normal(size=shape).astype(dtype)


def kind(dtype: str, *shape: int) -> np.ndarray:
    return (rng.integers(0, 4, shape) if dtype == "uint8" else rng.integers(-3, 4, shape)).astype(dtype)


MATMUL = ["k,k", "nk,k", "k,km", "nk,km", "bnk,k", "k,bkm", "bnk,km", "nk,bkm", "bnk,bkm", "abnk,bkm", "bnk,abkm"]
MATMUL += ["a1nk,bkm", "1nk,bkm", "abnk,k", "k,abkm", "abnk,km"]


def sized(text: str, sizes: dict[str, int], dtype: str = "float32") -> np.ndarray:
    return real(*(sizes[c] for c in text), dtype=dtype)


@pytest.mark.parametrize("pair", MATMUL)
@given(st.lists(st.integers(0, 3), min_size=5, max_size=5))
@settings(max_examples=10)
def test_matmul(pair: str, drawn: list[int]) -> None:
    sizes = dict(zip("abnkm", drawn, strict=True)) | {"1": 1}
    x, y = (sized(text, sizes, "float64") for text in pair.split(","))
    same(lambda T, a, b: T.matmul(a, b), x, y)
    same(lambda T, a, b: a @ b, x, y)
    same(lambda T, a, b: a.matmul(b), x, y)


@pytest.mark.parametrize("pair", [p for p in MATMUL if p not in ("nk,bkm", "1nk,bkm")])
def test_matmul_node(pair: str) -> None:
    sizes = {"a": 2, "b": 3, "n": 2, "k": 4, "m": 2, "1": 1}
    x, y = (sized(text, sizes) for text in pair.split(","))
    if not pair.startswith("k,") or pair in ("k,k", "k,km"):
        same(lambda T, a, b: a @ b, x, y, names=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "pair", [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((2, 2, 3), (2, 3, 2)), ((3,), (3, 2))]
)
def test_matmul_dtypes(dtype: str, pair: Any) -> None:
    same(lambda T, a, b: a @ b, kind(dtype, *pair[0]), kind(dtype, *pair[1]), tol=2e-3)


CALLS: dict[str, tuple[Any, list[tuple[int, ...]]]] = {
    "mm": (lambda T, a, b: (T.mm(a, b), a.mm(b)), [(2, 3), (3, 4)]),
    "mv": (lambda T, a, b: (T.mv(a, b), a.mv(b)), [(2, 3), (3,)]),
    "dot": (lambda T, a, b: (T.dot(a, b), a.dot(b)), [(3,), (3,)]),
    "vdot": (lambda T, a, b: (T.vdot(a, b), a.vdot(b)), [(3,), (3,)]),
    "bmm": (lambda T, a, b: (T.bmm(a, b), a.bmm(b)), [(2, 3, 4), (2, 4, 2)]),
    "outer": (lambda T, a, b: (T.outer(a, b), a.outer(b), T.ger(a, b), a.ger(b)), [(2,), (3,)]),
    "inner": (lambda T, a, b: (T.inner(a, b), a.inner(b)), [(2, 2, 3), (4, 3)]),
    "inner vectors": (lambda T, a, b: T.inner(a, b), [(3,), (3,)]),
    "inner number": (lambda T, a, b: T.inner(a, b), [(), (2, 3)]),
    "kron": (lambda T, a, b: (T.kron(a, b), a.kron(b)), [(2, 3), (3, 2)]),
    "kron dims": (lambda T, a, b: T.kron(a, b), [(2,), (2, 3, 2)]),
    "kron number": (lambda T, a, b: T.kron(a, b), [(), (2, 3)]),
    "trace": (lambda T, a: (T.trace(a), a.trace()), [(2, 3)]),
    "trace tall": (lambda T, a: T.trace(a), [(4, 2)]),
    "trace empty": (lambda T, a: T.trace(a), [(0, 3)]),
    "addmm": (lambda T, x, a, b: (T.addmm(x, a, b), x.addmm(a, b, beta=2, alpha=0.5)), [(2, 4), (2, 3), (3, 4)]),
    "addmm row": (lambda T, x, a, b: T.addmm(x, a, b, beta=0.5), [(4,), (2, 3), (3, 4)]),
    "addmm number": (lambda T, x, a, b: T.addmm(x, a, b), [(), (2, 3), (3, 4)]),
    "addmv": (lambda T, x, a, b: (T.addmv(x, a, b), x.addmv(a, b, beta=2, alpha=0.5)), [(2,), (2, 3), (3,)]),
    "addmv number": (lambda T, x, a, b: T.addmv(x, a, b), [(), (2, 3), (3,)]),
    "addr": (lambda T, x, a, b: (T.addr(x, a, b), x.addr(a, b, beta=2, alpha=0.5)), [(2, 3), (2,), (3,)]),
    "addr row": (lambda T, x, a, b: T.addr(x, a, b), [(3,), (2,), (3,)]),
    "addbmm": (lambda T, x, a, b: (T.addbmm(x, a, b), x.addbmm(a, b, beta=2, alpha=0.5)),
        [(3, 2), (2, 3, 4), (2, 4, 2)]),
    "baddbmm": (lambda T, x, a, b: (T.baddbmm(x, a, b), x.baddbmm(a, b, beta=2, alpha=0.5)),
        [(3, 2), (2, 3, 4), (2, 4, 2)]),
    "tensordot": (lambda T, a, b: T.tensordot(a, b, 1), [(2, 3), (3, 4)]),
    "tensordot two": (lambda T, a, b: T.tensordot(a, b), [(2, 3, 4), (3, 4, 2)]),
    "tensordot none": (lambda T, a, b: T.tensordot(a, b, 0), [(2, 3), (2,)]),
    "tensordot pairs": (lambda T, a, b: T.tensordot(a, b, ([0, -1], [2, 1])), [(2, 3, 4), (3, 4, 2)]),
    "tensordot broadcast": (lambda T, a, b: T.tensordot(a, b, ([1], [0])), [(2, 3), (1, 4)]),
    "tensordot all": (lambda T, a, b: T.tensordot(a, b, 2), [(2, 3), (2, 3)]),
    "bilinear": (lambda T, a, b, w, c: T.nn.functional.bilinear(a, b, w, c), [(2, 3), (2, 4), (5, 3, 4), (5,)]),
    "bilinear vector": (lambda T, a, b, w: T.bilinear(a, b, w, None), [(3,), (4,), (5, 3, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "bool"])
def test_calls(name: str, dtype: str) -> None:
    code, shapes = CALLS[name]
    arrays = [real(*shape, dtype=dtype) if "float" in dtype else kind(dtype, *shape) for shape in shapes]
    if name.startswith("bilinear") and "float" not in dtype:
        pytest.skip("for floats")
    same(code, *arrays, tol=1e-5 if dtype != "float16" else 2e-3)


@pytest.mark.parametrize("name", [n for n in CALLS if "bilinear" not in n and "kron" not in n])
def test_views_as_operands(name: str) -> None:
    code, shapes = CALLS[name]
    same(code, *[real(*shape[::-1], dtype="float64").T for shape in shapes])
    same(code, *[real(*shape[:-1], 2 * shape[-1], dtype="float64")[..., ::2] if shape else real() for shape in shapes])


@pytest.mark.parametrize(
    "name", ["mm", "mv", "dot", "vdot", "bmm", "addmm", "addmv", "addr", "addbmm", "baddbmm", "trace"]
)
def test_node_names(name: str) -> None:
    shapes = CALLS[name][1]
    same(lambda T, *xs: getattr(T, name)(*xs), *[real(*shape) for shape in shapes], names=True)


@pytest.mark.parametrize("name", ["addmm_", "addmv_", "addr_", "addbmm_", "baddbmm_"])
def test_in_place(name: str) -> None:
    shapes = CALLS[name[:-1]][1]
    full = {"addmm_": (2, 4), "addmv_": (2,), "addr_": (2, 3), "addbmm_": (3, 2), "baddbmm_": (2, 3, 2)}[name]
    xs = [real(*full, dtype="float64"), *[real(*shape, dtype="float64") for shape in shapes[1:]]]
    same(lambda T, x, a, b: getattr(x * 1, name)(a, b, beta=0.5, alpha=2), *xs)
    same(lambda T, x, a, b: (getattr(x, name)(a, b), x), *xs, grad=False)


@pytest.mark.parametrize("name", ["mm", "mv", "dot", "bmm", "outer", "inner", "kron", "addmm", "tensordot"])
def test_out(name: str) -> None:
    code = {"tensordot": lambda T, xs, out: T.tensordot(*xs, dims=1, out=out)}.get(
        name, lambda T, xs, out: getattr(T, name)(*xs, out=out)
    )
    xs = [real(*shape) for shape in CALLS[name][1]]

    def both(T: Any, *xs: Any) -> Any:
        out = T.empty(0)
        return code(T, xs, out), out

    same(both, *xs, grad=False)


def test_beta_zero_forgets_nan() -> None:
    nan = np.full((2, 2), np.nan, np.float32)
    same(lambda T, x, a: T.addmm(x, a, a, beta=0), nan, real(2, 2))
    same(lambda T, x, a: T.addmm(x, a, a, beta=0.5), kind("int64", 2, 2), kind("int64", 2, 2))


def test_nan_and_inf() -> None:
    x = np.array([[np.inf, 1], [np.nan, 0]], np.float32)
    same(lambda T, a, b: a @ b, x, real(2, 2))


WRONG: list[tuple[Any, Any]] = [
    (lambda T, a, b: a @ b, [(2, 3), (4, 5)]),
    (lambda T, a, b: a @ b, [(3,), (4,)]),
    (lambda T, a, b: a @ b, [(2, 3), (4,)]),
    (lambda T, a, b: a @ b, [(3,), (4, 5)]),
    (lambda T, a, b: a @ b, [(5, 2, 3), (5, 4, 4)]),
    (lambda T, a, b: a @ b, [(5, 2, 3), (6, 3, 4)]),
    (lambda T, a, b: a @ b, [(5, 2, 3), (4, 4)]),
    (lambda T, a, b: a @ b, [(5, 2, 3), (4,)]),
    (lambda T, a, b: a @ b, [(), (3,)]),
    (lambda T, a, b: T.mm(a, b), [(3,), (3, 4)]),
    (lambda T, a, b: T.mm(a, b), [(2, 3), (3,)]),
    (lambda T, a, b: T.mv(a, b), [(2, 3), (4,)]),
    (lambda T, a, b: T.mv(a, b), [(2,), (3,)]),
    (lambda T, a, b: T.dot(a, b), [(2,), (3,)]),
    (lambda T, a, b: T.dot(a, b), [(2, 2), (3,)]),
    (lambda T, a, b: T.bmm(a, b), [(2, 3, 4), (3, 4, 5)]),
    (lambda T, a, b: T.bmm(a, b), [(2, 3, 4), (2, 3, 5)]),
    (lambda T, a, b: T.bmm(a, b), [(3, 4), (2, 3, 5)]),
    (lambda T, a, b: T.outer(a, b), [(2, 2), (3,)]),
    (lambda T, a, b: T.inner(a, b), [(2,), (3,)]),
    (lambda T, x, a, b: T.addmm(x, a, b), [(5,), (2, 3), (3, 4)]),
    (lambda T, x, a, b: T.addmm(x, a, b), [(4,), (2, 3), (4, 4)]),
    (lambda T, x, a, b: T.addmm(x, a, b), [(4,), (3,), (4, 4)]),
    (lambda T, x, a, b: T.addmv(x, a, b), [(3,), (2, 3), (3,)]),
    (lambda T, x, a, b: T.addmv(x, a, b), [(2,), (2, 3), (4,)]),
    (lambda T, x, a, b: T.addr(x, a, b), [(4,), (2,), (3,)]),
    (lambda T, x, a, b: T.addr(x, a, b), [(4,), (2, 2), (3,)]),
    (lambda T, x, a, b: T.addbmm(x, a, b), [(3, 5), (2, 3, 4), (3, 4, 5)]),
    (lambda T, x, a, b: T.baddbmm(x, a, b), [(3, 6), (2, 3, 4), (2, 4, 5)]),
    (lambda T, a: T.trace(a), [(3,)]),
    (lambda T, a, b: T.tensordot(a, b), [(2, 3), (3, 4)]),
    (lambda T, a, b: T.tensordot(a, b, 3), [(2, 3), (3, 4)]),
    (lambda T, a, b: T.tensordot(a, b, -1), [(2, 3), (3, 4)]),
    (lambda T, a, b: T.tensordot(a, b, ([1, 0], [0])), [(2, 3), (3, 4)]),
    (lambda T, a, b: T.tensordot(a, b, ([1, 1], [0, 0])), [(2, 3), (3, 4)]),
    (lambda T, a, b: T.tensordot(a, b, ([3], [0])), [(2, 3), (3, 4)]),
    (lambda T, a, b: T.nn.functional.linear(a, b), [(2, 3), (4, 5)]),
    (lambda T, a, b, c: T.nn.functional.linear(a, b, c), [(2, 3), (4, 3), (5,)]),
    (lambda T, a, b, c: T.nn.functional.linear(a, b, c), [(6, 2, 3), (4, 5), (4,)]),
    (lambda T, a, b, c: T.nn.functional.linear(a, b, c), [(6, 2, 3), (4, 3), (5,)]),
    (lambda T, a, b: T.nn.functional.linear(a, b), [(), (4, 3)]),
    (lambda T, a, b: T.nn.functional.linear(a, b), [(2, 3), (2, 4, 3)]),
    (lambda T, a, b, w: T.bilinear(a, b, w, None), [(2, 3), (2, 5), (5, 3, 4)]),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_shapes_in_the_same_words(number: int) -> None:
    code, shapes = WRONG[number]
    raised = []
    for engine in (rushlight, torch):
        with pytest.raises((RuntimeError, IndexError)) as caught:
            code(engine, *[engine.from_numpy(real(*shape)) if shape else engine.tensor(1.0) for shape in shapes])
        raised.append((type(caught.value), str(caught.value).split("\n")[0]))
    same_words = {"in dim -2": "in dim 0"}
    expected = raised[1][1]
    for old, new in same_words.items():
        expected = expected.replace(old, new)
    assert raised[0] == (raised[1][0], expected)


@pytest.mark.parametrize(
    "code",
    [
        lambda T, a, b: a @ b,
        lambda T, a, b: a[0] @ b,
        lambda T, a, b: a @ b[:, 0],
        lambda T, a, b: a[0] @ b[:, 0],
        lambda T, a, b: a[None] @ b[None],
        lambda T, a, b: T.nn.functional.linear(a, b.T),
        lambda T, a, b: T.nn.functional.linear(a, b.T, a[0, :1]),
        lambda T, a, b: T.addmm(a, a, b[:3, :3]),
        lambda T, a, b: T.inner(a, b.T),
        lambda T, a, b: T.tensordot(a, b, 1),
    ],
)
def test_dtypes_must_agree(code: Any) -> None:
    words = []
    for engine in (rushlight, torch):
        with pytest.raises(RuntimeError) as caught:
            code(engine, engine.from_numpy(real(3, 3)), engine.from_numpy(real(3, 3, dtype="float64")))
        words.append(str(caught.value))
    assert words[0] == words[1]


@pytest.mark.parametrize(
    "code", [lambda T, a: a @ 3, lambda T, a: 3 @ a, lambda T, a: T.matmul(a, 3), lambda T, a: T.dot(a, 3)]
)
def test_numbers_are_refused(code: Any) -> None:
    for engine in (rushlight, torch):
        with pytest.raises(TypeError):
            code(engine, engine.from_numpy(real(2)))


LINEAR = [
    "k,ok,o",
    "nk,ok,o",
    "bnk,ok,o",
    "abnk,ok,o",
    "k,ok",
    "nk,ok",
    "bnk,ok",
    "nk,k",
    "bnk,k",
    "nk,ok,1",
    "nk,ok,no",
]
LINEAR += ["bnk,ok,no", "nk,ok,", "bnk,ok,1"]


@pytest.mark.parametrize("text", LINEAR)
@given(st.lists(st.integers(0, 3), min_size=5, max_size=5))
@settings(max_examples=6)
def test_linear(text: str, drawn: list[int]) -> None:
    sizes = dict(zip("abnko", drawn, strict=True)) | {"1": 1}
    same(lambda T, *xs: T.nn.functional.linear(*xs), *[sized(part, sizes, "float64") for part in text.split(",")])


@pytest.mark.parametrize("text", ["nk,ok,o", "nk,ok", "bnk,ok,o", "bnk,ok", "k,ok,o", "k,ok"])
def test_linear_node(text: str) -> None:
    sizes = {"b": 2, "n": 3, "k": 4, "o": 2}
    same(lambda T, *xs: T.nn.functional.linear(*xs), *[sized(part, sizes) for part in text.split(",")], names=True)


def test_gradients_of_linear_need_no_copy() -> None:
    x, w, b = (rushlight.from_numpy(real(*shape)).requires_grad_() for shape in ((5, 3), (2, 3), (2,)))
    rushlight.nn.functional.linear(x, w, b).backward(rushlight.ones(5, 2))
    for leaf in (x, w, b):
        array = leaf.grad.numpy()
        assert array.flags.c_contiguous
        assert array.base is None


def test_chains() -> None:
    shapes = [(2, 5), (5, 3), (3, 4), (4, 1)]
    xs = [real(*shape, dtype="float64") for shape in shapes]

    def chain(T: Any, *xs: Any) -> Any:
        with pytest.warns(UserWarning, match="deprecated"):
            return T.chain_matmul(*xs)

    same(chain, *xs)
