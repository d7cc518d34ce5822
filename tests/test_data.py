"""Datasets, samplers and the loader, without PyTorch: what a pass gives, what it costs to import, what stays fixed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rushlight as torch
from rushlight.utils import data


@given(st.integers(0, 50), st.integers(1, 12), st.booleans(), st.booleans())
def test_a_pass_gives_every_sample_once(length: int, size: int, drop: bool, shuffle: bool) -> None:
    if not length:
        shuffle = False
    loader = data.DataLoader(torch.arange(length), size, shuffle, drop_last=drop)
    batches = [batch.tolist() for batch in loader]
    assert len(batches) == len(loader) == (length // size if drop else -(-length // size))
    flat = [index for batch in batches for index in batch]
    assert len(set(flat)) == len(flat) == (length - length % size if drop else length)
    assert shuffle or flat == list(range(len(flat)))
    assert all(len(batch) == size for batch in batches[:-1])


def test_the_order_for_a_seed() -> None:
    """As PyTorch gave it."""
    torch.manual_seed(0)
    assert [int(x) for x in data.DataLoader(range(10), shuffle=True)] == [6, 7, 1, 4, 2, 0, 9, 8, 3, 5]
    torch.manual_seed(0)
    assert list(data.RandomSampler(range(5), replacement=True, num_samples=8)) == [1, 0, 4, 3, 4, 0, 2, 3]
    torch.manual_seed(0)
    assert [list(part) for part in data.random_split(range(6), [0.5, 0.5])] == [[2, 5, 3], [0, 1, 4]]


def test_a_given_generator_leaves_the_default_one_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state().tolist()
    generator = torch.Generator().manual_seed(1)
    first = [int(x) for x in data.DataLoader(range(10), shuffle=True, generator=generator)]
    assert torch.get_rng_state().tolist() == before
    generator.manual_seed(1)
    assert [int(x) for x in data.DataLoader(range(10), shuffle=True, generator=generator)] == first
    assert [int(x) for x in data.DataLoader(range(10), shuffle=True, generator=generator)] != first


def test_getitems_is_asked_for_whole_batches() -> None:
    class Together(data.Dataset[int]):
        asked: list[Any] = []  # noqa: RUF012

        def __len__(self) -> int:
            return 5

        def __getitems__(self, indices: list[int]) -> list[int]:
            self.asked.append(indices)
            return [10 * i for i in indices]

    assert [batch.tolist() for batch in data.DataLoader(Together(), 2)] == [[0, 10], [20, 30], [40]]
    assert Together.asked == [[0, 1], [2, 3], [4]]
    assert data.Subset(Together(), [4, 1]).__getitems__([1]) == [10]


def test_collate_keeps_the_kind_of_containers() -> None:
    got = data.default_collate([OrderedDict(a=1), OrderedDict(a=2)])
    assert type(got) is OrderedDict
    first = MappingProxyType({"a": 1})
    assert data.default_collate([first, first])["a"].tolist() == [1, 1]

    class Box(list):  # type: ignore[type-arg]
        note = "kept"

    box = Box([1])
    got = data.default_collate([box, Box([2])])
    assert type(got) is Box
    assert box == [1]


def test_collate_can_be_extended() -> None:
    class Point:
        def __init__(self, x: float) -> None:
            self.x = x

    def join(batch: Any, *, collate_fn_map: Any) -> Any:
        return data.collate.collate([point.x for point in batch], collate_fn_map=collate_fn_map)

    mapping = {**data.collate.default_collate_fn_map, Point: join}
    got = data.collate.collate([{"p": Point(1.0)}, {"p": Point(2.0)}], collate_fn_map=mapping)
    assert got["p"].dtype is torch.float64
    assert got["p"].tolist() == [1, 2]
    with pytest.raises(TypeError, match="Point"):
        data.default_collate([Point(1.0)])


def test_gradients_flow_through_a_batch() -> None:
    rows = torch.ones(4, 2, requires_grad=True)
    for (batch,) in data.DataLoader(data.TensorDataset(rows), 2):
        (batch * batch).sum().backward()
    assert rows.grad.tolist() == [[2.0, 2.0]] * 4


@pytest.mark.parametrize("name", ["dataset", "dataloader", "sampler", "distributed"])
def test_module_paths(name: str) -> None:
    module = importlib.import_module(f"rushlight.utils.data.{name}")
    assert module is getattr(torch.utils.data, name)


def test_subscripts_in_annotations() -> None:
    class Numbers(data.Dataset[tuple[int, float]]):
        pass

    class Words(data.IterableDataset[str]):
        pass

    class Order(data.Sampler[int]):
        pass

    assert data.DataLoader[int]
    for kind, method in ((Numbers, "__getitem__"), (Order, "__iter__")):
        with pytest.raises(NotImplementedError, match=kind.__name__):
            getattr(kind(), method)(*[0] * (method == "__getitem__"))
    with pytest.raises(TypeError):
        Words()  # a stream without __iter__


def test_import_is_light() -> None:
    code = (
        "import sys, rushlight.utils; "
        "bad = {'multiprocessing', 'random', 'socket', 'dataclasses', 'numpy.random'} & set(sys.modules); "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_numpy_arrays_are_read_only_batches_of_their_own() -> None:
    array = np.arange(6.0).reshape(3, 2)
    batch = next(iter(data.DataLoader(array, 3)))
    batch[0, 0] = 9
    assert array[0, 0] == 0
