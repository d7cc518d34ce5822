"""A reader of pickles that cannot run code: it knows the names that checkpoints need, and refuses all others.

It is a stack machine for the opcodes that PyTorch writes (protocol 2,
https://docs.python.org/3/library/pickletools.html). No name is looked up in a module: each stands for a function below.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, NamedTuple

from ..arrays.device import device, strided
from ..arrays.dtypes import DTYPES, Array, dtype
from ..arrays.size import Size
from ..autograd.variable import Variable
from ..nn.parameter import Parameter
from ..tensors.tensor.conversions import new
from .memory import checked_key, look
from .pickler import FACTORIES

Storages = Callable[[str, str, str, int], Array]
"""Gives a storage: by the name of its type, its key, its place, and how many elements it must have."""


class _Name:
    """A name that may be called or referred to, but is no value."""

    def __init__(self, name: str, call: Callable[..., Any] | None = None) -> None:
        self.name, self.call = name, call


class _Stored(NamedTuple):
    array: Array


def _encode(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise UnpicklingError("_codecs.encode is only taken for bytes, as latin1")
    return text.encode("latin1")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Any:
    """Return a tensor on a piece of a storage; after the stride come requires_grad, hooks and metadata, if at all."""
    if not isinstance(storage, _Stored) or not isinstance(size, tuple) or not isinstance(stride, tuple):
        raise UnpicklingError("a tensor stands on no storage")
    if len(rest) > 3 or (len(rest) == 3 and rest[2]):
        raise UnpicklingError(f"a tensor has metadata that rushlight does not know: {rest[2:]!r}")
    return new(look(storage.array, offset, size, stride), bool(rest[0]) if rest else False)


def _parameter(data: Any, requires_grad: Any, hooks: Any, state: Any = None) -> Any:
    if not isinstance(data, Variable):
        raise UnpicklingError("a Parameter holds no tensor")
    return _with_state(Parameter(data, bool(requires_grad)), state)


def _typed(rebuild: Any, kind: Any, arguments: Any, state: Any) -> Any:
    if not isinstance(rebuild, _Name) or rebuild.call is None or not isinstance(kind, _Name):
        raise UnpicklingError("a tensor of unknown making")
    made = rebuild.call(*arguments)
    if kind.name == "torch.nn.parameter.Parameter" and not isinstance(made, Parameter):
        made = Parameter(made, made.requires_grad)
    elif kind.name not in ("torch.Tensor", "torch.nn.parameter.Parameter"):
        raise UnpicklingError(f"a tensor of class {kind.name}")
    return _with_state(made, state)


def _with_state(made: Any, state: Any) -> Any:
    """Return ``made`` with the attributes it had; none may hide what every object of its class has."""
    if state is None:
        return made
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise UnpicklingError(f"the attributes of {type(made).__name__} are no dict")
    for name, value in state.items():
        if hasattr(type(made), name):
            raise UnpicklingError(f"an attribute {name!r} would hide that of {type(made).__name__}")
        vars(made)[name] = value
    return made


def _made(kind: Callable[..., Any], types: tuple[type, ...]) -> Callable[..., Any]:
    """Return ``kind``, to be called with at most as many arguments, of these types."""

    def call(*given: Any) -> Any:
        if len(given) > len(types) or not all(map(isinstance, given, types)):
            raise UnpicklingError(f"{kind.__name__} is not made of {[type(one).__name__ for one in given]}")
        return kind(*given)

    return call


def _set(*given: Any) -> set[Any]:
    items = _made(list, (list,))(*given)
    return {checked_key(item, (dtype, device)) for item in items}


_FACTORIES = {f"builtins.{name}": factory for name, factory in FACTORIES.items()}
_FACTORIES |= {"builtins.long": int, "builtins.unicode": str}  # as they are called in pickles of protocol 2


def _default(*given: Any) -> defaultdict[Any, Any]:
    factories = [_FACTORIES.get(one.name) for one in given if isinstance(one, _Name)]
    if len(factories) != len(given) or len(given) > 1 or None in factories:
        raise UnpicklingError(f"a defaultdict cannot be made of {given!r}")
    return defaultdict(*factories)


def _bytearray(*given: Any) -> bytearray:
    return bytearray(_made(bytes, (bytes,))(*given))


_CALLS: dict[str, Callable[..., Any] | None] = {
    "collections.OrderedDict": _made(OrderedDict, ()),
    "collections.Counter": _made(Counter, (dict,)),
    "collections.defaultdict": _default,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _typed,
    "torch.nn.parameter.Parameter": None,
    "torch.Tensor": None,
    "torch.Size": _made(Size, (tuple,)),
    "torch.device": _made(device, (str, int)),
    "_codecs.encode": _encode,
    "builtins.set": _set,
    "builtins.bytearray": _bytearray,
    "builtins.bytes": _made(bytes, ()),
    "builtins.complex": _made(complex, (float, float)),
    "torch.serialization._get_layout": lambda name: strided,
}
for _name in _FACTORIES:
    _CALLS.setdefault(_name, None)
_VALUES = {f"torch.{each.name}": each for each in DTYPES}


def _named(module: str, name: str) -> Any:
    """Return the object a name stands for; UnpicklingError names one that is not known."""
    full = f"{'builtins' if module == '__builtin__' else module}.{name}"
    if full in _VALUES:
        return _VALUES[full]
    if full in _CALLS:
        return _Name(full, _CALLS[full])
    if module in ("torch", "torch.storage") and name.endswith("Storage"):
        return _Name(name)
    raise UnpicklingError(
        f"Unsupported global: GLOBAL {full} was not an allowed global by default. The file asks for something that is "
        "no tensor, number, text or container; rushlight never runs code from a file"
    )


class Unpickler:
    """Reads one pickle; ``load`` returns the object. All errors in the text are UnpicklingErrors."""

    def __init__(self, text: bytes, storages: Storages) -> None:
        self._text, self._at = text, 0
        self._storages = storages
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._loose = 0  # storages asked for that no tensor stands on yet

    def load(self) -> Any:
        """Return the object; UnpicklingError for names that are not allowed and for a text that is damaged."""
        try:
            while (code := self._take(1)) != b".":
                action = _ACTIONS.get(code)
                if action is None:
                    raise UnpicklingError(f"Unsupported operand {code[0]}")
                action(self)
            made = self._checked(self._stack.pop())
        except UnpicklingError:
            raise
        except (
            ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, RecursionError,
            TypeError, ValueError, AssertionError, struct.error,
        ) as error:  # fmt: skip
            raise UnpicklingError(f"the pickle is damaged near byte {self._at}: {error}") from error
        if self._loose > 0:
            raise UnpicklingError("the file holds storages without tensors, which rushlight does not have")
        return made

    # ------------------------------------------------------------------ reading

    def _take(self, count: int) -> bytes:
        start, end = self._at, self._at + count
        if end > len(self._text):
            raise UnpicklingError(f"pickle data was truncated: it ends at byte {len(self._text)}")
        self._at = end
        return self._text[start:end]

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> str:
        end = self._text.find(b"\n", self._at, self._at + 1000)
        if end < 0:
            raise UnpicklingError("pickle data was truncated: a name does not end")
        line = self._text[self._at : end]
        self._at = end + 1
        return line.decode()

    def _to_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _checked(self, value: Any) -> Any:
        if isinstance(value, _Name | _Stored):
            raise UnpicklingError(f"{getattr(value, 'name', 'a storage')} is no value for a checkpoint")
        return value

    # ------------------------------------------------------------------ acting

    def _start(self) -> None:
        if self._take(1) != b"\x02":
            raise UnpicklingError("only pickles of protocol 2, as PyTorch writes them, are read")

    def _mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _tuple(self) -> None:
        items = self._to_mark()  # before the stack is looked up, which this replaces
        self._stack.append(tuple(items))

    def _tuple_of(self, count: int) -> None:
        if len(self._stack) < count:
            raise UnpicklingError("the pickle is damaged: too little for a tuple")
        self._stack[len(self._stack) - count :] = [tuple(self._stack[len(self._stack) - count :])]

    def _remember(self, form: str) -> None:
        self._memo[self._number(form)] = self._stack[-1]

    def _global(self) -> None:
        self._stack.append(_named(self._line(), self._line()))

    def _string(self, form: str) -> None:
        self._stack.append(str(self._take(self._number(form)), "utf-8", "surrogatepass"))

    def _append(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise UnpicklingError(f"Can only append to lists, but got {type(target).__name__}")
        target.extend(map(self._checked, items))

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) not in (dict, OrderedDict, Counter, defaultdict):
            raise UnpicklingError(f"Can only set items of dicts, but got {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[checked_key(key, (dtype, device))] = self._checked(value)

    def _call(self) -> None:
        arguments, name = self._stack.pop(), self._stack.pop()
        if not isinstance(name, _Name) or name.call is None or type(arguments) is not tuple:
            raise UnpicklingError(f"the pickle calls what is no function: {getattr(name, 'name', type(name).__name__)}")
        self._loose -= name.call is _tensor
        self._stack.append(name.call(*arguments))
        if name.call is _typed:
            self._loose -= 1

    def _build(self) -> None:
        state, made = self._stack.pop(), self._stack[-1]
        if type(made) is not OrderedDict:
            raise UnpicklingError(f"Can only build OrderedDict, but got {type(made).__name__}")
        _with_state(made, state)

    def _persistent(self) -> None:
        given = self._stack.pop()
        if type(given) is not tuple or len(given) != 5 or given[0] != "storage":
            raise UnpicklingError("only storages are records of their own")
        _, kind, key, place, count = given
        if not isinstance(kind, _Name) or not isinstance(key, str) or not isinstance(place, str):
            raise UnpicklingError("a storage of unknown kind")
        if type(count) is not int or count < 0:
            raise UnpicklingError(f"a storage of {count!r} elements")
        self._loose += 1
        self._stack.append(_Stored(self._storages(kind.name, key, place, count)))


def _pushes(make: Callable[[Unpickler], Any]) -> Callable[[Unpickler], None]:
    return lambda self: self._stack.append(make(self))


_ACTIONS: dict[bytes, Callable[[Unpickler], None]] = {
    b"\x80": Unpickler._start, b"(": Unpickler._mark, b"c": Unpickler._global, b"R": Unpickler._call,
    b"b": Unpickler._build, b"Q": Unpickler._persistent,
    b"N": _pushes(lambda _: None), b"\x88": _pushes(lambda _: True), b"\x89": _pushes(lambda _: False),
    b"]": _pushes(lambda _: []), b"}": _pushes(lambda _: {}), b")": _pushes(lambda _: ()),
    b"K": _pushes(lambda self: self._number("B")), b"M": _pushes(lambda self: self._number("<H")),
    b"J": _pushes(lambda self: self._number("<i")), b"G": _pushes(lambda self: self._number(">d")),
    b"\x8a": _pushes(lambda self: int.from_bytes(self._take(self._number("B")), "little", signed=True)),
    b"X": lambda self: self._string("<I"),
    b"t": Unpickler._tuple,
    b"\x85": lambda self: self._tuple_of(1), b"\x86": lambda self: self._tuple_of(2),
    b"\x87": lambda self: self._tuple_of(3),
    b"h": _pushes(lambda self: self._memo[self._number("B")]),
    b"j": _pushes(lambda self: self._memo[self._number("<I")]),
    b"q": lambda self: self._remember("B"), b"r": lambda self: self._remember("<I"),
    b"a": lambda self: self._append([self._stack.pop()]), b"e": lambda self: self._append(self._to_mark()),
    b"s": lambda self: self._set_items([self._stack.pop(-2), self._stack.pop()]),
    b"u": lambda self: self._set_items(self._to_mark()),
}  # fmt: skip
