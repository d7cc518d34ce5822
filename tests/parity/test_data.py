"""Datasets, samplers and loaders against PyTorch: the same batches, the same random state, the same errors."""

from __future__ import annotations

import collections
import itertools
import random
import warnings
from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES, close, describe, same


def tagged(value: Any) -> Any:
    """Return batches as nested lists that begin with the type of each container."""
    if isinstance(value, dict):
        return [type(value).__name__, [[key, tagged(one)] for key, one in value.items()]]
    if isinstance(value, tuple | list):
        return [type(value).__name__, [tagged(one) for one in value]]
    return value


def plain(value: Any) -> Any:
    """Return batches as plain data."""
    return describe(tagged(value))


def epochs(T: Any, passes: int = 2, given: bool = False, **options: Any) -> Any:
    """Return all batches, and the states of the default and the given generator afterwards."""
    T.manual_seed(7)
    generator = T.Generator().manual_seed(11) if given else None
    data = T.utils.data.TensorDataset(T.arange(46.0).reshape(23, 2), T.arange(23))
    options = {name: option(T, data) if callable(option) else option for name, option in options.items()}
    loader = T.utils.data.DataLoader(data, generator=generator, **options)
    seen = [plain(list(loader)) for _ in range(passes)]
    states = [T.get_rng_state().numpy().tobytes(), generator.get_state().numpy().tobytes() if given else b""]
    return seen, len(loader), states


LOADERS: list[dict[str, Any]] = [
    {},
    {"batch_size": 4},
    {"batch_size": 4, "drop_last": True},
    {"batch_size": 4, "shuffle": True},
    {"batch_size": 23, "shuffle": True},
    {"batch_size": 40, "shuffle": True},
    {"batch_size": 40, "drop_last": True},
    {"batch_size": None},
    {"batch_size": None, "shuffle": True},
    {"batch_size": 5, "sampler": lambda T, data: T.utils.data.RandomSampler(data, replacement=True, num_samples=70)},
    {"batch_size": 5, "sampler": lambda T, data: T.utils.data.RandomSampler(data, num_samples=50)},
    {"batch_size": 5, "sampler": lambda T, data: T.utils.data.SubsetRandomSampler(range(3, 20, 2))},
    {"batch_size": 5, "sampler": lambda T, data: T.utils.data.WeightedRandomSampler([0.1, 3, 0, 1], 12)},
    {"batch_size": 2, "sampler": lambda T, data: T.utils.data.WeightedRandomSampler([0.1, 3, 2, 1], 4, False)},
    {"batch_size": 5, "sampler": [3, 1, 4, 1, 5]},
    {"batch_sampler": [[1, 2], [3], [4, 5, 6]]},
    {"batch_sampler": lambda T, data: T.utils.data.BatchSampler(T.utils.data.RandomSampler(data), 6, True)},
]


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("options", LOADERS, ids="-".join)
def test_batches_and_random_state(options: dict[str, Any], given: bool) -> None:
    (ours, length, states), (theirs, other, expected) = (epochs(T, given=given, **options) for T in ENGINES)
    close(ours, theirs, 0)
    assert length == other
    assert states == expected


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("options", [LOADERS[3], LOADERS[8], {**LOADERS[3], "persistent_workers": True}], ids=str)
def test_workers_give_the_same_batches(options: dict[str, Any], workers: int) -> None:
    (ours, _, states), (theirs, _, expected) = (epochs(T, num_workers=workers, **options) for T in ENGINES)
    close(ours, theirs, 0)
    assert states == expected


def seeds(T: Any) -> Any:
    """Return what the workers' random numbers are."""

    class Noise(T.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> Any:
            info = T.utils.data.get_worker_info()
            return index, info.id, info.seed, random.random(), np.random.random(), T.rand(1).item()  # noqa: NPY002

    T.manual_seed(3)
    return [
        [part.tolist() for part in batch] for batch in T.utils.data.DataLoader(Noise(), batch_size=2, num_workers=2)
    ]


def test_workers_draw_the_same_random_numbers() -> None:
    ours, theirs = (seeds(T) for T in ENGINES)
    assert ours == theirs


def stream(T: Any, parts: bool, **options: Any) -> Any:
    class Count(T.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Any:
            info = T.utils.data.get_worker_info() if parts else None
            return iter(range(11)) if info is None else iter(range(info.id, 11, info.num_workers + 1))

    loader = T.utils.data.DataLoader(Count(), **options)
    return [[plain(batch) for batch in loader] for _ in range(2)]


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 4},
        {"batch_size": 4, "drop_last": True},
        {"batch_size": None},
        {"batch_size": 3, "num_workers": 2},
        {"batch_size": 3, "num_workers": 2, "drop_last": True, "prefetch_factor": 3},
        {"batch_size": None, "num_workers": 2, "prefetch_factor": 1},
        {"batch_size": 3, "num_workers": 2, "persistent_workers": True},
    ],
    ids=str,
)
def test_streams(options: dict[str, Any], parts: bool) -> None:
    ours, theirs = (stream(T, parts, **options) for T in ENGINES)
    close(ours, theirs, 0)


Point = collections.namedtuple("Point", "x y")
COLLATED = [
    lambda T: [1, 2, 3],
    lambda T: [1.5, 2.5],
    lambda T: [True, False],
    lambda T: ["a", "b"],
    lambda T: [b"a", b"b"],
    lambda T: [T.ones(2), T.zeros(2)],
    lambda T: [T.tensor(1), T.tensor(2)],
    lambda T: [np.ones(2, np.float32), np.zeros(2, np.float32)],
    lambda T: [np.array(1), np.array(2)],
    lambda T: [np.float32(1), np.float32(2)],
    lambda T: [np.float64(1), np.float64(2)],
    lambda T: [np.int16(1), np.int16(2)],
    lambda T: [(1, 2.0, "a"), (3, 4.0, "b")],
    lambda T: [[1, [2, 3]], [4, [5, 6]]],
    lambda T: [{"a": 1, "b": (T.ones(1), 2)}, {"a": 3, "b": (T.zeros(1), 4)}],
    lambda T: [collections.OrderedDict(b=1, a=2), collections.OrderedDict(b=3, a=4)],
    lambda T: [Point(1, 2.0), Point(3, 4.0)],
    lambda T: [range(2), range(2, 4)],
    lambda T: [[1, 2], [3]],
    lambda T: [T.ones(2), T.ones(3)],
    lambda T: [None, None],
    lambda T: [object()],
    lambda T: [np.array(["a"])],
    lambda T: [{"a": 1}, {"b": 2}],
    lambda T: [],
]


@pytest.mark.parametrize("batch", COLLATED, ids=range(len(COLLATED)))
def test_collate(batch: Any) -> None:
    same(lambda T: tagged(T.utils.data.default_collate(batch(T))), grad=False)


CONVERTED = [
    lambda T: 1,
    lambda T: "a",
    lambda T: None,
    lambda T: T.ones(2),
    lambda T: np.ones(2),
    lambda T: np.float32(2),
    lambda T: np.array(["a"]).tolist(),
    lambda T: (np.ones(1), [np.zeros(2), "x"]),
    lambda T: {"a": np.ones(1), "b": (1, np.zeros(2))},
    lambda T: Point(np.array(1), 2),
    lambda T: range(3),
]


@pytest.mark.parametrize("data", CONVERTED, ids=range(len(CONVERTED)))
def test_convert(data: Any) -> None:
    same(lambda T: tagged(T.utils.data.default_convert(data(T))), grad=False)


SPLITS: list[tuple[int, list[Any]]] = [
    (10, [3, 7]),
    (10, [0.3, 0.7]),
    (11, [0.5, 0.5]),
    (7, [0.25] * 4),
    (10, [0.1] * 10),
    (10, [1.0]),
    (1, [1]),
    (10, [3, 8]),
    (10, [0.5, 0.6]),
    (10, [1.5, -0.5]),
    (0, []),
]


@pytest.mark.parametrize(("length", "lengths"), SPLITS, ids=str)
def test_random_split(length: int, lengths: list[Any]) -> None:
    def split(T: Any) -> Any:
        T.manual_seed(1)
        parts = T.utils.data.random_split(range(length), lengths)
        given = T.utils.data.random_split(range(length), lengths, T.Generator().manual_seed(5))
        return [list(part) for part in (*parts, *given)], T.get_rng_state()

    same(split, grad=False)


def test_random_split_warns_of_empty_parts() -> None:
    for T in ENGINES:
        with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
            T.utils.data.random_split(range(1), [0.5, 0.5])


@pytest.mark.parametrize("length", [0, 1, 3, 10, 12])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_distributed_sampler(length: int, drop_last: bool, shuffle: bool) -> None:
    def shares(T: Any) -> Any:
        seen = []
        for replicas in (1, 2, 4, 7):
            for rank in range(replicas):
                sampler = T.utils.data.DistributedSampler(range(length), replicas, rank, shuffle, 3, drop_last)
                sampler.set_epoch(2)
                seen.append([list(sampler), len(sampler), sampler.total_size])
        return seen

    same(shares, grad=False)


def listed(*things: Any) -> Any:
    return [list(itertools.islice(thing, 100)) for thing in things]


DATASETS = [
    lambda T, D: len(D.ConcatDataset([range(3), "ab"])),
    lambda T, D: [D.ConcatDataset([range(3), range(5, 7)])[i] for i in (0, 2, 3, 4, -1, -5)],
    lambda T, D: D.ConcatDataset([range(3)])[-4],
    lambda T, D: D.ConcatDataset([range(3)])[3],
    lambda T, D: D.ConcatDataset([]),
    lambda T, D: D.ConcatDataset([D.IterableDataset()]),
    lambda T, D: D.TensorDataset(T.ones(3), T.ones(2)),
    lambda T, D: D.TensorDataset(T.arange(6).reshape(3, 2))[T.tensor([0, 2])],
    lambda T, D: list((D.TensorDataset(T.arange(2)) + D.TensorDataset(T.arange(3)))[4]),
    lambda T, D: D.StackDataset(range(3), "abc")[1],
    lambda T, D: D.StackDataset(x=range(3), y="abc")[1],
    lambda T, D: D.StackDataset(x=range(3), y="abc").__getitems__([0, 2]),
    lambda T, D: D.StackDataset(range(3), D.Subset(range(9), [1, 2, 3])).__getitems__([0, 2]),
    lambda T, D: len(D.StackDataset(range(3), "abc")),
    lambda T, D: D.StackDataset(range(3), "ab"),
    lambda T, D: D.StackDataset(),
    lambda T, D: D.StackDataset(range(3), x=range(3)),
    lambda T, D: D.Subset(range(9), [1, 2, 3])[1],
    lambda T, D: D.Subset(np.arange(9), [1, 2, 3])[[0, 2]].tolist(),
    lambda T, D: D.Subset(range(9), [1, 2, 3])[5],
    lambda T, D: type("S", (D.Subset,), {"__getitem__": lambda self, i: i})(range(3), [0]),
    lambda T, D: D.Dataset()[0],
    lambda T, D: len(D.Dataset()),
    lambda T, D: list(D.ChainDataset([range(3)])),
    lambda T, D: len(D.ChainDataset([])),
    lambda T, D: listed(*[D.BatchSampler(range(n), 3, drop) for n in (0, 7) for drop in (False, True)]),
    lambda T, D: [len(D.BatchSampler(range(n), 3, drop)) for n in (0, 1, 3, 7) for drop in (False, True)],
    lambda T, D: len(D.BatchSampler(iter([1]), 3, False)),
    lambda T, D: D.BatchSampler(range(7), 0, False),
    lambda T, D: D.BatchSampler(range(7), True, False),
    lambda T, D: D.BatchSampler(range(7), 2.0, False),
    lambda T, D: D.BatchSampler(range(7), 2, 1),
    lambda T, D: D.RandomSampler([], num_samples=None),
    lambda T, D: D.RandomSampler(range(3), num_samples=0),
    lambda T, D: D.RandomSampler(range(3), replacement=1),
    lambda T, D: D.RandomSampler(range(3), num_samples=1.5),
    lambda T, D: D.WeightedRandomSampler([1.0], 0),
    lambda T, D: D.WeightedRandomSampler([1.0], True),
    lambda T, D: D.WeightedRandomSampler([1.0], 1, 1),
    lambda T, D: D.WeightedRandomSampler([[1.0]], 1),
    lambda T, D: list(D.WeightedRandomSampler([1.0], 2, False)),
    lambda T, D: D.WeightedRandomSampler([1, 2], 3).weights,
    lambda T, D: list(D.Sampler()),
    lambda T, D: D.DistributedSampler(range(3), 2, 2),
    lambda T, D: D.DistributedSampler(range(3), 2, -1),
    lambda T, D: D.get_worker_info(),
    lambda T, D: D.dataloader.DataLoader is D.DataLoader and D.dataset.Dataset is D.Dataset,
    lambda T, D: D.sampler.Sampler is D.Sampler,
    lambda T, D: D.distributed.DistributedSampler is D.DistributedSampler,
    lambda T, D: D.DataLoader(range(3), num_workers=-1),
    lambda T, D: D.DataLoader(range(3), timeout=-1),
    lambda T, D: D.DataLoader(range(3), prefetch_factor=2),
    lambda T, D: D.DataLoader(range(3), num_workers=1, prefetch_factor=-2),
    lambda T, D: D.DataLoader(range(3), persistent_workers=True),
    lambda T, D: D.DataLoader(range(3), shuffle=True, sampler=[0]),
    lambda T, D: D.DataLoader(range(3), batch_sampler=[[0]], batch_size=2),
    lambda T, D: D.DataLoader(range(3), batch_sampler=[[0]], shuffle=True),
    lambda T, D: D.DataLoader(range(3), batch_size=None, drop_last=True),
    lambda T, D: D.DataLoader(range(3), batch_size=0),
    lambda T, D: D.DataLoader([], shuffle=True),
    lambda T, D: list(D.DataLoader([])),
    lambda T, D: D.DataLoader(D.IterableDataset(), shuffle=True),
    lambda T, D: D.DataLoader(D.IterableDataset(), sampler=[1]),
    lambda T, D: D.DataLoader(D.IterableDataset(), batch_sampler=[[1]]),
    lambda T, D: len(D.DataLoader(D.IterableDataset())),
    lambda T, D: D.DataLoader(range(3), multiprocessing_context="fork"),
    lambda T, D: D.DataLoader(range(3), num_workers=1, multiprocessing_context="nonsense"),
    lambda T, D: D.DataLoader(range(3), num_workers=1, multiprocessing_context=3),
    lambda T, D: list(D.DataLoader(range(3), timeout=1)),
    lambda T, D: setattr(D.DataLoader(range(3)), "batch_size", 3),
    lambda T, D: setattr(D.DataLoader(range(3)), "dataset", 3),
    lambda T, D: len(D.DataLoader(range(7), batch_size=3, drop_last=True)),
    lambda T, D: tagged(list(D.DataLoader(range(3), collate_fn=lambda samples: samples, batch_size=2))),
    lambda T, D: tagged(list(D.DataLoader({"a": 1, "b": 2}, sampler=["b", "a"]))),
    lambda T, D: tagged(list(D.DataLoader(D.Subset(range(9), [4, 5]), batch_size=2))),
    lambda T, D: D.DataLoader(range(3)).__iter__().__getstate__(),
]  # fmt: skip


@pytest.mark.parametrize("code", DATASETS, ids=range(len(DATASETS)))
def test_datasets_samplers_and_errors(code: Any) -> None:
    same(lambda T: code(T, T.utils.data), grad=False)


def test_warnings_come_where_pytorch_warns() -> None:
    def heard(T: Any) -> list[str]:
        class Liar(T.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
            def __iter__(self) -> Any:
                return iter(range(3))

            def __len__(self) -> int:
                return 2

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            T.utils.data.DataLoader(range(3), num_workers=1000)
            list(T.utils.data.DataLoader(range(3), pin_memory=True))
            loader = T.utils.data.DataLoader(Liar())
            assert len(loader) == 2
            list(loader)
        return [one.category.__name__ for one in caught]

    ours, theirs = (heard(T) for T in ENGINES)
    assert ours == theirs == ["UserWarning"] * 3


def test_attributes() -> None:
    def state(T: Any) -> Any:
        loader = T.utils.data.DataLoader(range(5), 2, True, drop_last=True)
        names = ("batch_size", "num_workers", "prefetch_factor", "pin_memory", "drop_last", "timeout", "in_order",
                 "worker_init_fn", "persistent_workers", "generator", "multiprocessing_context",
                 "pin_memory_device")  # fmt: skip
        kinds = [type(part).__name__ for part in (loader.sampler, loader.batch_sampler, loader.dataset)]
        return [getattr(loader, name) for name in names], kinds, loader.collate_fn.__name__

    ours, theirs = (state(T) for T in ENGINES)
    assert ours == theirs
