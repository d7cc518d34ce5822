"""PyTorch's checkpoint: a zip archive of a pickle and the storages that it refers to.

PyTorch's ``load(weights_only=True)`` reads what is written; what its ``save`` wrote is read without running code.
https://pytorch.org/docs/stable/notes/serialization.html
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pickle import UnpicklingError
from typing import IO, Any
from warnings import warn

import numpy as np

from ..arrays.dtypes import DTYPES, Array
from .archive import Reader, write_archive
from .files import is_path, typed
from .memory import truths, widened
from .pickler import Pickler
from .unpickler import Unpickler

_KINDS = {f"{each.legacy}Storage": each.numpy for each in DTYPES}
_BFLOAT16 = "BFloat16Storage"


def save(obj: Any, f: Any, file: IO[bytes]) -> None:
    """Write ``obj`` into ``file``, which was opened for ``f``."""
    text, storages = Pickler().dump(obj)
    stem = os.path.splitext(os.path.basename(os.fsdecode(f)))[0] if is_path(f) else ""  # noqa: PTH119, PTH122
    write_archive(file, _records(stem or "archive", text, storages))


def _records(folder: str, text: bytes, storages: list[Array]) -> Iterator[tuple[str, Any]]:
    yield f"{folder}/data.pkl", text
    yield f"{folder}/.format_version", b"1"
    yield f"{folder}/.storage_alignment", b"64"
    yield f"{folder}/byteorder", b"little"
    for number, storage in enumerate(storages):
        little = storage.astype(storage.dtype.newbyteorder("<"), copy=False)
        yield f"{folder}/data/{number}", little.view(np.uint8) if little.size else b""
    yield f"{folder}/version", b"3\n"


def load(archive: Reader, locate: Any, check: bool) -> Any:
    """Return the object that a checkpoint holds; ``locate(place)`` raises if a storage cannot come from there."""
    return _Checkpoint(archive, locate, check).load()


def is_checkpoint(archive: Reader) -> bool:
    """Return whether an archive is a checkpoint, and not a NumPy file."""
    return any(name.endswith("/data.pkl") for name in archive.names)


class _Checkpoint:
    def __init__(self, archive: Reader, locate: Any, check: bool) -> None:
        found = [name for name in archive.names if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(found) != 1:
            raise RuntimeError(f"the file is no checkpoint: it has {len(found)} records data.pkl")
        self.folder = found[0].removesuffix("data.pkl")
        if f"{self.folder}constants.pkl" in archive.names:
            raise RuntimeError("the file is a TorchScript archive, which holds code: rushlight does not read it")
        self.archive, self.locate, self.check = archive, locate, check
        order = archive.bytes(f"{self.folder}byteorder") if f"{self.folder}byteorder" in archive.names else b"little"
        if order not in (b"little", b"big"):
            raise RuntimeError(f"the file has a byte order of its own: {order[:20]!r}")
        self.swapped = (order == b"little") != np.dtype("<i4").isnative
        self.storages: dict[str, tuple[str, Array]] = {}
        self.bfloat16 = 0

    def load(self) -> Any:
        made = Unpickler(self.archive.bytes(f"{self.folder}data.pkl"), self._storage).load()
        if self.bfloat16:
            warn(
                f"{self.bfloat16} storages of bfloat16 were read as float32: the same values, twice the memory",
                UserWarning,
                stacklevel=4,
            )
        return made

    def _storage(self, kind: str, key: str, place: str, count: int) -> Array:
        self.locate(place)
        if key not in self.storages:
            self.storages[key] = kind, self._read(kind, key)
        before, array = self.storages[key]
        if before != kind:
            raise UnpicklingError(f"storage {key!r} is asked for as {before} and as {kind}")
        if array.size < count:
            raise UnpicklingError(f"storage {key!r} has {array.size} elements, and should have {count}")
        return array

    def _read(self, kind: str, key: str) -> Array:
        name = f"{self.folder}data/{key}"
        dtype = np.dtype(np.uint16) if kind == _BFLOAT16 else _KINDS.get(kind)
        if dtype is None:
            raise UnpicklingError(f"storage {key!r} is a {kind}, and rushlight has no dtype for that")
        raw = self.archive.array(name, self.check)
        if raw.size % dtype.itemsize:
            raise UnpicklingError(f"storage {key!r} has {raw.size} bytes, which is no whole number of elements")
        array = typed(raw, dtype)
        if self.swapped:
            array = array.byteswap()
        if kind == _BFLOAT16:
            self.bfloat16 += 1
            return widened(array)
        return truths(array) if dtype.kind == "b" else array
