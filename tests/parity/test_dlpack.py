"""DLPack: tensors, NumPy's arrays and PyTorch's tensors on the same memory, both ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rushlight
from support.oracle import DTYPES, ENGINES, same

ARRAYS = {
    "matrix": lambda kind: np.array([[0, 1, 1], [1, 0, 1]]).astype(kind),
    "turned": lambda kind: np.array([[0, 1, 1], [1, 0, 1]]).astype(kind).T,
    "steps": lambda kind: np.array([0, 1, 1, 0, 1]).astype(kind)[::2],
    "no dims": lambda kind: np.array(1).astype(kind),
    "empty": lambda kind: np.zeros((0, 3), kind),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("kind", DTYPES)
def test_all_ways_share_memory(name: str, kind: str) -> None:
    ways: list[tuple[Any, Any]] = [
        (rushlight.from_numpy, torch.from_dlpack), (rushlight.from_numpy, np.from_dlpack),
        (torch.from_numpy, rushlight.from_dlpack), (np.asarray, rushlight.from_dlpack),
        (rushlight.from_numpy, rushlight.from_dlpack), (rushlight.from_numpy, rushlight.utils.dlpack.from_dlpack),
    ]  # fmt: skip
    for make, take in ways:
        array = ARRAYS[name](kind)
        given = make(array)
        taken = take(given)
        assert np.asarray(taken).dtype == array.dtype
        assert tuple(taken.shape) == array.shape
        np.testing.assert_array_equal(np.asarray(taken), array)
        if array.size:
            address = np.asarray(taken).__array_interface__["data"][0]
            assert address == array.__array_interface__["data"][0]
            assert np.asarray(taken).strides == array.strides
        if array.size and not isinstance(taken, np.ndarray):
            taken[...] = 0
            assert not array.any()


@pytest.mark.parametrize("taker", ["torch", "rushlight", "torch.utils", "rushlight.utils"])
def test_capsules(taker: str) -> None:
    for T in ENGINES:
        x = T.arange(6.0).reshape(2, 3)
        capsule = T.utils.dlpack.to_dlpack(x)
        assert type(capsule).__name__ == "PyCapsule"
        engine = rushlight if taker.startswith("rush") else torch
        taken = (engine.utils.dlpack if taker.endswith("utils") else engine).from_dlpack(capsule)
        taken[0, 1] = 9
        assert x[0, 1] == 9
        with pytest.raises((RuntimeError, ValueError)):  # a capsule is taken once
            engine.from_dlpack(capsule)


CASES = [
    lambda T: T.ones(2, requires_grad=True).__dlpack__(),
    lambda T: (T.ones(2, requires_grad=True) * 2).__dlpack__(),
    lambda T: T.utils.dlpack.to_dlpack(T.ones(2, requires_grad=True).detach()) is None,
    lambda T: T.from_dlpack(T.ones(2, requires_grad=True)),
    lambda T: T.from_dlpack(T.ones(2, requires_grad=True).detach()),
    lambda T: tuple(int(n) for n in T.ones(2).__dlpack_device__()),
    lambda T: tuple(int(n) for n in T.tensor(2).__dlpack_device__()),
    lambda T: T.from_dlpack(3),
    lambda T: T.from_dlpack("a"),
    lambda T: T.from_dlpack(np.array(["a"])),
    lambda T: T.from_dlpack(np.ones(3), copy=True),
    lambda T: T.from_dlpack(T.ones(3), device="cpu", copy=False),
    lambda T: np.from_dlpack(T.ones(3)).tolist(),
    lambda T: type(T.ones(2).__dlpack__(max_version=(1, 0))).__name__,
    lambda T: type(T.ones(2).__dlpack__(stream=None, dl_device=(1, 0), copy=True)).__name__,
]


@pytest.mark.parametrize("code", CASES, ids=range(len(CASES)))
def test_results_and_errors(code: Any) -> None:
    def result(T: Any) -> Any:
        try:
            return code(T)
        except AttributeError:  # `same` takes it for a slip
            raise TypeError("it speaks no DLPack") from None

    same(result, grad=False)


def test_copies_are_other_memory() -> None:
    array = np.ones(3)
    for T in ENGINES:
        copy = T.from_dlpack(array, copy=True)
        copy[0] = 5
        assert array[0] == 1


def test_read_only_arrays_stay_as_they_are() -> None:
    array = np.ones(3)
    array.flags.writeable = False
    try:
        taken = rushlight.from_dlpack(array)
    except (BufferError, RuntimeError):
        return
    with pytest.raises((RuntimeError, ValueError)):
        taken.add_(1)
    assert array.tolist() == [1, 1, 1]


def test_what_has_no_counterpart_is_refused() -> None:
    for dtype in (torch.bfloat16, torch.complex64, torch.uint16):
        with pytest.raises((TypeError, RuntimeError, BufferError)):
            rushlight.from_dlpack(torch.zeros(2, dtype=dtype))
    with pytest.raises((BufferError, RuntimeError)):
        np.from_dlpack(rushlight.ones(2, requires_grad=True))
