"""Zip archives of uncompressed records: the body of PyTorch's checkpoints and of NumPy's npz files.

Only records that are stored as they are are read: their size is checked against the file's, so that a small file
cannot ask for much memory. Nothing is ever unpacked to the disk; the names of records are keys and no paths.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ..arrays.dtypes import Array
from .files import Source

_ALIGNMENT = 64
_HEADER = struct.Struct("<4s5H3I2H")  # in front of each record; its last two numbers are lengths of name and extra
_END, _MANY = struct.Struct("<4s4H2LH"), 0xFFFF  # behind the directory; its fifth number counts the entries, if it can
_SIZES_FOLLOW, _UTF8 = (
    0x08,
    0x800,
)  # bits of a header's flags: checksum and sizes come after the content; the name is in UTF-8
_IN_EXTRA = 0xFFFFFFFF  # a size too large for its field
_PADDING = 0x4246  # the tag of a field that only fills


class Writer:
    """Writes records into an open file, their contents aligned to 64 bytes; ``close`` writes the directory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip = ZipFile(file, "w", ZIP_STORED)

    def add(self, name: str, content: Any) -> None:
        """Write one record: bytes, or the memory of an array."""
        info = ZipInfo(name)  # dated 1980: equal contents make equal files
        start = self._file.tell() + _HEADER.size + len(name.encode())
        info.extra = b"" if start % _ALIGNMENT == 0 else _filler((-start - 4) % _ALIGNMENT)
        self._zip.writestr(info, content)

    def close(self) -> None:
        """Write the directory."""
        self._zip.close()

    def abandon(self) -> None:
        """Let the archive go without a directory, after an error."""
        self._zip.fp = None


def _encoded(info: ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _filler(length: int) -> bytes:
    return struct.pack("<HH", _PADDING, length) + b"Z" * length


def write_archive(file: Any, records: Iterable[tuple[str, Any]]) -> None:
    """Write an archive of ``records`` into an open file, of which it takes no more than ``write`` if it cannot seek."""
    target = file if _seeks(file) else io.BytesIO()
    writer = Writer(target)
    try:
        for name, content in records:
            writer.add(name, content)
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    if target is not file:
        file.write(target.getvalue())


def _seeks(file: Any) -> bool:
    try:
        return bool(file.seekable() and file.tell() >= 0)
    except (AttributeError, OSError, ValueError):
        return False


class Reader:
    """The records of an archive by name. RuntimeError if it is damaged, or its records overlap or are compressed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        file = source.file if source.file is not None else io.BytesIO(source.bytes(0, source.size))
        try:
            with ZipFile(file) as archive:
                infos, comment = archive.infolist(), archive.comment
            count = _END.unpack(source.bytes(source.size - _END.size - len(comment), _END.size))[4]
        except (
            ArithmeticError, BadZipFile, EOFError, LookupError, MemoryError, NotImplementedError, OSError, ValueError,
            struct.error,
        ) as error:  # fmt: skip
            raise self._damaged(f"failed reading zip archive: {error}") from error
        if count not in (len(infos), _MANY):
            raise self._damaged(f"its directory has {len(infos)} entries, and should have {count}")
        self._infos: dict[str, ZipInfo] = {}
        for info in infos:
            if info.filename in self._infos:
                raise self._damaged(f"two records are named {info.filename!r}")
            self._infos[info.filename] = info
        self._place = {
            name: self._located(info) for name, info in self._infos.items() if self._is_plain(info)
        }  # fmt: skip
        end = 0
        for name, (start, size) in sorted(self._place.items(), key=lambda one: one[1]):
            if start < end:
                raise self._damaged(f"record {name!r} overlaps another")
            end = start + size

    @staticmethod
    def _is_plain(info: ZipInfo) -> bool:
        plain = info.compress_type == ZIP_STORED and not info.flag_bits & 1
        return plain and info.compress_size == info.file_size

    def _damaged(self, what: str) -> RuntimeError:
        return RuntimeError(f"{self._source.name} is damaged or no checkpoint: {what}")

    def _located(self, info: ZipInfo) -> tuple[int, int]:
        """Return where the content of a record begins, and its size; the record's own header must say the same."""
        try:
            raw = self._source.bytes(info.header_offset, _HEADER.size)
            mark, _, flags, method, _, _, checksum, packed, size, name, extra = _HEADER.unpack(raw)
            start = info.header_offset + _HEADER.size + name + extra
            inside = start + info.file_size <= self._source.size
            own_name = self._source.bytes(info.header_offset + _HEADER.size, name) if inside else b""
        except ValueError as error:
            raise self._damaged(str(error)) from error
        if mark != b"PK\x03\x04" or method != ZIP_STORED or not inside:
            raise self._damaged(f"record {info.filename!r} lies outside the file")
        known_later = flags & _SIZES_FOLLOW and not (checksum or packed or size)
        same = known_later or (
            checksum == info.CRC and all(one in (info.file_size, _IN_EXTRA) for one in (packed, size))
        )
        if flags != info.flag_bits or own_name != _encoded(info) or not same:
            raise self._damaged(f"record {info.filename!r} is another one by its own header")
        return start, info.file_size

    @property
    def names(self) -> list[str]:
        """The names of all records, in order."""
        return list(self._infos)

    def array(self, name: str, check: bool = True) -> Array:
        """Return the bytes of a record as an array; RuntimeError if there is none, or its checksum is wrong."""
        if name not in self._place:
            what = "compressed or encrypted, which is not read" if name in self._infos else "missing"
            raise self._damaged(f"record {name!r} is {what}")
        made: Any = self._source.array(*self._place[name])
        if check and zlib.crc32(made) != self._infos[name].CRC:
            raise self._damaged(f"the checksum of record {name!r} is wrong")
        found: Array = made
        return found

    def bytes(self, name: str) -> bytes:
        """Return the bytes of a record."""
        return self.array(name).tobytes()
