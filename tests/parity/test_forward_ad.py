"""Forward mode against PyTorch: duals, what they pass through, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from support.oracle import builtin, same

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated", "ignore::DeprecationWarning:torch")

RNG = np.random.default_rng(7)
X, V, M = RNG.uniform(0.5, 2.0, 3), RNG.normal(size=3), RNG.normal(size=(3, 3))

EXPRESSIONS = [
    "x * 2 + x.exp()",
    "x.sum()",
    "m @ x",
    "x.unsqueeze(0).expand(2, 3).t().reshape(-1)",
    "x.max(0)[0]",
    "x.sort(descending=True)[0]",
    "x.cumprod(0)",
    "T.where(x > 1, x, x * x)",
    "T.cat([x, m[0], x * x])",
    "T.stack(x.unbind(0)[::-1])",
    "x.split([1, 2])[1] * 3",
    "x.to(T.float32)",
    "x.floor()",
    "x.detach() * x",
    "x.clone()",
    "F.softmax(x, 0)",
    "F.layer_norm(x, (3,), m[0], m[1])",
    "F.linear(x, m, x)",
    "F.conv1d(x[None], m.reshape(3, 1, 3)[:, :, :2], x)",
    "F.cross_entropy((m * x), T.tensor([0, 2, 1]))",
    "F.batch_norm(m * x, None, None, training=True)",
    "F.group_norm((m * x).reshape(1, 3, 3), 3)",
    "F.max_pool1d((x * m)[None], 2)",
    "F.embedding(T.tensor([0, 2]), m * x)",
    "T.linalg.solve(m, x)",
    "T.linalg.inv(m * x)",
    "T.einsum('ij,j,k->ik', m, x, x)",
    "x.clone().mul_(x)",
    "x.clone().index_fill_(0, T.tensor([1]), 5.0)",
    "fill(T.zeros(2, 3, dtype=x.dtype), x)",
    "fill(x.expand(2, 3).clone(), x * x)",
    "chosen(x)",
    "quietly(lambda: x * x)",
    "F.dropout(x, 0.0)",
    "x.view(3, 1).transpose(0, 1)",
    "x.norm() + x.var() + x.std() + x.median()",
    "T.nn.GRUCell(3, 3).double()(m * x).sum() * 0 + x",
]


def fill(base: Any, x: Any) -> Any:
    base[1] = x
    base[:, 0].mul_(2)
    return base


def chosen(x: Any) -> Any:
    y = x.clone()
    y[y > 1] *= 3
    return y


def surroundings(T: Any, x: Any) -> dict[str, Any]:
    def quietly(f: Callable[[], Any]) -> Any:
        with T.no_grad():
            return f()

    names = {"T": T, "F": T.nn.functional, "m": T.from_numpy(M.copy()), "x": x}
    return names | {"fill": fill, "chosen": chosen, "quietly": quietly}


VALUES_ONLY = ("layer_norm", "batch_norm", "conv1d", "cross_entropy", "max_pool", "median", "softmax")
"""Where the gradient of PyTorch's tangent is no witness: it takes a mean for constant, refuses its own write, or is
None for zero. ``tests/test_forward_mode.py`` compares those with other ways to the same Hessian."""


@pytest.mark.parametrize("line", EXPRESSIONS)
@pytest.mark.parametrize("asking", [False, True])
def test_tangents(line: str, asking: bool) -> None:
    """The tangent of an expression, and its gradient by the primal and the tangent."""

    def code(T: Any, x: Any, v: Any) -> Any:
        ad = T.autograd.forward_ad
        with ad.dual_level():
            y = eval(line, surroundings(T, ad.make_dual(x, v)))
            primal, tangent = ad.unpack_dual(y)
            return primal, tangent, y.requires_grad

    same(code, X, V, grad=asking and not any(word in line for word in VALUES_ONLY))


def test_forward_over_reverse_and_reverse_over_forward() -> None:
    def code(T: Any) -> Any:
        ad, x, v = T.autograd.forward_ad, T.from_numpy(X.copy()).requires_grad_(), T.from_numpy(V.copy())
        with ad.dual_level():
            y = (ad.make_dual(x, v) ** 3).sin().sum()
            (plain,) = T.autograd.grad(y, x, retain_graph=True)
            (again,) = T.autograd.grad(y, x, create_graph=True)
            (back,) = T.autograd.grad(ad.unpack_dual(y).tangent, x)
            both = [*ad.unpack_dual(plain), *ad.unpack_dual(again)]
            return [*both, back, plain.requires_grad, again.requires_grad]

    same(code, grad=False)


def test_what_a_dual_is() -> None:
    def code(T: Any) -> list[Any]:
        ad, x, v = T.autograd.forward_ad, T.tensor([1.0, 2.0]), T.tensor([3.0, 4.0])
        seen: list[Any] = []
        with ad.dual_level() as level:
            d = ad.make_dual(x, v)
            seen += [
                level,
                d.requires_grad,
                d.is_leaf,
                d.grad_fn,
                str(d),
                str(d * 2),
                str(ad.unpack_dual(d)),
                d.tolist(),
            ]
            seen += [ad.unpack_dual(x).tangent, ad.unpack_dual(d.detach()).tangent, ad.unpack_dual(d.data).tangent]
            seen += [
                ad.unpack_dual(d > 1).tangent,
                ad.unpack_dual(d.long()).tangent,
                ad.unpack_dual(d.argmax()).tangent,
            ]
            leaf = d.clone().requires_grad_()
            seen += [leaf.is_leaf, leaf.requires_grad, ad.unpack_dual(leaf).tangent]
            with T.inference_mode():
                seen.append(ad.unpack_dual(d * 2).tangent)
            kept = d * 2
        seen += [ad.unpack_dual(kept), (kept * 2).requires_grad, str(kept)]
        return seen

    same(code, grad=False)


REFUSED = {
    "ad.exit_dual_level()": "Dual level must be",
    "ad.make_dual(x, v)": "no level exists",
    "in_level(lambda: ad.enter_dual_level())": "Nested forward mode AD is not supported",
    "in_level(lambda: ad.exit_dual_level(level=3))": "not the last one that was created",
    "in_level(lambda: ad.make_dual(x, v, level=3))": "Invalid level given to _make_dual",
    "in_level(lambda: ad.make_dual(x, v[:1]))": "different size than that of the original Tensor",
    "in_level(lambda: ad.make_dual(x.long(), v))": "Expected primal to be floating point",
    "in_level(lambda: ad.make_dual(x, v.long()))": "Expected tangent to be floating point",
    "in_level(lambda: ad.make_dual(ad.make_dual(x, v), v))": "already has a forward gradient at the same level",
    "in_level(lambda: ad.make_dual(x, ad.make_dual(x, v)))": "itself has a forward gradient at the same level",
    "in_level(lambda: ad.unpack_dual(3))": "must be Tensor",
    "in_level(lambda: ad.make_dual(x, v).sum().backward())": "does not require grad",
    "in_level(lambda: ad.make_dual(w, v).mul_(2))": "a view of a leaf Variable that requires grad",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused(line: str) -> None:
    def code(T: Any) -> None:
        ad = T.autograd.forward_ad

        def in_level(f: Callable[[], Any]) -> None:
            with ad.dual_level():
                f()

        w = T.ones(2, requires_grad=True)
        eval(line, {"T": T, "ad": ad, "in_level": in_level, "x": T.ones(2), "v": T.ones(2), "w": w})

    with pytest.raises(Exception) as theirs:  # noqa: PT011 - which one, PyTorch says
        code(torch)
    with pytest.raises(builtin(theirs.value)) as ours:
        code(rushlight)
    assert REFUSED[line] in str(theirs.value), f"PyTorch says {theirs.value}"
    assert REFUSED[line] in str(ours.value), f"PyTorch says {theirs.value}, rushlight {ours.value}"


def cube(T: Any, jvp: Any, materialize: bool = True, dirty: bool = False) -> Any:
    """Return a Function of two results that has this ``jvp``."""

    class Cube(T.autograd.Function):  # type: ignore[name-defined,misc]
        @staticmethod
        def forward(ctx: Any, x: Any, k: Any, w: Any) -> Any:
            ctx.save_for_forward(x, w)
            ctx.save_for_backward(x, w)
            ctx.set_materialize_grads(materialize)
            return x**3 * k, x * w

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, w = ctx.saved_tensors
            return g * 3 * x * x * 2 + h * w, None, h * x

    Cube.jvp = staticmethod(jvp)
    return Cube


JVPS: dict[str, Any] = {
    "right": lambda ctx, t, k, u: (t * 6 * ctx.saved_tensors[0] ** 2, t * ctx.saved_tensors[1]),
    "told": lambda ctx, t, k, u: (t * 6, t * (0 if k is None else 1) + u),
    "too few": lambda ctx, t, k, u: t,
    "no tensor": lambda ctx, t, k, u: (t, 1),
    "another shape": lambda ctx, t, k, u: (t, t.sum()),
}


@pytest.mark.parametrize("name", JVPS)
@pytest.mark.parametrize("asking", [False, True])
def test_functions_with_a_jvp(name: str, asking: bool) -> None:
    def code(T: Any, x: Any, v: Any, w: Any) -> Any:
        ad = T.autograd.forward_ad
        with ad.dual_level():
            outs = cube(T, JVPS[name]).apply(ad.make_dual(x, v), 2, w)
            return [part for out in outs for part in ad.unpack_dual(out)]

    same(code, X, V, V * 2, grad=asking)


def test_functions_are_told_of_absent_tangents() -> None:
    def code(T: Any, x: Any, v: Any, w: Any) -> list[Any]:
        ad, seen = T.autograd.forward_ad, []

        def jvp(ctx: Any, *tangents: Any) -> Any:
            seen.append([t is None for t in tangents])
            return tangents[0], tangents[0]

        with ad.dual_level():
            for materialize in (True, False):
                cube(T, jvp, materialize).apply(ad.make_dual(x, v), 2, w)
        return seen

    same(code, X, V, V * 2, grad=False)


def test_no_jvp_no_tangent() -> None:
    def code(T: Any, x: Any, v: Any) -> Any:
        with T.autograd.forward_ad.dual_level():
            return cube(T, T.autograd.Function.jvp).apply(T.autograd.forward_ad.make_dual(x, v), 2, v)

    same(code, X, V, grad=False)


CHECKS = [
    "A.gradcheck(f, (x, y), check_forward_ad=True)",
    "A.gradcheck(f, (x, y), check_forward_ad=True, check_batched_forward_grad=True, fast_mode=True)",
    "A.gradcheck(f, (x, y), check_forward_ad=True, check_backward_ad=False)",
    "A.gradgradcheck(f, (x, y), check_fwd_over_rev=True)",
    "A.gradgradcheck(f, (x, y), check_fwd_over_rev=True, check_rev_over_rev=False)",
    "A.gradgradcheck(f, (x, y), check_fwd_over_rev=True, check_rev_over_rev=False, check_undefined_grad=False)",
    "A.gradgradcheck(f, (x, y), check_rev_over_rev=False)",
    "A.gradcheck(f, (x, y), check_backward_ad=False)",
    "A.gradcheck(f, (x, y), check_batched_forward_grad=True)",
    "A.gradcheck(wrong, (x,), check_forward_ad=True, raise_exception=False)",
    "A.gradcheck(wrong, (x,), check_forward_ad=True)",
    "A.gradcheck(wrong, (x,))",
    "A.functional.jacobian(f, (x, y), vectorize=True, strategy='forward-mode')",
    "A.functional.jacobian(lambda a: a.exp(), x, vectorize=True, strategy='forward-mode')",
    "A.functional.jacobian(lambda a: y, x, vectorize=True, strategy='forward-mode')",
    "A.functional.jacobian(lambda a: a.exp(), x, strategy='forward-mode')",
    "A.functional.jacobian(lambda a: a.exp(), x, vectorize=True, strategy='forward-mode', create_graph=True)",
    "A.functional.jacobian(lambda a: a.exp(), x, vectorize=True, strategy='forward-mode', strict=True)",
    "A.functional.jacobian(lambda a: 3, x, vectorize=True, strategy='forward-mode')",
    "A.functional.jacobian(lambda a: a, 3, vectorize=True, strategy='forward-mode')",
    "A.functional.hessian(lambda a, b: f(a, b)[1], (x, y), vectorize=True, outer_jacobian_strategy='forward-mode')",
    "A.functional.hessian(lambda a, b: f(a, b)[1], (x, y), outer_jacobian_strategy='forward-mode')",
]


@pytest.mark.parametrize("line", CHECKS)
def test_what_stands_on_forward_mode(line: str) -> None:
    def code(T: Any, x: Any, y: Any) -> Any:
        class Wrong(T.autograd.Function):  # type: ignore[name-defined,misc]
            forward = staticmethod(lambda ctx, a: (ctx.save_for_backward(a), ctx.save_for_forward(a), a * a)[2])
            backward = staticmethod(lambda ctx, g: g * 2 * ctx.saved_tensors[0])
            jvp = staticmethod(lambda ctx, t: t * 3 * ctx.saved_tensors[0])

        def f(a: Any, b: Any) -> Any:
            return a * b, (a**3 * b).sum()

        if "gradcheck" in line:
            x, y = x.clone().requires_grad_(), y.clone().requires_grad_()
        return eval(line, {"T": T, "A": T.autograd, "x": x, "y": y, "f": f, "wrong": Wrong.apply})

    same(code, X, V, grad="functional" in line and "hessian" not in line)
