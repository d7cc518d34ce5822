"""Schedules of the learning rate against PyTorch."""

import copy
import warnings
from typing import Any

import pytest

from support.oracle import ENGINES, run

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
    "MultiplicativeLR(o, lambda n: 0.9)",
    "MultiplicativeLR(o, [lambda n: 1 / (n + 1), lambda n: n / 2])",
    "PolynomialLR(o)",
    "PolynomialLR(o, total_iters=8, power=2.5)",
    "CosineAnnealingWarmRestarts(o, 3)",
    "CosineAnnealingWarmRestarts(o, 2, T_mult=2, eta_min=0.01)",
    "CyclicLR(o, 0.1, 0.9, step_size_up=3, cycle_momentum=False)",
    "CyclicLR(o, 0.1, 0.9, step_size_up=2, step_size_down=4, mode='triangular2')",
    "CyclicLR(o, [0.1, 0.2], [0.9, 0.3], 3, mode='exp_range', gamma=0.9, base_momentum=[0.1, 0.2], max_momentum=0.5)",
    "CyclicLR(o, 0.1, 0.9, 3, scale_fn=lambda n: 1 / n, scale_mode='cycle')",
    "CyclicLR(o, 0.1, 0.9, 3, scale_fn=lambda n: 1 / (n + 1), scale_mode='iterations')",
    "OneCycleLR(o, 0.9, total_steps=15)",
    "OneCycleLR(o, [0.9, 0.2], epochs=5, steps_per_epoch=4, anneal_strategy='linear', cycle_momentum=False)",
    "OneCycleLR(o, 0.9, 20, three_phase=True, pct_start=0.4, base_momentum=0.3, max_momentum=[0.7, 0.8])",
    "OneCycleLR(o, 0.9, total_steps=14, div_factor=10, final_div_factor=7)",
]
COMPOSED = [
    "SequentialLR(o, [L.ConstantLR(o, 0.1, 3), L.ExponentialLR(o, 0.9)], [4])",
    "SequentialLR(o, [L.LinearLR(o, total_iters=3), L.CosineAnnealingLR(o, 5), L.StepLR(o, 2)], [3, 8])",
    "SequentialLR(o, [L.ExponentialLR(o, 0.5), L.OneCycleLR(o, 0.9, total_steps=20)], [2])",
    "SequentialLR(o, [L.CosineAnnealingWarmRestarts(o, 2), L.PolynomialLR(o, 4)], [5])",
    "ChainedScheduler([L.ConstantLR(o, 0.1, 2), L.ExponentialLR(o, 0.9)])",
    "ChainedScheduler([L.PolynomialLR(o, 5), L.MultiplicativeLR(o, lambda n: 0.9), L.StepLR(o, 4)], optimizer=o)",
]


def optimizer(T: Any, lr: Any = 0.5) -> Any:
    x, y = T.ones(1, requires_grad=True), T.ones(2, requires_grad=True)
    return T.optim.SGD([{"params": [x]}, {"params": [y], "lr": 0.2}], lr=lr, momentum=0.1)


def rates(T: Any, codes: tuple[str, ...], jump: int | None = None, tensor: bool = False) -> Any:
    o = optimizer(T, T.tensor(0.5, dtype=T.float64) if tensor else 0.5)
    schedules = [eval(f"T.optim.lr_scheduler.{code}", {"T": T, "o": o}) for code in codes]
    seen = []
    for _ in range(14):
        o.step()
        for schedule in schedules:
            schedule.step()
            seen += [float(lr) for lr in schedule.get_last_lr()]
        seen += [group["momentum"] for group in o.param_groups]
    if jump is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedules[0].step(jump)
        seen += [float(g["lr"]) for g in o.param_groups]
    twin = eval(f"T.optim.lr_scheduler.{codes[0]}", {"T": T, "o": optimizer(T)})
    state = schedules[0].state_dict()
    keys = sorted(state)
    twin.load_state_dict(state)
    return (
        seen,
        keys,
        twin.last_epoch,
        [float(g["initial_lr"]) for g in o.param_groups],
    )


@pytest.mark.parametrize("code", SCHEDULES)
def test_rates(code: str) -> None:
    for jump, tensor in ((None, False), (3, False), (0, False), (None, True)):
        ours, theirs = (rates(T, (code,), jump, tensor) for T in ENGINES)
        assert ours[0] == pytest.approx(theirs[0], rel=1e-13, abs=1e-17)
        assert ours[1:] == theirs[1:]


def test_chained() -> None:
    codes = ("ConstantLR(o, 0.1, 3)", "ExponentialLR(o, 0.9)", "LinearLR(o)", "CosineAnnealingLR(o, 6)")
    ours, theirs = (rates(T, codes) for T in ENGINES)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-14)


# PyTorch resumes warm restarts off the curve; what is right is in test_journeys.py.
@pytest.mark.parametrize("code", [code for code in SCHEDULES if "WarmRestarts" not in code])
def test_resumed(code: str) -> None:
    def resumed(T: Any) -> Any:
        o = optimizer(T)
        for group in o.param_groups:
            group.update(initial_lr=1.0, max_lr=2.0, min_lr=0.1, base_momentum=0.2, max_momentum=0.4)
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


def walk(o: Any, schedule: Any, steps: int) -> list[float]:
    seen = []
    for _ in range(steps):
        o.step()
        schedule.step()
        for group in o.param_groups:
            seen += [float(group["lr"]), *map(float, group.get("betas", ()))]
        seen += map(float, schedule.get_last_lr())
    return seen


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("code", [*SCHEDULES, *COMPOSED])
def test_states_are_carried_both_ways(code: str) -> None:
    """A schedule goes on where another, of either engine, has stopped."""

    def made(T: Any) -> Any:
        o = optimizer(T)
        return o, eval(f"L.{code}", {"L": T.optim.lr_scheduler, "o": o})

    for source in ENGINES:
        o, schedule = made(source)
        walk(o, schedule, 5)
        state, groups = copy.deepcopy(schedule.state_dict()), [dict(g, params=[0]) for g in o.param_groups]
        ends = []
        for T in ENGINES:
            o, schedule = made(T)
            for group, saved in zip(o.param_groups, groups, strict=True):
                group.update({key: value for key, value in saved.items() if key != "params"})
            schedule.load_state_dict(copy.deepcopy(state))
            ends.append(walk(o, schedule, 6))
        assert ends[0] == pytest.approx(ends[1], rel=1e-13, abs=1e-17)


@pytest.mark.filterwarnings("ignore:Detected call of")  # of the parts of parts, which begin twice
@pytest.mark.parametrize("code", COMPOSED)
def test_composed(code: str) -> None:
    def seen(T: Any) -> Any:
        o = optimizer(T)
        schedule = eval(f"L.{code}", {"L": T.optim.lr_scheduler, "o": o})
        start = list(schedule.get_last_lr())
        return start + walk(o, schedule, 14), sorted(schedule.state_dict())

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-13, abs=1e-17)
    assert ours[1] == theirs[1]


@pytest.mark.parametrize("code", ["CyclicLR(o, 0.1, 0.9, 3)", "OneCycleLR(o, 0.9, 12)", "StepLR(o, 2)"])
def test_betas_go_along(code: str) -> None:
    def seen(T: Any) -> Any:
        o = T.optim.Adam([T.ones(1, requires_grad=True)], lr=0.5)
        return walk(o, eval(f"L.{code}", {"L": T.optim.lr_scheduler, "o": o}), 11)

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == pytest.approx(theirs, rel=1e-13)


def test_warm_restarts_go_to_fractions_of_epochs() -> None:
    def seen(T: Any) -> Any:
        o = optimizer(T)
        found = []
        for mult in (1, 2):
            schedule = T.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 3, mult)
            for epoch in (0.5, 1, 2.75, 3, 4.5, 11, 2, None, None):
                schedule.step(epoch)
                found += [*schedule.get_last_lr(), schedule.T_cur, schedule.T_i, schedule.last_epoch]
        return found

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == pytest.approx(theirs, rel=1e-13)


def test_warnings() -> None:
    def seen(T: Any) -> Any:
        class Own(T.optim.lr_scheduler._LRScheduler):
            def get_lr(self) -> Any:
                found.append(self._get_lr_called_within_step)
                return [0.1, 0.2]

        found: list[Any] = []
        for steps in ("ss", "oss", "sos", "oso", "g", "og"):
            for before in (False, True):
                o = optimizer(T)
                if before:
                    o.step()
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    schedule = T.optim.lr_scheduler.StepLR(o, 2)
                    for step in steps:
                        {"s": schedule.step, "o": o.step, "g": schedule.get_lr}[step]()
                    second = Own(o)
                    second.step()
                found.append([(w.category.__name__, str(w.message)[:40]) for w in caught])
        return found

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
    "MultiplicativeLR(o, 3)",
    "MultiplicativeLR(o, [abs])",
    "CosineAnnealingWarmRestarts(o, 0)",
    "CosineAnnealingWarmRestarts(o, 2.5)",
    "CosineAnnealingWarmRestarts(o, 2, 0)",
    "CosineAnnealingWarmRestarts(o, 2, 1, '0')",
    "CosineAnnealingWarmRestarts(o, 2).step(-1)",
    "CyclicLR(3, 1, 2)",
    "CyclicLR(o, [1], 2)",
    "CyclicLR(o, 1, [2, 3, 4])",
    "CyclicLR(o, 1, 2, mode='other')",
    "CyclicLR(T.optim.Adagrad([T.ones(1)]), 1, 2)",
    "OneCycleLR(3, 1)",
    "OneCycleLR(o, 1)",
    "OneCycleLR(o, 1, epochs=3)",
    "OneCycleLR(o, 1, total_steps=0)",
    "OneCycleLR(o, 1, total_steps=2.5)",
    "OneCycleLR(o, 1, epochs=0, steps_per_epoch=2)",
    "OneCycleLR(o, 1, epochs=2, steps_per_epoch=0.5)",
    "OneCycleLR(o, 1, 5, pct_start=1.5)",
    "OneCycleLR(o, 1, 5, pct_start=1)",
    "OneCycleLR(o, 1, 5, anneal_strategy='other')",
    "OneCycleLR(o, [1], 5)",
    "OneCycleLR(T.optim.Adagrad([T.ones(1)]), 1, 5)",
    "SequentialLR(o, [], [])",
    "SequentialLR(o, [3], [])",
    "SequentialLR(o, [L.StepLR(o, 2)], [1])",
    "SequentialLR(o, [L.StepLR(o, 2), L.ReduceLROnPlateau(o)], [1])",
    "SequentialLR(o, [L.StepLR(o, 2), L.StepLR(optimizer(T), 2)], [1])",
    "ChainedScheduler([])",
    "ChainedScheduler([3], o)",
    "ChainedScheduler([L.StepLR(o, 2), L.ReduceLROnPlateau(o)])",
    "ChainedScheduler([L.StepLR(o, 2), L.StepLR(optimizer(T), 2)])",
]


@pytest.mark.parametrize("code", BAD)
def test_bad_input(code: str) -> None:
    def attempt(T: Any) -> Any:
        return str(
            eval(
                f"T.optim.lr_scheduler.{code}",
                {"T": T, "L": T.optim.lr_scheduler, "o": optimizer(T), "optimizer": optimizer},
            )
        )

    ours, theirs = (run(attempt, engine, (), False, False) for engine in ENGINES)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r}"


def test_wrong_order_warns() -> None:
    for T in ENGINES:
        o = optimizer(T)
        schedule = T.optim.lr_scheduler.StepLR(o, 2)
        with pytest.warns(UserWarning, match="before `optimizer.step"):
            schedule.step()
