"""Walks, hooks, modes, Functions and derivatives of functions, under PyTorch and under rushlight."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.oracle import same

X = np.array([0.5, -1.0, 2.0])
Y = np.array([1.5, 0.25, -0.75])


def seen(x: Any) -> Any:
    """Return a gradient as plain numbers, so that hooks can note it."""
    return None if x is None else np.asarray(x.detach().numpy()).round(10).tolist()


def accumulation(T: Any, x: Any, y: Any) -> Any:
    (x * y).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    return x.grad, y.grad, first is x.grad


def roots(T: Any, x: Any, y: Any) -> Any:
    a = x * y
    T.autograd.backward([a.sum(), a, (a * x).sum(), a.sum()], [None, T.ones_like(a), None, None])
    return x.grad, y.grad


def inner_inputs(T: Any, x: Any, y: Any) -> Any:
    a = x * y
    b = (a * a).sum()
    b.backward(inputs=[a, x], retain_graph=True)
    b.backward(inputs=[a])
    return x.grad, y.grad, a.grad


def created(T: Any, x: Any, y: Any) -> Any:
    (x * x * y).sum().backward(create_graph=True)
    (x.grad * x.grad).sum().backward()
    found = x.grad.detach().clone(), y.grad.detach().clone()
    x.grad = y.grad = None
    return found


def shared_gradients(T: Any, x: Any, y: Any) -> Any:
    (x + y).sum().backward()
    x.grad.mul_(3.0)
    return x.grad, y.grad


def unused(T: Any, x: Any, y: Any) -> Any:
    a = T.autograd.grad((x * x).sum(), [x, y], allow_unused=True)
    b = T.autograd.grad((x * x).sum(), [x, y], materialize_grads=True)
    return a[0], a[1], b[0], b[1]


def batched(T: Any, x: Any, y: Any) -> Any:
    return T.autograd.grad(x * y, [x, y], T.eye(3, dtype=T.float64), is_grads_batched=True)


def hook_order(T: Any, x: Any, y: Any) -> Any:
    order: list[Any] = []

    def note(name: str) -> Any:
        return lambda g: order.append((name, seen(g)))

    a = x * 2.0
    b = a * y
    c = b.exp()
    for name, t in (("x", x), ("y", y), ("a", a), ("b", b), ("c", c)):
        t.register_hook(note(name))
    a.register_hook(lambda g: g * 10.0)
    a.register_hook(note("a again"))
    b.retain_grad()
    b.register_hook(lambda g: g + 1.0)
    b.grad_fn.register_prehook(lambda gs: order.append(("before b", seen(gs[0]))))
    b.grad_fn.register_hook(lambda ins, outs: order.append(("after b", [seen(g) for g in ins], seen(outs[0]))))
    x.register_post_accumulate_grad_hook(lambda p: order.append(("x done", seen(p.grad))))
    y.register_post_accumulate_grad_hook(lambda p: order.append(("y done", seen(p.grad))))
    (c.sum() + b.sum()).backward()
    return str(order), b.grad, x.grad, y.grad


def hooks_and_grad(T: Any, x: Any, y: Any) -> Any:
    order: list[str] = []
    a = x * 2.0
    b = a * y
    a.register_hook(lambda g: (order.append("a"), g * 10.0)[1])
    a.grad_fn.register_prehook(lambda gs: order.append("before a"))
    x.register_hook(lambda g: order.append("x"))
    y.register_hook(lambda g: order.append("y"))
    (da,) = T.autograd.grad(b.sum(), [a])
    return da, str(order)


def retained_through_writes(T: Any, x: Any, y: Any) -> Any:
    a = x * 2.0
    a.retain_grad()
    noted: list[Any] = []
    a.register_hook(lambda g: noted.append(seen(g)))
    a.mul_(y)
    a.register_hook(lambda g: noted.append(seen(g)))
    a.sum().backward()
    return a.grad, str(noted), x.grad


def names(T: Any, x: Any, y: Any) -> Any:
    found = []
    stack = [((x * y).exp() + x.sum()).grad_fn]
    while stack:
        node = stack.pop()
        found.append(node.name())
        stack += [each for each, _ in node.next_functions if each is not None]
    return found


def saved_names(T: Any, x: Any, y: Any) -> Any:
    nodes = [t.grad_fn for t in (x * y, x / y, x.exp(), x.tanh(), x.sum(), x + y)]
    wanted = {"_saved_self", "_saved_other", "_saved_result"}
    return (
        [sorted(wanted & set(dir(node))) for node in nodes],
        x.exp().grad_fn._saved_result,
        (x * y).grad_fn._saved_other,
    )


def packed(T: Any, x: Any, y: Any) -> Any:
    calls: list[str] = []

    def pack(t: Any) -> Any:
        calls.append(f"pack {seen(t)}")
        return t.numpy().copy()

    def unpack(a: Any) -> Any:
        calls.append(f"unpack {a.round(10).tolist()}")
        return T.from_numpy(a)

    with T.autograd.graph.saved_tensors_hooks(pack, unpack):
        z = (x * y).exp()
    (z * z).sum().backward()
    return str(sorted(calls)), x.grad, y.grad


PROGRAMS = [
    accumulation, roots, inner_inputs, created, shared_gradients, unused, batched, hook_order, hooks_and_grad,
    retained_through_writes, names, saved_names, packed,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(program: Any) -> None:
    def code(T: Any, x: Any, y: Any) -> Any:
        return program(T, x.requires_grad_(), y.requires_grad_())

    same(code, X, Y, grad=False)


ERRORS = {
    "vector root": lambda T, x, y: x.backward(),
    "constant root": lambda T, x, y: T.tensor([1.0]).sum().backward(),
    "integer root": lambda T, x, y: T.tensor(1).backward(),
    "wrong seed": lambda T, x, y: (x * y).backward(T.ones(2, dtype=T.float64)),
    "seed is no tensor": lambda T, x, y: (x * y).backward(1.0),
    "no roots": lambda T, x, y: T.autograd.backward([]),
    "no inputs": lambda T, x, y: x.sum().backward(inputs=[]),
    "unused": lambda T, x, y: T.autograd.grad(x.sum(), [y]),
    "unused and materialize": lambda T, x, y: T.autograd.grad(x.sum(), [y], allow_unused=False, materialize_grads=True),
    "input without grad": lambda T, x, y: T.autograd.grad(x.sum(), [x.detach()]),
    "freed": lambda T, x, y: [z.backward() for z in [(x * y).sum()] * 2],
    "not freed": lambda T, x, y: [z.backward() for z in [(x + y).sum()] * 2],
    "hook changes the size": lambda T, x, y: (x.register_hook(lambda g: g[:1]), x.sum().backward()),
    "hook gives a number": lambda T, x, y: (x.register_hook(lambda g: 1.0), x.sum().backward()),
    "hook without grad": lambda T, x, y: x.detach().register_hook(lambda g: g),
    "retain without grad": lambda T, x, y: x.detach().retain_grad(),
    "post hook inside": lambda T, x, y: (x * y).register_post_accumulate_grad_hook(lambda p: None),
    "integer leaf": lambda T, x, y: T.tensor([1]).requires_grad_(),
    "inner requires_grad_": lambda T, x, y: (x * y).requires_grad_(False),
    "grad of another shape": lambda T, x, y: setattr(x, "grad", T.ones(2, dtype=T.float64)),
    "grad of another dtype": lambda T, x, y: setattr(x, "grad", T.ones(3, dtype=T.float32)),
    "grad is no tensor": lambda T, x, y: setattr(x, "grad", 1.0),
    "numpy": lambda T, x, y: x.numpy(),
    "edge": lambda T, x, y: T.autograd.graph.get_gradient_edge(x.detach()),
    "unpack": lambda T, x, y: _bad_unpack(T, x),
}


def _bad_unpack(T: Any, x: Any) -> None:
    with T.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 1.0):
        z = x.exp().sum()
    z.backward()


@pytest.mark.parametrize("program", ERRORS.values(), ids=ERRORS.keys())
def test_errors(program: Any) -> None:
    def code(T: Any, x: Any, y: Any) -> Any:
        program(T, x.requires_grad_(), y.requires_grad_())

    same(code, X, Y, grad=False)


# ------------------------------------------------------------------ Functions


def function_of(T: Any, kind: str) -> Any:
    class F(T.autograd.Function):  # type: ignore[name-defined,misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any = None, k: float = 2.0) -> Any:
            ctx.k, ctx.asked = k, ctx.needs_input_grad
            ctx.save_for_backward(x, y)
            if kind == "dirty":
                ctx.mark_dirty(x)
                return x.mul_(k)
            if kind == "as is":
                return x
            if kind == "view":
                return x[:1]
            if kind == "two":
                return x * k, x.detach() > 0, x.exp()
            return x * k

        @staticmethod
        def backward(ctx: Any, *g: Any) -> Any:
            x = ctx.saved_tensors[0]
            if kind == "view":
                return T.cat([g[0], T.zeros(2, dtype=T.float64)]) * ctx.k, None, None
            if kind == "two":
                assert not g[1].any()
                return g[0] * ctx.k + g[2] * x.exp(), None, None
            results = {
                "few": g[0], "many": (g[0],) * 4, "not none": (g[0], None, g[0]), "number": (1.0, None, None),
                "shape": (g[0][:2], None, None), "none": (None, None, None), "dirty": (g[0] * ctx.k, None, None),
            }  # fmt: skip
            return results.get(kind, (g[0] * x * ctx.k, None, None))

    return F.apply


def plain(T: Any, F: Any, x: Any, y: Any) -> Any:
    z = F(x, y)
    return z, z.grad_fn.name(), z.grad_fn.k, z.grad_fn.needs_input_grad, z.is_leaf


USES = {
    "plain": plain,
    "keywords": lambda T, F, x, y: (F(x, None, k=5.0), F(x, None, k=5.0).grad_fn.asked, F(k=2.0, y=y, x=x)),
    "under no_grad": lambda T, F, x, y: _off(T, F, x),
    "constant": lambda T, F, x, y: (F(x.detach()).requires_grad, F(x.detach()) is x),
    "in place": lambda T, F, x, y: F(x * 1.0),
    "in place on a view": lambda T, F, x, y: _on_view(F, x * 1.0),
    "in place on a leaf": lambda T, F, x, y: F(x),
    "then written": lambda T, F, x, y: F(x * 1.0).mul_(2.0),
    "input written": lambda T, F, x, y: _written(F, x * 1.0),
}
KINDS = ["plain", "dirty", "as is", "view", "two", "few", "many", "not none", "number", "shape", "none"]


def _off(T: Any, F: Any, x: Any) -> Any:
    with T.no_grad():
        z = F(x * 1.0)
    return [each.requires_grad for each in (z if isinstance(z, tuple) else (z,))]


def _on_view(F: Any, base: Any) -> Any:
    z = F(base[:])
    return z, base * 1.0


def _written(F: Any, x: Any) -> Any:
    z = F(x)
    x.add_(1.0)
    return (z[0] if isinstance(z, tuple) else z) * 1.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_functions(kind: str, use: Any) -> None:
    if kind == "two" and use in {USES["plain"], USES["keywords"], USES["then written"], USES["constant"]}:
        pytest.skip("several outputs")

    def code(T: Any, x: Any, y: Any) -> Any:
        out = use(T, function_of(T, kind), x, y)
        return [*out] if isinstance(out, tuple) else out

    same(code, X, Y)


# ------------------------------------------------------------------ derivatives of functions

POINTS = {
    "one": (lambda x: x * x * x, (X,), Y),
    "several": (lambda x, y: (x * y, (x * x * y).sum()), (X, Y), (Y, X)),
    "tuple of one": (lambda x: (x * 2.0,), (X,), Y),
    "unused": (lambda x, y: x * x, (X, Y), (Y, X)),
    "scalar": (lambda x, y: (x * x * y).sum(), (X, Y), (Y, X)),
    "linear": (lambda x: x.sum(), (X,), Y),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", ["jacobian", "hessian", "jvp", "vhp", "hvp"])
@pytest.mark.parametrize("point", POINTS)
def test_functional(point: str, name: str, strict: bool, create_graph: bool) -> None:
    function, values, vector = POINTS[point]

    def code(T: Any) -> Any:
        def tensors(arrays: Any) -> Any:
            made = tuple(T.from_numpy(a.copy()) for a in arrays)
            return made if len(made) > 1 else made[0]

        call = getattr(T.autograd.functional, name)
        extra = (
            () if name in {"jacobian", "hessian"} else (tensors(vector if isinstance(vector, tuple) else (vector,)),)
        )
        return call(function, tensors(values), *extra, create_graph=create_graph, strict=strict)

    same(code, grad=False)
