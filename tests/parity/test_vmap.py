"""``vmap`` against PyTorch's: values, gradients through it, compositions with other functions of functions, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from support.oracle import builtin, same

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated", "ignore::DeprecationWarning:torch")

RNG = np.random.default_rng(8)
X, Y, W = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))

LINES = [
    "T.vmap(T.sin)(x)",
    "T.vmap(T.dot)(x, y)",
    "T.vmap(T.dot, in_dims=(0, None))(x, w[0])",
    "T.vmap(T.dot, in_dims=(None, 0))(w[0], x)",
    "T.vmap(T.dot, in_dims=1)(x, y)",
    "T.vmap(T.dot, in_dims=(-1, 1))(x, y)",
    "T.vmap(T.sin, in_dims=1, out_dims=1)(x)",
    "T.vmap(T.sin, out_dims=-1)(x)",
    "T.vmap(T.mv, in_dims=(None, 0), out_dims=1)(w, x)",
    "T.vmap(lambda a: (a, a.sum()))(x)",
    "T.vmap(lambda a: (a, a * 2), out_dims=(0, 1))(x)",
    "T.vmap(lambda a: (a, (a * 2, a.sum())), out_dims=(1, (1, 0)))(x)",
    "T.vmap(lambda a: (a, (a * 2, a * 3)), out_dims=(1, 0))(x)",
    "(lambda r: (list(r), r['a'], r['b']))(T.vmap(lambda a: {'a': a, 'b': [a.sum()]})(x))",
    "T.vmap(lambda a: ())(x)",
    "T.vmap(lambda a: T.ones(2))(x)",
    "T.vmap(lambda a: T.ones(2), out_dims=None)(x)",
    "T.vmap(lambda a: (a, T.ones(2)), out_dims=(0, None))(x)",
    "T.vmap(lambda a: (a, 3), out_dims=(0, None))(x)",
    "T.vmap(lambda d: d['a'] * d['b'])({'a': x, 'b': y})",
    "T.vmap(lambda d: d['a'] * d['b'], in_dims=({'a': 0, 'b': None},))({'a': x, 'b': y[0]})",
    "T.vmap(lambda p, q: p[0] * p[1] + q, in_dims=((0, None), 0))((x, y[0]), y)",
    "T.vmap(lambda a, k: a * k, in_dims=(0, None))(x, 3)",
    "T.vmap(lambda a, *, k: a * k)(x, k=y[0])",
    "T.vmap(T.vmap(T.mul), in_dims=(0, 0))(x, y)",
    "T.vmap(T.vmap(T.mul, in_dims=(None, 0)), in_dims=(0, None))(x[:, 0], y[:, 1])",
    "T.vmap(lambda a: T.vmap(lambda b: (a * b).sum())(y))(x)",
    "T.vmap(T.sin)(x[:0])",
    "T.vmap(lambda a: (a.sum(), a), out_dims=(0, 1))(x[:0])",
    "T.vmap(T.sin, in_dims=1)(x[:, :0])",
    "T.vmap(T.sin, chunk_size=3)(x)",
    "T.vmap(lambda a: T.where(a > 0, a, -a))(x)",
    "T.vmap(lambda a: a[1:] * a[0])(x)",
    "T.vmap(lambda a: w @ a)(x)",
    "T.vmap(F.grad(lambda a: a.sin().sum()))(x)",
    "T.vmap(F.grad(lambda p, a: (p @ a).square().sum()), in_dims=(None, 0))(w, x)",
    "F.grad(lambda a: T.vmap(lambda b: (b ** 3).sum())(a).sum())(x)",
    "F.grad(lambda p: T.vmap(lambda a: (p @ a).square().sum())(x).mean())(w)",
    "F.jacrev(lambda a: T.vmap(T.sin)(a))(x[:2, :2])",
    "T.vmap(F.jacrev(lambda a: a ** 2))(x)",
    "T.vmap(F.hessian(lambda a: (a ** 3).sum()))(x)",
    "T.vmap(lambda v: F.vjp(T.sin, x[0])[1](v)[0])(y)",
    "T.vmap(lambda v: F.jvp(T.sin, (x[0],), (v,))[1])(y)",
    "T.vmap(lambda a: T.rand(3) * 0 + a, randomness='different')(x)",
]


@pytest.mark.parametrize("line", LINES)
def test_values(line: str) -> None:
    def run(T: Any) -> Any:
        names = {"T": T, "F": T.func} | {n: T.tensor(v) for n, v in {"x": X, "y": Y, "w": W}.items()}
        return eval(line, names)

    same(run)


WRONG = [
    "T.vmap(T.sin)()",
    "T.vmap(T.mul, in_dims=None)(x, y)",
    "T.vmap(T.sin, in_dims='a')(x)",
    "T.vmap(T.sin, in_dims=[0])(x)",
    "T.vmap(T.mul, in_dims=(0,))(x, y)",
    "T.vmap(T.mul, in_dims=(None, None))(x, y)",
    "T.vmap(T.mul, in_dims=(0, 1))(x, y)",
    "T.vmap(T.mul, in_dims=(0, 5))(x, y)",
    "T.vmap(T.mul)(x, 3)",
    "T.vmap(T.sin)(x[0, 0])",
    "T.vmap(lambda d: d['a'], in_dims=({'a': 0},))({'a': x, 'b': y})",
    "T.vmap(lambda a: 3)(x)",
    "T.vmap(lambda a: None)(x)",
    "T.vmap(lambda a: (a, 3))(x)",
    "T.vmap(lambda a: a, out_dims=None)(x)",
    "T.vmap(lambda a: (a, a), out_dims=(0, 1, 0))(x)",
    "T.vmap(T.sin, out_dims='a')(x)",
    "T.vmap(T.sin, out_dims=7)(x)",
    "T.vmap(lambda a: a + T.rand(3))(x)",
    "T.vmap(T.sin, randomness='some')(x)",
    "T.vmap(T.sin, chunk_size=0)(x)",
    "F.stack_module_state([])",
    "F.stack_module_state([T.nn.Linear(1, 1), T.nn.ReLU()])",
    "F.stack_module_state([T.nn.Linear(1, 1), T.nn.Linear(1, 1).eval()])",
    "F.stack_module_state([T.nn.Linear(1, 1), T.nn.Linear(1, 1).requires_grad_(False)])",
]


@pytest.mark.parametrize("line", WRONG)
def test_errors(line: str) -> None:
    found = []
    for T in (rushlight, torch):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which, PyTorch says
            eval(line, {"T": T, "F": T.func, "x": T.tensor(X), "y": T.tensor(Y)})
        found.append(caught.value)
    assert isinstance(found[0], builtin(found[1])), found


def test_gradients_reach_leaves_outside() -> None:
    def run(T: Any) -> Any:
        x, w = T.tensor(X, requires_grad=True), T.tensor(W, requires_grad=True)
        T.vmap(lambda a: (w @ a).tanh().sum())(x).sum().backward()
        return x.grad, w.grad

    same(run)


def test_same_randomness_for_all_samples_or_another_for_each() -> None:
    x = rushlight.zeros(3, 2)
    rushlight.manual_seed(0)
    alike = rushlight.vmap(lambda a: a + rushlight.rand(2), randomness="same")(x)
    assert alike.unique(dim=0).shape == (1, 2)
    apart = rushlight.vmap(lambda a: a + rushlight.rand(2), randomness="different")(x)
    assert apart.unique(dim=0).shape == (3, 2)


def test_a_refused_draw_leaves_the_generator_as_it_was() -> None:
    state = rushlight.get_rng_state()
    with pytest.raises(RuntimeError, match="randomness"):
        rushlight.vmap(lambda a: a + rushlight.rand(2))(rushlight.zeros(3, 2))
    assert rushlight.equal(rushlight.get_rng_state(), state)


def test_an_ensemble_of_modules() -> None:
    def run(T: Any) -> Any:
        T.manual_seed(1)
        models = [T.nn.Sequential(T.nn.Linear(3, 4), T.nn.BatchNorm1d(4).eval(), T.nn.ReLU()) for _ in range(3)]
        for one in models:
            one.eval()
        parameters, buffers = T.func.stack_module_state(models)
        x = T.tensor(X, dtype=T.float32)
        call = lambda p, b: T.func.functional_call(models[0], (p, b), (x,))
        out = T.vmap(call)(parameters, buffers)
        out.sum().backward()
        return out, parameters["0.weight"].grad, sorted(parameters), sorted(buffers)

    same(run)
