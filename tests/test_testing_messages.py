"""What rushlight.testing tells a user: code that shows the fault again, and what no check leaves behind."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import rushlight as torch
from rushlight import testing
from rushlight.autograd import Function
from rushlight.testing import Verdict, check_agreement, check_gradient, gradient_contract

F64 = torch.float64


class Half(Function):
    """x * x with half of its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0]


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Linear(2, 3)

    def forward(self, x: Any) -> Any:
        return Half.apply(self.body(x))


def wrong(x: Any, power: int = 1, others: Any = ()) -> Any:
    return Half.apply(x) ** power + sum(each.sum() for each in others)


def again(error: Any, **names: Any) -> Any:
    """Return what the code in the message of ``error`` raises."""
    code = re.split(r"to reproduce:\n", str(error))[1]
    with pytest.raises(type(error)) as caught:
        exec("\n".join(line[4:] for line in code.splitlines()), {"torch": torch, "np": np, **names})
    return caught.value


X = torch.tensor([[0.5, -1.0], [2.0, 0.25]], dtype=F64, requires_grad=True)
CALLS = {
    "check_gradient": lambda: check_gradient(wrong, X),
    "full, order 3": lambda: check_gradient(wrong, X, full=True, order=3, directions=1, seed=4),
    "numbers and lists": lambda: check_gradient(wrong, X, 2, [X.detach(), X.detach()]),
    "tuples and dicts": lambda: check_gradient(wrong, X, 1, ({"a": X.detach()}["a"],)),
    "transposed": lambda: check_gradient(wrong, torch.tensor(np.asfortranarray(X.detach().numpy()))),
    "0-d": lambda: check_gradient(wrong, X[0, 0].detach()),
    "taylor_test": lambda: testing.taylor_test(wrong, X, order=2),
    "check_agreement": lambda: check_agreement(wrong, X),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_code_in_a_message_shows_the_fault_again(name: str) -> None:
    with pytest.raises(AssertionError) as caught:
        CALLS[name]()
    assert str(again(caught.value, wrong=wrong)).split("made by")[0] == str(caught.value).split("made by")[0]


def test_a_module_is_called_model() -> None:
    model = Model().double()
    with pytest.raises(testing.GradientError, match="gradient of Model is wrong") as caught:
        check_gradient(model, X)
    again(caught.value, model=model)
    assert [name for name, _ in caught.value.report.inputs] == ["x"]

    class Alone(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2, dtype=F64))

        def forward(self) -> Any:
            return Half.apply(self.weight)

    with pytest.raises(testing.GradientError) as caught:
        check_gradient(Alone())
    again(caught.value, model=Alone())


def test_a_function_of_arrays_shows_its_vjp() -> None:
    vjp = lambda inputs, weights: [np.sin(inputs[0]) * weights]
    with pytest.raises(testing.GradientError) as caught:
        check_gradient(np.sin, np.ones(3), vjp=vjp)
    again(caught.value, sin=np.sin, vjp=vjp)


@pytest.mark.parametrize("agreement", [False, True])
def test_a_property_test_shows_the_shrunk_input(agreement: bool) -> None:
    def test_it(x: Any) -> Any:
        if not agreement:
            return Half.apply(x)
        return x * x if x.dtype is F64 else x * x * 1.5

    test = testing.gradient_test(testing.tensors(elements=st.integers(1, 9).map(float)), agreement=agreement)(test_it)
    with pytest.raises(AssertionError) as caught:
        test()
    assert "test_it.function" in str(caught.value)
    assert "torch.tensor(1.0, dtype=torch.float64, requires_grad=True)" in str(caught.value)
    again(caught.value, test_it=test)


def test_written_values() -> None:
    from rushlight.testing.recipe import written  # noqa: PLC0415 - not public

    values = [
        torch.tensor([[1.0, float("nan")], [float("-inf"), 0.1]]), torch.zeros(2, 0), torch.tensor([True, False]),
        torch.tensor([[1, 2], [3, 4]]).t(), torch.tensor([0.1], requires_grad=True), torch.zeros(0),
    ]  # fmt: skip
    for x in values:
        made = eval(written(x), {"torch": torch, "np": np})
        testing.assert_close(made, x, rtol=0.0, atol=0.0, equal_nan=True)
        assert (made.requires_grad, made.stride()) == (x.requires_grad, x.stride())
    assert written({"a": (1, None), "b": [np.ones(1)]}) == "{'a': (1, None), 'b': [np.array([1.0], np.float64)]}"
    assert written((X[0, 0].detach(),)) == "(torch.tensor(0.5, dtype=torch.float64),)"
    assert written(torch.zeros(201)) == "torch.tensor(<201 numbers of shape [201]>, dtype=torch.float32)"


def test_a_right_gradient_in_words() -> None:
    assert str(check_gradient(torch.sin, X, order=3, directions=1)).startswith("gradient of sin is right: order 1 to 3")
    assert str(check_gradient(torch.sin, X, order=1)).startswith("gradient of sin is right: order 1, ")
    assert "nothing to compare" in str(check_gradient(torch.sin, torch.zeros(0)))


def test_no_floating_output_is_no_check() -> None:
    for fn in (lambda x: None, lambda x: x > 0, lambda x: x.detach().numpy()):
        with pytest.raises(ValueError, match="fn returns no floating tensor"):
            check_gradient(fn, X)


def test_the_input_of_a_module_is_checked_too() -> None:
    class Cut(torch.nn.Linear):
        def forward(self, x: Any) -> Any:
            return super().forward(x) + x.detach() ** 2

    worst = check_gradient(Cut(2, 2).double(), X.detach(), raise_exception=False).worst()
    assert worst is not None
    assert (worst.verdict, worst.name) == (Verdict.WRONG, "x")


class Counted(torch.nn.Module):
    """The gradient depends on a buffer that each call writes."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2, dtype=F64))
        self.register_buffer("calls", torch.ones(1, dtype=F64))
        self.register_buffer("empty", None)

    def forward(self, x: Any) -> Any:
        self.calls = self.calls + 1
        return x * self.weight * self.calls


@pytest.mark.parametrize("model", [Counted(), torch.nn.BatchNorm1d(2).double()])
def test_buffers_are_left_alone(model: Any) -> None:
    before = {name: x.tolist() for name, x in model.state_dict().items()}
    tensors = dict(model.named_buffers())
    x = torch.tensor([[0.3, 0.2], [-1.0, 4.0], [0.5, 2.0]], dtype=F64)
    assert check_gradient(model, x).verdict is Verdict.RIGHT
    found = check_agreement(model, x, raise_exception=False)
    # run again during the walk, the model finds the buffer written: that is a true finding
    expected = ["checkpointed and plain"] if isinstance(model, Counted) else []
    assert [each.name for each in found if each.detail or each.skipped] == expected
    testing.dot_product_test(model, x)
    testing.taylor_test(model, x)
    gradient_contract(model, x)
    assert {name: x.tolist() for name, x in model.state_dict().items()} == before
    assert all(model.get_buffer(name) is x for name, x in tensors.items())


def test_random_numbers_are_the_same_in_every_call() -> None:
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout()).double()
    state = torch.get_rng_state()
    found = check_agreement(model, X)
    assert [each.name for each in found if each.skipped] == ["other memory layouts"]
    assert testing.dot_product_test(model, X) < 1e-14
    assert torch.get_rng_state().tolist() == state.tolist()


def test_a_copy_of_a_module_is_compared_in_float32() -> None:
    class Narrow(torch.nn.Linear):
        def forward(self, x: Any) -> Any:
            y = super().forward(x)
            return y * 2 if y.dtype is torch.float32 else y

    model = Narrow(2, 2).double()
    found = check_agreement(model, X, raise_exception=False)
    assert [each.name for each in found.wrong] == ["float32 and float64"]
    assert model.weight.dtype is F64


def test_later_orders_are_not_compared_where_the_first_is_wrong() -> None:
    found = {each.name: each for each in check_agreement(wrong, X, order=3, raise_exception=False)}
    assert found["order 1 and differences"].detail
    assert found["order 2 and differences"].skipped == found["order 3 and differences"].skipped == "order 1 is wrong"


@pytest.mark.parametrize("offset", [1e12, 1e13, 1e14, 1e15, 1e16, 1e17])
@pytest.mark.parametrize("values", [(0.5, -1.0, 2.0), (0.3,), (0.0,)])
def test_coarse_values_are_neither_wrong_nor_a_kink(offset: float, values: Any) -> None:
    x = torch.tensor(values, dtype=F64)
    report = check_gradient(lambda x: (x + offset) - offset, x, raise_exception=False)
    assert report.verdict is Verdict.UNDECIDED
    assert "too coarse" in str(report)


def test_coarse_in_float32() -> None:
    report = check_gradient(lambda x: (x + 1e16) - 1e16, torch.ones(2), raise_exception=False)
    assert report.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("fn", [torch.nn.functional.hardshrink, lambda x: x.clamp(5, 6), torch.round])
def test_a_flat_part_is_no_staircase(fn: Any) -> None:
    """A rule that forgets the flat part is wrong, though far away the slope is as it says; round has real stairs."""

    class Straight(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return fn(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    found = check_gradient(Straight.apply, torch.tensor([0.1, 0.3], dtype=F64), raise_exception=False)
    assert found.verdict is (Verdict.UNDECIDED if fn is torch.round else Verdict.WRONG)


def test_a_real_jump_is_no_coarse_value() -> None:
    for fn, at in ((torch.floor, 0.0), (torch.round, 0.5), (torch.sign, 0.0)):
        found = check_gradient(fn, torch.tensor([at], dtype=F64), raise_exception=False).verdict
        assert found is Verdict.NOT_DIFFERENTIABLE
    assert check_gradient(torch.floor, torch.tensor([0.5], dtype=F64)).verdict is Verdict.RIGHT
