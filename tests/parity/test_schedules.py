"""Schedules of the learning rate against PyTorch."""

import warnings
from typing import Any

import pytest

from parity.oracle import ENGINES, run

SCHEDULES = [
    "LambdaLR(o, lambda n: 0.9**n)",
    "LambdaLR(o, [lambda n: 1 / (n + 1), lambda n: n])",
    "StepLR(o, 3)",
    "StepLR(o, 2, gamma=0.5)",
    "MultiStepLR(o, [2, 5, 5, 9], gamma=0.3)",
    "ConstantLR(o)",
    "ConstantLR(o, factor=0.5, total_iters=3)",
    "LinearLR(o)",
    "LinearLR(o, start_factor=0.1, end_factor=0.7, total_iters=8)",
    "ExponentialLR(o, 0.9)",
    "CosineAnnealingLR(o, 5)",
    "CosineAnnealingLR(o, 4, eta_min=0.01)",
    "CosineAnnealingLR(o, 1)",
]


def optimizer(T: Any, lr: Any = 0.5) -> Any:
    x, y = T.ones(1, requires_grad=True), T.ones(2, requires_grad=True)
    return T.optim.SGD([{"params": [x]}, {"params": [y], "lr": 0.2}], lr=lr)


def rates(T: Any, codes: tuple[str, ...], jump: int | None = None, tensor: bool = False) -> Any:
    o = optimizer(T, T.tensor(0.5, dtype=T.float64) if tensor else 0.5)
    schedules = [eval(f"T.optim.lr_scheduler.{code}", {"T": T, "o": o}) for code in codes]
    seen = []
    for _ in range(14):
        o.step()
        for schedule in schedules:
            schedule.step()
            seen += [float(lr) for lr in schedule.get_last_lr()]
    if jump is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedules[0].step(jump)
        seen += [float(g["lr"]) for g in o.param_groups]
    twin = eval(f"T.optim.lr_scheduler.{codes[0]}", {"T": T, "o": optimizer(T)})
    state = schedules[0].state_dict()
    twin.load_state_dict(state)
    return (
        seen,
        sorted(set(state) - {"_get_lr_called_within_step"}),
        twin.last_epoch,
        [float(g["initial_lr"]) for g in o.param_groups],
    )


@pytest.mark.parametrize("code", SCHEDULES)
def test_rates(code: str) -> None:
    for jump, tensor in ((None, False), (3, False), (None, True)):
        ours, theirs = (rates(T, (code,), jump, tensor) for T in ENGINES)
        assert ours[0] == pytest.approx(theirs[0], rel=1e-14, abs=1e-17)
        assert ours[1:] == theirs[1:]


def test_chained() -> None:
    codes = ("ConstantLR(o, 0.1, 3)", "ExponentialLR(o, 0.9)", "LinearLR(o)", "CosineAnnealingLR(o, 6)")
    ours, theirs = (rates(T, codes) for T in ENGINES)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-14)


@pytest.mark.parametrize("code", SCHEDULES)
def test_resumed(code: str) -> None:
    def resumed(T: Any) -> Any:
        o = optimizer(T)
        for group in o.param_groups:
            group["initial_lr"] = 1.0
        code_with = f"{code[:-1]}, last_epoch=3)"
        schedule = eval(f"T.optim.lr_scheduler.{code_with}", {"T": T, "o": o})
        seen = list(schedule.get_last_lr())
        for _ in range(6):
            o.step()
            schedule.step()
            seen += schedule.get_last_lr()
        return seen

    ours, theirs = (resumed(T) for T in ENGINES)
    assert ours == pytest.approx(theirs, rel=1e-14, abs=1e-17)


@pytest.mark.parametrize(
    "options",
    ["", "patience=1", "mode='max', patience=0, threshold=0.1", "patience=1, threshold_mode='abs', threshold=0.5",
     "mode='max', threshold_mode='abs', patience=0, cooldown=2", "patience=0, min_lr=[0.1, 0.05], factor=0.5",
     "patience=0, factor=0.5, eps=0.1"],
)  # fmt: skip
def test_plateau(options: str) -> None:
    def seen(T: Any) -> Any:
        o = optimizer(T)
        schedule = eval(f"T.optim.lr_scheduler.ReduceLROnPlateau(o, {options})", {"T": T, "o": o})
        found = []
        for metric in [5, 4, 4, 4, 3.9, 5, 6, 6, 2, 2, 2, 2, 2, T.tensor(2.0), float("nan"), 1.95, 1, 1, 1, 1, 1, 1]:
            schedule.step(metric)
            found += [*schedule.get_last_lr(), schedule.num_bad_epochs, schedule.cooldown_counter]
        return found, sorted(schedule.state_dict())

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


BAD = [
    "StepLR(3, 2)",
    "StepLR(o, 2, last_epoch=4)",
    "LambdaLR(o, [lambda n: n])",
    "ConstantLR(o, factor=1.5)",
    "LinearLR(o, start_factor=0)",
    "LinearLR(o, end_factor=2)",
    "ReduceLROnPlateau(o, factor=1.0)",
    "ReduceLROnPlateau(o, mode='best')",
    "ReduceLROnPlateau(o, threshold_mode='best')",
    "ReduceLROnPlateau(o, min_lr=[0.1])",
    "ReduceLROnPlateau(3)",
    "LRScheduler(o)",
]


@pytest.mark.parametrize("code", BAD)
def test_bad_input(code: str) -> None:
    def attempt(T: Any) -> Any:
        return str(eval(f"T.optim.lr_scheduler.{code}", {"T": T, "o": optimizer(T)}))

    ours, theirs = (run(attempt, engine, (), False, False) for engine in ENGINES)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r}"


def test_wrong_order_warns() -> None:
    for T in ENGINES:
        o = optimizer(T)
        schedule = T.optim.lr_scheduler.StepLR(o, 2)
        with pytest.warns(UserWarning, match="before `optimizer.step"):
            schedule.step()
