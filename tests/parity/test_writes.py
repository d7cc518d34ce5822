"""Programs of views and writes in place, under PyTorch and under rushlight: values, gradients, versions, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.oracle import same

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([2.0, 3.0, -0.5])


def basic(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    y[0].mul_(w)
    y.add_(1.0)
    y[:, 1:].copy_(w[1:])
    return y * y, y._version


def view_of_view(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    v = y.t()[1:].unsqueeze(0)
    v.mul_(2.0)
    u = v[0, 0]
    y[1].add_(w)
    return y, v, u, v._version


def constant_base(T: Any, x: Any, w: Any) -> Any:
    base = T.zeros(3, 3, dtype=T.float64)
    base[0] = w
    row = base[1]
    row.copy_(w * w)
    return base, row, row.requires_grad


def whole(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    v = y[0]
    y.zero_()
    asks = y.requires_grad, v.requires_grad
    y.copy_(w)
    return y, v, list(asks)


def fill(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    y[0].fill_(3.0)
    y[1, 1] = 5.0
    return y * x


def read_then_write(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    z = y.exp()
    y.mul_(2.0)
    return z + y


def saved_then_write(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    z = y * y
    y[0, 0] = 1.0
    return z


def result_then_write(T: Any, x: Any, w: Any) -> Any:
    z = x.exp()
    z.add_(1.0)
    return z


def product_with_itself(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    y.mul_(y)
    return y


def detached(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    d = y.detach()
    z = y * 2.0
    d.mul_(3.0)
    return z + y, d, y._version


def detached_of_saved(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    z = y * y
    y.detach().mul_(3.0)
    return z


def data(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    z = y + y
    y.data.mul_(3.0)
    return z, y._version


def no_grad_write(T: Any, x: Any, w: Any) -> Any:
    with T.no_grad():
        x.mul_(2.0)
        x[0] = 1.0
    return x * w, x._version, x.is_leaf


def no_grad_write_of_saved(T: Any, x: Any, w: Any) -> Any:
    z = x * w
    with T.no_grad():
        x.mul_(2.0)
    return z


def leaf(T: Any, x: Any, w: Any) -> Any:
    return x.mul_(2.0)


def view_of_leaf(T: Any, x: Any, w: Any) -> Any:
    x[0].mul_(2.0)


def no_grad_view(T: Any, x: Any, w: Any) -> Any:
    y = x * 1.0
    with T.no_grad():
        v = y[0]
    v.mul_(2.0)


def expanded(T: Any, x: Any, w: Any) -> Any:
    (w * 1.0).expand(2, 3).add_(1.0)


def too_large(T: Any, x: Any, w: Any) -> Any:
    (w * 1.0).add_(x)


def wrong_kind(T: Any, x: Any, w: Any) -> Any:
    T.ones(3, dtype=T.int64).add_(w.detach())


def out_of_a_leaf(T: Any, x: Any, w: Any) -> Any:
    T.exp(x, out=T.empty(2, 3, dtype=T.float64))


def out_without_grad(T: Any, x: Any, w: Any) -> Any:
    out = T.empty(2, 3, dtype=T.float64)
    found = T.exp(x.detach(), out=out)
    return out, found is out, out._version


def out_into_a_saved_value(T: Any, x: Any, w: Any) -> Any:
    c = T.ones(3, dtype=T.float64)
    z = x * c
    T.exp(w.detach(), out=c)
    return z


def wide_into_narrow(T: Any, x: Any, w: Any) -> Any:
    y = T.zeros(3, dtype=T.float32)
    y.copy_(w)
    return y


def in_place_operators(T: Any, x: Any, w: Any) -> Any:
    y = z = x * 1.0
    y += w
    y *= 2
    y -= x
    y /= 4
    return y, y is z, y._version


def zero_dims(T: Any, x: Any, w: Any) -> Any:
    s = (w * 1.0).sum()
    v = s.detach()
    t = s * 2.0
    s.mul_(3.0)
    return s + t, v


def toggled(T: Any, x: Any, w: Any) -> Any:
    v = w[:2]
    w.requires_grad_(False)
    asks = v.requires_grad
    w.requires_grad_(True)
    return v * 2.0, asks


PROGRAMS = [
    basic, view_of_view, constant_base, whole, fill, read_then_write, saved_then_write, result_then_write,
    product_with_itself, detached, detached_of_saved, data, no_grad_write, no_grad_write_of_saved,
    leaf, view_of_leaf, no_grad_view, expanded, too_large, wrong_kind, out_of_a_leaf, out_without_grad,
    out_into_a_saved_value, wide_into_narrow, in_place_operators, zero_dims, toggled,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(program: Any) -> None:
    same(lambda T, x, w: _listed(program(T, x, w)), X, W)


def _listed(out: Any) -> Any:
    return list(out) if isinstance(out, tuple) else out


# ------------------------------------------------------------------ drawn programs

INDEX = st.sampled_from(
    [0, 1, slice(None, 1), slice(1, None), slice(None, None, 2), (slice(None), 1), (0, slice(0, 2))]
)
STEP = st.one_of(
    st.tuples(st.just("look"), st.integers(0, 9), INDEX),
    st.tuples(st.sampled_from(["t", "flat", "detach", "exp"]), st.integers(0, 9)),
    st.tuples(st.sampled_from(["add_", "mul_", "copy_", "add", "mul"]), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.sampled_from(["zero_", "tanh_", "half"]), st.integers(0, 9)),
)


@given(st.lists(STEP, min_size=2, max_size=8), st.sets(st.integers(0, 7)))
@settings(max_examples=250)
def test_drawn_programs(steps: list[Any], off: set[int]) -> None:
    """Each step may fail: then both engines must fail, and the program goes on."""

    def code(T: Any, x: Any, w: Any) -> Any:
        pool, notes = [x * 1.0, w * 1.0], []
        for number, step in enumerate(steps):
            try:
                with T.set_grad_enabled(number not in off or step[0] not in {"add_", "mul_", "copy_", "zero_"}):
                    made = perform(T, pool, *step)
            except (RuntimeError, IndexError) as error:
                notes.append(type(error).__name__)
                continue
            if made is not None:
                pool.append(made)
        return [notes, [t._version for t in pool], [t.requires_grad for t in pool], *pool]

    same(code, X, W)


def perform(T: Any, pool: list[Any], op: str, a: int, b: Any = None) -> Any:
    """Run one step; return the new tensor, if it makes one."""
    x = pool[a % len(pool)]
    if op == "look":
        return x[b]
    if op in {"t", "flat"}:
        return x.t() if op == "t" else x.flatten()
    if op in {"detach", "exp", "zero_", "tanh_"}:
        made = getattr(x, op)()
        return made if op in {"detach", "exp"} else None
    if op == "half":
        x.mul_(0.5)
        return None
    y = pool[b % len(pool)]
    if y is not x and op.endswith("_") and np.shares_memory(x.detach().numpy(), y.detach().numpy()):
        return None  # PyTorch refuses what overlaps in part; here the operand is read before the write
    made = getattr(x, op)(y)
    return made if op in {"add", "mul"} else None


def test_writes_of_nothing() -> None:
    same(lambda T: [T.full((2, 0), 3.0).mul_(2.0), T.zeros(3, 0, 2).add_(1), T.ones(1, 0).expand(4, 0).zero_()])


RETAINED = {
    "of the base, written through a view": "y = x * 2; y.retain_grad(); y[None].mul_(3.0); out = y * y; kept = y",
    "of a view, whose base is written": "y = x * 2; v = y[None]; v.retain_grad(); y.mul_(3.0); out = v * v; kept = v",
    "of a view, itself written": "y = x * 2; v = y[:1]; v.retain_grad(); v.mul_(3.0); out = y * y; kept = v",
    "that is already there": (
        "y = x * 2; y.retain_grad(); (y * 5).sum().backward(retain_graph=True); y[0].mul_(3.0); out = y * y; kept = y"
    ),
    "that came by inputs=": (
        "y = x * 2; y.sum().backward(inputs=[y], retain_graph=True); y[None].add_(1); y.retain_grad(); out = kept = y"
    ),
}


@pytest.mark.parametrize("case", sorted(RETAINED))
def test_a_retained_gradient_stays_with_its_tensor(case: str) -> None:
    def run(T: Any) -> Any:
        names: dict[str, Any] = {"T": T, "x": T.tensor([1.0, 2.0], requires_grad=True)}
        exec(RETAINED[case], names)
        before = names["kept"].grad
        before = None if before is None else before.clone()
        names["out"].sum().backward()
        return before, names["kept"].grad, names["kept"].retains_grad

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a gradient that is not there yet
        same(run, grad=False)
