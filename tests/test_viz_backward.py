"""The backward pass step by step, and what is found in it: NaN, vanishing and exploding gradients, dead units."""

import pytest

import rushlight as torch
from rushlight import nn, viz
from rushlight.viz.values import norm_of
from support.viz_graphs import GPT, unrolled


def kinds(graph: viz.Graph) -> dict[str, list[str]]:
    return {item.name: [mark.kind for mark in item.marks] for item in graph.items if item.marks}


def both(make) -> tuple[list, list]:
    """The gradients of all leaves of ``make()``, by ``backward`` and step by step."""
    found = []
    for stepwise in (False, True):
        loss, leaves = make()
        if stepwise:
            assert list(viz.backward_steps(loss))
        else:
            loss.backward()
        found.append([None if leaf.grad is None else leaf.grad.numpy() for leaf in leaves])
    return found[0], found[1]


def recurrent():
    loss, named = unrolled(5)
    return loss, list(named.values())


def transformer():
    torch.manual_seed(0)
    model = GPT(2)
    words = torch.randint(0, 11, (2, 6))
    return nn.functional.cross_entropy(model(words).reshape(-1, 11), words.reshape(-1)), list(model.parameters())


def hooked():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    x.register_hook(lambda g: g * 2)
    y = x * w
    y.register_hook(lambda g: g + 1)
    y.grad_fn.register_prehook(lambda g: (g[0] * 3,))
    a, b = y.unbind(0)
    return a * b + b + w.double().sum().float(), [x, w]


@pytest.mark.parametrize("make", [recurrent, transformer, hooked])
def test_stepwise_gradients_are_those_of_backward(make) -> None:
    one, other = both(make)
    assert [(grad.dtype, grad.tolist()) for grad in one] == [(grad.dtype, grad.tolist()) for grad in other]


def test_what_each_step_says() -> None:
    x = torch.tensor([3.0, 1.0], requires_grad=True)
    found = list(viz.backward_steps((x * x).sum()))
    assert [str(step) for step in found] == [
        "SumBackward0 takes ‖∂‖ 1 → MulBackward0 1.41",
        "MulBackward0 takes ‖∂‖ 1.41 → leaf 3.16, leaf 3.16",
        "AccumulateGrad takes ‖∂‖ 6.32",
    ]
    assert found[1].gradient.tolist() == [1.0, 1.0]
    assert [gradient.tolist() for _, gradient in found[1].sent] == [[3.0, 1.0], [3.0, 1.0]]
    assert x.grad.tolist() == [6.0, 2.0]


def test_a_loop_left_early_adds_nothing_but_frees() -> None:
    x = torch.tensor([3.0], requires_grad=True)
    loss = x.exp().exp()
    for _ in viz.backward_steps(loss):
        break
    assert x.grad is None
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_retain_graph_and_rehearsal() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    loss = x.exp()
    list(viz.backward_steps(loss, retain_graph=True))
    list(viz.backward_steps(loss, accumulate=False))
    list(viz.backward_steps(loss, torch.tensor([2.0])))
    assert x.grad.tolist() == pytest.approx([3 * 2.718281828])
    with pytest.raises(RuntimeError, match="second time"):
        list(viz.backward_steps(loss))


def test_wrong_arguments_raise_at_once() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="scalar"):
        viz.backward_steps(x.exp())
    with pytest.raises(RuntimeError, match="does not require grad"):
        viz.backward_steps(torch.tensor(1.0))


def test_steps_in_a_graph() -> None:
    x = torch.tensor([3.0], requires_grad=True)
    w = torch.tensor([4.0], requires_grad=True)
    graph = viz.trace((x * w).exp(), {"x": x, "w": w}, backward=True)
    names = {item.id: item.name for item in graph.items}
    found = [
        (names[step.item], step.norm, [(names[sent.target], sent.norm) for sent in step.sent])
        for step in graph.backward
    ]
    e = float(torch.tensor(12.0).exp())
    assert found == [("exp", 1.0, [("mul", e)]), ("mul", e, [("x", 4 * e), ("w", 3 * e)])]
    assert [item.gradient.norm for item in graph.items] == [4 * e, 3 * e, e, 1.0, 1.0]


def test_first_nan_forward() -> None:
    x = torch.tensor([1.0, -1.0], requires_grad=True)
    with viz.record():
        y = (x * 2).sqrt()
        z = (y + 1).sum()
    graph = viz.trace(z, {"x": x}, backward=True)
    found = kinds(graph)
    assert found["sqrt"][0] == "first-nonfinite"
    assert found["add"] == ["nonfinite"]
    assert found["mul"] == ["nonfinite"]  # its gradient
    first = viz.first_nonfinite(graph)
    assert first.name == "sqrt"
    assert first.source.text == "y = (x * 2).sqrt()"
    assert first.marks[0].level == "bad"
    assert "1 NaN of 2" in first.marks[0].text


def test_a_nan_that_came_in() -> None:
    x = torch.tensor([1.0, float("nan")], requires_grad=True)
    with viz.record():
        y = (x * 2).exp()
    graph = viz.trace(y, {"x": x})
    assert viz.first_nonfinite(graph).name == "x"
    assert not [mark for item in graph.items for mark in item.marks if mark.kind == "first-nonfinite"]


def test_infinity_on_purpose_is_no_alarm() -> None:
    x = torch.zeros(2, 2, requires_grad=True)
    hide = torch.tensor([[False, True], [False, False]])
    with viz.record():
        y = nn.functional.softmax(x.masked_fill(hide, float("-inf")), dim=1).sum()
    graph = viz.trace(y, backward=True)
    assert not viz.culprits(graph)
    assert {mark.level for item in graph.items for mark in item.marks} <= {"note"}
    hide = torch.tensor([[True, True], [False, False]])
    with viz.record():
        y = nn.functional.softmax(x.masked_fill(hide, float("-inf")), dim=1).sum()
    assert viz.first_nonfinite(viz.trace(y)).name == "softmax"


def test_first_nan_backward() -> None:
    w = torch.zeros(3, requires_grad=True)
    with viz.record():
        loss = (w * w).sum().sqrt()
    graph = viz.trace(loss, {"w": w}, backward=True)
    assert viz.first_nonfinite(graph).name == "sqrt"
    assert kinds(graph)["w"] == ["nonfinite"]
    assert viz.culprits(graph) == [viz.first_nonfinite(graph)]
    assert viz.first_nonfinite(viz.trace(w.exp())) is None


def test_vanishing_and_exploding() -> None:
    first, second, third = (nn.Parameter(torch.ones(4)) for _ in range(3))
    loss = (first * 1e-9 + second + third * 1.0 + second.detach() * 0).sum() + (second * 5e3).sum()
    graph = viz.trace(loss, {"first": first, "second": second, "third": third}, backward=True)
    assert kinds(graph) == {"first": ["vanishing"], "second": ["exploding"]}
    dead = nn.Parameter(torch.ones(4))
    graph = viz.trace((dead * 0 + second).sum(), {"dead": dead, "second": second}, backward=True)
    assert [mark.text for item in graph.items for mark in item.marks] == ["gradient is zero throughout"]


def test_dead_units() -> None:
    x = torch.tensor([[1.0, -1.0, 1.0], [2.0, -2.0, -1.0]], requires_grad=True)
    (relu,) = [item for item in viz.trace(torch.relu(x)).items if item.name == "relu"]
    assert [(mark.kind, mark.level, mark.text) for mark in relu.marks] == [
        ("dead", "note", "1 of 3 units are zero for the whole batch")
    ]


def test_an_error_in_the_rehearsal_is_shown() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2

    def refuse(g):
        raise ValueError("no")

    y.register_hook(refuse)
    graph = viz.trace(y.sum(), backward=True)
    assert graph.notes == ("the backward pass raises ValueError: no",)
    assert len(graph.backward) == 1


def test_norms() -> None:
    inf, nan = float("inf"), float("nan")
    for numbers, norm, finite in (
        ([3.0, 4.0], 5.0, True), ([], 0.0, True), ([inf, 1.0], inf, False), ([1e-200, 0.0], 1e-200, True),
        ([3e200, 4e200], 5e200, True),
    ):  # fmt: skip
        found = norm_of(torch.tensor(numbers, dtype=torch.float64).numpy())
        assert found == (pytest.approx(norm), finite)
    assert norm_of(torch.tensor([nan, inf]).numpy())[0] != norm_of(torch.tensor([nan]).numpy())[0]  # NaN
