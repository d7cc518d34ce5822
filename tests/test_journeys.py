"""State on a journey: whatever is saved and loaded, copied or pickled goes on as if nothing had happened."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch
from rushlight import nn
from rushlight.optim import lr_scheduler as L
from rushlight.testing.layers import Draw
from rushlight.testing.networks import LAYERS

FORMATS = ["pt", "npz", "safetensors"]


def through(format: str, obj: Any) -> Any:
    """Return ``obj`` after a journey through a file of ``format``."""
    file = io.BytesIO()
    torch.save(obj, file, format=format)
    file.seek(0)
    return torch.load(file)


def exactly(obj: Any) -> Any:
    """Return ``obj`` as plain data, numbers by their bits."""
    if isinstance(obj, torch.Tensor):
        return str(obj.dtype), tuple(obj.shape), obj.detach().numpy().tobytes()
    if isinstance(obj, dict):
        return [(key, exactly(value)) for key, value in obj.items()]
    if isinstance(obj, list | tuple):
        return [exactly(item) for item in obj]
    return repr(obj)


# ------------------------------------------------------------------ optimizers and schedules

OPTIMIZERS = {
    name: cls
    for name, cls in vars(torch.optim).items()
    if isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer) and cls is not torch.optim.Optimizer
}
WANTED = {
    "momentum": 0.5, "nesterov": True, "weight_decay": 0.1, "amsgrad": True, "centered": True, "history_size": 2,
    "lr_decay": 0.1, "maximize": True, "t0": 2.0, "initial_accumulator_value": 0.1,
}  # fmt: skip
"""Options that make an optimizer keep more, or make the state matter more."""


def shrink(epoch: int) -> float:
    return 0.9**epoch


class Rule:
    """A function with a state, which goes along."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, epoch: int) -> float:
        self.calls += 1
        return 1 / (1 + self.calls % 3)


Make = Callable[[Any], Any]
SCHEDULES: dict[str, list[Make]] = {
    "ChainedScheduler": [
        lambda o: L.ChainedScheduler([L.MultiStepLR(o, [1, 3, 3]), L.LinearLR(o), L.LambdaLR(o, Rule())]),
        lambda o: L.ChainedScheduler([L.SequentialLR(o, [L.StepLR(o, 1), L.ExponentialLR(o, 0.9)], [2])]),
    ],
    "ConstantLR": [lambda o: L.ConstantLR(o, 0.5, 3)],
    "CosineAnnealingLR": [lambda o: L.CosineAnnealingLR(o, 3, 0.01)],
    "CosineAnnealingWarmRestarts": [lambda o: L.CosineAnnealingWarmRestarts(o, 2, 2)],
    "CyclicLR": [
        lambda o: L.CyclicLR(o, 0.01, 0.1, 2, cycle_momentum=bool({"momentum", "betas"} & o.defaults.keys())),
        lambda o: L.CyclicLR(o, 0.01, 0.1, 2, scale_fn=Rule(), cycle_momentum=False),
    ],
    "ExponentialLR": [lambda o: L.ExponentialLR(o, 0.9)],
    "LambdaLR": [lambda o: L.LambdaLR(o, shrink), lambda o: L.LambdaLR(o, Rule())],
    "LinearLR": [lambda o: L.LinearLR(o, 0.1, 0.9, 5)],
    "MultiStepLR": [lambda o: L.MultiStepLR(o, [1, 2, 2, 5])],
    "MultiplicativeLR": [lambda o: L.MultiplicativeLR(o, shrink)],
    "OneCycleLR": [
        lambda o: L.OneCycleLR(o, 0.5, 12, cycle_momentum=bool({"momentum", "betas"} & o.defaults.keys())),
    ],
    "PolynomialLR": [lambda o: L.PolynomialLR(o, 8, 2.0)],
    "ReduceLROnPlateau": [lambda o: L.ReduceLROnPlateau(o, patience=1, cooldown=1, factor=0.5)],
    "SequentialLR": [
        lambda o: L.SequentialLR(o, [L.MultiStepLR(o, [1]), L.CosineAnnealingWarmRestarts(o, 2)], [3]),
        lambda o: L.SequentialLR(
            o,
            [L.ChainedScheduler([L.LinearLR(o), L.StepLR(o, 2)]), L.SequentialLR(o, [L.LambdaLR(o, shrink)], [])],
            [3],
        ),
    ],
    "StepLR": [lambda o: L.StepLR(o, 2)],
}  # fmt: skip


def test_every_schedule_has_a_case() -> None:
    assert SCHEDULES.keys() == set(L.__all__) - {"LRScheduler", "_LRScheduler"}


class Training:
    """A small model, its optimizer and its schedule."""

    def __init__(self, optimizer: str, full: bool, make: Make) -> None:
        cls = OPTIMIZERS[optimizer]
        taken = inspect.signature(cls.__init__).parameters
        options = {name: value for name, value in WANTED.items() if full and name in taken}
        self.params = [nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]])), nn.Parameter(torch.tensor([[0.3, 0.7]]))]
        groups = [{"params": self.params[:1]}, {"params": self.params[1:], "lr": 0.02}]
        self.optimizer = cls(self.params if optimizer == "LBFGS" else groups, lr=0.05, **options)
        self.schedule = make(self.optimizer)
        self.metric = 1.0

    def step(self) -> None:
        """Train for an epoch."""

        def closure() -> Any:
            self.optimizer.zero_grad()
            first, second = self.params
            loss = ((first @ second.T).tanh() ** 2).sum() + (second**4).sum()
            loss.backward()
            return loss

        loss = self.optimizer.step(closure)
        more = [loss.item()] if isinstance(self.schedule, L.ReduceLROnPlateau) else []
        self.schedule.step(*more)

    def state(self) -> Any:
        """Return all there is to save."""
        return [self.optimizer.state_dict(), self.schedule.state_dict(), [p.detach() for p in self.params]]

    def load(self, state: Any, schedule_first: bool) -> None:
        """Take over a saved state."""
        parts = [self.optimizer.load_state_dict, self.schedule.load_state_dict]
        for load, part in list(zip(parts, state[:2], strict=True))[:: -1 if schedule_first else 1]:
            load(part)
        with torch.no_grad():
            for p, value in zip(self.params, state[2], strict=True):
                p.copy_(value)


def journeys() -> list[Any]:
    makes = [make for several in SCHEDULES.values() for make in several]
    pairs = product(sorted(OPTIMIZERS), range(len(makes)))
    return [(name, makes[number], place) for place, (name, number) in enumerate(pairs)]


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step:UserWarning")
@pytest.mark.parametrize(("optimizer", "make", "place"), journeys())
def test_a_training_goes_on_as_if_never_stopped(optimizer: str, make: Make, place: int) -> None:
    """Every optimizer with every schedule; the format, the options and where it stops differ from pair to pair."""
    full, stop, schedule_first = place % 2 == 1, 1 + place % 5, place % 3 == 0
    whole, first = (Training(optimizer, full, make) for _ in range(2))
    for _ in range(8):
        whole.step()
    for _ in range(stop):
        first.step()
    again = Training(optimizer, full, make)
    again.load(through(FORMATS[place % 3], first.state()), schedule_first)
    assert exactly(again.state()) == exactly(first.state())
    others = [again, copy.deepcopy(first)]
    if place % 4 == 0:  # straight from one to the other
        others.append(Training(optimizer, full, make))
        others[-1].load(first.state(), schedule_first)
    for each in [*others, first]:  # one after the other, so that whoever shares something spoils it
        for _ in range(8 - stop):
            each.step()
        assert exactly(each.state()) == exactly(whole.state())


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_pickled_training_goes_on(optimizer: str) -> None:
    first = Training(optimizer, True, lambda o: L.LambdaLR(o, shrink))
    first.step()
    again = pickle.loads(pickle.dumps(first))
    for each in (first, again):
        each.step()
    assert exactly(again.state()) == exactly(first.state())
    assert all(
        p is q for group in again.optimizer.param_groups for p in group["params"] for q in again.params if p is q
    )


def test_sets_of_parameters_are_refused() -> None:
    p, q = (nn.Parameter(torch.ones(1)) for _ in range(2))
    for params in ({p, q}, frozenset((p, q)), [{"params": {p, q}}], {("p", p)}):
        with pytest.raises(TypeError, match="ordered collections"):
            torch.optim.SGD(params, lr=0.1)


# ------------------------------------------------------------------ schedules of schedules


def rates(make: Make, steps: int = 12) -> list[float]:
    """Return the rate at each epoch."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = make(optimizer)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


FLAT: list[tuple[Make, Make]] = [
    (make, lambda o, make=make: L.SequentialLR(o, [make(o)], []))
    for name, several in SCHEDULES.items()
    for make in several
    if name not in ("ReduceLROnPlateau", "CyclicLR", "OneCycleLR")  # these set the first rate themselves, when made
    and "Rule" not in make.__code__.co_names  # which counts its calls
] + [
    (
        lambda o: L.SequentialLR(o, [L.ConstantLR(o, 0.5, 9), L.StepLR(o, 2), L.ExponentialLR(o, 0.9)], [3, 6]),
        lambda o: L.SequentialLR(
            o, [L.ConstantLR(o, 0.5, 9), L.SequentialLR(o, [L.StepLR(o, 2), L.ExponentialLR(o, 0.9)], [3])], [3]
        ),
    ),
    (
        lambda o: L.SequentialLR(o, [L.StepLR(o, 1), L.ConstantLR(o, 0.5, 2)], [4]),
        lambda o: L.SequentialLR(o, [L.StepLR(o, 1), L.ChainedScheduler([L.ConstantLR(o, 0.5, 2)])], [4]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "nested"), FLAT)
def test_to_wrap_a_schedule_changes_no_rate(plain: Make, nested: Make) -> None:
    assert rates(nested) == rates(plain)
    assert rates(lambda o: L.SequentialLR(o, [nested(o)], [])) == rates(plain)


def test_a_chain_inside_a_sequence() -> None:
    def chain(o: Any) -> Any:
        return L.ChainedScheduler([L.ConstantLR(o, 0.5, 2), L.ExponentialLR(o, 0.9)])

    after = [0.1 * 0.9**n * (0.5 if n < 2 else 1) for n in range(6)]
    found = rates(lambda o: L.SequentialLR(o, [L.ConstantLR(o, 0.2, 9), chain(o)], [3]), 9)
    assert found == pytest.approx([0.02] * 3 + after)


@pytest.mark.parametrize("epoch", [0, 1, 2, 3, 4, 8])
@pytest.mark.parametrize(
    "make",
    [
        lambda o, **more: L.SequentialLR(o, [L.ConstantLR(o, 0.1, 20), L.ExponentialLR(o, 0.9)], [3], **more),
        lambda o, **more: L.SequentialLR(
            o, [L.SequentialLR(o, [L.LinearLR(o), L.MultiplicativeLR(o, shrink)], [2]), L.StepLR(o, 2)], [4], **more
        ),
        lambda o, **more: L.CosineAnnealingWarmRestarts(o, 2, 2, **more),
        lambda o, **more: L.CosineAnnealingWarmRestarts(o, 3, **more),
    ],
)
def test_resumed_by_the_epoch_a_schedule_has_the_rates_of_that_epoch(make: Any, epoch: int) -> None:
    def resumed(o: Any) -> Any:
        o.param_groups[0]["initial_lr"] = 0.1
        return make(o, last_epoch=epoch)

    assert rates(resumed, 6) == pytest.approx(rates(make, 20)[epoch + 1 : epoch + 7])


@pytest.mark.parametrize("ratio", [1, 2, 3, 10])
def test_warm_restarts_far_out(ratio: int) -> None:
    """Logarithms would miss the epochs where a cosine ends: log(1000, 10) is less than 3."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = L.CosineAnnealingWarmRestarts(optimizer, 1, ratio)
    begin = 0
    for length in (ratio**n for n in range(6)):
        schedule.step(begin)
        assert (schedule.T_cur, schedule.T_i) == (0, length)
        assert optimizer.param_groups[0]["lr"] == 0.1
        begin += length


# ------------------------------------------------------------------ modules


def outcome(layer: Any, inputs: tuple[Any, ...]) -> Any:
    """Return what a step of training a layer gives: its output, all gradients, and its state afterwards."""
    torch.manual_seed(3)
    out = layer(*inputs)
    results = [x for x in (out if isinstance(out, tuple) else (out,)) if isinstance(x, torch.Tensor)]
    if any(x.requires_grad for x in results):
        sum((x.sin().sum() for x in results if x.requires_grad), torch.zeros(())).backward()
    seen = exactly([results, [p.grad for p in layer.parameters()], layer.state_dict()])
    with torch.no_grad():
        for p in layer.parameters():
            if p.grad is not None:
                p.sub_(p.grad.sin_(), alpha=0.1)
                p.grad = None
    return seen


@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")
@pytest.mark.parametrize("name", sorted(LAYERS))
@settings(max_examples=2)
@given(data=st.data())
def test_a_layer_goes_on_as_if_never_stopped(name: str, data: Any) -> None:
    layer, *inputs = LAYERS[name](Draw(data.draw))
    inputs = tuple(x.detach() if isinstance(x, torch.Tensor) else x for x in inputs)
    if not layer.state_dict():
        return
    layer.double().train()
    blank = copy.deepcopy(layer)
    with torch.no_grad():
        for x in (*blank.parameters(), *blank.buffers()):
            x.zero_()
    for _ in range(2):
        outcome(layer, inputs)
    again = []
    for format, assign in product(FORMATS, (False, True)):
        again.append(copy.deepcopy(blank))
        again[-1].load_state_dict(through(format, layer.state_dict()), assign=assign)
    again += [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    wanted = [outcome(layer, inputs), outcome(layer, inputs)]
    for each in again:
        assert [outcome(each, inputs), outcome(each, inputs)] == wanted


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("mask", torch.ones(2))
        self.head.register_buffer("mask", self.mask)


@pytest.mark.parametrize("format", FORMATS)
def test_tied_weights_stay_tied(format: str) -> None:
    source = Tied()
    for assign in (False, True):
        model = Tied()
        model.load_state_dict(through(format, source.state_dict()), assign=assign)
        assert model.head.weight is model.embedding.weight
        assert model.head.mask is model.mask
        assert torch.equal(model.head.weight, source.head.weight)
    for model in (copy.deepcopy(source), pickle.loads(pickle.dumps(source))):
        assert model.head.weight is model.embedding.weight
        assert model.head.mask is model.mask


def test_values_that_differ_untie_what_is_assigned() -> None:
    model = Tied()
    values = {**model.state_dict(), "head.weight": torch.full((3, 2), 9.0)}
    model.load_state_dict(values, assign=True)
    assert model.head.weight is not model.embedding.weight
    assert model.head.weight[0, 0] == 9


@pytest.mark.parametrize("format", FORMATS)
def test_dtypes_are_the_objects_that_the_engine_knows(format: str) -> None:
    """The engine compares them by identity: an equal one would be converted at every step."""
    every = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
    tensors = {name: torch.ones(2, dtype=getattr(torch, name)) for name in every}
    for name, x in through(format, tensors).items():
        assert x.array.dtype is tensors[name].array.dtype
        array = pickle.loads(pickle.dumps(x.numpy()))  # NumPy makes a new one
        for made in (torch.from_numpy, torch.tensor, torch.asarray, lambda a, like=x: like.new_tensor(a)):
            assert made(array).array.dtype is x.array.dtype
        assert torch.from_numpy(array).array_dtype is x.array.dtype
        assert np.shares_memory(torch.from_numpy(array).array, array)


# ------------------------------------------------------------------ aliasing

VIEWS: list[Callable[[Any], Any]] = [
    lambda x: x, lambda x: x.detach(), lambda x: x.data, lambda x: x[1:], lambda x: x[:2], lambda x: x.T,
    lambda x: x.reshape(-1), lambda x: x[::2], lambda x: x.diagonal(), lambda x: x[:1].expand(3, 3), lambda x: x[0, 0],
    lambda x: x.clone(), lambda x: x[3:], lambda x: x.view(torch.int32), lambda x: x.permute(1, 0)[1:],
]  # fmt: skip


def relations(tensors: list[Any]) -> list[Any]:
    """Return for each pair whether they are one object, and which elements of theirs lie at one place."""
    found = []
    for x, y in product(tensors, repeat=2):
        one, other = np.asarray(x.array), np.asarray(y.array)
        gap = other.__array_interface__["data"][0] - one.__array_interface__["data"][0]
        shared = bool(one.size and other.size) and np.shares_memory(one, other)
        found.append((x is y, shared, gap if shared else None))
    return found


JOURNEYS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    **{format: lambda obj, format=format: through(format, obj) for format in FORMATS},
}


@pytest.mark.parametrize("journey", sorted(JOURNEYS))
@settings(max_examples=50)
@given(picks=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(range(len(VIEWS)))), min_size=1, max_size=6))
def test_what_shares_memory_does_so_after_a_journey(journey: str, picks: list[Any]) -> None:
    bases = torch.arange(9.0).reshape(3, 3), torch.arange(12.0).reshape(4, 3)[:3].T
    tensors = [VIEWS[view](bases[base]) for base, view in picks]
    if journey != "deepcopy" and any(x.dtype is torch.int32 for x in tensors):
        tensors = [x for x in tensors if x.dtype is torch.int32]  # one memory as two dtypes cannot be saved
    got = JOURNEYS[journey]({"list": tensors, "again": tensors[0]})
    assert got["again"] is got["list"][0]
    assert exactly(got["list"]) == exactly(tensors)
    assert relations(got["list"]) == relations(tensors)
    if journey == "deepcopy":
        assert [x.stride() for x in got["list"]] == [x.stride() for x in tensors]
        assert not any(np.shares_memory(x.array, y.array) for x, y in product(got["list"], tensors))


def test_a_write_into_a_copied_view_counts_for_the_copy() -> None:
    base = torch.ones(3)
    copied, view = copy.deepcopy([base, base[:2]])
    x = torch.ones(2, requires_grad=True)
    y = (x * view).sum()
    copied.add_(1)
    assert (base._version, copied._version, view._version) == (0, 1, 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
