"""Everything that stands in square brackets, and the functions that pick and place, beside PyTorch."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight
from support.oracle import same

CUBE = np.arange(24.0).reshape(2, 3, 4) - 7
MATRIX = np.arange(6.0).reshape(2, 3) - 2
ENGINES = (rushlight, torch)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using a non-tuple sequence"),
    pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8"),
    pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter"),
]


def evaluated(code: str, T: Any, *args: Any) -> Any:
    """The value of ``code``, or ``x`` after it ran; ``x``, ``y``, ``z`` are the arguments, ``T`` the engine."""
    scope = {"T": T, "np": np, "long": T.int64, **dict(zip("xyz", args, strict=False))}
    scope |= {"I": lambda *v: T.tensor(v, dtype=T.int64), "B": lambda *v: T.tensor(v, dtype=T.bool)}
    if ";" in code or " = " in code:
        exec(code, scope)
        return scope["x"]
    return eval(code, scope)


def cases(table: str) -> list[str]:
    """The cases of a table, two blanks apart. Each must be Python: an error of its own would look like parity."""
    found = [case.strip() for line in table.strip().splitlines() for case in line.split("  ") if case.strip()]
    for case in found:
        compile(case, case, "exec")
    return found


BASIC = """
x[0]         x[-1]        x[0:1]       x[:]         x[:, :]      x[:, 0]      x[0, :]      x[0, 1:2]    x[None]
x[...]       x[..., 0]    x[0, ...]    x[()]        x[0, None]   x[None, 0]   x[0:10]      x[::2]       x[1:0]
x[5:7]       x[-5:1]      x[0][0][0]   x[1, 2, 3]   x[1, -1, -4]  x[..., None]  x[:, None]   x[0, 0, 0, None]
x[..., 1, :]  x[..., ...]  x[0][1:][..., ::3]        x[0][0][0][...]           x[0][0][0][None]          x[0][0][0][()]
x[np.int64(1)]            x[np.array(1)]            x[T.tensor(0)]            x[T.tensor(0):T.tensor(1)]
x[T.tensor(1), :, T.tensor(-1)]        x[1:, :2, ::2]            x[:, T.tensor(2, dtype=T.int32)]
"""
ADVANCED = """
x[True]      x[False]     x[None, True]             x[[0]]       x[[0, 1]]    x[[1, 1, 0, 1]]
x[[0, 1], [1, 0]]
x[[[0, 1], [1, 0]]]       x[[slice(None), 0]]       x[[0, None]]  x[[0, [1]]]  x[[0.5]]     x[[]]        x[[], []]
x[[T.tensor(0), T.tensor(1)]]          x[T.tensor(True)]         x[T.tensor(1, dtype=T.uint8)]          x[range(2)]
x[T.tensor([1, 0], dtype=T.uint8)]     x[T.tensor([0], dtype=T.int32)]        x[:, [0, 1], 0]           x[0, :, [0, 1]]
x[[0, 1], :, [0, 1]]      x[:, [0, 1], [0, 1]]      x[[0, 1], 0]  x[[0, 1], 0, [0, 1]]      x[(0, 1),]
x[(0, 1), (1, 0)]
x[B([True, False, True], [False, True, True])]        x[B([True, False, True], [False, True, True]), 0]
x[B([True, False, True], [False, True, True]), [0]]  x[B([True, False, False], [False, True, False]), [0, 3]]
x[:, T.ones(3, 4, dtype=T.bool)]       x[0, T.ones(3, 4, dtype=T.bool)]       x[[True, False]]
x[B(True, False), :, [1]]
x[np.array([0, 1])]       x[np.array([True, False])]             x[T.tensor([[0]]), :]     x[x > 5]     x[x > 99]
x[:, None, [0]]           x[:, True]   x[0, True]   x[..., [3, 0, 0]]         x[[-1, 0, -2]]
x[..., B(True, False, True, True)]
x[[[0], [1]], [[0, 2, 0]]]             x[[0, 0, 1], ..., [3, 3, 1]]           x[None, [0, 1], None, [1, 1]]
x[1:, [0, 0]]
x[0][0][0][True]          x[[1, 1]][:, [0, 0]]      x[I(0, 1, 1), 1:, I(2, 2, 2)]          x[:, I(), 1]
x[[0, 1], [[1], [2]], 3]
"""
BAD = """
x[5]         x[-3]        x[0, 3]      x[0, 0, 0, 0]             x[::-1]      x[::0]       x[[5]]       x[[-3]]
x[0.5]
x['a']       x[T.tensor([0], dtype=T.int16)]        x[T.tensor([0.0])]        x[[0, 1, 0], [1, 0]]      x[0:1.5]
x[B(True, False, True)]   x[T.ones(2, 4, dtype=T.bool)]          x[T.ones(2, 3, 4, 1, dtype=T.bool)]    x[0][0][0][0]
x[0][0][0][:]             x[0][0][0][[0]]           x[..., 0, 0, 0, 0]        x[T.tensor([1], dtype=T.uint8)]
x[5] = 1     x[[5]] = 1   x[0] = 'a'   x[0] = None  x[0] = [1.0]              x[0] = np.ones(3)         x[::-1] = 1
x[0] = T.ones(2, dtype=x.dtype)        x[0] = T.ones(2, 3, 4, dtype=x.dtype)
x[[0, 1]] = T.ones(2, 2, 3, 4, dtype=x.dtype)
x[[0]] = T.ones(3, dtype=T.float16)    x[x == 0] = T.ones(5, dtype=x.dtype)   x[0, 0, 0, 0] = 1
x[0][0][0][0] = 1
x = T.zeros(3, dtype=T.uint8); x[0] = 300           x = T.zeros(3, dtype=long); x[0] = float('nan')
"""


@pytest.mark.parametrize("code", cases(BASIC))
def test_basic_index(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x), CUBE, names=True)
    same(lambda T, x: evaluated(code, T, x), CUBE.astype(np.int32))
    same(lambda T, x: evaluated(code, T, x.reshape(4, 3, 2).permute(2, 1, 0)), CUBE)


@pytest.mark.parametrize("code", cases(ADVANCED))
def test_advanced_index(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x), CUBE, names=True)
    same(lambda T, x: evaluated(code, T, x), CUBE.astype(np.float16), tol=2e-3)
    same(lambda T, x: evaluated(code, T, x), CUBE > 0)
    same(lambda T, x: evaluated(code, T, x.reshape(4, 3, 2).permute(2, 1, 0)), CUBE)


@pytest.mark.parametrize("code", cases(BAD))
def test_error(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x * 1), CUBE)
    same(lambda T, x: evaluated(code, T, x), CUBE, grad=False)


@pytest.mark.parametrize("code", cases(BASIC) + cases(ADVANCED))
def test_memory_is_shared_as_in_pytorch(code: str) -> None:
    found = []
    for engine in ENGINES:
        x = engine.from_numpy(CUBE.copy())
        out = evaluated(code, engine, x)
        found.append((np.shares_memory(out.numpy(), x.numpy()), out._base is x))
    assert found[0] == found[1]


# ------------------------------------------------------------------ writes


def _writes_twice(code: str, x: Any) -> bool:
    """Return whether ``code`` names a place twice: PyTorch then gives the overwritten value a gradient, too."""
    got = evaluated(code, rushlight, rushlight.arange(x.size).reshape(x.shape))
    return bool(got.unique().numel() != got.numel())


@pytest.mark.parametrize("code", [c for c in cases(BASIC) + cases(ADVANCED) if not c.startswith("x[0][0][0][True]")])
@pytest.mark.parametrize("recorded", [True, False])
def test_write(code: str, recorded: bool) -> None:
    """A number, a tensor of the full shape, and one that broadcasts, each with its gradient."""

    def run(T: Any, x: Any, w: Any, value: str) -> Any:
        x = x * 1 if recorded else x.detach().clone()
        scope = {"w": w, "T": T, "v": T.ones(()).to(T.float64)}
        shape = tuple(evaluated(code, T, x).shape)
        scope["full"] = T.from_numpy(np.arange(float(np.prod(shape))).reshape(shape)) * w
        scope["row"] = T.from_numpy(np.arange(float(shape[-1] if shape else 1)).reshape(shape[-1:])) * w
        scope["long"] = scope["full"][None]
        scope |= {"x": x, "np": np}
        scope |= {"I": lambda *v: T.tensor(v, dtype=T.int64), "B": lambda *v: T.tensor(v, dtype=T.bool)}
        exec(f"{code} = {value}", scope)
        return x * x

    for value in ("2.5", "w", "full", "row", "long", "3", "True"):
        if "uint8" in code:
            continue  # PyTorch refuses to fill by such a mask
        repeats = value in ("full", "long") and any(part in code for part in ("1, 1", "0, 0", "3, 3", "I(2, 2"))
        if not repeats:  # which of several values wins is nobody's promise
            same(run, CUBE, np.array(1.5), value, grad=not _writes_twice(code, CUBE))


@pytest.mark.parametrize(
    "code",
    cases("""
x[0] = 1.7   x[0] = T.tensor(1.7)      x[[0]] = 1.7  x[0] = True  x[x > 3] = 0  x[x > 3] = T.tensor(2)
x[:] = T.ones(3, dtype=T.float16)
x[...] = 0   x.fill_(2)   x.zero_()    x.copy_(T.tensor([1.0, 2.0, 3.0]))     x.fill_(T.tensor(3))      x[0, 0] = -1
x.fill_diagonal_(1)       x[None] = 1  x[0] = np.int64(2)        x.copy_(2)   x.fill_(True)
x[0] = T.tensor([[1, 2, 3]])
"""),
)
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool", "float16"])
def test_write_into_a_dtype(code: str, dtype: str) -> None:
    def written(T: Any, x: Any) -> Any:
        evaluated(code + "; pass", T, x)
        return x

    same(written, np.arange(6).reshape(2, 3).astype(dtype), grad=False)


@pytest.mark.parametrize(
    "code",
    cases("""
x.copy_(y)   x.fill_(y[0])             x.fill_(3.5)  x.zero_()    x[...] = 1   x[:] = y     x[()] = y    x[0] = y
x[:, 0] = y[:2]
x[[0]] = y   x[x > 0] = y[0]           x[0, [0, 2]] = y[:2]      x[0][1] = y[0]            x[1:][0][:2] = y[1:]
x[0] += y    x[x > 0] *= 2             x[[0, 0]] += 1            x[:, 1:] *= y[1:]         x.copy_(y[None])
x[0] = x[1]
x.T[0] = y[:2]            x.view(-1)[2:5] = y       x.diagonal()[:] = y[:2]   x.fill_diagonal_(2.0)
x[0] = 0; x[1] = y; x[0] += y
x.t().copy_(y[:2])        x[:, None][0] = y         x.copy_(y.to(T.float32))
"""),
)
def test_recorded_write(code: str) -> None:
    def written(T: Any, x: Any, y: Any) -> Any:
        base = x * 1
        kept = base[0]
        evaluated(code + "; pass", T, base, y)
        return base * base + kept.sum()

    same(written, MATRIX, np.array([0.5, -2.0, 3.0]), grad="[0, 0]]" not in code)  # PyTorch counts both writes
    same(lambda T, x, y: evaluated(code + "; pass", T, x, y), MATRIX, np.array([0.5, -2.0, 3.0]))  # a leaf refuses


def test_names_of_writes() -> None:
    for code in ("x[0] = 1", "x[[0]] = 1", "x[x == 0] = 1", "x.zero_()", "x.fill_(2)", "x.copy_(T.ones(3))"):
        found = []
        for engine in ENGINES:
            x = engine.from_numpy(MATRIX.copy()).requires_grad_() * 1
            evaluated(code + "; pass", engine, x)
            found.append(x.grad_fn.name().replace("torch::autograd::", ""))
        assert found[0] == found[1], code


def test_an_index_may_change_after_it_was_used() -> None:
    x = rushlight.from_numpy(CUBE.copy()).requires_grad_()
    index = rushlight.tensor([0, 0])
    out = x[index].sum()
    index.fill_(1)
    out.backward()
    assert x.grad.numpy()[0].tolist() == np.full((3, 4), 2.0).tolist()


@given(data=st.data())
@settings(max_examples=150)
def test_any_index(data: Any) -> None:
    """Mixed indices of NumPy's own generator, first ints and slices, then arrays."""
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=4))
    x = np.arange(float(np.prod(shape))).reshape(shape)
    items: list[Any] = []
    together = data.draw(hnp.array_shapes(max_dims=2, max_side=3))
    for n in shape[: data.draw(st.integers(1, len(shape)))]:
        kind = data.draw(st.sampled_from(["int", "slice", "array", "none", "list"]))
        if kind == "int":
            items.append(data.draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            items.append(
                slice(data.draw(st.integers(-n, n)), data.draw(st.integers(-n, n)), data.draw(st.integers(1, 2)))
            )
        elif kind == "none":
            items += [None, slice(None)]
        else:
            items.append(data.draw(hnp.arrays(np.int64, together, elements=st.integers(-n, n - 1))))
    if data.draw(st.booleans()):
        items.append(Ellipsis)

    def indexed(T: Any, x: Any, *arrays: Any) -> Any:
        rest = iter(arrays)
        return x[tuple([next(rest) if isinstance(i, np.ndarray) else i for i in items])]

    same(indexed, x, *[i for i in items if isinstance(i, np.ndarray)])


# ------------------------------------------------------------------ functions

FUNCTIONS = """
x.gather(0, T.tensor([[0, 1, 0]]))     x.gather(1, T.tensor([[0, 0, 2, 1], [2, 2, 2, 0]]))
x.gather(-1, T.tensor([[2]]))
x.gather(1, T.tensor([[0]], dtype=T.int32))         x.gather(0, T.empty(0, dtype=long))
x.gather(1, T.zeros(2, 0, dtype=long))
x.index_select(0, I(0, 0, 1))          x.index_select(1, I(2))   x.index_select(-1, T.tensor(1))
x.index_select(0, I())
x.take(I(0, 5, -1, 0))    x.take(T.tensor([[1, 1], [2, 3]]))     x.take_along_dim(T.tensor([[2]]), 1)
x.take_along_dim(I(1, 1, 5))
x.take_along_dim(T.tensor([[0, 1, 1]]), dim=0)      x.masked_select(x > 0)    x.masked_select(B(True, False, True))
x[0].masked_select(T.ones(2, 3, dtype=T.bool))      x.masked_select(x > 99)
x.scatter(0, T.tensor([[0, 1, 0]]), 2.5)            x.scatter(1, T.tensor([[2], [0]]), y[:, :1])
x.scatter(1, T.tensor([[2, 1]]), y[:1, 1:])
x.scatter(dim=1, index=T.tensor([[2]]), value=3)    x.scatter(dim=1, index=T.tensor([[2]]), src=y[:1, 2:])
T.scatter(x, 0, T.tensor([[1]]), 4)
x.scatter_add(0, T.tensor([[0, 1, 0], [0, 0, 0]]), y)            x.scatter_add(1, T.tensor([[1, 1, 1]]), y[:1])
x.index_add(0, I(0, 0), y)             x.index_add(1, I(0, 2, 0), y, alpha=2)
x.index_add(0, I(1), y[:1], alpha=-0.5)
x.index_add(-1, T.tensor(1), y[:, :1])  x.index_copy(0, I(1, 0), y)            x.index_copy(1, I(2), y[:, 1:2])
x[0, 0].index_add(0, I(0), y[0, 0])     x[0].index_copy(0, I(1), y[0, 0])      x[0, 0].index_copy(0, I(0), y[0, :1])
x[0, 0].index_copy(0, I(0), y[0, 0])
x.index_fill(0, I(1), 2.5)             x.index_fill(-1, I(0, -1), 2)          x.index_fill(1, T.tensor(1), y[0, 0])
x.index_put((I(0, 1), I(2, 2)), y[0, 0])            x.index_put((I(0),), y[0])
x.index_put([I(1, 1, 0)], y[:1], True)
x.index_put((x > 0,), y[0, 0])         x.index_put((I(0, 0), I(1, 1)), y[0, :2], accumulate=True)
x.index_put((T.tensor(1),), y[0])
x.masked_scatter(x > 0, y)             x.masked_scatter(B(True, False, True), y)           x[0].masked_scatter(x > 0, y)
x.put(I(0, -1), y[0, :2])              x.put(I(0, 0, 3), y[0], accumulate=True)
x.fill_diagonal_       x.nonzero()  x.nonzero(as_tuple=True)  x.argwhere()  T.nonzero(x[0, 0])
T.argwhere(x[:0])
T.nonzero(x[0, 0], as_tuple=True)      T.argwhere(x[1, 1])       T.nonzero(x > 0)
"""
IN_PLACE = """
x.scatter_(0, T.tensor([[0, 1, 0]]), 2.5)           x.scatter_(1, T.tensor([[2], [0]]), y[:, :1])
x.scatter_add_(1, T.tensor([[1, 1, 1]]), y[:1])
x.index_add_(0, I(0, 0), y)            x.index_copy_(0, I(1, 0), y)           x.index_fill_(0, I(1), 2.5)
x.index_put_((I(0, 1), I(2, 2)), y[0, 0])           x.index_put_([I(1, 1, 0)], y[:1], True)
x.masked_scatter_(x > 0, y)
x.put_(I(0, -1), y[0, :2])             x.tril_()    x.triu_(1)   x.fill_diagonal_(2.0)
x.index_fill_(1, I(0), y[0, 0])
"""
BAD_CALLS = """
x.gather(0, T.tensor([[7]]))           x.gather(0, T.tensor([[-1]]))          x.gather(0, T.zeros(1, 5, dtype=long))
x.gather(0, I(0))         x.gather(0, T.zeros(1, 1, dtype=T.int16))           x.gather(5, T.tensor([[0]]))
x.index_select(0, I(5))   x.index_select(0, I(-1))  x.index_select(0, T.tensor([[0]]))
x.index_select(0, T.tensor([0.0]))
x.scatter(0, T.tensor([[5]]), 1.0)     x.scatter(0, T.tensor([[0, 0, 0, 0]]), 1.0)
x.scatter(0, T.tensor([[0]]), y.to(T.float16))
x.scatter(0, T.tensor([[0, 0, 0]]), y[:, :2])       x.scatter(0, T.tensor([[0]]), 1.0, reduce='mean')
x.scatter(0, T.tensor([[-1]]), 1.0)
x.index_add(0, I(0, 5), y)             x.index_add(0, I(0), y)   x.index_add(0, I(0, 0), y[:, :2])
x.index_add(0, I(0, 0), y.to(T.float16))
x.index_add(0, I(0), y[0, 0])          x.index_add(0, I(), y[0, 0])           x.index_add(0, I(0), y[0, :1])
x[0, 0].index_add(0, I(0), y[0, :1])   x[0, 0].index_add(0, I(), y[0, 0])     x.index_add(1, I(0), y[0, :1])
x[0].index_add(0, I(0), y[:1])         x.index_copy(0, I(0), y[0, 0])         x.index_copy(0, I(0), y[0, :1])
x[0, 0].index_copy(0, I(), y[0, 0])    x[0, 0].index_copy(0, I(0), y[0])      x.index_copy(1, I(0), y[0, 0])
x.index_copy(0, I(0, 5), y)            x.index_copy(0, I(0), y)  x.index_copy(0, T.tensor(1), y[0])
x.index_copy(0, I(0, 1), y[:, :2])
x.index_fill(0, I(3), 1)  x.index_fill(0, I(0), y)  x.index_put((I(0),), T.ones(5, dtype=x.dtype))
x.index_put((I(0),), T.ones(3, dtype=T.float16))
x.index_put(I(0), y)      x.index_put((None, I(0)), y[0, 0])     x.index_put((I(7),), y[0])             x.take(I(99))
x.take(T.tensor([0], dtype=T.int32))   x.take_along_dim(I(0), 1)  x.masked_select(x)
x.masked_select(T.ones(2, 2, dtype=T.bool))
x.masked_scatter(x > -99, y[0])        x.masked_scatter(x > 0, y.to(T.float16))            x.put(I(0, 1), y)
x.put(I(99), y[0, :1])
x.fill_(y)   x[0].fill_diagonal_(1)    x.copy_(y[:, :2])         x.copy_([1])              x.fill_('a')
T.take(3, I(0))
"""


@pytest.mark.parametrize("code", cases(FUNCTIONS))
def test_function(code: str) -> None:
    if code != "x.fill_diagonal_":
        several = "as_tuple" in code
        same(
            lambda T, x, y: evaluated(code, T, x, y),
            MATRIX,
            MATRIX * 1.5 + 0.25,
            names=not several and "put(" not in code,
        )


@pytest.mark.parametrize("code", cases(IN_PLACE))
def test_in_place(code: str) -> None:
    def written(T: Any, x: Any, y: Any) -> Any:
        base = x * 1
        assert evaluated(code, T, base, y) is base
        return base * base

    same(written, MATRIX, MATRIX * 1.5 + 0.25)
    same(lambda T, x, y: evaluated(code, T, x.detach().clone(), y), MATRIX, MATRIX * 1.5 + 0.25)
    same(lambda T, x, y: evaluated(code, T, x.clone(), y), MATRIX, MATRIX * 1.5 + 0.25, grad=False)


@pytest.mark.parametrize("code", cases(BAD_CALLS))
def test_bad_call(code: str) -> None:
    same(lambda T, x, y: evaluated(code, T, x * 1, y), MATRIX, MATRIX * 1.5)


@pytest.mark.parametrize(
    "code",
    cases("""
x.gather(0, T.tensor(0))  x.gather(0, I(0))         x.index_select(0, I(0))   x.scatter(0, T.tensor(0), 1.0)
x.take(T.tensor([[0, 0]]))
x.scatter_add(0, T.tensor(0), x)       x.index_add(0, I(0), x)   x.index_copy(0, I(0), x)  x.index_fill(0, I(0), 2)
x.nonzero()
x.masked_select(x > 0)    x.masked_scatter(x > 0, x)             x.scatter(0, T.tensor(0), 2 * x)
x.put(I(0), x.reshape(1))
x.index_put((x > 0,), x)  x.take_along_dim(T.tensor([0]))        x[...] = 3   x[()] = 3    x[x > 0] = 3  x[True] = 3
"""),
)
def test_no_dims(code: str) -> None:
    same(lambda T, x: evaluated(code, T, x * 1), np.array(2.0))


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8"])
@pytest.mark.parametrize(
    "code", ["x.index_add(0, z, y)", "x.scatter_add(0, z[:, None].expand(300, 5), y)", "x.index_put((z,), y, True)"]
)
def test_many_repeats(code: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2, (7, 5)).astype(dtype), rng.integers(0, 2, (300, 5)).astype(dtype)
    same(lambda T, x, y, z: evaluated(code, T, x, y, z), x, y, rng.integers(0, 7, 300), grad=dtype == "float32")
    same(lambda T, x, z: x[z, :2], x.astype(np.float32), rng.integers(0, 7, 300))
    same(lambda T, x, z: x[z, z % 5], x.astype(np.float32), rng.integers(0, 7, 300), tol=1e-4)


@pytest.mark.parametrize("reduce", ["add", "multiply"])
def test_scatter_that_combines(reduce: str) -> None:
    index = np.array([[0, 1, 0], [1, 1, 1]])
    same(lambda T, x, y, i: x.scatter(0, i, y, reduce=reduce), MATRIX, MATRIX + 5, index, grad=False)
    same(lambda T, x, i: x.scatter(0, i, 3.0, reduce=reduce), MATRIX, index, grad=False)
    same(lambda T, x, i: x.scatter_(0, i, 3.0, reduce=reduce), MATRIX, index, grad=False)


@pytest.mark.parametrize(
    "code",
    cases("""
T.searchsorted(x, y)      T.searchsorted(x, y, right=True)       T.searchsorted(x, y, out_int32=True)
T.searchsorted(x, 2.0)
T.searchsorted(x, y[0])   T.searchsorted(x, y, side='right')     T.searchsorted(x, y, side='left')
T.bucketize(y, x)
T.bucketize(y, x, right=True)          T.bucketize(2.0, x)       T.bucketize(y.reshape(2, 3), x, out_int32=True)
T.searchsorted(x, y, side='left', right=True)       T.searchsorted(x.expand(1, 4), y)
T.bucketize(y, x.expand(1, 4))
T.searchsorted(x.expand(2, 4), y.reshape(2, 3))     T.searchsorted(x, y, side='no')        T.searchsorted(x[:0], y)
T.searchsorted(-x, y, sorter=I(3, 2, 1, 0))         T.bucketize(y, x, out=T.zeros(6, dtype=long))
"""),
)
@pytest.mark.filterwarnings("ignore:torch.searchsorted")
def test_searchsorted(code: str) -> None:
    same(lambda T, x, y: evaluated(code, T, x, y), np.arange(4.0), np.array([2.0, 0, 9, -1, 1.5, np.nan]), grad=False)


def test_fill_diagonal_wraps() -> None:
    for shape in [(7, 3), (3, 3), (2, 5), (8, 1), (3, 3, 3)]:
        for wrap in (True, False):
            same(lambda T, x, wrap: x.fill_diagonal_(1.5, wrap=wrap), np.zeros(shape), wrap, grad=False)


@pytest.mark.parametrize("reduce", ["sum", "mean", "prod", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.filterwarnings("ignore:scatter_reduce")
def test_scatter_reduce(reduce: str, include_self: bool) -> None:
    index = np.array([[0, 1, 0], [1, 1, 1]])
    for dtype in ("float64", "float32", "int64"):
        x, y = MATRIX.astype(dtype), np.array([[-2, 1, 5], [7, 1, 3]]).astype(dtype)
        y += 0 if include_self else 10  # PyTorch counts ties with an input that it left out
        grad = reduce != "prod"
        same(lambda T, x, y, i: x.scatter_reduce(0, i, y, reduce, include_self=include_self), x, y, index, grad=grad)
        same(
            lambda T, x, y, i: T.scatter_reduce(x, -1, i, y, reduce, include_self=include_self), x, y, index, grad=grad
        )
    same(
        lambda T, x, i: x.clone().scatter_reduce_(1, i, x, reduce, include_self=include_self), MATRIX, index, grad=False
    )
    same(lambda T, x, i: x.scatter_reduce(1, i, x, "median"), MATRIX, index)
