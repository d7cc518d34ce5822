"""Averages of weights against PyTorch."""

from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES, run


def model(T: Any, scale: float = 1.0) -> Any:
    """Return a net with batch norm whose parameters and buffers are fixed numbers."""
    net = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.BatchNorm1d(4), T.nn.Tanh(), T.nn.Linear(4, 2)).double()
    rng = np.random.default_rng(int(scale * 10))
    with T.no_grad():
        for value in [*net.parameters(), *net.buffers()]:
            if value.is_floating_point():
                value.copy_(T.tensor(rng.uniform(0.1, 1, tuple(value.shape)) * scale))
            else:
                value.fill_(int(scale))
    return net


def plain(state: Any) -> dict[str, Any]:
    return {key: (str(value.dtype), value.tolist()) for key, value in state.items()}


AVERAGES = [
    "",
    "use_buffers=True",
    "avg_fn=U.get_swa_avg_fn()",
    "avg_fn=U.get_ema_avg_fn(0.7)",
    "avg_fn=U.get_ema_avg_fn(), use_buffers=True",
    "avg_fn=lambda mean, value, n: mean * 0.5 + value * n",
    "multi_avg_fn=U.get_swa_multi_avg_fn()",
    "multi_avg_fn=U.get_ema_multi_avg_fn(0.3), use_buffers=True",
    "device='cpu'",
]


@pytest.mark.parametrize("options", AVERAGES)
def test_averages(options: str) -> None:
    def seen(T: Any) -> Any:
        averaged = eval(f"U.AveragedModel(net, {options})", {"U": T.optim.swa_utils, "net": model(T)})
        found = [plain(averaged.state_dict())]
        for scale in (2.0, 3.0, 4.0):
            averaged.update_parameters(model(T, scale))
            found.append(plain(averaged.state_dict()))
        again = eval(f"U.AveragedModel(net, {options})", {"U": T.optim.swa_utils, "net": model(T)})
        again.load_state_dict(averaged.state_dict())
        again.update_parameters(model(T, 5.0))
        out = averaged.eval()(T.ones(2, 3, dtype=T.float64))
        return found, plain(again.state_dict()), out.tolist(), repr(averaged)

    ours, theirs = (seen(T) for T in ENGINES)
    for mine, other in zip([*ours[0], ours[1]], [*theirs[0], theirs[1]], strict=True):
        assert list(mine) == list(other)
        for key, (kind, value) in other.items():
            assert mine[key][0] == kind
            np.testing.assert_allclose(mine[key][1], value, rtol=1e-12, err_msg=key)
    np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-12)
    assert ours[3] == theirs[3]


@pytest.mark.parametrize("momentum", [0.1, None])
def test_update_bn(momentum: float | None) -> None:
    def seen(T: Any) -> Any:
        net = model(T)
        net[1].momentum = momentum
        net.eval()
        rng = np.random.default_rng(0)
        batches = [T.tensor(rng.standard_normal((5, 3))) for _ in range(4)]
        T.optim.swa_utils.update_bn([[batches[0], 1], (batches[1],), *batches[2:]], net, device="cpu")
        T.optim.swa_utils.update_bn(batches, net[0])
        return plain(net.state_dict()), net.training, net[1].momentum

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours[1:] == theirs[1:]
    for key, (kind, value) in theirs[0].items():
        assert ours[0][key][0] == kind
        np.testing.assert_allclose(ours[0][key][1], value, rtol=1e-12, err_msg=key)


@pytest.mark.parametrize(
    "options",
    ["0.05", "0.05, anneal_epochs=4", "[0.05, 0.1], 3, 'linear'", "0.05, anneal_epochs=0", "0.05, 0, 'linear'"],
)
def test_swalr(options: str) -> None:
    def seen(T: Any) -> Any:
        x, y = T.ones(1, requires_grad=True), T.ones(2, requires_grad=True)
        optimizer = T.optim.SGD([{"params": [x]}, {"params": [y], "lr": 0.2}], lr=0.5)
        before = T.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        schedule = eval(f"U.SWALR(o, {options})", {"U": T.optim.swa_utils, "o": optimizer})
        found = list(schedule.get_last_lr())
        for step in range(14):
            optimizer.step()
            (before if step % 4 == 3 else schedule).step()
            found += [group["lr"] for group in optimizer.param_groups]
        state = schedule.state_dict()
        twin = eval(f"U.SWALR(o, {options})", {"U": T.optim.swa_utils, "o": optimizer})
        twin.load_state_dict(state)
        twin.step()
        return found + twin.get_last_lr(), sorted(state), [group["swa_lr"] for group in optimizer.param_groups]

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-13)
    assert ours[1:] == theirs[1:]


BAD = [
    "SWALR(o, [0.1, 0.2])",
    "SWALR(o, 0.1, anneal_strategy='other')",
    "SWALR(o, 0.1, anneal_epochs=-1)",
    "SWALR(o, 0.1, anneal_epochs=1.5)",
    "get_ema_avg_fn(1.5)",
    "get_ema_multi_avg_fn(-0.1)",
    "AveragedModel(T.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max)",
]


@pytest.mark.parametrize("code", BAD)
def test_bad_input(code: str) -> None:
    def attempt(T: Any) -> Any:
        o = T.optim.SGD([T.ones(1, requires_grad=True)])
        return str(eval(f"T.optim.swa_utils.{code}", {"T": T, "o": o}))

    ours, theirs = (run(attempt, engine, (), False, False) for engine in ENGINES)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r}"
