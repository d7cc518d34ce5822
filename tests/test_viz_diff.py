"""The difference of two graphs."""

import rushlight as torch
from rushlight import nn, viz


def test_added_gone_and_reshaped() -> None:
    def step(width: int, extra: bool) -> viz.Graph:
        w, x = torch.ones(width, 3, requires_grad=True), torch.ones(2, 3)
        y = nn.functional.linear(x, w)
        y = y.relu() if extra else y.tanh()
        return viz.trace(y.sum(), {"w": w})

    found = viz.diff(step(4, False), step(5, True))
    assert [(item.name, item.change, item.before) for item in found.items] == [
        ("w", "reshaped", (4, 3)),
        ("input", "", None),
        ("linear", "reshaped", (2, 4)),
        ("tanh", "gone", None),
        ("relu", "added", None),
        ("sum", "", None),
        ("output", "", None),
    ]
    assert viz.changes(found) == "- tanh (2, 4)\n~ w (4, 3) → (5, 3)\n~ linear (2, 4) → (2, 5)\n+ relu (2, 5)"
    changed = {(arrow.source, arrow.target): arrow.change for arrow in found.arrows}
    names = {item.id: item.name for item in found.items}
    assert {(names[a], names[b]): change for (a, b), change in changes_of(changed)} == {
        ("linear", "relu"): "added", ("relu", "sum"): "added", ("linear", "tanh"): "gone", ("tanh", "sum"): "gone",
    }  # fmt: skip
    assert found.notes[-1] == "difference: 1 added, 1 gone, 2 reshaped"
    assert b"</svg>" in found.render()
    assert "+ added" in viz.text(found)
    assert viz.Graph.from_json(found.to_json()) == found


def changes_of(arrows: dict[tuple[str, str], str]) -> list[tuple[tuple[str, str], str]]:
    return [(key, change) for key, change in arrows.items() if change]


def test_the_same() -> None:
    def once() -> viz.Graph:
        x = torch.ones(2, requires_grad=True)
        return viz.trace(x.exp().sum(), {"x": x})

    found = viz.diff(once(), once())
    assert not [item for item in found.items if item.change]
    assert found.notes == ("the graphs are the same",)
    assert viz.changes(found) == ""


def test_rewired() -> None:
    x = torch.ones(2, requires_grad=True)
    a, b = x.exp(), x.sin()
    found = viz.diff(viz.trace([a * 1, b * 1]), viz.trace([a * 1, b * 1]))
    assert found.notes[-1] == "the graphs are the same"
    y = x.exp()
    z = y.sin()
    found = viz.diff(viz.trace(z + y), viz.trace(z + z))
    assert found.notes[-1] == "the items are the same; 1 arrows differ"


def test_a_dynamic_network_with_modules() -> None:
    model = nn.ModuleList(nn.Linear(3, 3) for _ in range(3))

    def step(layers: int) -> viz.Graph:
        with viz.record():
            x = torch.ones(1, 3)
            for layer in model[:layers]:
                x = layer(x)
        return viz.trace(x.sum(), model)

    grown, shrunk = viz.diff(step(2), step(3)), viz.diff(step(3), step(2))
    assert [(item.name, item.change) for item in grown.items if item.change] == [
        ("2.weight", "added"), ("2.bias", "added"), ("linear", "added"),
    ]  # fmt: skip
    assert [item.change for item in shrunk.items if item.change] == ["gone"] * 3
    groups = {group.id for group in shrunk.groups}
    assert all(item.group in groups | {""} for item in shrunk.items)
    assert b"</svg>" in shrunk.render()


def test_long_graphs() -> None:
    def chain(length: int, more: frozenset[int] | set[int] = frozenset()) -> viz.Graph:
        y = torch.ones(1, requires_grad=True)
        for number in range(length):
            y = (y.exp() if number in more else y).sin()
        return viz.trace(y, values=False)

    found = viz.diff(chain(2000), chain(2001))
    assert [item.change for item in found.items if item.change] == ["added"]
    found = viz.diff(chain(600), chain(600, {100, 500}))
    assert [(item.name, item.change) for item in found.items if item.change] == [("exp", "added")] * 2
    assert len(viz.diff(chain(4000), chain(4001)).items) == 3  # folded first
