"""The safetensors format: the length of a JSON header in 8 bytes, the header, and the elements of all tensors.

https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
from math import prod
from typing import IO, Any
from warnings import warn

import numpy as np

from ..arrays.dtypes import Array
from .described import described, rebuilt
from .files import Source, native, typed
from .memory import truths, widened

_NAMES = {
    "float16": "F16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
_KINDS = {short: np.dtype(name).newbyteorder("<") for name, short in _NAMES.items()}
_BFLOAT16 = np.dtype(np.uint16).newbyteorder("<")
_LONGEST_HEADER = 100_000_000
_OURS = "rushlight"


def save(obj: Any, f: Any, file: IO[bytes]) -> None:
    """Write ``obj`` into ``file``."""
    entries, description = described(obj)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    if description is not None:
        header["__metadata__"][_OURS] = description
    places, end = {}, 0
    order = sorted(range(len(entries)), key=lambda place: -entries[place][1].itemsize)  # so that all are aligned
    for place in order:
        size = entries[place][1].nbytes
        places[place] = [end, end + size]
        end += size
    for place, (name, array) in enumerate(entries):
        header[name] = {
            "dtype": _NAMES[array.dtype.name], "shape": list(array.shape), "data_offsets": places[place],
        }  # fmt: skip
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for place in order:
        array = entries[place][1]
        file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key occurs twice")
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def looks_like(start: bytes, size: int) -> bool:
    """Return whether a file may be in this format, by its first bytes."""
    return len(start) > 8 and start[8:9] == b"{"


def load(source: Source) -> Any:
    """Return the object that a file holds, or a dict of its tensors by name if another program wrote it.

    ValueError says what is wrong with a damaged file or one whose dtypes rushlight does not have. bfloat16 becomes
    float32, with a warning.
    """
    header, start = _header(source)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(one, str) for one in metadata.values()):
        raise _damaged(source, "its __metadata__ is no dict of texts")
    places = {name: _checked(source, name, entry) for name, entry in header.items()}
    end = 0
    for name, (_, _, first, last) in sorted(places.items(), key=lambda one: one[1][2:]):
        if first != end:
            raise _damaged(source, f"the elements of {name!r} overlap others, or leave a gap before them")
        end = last
    if start + end != source.size:
        raise _damaged(source, f"it has {source.size} bytes, and should have {start + end}")
    wide = [name for name, place in places.items() if place[0] is _BFLOAT16]

    def array(name: str) -> Array:
        if name not in places:
            raise ValueError(f"entry {name!r} is missing")
        kind, shape, first, last = places[name]
        found = typed(source.array(start + first, last - first), kind)
        found = native(found)
        found = widened(found) if kind is _BFLOAT16 else truths(found) if kind.kind == "b" else found
        try:
            return found.reshape(shape)
        except ValueError as error:
            raise _damaged(source, f"entry {name!r} has a shape that cannot be: {error}") from error

    made = rebuilt(metadata.get(_OURS), list(places), array)
    if wide:
        warn(
            f"{len(wide)} entries of bfloat16 were read as float32, the same values in twice the memory: {wide[:3]}",
            UserWarning,
            stacklevel=3,
        )
    return made


def _damaged(source: Source, what: str) -> ValueError:
    return ValueError(f"{source.name} is a damaged safetensors file: {what}")


def _header(source: Source) -> tuple[dict[str, Any], int]:
    """Return the header, and where the elements begin."""
    if source.size < 8:
        raise _damaged(source, f"it has {source.size} bytes")
    length = int.from_bytes(source.bytes(0, 8), "little")
    if length > min(source.size - 8, _LONGEST_HEADER):
        raise _damaged(source, f"its header should have {length} bytes, the file has {source.size}")
    try:
        header = json.loads(source.bytes(8, length), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _damaged(source, f"its header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise _damaged(source, "its header is no dict")
    return header, 8 + length


def _checked(source: Source, name: str, entry: Any) -> tuple[Any, list[int], int, int]:
    """Return dtype, shape, start and end of an entry of the header."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _damaged(source, f"entry {name!r} does not say dtype, shape and data_offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    numbers = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2
    if not numbers or any(type(n) is not int or not 0 <= n < 2**62 for n in (*shape, *offsets)):
        raise _damaged(source, f"entry {name!r} has shape {shape!r} and offsets {offsets!r}")
    kind = _BFLOAT16 if entry["dtype"] == "BF16" else None
    if kind is None and isinstance(entry["dtype"], str):
        kind = _KINDS.get(entry["dtype"])
    if kind is None:
        raise ValueError(f"{source.name}: entry {name!r} is of dtype {entry['dtype']!r}, which rushlight does not have")
    if len(shape) > 64:
        raise _damaged(source, f"entry {name!r} has {len(shape)} dims, NumPy's arrays have at most 64")
    if offsets[1] - offsets[0] != prod(shape) * kind.itemsize:
        raise _damaged(source, f"entry {name!r} has {offsets[1] - offsets[0]} bytes for shape {shape}")
    return kind, shape, offsets[0], offsets[1]
