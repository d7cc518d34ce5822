"""``torch.autograd.graph``: hooks on several tensors, and gradients that enter or leave at an edge."""

from __future__ import annotations

from typing import Any

import pytest

from support.oracle import same


def net(T: Any) -> tuple[Any, ...]:
    a = T.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    b = T.tensor([[2.0, 1.0], [-1.0, 0.25]], requires_grad=True)
    return a, b, a * b, (a - b).exp()


def edge_of(T: Any, x: Any) -> Any:
    return T.autograd.graph.get_gradient_edge(x)


@pytest.mark.parametrize("mode", ["all", "any"])
@pytest.mark.parametrize("walk", ["one", "both", "inputs", "grad", "twice", "nested", "removed"])
def test_multi_grad_hook(mode: str, walk: str) -> None:
    def code(T: Any) -> Any:
        a, b, c, d = net(T)
        calls: list[Any] = []

        def fn(got: Any) -> None:
            calls.append(len(calls))
            calls.append([None if g is None else g.clone() for g in got] if mode == "all" else got.clone())
            if walk == "nested" and len(calls) < 4:
                d.sum().backward(retain_graph=True)

        handle = T.autograd.graph.register_multi_grad_hook((a, c, b, d, a), fn, mode=mode)
        if walk == "removed":
            handle.remove()
        loss = c.sum() if walk in {"one", "twice", "nested"} else (c * d).sum()
        if walk == "grad":
            calls.append(T.autograd.grad(loss, [c], create_graph=True))
        else:
            inputs = (b,) if walk == "inputs" else None
            loss.backward(retain_graph=True, inputs=inputs)
        if walk == "twice":
            d.sum().backward(retain_graph=True)
            loss.backward()
        return calls

    same(code, grad=False)


@pytest.mark.parametrize(
    "use",
    [
        lambda T, fn, a: T.autograd.graph.register_multi_grad_hook((a,), fn, mode="some"),
        lambda T, fn, a: T.autograd.graph.get_gradient_edge(T.ones(2)),
        lambda T, fn, a: T.autograd.grad((a * a).sum(), [3]),
        lambda T, fn, a: T.autograd.grad(a.sum(), edge_of(T, a * 2), materialize_grads=True),
    ],
)
def test_errors(use: Any) -> None:
    same(lambda T: use(T, print, T.ones(2, requires_grad=True)), grad=False)


def test_edges_as_inputs_and_outputs() -> None:
    def code(T: Any) -> Any:
        a, b, c, d = net(T)
        edge = T.autograd.graph.get_gradient_edge
        p, q = (a * 2).chunk(2)
        z = (p * q * q).sum() + (c * d).sum()
        found = [*T.autograd.grad(z, [edge(p), edge(q), edge(a), edge(c)], retain_graph=True, create_graph=True)]
        found += T.autograd.grad(edge(c), [a, edge(b)], T.full((2, 2), 3.0), retain_graph=True)
        T.autograd.backward(edge(z), retain_graph=True)
        T.autograd.backward([edge(c), d], [T.ones(2, 2), T.ones(2, 2)], inputs=[edge(a)], retain_graph=True)
        unused = T.autograd.grad(c.sum(), [edge(d)], allow_unused=True)
        return [*found, a.grad, b.grad, *unused, edge(q).output_nr, edge(z).output_nr]

    same(code, grad=False)


def test_edge_of_no_scalar_needs_a_gradient() -> None:
    same(lambda T: T.autograd.backward(T.autograd.graph.get_gradient_edge(net(T)[2])), grad=False)
