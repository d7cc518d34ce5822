"""NumPy's npz format: a zip archive of arrays, each with a header that tells dtype and shape.

What is written, ``numpy.load(allow_pickle=False)`` reads. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import prod
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from ..arrays.dtypes import Array, dtype_of
from .archive import Reader, write_archive
from .described import described, rebuilt
from .files import Source, native, typed
from .memory import truths

_OURS = "__rushlight__"


def save(obj: Any, f: Any, file: IO[bytes]) -> None:
    """Write ``obj`` into ``file``."""
    entries, description = described(obj)
    if description is not None:
        entries = [*entries, (_OURS, np.frombuffer(description.encode(), np.uint8))]
    write_archive(file, _records(entries))


def _records(entries: list[tuple[str, Array]]) -> Iterator[tuple[str, Any]]:
    for name, array in entries:
        if "\0" in name:
            raise ValueError(f"a record cannot be named {name!r}")
        text = io.BytesIO()
        npy.write_array(text, array, allow_pickle=False)
        yield f"{name}.npy", text.getvalue()


def load(source: Source, archive: Reader, check: bool) -> Any:
    """Return the object that an archive holds, or a dict of its arrays as tensors if another program wrote it.

    ValueError for a damaged record, or one whose dtype rushlight does not have.
    """
    names = [name.removesuffix(".npy") for name in archive.names]
    if [f"{name}.npy" for name in names] != archive.names:
        raise ValueError(f"{source.name} is neither a checkpoint nor a NumPy file: it holds {archive.names[:5]}")

    def array(name: str) -> Array:
        if name not in names:
            raise ValueError(f"entry {name!r} is missing")
        return _array(name, archive.array(f"{name}.npy", check))

    description = None
    if _OURS in names:
        try:
            description = array(_OURS).tobytes().decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"the description of the file's content is damaged: {error}") from error
    return rebuilt(description, names, array)


def _array(name: str, raw: Array) -> Array:
    """Return the array in the bytes of a record."""
    text = io.BytesIO(raw[:100_000].tobytes())  # the header is in there, if NumPy wrote it
    try:
        version = npy.read_magic(text)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, by_columns, kind = read(text)
        if kind.hasobject or len(shape) > 64 or min(shape, default=0) < 0:
            raise ValueError(f"shape {shape} and dtype {kind} describe no tensor")
        start = text.tell()
        if prod(shape) * kind.itemsize != raw.size - start:
            raise ValueError(f"{raw.size - start} bytes for shape {shape} and dtype {kind}")
        found = typed(raw[start:], kind)
        found = native(found)
        dtype_of(found.dtype)
        found = truths(found) if kind.kind == "b" else found
        return found.reshape(shape, order="F" if by_columns else "C")
    except (ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError(f"entry {name!r} is no array that can be read: {error}") from error
