"""Functions of functions against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.oracle import same

# PyTorch warns of itself when it first loads forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated", "ignore::DeprecationWarning:torch")

RNG = np.random.default_rng(5)
X, Y, W = RNG.normal(size=3), RNG.normal(size=3), RNG.normal(size=(2, 3))

LINES = [
    "F.grad(lambda x: (x.sin() * y).sum())(x)",
    "F.grad(lambda a, b: (a * b).sum(), argnums=1)(x, y)",
    "F.grad(lambda a, b: (a * b * b).sum(), argnums=(1, 0))(x, y)",
    "F.grad(lambda a, b: (a * b).sum(), argnums=-1)(x, y)",
    "F.grad(lambda a, k: (a ** k).sum())(x, 3)",
    "F.grad(lambda a, k=1: (a ** k).sum())(x, k=4)",
    "F.grad(lambda d: (d['a'].sin() * d['b'][0]).sum() + d['b'][1].sum())({'a': x, 'b': (y, [x][0])})",
    "F.grad(lambda a: a.exp().sum())(x.sum())",
    "F.grad(lambda a, b: b.sum(), argnums=(0, 1))(x, y)",
    "F.grad(lambda a: T.ones(()))(x)",
    "F.grad(lambda x: ((x ** 3).sum(), x * 2), has_aux=True)(x)",
    "F.grad_and_value(lambda x: ((x ** 3).sum(), x * 2), has_aux=True)(x)",
    "F.grad_and_value(lambda x: (x ** 3).sum())(x)",
    "F.grad(lambda s: F.grad(lambda t: t ** 4 * s)(s * 2))(x[0])",
    "F.grad(lambda t: F.grad(F.grad(T.sin))(t))(x[0])",
    "F.grad(lambda a: (F.grad(lambda b: (b ** 3).sum() * a.sum())(a) ** 2).sum())(x)",
    "F.vjp(lambda a: a.sin(), x)[0], F.vjp(lambda a: a.sin(), x)[1](y)",
    "F.vjp(lambda a, b: (a * b, b.sum()), x, y)[1]((y, x.sum()))",
    "F.vjp(lambda a: (a.sin(), {'aux': a}), x, has_aux=True)[2]",
    "F.jvp(lambda a: a.sin() * y, (x,), (y,))",
    "F.jvp(lambda a, b: (a * b, a.sum()), (x, y), (y, x))",
    "F.jvp(lambda a: (a.sin(), a), (x,), (y,), has_aux=True)",
    "F.jvp(lambda a: y * 2, (x,), (y,))",
    "F.jacrev(lambda a: a.sin() * y.sum())(x)",
    "F.jacrev(lambda a, b: W @ (a * b), argnums=(0, 1))(x, y)",
    "F.jacrev(lambda d: {'s': d['a'] * d['b'], 't': d['a'].sum()})({'a': x, 'b': y})",
    "F.jacrev(lambda a: (a * 2, a), has_aux=True)(x)",
    "F.jacfwd(lambda a: W @ a)(x)",
    "F.jacrev(lambda a: W @ a, chunk_size=1)(x)",
    "F.hessian(lambda a: (a ** 3).sum() * a[0])(x)",
    "F.hessian(lambda a, b: (a * b).sum() ** 2, argnums=(0, 1))(x, y)",
    "F.hessian(lambda a: a.sin())(x)",
    "F.jacrev(F.grad(lambda a: (a ** 3).prod()))(x)",
    "F.grad(lambda a: F.hessian(lambda b: (b ** 4).sum())(a).sum())(x)",
    "F.grad(lambda a: F.jvp(lambda b: (b ** 3), (a,), (y,))[1].sum())(x)",
    "F.grad(lambda a: F.vjp(lambda b: (b ** 3), a)[1](y)[0].sum())(x)",
    "F.jvp(F.grad(lambda a: (a ** 3).sum()), (x,), (y,))",
    "F.grad(lambda a: (a.detach() * a).sum())(x)",
    "F.grad(lambda a: T.nn.functional.relu(a).sum())(x)",
    "F.grad(lambda a: a)(x)",
    "F.grad(lambda a: 3)(x)",
    "F.grad(lambda a: (a.sum(),))(x)",
    "F.grad(lambda a: a.sum(), argnums=1)(x)",
    "F.grad(lambda a: a.sum(), argnums='a')(x)",
    "F.grad(lambda a: a.sum(), has_aux=True)(x)",
    "F.grad(lambda a: a.sum())(3.0)",
    "F.jvp(lambda a: a, (x,), (y[:2],))",
    "F.jvp(lambda a: a, x, y)",
    "F.vjp(lambda a: (a, a), x)[1](y)",
    "F.vjp(lambda a: 3, x)",
    "F.jacrev(lambda a: 3)(x)",
]


def names(T: Any) -> dict[str, Any]:
    return {"T": T, "F": T.func, "x": T.from_numpy(X.copy()), "y": T.from_numpy(Y.copy()), "W": T.from_numpy(W.copy())}


def plain(value: Any) -> Any:
    """Dicts as lists, so that tensors in them are compared."""
    if isinstance(value, dict):
        return [[name, plain(value[name])] for name in sorted(value)]
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return value


@pytest.mark.parametrize("line", LINES)
def test_lines(line: str) -> None:
    same(lambda T: plain(eval(line, names(T))), grad=False)


@pytest.mark.parametrize("line", LINES[:16] + LINES[16:40:2])
def test_lines_within_a_graph(line: str) -> None:
    """What a function of functions returns can be differentiated further, through arguments and what it closes over."""

    def code(T: Any, x: Any, y: Any, w: Any) -> Any:
        found = plain(eval(line, {"T": T, "F": T.func, "x": x, "y": y, "W": w}))
        return tuple(v for v in flat(found) if isinstance(v, T.Tensor))

    same(code, X, Y, W)


def flat(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, list) else [value]


def test_what_is_tracked() -> None:
    def code(T: Any) -> Any:
        F, x, w = T.func, T.tensor([1.0, 2.0]), T.tensor([3.0, 4.0], requires_grad=True)
        free = F.grad(lambda a: (a**2).sum())(x)
        held = F.grad(lambda a: (a**2 * w).sum())(x)
        asked = F.grad(lambda a: (a**3).sum())(w)
        with T.no_grad():
            off = F.grad(lambda a: (a**2 * w).sum())(x)
        constant = F.grad(lambda a: (a * 2).sum())(w)
        held.sum().backward()
        value = F.grad_and_value(lambda a: (a * x).sum())(x)[1]
        flags = [t.requires_grad for t in (free, held, asked, off, constant, value, x)]
        return [*flags, w.grad, x.grad, free, held, asked, off, constant]

    same(code, grad=False)


def test_a_model_as_a_function() -> None:
    def code(T: Any) -> Any:
        T.manual_seed(0)
        model = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.Tanh(), T.nn.Linear(4, 1)).double()
        x, y = T.from_numpy(W.copy()), T.from_numpy(RNG.normal(size=(2, 1)) * 0 + 1)
        params = {name: p.detach() for name, p in model.named_parameters()}

        def loss(params: Any) -> Any:
            return T.nn.functional.mse_loss(T.func.functional_call(model, params, (x,)), y)

        gradients, value = T.func.grad_and_value(loss)(params)
        T.nn.functional.mse_loss(model(x), y).backward()
        found = [gradients[name] - p.grad for name, p in model.named_parameters()]
        return [value, *gradients.values(), *found, T.func.hessian(loss)(params)["2.bias"]["0.bias"]]

    same(code, grad=False)
