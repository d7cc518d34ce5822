"""L-BFGS against PyTorch: the path, the state, the number of evaluations, and every way to end."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from torch.optim.lbfgs import _strong_wolfe as torch_strong_wolfe

from rushlight.optim.line_search import Point, strong_wolfe
from support.optimizer_trajectories import carried
from support.oracle import ENGINES

OPTIONS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1},
    {"lr": 0.5, "max_iter": 4},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_iter": 3},
    {"line_search_fn": "strong_wolfe", "max_eval": 4},
    {"line_search_fn": "strong_wolfe", "max_eval": 1},
    {"line_search_fn": "strong_wolfe", "lr": 10.0},
    {"line_search_fn": "strong_wolfe", "lr": 1e-4, "max_iter": 5},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-2},
    {"tolerance_grad": 0.5, "lr": 0.3},
    {"history_size": 3, "lr": 0.2, "max_eval": 7},
]


def rosenbrock(T: Any, params: list[Any]) -> Any:
    x = T.cat([p.reshape(-1) for p in params])
    return (10 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() / 10


def quartic(T: Any, params: list[Any]) -> Any:
    return sum(((p - 1) ** 4).sum() + (p**2).sum() * 0.1 for p in params)


def waves(T: Any, params: list[Any]) -> Any:
    return sum((T.sin(3 * p) + 0.1 * p**2).sum() for p in params)


LOSSES = [rosenbrock, quartic, waves]


def path(
    T: Any, options: dict[str, Any], loss_of: Callable[..., Any], kind: str, steps: int = 3, state: Any = None
) -> Any:
    rng = np.random.default_rng(2)
    shapes = [(3, 2), (), (2,), (4,)]
    params = [T.tensor(rng.standard_normal(shape).astype(kind) * 0.7, requires_grad=True) for shape in shapes]
    idle = T.zeros(2, dtype=params[0].dtype, requires_grad=True)  # gets no gradient
    optimizer = T.optim.LBFGS([*params, idle], **options)
    if state is not None:
        optimizer.load_state_dict(state)
    calls: list[float] = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = loss_of(T, params)
        loss.backward()
        calls.append(loss.item())
        return loss

    seen = []
    with T.no_grad():
        for _ in range(steps):
            seen.append(optimizer.step(closure).item())
            seen += [x for p in [*params, idle] for x in p.detach().numpy().ravel().tolist()]
    return np.array(seen), np.array(calls), optimizer


@pytest.mark.parametrize("loss_of", LOSSES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_path(options: dict[str, Any], loss_of: Callable[..., Any]) -> None:
    (ours, calls, mine), (theirs, other_calls, other) = (path(T, options, loss_of, "float64") for T in ENGINES)
    assert len(calls) == len(other_calls)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-8, equal_nan=True)
    assert repr(mine) == repr(other)
    a, b = (each.state_dict()["state"][0] for each in (mine, other))
    assert sorted(a) == sorted(b)
    assert (a["func_evals"], a["n_iter"]) == (b["func_evals"], b["n_iter"])
    for key in ("old_dirs", "old_stps", "ro"):
        assert [(str(x.dtype), tuple(x.shape)) for x in a.get(key, [])] == [
            (str(x.dtype), tuple(x.shape)) for x in b.get(key, [])
        ]


@pytest.mark.parametrize("options", OPTIONS[:6], ids=str)
def test_float32(options: dict[str, Any]) -> None:
    (ours, _, _), (theirs, _, _) = (path(T, options, quartic, "float32", 2) for T in ENGINES)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("options", [OPTIONS[2], OPTIONS[4]], ids=str)
def test_states_are_carried_both_ways(options: dict[str, Any]) -> None:
    short = {**options, "max_iter": 3}
    for source in ENGINES:
        _, _, optimizer = path(source, short, quartic, "float64", 2)
        state = copy.deepcopy(optimizer.state_dict())
        ours, theirs = (path(T, short, quartic, "float64", 3, carried(state, T)) for T in ENGINES)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-10)
        assert ours[2].state_dict()["state"][0]["n_iter"] == theirs[2].state_dict()["state"][0]["n_iter"] > 3


def test_at_the_optimum_nothing_moves() -> None:
    def seen(T: Any) -> Any:
        p = T.zeros(3, requires_grad=True)
        optimizer = T.optim.LBFGS([p], lr=T.tensor([0.5]))
        loss = optimizer.step(lambda: ((p * 0).sum().backward(), (p * p).sum())[1])
        return loss.item(), p.tolist(), dict(optimizer.state_dict()["state"][0])

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


def bumpy(rng: Any) -> Any:
    """Return a random function of one variable, and its derivative: polynomials and waves, some without a minimum."""
    a, b, c, d, w = rng.standard_normal(5) * [1, 1, 0.3, 2, 5]

    def value(t: float) -> float:
        return float(a * t + b * t**2 / 2 + abs(c) * t**4 / 4 + d * np.sin(w * t))

    def slope(t: float) -> float:
        return float(a + b * t + abs(c) * t**3 + d * w * np.cos(w * t))

    return value, slope


def searched(T: Any, seed: int) -> Any:
    """Return where one engine's search looked, where it ended, the loss there, and its count of looks."""
    rng = np.random.default_rng(seed)
    value, slope = bumpy(rng)
    sign = -1.0 if slope(0.0) > 0 else 1.0
    first, most, change = 10.0 ** rng.uniform(-3, 1), int(rng.integers(0, 12)), 10.0 ** rng.uniform(-9, -1)
    one, seen = T.ones(1, dtype=T.float64), []

    def at(t: Any) -> Any:
        seen.append(float(t))
        return value(sign * float(t)), T.tensor([sign * slope(sign * float(t))], dtype=T.float64)

    def look(t: Any) -> Point:
        loss, gradient = at(t)
        return Point(t, loss, gradient, gradient.dot(one))

    start = look(0.0)
    if T is ENGINES[0]:
        best, looks = strong_wolfe(look, start, first, one.abs().max(), change, most)
        return seen, float(best.at), best.loss, looks
    loss, _, end, looks = torch_strong_wolfe(
        lambda x, t, d: at(t), None, first, one, *start[1:], tolerance_change=change, max_ls=most
    )
    return seen, float(end), loss, looks


def test_line_search_takes_the_same_steps() -> None:
    """The search alone, on many functions, from good and bad first steps, and with few looks."""
    counts = set()
    for seed in range(400):
        ours, theirs = (searched(T, seed) for T in ENGINES)
        assert ours[0] == pytest.approx(theirs[0], rel=1e-9), seed
        assert ours[1:3] == pytest.approx(theirs[1:3], rel=1e-9, abs=1e-12), seed
        assert ours[3] == theirs[3]
        counts.add(ours[3])
    assert len(counts) >= 8
