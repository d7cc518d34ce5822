"""Files: written whole or not at all, and read only as far as they reach."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import numpy as np

from ..arrays.dtypes import Array

fcntl: Any
try:
    import fcntl
except ImportError:  # a system without these locks, such as Windows
    fcntl = None


def is_path(f: Any) -> bool:
    """Return whether ``f`` names a file, and is not one."""
    return isinstance(f, str | os.PathLike)


def write(f: Any, fill: Callable[[IO[bytes]], None]) -> None:
    """Have ``fill`` write into the file that ``f`` names or is.

    A named file is replaced when all is written and on the disk; until then, and after any error, the old one stays.
    What a killed save left is removed by the next save of that name.
    Links stay links, and the file keeps its permissions. What is no regular file, such as a device, is written to
    directly.
    Raises AttributeError for what is no file, RuntimeError where there is no folder.
    """
    if not is_path(f):
        if not hasattr(f, "write"):
            raise AttributeError(
                "expected 'f' to be string, path, or a file-like object with a 'write' attribute, not "
                f"{type(f).__name__}"
            )
        fill(f)
        return
    target = os.path.realpath(os.fsdecode(f))
    mode = None
    with suppress(FileNotFoundError):
        mode = os.stat(target).st_mode  # noqa: PTH116  # one call that works for every kind of file
    if mode is not None and stat.S_ISDIR(mode):
        raise RuntimeError(f"{target} is a folder, and no file can be opened there")
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:  # noqa: PTH123
            fill(file)
        return
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):  # noqa: PTH112
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(f"{target} is read-only")
    with _replacement(target, folder, name, mode) as file:
        fill(file)


@contextmanager
def _replacement(target: str, folder: str, name: str, mode: int | None) -> Iterator[IO[bytes]]:
    """Give a new file in the same folder that takes the place of ``target``, or vanishes if something goes wrong."""
    _remove_abandoned(folder, name)
    beside, file, lock = _beside(folder, name)
    try:
        if mode is not None:
            with suppress(OSError, NotImplementedError):
                os.chmod(beside, stat.S_IMODE(mode))  # noqa: PTH101
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            os.unlink(beside)  # noqa: PTH108
        raise
    finally:
        if lock is not None:
            os.close(lock)
    with suppress(OSError):  # the folder's own entry; not every system can
        folder_itself = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(folder_itself)
        finally:
            os.close(folder_itself)


def _beside(folder: str, name: str) -> tuple[str, IO[bytes], int | None]:
    """Return path, file and lock of a new file in ``folder``; None for the lock where there are no locks."""
    while True:
        path = os.path.join(folder, f"{_begin(name)}{os.urandom(8).hex()}{_END}")  # noqa: PTH118
        file = create(path)
        lock = _locked(path)
        if lock is not None or fcntl is None:
            return path, file, lock
        file.close()  # another save took it for abandoned before it was locked


def _locked(path: str) -> int | None:
    """Return a descriptor that locks the file at ``path``; None if there is none, or somebody else has locked it."""
    if fcntl is None:
        return None
    with suppress(OSError):
        lock = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), os.stat(path)):  # noqa: PTH116
                return lock
        except OSError:
            pass
        os.close(lock)
    return None


_END = ".tmp"


def _begin(name: str) -> str:
    return f".{name[:100]}."


def _remove_abandoned(folder: str, name: str) -> None:
    """Remove what earlier saves of this name left that were killed: the system lets go of the locks of the dead."""
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            middle = entry.name.removeprefix(_begin(name)).removesuffix(_END)
            if entry.name != f"{_begin(name)}{middle}{_END}" or len(middle) != 16:
                continue
            lock = _locked(entry.path)
            if lock is not None:
                with suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108
                os.close(lock)


def create(path: str) -> IO[bytes]:
    """Return a new file, open for writing; FileExistsError if there is one."""
    return open(path, "xb")  # noqa: PTH123


class Source:
    """The bytes of a file, read in parts. ``array`` checks that a part lies in the file before it takes memory.

    A path is read part by part, with ``mmap`` as a copy-on-write map; a file object from where it stands to its end.
    """

    def __init__(self, f: Any, mmap: bool) -> None:
        self._map: Any = None
        if is_path(f):
            self.name = os.fsdecode(f)
            self.file: Any = open(f, "rb")  # noqa: PTH123, SIM115
            self.size = os.fstat(self.file.fileno()).st_size
            if mmap and self.size:
                self._map = np.memmap(self.name, np.uint8, "c")
            return
        if not hasattr(f, "read"):
            raise AttributeError(
                "expected 'f' to be string, path, or a file-like object with a 'read' attribute, not "
                f"{type(f).__name__}"
            )
        if mmap:
            raise ValueError("mmap=True needs the name of a file")
        self.name = "the file"
        raw = f.read()
        if not isinstance(raw, bytes):
            raise TypeError(f"the file must be open for bytes, not {type(raw).__name__}")
        self.file, self.size = None, len(raw)
        self._raw = raw

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    def array(self, offset: int, size: int) -> Array:
        """Return ``size`` bytes from ``offset`` on as a new array; ValueError if the file does not have them."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ValueError(
                f"{self.name} is truncated or damaged: {size} bytes from {offset} on are not among its {self.size}"
            )
        if self._map is not None:
            mapped: Array = np.asarray(self._map[offset : offset + size])
            return mapped
        if self.file is None:
            return np.frombuffer(self._raw, np.uint8, size, offset).copy()
        made: Array = np.empty(size, np.uint8)
        self.file.seek(offset)
        memory: Any = made
        view, done = memoryview(memory), 0
        while done < size:
            read = self.file.readinto(view[done:])
            if not read:
                raise ValueError(f"{self.name} became shorter while it was read")
            done += read
        return made

    def bytes(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset`` on."""
        return self.array(offset, size).tobytes()


def typed(raw: Array, kind: np.dtype[Any]) -> Array:
    """Return bytes as elements of ``kind``; they lie where the processor likes it."""
    if raw.__array_interface__["data"][0] % kind.alignment:
        raw = raw.copy()
    return raw.view(kind)


def native(array: Array) -> Array:
    """Return an array in the processor's byte order, with the one dtype object that the engine knows by identity."""
    kind = np.dtype(array.dtype.newbyteorder("=").str)
    return array.astype(kind, copy=False).view(kind)
