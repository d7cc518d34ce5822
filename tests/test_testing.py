"""rushlight.testing says what is true of a gradient: right, wrong and where, a kink, or too hard to tell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch
from rushlight import testing
from rushlight.autograd import Function
from rushlight.testing import Verdict, check_agreement, check_gradient, gradient_contract
from rushlight.testing.slopes import rate, slope
from support.values import leaf

F64 = torch.float64


class Square(Function):
    """x * x with a gradient ``wrong`` times too large."""

    @staticmethod
    def forward(ctx: Any, x: Any, wrong: float) -> Any:
        ctx.save_for_backward(x)
        ctx.wrong = wrong
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2 * ctx.saved_tensors[0] * ctx.wrong, None


class OneEntry(Square):
    """Only the last entry's gradient is wrong."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x = ctx.saved_tensors[0]
        return g * 2 * x * torch.tensor([1.0] * (len(x) - 1) + [ctx.wrong], dtype=x.dtype), None


def verdict(fn: Any, *inputs: Any, **more: Any) -> Verdict:
    return check_gradient(fn, *inputs, raise_exception=False, **more).verdict


X = (0.5, -1.0, 2.0)
SMOOTH = {
    "square": lambda x: x * x,
    "linear": lambda x: 3 * x,
    "constant": lambda x: torch.full((3,), 2.0, dtype=F64),
    "scalar": lambda x: (x.sin() * x).sum(),
    "softmax": lambda x: x.softmax(0),
    "several outputs": lambda x: (x.exp(), [x * x.sum()], {"a": x.max(0)[0]}),
    "large offset": lambda x: 1e8 + x * x,
    "fast": lambda x: (x * 1e5).sin(),
    "steep": lambda x: (x * 3).exp(),
    "away from a kink": torch.relu,
    "near a kink": lambda x: torch.relu(x - 0.49999),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("full", [False, True])
def test_right(name: str, full: bool) -> None:
    assert verdict(SMOOTH[name], leaf(*X), full=full) is Verdict.RIGHT


@pytest.mark.parametrize("factor", [1.01, -1.0, 0.0, 1 + 1e-6, 1 - 1e-8])
@pytest.mark.parametrize("full", [False, True])
def test_wrong_by_a_factor(factor: float, full: bool) -> None:
    report = check_gradient(lambda x: Square.apply(x, factor), leaf(*X), full=full, raise_exception=False)
    assert report.verdict is Verdict.WRONG
    worst = report.worst()
    assert worst is not None
    assert worst.factor == pytest.approx(factor, abs=1e-9)
    assert worst.name == "x"


@pytest.mark.parametrize("size", [3, 40, 300])
@pytest.mark.parametrize("full", [False, True])
def test_the_wrong_entry_is_found(size: int, full: bool) -> None:
    if full and size > 40:
        return
    x = torch.linspace(0.5, 2.0, size, dtype=F64).requires_grad_()
    worst = check_gradient(lambda x: OneEntry.apply(x, 1.2), x, full=full, raise_exception=False).worst()
    assert worst is not None
    assert (worst.verdict, worst.index) == (Verdict.WRONG, (size - 1,))
    assert worst.factor == pytest.approx(1.2)


def test_message() -> None:
    with pytest.raises(testing.GradientError) as caught:
        check_gradient(lambda x: Square.apply(x.sin(), 1.5).exp(), leaf(*X))
    text = str(caught.value)
    for words in (
        "gradient of fn is wrong: order 1",
        "output[",
        "backward gives",
        "differences give",
        "factor            1.5",
        "relative error    0.5",
        "falls as h^1.0",
        "torch.float64",
        "SquareBackward at ",
        "test_testing.py",
        "x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)",
        "torch.testing.check_gradient(fn, x, seed=0)",
    ):
        assert words in text, text
    assert caught.value.report.verdict is Verdict.WRONG


KINKS = {
    "relu": (torch.relu, "the left slope"),
    "abs": (torch.abs, "the mean of both slopes"),
    "amax of ties": (lambda x: x.amax(0), "a value between the slopes"),
    "max of ties": (lambda x: x.max(0)[0], "the right slope"),
    "sort of ties": (lambda x: x.sort()[0], "the left slope"),
    "leaky relu": (torch.nn.functional.leaky_relu, "the left slope"),
    "norm": (lambda x: x.norm(), "the mean of both slopes"),
    "mixed": (lambda x: torch.relu(x) - torch.relu(x.flip(0)), "zero"),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_name_the_convention(name: str) -> None:
    fn, convention = KINKS[name]
    report = check_gradient(fn, leaf(0.0, 0.0, 0.0))
    worst = report.worst()
    assert report.verdict is Verdict.NOT_DIFFERENTIABLE
    assert worst is not None
    assert worst.convention == convention or name == "max of ties"
    assert worst.order == 1


def test_other_places_without_a_derivative() -> None:
    zero = leaf(0.0)
    assert verdict(lambda x: x.sqrt(), zero) is Verdict.NOT_DIFFERENTIABLE
    assert verdict(lambda x: x.floor(), zero) is Verdict.NOT_DIFFERENTIABLE
    assert verdict(lambda x: torch.nn.functional.huber_loss(x, zero.detach(), delta=1.0), leaf(1.0)) is (
        Verdict.NOT_DIFFERENTIABLE
    )


def test_a_slope_that_a_kink_does_not_allow_is_wrong() -> None:
    class Relu(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    assert verdict(Relu.apply, leaf(0.0, 0.0)) is Verdict.WRONG


def test_nan_where_the_function_is_smooth_is_wrong() -> None:
    report = check_gradient(lambda x: torch.where(x > 0, x, x.sqrt() * 0 + x), leaf(1.0, 2.0), raise_exception=False)
    assert report.verdict is Verdict.RIGHT

    def masked(x: Any) -> Any:
        return torch.where(x > -5, x * x, (x - 100).sqrt())

    report = check_gradient(masked, leaf(1.0, 2.0), raise_exception=False)
    assert report.verdict is Verdict.WRONG
    assert "not finite" in str(report)


@pytest.mark.parametrize("offset", [1e12, 1e16])
def test_too_ill_conditioned(offset: float) -> None:
    with pytest.raises(testing.GradientError, match="too ill-conditioned to tell"):
        check_gradient(lambda x: (x + offset) - offset, leaf(0.5, 0.25))


def test_orders() -> None:
    class Cut(Square):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0].detach(), None

    x = leaf(*X)
    assert verdict(lambda x: Cut.apply(x, 1.0), x, order=1) is Verdict.RIGHT
    worst = check_gradient(lambda x: Cut.apply(x, 1.0), x, raise_exception=False).worst()
    assert worst is not None
    assert (worst.verdict, worst.order) == (Verdict.WRONG, 2)
    assert "CutBackward" in worst.culprit
    report = check_gradient(lambda x: x.exp() * x, x, order=4, directions=1)
    assert [finding.order for finding in report.findings] == [1, 2, 3, 4]


def test_few_evaluations_and_untouched_inputs() -> None:
    x = leaf(*X)
    report = check_gradient(torch.exp, x, order=1, directions=2)
    assert report.evaluations <= 2 * 3 + 1
    assert (x.tolist(), x.grad, x._version) == (list(X), None, 0)


def test_float32_is_told_by_its_own_precision() -> None:
    x = torch.tensor([0.5, 0.3], requires_grad=True)
    assert verdict(torch.exp, x) is Verdict.RIGHT
    assert verdict(lambda x: Square.apply(x, 1.01), x) is Verdict.WRONG


def test_modules_lists_and_random_numbers() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(), torch.nn.Tanh())
    before = {name: p.tolist() for name, p in model.double().named_parameters()}
    report = check_gradient(model, torch.randn(5, 3, dtype=F64))
    assert report.verdict is Verdict.RIGHT
    assert {name: p.tolist() for name, p in model.named_parameters()} == before
    assert verdict(torch.cat, [leaf(1.0), leaf(2.0, 3.0)]) is Verdict.RIGHT

    class Deaf(torch.nn.Linear):
        def forward(self, x: Any) -> Any:
            return x @ self.weight.detach().T + self.bias

    worst = check_gradient(Deaf(3, 2).double(), torch.randn(5, 3, dtype=F64), raise_exception=False).worst()
    assert worst is not None
    assert (worst.verdict, worst.name) == (Verdict.WRONG, "weight")
    assert "cuts the graph" in worst.culprit


def test_other_libraries() -> None:
    x = np.array([0.5, 0.3])
    right, wrong = (lambda i, w, k=k: [np.cos(i[0]) * w * k] for k in (1.0, 1 + 1e-10))
    report = check_gradient(np.sin, x, vjp=right)
    assert "complex" in report.findings[0].note
    assert verdict(np.sin, x, vjp=wrong) is Verdict.WRONG  # a complex step sees what differences cannot
    assert verdict(np.sin, x, vjp=right, method="differences") is Verdict.RIGHT
    assert verdict(np.abs, np.array([0.5, -0.3]), vjp=lambda i, w: [np.sign(i[0]) * w]) is Verdict.RIGHT
    with pytest.raises(ValueError, match="analytic"):
        check_gradient(np.abs, np.array([0.5, -0.3]), vjp=lambda i, w: [np.sign(i[0]) * w], method="complex")


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="order"):
        check_gradient(torch.exp, leaf(1.0), order=0)
    with pytest.raises(ValueError, match="method"):
        check_gradient(torch.exp, leaf(1.0), method="complex")
    with pytest.raises(ValueError, match="nothing to differentiate"):
        check_gradient(torch.exp, torch.tensor([1]))


# ------------------------------------------------------------------ the numbers below


@given(st.floats(-3, 3), st.floats(0.1, 50), st.floats(-100, 100))
def test_measured_slopes_are_within_their_error(at: float, speed: float, offset: float) -> None:
    found = slope(lambda t: np.sin(speed * (at + t)) + offset, 2.3e-16 * (1 + abs(offset)), 2.3e-16)
    assert not found.kink
    assert abs(found.value - speed * np.cos(speed * at)) <= found.error
    assert found.error <= 1e-5 * speed


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_kinks_are_seen_and_measured(left: float, right: float) -> None:
    found = slope(lambda t: np.exp(t) + (left if t < 0 else right) * t, 4e-16, 2.3e-16)
    assert found.kink is (abs(left - right) > 1e-8) or abs(left - right) < 1e-5
    if found.kink:
        assert found.left == pytest.approx(1 + left, abs=1e-7)
        assert found.right == pytest.approx(1 + right, abs=1e-7)


def test_rates() -> None:
    assert rate(np.exp, (1.0,), 1e-16)[0] == pytest.approx(2, abs=0.05)
    assert rate(np.exp, (1.0, 1.0), 1e-16)[0] == pytest.approx(3, abs=0.05)
    assert rate(np.exp, (1.01,), 1e-16)[0] == pytest.approx(1, abs=0.05)
    assert rate(lambda t: 3 * t, (3.0,), 1e-16)[0] == float("inf")


def test_taylor_and_dot_product() -> None:
    x = leaf(*X)
    assert testing.taylor_test(torch.exp, x) == pytest.approx(2, abs=0.1)
    assert testing.taylor_test(lambda x: x.sin() * x.sum(), x, order=2) == pytest.approx(3, abs=0.1)
    with pytest.raises(testing.GradientError, match="h\\^1"):
        testing.taylor_test(lambda x: Square.apply(x, 1.01), x)
    assert testing.dot_product_test(lambda x: x.softmax(0), x) < 1e-14

    def half(outputs: Any, inputs: Any, v: Any) -> Any:
        found = torch.autograd.functional.jvp(outputs, inputs, v)
        return found[0], tuple(each * 0.5 for each in found[1])

    with pytest.raises(testing.GradientError, match="do not fit"):
        testing.dot_product_test(torch.exp, x, jvp=half)


# ------------------------------------------------------------------ bisection, agreement, contracts, faults


def test_bisect_names_the_step() -> None:
    def fn(x: Any) -> Any:
        y = x.sin()
        z = Square.apply(y, 1.5)
        return (z * y).exp().sum()

    step = testing.bisect(fn, leaf(*X))
    assert step is not None
    assert step.name == "SquareBackward"
    assert "Square.apply(y, 1.5)" in str(step)
    (fault,) = testing.planted_faults(["tanh"], ["of the wrong sign"])
    with fault.planted():
        assert str(testing.bisect(lambda x: x.exp().tanh() * 2, leaf(*X))).startswith("TanhBackward0 at ")
    assert testing.bisect(lambda x: x.exp().tanh() * 2, leaf(*X)) is None


def test_bisect_after_writes_in_place() -> None:
    def fn(x: Any) -> Any:
        y = x * 1
        y[0].mul_(3)
        y.add_(1)
        return Square.apply(y, 2.0)

    assert "SquareBackward" in str(testing.bisect(fn, leaf(*X)))


def test_everything_agrees() -> None:
    found = check_agreement(
        lambda x, y: (x @ y).softmax(-1), torch.randn(2, 3, dtype=F64), torch.randn(3, 2, dtype=F64)
    )
    assert not found.wrong
    assert not [each.name for each in found if each.skipped]


class Writes(Square):
    @staticmethod
    def forward(ctx: Any, x: Any, wrong: float) -> Any:
        out = x * x
        with torch.no_grad():
            x.add_(1.0)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, None


class Greedy(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.mul_(2 * ctx.saved_tensors[0]), None


class Doubles(Square):
    calls = 0

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        Doubles.calls += 1
        return g * (2 * ctx.saved_tensors[0] + Doubles.calls * 1e-12), None


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (Writes, "inputs unchanged"),
        (Greedy, "incoming gradient unchanged"),
        (Doubles, "twice in a row"),
    ],
)
def test_what_does_not_agree_is_named(fault: Any, name: str) -> None:
    found = check_agreement(lambda x: fault.apply(x, 1.0), leaf(*X), order=1, raise_exception=False)
    assert name in [each.name for each in found.wrong], str(found)
    with pytest.raises(testing.AgreementError, match=name):
        check_agreement(lambda x: fault.apply(x, 1.0), leaf(*X), order=1)


def test_float32_and_layouts_are_compared() -> None:
    def narrow(x: Any) -> Any:
        return x.double().float().exp().double() if x.dtype is F64 else x.exp() * 1.01

    assert "float32 and float64" in [e.name for e in check_agreement(narrow, leaf(*X), raise_exception=False).wrong]
    scale = lambda x: 1.0 if x.is_contiguous() else 1.5
    x = torch.randn(2, 3, dtype=F64)
    found = check_agreement(lambda x: x * x * scale(x), x, order=1, raise_exception=False)
    assert [each.name for each in found.wrong] == ["other memory layouts"]


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)
        self.spare, self.dead = torch.nn.Linear(3, 1), torch.nn.Linear(3, 3)
        self.dead.weight.requires_grad_(False)

    def forward(self, x: Any) -> Any:
        x = self.body(x).tanh()
        return self.head(x + torch.relu(self.dead(x) - 1e6))


def test_contract(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = Model(), torch.randn(4, 3)
    contract = gradient_contract(model, x)
    kinds = contract.kinds()
    assert kinds["body.weight"] == kinds["head.bias"] == "gradient"
    assert (kinds["spare.weight"], kinds["dead.weight"], kinds["dead.bias"]) == ("none", "frozen", "zero")
    assert model.body.weight.grad is None
    contract.expect(zero=["dead.bias"], none=["spare.*"], frozen=["dead.weight"])
    with pytest.raises(testing.ContractError, match="promised gradient, got none"):
        contract.expect(zero=["dead.bias"], frozen=["dead.weight"])
    with pytest.raises(testing.ContractError, match="matches no parameter"):
        contract.expect(zero=["dead.bias"], none=["spare.*", "tail.*"], frozen=["dead.weight"])
    with pytest.raises(testing.ContractError, match="times that of"):
        contract.expect(zero=["dead.bias"], none=["spare.*"], frozen=["dead.weight"], ratio=1.01)
    file = tmp_path / "model.json"
    contract.compare(file)
    gradient_contract(model, x).compare(file)
    with torch.no_grad():
        model.head.weight.mul_(10)
    with pytest.raises(testing.ContractError, match=r"body.weight: size was"):
        gradient_contract(model, x).compare(file)
    gradient_contract(model, x).compare(file, update=True)
    gradient_contract(model, x).compare(file)


def test_planted_faults() -> None:
    x = leaf(0.5, 0.7, 2.0)

    def suite() -> None:
        check_gradient(lambda x: x.exp() * x.tanh(), x)

    assert testing.surviving_faults(suite, testing.planted_faults(["exp", "tanh", "mul"])) == []
    weak = lambda: (x.exp()).sum().backward()
    alive = testing.surviving_faults(weak, testing.planted_faults(["exp"]))
    assert len(alive) == 5
    assert "exp: the gradient of input is dropped" in [str(fault) for fault in alive]
    suite()
    with pytest.raises(ValueError, match="no op"):
        next(testing.planted_faults(["nonsense"]))
    with pytest.raises(AssertionError, match="without any fault"):
        testing.surviving_faults(lambda: 1 / 0)


@pytest.mark.parametrize("fault", list(testing.planted_faults()), ids=str)
def test_every_planted_fault_changes_a_gradient(fault: Any) -> None:
    """Each is in force while planted, joint rules and lists of inputs included, and gone afterwards."""

    def run() -> Any:
        x = torch.tensor([[0.5, 0.7], [0.9, 1.3]], dtype=F64, requires_grad=True)
        y = torch.tensor([[1.5, 0.2], [0.4, 0.8]], dtype=F64, requires_grad=True)
        parts = [
            x.exp(), x.log(), x.sin(), x.cos(), x.tanh(), x.sigmoid(), x.sqrt(), x.relu(), x * y, x / y, x**y, x.sum(0),
            x.mean(0), x @ y, x.softmax(0), x.log_softmax(0), x.transpose(0, 1), x[0], torch.cat([x, y]),
            torch.where(x > y, x, y), x.amax(0), x.cumsum(0), x.abs(),
        ]  # fmt: skip
        w = [torch.tensor(np.cos(np.arange(p.numel())).reshape(p.shape) + 0.3, dtype=F64) for p in parts]
        first = torch.autograd.grad(parts, [x, y], w, create_graph=True)
        second = torch.autograd.grad([(g * g).sum() for g in first], [x, y])
        return [g.tolist() for g in (*first, *second)]

    before = run()
    with fault.planted():
        changed = run()
    assert run() == before
    symmetric = fault.kind == "in reverse order" and fault.op in {"sum", "mean"}
    assert changed != before or fault.kind == "cut from the graph" or symmetric


# ------------------------------------------------------------------ strategies and property tests


@testing.gradient_test(testing.tensors(elements=st.floats(0.5, 2).map(lambda v: round(v, 3))), reference=np.log)
def test_a_smooth_function(x: Any) -> Any:
    return x.log()


@settings(max_examples=20)
@testing.gradient_test(a=testing.tensors(shape=(2, 3)), b=testing.tensors(shape=st.sampled_from([(3,), (1, 3), ()])))
def test_broadcasting(a: Any, b: Any) -> Any:
    return a * b + b.sin()


def test_a_wrong_function_is_shrunk() -> None:
    @testing.gradient_test(testing.tensors(), agreement=False)
    def wrong(x: Any) -> Any:
        return Square.apply(x, 1.5)

    with pytest.raises(testing.GradientError) as caught:
        wrong()
    ((name, value),) = caught.value.report.inputs
    assert name == "x"
    assert value.numel() == 1


def test_a_wrong_value_is_seen() -> None:
    @testing.gradient_test(testing.tensors(), reference=np.sinh)
    def wrong(x: Any) -> Any:
        return x.sin()

    with pytest.raises(AssertionError, match="not close"):
        wrong()


def test_kinks_can_be_forbidden() -> None:
    test = testing.gradient_test(testing.tensors(elements=st.just(0.0)), kinks=False)(lambda x: x.relu())
    with pytest.raises(AssertionError, match="not differentiable"):
        test()


@settings(max_examples=40)
@given(testing.programs())
def test_programs_are_differentiable(program: Any) -> None:
    leaves = [torch.tensor(array, requires_grad=True) for array in program.arrays().values()]
    report = check_gradient(program, *leaves, raise_exception=False)
    assert report.verdict is not Verdict.WRONG, f"{program!r}\n{report}"


@settings(max_examples=20)
@given(testing.modules())
def test_modules_are_differentiable(pair: Any) -> None:
    module, x = pair
    check_gradient(module, x)
    assert not check_agreement(module, x, order=1).wrong


@given(testing.tensors(), st.data())
def test_strategies(x: Any, data: Any) -> None:
    index = data.draw(testing.indices(x.shape))
    np.testing.assert_array_equal(x[index].detach().numpy(), x.detach().numpy()[index])
    dim = data.draw(testing.dims(x.ndim))
    assert x.sum(dim) is not None
    a, b = data.draw(testing.broadcastable_shapes(2))
    assert (torch.ones(a) + torch.ones(b)).shape == np.broadcast_shapes(a, b)


def test_every_layout_is_drawn() -> None:
    seen: set[str] = set()

    @settings(max_examples=300)
    @given(testing.tensors(shape=(2, 3)))
    def look(x: Any) -> None:
        seen.add(str(x.stride()) + str(x.storage_offset() > 0 if hasattr(x, "storage_offset") else ""))

    look()
    assert len(seen) >= 4


# ------------------------------------------------------------------ the plugin, and life without hypothesis

PLUGIN_TEST = """
import rushlight as torch

def test_right(check_gradient):
    check_gradient(torch.exp, torch.ones(2, dtype=torch.float64))

def test_kink(check_gradient):
    check_gradient(torch.relu, torch.zeros(2, dtype=torch.float64))

def test_wrong(check_gradient):
    check_gradient(lambda x: x * x.detach(), torch.ones(2, dtype=torch.float64))

def test_file(gradient_file):
    torch.manual_seed(0)
    gradient_file(torch.nn.Linear(2, 2), torch.ones(3, 2))
"""


def test_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(PLUGIN_TEST)
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "rushlight.testing.plugin", "-p", "no:cacheprovider"]
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "gradients checked: 1 right, 1 wrong, 1 not differentiable here" in done.stdout, done.stdout
        assert "1 failed, 3 passed" in done.stdout
        assert "gradient of fn is wrong" in done.stdout
    assert (tmp_path / "test_file.gradients.json").exists()


def test_without_hypothesis() -> None:
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import rushlight as torch\n"
        "print(torch.testing.check_gradient(torch.exp, torch.ones(2, dtype=torch.float64)).verdict)\n"
        "torch.testing.tensors\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert "Verdict.RIGHT" in done.stdout
    assert "pip install 'rushlight[testing]'" in done.stderr
