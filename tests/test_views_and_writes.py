"""Views and writes in place, in any order, against a twin that computes values and derivatives forward.

The twin keeps each memory as two NumPy arrays: the values, and their derivative by every element of the leaves. A view
of a tensor is a NumPy view of both, so a write shows wherever it should. rushlight must give the same values, versions
and gradients, or refuse; where the twin sees no reason to refuse, it must not. What the twin cannot say, second
derivatives and all that should agree, rushlight.testing says of programs that it draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import rushlight as torch
from rushlight import testing
from rushlight.autograd import grad
from rushlight.autograd.variable import as_ndarray
from support.values import equal, leaf


@dataclass
class Buffer:
    """The bytes behind one or more memories: ``.data`` gives a second memory, and neither counts the other's writes."""

    shared: bool = False
    blind: bool = False  # written while shared: what was saved of it may have changed unnoticed, as in PyTorch


@dataclass
class Memory:
    """What tensors share, whatever their history: the count of writes."""

    writes: int = 0
    buffer: Buffer = field(default_factory=Buffer)

    def alias(self) -> Memory:
        self.buffer.shared = True
        return Memory(buffer=self.buffer)


@dataclass
class History:
    """What a tensor and its views share in the graph. ``saved``: which memories must still be at which write."""

    asks: bool = False
    leaf: bool = False
    saved: list[tuple[Memory, int]] = field(default_factory=list)

    def stale(self) -> bool:
        return any(memory.writes != writes for memory, writes in self.saved)


@dataclass
class Twin:
    """One tensor: rushlight's, and its values and derivatives."""

    real: Any
    value: np.ndarray
    slope: np.ndarray
    memory: Memory
    history: History
    loose: bool = False  # made by a view under no_grad

    def overlaps(self) -> bool:
        return any(s == 0 and n > 1 for s, n in zip(self.value.strides, self.value.shape, strict=True))


SIZES = ((2, 3), (3, 2))
TOTAL = sum(int(np.prod(shape)) for shape in SIZES)


class Program(RuleBasedStateMachine):
    """Draws programs and runs them in both worlds."""

    def __init__(self) -> None:
        super().__init__()
        self.pool: list[Twin] = []
        self.leaves: list[Any] = []

    @initialize(seed=st.integers(0, 1000))
    def start(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        before = 0
        for shape in SIZES:
            value = rng.uniform(-1, 1, shape)
            slope = np.zeros((*shape, TOTAL))
            slope.reshape(-1, TOTAL)[:, before : before + value.size] = np.eye(value.size)
            before += value.size
            real = torch.tensor(value, requires_grad=True)
            self.leaves.append(real)
            self.pool.append(Twin(real, value, slope, Memory(), History(asks=True, leaf=True)))
        for shape in ((2, 3), (3,)):
            self.add_constant(rng.uniform(-1, 1, shape))
        for n in range(2):
            self.compute(n, n, "scaled")

    def add_constant(self, value: np.ndarray) -> None:
        real = torch.tensor(value)
        self.pool.append(Twin(real, value, np.zeros((*value.shape, TOTAL)), Memory(), History()))

    def pick(self, number: int) -> Twin:
        return self.pool[number % len(self.pool)]

    def keep(self, twin: Twin) -> None:
        self.pool.append(twin)
        if len(self.pool) > 14:
            del self.pool[4]  # the leaves and the first constants stay

    # -------------------------------------------------------------- out of place

    @rule(a=st.integers(0, 99), b=st.integers(0, 99), op=st.sampled_from(["add", "mul", "tanh", "scaled"]))
    def compute(self, a: int, b: int, op: str) -> None:
        x, y = self.pick(a), self.pick(b)
        if x.loose or y.loose or not fits(x, y):
            return
        memory = Memory()
        history = History(asks=x.history.asks, saved=list(x.history.saved))
        if op in {"tanh", "scaled"}:
            real = x.real.tanh() if op == "tanh" else x.real * 0.5
            value = np.tanh(x.value) if op == "tanh" else x.value * 0.5
            slope = x.slope * (1 - value * value)[..., None] if op == "tanh" else x.slope * 0.5
            history.saved += [(memory, 0)] if op == "tanh" else []
        else:
            real = x.real + y.real if op == "add" else x.real * y.real
            value, slope = combined(op, x, y)
            history.saved += y.history.saved
            history.saved += saved_by_product(x, y) if op == "mul" else []
            history.asks = x.history.asks or y.history.asks
        self.keep(Twin(real, np.array(value, order="C"), np.array(slope, order="C"), memory, history))

    # -------------------------------------------------------------- views

    @rule(
        a=st.integers(0, 99),
        kind=st.sampled_from(["select", "slice", "stepped", "transpose", "unsqueeze", "expand", "view"]),
        number=st.integers(0, 5),
        off=st.booleans(),
    )
    def look(self, a: int, kind: str, number: int, off: bool) -> None:
        x = self.pick(a)
        seen = viewed(x, kind, number)
        if seen is None:
            return
        code, value, slope = seen
        if off:
            with torch.no_grad():
                real = code(x.real)
        else:
            real = code(x.real)
        self.keep(Twin(real, value, slope, x.memory, x.history, x.loose or off))

    @rule(a=st.integers(0, 99), way=st.sampled_from(["detach", "data"]))
    def cut(self, a: int, way: str) -> None:
        x = self.pick(a)
        real = x.real.detach() if way == "detach" else x.real.data
        memory = x.memory if way == "detach" else x.memory.alias()  # .data counts its own writes, as in PyTorch
        self.keep(Twin(real, x.value, np.zeros((*x.value.shape, TOTAL)), memory, History()))

    # -------------------------------------------------------------- writes

    @rule(
        a=st.integers(0, 99),
        b=st.integers(0, 99),
        op=st.sampled_from(["add_", "mul_", "copy_", "zero_", "tanh_", "setitem"]),
        plain=st.booleans(),
        off=st.booleans(),
    )
    def write(self, a: int, b: int, op: str, plain: bool, off: bool) -> None:
        x, y = self.pick(a), self.pick(b)
        if op == "setitem":
            if not x.value.ndim:
                return
            x = Twin(x.real, x.value[0:1], x.slope[0:1], x.memory, x.history, x.loose)
        if op == "zero_" and x.overlaps():  # the same everywhere: PyTorch allows it where nothing is recorded
            return
        if not plain and (y.loose or not broadcasts(y.value.shape, x.value.shape)):
            return
        operand: Any = 0.75 if plain else y.real
        recorded = not off and (x.history.asks or (op not in {"zero_", "tanh_"} and not plain and y.history.asks))
        if x.overlaps() or (recorded and (x.history.leaf or x.loose)):
            before = x.value.copy()
            with pytest.raises(RuntimeError):
                self.perform(x, op, operand, off)
            np.testing.assert_array_equal(as_ndarray(x.real if op != "setitem" else x.real[0:1]), before)
            return
        value, slope, saved = self.result(x, y, op, plain)
        self.perform(x, op, operand, off)
        x.value[...] = value
        x.memory.writes += 1
        x.memory.buffer.blind |= x.memory.buffer.shared
        if recorded:
            x.slope[...] = slope
            x.history.asks = True
            x.history.saved += saved
            x.history.saved += [(x.memory, x.memory.writes)] if op == "tanh_" else []

    @staticmethod
    def perform(x: Twin, op: str, operand: Any, off: bool) -> None:
        with torch.set_grad_enabled(not off):
            if op == "setitem":
                x.real[0:1] = operand
            elif op in {"zero_", "tanh_"}:
                getattr(x.real, op)()
            elif op == "copy_":
                x.real.copy_(operand if isinstance(operand, torch.Tensor) else torch.tensor(operand))
            else:
                getattr(x.real, op)(operand)

    @staticmethod
    def result(x: Twin, y: Twin, op: str, plain: bool) -> tuple[Any, Any, list[tuple[Memory, int]]]:
        """Return what is to be written, its derivative, and what must not be written from now on."""
        if op == "zero_":
            return 0.0, 0.0, []
        if op == "tanh_":
            value = np.tanh(x.value)
            return value, x.slope * (1 - value * value)[..., None], []
        if plain:
            factor = {"add_": 1.0, "mul_": 0.75}.get(op, 0.0)
            return (
                (x.value + 0.75, x.slope, [])
                if op == "add_"
                else (0.75 if factor == 0 else x.value * 0.75, x.slope * factor, [])
            )
        if op in {"copy_", "setitem"}:
            return y.value.copy(), y.slope.copy(), list(y.history.saved)
        value, slope = combined(op[:-1], x, y)
        saved = list(y.history.saved)
        if op == "mul_" and x.history.asks:
            saved.append((y.memory, y.memory.writes))
        return value, slope, saved

    # -------------------------------------------------------------- what must hold

    @invariant()
    def values_and_versions_agree(self) -> None:
        for twin in self.pool:
            assert tuple(twin.real.shape) == np.shape(twin.value)
            np.testing.assert_allclose(as_ndarray(twin.real), twin.value, rtol=1e-12, atol=1e-12)
            assert twin.real._version == twin.memory.writes
            if not twin.loose:
                assert twin.real.requires_grad is twin.history.asks

    @precondition(lambda self: len(self.pool) > 4)
    @rule(a=st.integers(0, 99), seed=st.integers(0, 9))
    def differentiate(self, a: int, seed: int) -> None:
        x = self.pick(a)
        if x.loose or not x.history.asks:
            return
        self.compare(x, np.random.default_rng(seed).uniform(-1, 1, x.value.shape))

    def compare(self, x: Twin, weight: np.ndarray) -> None:
        stale = x.history.stale()
        try:
            found = grad(x.real, self.leaves, torch.tensor(weight), retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            if not stale or "modified by an inplace operation" not in str(error):
                raise
            return
        if any(memory.buffer.blind for memory, _ in x.history.saved):
            return
        flat = [np.zeros(v.shape) if g is None else as_ndarray(g) for v, g in zip(self.leaves, found, strict=True)]
        got = np.concatenate([each.ravel() for each in flat])
        expected = np.tensordot(weight, x.slope, x.value.ndim)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)

    def teardown(self) -> None:
        for twin in self.pool:
            if twin.history.asks and not twin.loose:
                self.compare(twin, np.cos(np.arange(twin.value.size)).reshape(twin.value.shape))


def broadcasts(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def fits(x: Twin, y: Twin) -> bool:
    try:
        shape = np.broadcast_shapes(x.value.shape, y.value.shape)
    except ValueError:
        return False
    return len(shape) < 5 and np.prod(shape) <= 36


def combined(op: str, x: Twin, y: Twin) -> tuple[np.ndarray, np.ndarray]:
    """Return value and derivative of the sum or product."""
    if op == "add":
        return x.value + y.value, x.slope + y.slope
    return x.value * y.value, x.slope * y.value[..., None] + y.slope * x.value[..., None]


def saved_by_product(x: Twin, y: Twin) -> list[tuple[Memory, int]]:
    """Return what a product saves: each factor for the other's sake."""
    saved = [(x.memory, x.memory.writes)] if y.history.asks else []
    return saved + ([(y.memory, y.memory.writes)] if x.history.asks else [])


def viewed(x: Twin, kind: str, number: int) -> tuple[Any, np.ndarray, np.ndarray] | None:
    """Return the code of a view, and the same view of value and derivative; None if it has no sense here."""
    value, slope, ndim = x.value, x.slope, x.value.ndim
    if kind == "unsqueeze":
        dim = number % (ndim + 1)
        return (lambda t: t.unsqueeze(dim)), np.expand_dims(value, dim), np.expand_dims(slope, dim)
    if (kind == "view" and not (value.flags.c_contiguous and ndim)) or (kind == "expand" and ndim > 2):
        return None
    if kind == "view":
        return (lambda t: t.view(value.size)), value.reshape(-1), slope.reshape(-1, TOTAL)
    if kind == "expand":
        shape = (2, *value.shape)
        return (lambda t: t.expand(shape)), writable(value, shape), writable(slope, (*shape, TOTAL))
    if not ndim:
        return None
    dim = number % ndim
    if kind == "transpose":
        other = (dim + 1) % ndim
        return (lambda t: t.transpose(dim, other)), np.swapaxes(value, dim, other), np.swapaxes(slope, dim, other)
    if value.shape[dim] < 2:
        return None
    one = {"select": 1, "slice": slice(1, None), "stepped": slice(None, None, 2)}[kind]
    index = (*(slice(None),) * dim, one)
    return (lambda t: t[index]), value[(*index, ...)], slope[(*index, ...)]


def writable(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.lib.stride_tricks.as_strided(x, shape, (0, *x.strides))


Program.TestCase.settings = settings(max_examples=150, stateful_step_count=20)
TestPrograms = Program.TestCase


# ------------------------------------------------------------------ on rushlight.testing


@contextmanager
def refusals_allowed() -> Iterator[None]:
    """Context that drops a program whose saved value was written: whether that is right, the twin says."""
    try:
        yield
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        reject()


@settings(max_examples=60)
@given(testing.programs(size=st.integers(4, 20)))
def test_drawn_programs_up_to_second_order(program: Any) -> None:
    leaves = [torch.tensor(array, requires_grad=True) for array in program.arrays().values()]
    with refusals_allowed():
        report = testing.check_gradient(program, *leaves, raise_exception=False)
    assert report.verdict is not testing.Verdict.WRONG, f"{program!r}\n{report}"


@settings(max_examples=20)
@given(testing.programs(size=st.integers(4, 12)))
def test_all_derivatives_of_drawn_programs_agree(program: Any) -> None:
    leaves = [torch.tensor(array, requires_grad=True) for array in program.arrays().values()]
    with refusals_allowed():
        found = testing.check_agreement(program, *leaves, order=1, raise_exception=False)
    excused = ("ill-conditioned", "view size")  # of inputs that are not contiguous there may be no view
    wrong = [each for each in found.wrong if not any(words in each.detail for words in excused)]
    assert wrong == [], f"{program!r}\n{found}"


WRITES = {
    "add": lambda y, x: y[0].add_(x[1]), "mul": lambda y, x: y[:, 1].mul_(x[:, 0].sin()),
    "copy": lambda y, x: y[1].copy_(x[0]),
    "set": lambda y, x: y.__setitem__((slice(None), 0), x[:, 1] * 2), "zero": lambda y, x: y[0].zero_(),
    "tanh": lambda y, x: y.t()[0].tanh_(), "diagonal": lambda y, x: y[:, :2].diagonal().mul_(3),
    "through a view of a view": lambda y, x: y.view(-1)[1:5].view(2, 2).t()[0].exp_(),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
def test_each_write_into_a_view(name: str) -> None:
    """The base, the view and what was made of them before and after: first to third order."""

    def fn(x: Any) -> Any:
        y = x * 1.5
        before = (y + 1).sin().sum()
        WRITES[name](y, x)
        return before, y, y.t()[1] * x[0, 0], (y * y).sum()

    x = torch.tensor([[0.5, -1.2, 0.8], [0.3, 0.9, -0.4]], dtype=torch.float64, requires_grad=True)
    assert testing.check_gradient(fn, x, order=3).verdict is testing.Verdict.RIGHT


# ------------------------------------------------------------------ single cases


def test_modified_inplace_error_names_the_culprit() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    z = y * y
    y.add_(1.0)
    with pytest.raises(RuntimeError) as caught:
        z.sum().backward()
    text = str(caught.value)
    for words in (
        "modified by an inplace operation",
        "[torch.DoubleTensor [2]]",
        "output 0 of MulBackward0",
        "version 1",
        "expected version 0",
        "add_",
    ):
        assert words in text


@pytest.mark.parametrize("through", ["itself", "view", "detached", "base"])
def test_every_way_to_write_a_saved_value_is_noticed(through: str) -> None:
    x = leaf(1.0, 2.0)
    base = x * 2.0
    y = base[0:2]
    z = y.tanh() if through == "itself" else y * y
    target = {"itself": z, "view": y[0:1], "detached": y.detach(), "base": base}[through]
    with torch.no_grad():
        target.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_a_write_before_saving_is_fine() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    y.add_(1.0)
    (y * y).sum().backward()
    equal(x.grad, 12, 20)


def test_leaf_errors() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.add_(1.0)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        x[0:1].add_(1.0)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        x[0] = 1.0
    equal(x, 1, 2)
    with torch.no_grad():
        x.add_(1.0)
    equal(x, 2, 3)
    assert x.is_leaf


def test_view_made_under_no_grad() -> None:
    y = leaf(1.0, 2.0) * 1.0
    with torch.no_grad():
        v = y[0:1]
        v.add_(1.0)
    with pytest.raises(RuntimeError, match="no_grad"):
        v.add_(1.0)
    equal(y, 2, 2)


def test_view_keeps_its_history_when_the_leaf_no_longer_requires_grad() -> None:
    x = leaf(1.0, 2.0)
    v = x[0:1]
    x.requires_grad_(False)
    assert v.requires_grad
    (dv,) = grad((v * 3.0).sum(), v)
    equal(dv, 3)


def test_operand_is_a_view_whose_base_got_a_history_later() -> None:
    base = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    v = base[0:2]
    w = leaf(2.0)
    base.mul_(w)
    x = torch.tensor([1.0, 1.0], dtype=torch.float64)
    x.add_(v)
    assert x.requires_grad
    x.sum().backward()
    equal(w.grad, 3)


def test_overwritten_values_get_no_gradient_but_the_tensor_still_asks() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    y.copy_(torch.tensor([5.0, 6.0], dtype=torch.float64))
    assert y.requires_grad
    v = y[0:1]
    y.zero_()
    assert y.requires_grad
    assert v.requires_grad
    (y.sum() + v.sum()).backward()
    assert x.grad is None or not np.any(as_ndarray(x.grad))


def test_product_with_itself_in_place() -> None:
    x = leaf(2.0, 3.0)
    y = x * 1.0
    y.mul_(y)
    equal(y, 4, 9)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    y = x * 1.0
    y.mul_(y.clone())
    y.sum().backward()
    equal(x.grad, 4, 6)


@pytest.mark.parametrize("recorded", [False, True])
def test_memory_that_several_elements_share_is_not_written(recorded: bool) -> None:
    base = torch.tensor([1.0, 2.0], requires_grad=recorded) * 1
    wide = base.unsqueeze(0).expand(3, 2)
    for write in (lambda: wide.add_(1), lambda: wide.mul_(torch.ones(3, 2)), lambda: wide.copy_(torch.ones(2))):
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            write()
    assert base.tolist() == [1.0, 2.0]
    assert base._version == 0


def test_views_of_views_and_zero_dims() -> None:
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1.0
    square = y.view(2, 2)
    corner = square.transpose(0, 1)[1][0]
    assert corner.shape == ()
    corner.mul_(10.0)
    equal(y, 1, 20, 3, 4)
    (corner * 2.0 + square.sum()).backward()
    equal(x.grad, 1, 30, 1, 1)


def test_zero_dim_tensor_shares_with_its_detached_one() -> None:
    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    y = x * 1.0
    d = y.detach()
    d.add_(5.0)
    assert float(as_ndarray(y)) == 7.0
    assert y._version == 1


def test_retained_second_order_through_a_write() -> None:
    x = leaf(1.0, 2.0)
    y = x * x
    y[0:1].mul_(x[1:2])  # x0^2 x1, x1^2
    (dx,) = grad((y * y).sum(), x, create_graph=True)
    equal(dx, 4 * 1 * 4, 2 * 1 * 2 + 4 * 8)
    (d2,) = grad(dx[0:1].sum(), x)  # 4 x0^3 x1^2
    equal(d2, 12 * 4, 8 * 2)
