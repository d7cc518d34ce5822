"""Optimizers under both engines: options to try, the path a parameter takes, and states carried across."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import rushlight

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.3},
        {"momentum": 0.9, "nesterov": True},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "maximize": True, "momentum": 0.5},
        {"lr": 0, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True, "maximize": True},
    ],
    "Adam": [
        {},
        {"amsgrad": True},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "maximize": True, "amsgrad": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.0},
        {"eps": 1e-3, "betas": (0.5, 0.6)},
        {"betas": (0.0, 0.0)},
        {"foreach": True},
        {"fused": True},
    ],
    "AdamW": [{}, {"weight_decay": 0.3, "maximize": True, "amsgrad": True}, {"foreach": False}, {"weight_decay": 0}],
    "NAdam": [
        {},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"momentum_decay": 0.5, "maximize": True, "betas": (0.5, 0.9)},
        {"betas": (0.0, 0.5), "momentum_decay": 0, "eps": 1e-3},
    ],
    "RAdam": [
        {},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "foreach": True},
        {"betas": (0.9, 0.9), "maximize": True, "eps": 1e-3},
        {"betas": (0.0, 0.5)},
    ],
    "Adamax": [{}, {"weight_decay": 0.1, "maximize": True}, {"betas": (0.5, 0.5), "eps": 1e-2}, {"foreach": True}],
    "Adagrad": [
        {},
        {"weight_decay": 0.1, "lr_decay": 0.1, "maximize": True},
        {"initial_accumulator_value": 0.3, "eps": 1e-2},
        {"fused": True},
        {"foreach": True},
    ],
    "Adadelta": [{}, {"weight_decay": 0.1, "rho": 0.5, "eps": 1e-3, "maximize": True}, {"lr": 1.0, "rho": 0.0}],
    "RMSprop": [
        {},
        {"centered": True},
        {"momentum": 0.9},
        {"momentum": 0.9, "centered": True, "weight_decay": 0.1, "maximize": True, "alpha": 0.9, "eps": 1e-3},
    ],
    "Rprop": [{}, {"etas": (0.3, 2.0), "step_sizes": (0.001, 0.05), "maximize": True}, {"lr": 1e-7}],
    "ASGD": [{}, {"t0": 5, "weight_decay": 0.1, "lambd": 0.01, "maximize": True, "alpha": 0.5}, {"t0": 0.5}],
    "Adafactor": [
        {},
        {"weight_decay": 0.1, "eps": (1e-3, 1e-2), "d": 2.0, "maximize": True, "beta2_decay": -0.5},
        {"lr": 1.0, "foreach": True},
    ],
}
KINDS = [(name, options) for name, several in OPTIONS.items() for options in several]
STATEFUL = [*[each for each in KINDS if each != ("SGD", {})], ("Muon", {}), ("Muon", {"nesterov": False})]


def trajectory(T: Any, name: str, options: dict[str, Any], shape: tuple[int, ...], kind: str, steps: int = 50) -> Any:
    """Return where a parameter was after each step, and the optimizer: one gradient is zero, one is missing."""
    rng = np.random.default_rng(3)
    p = T.tensor(rng.standard_normal(shape).astype(kind), requires_grad=True)
    optimizer = getattr(T.optim, name)([p], **{"lr": 0.01, **options})
    seen = []
    for step in range(steps):
        g = rng.standard_normal(shape).astype(kind) * (0.1 + step % 3)
        if step == 20:
            g = np.zeros(shape, kind)
        p.grad = T.tensor(g) if step != 30 else None
        optimizer.step()
        seen.append(p.detach().numpy().copy())
    return np.array(seen), optimizer


def same_state(ours: Any, theirs: Any, tol: float) -> None:
    """Assert that two optimizers print alike and have the same state: names, dtypes, shapes and values."""
    assert repr(ours) == repr(theirs)
    a, b = ours.state_dict(), theirs.state_dict()
    assert str(a["param_groups"]) == str(b["param_groups"])
    assert list(a["state"]) == list(b["state"])
    for number, state in b["state"].items():
        assert list(a["state"][number]) == list(state)
        for key, value in state.items():
            found = a["state"][number][key]
            assert (str(found.dtype), tuple(found.shape)) == (str(value.dtype), tuple(value.shape)), key
            np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=tol, atol=tol, err_msg=key)


def carried(value: Any, T: Any) -> Any:
    """Return a state with copies of its tensors as tensors of ``T``."""
    if isinstance(value, torch.Tensor | rushlight.Tensor):
        return T.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: carried(each, T) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(carried(each, T) for each in value)
    return value
