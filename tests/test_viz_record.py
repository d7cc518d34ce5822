"""What a recorder notes: modules, lines, writes, values, the graph of a gradient, and how far a failed pass came."""

import gc
import subprocess
import sys
import weakref

import pytest

import rushlight as torch
from rushlight import nn, viz

THIS = "test_viz_record.py"


def steps(graph: viz.Graph) -> list[viz.Item]:
    return [item for item in graph.items if item.kind == "step"]


def step(graph: viz.Graph, name: str) -> viz.Item:
    (found,) = [item for item in steps(graph) if item.name == name]
    return found


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        return self.fc(x).tanh()


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = Inner(), Inner()

    def forward(self, x):
        return self.b(self.a(self.a(x)) * 2)


def test_modules_by_the_call_stack() -> None:
    model = Outer()
    with viz.record():
        y = model(torch.ones(2, 3)).exp()
    graph = viz.trace(y)  # no module given: names come from what was noted
    groups = {group.id: group for group in graph.groups}
    found = []
    for item in steps(graph):
        path, group = [], groups.get(item.group)
        while group is not None:
            path.insert(0, f"{group.name or group.title}/{group.call}")
            group = groups.get(group.parent)
        found.append((item.name, *path))
    assert found == [
        ("linear", "Outer/1", "a/1", "a.fc/1"),
        ("tanh", "Outer/1", "a/1"),
        ("linear", "Outer/1", "a/2", "a.fc/2"),
        ("tanh", "Outer/1", "a/2"),
        ("mul", "Outer/1"),
        ("linear", "Outer/1", "b/1", "b.fc/1"),
        ("tanh", "Outer/1", "b/1"),
        ("exp",),
    ]
    assert {item.name for item in graph.items if item.kind == "parameter"} == {
        "a.fc.weight", "a.fc.bias", "b.fc.weight", "b.fc.bias",
    }  # fmt: skip


def test_modules_with_hooks_and_nested_recorders() -> None:
    model = Inner()
    model.register_forward_hook(lambda module, args, out: out * 2)
    with viz.record(), viz.record():
        y = model(torch.ones(1, 3))
    graph = viz.trace(y, model)
    assert [(item.name, item.group) for item in steps(graph)] == [("linear", "g1"), ("tanh", "g0"), ("mul", "g0")]


def test_lines_of_the_program() -> None:
    x = torch.ones(2, requires_grad=True)
    with viz.record():
        y = x.exp()
        z = nn.functional.softmax(y, dim=0)
    found = [item.source for item in steps(viz.trace(z.sum()))]
    assert [(source.file.rpartition("/")[2], source.text) if source else None for source in found] == [
        (THIS, "y = x.exp()"),
        (THIS, "z = nn.functional.softmax(y, dim=0)"),
        None,
    ]
    assert found[0].function == "test_lines_of_the_program"
    assert found[1].line == found[0].line + 1


def test_writes_in_place_and_their_versions() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    with viz.record():
        y = x * 2
        y.relu_()
        y[0].mul_(3)
        y += 1
    graph = viz.trace(y)
    assert [(item.name, item.write) for item in steps(graph)] == [
        ("mul", None), ("relu_", (0, 1)), ("select", None), ("mul", None), ("mul_", (1, 2)), ("add_", (2, 3)),
    ]  # fmt: skip
    names = {item.id: item.name for item in graph.items}
    assert [(names[a.source], names[a.target]) for a in graph.arrows if a.kind == "inplace"] == [
        ("mul", "relu_"), ("relu_", "mul_"), ("mul_", "add_"),
    ]  # fmt: skip
    assert graph.items[-1].write == (0, 3)


def test_a_view_that_looks_again_did_not_write() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    with viz.record():
        y = x * 2
        row = y[0]
        row.mul_(3)
        z = row.exp()
    graph = viz.trace(z)
    assert [(item.name, item.write, item.view) for item in steps(graph)] == [
        ("mul", None, False), ("select", None, True), ("mul", None, False), ("mul_", (0, 1), False),
        ("select", None, True), ("exp", None, False),
    ]  # fmt: skip


def test_values_are_noted_or_not() -> None:
    x = torch.ones(2, requires_grad=True)
    with viz.record():
        y = x * 3
    with viz.record(values=False):
        z = x * 3
    assert step(viz.trace(y), "mul").value.values == (3.0, 3.0)
    assert step(viz.trace(z), "mul").value is None
    assert step(viz.trace(z), "mul").forward > 0


def test_the_graph_of_a_gradient_is_tied_to_the_forward_one() -> None:
    x = torch.tensor([0.5], requires_grad=True)
    with viz.record():
        y = x.sin().exp()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        penalty = g * g
    graph = viz.trace([y, penalty], {"x": x})
    (group,) = graph.groups
    assert group.kind == "gradient"
    inside = {item.id: item.name for item in graph.items if item.group == group.id and item.kind == "step"}
    assert list(inside.values()) == ["mul", "cos", "mul"]
    names = {item.id: item.name for item in graph.items}
    assert [(names[a.source], names[a.target]) for a in graph.arrows if a.kind == "gradient"] == [
        ("exp", "mul"), ("sin", "cos"), ("sin", "mul"),
    ]  # fmt: skip


def test_how_far_a_failed_pass_came() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 1))
    recorder = viz.record()
    with pytest.raises(RuntimeError, match="shapes") as caught, recorder:
        model(torch.ones(2, 3))
    assert "graph()" in caught.value.__notes__[0]
    graph = recorder.graph(model)
    assert [item.name for item in steps(graph)] == ["linear", "relu"]
    (error,) = [item for item in graph.items if item.kind == "error"]
    assert error.name == "RuntimeError"
    assert error.source.text == "model(torch.ones(2, 3))"
    names = {item.id: item.name for item in graph.items}
    assert {names[a.source] for a in graph.arrows if a.target == error.id} == {"relu", "2.weight", "2.bias"}
    assert "shapes" in graph.notes[-1]
    assert not [item for item in graph.items if item.kind == "output"]


def test_a_pass_that_fails_at_once() -> None:
    recorder = viz.record()
    with pytest.raises(ZeroDivisionError), recorder:
        1 / 0  # noqa: B018
    assert [item.kind for item in recorder.graph().items] == ["error"]


def test_graph_of_what_was_recorded() -> None:
    x = torch.ones(2, requires_grad=True)
    with viz.record() as recorder:
        y = x.exp()
        a, b = y.sum(), y.prod()
    assert [item.name for item in steps(recorder.graph())] == ["exp", "sum", "prod"]
    del a, b
    assert [item.name for item in steps(recorder.graph())] == ["exp"]


def test_a_recorder_keeps_nothing_alive() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    model = Inner()
    gc.disable()
    try:
        with viz.record() as recorder:
            y = model(x)
        node = weakref.ref(y.grad_fn)
        known = weakref.ref(model)
        del y
        assert node() is None
        del model
        assert known() is None
    finally:
        gc.enable()
    assert recorder.failure is None


def test_nothing_is_noted_outside() -> None:
    x = torch.ones(2, requires_grad=True)
    with viz.record():
        pass
    assert not x.exp().grad_fn.metadata
    code = "import sys, rushlight; assert not [m for m in sys.modules if 'graphviz' in m or 'rushlight.viz' in m]"
    subprocess.run([sys.executable, "-c", code], check=True)
