"""Files that either engine writes open in the other, with the same values, sharing and errors."""

from __future__ import annotations

import collections
import io
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import rushlight
from support.oracle import DTYPES, ENGINES, same

FORMATS = ["pt", "safetensors", "npz"]


def shown(value: Any) -> Any:
    """Return a loaded object as plain data that two engines can be compared by."""
    if isinstance(value, torch.Tensor | rushlight.Tensor):
        array = value.detach().numpy()
        kind = type(value).__name__
        return kind, str(value.dtype), tuple(value.shape), value.stride(), value.requires_grad, repr(array.tolist())
    if isinstance(value, dict):
        return (
            type(value).__name__,
            [(shown(k), shown(v)) for k, v in value.items()],
            shown(getattr(value, "_metadata", 0)),
        )
    if isinstance(value, list | tuple):
        return type(value).__name__, [shown(one) for one in value]
    return type(value).__name__, repr(value)


def everything(T: Any) -> Any:
    """Return an object with all that the formats hold, but no two equal tensors."""
    T.manual_seed(0)
    x = T.arange(12.0).reshape(3, 4)
    model = T.nn.Sequential(T.nn.Linear(4, 3), T.nn.BatchNorm1d(3))
    optimizer = T.optim.Adam(model.parameters())
    model(x).sum().backward()
    optimizer.step()
    made = {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "parameter": model[0].weight,
        "frozen": T.nn.Parameter(T.tensor([1, 2]), requires_grad=False), "leaf": T.ones(2, requires_grad=True),
        "x": x, "row": x[1], "column": x[:, 2], "turned": x.t(), "steps": x[::2, ::3],
        "expanded": T.ones(1, 2).expand(3, 2),
        "empty": T.empty(0, 3), "scalar": T.tensor(3, dtype=T.int64), "truth": T.tensor([True, False]),
        "special": T.tensor([float("nan"), float("inf"), -0.0]), "size": x.shape, "no size": T.Size([]),
        "dtype": T.float16, "bool": T.bool, "device": T.device("cpu"),
        "numbers": [0, 255, 256, 65536, -1, 2**31, -(2**70)],
        "floats": [0.1, float("inf"), float("-inf"), float("nan"), -0.0, 5e-324], "complex": 1 - 2j,
        "texts": ["", "ä\N{SNOWMAN}\n\0", "\ud800"], "bytes": bytes(range(256)), "array": bytearray(b"x"), "none": None,
        "flags": (True, False), "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "set": {1}, "nested": [[[{}]]],
        "ordered": collections.OrderedDict([("b", 1), ("a", (x[0],))]), 3: "int", None: "none",
        (1, "a"): "tuple", 1.5: 2,
    }  # fmt: skip
    made["again"], made["same"] = made["x"], made["nested"]
    return made


def written(T: Any, obj: Any, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    T.save(obj, file, **options)
    file.seek(0)
    return file


def check_shared(got: Any) -> None:
    """Assert that what shared memory does so, and that objects met twice are one."""
    assert got["again"] is got["x"]
    got["x"][1, 2] = 99
    assert got["row"][2] == got["column"][1] == got["turned"][2, 1] == 99
    assert got["ordered"]["a"][0].data_ptr() == got["x"].data_ptr()
    assert got["expanded"].stride() == (0, 1)


@pytest.mark.parametrize("writer", ENGINES, ids=["rushlight writes", "torch writes"])
@pytest.mark.parametrize("reader", ENGINES, ids=["rushlight reads", "torch reads"])
def test_checkpoints_are_read_by_both(writer: Any, reader: Any) -> None:
    got = reader.load(written(writer, everything(writer)), weights_only=True)
    assert shown(got) == shown(everything(writer))
    check_shared(got)
    assert got["same"] is got["nested"]


@pytest.mark.parametrize("format", FORMATS)
def test_all_formats_hold_everything(format: str) -> None:
    got = rushlight.load(written(rushlight, everything(rushlight), format=format))
    expected = everything(rushlight)
    assert shown(got) == shown(expected)
    check_shared(got)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("format", FORMATS)
def test_every_dtype(kind: str, format: str) -> None:
    values = np.array([[0, 1, 1], [1, 0, 1]]).astype(kind)
    for array in (values, values[:, 1], values[0, 0].reshape(()), values[:0], values.T):
        made = written(rushlight, {"x": rushlight.tensor(array)}, format=format)
        got = rushlight.load(made)["x"]
        assert str(got.dtype) == f"torch.{kind}"
        np.testing.assert_array_equal(got.numpy(), array)
        made.seek(0)
        if format == "pt":
            other = torch.load(made, weights_only=True)["x"].numpy()
        elif format == "npz":
            other = np.load(made, allow_pickle=False)["x"]
        else:
            other = safetensors.numpy.load(made.getvalue())["x"]
        np.testing.assert_array_equal(other, array)
        assert other.dtype == array.dtype


def test_flat_dicts_are_plain_files_for_other_programs() -> None:
    x = rushlight.arange(6.0).reshape(2, 3)
    flat = {"a": x, "layer.weight": x.t(), "b": x[0], "n": rushlight.tensor(7), "again": x}
    made = written(rushlight, flat, format="safetensors").getvalue()
    theirs = safetensors.torch.load(made)
    assert {key: value.tolist() for key, value in theirs.items()} == {key: one.tolist() for key, one in flat.items()}
    file = written(rushlight, flat, format="npz")
    with np.load(file, allow_pickle=False) as archive:
        assert set(flat) <= set(archive.files)
        assert all(archive[key].tolist() == flat[key].tolist() for key in flat)
    plain = {"a": x, "b": rushlight.ones(2)}
    with np.load(written(rushlight, plain, format="npz"), allow_pickle=False) as archive:
        assert archive.files == ["a", "b"]
    made = written(rushlight, plain, format="safetensors").getvalue()
    assert b"rushlight" not in made
    assert list(rushlight.load(io.BytesIO(made))) == ["a", "b"]


def test_foreign_files_load_as_flat_dicts(tmp_path: Path) -> None:
    arrays = {"b": np.arange(6, dtype=np.int16).reshape(2, 3), "a": np.array(1.5), "e": np.ones((0, 2), np.float32)}
    safetensors.numpy.save_file(arrays, tmp_path / "x.safetensors", metadata={"author": "someone"})
    np.savez(tmp_path / "x.npz", **arrays, f=np.asfortranarray(arrays["b"]), big=arrays["b"].astype(">i2"))
    for name in ("x.safetensors", "x.npz"):
        for mmap in (False, True):
            got = rushlight.load(tmp_path / name, mmap=mmap)
            assert {"a", "b", "e"} <= set(got)
            for key, value in got.items():
                np.testing.assert_array_equal(value.numpy(), arrays.get(key, arrays["b"]))
            got["b"].add_(1)  # mapped or not, the file stays as it is
        assert rushlight.load(tmp_path / name)["b"].tolist() == arrays["b"].tolist()


def test_bfloat16_is_read_as_float32() -> None:
    x = torch.tensor([1.0, -2.5, float("inf"), 3.3895e38, 1e-40]).bfloat16()
    for file in (written(torch, {"x": x, "y": x[1:]}), io.BytesIO(safetensors.torch.save({"x": x}))):
        with pytest.warns(UserWarning, match="bfloat16 were read as float32"):
            got = rushlight.load(file)
        assert got["x"].dtype is rushlight.float32
        assert got["x"].tolist() == x.float().tolist()
    assert got.keys() == {"x"}


@pytest.mark.parametrize("dtype", ["complex64", "uint16", "uint32", "uint64", "float8_e4m3fn"])
def test_dtypes_that_rushlight_lacks(dtype: str) -> None:
    x = torch.zeros(2, dtype=getattr(torch, dtype))
    with pytest.raises((ValueError, pickle.UnpicklingError), match=r"dtype|Complex|_rebuild_tensor_v3|torch\.\w+"):
        rushlight.load(written(torch, {"x": x}))
    with pytest.raises(ValueError, match="'x' is of dtype"):
        rushlight.load(io.BytesIO(safetensors.torch.save({"x": x})))


# ------------------------------------------------------------------ training goes on


def trained(T: Any, state: Any, file: Any = None, steps: int = 3) -> Any:
    """Train from ``state`` for three steps; return the losses, the module and the optimizer."""
    T.manual_seed(1)
    model = T.nn.Sequential(T.nn.Linear(5, 8), T.nn.Tanh(), T.nn.Linear(8, 2)).double()
    optimizer = T.optim.Adam(model.parameters(), lr=0.05)
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    rng = np.random.default_rng(0 if state is None else 1)
    losses = []
    for _ in range(steps):
        x, y = T.tensor(rng.standard_normal((7, 5))), T.tensor(rng.integers(0, 2, 7))
        optimizer.zero_grad()
        loss = T.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}


@pytest.mark.parametrize(("writer", "reader"), [ENGINES, ENGINES[::-1]], ids=["to torch", "from torch"])
def test_training_goes_on_in_the_other_engine(writer: Any, reader: Any, tmp_path: Path) -> None:
    first, state = trained(writer, None)
    writer.save(state, tmp_path / "x.pt")
    stays, _ = trained(writer, state)
    goes, _ = trained(reader, reader.load(tmp_path / "x.pt", weights_only=True))
    np.testing.assert_allclose(goes, stays, rtol=1e-12)
    assert len({*first, *stays}) == 6


@pytest.mark.parametrize("format", FORMATS)
def test_training_goes_on_after_each_format(format: str) -> None:
    _, state = trained(rushlight, None)
    file = written(rushlight, state, format=format)
    stays, _ = trained(rushlight, state)
    goes, _ = trained(rushlight, rushlight.load(file))
    assert goes == stays


# ------------------------------------------------------------------ what is refused


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch evil-was-here",)


FOREIGN: list[Any] = [
    Evil(), torch.nn.Linear(1, 1), {"f": print}, collections.defaultdict(print), np.float64(1), np.ones(2), slice(1),
    {"storage": torch.ones(1).untyped_storage()}, range(3), frozenset((1,)), Exception("x"),
]  # fmt: skip


@pytest.mark.parametrize("obj", FOREIGN, ids=lambda obj: type(obj).__name__)
def test_other_objects_in_checkpoints_are_refused(obj: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = written(torch, {"x": torch.ones(1), "y": obj})
    with pytest.raises(pickle.UnpicklingError):
        rushlight.load(file)
    assert list(tmp_path.iterdir()) == []


CONTAINERS: list[Any] = [
    collections.Counter("abca"), collections.Counter({2: 1, 4: 3}), collections.OrderedDict(b=1, a=[2]),
    [collections.Counter()] * 2,
]  # fmt: skip
DEFAULTS: list[Any] = [
    collections.defaultdict(factory, {"a": 1, (1, 2): None})
    for factory in (None, bool, dict, float, int, list, set, str, tuple)
]


@pytest.mark.parametrize("obj", CONTAINERS + DEFAULTS, ids=repr)
def test_containers_of_python(obj: Any) -> None:
    """PyTorch reads a defaultdict with ``weights_only=False`` alone."""
    for format in ("pt", "npz", "safetensors"):
        file = written(rushlight, obj, format=format)
        got = rushlight.load(file)
        assert (type(got), repr(got)) == (type(obj), repr(obj))
    assert repr(rushlight.load(written(torch, obj))) == repr(obj)
    assert repr(torch.load(written(rushlight, obj), weights_only=obj not in DEFAULTS)) == repr(obj)


def test_a_layout() -> None:
    for format in ("pt", "npz", "safetensors"):
        assert rushlight.load(written(rushlight, [rushlight.strided], format=format)) == [rushlight.strided]
    assert torch.load(written(rushlight, rushlight.strided)) is torch.strided
    assert rushlight.load(written(torch, torch.strided)) is rushlight.strided


def test_a_default_that_cannot_be_saved() -> None:
    for format in ("pt", "npz", "safetensors"):
        with pytest.raises(pickle.PicklingError, match="makes missing values by"):
            written(rushlight, {"x": collections.defaultdict(lambda: 1)}, format=format)


def test_the_refused_name_is_named() -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"Unsupported global: GLOBAL posix\.system|nt\.system"):
        rushlight.load(written(torch, Evil()))
    with pytest.raises(pickle.UnpicklingError, match=r"torch\.nn\.modules\.linear\.Linear"):
        rushlight.load(written(torch, torch.nn.Linear(1, 1)))


def test_old_and_foreign_files() -> None:
    with pytest.raises(RuntimeError, match=r"before version 1\.6"):
        rushlight.load(written(torch, torch.ones(1), _use_new_zipfile_serialization=False))
    script = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), script)
    script.seek(0)
    with pytest.raises(RuntimeError, match="TorchScript"):
        rushlight.load(script)


@pytest.mark.parametrize(
    "location",
    [None, "cpu", "device", {"cpu": "cpu"}, {}, lambda storage, place: storage],
    ids=["none", "text", "device", "dict", "empty", "function"],
)
def test_map_location(location: Any) -> None:
    file = written(torch, {"x": torch.ones(2)})
    for T in ENGINES:
        file.seek(0)
        place = T.device("cpu") if location == "device" else location
        assert T.load(file, map_location=place)["x"].tolist() == [1, 1]


@pytest.mark.parametrize(
    "location", [None, "cpu", {"cuda:0": "cpu"}, {}, lambda storage, place: storage, lambda storage, place: None]
)
def test_tensors_from_another_device_need_map_location(location: Any) -> None:
    made = io.BytesIO()
    with ZipFile(written(torch, {"x": torch.ones(2)})) as source, ZipFile(made, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, text.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    same(lambda T: T.load(io.BytesIO(made.getvalue()), map_location=location)["x"], grad=False)


ARGUMENTS = [
    lambda T, folder: T.save({}, folder / "none" / "x.pt"),
    lambda T, folder: T.load(folder / "none.pt"),
    lambda T, folder: T.save({}, folder),
    lambda T, folder: T.load(io.BytesIO()),
    lambda T, folder: T.load(written(T, {"x": T.ones(1)}), map_location="nonsense"),
    lambda T, folder: T.load(written(T, {}), mmap=True),
]


@pytest.mark.parametrize("code", ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_wrong_arguments(code: Any, tmp_path: Path) -> None:
    same(lambda T: code(T, tmp_path), grad=False)


def test_neither_path_nor_file() -> None:
    for T in ENGINES:
        with pytest.raises(AttributeError):
            T.save({}, 3)
        with pytest.raises(AttributeError):
            T.load(3)


def test_mapped_files(tmp_path: Path) -> None:
    torch.save({"x": torch.arange(1000.0), "y": torch.arange(5)}, tmp_path / "x.pt")
    before = (tmp_path / "x.pt").read_bytes()
    got = rushlight.load(tmp_path / "x.pt", mmap=True)
    got["x"].mul_(2)
    assert got["x"].tolist() == [2.0 * i for i in range(1000)]
    assert got["y"].tolist() == list(range(5))
    assert (tmp_path / "x.pt").read_bytes() == before


def test_attributes_of_tensors() -> None:
    def made(T: Any) -> Any:
        x, p = T.ones(2), T.nn.Parameter(T.ones(1))
        x.note, p.note = "a", [1]
        return [x, p]

    for writer in ENGINES:
        for reader in ENGINES:
            x, p = reader.load(written(writer, made(writer)))
            assert (x.note, p.note, type(p), type(x)) == ("a", [1], reader.nn.Parameter, reader.Tensor)


def test_import_is_light() -> None:
    code = "import sys, rushlight; rushlight.dropout; bad = {'zipfile', 'json'} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
