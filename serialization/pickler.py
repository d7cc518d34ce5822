"""A pickler for what checkpoints hold, and nothing else: the text is what PyTorch's ``load(weights_only=True)`` takes.

Protocol 2, see https://docs.python.org/3/library/pickletools.html. Tensors stand in it as pieces of storages, which are
records of their own in the file.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

from ..arrays.device import device, layout
from ..arrays.dtypes import Array, dtype, dtype_of
from ..arrays.size import Size
from ..autograd.variable import Variable
from ..nn.parameter import Parameter
from .memory import Memory, Piece

DEEPEST = 100
"""So deep containers may be nested."""


FACTORIES: dict[str, type] = {each.__name__: each for each in (bool, dict, float, int, list, set, str, tuple)}
"""What makes the values that a defaultdict lacks, as far as files may say it."""


def factory_name(items: defaultdict[Any, Any], path: str) -> str | None:
    """Return the name of what makes the values that ``items`` lacks; PicklingError unless it is one of FACTORIES."""
    factory: Any = items.default_factory
    if factory is None:
        return None
    if factory not in FACTORIES.values():
        raise PicklingError(f"{path} makes missing values by {factory!r}, which cannot be saved: {list(FACTORIES)} can")
    name: str = factory.__name__
    return name


def refused(obj: Any, path: str) -> PicklingError:
    """Return the error for an object that files do not hold."""
    kind = f"{type(obj).__module__}.{type(obj).__qualname__}".removeprefix("builtins.")
    if hasattr(obj, "state_dict"):
        hint = "a file that cannot run code holds no objects with methods: save its state_dict() instead"
    elif type(obj).__module__ == "numpy":
        hint = "make it a number with .item(), or a tensor with from_numpy()"
    else:
        hint = "tensors, numbers, texts, bytes, dtypes, devices, sizes, and dicts, lists, tuples and sets of them can"
    return PicklingError(f"{path} is of type {kind}, which cannot be saved: {hint}")


def attributes(tensor: Any, path: str) -> dict[str, Any]:
    """Return the attributes the user set on a tensor; PicklingError if it is of a class of the user's."""
    if type(tensor) not in (Variable.result, Parameter):
        raise PicklingError(f"{path} is a {type(tensor).__name__}: of Tensor's subclasses only Parameter is saved")
    found: dict[str, Any] = dict(tensor.__dict__)
    return found


class Pickler:
    """Writes one object as a pickle; ``dump`` returns it, and the storages that it refers to by number."""

    def __init__(self) -> None:
        self._parts: list[bytes | int] = [b"\x80\x02"]
        self._memo: dict[Any, int] = {}
        self._held: list[Any] = []  # an id is not used twice while its object lives
        self._open: set[int] = set()
        self._memory = Memory()

    def dump(self, obj: Any) -> tuple[bytes, list[Array]]:
        """Return the pickle of ``obj`` and its storages, one-dimensional arrays; PicklingError names what cannot be."""
        self._save(obj, "the object", 0)
        pieces, storages = self._memory.settle()
        made = [part if isinstance(part, bytes) else self._piece(pieces[part], storages) for part in self._parts]
        return b"".join([*made, b"."]), storages

    def _put(self, *parts: bytes) -> None:
        self._parts += parts

    def _save(self, obj: Any, path: str, depth: int) -> None:
        if depth > DEEPEST:
            raise PicklingError(f"{path[:200]}... is nested more than {DEEPEST} deep")
        known = self._memo.get(id(obj))
        if known is not None:
            self._put(_numbered(b"h", b"j", known))
            return
        if id(obj) in self._open:
            raise PicklingError(f"{path} contains itself")
        if isinstance(obj, Variable):
            self._tensor(obj, path, depth)
            return
        writer = _WRITERS.get(type(obj))
        if writer is None:
            raise refused(obj, path)
        writer(self, obj, path, depth)

    def _remember(self, obj: Any) -> None:
        """Let what was written last be found again when ``obj`` comes a second time."""
        number = self._memo[id(obj)] = len(self._memo)
        self._held.append(obj)
        self._put(_numbered(b"q", b"r", number))

    # ------------------------------------------------------------------ values

    def _text(self, text: str, path: str = "") -> None:
        known = self._memo.get(("text", text))
        if known is not None:
            self._put(_numbered(b"h", b"j", known))
            return
        raw = text.encode("utf-8", "surrogatepass")
        if len(raw) >= 2**32:
            raise PicklingError(f"{path} is a text of {len(raw)} bytes, which is too long")
        number = self._memo["text", text] = len(self._memo)
        self._put(b"X" + struct.pack("<I", len(raw)) + raw, _numbered(b"q", b"r", number))

    def _global(self, module: str, name: str) -> None:
        self._put(f"c{module}\n{name}\n".encode())

    def _bytes(self, raw: bytes, path: str) -> None:
        self._global("_codecs", "encode")
        self._text(raw.decode("latin1"), path)
        self._text("latin1")
        self._put(b"\x86R")

    def _bytearray(self, raw: bytearray, path: str, depth: int) -> None:
        self._global("__builtin__", "bytearray")
        self._bytes(bytes(raw), path)
        self._put(b"\x85R")
        self._remember(raw)

    def _complex(self, value: complex, path: str, depth: int) -> None:
        self._global("__builtin__", "complex")
        self._put(b"G" + struct.pack(">d", value.real), b"G" + struct.pack(">d", value.imag), b"\x86R")

    def _dtype(self, kind: dtype, path: str, depth: int) -> None:
        self._global("torch", kind.name)

    def _layout(self, kind: layout, path: str, depth: int) -> None:
        self._global("torch.serialization", "_get_layout")
        self._text(repr(kind))
        self._put(b"\x85R")

    def _device(self, place: device, path: str, depth: int) -> None:
        self._global("torch", "device")
        self._text(place.type)
        self._put(b"\x85R" if place.index is None else _int(place.index, path) + b"\x86R")

    def _size(self, size: Size, path: str, depth: int) -> None:
        self._global("torch", "Size")
        self._put(_ints(size), b"\x85R")

    # ------------------------------------------------------------------ containers

    def _tuple(self, items: tuple[Any, ...], path: str, depth: int) -> None:
        if items:
            self._open.add(id(items))
            if len(items) > 3:
                self._put(b"(")
            for place, item in enumerate(items):
                self._save(item, f"{path}[{place}]", depth + 1)
            self._open.discard(id(items))
        self._put((b")", b"\x85", b"\x86", b"\x87")[len(items)] if len(items) < 4 else b"t")
        if items:
            self._remember(items)

    def _list(self, items: list[Any], path: str, depth: int) -> None:
        self._put(b"]")
        self._remember(items)
        self._put(b"(")
        for place, item in enumerate(items):
            self._save(item, f"{path}[{place}]", depth + 1)
        self._put(b"e")

    def _set(self, items: set[Any], path: str, depth: int) -> None:
        self._global("__builtin__", "set")
        self._put(b"](")
        for item in items:
            self._save(item, f"a member of {path}", depth + 1)
        self._put(b"e\x85R")
        self._remember(items)

    def _dict(self, items: dict[Any, Any], path: str, depth: int) -> None:
        self._put(b"}")
        self._remember(items)
        self._items(items, path, depth)

    def _ordered(self, items: OrderedDict[Any, Any], path: str, depth: int) -> None:
        self._global("collections", "OrderedDict")
        self._put(b")R")
        self._remember(items)
        self._items(items, path, depth)
        if vars(items):
            self._dict(vars(items), f"vars({path})", depth + 1)
            self._put(b"b")

    def _counter(self, items: Counter[Any], path: str, depth: int) -> None:
        self._open.add(id(items))
        self._global("collections", "Counter")
        self._put(b"}")
        self._items(items, path, depth)
        self._put(b"\x85R")
        self._open.discard(id(items))
        self._remember(items)

    def _default(self, items: defaultdict[Any, Any], path: str, depth: int) -> None:
        self._global("collections", "defaultdict")
        name = factory_name(items, path)
        if name is None:
            self._put(b")R")
        else:
            self._global("__builtin__", name)
            self._put(b"\x85R")
        self._remember(items)
        self._items(items, path, depth)

    def _items(self, items: dict[Any, Any], path: str, depth: int) -> None:
        self._put(b"(")
        for key, value in items.items():
            if isinstance(key, Variable):
                raise PicklingError(f"{path} has a tensor as key")
            self._save(key, f"a key of {path}", depth + 1)
            self._save(value, f"{path}[{key!r}]", depth + 1)
        self._put(b"u")

    # ------------------------------------------------------------------ tensors

    def _tensor(self, tensor: Any, path: str, depth: int) -> None:
        state = attributes(tensor, path)
        parameter = type(tensor) is Parameter
        if state and not parameter:
            self._global("torch._tensor", "_rebuild_from_type_v2")
            self._put(b"(")
            self._global("torch._utils", "_rebuild_tensor_v2")
            self._global("torch", "Tensor")
            self._bare(tensor, tensor.requires_grad)
            self._save(state, f"vars({path})", depth + 1)
            self._put(b"tR")
        elif not parameter:
            self._global("torch._utils", "_rebuild_tensor_v2")
            self._bare(tensor, tensor.requires_grad)
            self._put(b"R")
        else:
            self._global("torch._utils", "_rebuild_parameter_with_state" if state else "_rebuild_parameter")
            self._put(b"(")
            self._global("torch._utils", "_rebuild_tensor_v2")
            self._bare(tensor, False)
            self._put(b"R", b"\x88" if tensor.requires_grad else b"\x89")
            self._no_hooks()
            if state:
                self._save(state, f"vars({path})", depth + 1)
            self._put(b"tR")
        self._remember(tensor)

    def _bare(self, tensor: Any, requires_grad: bool) -> None:
        self._put(b"(")
        self._parts.append(self._memory.add(tensor))
        self._put(b"\x88" if requires_grad else b"\x89")
        self._no_hooks()
        self._put(b"t")

    def _no_hooks(self) -> None:
        self._global("collections", "OrderedDict")
        self._put(b")R")

    def _piece(self, piece: Piece, storages: list[Array]) -> bytes:
        """Return the storage of a piece, by number, then its offset, size and stride."""
        storage = storages[piece.storage]
        return b"".join([
            b"(", _plain("storage"), f"ctorch\n{dtype_of(storage.dtype).legacy}Storage\n".encode(),
            _plain(str(piece.storage)), _plain("cpu"), _int(storage.size, "a storage"), b"tQ",
            _int(piece.offset, "an offset"), _ints(piece.shape), _ints(piece.stride),
        ])  # fmt: skip


_WRITERS: dict[type, Callable[[Pickler, Any, str, int], None]] = {
    type(None): lambda self, *_: self._put(b"N"),
    bool: lambda self, value, *_: self._put(b"\x88" if value else b"\x89"),
    int: lambda self, value, path, _: self._put(_int(value, path)),
    float: lambda self, value, *_: self._put(b"G" + struct.pack(">d", value)),
    str: lambda self, text, path, _: self._text(text, path),
    bytes: lambda self, raw, path, _: self._bytes(raw, path),
    bytearray: Pickler._bytearray,
    complex: Pickler._complex,
    tuple: Pickler._tuple,
    list: Pickler._list,
    dict: Pickler._dict,
    OrderedDict: Pickler._ordered,
    Counter: Pickler._counter,
    defaultdict: Pickler._default,
    set: Pickler._set,
    Size: Pickler._size,
    dtype: Pickler._dtype,
    device: Pickler._device,
    layout: Pickler._layout,
}


def _numbered(short: bytes, long: bytes, number: int) -> bytes:
    return short + bytes((number,)) if number < 256 else long + struct.pack("<I", number)


def _plain(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _ints(numbers: tuple[int, ...]) -> bytes:
    made = b"".join(_int(n, "a size") for n in numbers)
    return (made + (b")", b"\x85", b"\x86", b"\x87")[len(numbers)]) if len(numbers) < 4 else b"(" + made + b"t"


def _int(value: int, path: str) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes((value,))
    if 0 <= value < 65536:
        return b"M" + struct.pack("<H", value)
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    if len(raw) > 255:
        raise PicklingError(f"{path} is an int of {value.bit_length()} bits, which is too large")
    return b"\x8a" + bytes((len(raw),)) + raw
