"""Optimizers against PyTorch: trajectories, state dicts, text, errors, hooks."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from support.optimizer_trajectories import KINDS, OPTIONS, same_state, trajectory
from support.oracle import ENGINES

SHAPES = [(), (0,), (3, 4), (5, 4, 3), (200, 90), (16384,), (2, 20000)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "options"), KINDS, ids=str)
def test_trajectory(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    if name == "Adafactor" and 0 in shape:
        pytest.skip("PyTorch divides by zero")
    for kind, tol in (("float64", 1e-11), ("float32", 2e-5)):
        steps = 50 if int(np.prod(shape)) < 10_000 else 8
        (ours, mine), (theirs, other) = (trajectory(T, name, options, shape, kind, steps) for T in ENGINES)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tol)
        same_state(mine, other, tol)


@pytest.mark.parametrize(("name", "options"), KINDS, ids=str)
def test_half(name: str, options: dict[str, Any]) -> None:
    """PyTorch rounds float16 after every operation, rushlight after every step; tiny eps vanish in PyTorch's."""
    if name not in {"SGD", "Rprop", "Adafactor", "ASGD"}:
        options = {**options, "eps": 1e-2}
    (ours, mine), (theirs, other) = (trajectory(T, name, options, (6, 5), "float16", 15) for T in ENGINES)
    np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-2, atol=1e-2)
    kept = [{k: str(v.dtype) for k, v in o.state_dict()["state"].get(0, {}).items()} for o in (mine, other)]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("name", OPTIONS)
def test_gradients_that_are_zero_from_the_start(name: str) -> None:
    def seen(T: Any) -> Any:
        p = T.ones(3, 2, dtype=T.float64, requires_grad=True)
        optimizer = getattr(T.optim, name)([p], lr=0.01)
        for factor in (0.0, 0.0, 1.0):
            p.grad = T.tensor([[1.0, 2.0], [0.0, 0.0], [0.0, 3.0]], dtype=T.float64) * factor
            optimizer.step()
        return p.detach().numpy()

    ours, theirs = (seen(T) for T in ENGINES)
    assert np.isfinite(theirs).all()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)


MUON_SHAPES = [(3, 4), (4, 3), (1, 6), (40, 30)]
MUON_OPTIONS: list[dict[str, Any]] = [
    {},
    {"nesterov": False, "adjust_lr_fn": "match_rms_adamw", "momentum": 0.3, "weight_decay": 0.0},
    {"ns_steps": 2, "ns_coefficients": (2.0, -1.5, 0.5), "adjust_lr_fn": "original", "eps": 1e-3},
]


def rounding_to(monkeypatch: pytest.MonkeyPatch, kind: torch.dtype) -> None:
    """Let both engines' Muon compute its direction in ``kind`` (rushlight: in float32) where it takes bfloat16."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda x: x.to(kind, copy=True))
    monkeypatch.setattr("rushlight.optim._muon._bfloat16", lambda x: x)


@pytest.mark.parametrize("shape", MUON_SHAPES, ids=str)
@pytest.mark.parametrize("options", MUON_OPTIONS, ids=str)
def test_muon_in_single_precision(
    options: dict[str, Any], shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the roundings to bfloat16 the formulas are seen: a coefficient off by 0.3 % is five times the limit."""
    rounding_to(monkeypatch, torch.float32)
    for kind in ("float64", "float32"):
        ours, theirs = (trajectory(T, "Muon", options, shape, kind, 20)[0] for T in ENGINES)
        longest = np.abs(np.diff(theirs, axis=0)).max()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=longest * 1e-4)


@pytest.mark.parametrize("shape", MUON_SHAPES, ids=str)
@pytest.mark.parametrize("options", MUON_OPTIONS, ids=str)
def test_muon(options: dict[str, Any], shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both round to bfloat16 at the same places, so that both are equally far from what no rounding gives.

    Sums in another order flip a last bit here and there, which the iterations amplify: a limit for one element would be
    a matter of luck. The root of the mean square of all errors hardly feels it, and half of the elements are the same.
    """
    for kind in ("float64", "float32"):
        (ours, mine), (theirs, other) = (trajectory(T, "Muon", options, shape, kind, 20) for T in ENGINES)
        with monkeypatch.context() as unrounded:
            rounding_to(unrounded, torch.float64)
            exact, _ = trajectory(torch, "Muon", options, shape, kind, 20)
        steps, wanted, right = (np.diff(each, axis=0) for each in (ours, theirs, exact))
        error, allowed = (np.sqrt(np.mean((each - right) ** 2)) for each in (steps, wanted))
        assert allowed > 0
        assert error == pytest.approx(allowed, rel=0.05)
        assert np.median(np.abs(ours - theirs)) <= np.abs(wanted).max() * 1e-3
        assert repr(mine) == repr(other)
        found, kept = (each.state_dict()["state"][0]["momentum_buffer"].numpy() for each in (mine, other))
        np.testing.assert_allclose(found, kept, rtol=1e-6, atol=1e-7)


def model(T: Any, rng: Any) -> Any:
    """A small net trained on noise: layers of several sizes, one step with a parameter left out."""
    T.manual_seed(0)
    net = T.nn.Sequential(T.nn.Linear(6, 16), T.nn.Tanh(), T.nn.Linear(16, 3)).double()
    x, y = T.tensor(rng.standard_normal((10, 6))), T.tensor(rng.standard_normal((10, 3)))
    return net, lambda: T.nn.MSELoss()(net(x), y)


@pytest.mark.parametrize(("name", "options"), KINDS, ids=str)
def test_training_with_groups_and_a_restart(name: str, options: dict[str, Any]) -> None:
    def losses(T: Any) -> Any:
        net, loss_of = model(T, np.random.default_rng(1))
        groups = [{"params": net[0].parameters(), "lr": 0.02}, {"params": [net[2].weight]}]
        optimizer = getattr(T.optim, name)(groups, **{"lr": 0.01, **options})
        optimizer.add_param_group({"params": net[2].bias, "weight_decay": 0.2})
        seen = []
        for step in range(50):
            optimizer.zero_grad(set_to_none=step % 2 == 0)
            loss = loss_of()
            loss.backward()
            optimizer.step()
            if step == 20:
                for group in optimizer.param_groups:
                    group["lr"] *= 0.5
            if step == 30:  # go on with another optimizer that loads the state
                saved = copy.deepcopy(optimizer.state_dict())
                optimizer = getattr(T.optim, name)([dict(g, params=g["params"]) for g in optimizer.param_groups])
                optimizer.load_state_dict(saved)
            seen.append(loss.item())
        return np.array(seen + [x for p in net.parameters() for x in p.detach().numpy().ravel()])

    ours, theirs = (losses(T) for T in ENGINES)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)
