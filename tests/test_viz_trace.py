"""Graphs as plain data: what ``trace`` reads from the record."""

import numpy as np
import pytest

import rushlight as torch
from rushlight import nn, viz
from rushlight.viz.facts import said
from rushlight.viz.model import Arrow, Item, Saved, Stats
from support.viz_graphs import convnet, leaf, unrolled


def named(graph: viz.Graph, name: str) -> Item:
    (found,) = [item for item in graph.items if item.name == name]
    return found


def test_graph_of_a_small_program() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = (x * w).exp()
    mul = (
        Saved("other", (2,), "float32", 8, 0, "input", "s1"),
        Saved("self", (2,), "float32", 8, 0, "input", "s0"),
    )
    result = (Saved("result", (2,), "float32", 8, 8, "result"),)
    leaves = {"shape": (2,), "dtype": "float32", "bytes": 8}
    graph = viz.trace(y, {"x": x, "w": w}, values=False)
    assert graph == viz.Graph(
        (
            Item("n0", "leaf", "x", shared="s0", **leaves),
            Item("n1", "leaf", "w", shared="s1", **leaves),
            Item("n2", "step", "mul", op="MulBackward0", frees=True, saved=mul, **leaves),
            Item("n3", "step", "exp", op="ExpBackward0", order=1, frees=True, saved=result, held=8, **leaves),
            Item("n4", "output", "output", **leaves),
        ),
        (
            Arrow("n0", "n2", "data", 0, 0, (2,), "float32"),
            Arrow("n1", "n2", "data", 1, 0, (2,), "float32"),
            Arrow("n2", "n3", "data", 0, 0, (2,), "float32"),
            Arrow("n3", "n4", "data", 0, 0, (2,), "float32"),
        ),
        title="graph",
    )


def test_arguments_are_told_without_addresses() -> None:
    x = torch.ones(4, 6, requires_grad=True) * 2
    x[1:3].mul_(3)
    x[0] = 0.5
    assert "at 0x" not in viz.trace(x.sum(), backward=True).to_json()
    assert said([(len, slice(1, 2)), (3,), np.float32(2.5), "a", object()]) == (
        "[(len, slice(1, 2, None)), (3,), 2.5, 'a', <object object>]"
    )


def test_same_program_same_graph() -> None:
    def once() -> viz.Graph:
        loss, names = unrolled(3)
        return viz.trace({"loss": loss, "more": loss * 2}, names, backward=True)

    one, other = once(), once()
    for graph in (one, other):
        assert all(step.seconds > 0 for step in graph.backward)
    assert [item.id for item in one.items] == [item.id for item in other.items]
    assert viz.dot.source(one) == viz.dot.source(other)
    assert viz.text(one, color=False) == viz.text(other, color=False)


def test_a_shared_leaf_is_drawn_at_each_use() -> None:
    x = leaf(1.0)
    graph = viz.trace(x * x + x, [("x", x)])
    leaves = [item for item in graph.items if item.kind == "leaf"]
    assert [item.name for item in leaves] == ["x"] * 3
    assert {(item.shared, item.uses) for item in leaves} == {("s0", 3)}


def test_tied_parameters_count_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.two(self.one(x))

    model = Tied()
    graph = viz.trace(model(torch.ones(1, 3)), model)
    assert graph.totals["parameters"] == 9
    assert [(i.name, i.uses) for i in graph.items if i.kind == "parameter"] == [("one.weight", 2)] * 2


def test_a_step_read_twice_is_drawn_once() -> None:
    y = leaf(1.0).exp()
    graph = viz.trace(y * y)
    assert [item.name for item in graph.items if item.kind == "step"] == ["exp", "mul"]
    assert len(graph.arrows) == 4


def test_deep_graphs() -> None:
    y = leaf(1.0)
    for _ in range(100_000):
        y = y.exp()
    graph = viz.trace(y)
    assert len(graph.items) == 100_002
    assert len(viz.fold(graph).items) == 3


def test_many_outputs_and_none() -> None:
    x = leaf(1.0)
    graph = viz.trace({"a": [x.exp(), None], "b": (x.tanh(),), "c": torch.tensor([1.0]), "d": x})
    assert [item.name for item in graph.items if item.kind == "output"] == ["a.0", "b.0", "c", "d"]
    assert graph.notes == ("c does not require grad: nothing was recorded",)
    for wrong in (3, [3], "text"):
        with pytest.raises(TypeError):
            viz.trace(wrong)
    with pytest.raises(TypeError, match="'x' is int"):
        viz.trace(x, {"x": 3})
    with pytest.raises(ValueError, match="only"):
        viz.trace(x, only="no")


def test_degenerate_graphs() -> None:
    assert viz.trace([]) == viz.Graph(title="graph")
    alone = viz.trace(torch.ones(2))
    assert [item.kind for item in alone.items] == ["output"]
    x = leaf(1.0)
    assert [item.kind for item in viz.trace(x, {"x": x}).items] == ["leaf", "output"]
    with torch.inference_mode():
        assert len(viz.trace(torch.ones(2)).items) == 1


def test_names_come_from_modules_and_variables() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    x = torch.ones(4, 2)
    loss = model(x).sum()
    graph = viz.trace(loss, model, names=locals())
    assert [item.name for item in graph.items if item.kind != "step"] == [
        "0.weight", "0.bias", "x", "1.weight", "1.bias", "loss",
    ]  # fmt: skip
    assert graph.title == "loss"
    again = viz.trace(model(x), model.named_parameters(), only="grad")
    assert "constant" not in {item.kind for item in again.items}
    assert "0.weight" in {item.name for item in again.items}


def test_variables_and_kept_gradients() -> None:
    x = leaf(1.0, 2.0)
    hidden = x.exp()
    hidden.retain_grad()
    loss = (hidden * 3).sum()
    loss.backward()
    graph = viz.trace(loss, names=locals())
    assert named(graph, "exp").attributes == (("variable", "hidden"),)
    assert named(graph, "exp").gradient.values == (3.0, 3.0)
    assert "= hidden" in viz.text(graph)
    assert "= hidden" in viz.dot.source(graph)


def test_statistics_of_values_and_gradients() -> None:
    x = leaf(3.0, 0.0, 4.0)
    (x * 2).sum().backward()
    item = viz.trace(x, {"x": x}).items[0]
    assert item.value == Stats(3, 0, 0, 0.0, 4.0, 7 / 3, pytest.approx(1.699673171), 5.0, 1 / 3, values=(3.0, 0.0, 4.0))
    assert item.gradient is not None
    assert item.gradient.values == (2.0, 2.0, 2.0)
    many = torch.linspace(0, 1, 240).requires_grad_()
    value = viz.trace(many).items[0].value
    assert value is not None
    assert value.bins == (10,) * 24
    assert not value.values


def test_saved_values_their_bytes_and_what_is_left_after_backward() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    z = y * y
    before = viz.trace(z)
    assert [(s.name, s.of, s.owner, s.adds) for s in named(before, "exp").saved] == [("result", "result", "", 8)]
    assert [(s.name, s.of, s.owner, s.adds) for s in named(before, "mul").saved] == [
        ("other", "input", "n1", 0), ("self", "input", "n1", 0),
    ]  # fmt: skip
    assert before.totals["saved_bytes"] == 8
    z.backward(torch.tensor([1.0, 1.0]))
    after = viz.trace(z, backward=True)
    assert [(named(after, n).freed, named(after, n).saved) for n in ("exp", "mul")] == [(True, ())] * 2
    assert "freed" in after.notes[-1]
    assert [item.name for item in after.items] == [item.name for item in before.items]


def test_inputs_without_gradient_and_other_arguments() -> None:
    x, w = torch.ones(2, 3), torch.ones(3, requires_grad=True)
    graph = viz.trace((x * w * 2.5).sum(dim=1), {"w": w}, names={"x": x})
    assert [(i.name, i.kind) for i in graph.items if i.kind in {"leaf", "constant"}] == [
        ("w", "leaf"),
        ("x", "constant"),
    ]
    assert ("axes", "(1,)") in named(graph, "sum").attributes
    assert "2.5" in dict([i for i in graph.items if i.name == "mul"][1].attributes).values()


def test_long_attributes_are_cut() -> None:
    y = torch.tensor([[1.0] * 3] * 4, requires_grad=True)[1:2, 0:3:2]
    attributes = viz.trace(y, max_attr_chars=12).items[1].attributes
    assert attributes
    assert all(len(text) <= 12 for _, text in attributes)


def test_views_and_writes_without_a_recorder() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 2
    y[0].mul_(3)
    graph = viz.trace(y.t())
    names = {item.id: item.name for item in graph.items}
    found = [(names[arrow.source], names[arrow.target], arrow.kind) for arrow in graph.arrows]
    assert ("write", "t", "view") in found
    assert [one for one in found if one[1] == "write"] == [("mul", "write", "inplace"), ("mul", "write", "data")]


def test_a_changed_value_names_the_op_that_changed_it() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    z = y * 2
    y.add_(1)
    graph = viz.trace(z, backward=True)
    (mark,) = named(graph, "exp").marks
    assert (mark.kind, mark.level) == ("stale", "bad")
    assert "add_ wrote it" in mark.text
    assert viz.culprits(graph) == [named(graph, "exp")]
    assert "modified by an inplace operation" in graph.notes[-1]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_hooks_are_counted() -> None:
    x = leaf(1.0)
    x.register_hook(lambda g: g)
    y = x.exp()
    y.grad_fn.register_hook(lambda a, b: None)
    y.register_hook(lambda g: g)
    graph = viz.trace(y)
    assert [item.hooks for item in graph.items] == [1, 2, 0]
    assert named(graph, "exp").marks[0].text == "2 hooks"


def test_saved_tensors_of_functions_and_packed_ones() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * g * x

    x = leaf(3.0, 4.0)
    step = named(viz.trace(Square.apply(x), backward=True), "Square")
    assert [(one.of, one.bytes) for one in step.saved] == [("input", 8)]
    assert step.gradient is not None
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x.exp()
    assert named(viz.trace(y, backward=True), "exp").saved[0].of == "packed"


def test_several_results() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    a, b = x.unbind(0)
    graph = viz.trace([b, a], backward=True)
    step = named(graph, "unbind")
    assert (step.shape, step.view) == (None, True)
    assert [(arrow.output, arrow.shape) for arrow in graph.arrows if arrow.source == step.id] == [(1, (3,)), (0, (3,))]
    assert step.gradient is not None
    assert step.gradient.count == 6


def test_json_and_back() -> None:
    x = torch.tensor([1.0, float("nan"), float("inf")], requires_grad=True)
    for graph in (convnet(), viz.trace((x * x).sum(), {'"x"\n<é>': x}, backward=True), viz.Graph()):
        again = viz.Graph.from_json(graph.to_json())
        assert repr(again.items) == repr(graph.items)  # NaN is not equal to itself
        assert (again.arrows, again.groups, again.notes) == (graph.arrows, graph.groups, graph.notes)
        assert again.to_json() == graph.to_json()
    data = viz.Graph().to_dict()
    with pytest.raises(ValueError, match="version"):
        viz.Graph.from_dict(data | {"version": 99})
    with pytest.raises(ValueError, match="'colour'"):
        viz.Graph.from_dict(data | {"items": [{"id": "n0", "kind": "step", "name": "", "colour": 1}]})


def test_tracing_leaves_everything_as_it_was() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.retain_grad()
    loss = y.sum()
    for _ in range(2):
        viz.trace(loss, backward=True)
    assert x.grad is None
    assert y.grad is None
    loss.backward()
    assert torch.equal(x.grad, y.detach())
