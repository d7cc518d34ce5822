"""What optimizers do beside stepping, against PyTorch: states, errors, hooks, text, groups, layouts."""

import copy
import importlib
import inspect
import operator
import pickle
from typing import Any

import numpy as np
import pytest

from support.optimizer_trajectories import OPTIONS, STATEFUL, carried, same_state, trajectory
from support.oracle import ENGINES, run


def go_on(T: Any, name: str, options: dict[str, Any], state: Any, start: Any) -> Any:
    """Return where a parameter goes from ``start`` under a new optimizer that loads ``state``."""
    p = T.tensor(start, requires_grad=True)
    optimizer = getattr(T.optim, name)([p], **options)
    optimizer.load_state_dict(state)
    rng = np.random.default_rng(7)
    for _ in range(10):
        p.grad = T.tensor(rng.standard_normal(start.shape))
        optimizer.step()
    return p.detach().numpy()


@pytest.mark.parametrize(("name", "options"), STATEFUL, ids=str)
def test_states_are_carried_both_ways(name: str, options: dict[str, Any]) -> None:
    ours, theirs = ENGINES
    for source in ENGINES:
        path, optimizer = trajectory(source, name, options, (3, 2), "float64", 5)
        ends = [go_on(T, name, options, carried(optimizer.state_dict(), T), path[-1]) for T in (ours, theirs)]
        tol = 2e-4 if name == "Muon" else 1e-11
        np.testing.assert_allclose(ends[0], ends[1], rtol=0, atol=tol)
        assert np.abs(ends[0] - path[-1]).max() > 0 or options.get("lr") == 0


@pytest.mark.parametrize(("name", "options"), STATEFUL, ids=str)
def test_copies_go_the_same_way(name: str, options: dict[str, Any]) -> None:
    T = ENGINES[0]
    path, optimizer = trajectory(T, name, options, (3, 2), "float64", 5)
    wanted = go_on(T, name, options, carried(optimizer.state_dict(), T), path[-1])
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert repr(twin) == repr(optimizer)
        p = twin.param_groups[0]["params"][0]
        rng = np.random.default_rng(7)
        for _ in range(10):
            p.grad = T.tensor(rng.standard_normal((3, 2)))
            twin.step()
        np.testing.assert_allclose(p.detach().numpy(), wanted, rtol=0, atol=1e-11)  # loading casts NAdam's product


@pytest.mark.parametrize("name", ["Adam", "NAdam", "ASGD", "Adagrad", "RMSprop"])
def test_old_states(name: str) -> None:
    """Long ago counts were numbers and some options were not there."""

    def loaded(T: Any) -> Any:
        _, optimizer = trajectory(T, name, {}, (2,), "float64", 3)
        saved = carried(optimizer.state_dict(), T)
        for key in ("step", "mu_product", "eta", "mu"):
            if key in saved["state"][0]:
                saved["state"][0][key] = saved["state"][0][key].item()
        for group in saved["param_groups"]:
            for key in ("maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"):
                group.pop(key, None)
        fresh = getattr(T.optim, name)([T.ones(2, dtype=T.float64, requires_grad=True)])
        fresh.load_state_dict(saved)
        p = fresh.param_groups[0]["params"][0]
        p.grad = T.ones(2, dtype=T.float64)
        fresh.step()
        return fresh

    ours, theirs = (loaded(T) for T in ENGINES)
    same_state(ours, theirs, 1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "Rprop",
                                  "ASGD", "Adafactor"])  # fmt: skip
def test_rate_as_a_tensor_and_default_dtype(name: str) -> None:
    def seen(T: Any) -> Any:
        T.set_default_dtype(T.float64)
        try:
            return trajectory(T, name, {"lr": T.tensor(0.125 if name == "Rprop" else 0.01)}, (3, 4), "float64", 10)
        finally:
            T.set_default_dtype(T.float32)

    (ours, mine), (theirs, other) = (seen(T) for T in ENGINES)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
    same_state(mine, other, 1e-11)


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
    "Adam([x], betas=(T.tensor(0.9), 0.9))",
    "Adam([x], betas=(T.tensor(0.9), T.tensor(0.9)), foreach=True)",
    "Adam([x], capturable=True)",
    "NAdam([x], lr=-1)",
    "NAdam([x], lr=T.ones(2))",
    "NAdam([x], eps=-1)",
    "NAdam([x], betas=(1.0, 0.9))",
    "NAdam([x], weight_decay=-1)",
    "NAdam([x], momentum_decay=-1)",
    "NAdam([x], fused=True)",
    "RAdam([x], lr=-1)",
    "RAdam([x], eps=-1)",
    "RAdam([x], betas=(0.9, 1.0))",
    "RAdam([x], weight_decay=-1)",
    "Adamax([x], lr=float('nan'))",
    "Adamax([x], eps=-1)",
    "Adamax([x], betas=(0.9, -1.0))",
    "Adamax([x], weight_decay=-1)",
    "Adagrad([x], lr=-1)",
    "Adagrad([x], lr_decay=-1)",
    "Adagrad([x], weight_decay=-1)",
    "Adagrad([x], initial_accumulator_value=-1)",
    "Adagrad([x], eps=-1)",
    "Adagrad([x], foreach=True, fused=True)",
    "Adagrad([x], differentiable=True, fused=True)",
    "Adadelta([x], lr=-1)",
    "Adadelta([x], rho=1.1)",
    "Adadelta([x], eps=-1)",
    "Adadelta([x], weight_decay=-1)",
    "RMSprop([x], lr=-1)",
    "RMSprop([x], alpha=-1)",
    "RMSprop([x], eps=-1)",
    "RMSprop([x], momentum=-1)",
    "RMSprop([x], weight_decay=-1)",
    "Rprop([x], lr=-1)",
    "Rprop([x], etas=(1.0, 1.2))",
    "Rprop([x], 0.1, (0.5, 1.2), (1, 2), True)",
    "ASGD([x], lr=-1)",
    "ASGD([x], weight_decay=-1)",
    "Adafactor([x], lr=-1)",
    "Adafactor([x], beta2_decay=0.1)",
    "Adafactor([x], eps=(-1, 0.1))",
    "Adafactor([x], eps=(None, -0.1))",
    "Adafactor([x], d=0.5)",
    "Adafactor([x], weight_decay=-1)",
    "Muon([x])",
    "Muon([T.ones(2, 2)], lr=-1)",
    "Muon([T.ones(2, 2)], momentum=-1)",
    "Muon([T.ones(2, 2)], weight_decay=-1)",
    "Muon([T.ones(2, 2)], adjust_lr_fn='other')",
    "LBFGS([x], lr=-1)",
    "LBFGS([{'params': [x]}, {'params': [y]}])",
    "LBFGS([x]).step()",
    "LBFGS([x], line_search_fn='other').step(lambda: ((x * x).sum().backward(), T.ones(()))[1])",
    "Optimizer([x], {}).step()",
    "Optimizer([x], {'rate': importlib.import_module(f'{T.__name__}.optim.optimizer').required})",
    "SGD([x]).load_state_dict(T.optim.SGD([{'params': [x]}, {'params': [y]}]).state_dict())",
    "SGD([x]).load_state_dict(T.optim.SGD([x, y]).state_dict())",
    "SGD([x]).load_state_dict({})",
]


@pytest.mark.parametrize("code", BAD)
def test_bad_input_raises_what_pytorch_raises(code: str) -> None:
    def attempt(T: Any) -> Any:
        x, y = T.ones(2, requires_grad=True), T.ones(3, requires_grad=True)
        x.grad = T.ones(2)
        made = eval(f"T.optim.{code}", {"T": T, "x": x, "y": y, "importlib": importlib})
        if "capturable" in code:  # found out at the first step
            made.step()
        return repr(made)

    ours, theirs = (run(attempt, engine, (), False, False) for engine in ENGINES)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r} {ours.results}"
    theme = str(theirs.error).split(": ")[0].split(" but ")[0].rstrip(".")
    if "T.optim.SGD(" not in code and type(ours.error) in {ValueError, AssertionError}:
        assert theme in str(ours.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r}"


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


def test_hooks_of_all_optimizers_and_of_overridden_steps() -> None:
    def seen(T: Any) -> Any:
        found: list[Any] = []

        class Loud(T.optim.Adagrad):
            def step(self, closure: Any = None) -> Any:
                found.append("mine")
                return super().step(closure)

        x = T.ones(2, requires_grad=True)
        optimizer = Loud([x])
        optimizer.register_step_pre_hook(lambda *_: found.append("own before"))
        optimizer.register_step_post_hook(lambda *_: found.append("own after"))
        module = importlib.import_module(f"{T.__name__}.optim.optimizer")
        before = module.register_optimizer_step_pre_hook(lambda *_: found.append("all before"))
        after = module.register_optimizer_step_post_hook(lambda *_: found.append("all after"))
        optimizer.step()
        T.optim.SGD([x]).step()
        before.remove()
        after.remove()
        optimizer.step(lambda: found.append("closure"))
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, None), {}))
        optimizer.step(closure=3)
        optimizer.register_step_pre_hook(lambda *_: 3)
        try:
            optimizer.step()
        except RuntimeError:
            found.append("refused")
        return found

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


def test_parameters_that_share_memory() -> None:
    def seen(T: Any) -> Any:
        base = T.arange(6.0)
        p, q = base[:4].requires_grad_(), base[2:].requires_grad_()
        optimizer = T.optim.Adam([p, q], lr=0.1)
        for _ in range(3):
            p.grad, q.grad = T.ones(4), -T.ones(4)
            optimizer.step()
        return base.tolist()

    ours, theirs = (seen(T) for T in ENGINES)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


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
        for name in OPTIONS:
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


def signature(call: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(call).parameters.values()]


OPTIMIZERS = [*OPTIONS, "Muon", "LBFGS", "Optimizer"]
SCHEDULES = [f"lr_scheduler.{name}" for name in ENGINES[1].optim.lr_scheduler.__all__]
AVERAGES = [f"swa_utils.{name}" for name in ENGINES[1].optim.swa_utils.__all__]


@pytest.mark.parametrize("name", [*dict.fromkeys(OPTIMIZERS), *SCHEDULES, *AVERAGES])
def test_signatures_are_those_of_pytorch(name: str) -> None:
    """Names, order and defaults of what an optimizer or schedule is made of, and of its methods."""
    ours, theirs = (operator.attrgetter(name)(T.optim) for T in ENGINES)
    assert signature(ours) == signature(theirs)
    if isinstance(theirs, type):
        methods = {"step", "zero_grad", "add_param_group", "state_dict", "load_state_dict", "get_lr", "get_last_lr"}
        for method in methods & set(dir(theirs)):
            assert signature(getattr(ours, method)) == signature(getattr(theirs, method)), method
        for T, cls in zip(ENGINES, (ours, theirs), strict=True):
            refusal = rf"{cls.__name__}.__init__\(\) got an unexpected keyword argument 'bad'"
            with pytest.raises(TypeError, match=refusal):
                cls([T.ones(2, requires_grad=True)], bad=1)
