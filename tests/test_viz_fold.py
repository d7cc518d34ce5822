"""What is folded, and what a folded graph says: siblings, calls, loops; making graphs fit; drawing groups shut."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rushlight as torch
from rushlight import nn, viz
from rushlight.viz.merge import common_name
from rushlight.viz.tandem import runs
from support.viz_graphs import chain, gpt, rnn


@given(st.lists(st.integers(0, 2), max_size=30))
def test_runs_are_what_they_say_and_none_is_missed(codes: list[int]) -> None:
    found = runs(codes, 1)
    for run in found:
        end = run.start + run.length
        assert run.count >= 2
        assert codes[run.start : end - run.period] == codes[run.start + run.period : end]
        assert run.start == 0 or codes[run.start - 1] != codes[run.start - 1 + run.period]
        assert end == len(codes) or codes[end] != codes[end - run.period]
    for start in range(len(codes)):
        for period in range(1, (len(codes) - start) // 2 + 1):
            if codes[start : start + period] == codes[start + period : start + 2 * period]:
                assert any(r.period == period and r.start <= start < r.start + r.length for r in found)
    assert [run.saving for run in found] == sorted((run.saving for run in found), reverse=True)


def test_equal_siblings() -> None:
    graph = gpt(4)
    folded = viz.fold(graph)
    (group,) = [group for group in folded.groups if group.repeat > 1]
    assert (group.name, group.title, group.repeat, group.fold) == ("blocks.*", "Block", 4, "siblings")
    assert folded.totals["steps"] == graph.totals["steps"]
    assert folded.totals["parameters"] == graph.totals["parameters"]
    assert folded.totals["saved_bytes"] == graph.totals["saved_bytes"]
    names = {item.name: item for item in folded.items}
    assert names["blocks.*.attn.qkv.weight"].repeat == 4
    assert names["wte.weight"].uses == 2
    assert any(each.name == "blocks.*.attn.qkv" for each in folded.groups)
    norms = names["blocks.*.ln1.weight"].norms
    by_name = {item.name: item for item in graph.items}
    assert norms == tuple(by_name[f"blocks.{n}.ln1.weight"].gradient.norm for n in range(4))
    assert folded.notes[-1] == "blocks.*: 4 equal siblings are shown once"


def test_one_module_called_again_and_again() -> None:
    layer = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh())
    with viz.record():
        x = torch.ones(2, 3)
        for _ in range(5):
            x = layer(x)
    folded = viz.fold(viz.trace(x.sum(), layer))
    (group,) = [group for group in folded.groups if group.repeat > 1]
    assert (group.title, group.repeat, group.fold) == ("Sequential", 5, "calls")
    assert {(i.name, i.repeat, i.uses) for i in folded.items if i.kind == "parameter"} == {
        ("0.weight", 1, 5), ("0.bias", 1, 5), ("2.weight", 1, 5), ("2.bias", 1, 5),
    }  # fmt: skip
    assert folded.totals["parameters"] == 24


def test_turns_of_a_loop() -> None:
    graph = rnn(400)
    folded = viz.fold(graph)
    (group,) = folded.groups
    assert (group.kind, group.repeat, group.fold) == ("repeat", 400, "loop")
    assert len(folded.items) < 20
    assert folded.totals["steps"] == graph.totals["steps"]
    (carry,) = [arrow for arrow in folded.arrows if arrow.kind == "carry"]
    names = {item.id: item.name for item in folded.items}
    assert (names[carry.source], names[carry.target], carry.repeat) == ("tanh", "mm", 399)
    tanh = next(item for item in folded.items if item.name == "tanh")
    assert len(tanh.norms) == 120
    assert tanh.norms[0] < 1e-6 * tanh.norms[-1]  # the gradient vanishes on its way to the first turn
    assert len(folded.backward) == len([item for item in folded.items if item.kind == "step"])
    assert sum(step.repeat for step in folded.backward) == len(graph.backward)


def test_folds_inside_folds() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x
    for _ in range(4):
        for _ in range(6):
            y = y.sin()
        y = (y * y).exp().tanh()
    folded = viz.fold(viz.trace(y))
    assert sorted(group.repeat for group in folded.groups) == [4, 6]
    assert Counter({item.name: item.repeat for item in folded.items if item.kind == "step"}) == Counter(
        sin=24, mul=4, exp=4, tanh=4
    )


def test_parallel_branches() -> None:
    x = torch.ones(3, requires_grad=True)
    y = torch.stack([(x * n).exp().sin() for n in range(6)])
    folded = viz.fold(viz.trace(y.sum(), {"x": x}))
    assert [(item.name, item.repeat) for item in folded.items if item.kind == "step"] == [
        ("mul", 6), ("exp", 6), ("sin", 6), ("stack", 1), ("sum", 1),
    ]  # fmt: skip
    assert not [arrow for arrow in folded.arrows if arrow.kind == "carry"]
    assert [arrow.repeat for arrow in folded.arrows if arrow.target == folded.items[4].id] == [6]


def test_what_is_read_differently_is_not_folded() -> None:
    x = torch.ones(2, 6, requires_grad=True)
    q, k, v = (part.view(2, 2).t() for part in x.split(2, dim=1))
    graph = viz.trace((q.exp() @ k.t() @ v).sum())
    assert viz.fold(graph, least=2).groups == ()


def test_other_shapes_are_not_folded() -> None:
    model = nn.Sequential(*(nn.Linear(n, n + 1) for n in range(2, 12)))
    with viz.record():
        y = model(torch.ones(1, 2))
    graph = viz.trace(y, model)
    assert viz.fold(graph) == graph


def test_a_frame_is_never_cut() -> None:
    class Part(nn.Module):
        def forward(self, x, more):
            x = x.sin().exp()
            return x.tanh() if more else x

    part = Part()
    y = torch.ones(2, requires_grad=True)
    with viz.record():
        for turn in range(3):
            y = part(y * 2, turn == 2)
    graph = viz.trace(y)
    assert viz.fold(graph, least=3) == graph


def test_marks_survive_a_fold() -> None:
    y = x = torch.ones(1, requires_grad=True)
    with viz.record():
        for turn in range(10):
            y = (y * 1.0).clone() - (0 if turn != 6 else 3)
            y = y.sqrt()
    graph = viz.fold(viz.trace(y, {"x": x}))
    assert any(mark.kind == "first-nonfinite" for item in graph.items for mark in item.marks)


def test_small_graphs_stay_and_large_ones_fit() -> None:
    graph = gpt(3)
    assert viz.fit(graph, 10_000) is graph
    for limit in (100, 60, 20, 8, 3):
        small = viz.fit(graph, limit, limit)
        assert len(small.items) <= limit
        assert len(small.arrows) <= limit
        assert small.notes
        ids = {item.id for item in small.items}
        assert all(arrow.source in ids and arrow.target in ids for arrow in small.arrows)
        groups = {group.id for group in small.groups} | {""}
        assert all(item.group in groups for item in small.items)
    assert "left out" in viz.fit(graph, 3).notes[-1]


def test_groups_drawn_shut() -> None:
    graph = gpt(2)
    for level in (0, 1, 2):
        shut = viz.shut(graph, level)
        assert shut.totals["steps"] == graph.totals["steps"]
        assert shut.totals["saved_bytes"] == graph.totals["saved_bytes"]
        place = {item.id: number for number, item in enumerate(shut.items)}
        assert all(place[arrow.source] < place[arrow.target] for arrow in shut.arrows)
    names = [item.name for item in viz.shut(graph, 1).items]
    assert [name.partition(":")[0] for name in names] == [
        "wte", "wpe", "add", "blocks.0", "blocks.1", "ln", "head", "view", "cross_entropy", "loss",
    ]  # fmt: skip
    folded = viz.shut(viz.fold(chain(50)), 0)
    assert [(item.kind, item.repeat, item.count) for item in folded.items] == [("group", 50, 1), ("output", 1, 1)]


@pytest.mark.parametrize(
    ("names", "common"),
    [
        (["a", "a"], "a"), (["a.0.w", "a.1.w"], "a.*.w"), (["layer1", "layer2"], "layer*"), (["a", "b"], "*"),
        (["a.b", "a"], "*"),
    ],
)  # fmt: skip
def test_common_names(names: list[str], common: str) -> None:
    assert common_name(names) == common
