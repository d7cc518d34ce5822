"""Saving and loading: what is refused, files whole or not at all, and damaged or hostile files."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import struct
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch
from rushlight.serialization import files

FORMATS = ["pt", "safetensors", "npz"]
CLEAR = (RuntimeError, ValueError, pickle.UnpicklingError, EOFError)


def small() -> Any:
    x = torch.arange(6.0).reshape(2, 3)
    return {
        "x": x,
        "row": x[1],
        "n": [1, "a", None, (2.5, b"b")],
        "state": OrderedDict(w=torch.ones(1, dtype=torch.bool)),
    }


def written(obj: Any, format: str = "pt") -> bytes:
    file = io.BytesIO()
    torch.save(obj, file, format=format)
    return file.getvalue()


def read(raw: bytes) -> Any:
    return torch.load(io.BytesIO(raw))


WRITTEN = {format: written(small(), format) for format in FORMATS}
PLAIN = {format: written({"x": torch.ones(3), "y": torch.arange(2)}, format) for format in FORMATS}


# ------------------------------------------------------------------ formats and refusals


@pytest.mark.parametrize("name", ["x.pt", "x.pth", "x.bin", "x.ckpt", "x", "x.safetensors", "x.npz", "X.NPZ"])
def test_the_name_chooses_the_format_and_the_bytes_tell_it(tmp_path: Path, name: str) -> None:
    torch.save(small(), tmp_path / name)
    start = (tmp_path / name).read_bytes()[:9]
    assert (start[8:9] == b"{") == name.endswith(".safetensors")
    renamed = (tmp_path / name).rename(tmp_path / "other")
    got = torch.load(str(renamed))
    assert got["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert got["n"] == [1, "a", None, (2.5, b"b")]
    got["x"][1, 0] = 7
    assert got["row"].tolist() == [7, 4, 5]


def test_format_wins_over_the_name(tmp_path: Path) -> None:
    torch.save(small(), tmp_path / "x.pt", format="safetensors")
    assert (tmp_path / "x.pt").read_bytes()[8:9] == b"{"
    with pytest.raises(ValueError, match="format must be one of"):
        torch.save(small(), tmp_path / "x.pt", format="zip")


class Own(dict):  # type: ignore[type-arg]
    pass


class Mine(torch.Tensor):
    pass


REFUSED: list[tuple[Any, str]] = [
    (torch.nn.Linear(1, 1), r"Linear.*state_dict\(\)"),
    ({"model": torch.nn.Linear(1, 1)}, r"the object\['model'\] is of type .*Linear.*save its state_dict\(\)"),
    (torch.optim.SGD([torch.ones(1)], 1), r"SGD.*state_dict\(\)"),
    ([1, {"f": print}], r"the object\[1\]\['f'\]"),
    ({"best": np.float64(1)}, r"numpy\.float64.*\.item\(\)"),
    ({"a": np.ones(1)}, r"numpy\.ndarray.*from_numpy"),
    (Own(), "Own"),
    (torch.ones(1).as_subclass(Mine), "Mine"),
    (object(), "object"),
    (Own, "type"),
    ({torch.ones(1): 1}, "key"),
    (range(3), "range"),
]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("obj", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_saved_is_named(obj: Any, words: str, format: str) -> None:
    with pytest.raises(pickle.PicklingError, match=words):
        written(obj, format)


def deep(levels: int) -> Any:
    made: Any = []
    for _ in range(levels):
        made = [made]
    return made


def circle() -> Any:
    made: Any = ([],)
    made[0].append(made)
    return made


@pytest.mark.parametrize("format", FORMATS)
def test_circles_and_depth(format: str) -> None:
    assert read(written(deep(90), format)) == deep(90)
    for obj in (circle(), deep(1000), deep(100_000)):
        with pytest.raises((pickle.PicklingError, ValueError), match=r"itself|deep"):
            written(obj, format)
    loop: Any = [1]
    loop.append(loop)
    if format == "pt":
        got = read(written(loop))
        assert got[1] is got
    else:
        with pytest.raises(ValueError, match="contains itself"):
            written(loop, format)


def test_one_memory_as_two_dtypes() -> None:
    x = torch.zeros(4)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        written([x, torch.from_numpy(x.numpy().view(np.int32))])


def test_only_the_visible_part_of_a_memory_is_written() -> None:
    x = torch.zeros(1_000_000)
    for format in FORMATS:
        assert len(written({"a": x[5:10], "b": x[::2][:3]}, format)) < 20_000


def test_tensors_that_see_little_of_what_they_share() -> None:
    x = torch.arange(10_000.0)
    obj = {"a": x[::5000], "b": x[5000:]}
    got = read(written({"a": x[::5000], "b": x[::2500]}))
    got["a"][1] = -1
    assert got["b"].tolist() == [0, 2500, -1, 7500]
    assert read(written(obj, "npz"))["a"].tolist() == [0, 5000]
    with pytest.raises(ValueError, match="save their clones"):
        written({"a": x[::5000], "b": x[::2500]}, "safetensors")


@pytest.mark.parametrize("format", FORMATS)
def test_names_that_collide(format: str) -> None:
    a, b, c, d = (torch.tensor(n) for n in (1, 2, 3, 4))
    obj = {"x": {"y": a, "z.w": b}, "x.y": c, "x.z": {"w": d}, "__metadata__": a, "": b, 0: c, "0": d, "../up": a}
    got = read(written(obj, format))
    assert str(got) == str(obj)


def test_arguments_that_would_run_code_are_refused() -> None:
    with pytest.raises(RuntimeError, match="weights_only=False would run code"):
        torch.load(io.BytesIO(WRITTEN["pt"]), weights_only=False)
    with pytest.raises(ValueError, match="pickle_module"):
        torch.load(io.BytesIO(WRITTEN["pt"]), pickle_module=pickle)
    with pytest.raises(ValueError, match="protocol 2"):
        torch.save({}, io.BytesIO(), pickle_protocol=4)
    with pytest.raises(RuntimeError, match="no PyTorch checkpoint"):
        read(b"hello, this is no checkpoint")


def test_file_objects(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.got = b""

        def writable(self) -> bool:
            return True

        def write(self, part: Any) -> int:
            self.got += bytes(part)
            return len(part)

    for format in FORMATS:
        pipe = Pipe()
        torch.save(small(), pipe, format=format)
        assert read(pipe.got)["x"].tolist() == small()["x"].tolist()
        with (tmp_path / "x").open("wb") as file:
            file.write(b"before")
            torch.save(small(), file, format=format)
        with (tmp_path / "x").open("rb") as file:
            file.seek(6)
            assert torch.load(file)["n"] == small()["n"]


# ------------------------------------------------------------------ whole or not at all


class Failing(io.FileIO):
    """A file on a disk that is full after so many calls."""

    left = 0

    def write(self, part: Any) -> int:
        Failing.left -= 1
        if Failing.left < 0:
            raise OSError(28, "No space left on device")
        return super().write(part)


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, format: str, exists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "x.pt"
    monkeypatch.setattr(files, "create", lambda path: Failing(path, "xb"))
    for calls in range(1000):
        if exists:
            target.write_bytes(b"good")
        Failing.left = calls
        try:
            torch.save(small(), target, format=format)
        except OSError as error:
            assert error.errno == 28  # noqa: PT017
        else:
            break
        assert [path.name for path in tmp_path.iterdir()] == ["x.pt"] * exists
        assert not exists or target.read_bytes() == b"good"
    assert calls >= 2
    assert torch.load(target)["n"] == small()["n"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.pt"]


@pytest.mark.parametrize("place", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(5, "broken"), KeyboardInterrupt()])
def test_an_error_at_the_end_leaves_the_old_file(
    tmp_path: Path, place: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    (tmp_path / "x.pt").write_bytes(b"good")
    monkeypatch.setattr(os, place, fail)
    with pytest.raises(type(error)):
        torch.save(small(), tmp_path / "x.pt")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.pt", b"good")]


@pytest.mark.skipif(files.fcntl is None, reason="the system cannot tell a killed save from one at work")
def test_what_a_killed_save_left_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".x.pt.0123456789abcdef.tmp"
    names = [".x.pt.tmp", ".x.pt.0123456789abcde.tmp", ".y.pt.0123456789abcdef.tmp", "x.pt.0123456789abcdef.tmp"]
    for other in names:
        (tmp_path / other).write_bytes(b"not ours")
    left.write_bytes(b"half")
    seen = []

    def fill(file: Any) -> None:
        seen.extend(path.name for path in tmp_path.iterdir() if path.name.startswith(".x.pt"))
        files.write(tmp_path / "x.pt", lambda inner: None)  # another save meanwhile takes nothing away
        file.write(b"whole")

    files.write(tmp_path / "x.pt", fill)
    assert left.name not in seen
    assert len(seen) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"x.pt", *names}
    assert (tmp_path / "x.pt").read_bytes() == b"whole"


def test_a_new_file_taken_for_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    created = []

    def create(path: str) -> Any:
        file = Path(path).open("xb")  # noqa: SIM115
        created.append(path)
        if len(created) == 1 and files.fcntl is not None:
            Path(path).unlink()
        return file

    monkeypatch.setattr(files, "create", create)
    torch.save(small(), tmp_path / "x.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["x.pt"]


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"good")
    with pytest.raises(pickle.PicklingError):
        torch.save([torch.ones(1000), object()], tmp_path / "x.pt")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.pt", b"good")]


def test_links_and_permissions_stay(tmp_path: Path) -> None:
    real = tmp_path / "folder" / "real.pt"
    real.parent.mkdir()
    real.write_bytes(b"old")
    real.chmod(0o640)
    (tmp_path / "link.pt").symlink_to(real)
    torch.save(small(), tmp_path / "link.pt")
    assert (tmp_path / "link.pt").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert torch.load(real)["n"] == small()["n"]
    new, usual = tmp_path / "new.pt", tmp_path / "usual"
    torch.save(small(), new)
    usual.touch()
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    torch.save(small(), os.devnull)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


# ------------------------------------------------------------------ damaged files


@pytest.mark.parametrize("raws", [WRITTEN, PLAIN], ids=["described", "plain"])
@pytest.mark.parametrize("format", FORMATS)
def test_truncated_at_every_length(format: str, raws: dict[str, bytes]) -> None:
    raw = raws[format]
    read(raw)
    for length in range(len(raw)):
        with pytest.raises(CLEAR):
            read(raw[:length])


@pytest.mark.parametrize("format", FORMATS)
@given(st.data())
@settings(max_examples=400)
def test_changed_bytes_are_read_or_refused(format: str, data: st.DataObject) -> None:
    raw = bytearray(WRITTEN[format])
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(raw))
    except CLEAR as error:
        assert str(error)  # noqa: PT017


def header(entries: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(start: int, end: int, shape: Any = None, dtype: str = "U8") -> Any:
    return {"dtype": dtype, "shape": [end - start] if shape is None else shape, "data_offsets": [start, end]}


HEADERS = {
    "huge header": header({}, length=2**63),
    "header beyond the file": header({}, length=1000),
    "no JSON": header(b"{nonsense"),
    "NaN": header(b'{"x":NaN}'),
    "no dict": header(b"{}  []"),
    "deep": header(b'{"a":' * 100_000),
    "not UTF-8": header(b'{"\xff":1}'),
    "twice": header(
        b'{"x":' + json.dumps(entry(0, 1)).encode() + b',"x":' + json.dumps(entry(1, 2)).encode() + b"}", b"ab"
    ),
    "overlap": header({"x": entry(0, 2), "y": entry(1, 3)}, b"abc"),
    "gap": header({"x": entry(0, 1), "y": entry(2, 3)}, b"abc"),
    "more bytes": header({"x": entry(0, 1)}, b"ab"),
    "beyond": header({"x": entry(0, 100)}, b"a"),
    "backward": header({"x": entry(2, 1, [-1])}, b"ab"),
    "far beyond": header({"x": entry(0, 2**61)}, b"a"),
    "beyond int64": header({"x": entry(0, 2**70)}, b"a"),
    "other size": header({"x": entry(0, 2, [3])}, b"ab"),
    "negative dims": header({"x": entry(0, 2, [-1, -2])}, b"ab"),
    "overflowing shape": header({"x": entry(0, 0, [2**62, 2**62, 2**62, 0])}),
    "65 dims": header({"x": entry(0, 1, [1] * 65)}, b"a"),
    "bool": header({"x": entry(0, 1, [True])}, b"a"),
    "float": header({"x": entry(0, 1, [1.0])}, b"a"),
    "no dtype": header({"x": {"shape": [1], "data_offsets": [0, 1]}}, b"a"),
    "unknown dtype": header({"x": entry(0, 1, dtype="X9")}, b"a"),
    "list dtype": header({"x": {"dtype": [], "shape": [1], "data_offsets": [0, 1]}}, b"a"),
    "metadata": header({"__metadata__": {"a": 1}}),
    "metadata list": header({"__metadata__": []}),
}


@pytest.mark.parametrize("name", HEADERS)
def test_hostile_safetensors(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(HEADERS[name])


def described_as(tree: Any, **more: Any) -> bytes:
    description = {"version": 1, "tree": tree, "layout": {}, "storages": [], **more}
    return header({"__metadata__": {"rushlight": json.dumps(description)}, "x": entry(0, 2)}, b"ab")


TREES = {
    "missing": described_as({"tensor": "y"}),
    "unknown": described_as({"os.system": "ls"}),
    "version": described_as({"tensor": "x"}, version=2),
    "empty": described_as({}),
    "pairs": described_as({"dict": [[1]]}),
    "unhashable": described_as({"dict": [[[], 1]]}),
    "dtype": described_as({"dtype": "object"}),
    "bytes": described_as({"bytes": "%%%"}),
    "hides": described_as({"ordered": [[], {"dict": [["items", 1]]}]}),
    "huge storage": described_as({"tensor": "x"}, layout={"x": [0, 0, [1]]}, storages=[2**40]),
    "outside": described_as({"tensor": "x"}, layout={"x": [0, 1, [1]]}, storages=[2]),
    "negative": described_as({"tensor": "x"}, layout={"x": [0, 1, [-1]]}, storages=[2]),
    "no storage": described_as({"tensor": "x"}, layout={"x": [3, 0, [1]]}, storages=[2]),
    "other dims": described_as({"tensor": "x"}, layout={"x": [0, 0, [1, 1]]}, storages=[2]),
    "integer gradient": described_as({"tensor": "x", "requires_grad": True}),
    "deep": described_as(deep(900)),
}


@pytest.mark.parametrize("name", TREES)
def test_hostile_descriptions(name: str) -> None:
    with pytest.raises(ValueError, match=r"damaged|missing"):
        read(TREES[name])


def archive(text: bytes, storages: dict[str, bytes] | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", **options) as made:
        made.writestr("a/data.pkl", text)
        for name, content in (storages or {"0": struct.pack("<4f", 1, 2, 3, 4)}).items():
            made.writestr(f"a/data/{name}", content)
    return file.getvalue()


class Attack:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


def tensor_text(
    count: int = 4, offset: int = 0, size: str = "(K\x04t", stride: str = "(K\x01t", kind: str = "Float"
) -> bytes:
    storage = f"(X\x07\x00\x00\x00storagectorch\n{kind}Storage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK{chr(count)}tQ"
    text = f"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n({storage}K{chr(offset)}{size}{stride}\x89NtR."
    return text.encode("latin1")


BIG = "\x8a\x08" + "\xff" * 7 + "\x3f"
PICKLES = {
    "os.system": pickle.dumps(Attack(os.system, "touch hostile"), 2),
    "eval": pickle.dumps(Attack(eval, "open('hostile', 'w')"), 2),
    "getattr": b"\x80\x02cbuiltins\ngetattr\nctorch\nSize\nX\x05\x00\x00\x00__new\x86R.",
    "dotted": b"\x80\x02ctorch\nTensor.__init__\n.",
    "protocol 4": pickle.dumps({}, 4),
    "call of a size": b"\x80\x02ctorch\nfloat32\n)R.",
    "call of a list": b"\x80\x02])R.",
    "a function as value": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n.",
    "a function in a list": b"\x80\x02](ctorch._utils\n_rebuild_tensor_v2\ne.",
    "a storage as value": b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ.",
    "other persistent id": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "no memo": b"\x80\x02h\x05.",
    "no mark": b"\x80\x02t.",
    "empty stack": b"\x80\x02.",
    "no stop": b"\x80\x02N",
    "empty": b"",
    "underflow": b"\x80\x02\x87.",
    "no name": b"\x80\x02ctorch",
    "long text": b"\x80\x02X\xff\xff\xff\xffabc.",
    "odd items": b"\x80\x02}(K\x01u.",
    "unhashable key": b"\x80\x02}]K\x01s.",
    "items of a list": b"\x80\x02]K\x01K\x02s.",
    "append to a tuple": b"\x80\x02)K\x01a.",
    "build of a dict": b"\x80\x02}}b.",
    "hidden method": b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb.",
    "deep key": b"\x80\x02})" + b"\x85" * 1_000_000 + b"K\x01s.",
    "wide key": b"\x80\x02})" + b"q\x00h\x00\x86" * 60 + b"K\x01s.",
    "deep set": b"\x80\x02c__builtin__\nset\n])" + b"\x85" * 1_000_000 + b"a\x85R.",
    "set of a text": b"\x80\x02c__builtin__\nset\nX\x01\x00\x00\x00a\x85R.",
    "bytearray of a number": b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "bytes of a number": b"\x80\x02c__builtin__\nbytes\nJ\xff\xff\xff\x7f\x85R.",
    "codec": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R.",
    "storage too small": tensor_text(count=5),
    "beyond the storage": tensor_text(offset=1),
    "stride beyond": tensor_text(stride="(K\x02t"),
    "size beyond": tensor_text(size="(K\x05t"),
    "huge size": tensor_text(size=f"({BIG}t"),
    "huge product": tensor_text(size=f"({BIG}{BIG}t", stride="(K\x00K\x00t"),
    "negative size": tensor_text(size="(J\xff\xff\xff\xfft"),
    "negative stride": tensor_text(offset=3, stride="(J\xff\xff\xff\xfft"),
    "more strides": tensor_text(stride="(K\x01K\x01t"),
    "size of texts": tensor_text(size="(X\x01\x00\x00\x00at"),
    "65 dims": tensor_text(size="(" + "K\x01" * 65 + "t", stride="(" + "K\x01" * 65 + "t"),
    "other kind": tensor_text(kind="Quantized"),
    "wide kind": tensor_text(kind="Double"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_hostile_pickles(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CLEAR, match=r"."):
        read(archive(PICKLES[name]))
    assert list(tmp_path.iterdir()) == []


def test_the_well_formed_pickle_that_those_are_made_from() -> None:
    assert read(archive(tensor_text())).tolist() == [1, 2, 3, 4]
    assert read(archive(tensor_text(offset=1, size="(K\x03t"))).tolist() == [2, 3, 4]
    assert read(archive(b"\x80\x02])" + b"\x85" * 3 + b"a.")) == [((((),),),)]


def test_the_name_in_a_pickle_is_named() -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"GLOBAL (posix|nt)\.system"):
        read(archive(PICKLES["os.system"]))


@given(st.binary(max_size=60))
@settings(max_examples=500)
def test_random_pickles(text: bytes) -> None:
    try:
        read(archive(b"\x80\x02" + text))
    except CLEAR as error:
        assert str(error)  # noqa: PT017


def patched(raw: bytes, before: bytes, after: bytes) -> bytes:
    assert before in raw
    return raw.replace(before, after)


def test_hostile_archives() -> None:
    zeros = bytes(10_000_000)
    with pytest.raises(RuntimeError, match="compressed"):
        read(archive(tensor_text(), {"0": zeros}, compression=ZIP_DEFLATED))
    raw = archive(tensor_text(), {"0": b"0123456789abcdef"})
    size = struct.pack("<II", 16, 16)
    for wrong in (struct.pack("<II", 2**31, 2**31), struct.pack("<II", 16, 2**31), struct.pack("<II", 8, 8)):
        with pytest.raises(CLEAR):
            read(patched(raw, size, wrong))
    with pytest.raises(RuntimeError, match="checksum"):
        read(patched(raw, b"0123456789abcdef", b"0123456789abcdeg"))
    with pytest.raises(RuntimeError, match="missing"):
        read(archive(tensor_text(), {"1": b"0123456789abcdef"}))
    file = io.BytesIO()
    with ZipFile(file, "w") as made:
        made.writestr("a/data.pkl", tensor_text())
        made.writestr("b/data.pkl", tensor_text())
    with pytest.raises(RuntimeError, match=r"2 records data\.pkl"):
        read(file.getvalue())
    assert zlib.crc32(b"") == 0


def test_records_that_overlap() -> None:
    """Many names for the same bytes would be a bomb."""
    content = b"0123456789abcdef"
    raw = archive(tensor_text(), {"0": content, "1": content})
    with ZipFile(io.BytesIO(raw)) as made:
        first, second = made.getinfo("a/data/0").header_offset, made.getinfo("a/data/1").header_offset
    record = raw[second : raw.index(content, second) + len(content)]
    nested = archive(tensor_text(), {"0": record, "1": content})
    with ZipFile(io.BytesIO(nested)) as made:
        second = made.getinfo("a/data/1").header_offset
    inner = nested.index(record, first)
    with pytest.raises(RuntimeError, match="overlaps"):
        read(nested[:-100] + patched(nested[-100:], struct.pack("<I", second), struct.pack("<I", inner)))
    with pytest.raises(RuntimeError, match="by its own header"):
        read(nested[:-100] + patched(nested[-100:], struct.pack("<I", second), struct.pack("<I", first)))


def sealed(format: str) -> bytes:
    file = io.BytesIO()
    torch.save({"weight": torch.arange(3.0), "bü": torch.tensor([True])}, file, format=format)
    return file.getvalue()


@pytest.mark.parametrize("format", ["pt", "npz"])
@given(data=st.data())
def test_no_flipped_bit_changes_what_is_read(format: str, data: Any) -> None:
    raw = sealed(format)
    place = data.draw(st.integers(0, len(raw) - 1))
    flipped = bytearray(raw)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        got = read(bytes(flipped))
    except (*CLEAR, EOFError):
        return
    assert repr(got) == repr(read(raw))


def npz(content: bytes, name: str = "x.npy") -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as made:
        made.writestr(name, content)
    return file.getvalue()


def npy(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


ARRAYS = {
    "objects": npy(
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", pickle.dumps([Attack(os.system, "touch x")])
    ),
    "huge": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}", b"12345678"),
    "negative": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}", b"12345678"),
    "code": npy("__import__('os').system('touch x')"),
    "text": npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", b"a\0\0\0"),
    "complex": npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
    "fields": npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", bytes(4)),
    "no magic": b"nonsense",
    "empty": b"",
}


@pytest.mark.parametrize("name", ARRAYS)
def test_hostile_arrays(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="'x' is no array"):
        read(npz(ARRAYS[name]))
    assert list(tmp_path.iterdir()) == []


def test_bools_of_other_bytes_count_as_true() -> None:
    text = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}"
    got = read(npz(npy(text, b"\x00\x01\x07"))), read(header({"x": entry(0, 3, dtype="BOOL")}, b"\x00\x01\x07"))
    for one in got:
        assert one["x"].tolist() == [False, True, True]
        assert one["x"].sum().item() == 2
