"""Optimizers against PyTorch: trajectories, state dicts, text, errors, hooks."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from parity.oracle import ENGINES, run

SGDS: list[dict[str, Any]] = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.3},
    {"momentum": 0.9, "nesterov": True},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "maximize": True, "momentum": 0.5},
    {"lr": 0, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True, "maximize": True},
]
ADAMS: list[dict[str, Any]] = [
    {},
    {"amsgrad": True},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "maximize": True, "amsgrad": True},
    {"lr": 0.0},
    {"eps": 1e-3, "betas": (0.5, 0.6)},
    {"betas": (0.0, 0.0)},
    {"foreach": True},
    {"fused": True},
]
KINDS = [*[("SGD", o) for o in SGDS], *[(name, o) for name in ("Adam", "AdamW") for o in ADAMS]]
SHAPES = [(), (0,), (3, 4), (200, 90), (16384,), (2, 20000)]


def trajectory(T: Any, name: str, options: dict[str, Any], shape: tuple[int, ...], kind: str, steps: int = 50) -> Any:
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


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "options"), KINDS, ids=str)
def test_trajectory(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    for kind, tol in (("float64", 1e-12), ("float32", 2e-5)):
        steps = 50 if int(np.prod(shape)) < 10_000 else 8
        (ours, mine), (theirs, other) = (trajectory(T, name, options, shape, kind, steps) for T in ENGINES)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tol)
        assert repr(mine) == repr(other)
        a, b = mine.state_dict(), other.state_dict()
        assert a["param_groups"] == b["param_groups"]
        assert list(a["state"]) == list(b["state"])
        for number, state in b["state"].items():
            assert list(a["state"][number]) == list(state)
            for key, value in state.items():
                found = a["state"][number][key]
                assert str(found.dtype) == str(value.dtype)
                np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=0, atol=tol)


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


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_pytorch_loads_our_state(name: str) -> None:
    ours, theirs = ENGINES
    options = {"momentum": 0.9} if name == "SGD" else {"amsgrad": True}
    _, mine = trajectory(ours, name, options, (3, 2), "float64", 5)
    saved = mine.state_dict()
    as_theirs = {
        "param_groups": saved["param_groups"],
        "state": {n: {k: theirs.tensor(v.numpy()) for k, v in s.items()} for n, s in saved["state"].items()},
    }
    p, q = (T.tensor([[1.0, 2.0]] * 3, dtype=T.float64, requires_grad=True) for T in ENGINES)
    first, second = getattr(ours.optim, name)([p]), getattr(theirs.optim, name)([q])
    first.load_state_dict(saved)
    second.load_state_dict(as_theirs)
    p.grad, q.grad = (T.ones(3, 2, dtype=T.float64) for T in ENGINES)
    first.step()
    second.step()
    np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=0, atol=1e-12)


BAD = [
    "SGD([])",
    "SGD(x)",
    "SGD(3)",
    "SGD([3])",
    "SGD([{'params': {x}}])",
    "SGD([{'lr': 1}])",
    "SGD([x * 2])",
    "SGD([{'params': [x]}, {'params': [x]}])",
    "SGD([('a', x), y])",
    "SGD([('a', x)]).add_param_group({'params': [y]})",
    "SGD([x]).add_param_group([y])",
    "SGD([x], lr=-1)",
    "SGD([x], momentum=-0.1)",
    "SGD([x], weight_decay=-1)",
    "SGD([x], nesterov=True)",
    "SGD([x], momentum=0.9, dampening=0.1, nesterov=True)",
    "SGD([x], lr=T.ones(2))",
    "SGD([x], foreach=True, fused=True)",
    "Adam([x], lr=-1)",
    "Adam([x], eps=-1)",
    "Adam([x], betas=(1.0, 0.9))",
    "Adam([x], betas=(0.9, -0.1))",
    "Adam([x], betas=(0, 0.9))",
    "Adam([x], weight_decay=-1)",
    "Adam([x], lr=T.ones(1), foreach=True)",
    "Adam([x], foreach=True, fused=True)",
    "Optimizer([x], {}).step()",
    "SGD([x]).load_state_dict(T.optim.SGD([{'params': [x]}, {'params': [y]}]).state_dict())",
    "SGD([x]).load_state_dict(T.optim.SGD([x, y]).state_dict())",
    "SGD([x]).load_state_dict({})",
]


@pytest.mark.parametrize("code", BAD)
def test_bad_input_raises_what_pytorch_raises(code: str) -> None:
    def attempt(T: Any) -> Any:
        x, y = T.ones(2, requires_grad=True), T.ones(3, requires_grad=True)
        return repr(eval(f"T.optim.{code}", {"T": T, "x": x, "y": y}))

    ours, theirs = (run(attempt, engine, (), False, False) for engine in ENGINES)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r} {ours.results}"


def surroundings(T: Any) -> Any:
    """What else an optimizer does: hooks, closures, names, copies."""
    seen: list[Any] = []
    x = T.tensor([1.0, 2.0], requires_grad=True)
    y = T.tensor([3.0], requires_grad=True)
    optimizer = T.optim.SGD([("x", x), ("y", y)], lr=T.tensor(0.5), momentum=0.5)
    seen += [repr(optimizer), str(optimizer.state_dict()["param_groups"])]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("pre", len(args), list(kwargs))))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("post"))
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("out"))
    optimizer.register_state_dict_post_hook(lambda o, state: seen.append("out after"))
    optimizer.register_state_dict_post_hook(lambda o, state: seen.append("out first"), prepend=True)
    optimizer.register_load_state_dict_pre_hook(lambda o, state: seen.append("in"))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("in after"))

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (x * x).sum() + y.sum()
        loss.backward()
        return loss

    with T.no_grad():
        seen.append(optimizer.step(closure).item())
    seen += [x.tolist(), y.tolist(), optimizer.step(closure=closure).item(), x.tolist()]
    optimizer.load_state_dict(optimizer.state_dict())
    twin = copy.deepcopy(optimizer)
    back = pickle.loads(pickle.dumps(optimizer))
    seen += [repr(twin), repr(back), len(back.state), next(iter(optimizer.state)) is x, x._version]

    class Plain(T.optim.Optimizer):
        def __init__(self, params: Any, rate: float) -> None:
            super().__init__(params, {"rate": rate})

        @T.no_grad()
        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.add_(p.grad, alpha=-group["rate"])

    own = Plain([x], rate=0.1)
    own.register_step_post_hook(lambda o, args, kwargs: seen.append("own"))
    own.step()
    seen += [x.tolist(), repr(own)]
    return seen


def test_surroundings() -> None:
    ours, theirs = (surroundings(T) for T in ENGINES)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other


def test_written_parameters_are_noticed() -> None:
    def attempt(T: Any) -> Any:
        w = T.tensor([2.0], requires_grad=True)
        loss = (w * w).sum()
        w.grad = T.ones(1)
        T.optim.SGD([w], lr=0.1).step()
        loss.backward()

    ours, theirs = (run(attempt, engine, (), False, False) for engine in ENGINES)
    assert type(ours.error) is type(theirs.error) is RuntimeError
    assert "modified by an inplace operation" in str(ours.error)


def test_strided_parameters_and_gradients() -> None:
    def moved(T: Any) -> Any:
        found = []
        for name in ("SGD", "Adam"):
            base = T.arange(12.0).reshape(3, 4)
            p = base.t().requires_grad_()
            big = T.zeros(300, 200).t().requires_grad_()
            optimizer = getattr(T.optim, name)([p, big], lr=0.1)
            p.grad = T.ones(3, 4).t()
            big.grad = T.arange(60000.0).reshape(300, 200).t()
            optimizer.step()
            found += [p.tolist(), base.tolist(), big.sum().item(), big[3, 5].item()]
        return found

    ours, theirs = (moved(T) for T in ENGINES)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6)
