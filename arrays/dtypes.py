"""PyTorch's dtypes over NumPy's, the default dtype, and type promotion.

Promotion follows https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc: a tensor with dims
outranks a 0-d tensor, which outranks a Python number, unless the lower one is of a higher kind
(bool < integer < float).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
"""What a kernel works on. A value without dims may also be a NumPy scalar, which costs a fifth as much.

``benchmarks/claims.py`` measures it.
"""
Number = bool | int | float


class dtype:
    """The type of a tensor's elements, such as ``rushlight.float32``.

    >>> import rushlight as torch
    >>> torch.float32, torch.float32.itemsize, torch.int64.is_floating_point
    (torch.float32, 4, False)
    """

    __slots__ = ("is_complex", "is_floating_point", "is_signed", "itemsize", "legacy", "name", "numpy")

    def __init__(self, name: str, kind: type[np.generic], legacy: str) -> None:
        self.name = name
        self.numpy = np.dtype(kind)
        self.legacy = legacy
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.is_signed = self.numpy.kind in "fi"
        self.is_complex = False

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _by_name, (self.name,)


float16 = dtype("float16", np.float16, "Half")
float32 = dtype("float32", np.float32, "Float")
float64 = dtype("float64", np.float64, "Double")
int8 = dtype("int8", np.int8, "Char")
int16 = dtype("int16", np.int16, "Short")
int32 = dtype("int32", np.int32, "Int")
int64 = dtype("int64", np.int64, "Long")
uint8 = dtype("uint8", np.uint8, "Byte")
bool_ = dtype("bool", np.bool_, "Bool")

DTYPES = (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)
_NAMES = {each.name: each for each in DTYPES}
_CHARS = {each.numpy.char: each for each in DTYPES} | {np.dtype(np.longlong).char: int64}
_DEFAULT = [float32]
_KIND = {"b": 0, "u": 1, "i": 1, "f": 2}  # bool < integer < float


def _by_name(name: str) -> dtype:
    return _NAMES[name]


def dtype_of(kind: np.dtype[Any]) -> dtype:
    """Return the dtype for NumPy's ``kind``; TypeError if there is none."""
    found = _CHARS.get(kind.char)
    if found is None or not kind.isnative:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{kind.name}. The only supported types are: "
            "float64, float32, float16, int64, int32, int16, int8, uint8, and bool."
        )
    return found


def as_numpy(given: Any) -> np.dtype[Any]:
    """Return NumPy's dtype for a :class:`dtype` or for Python's ``float``, ``int``, ``bool``."""
    if isinstance(given, dtype):
        return given.numpy
    if given is float:
        return float64.numpy
    if given is int:
        return int64.numpy
    if given is bool:
        return bool_.numpy
    raise TypeError(f"dtype must be a torch.dtype, not {type(given).__name__}: {given!r}")


def get_default_dtype() -> dtype:
    """Return the dtype of new floating-point tensors, ``float32`` unless set otherwise."""
    return _DEFAULT[0]


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of new floating-point tensors; TypeError unless ``d`` is a float dtype."""
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: only floating-point types are supported as the default type, not {d!r}")
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, not {d!r}")
    _DEFAULT[0] = d


_WORD_IS_INT64 = np.dtype(np.intp) == np.int64


def as_int64(places: Any) -> Any:
    """Return indices or counts, which NumPy gives in the word size of the machine, as int64."""
    return places if _WORD_IS_INT64 else places.astype(np.int64)


def default_numpy() -> np.dtype[Any]:
    """Return the default dtype as NumPy's."""
    return _DEFAULT[0].numpy


# ------------------------------------------------------------------ promotion


def common(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """Return the smallest dtype that PyTorch promotes ``a`` and ``b`` to, both of equal rank."""
    if a is b:
        return a
    kinds = a.kind + b.kind
    if "f" in kinds and kinds != "ff":  # an integer never widens a float
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def _rank(operand: Any) -> tuple[int, np.dtype[Any]]:
    """Return 2 for an array with dims, 1 for one without, 0 for a number; and its dtype."""
    if isinstance(operand, np.ndarray | np.generic):
        return (2 if operand.ndim else 1), operand.dtype
    if isinstance(operand, bool):
        return 0, bool_.numpy
    return 0, int64.numpy if isinstance(operand, int) else _DEFAULT[0].numpy


def result_numpy(*operands: Any) -> np.dtype[Any]:
    """Return the dtype that PyTorch promotes arrays and Python numbers to."""
    best: list[np.dtype[Any] | None] = [None, None, None]
    for operand in operands:
        rank, kind = _rank(operand)
        before = best[rank]
        best[rank] = kind if before is None else common(before, kind)
    result = best[2]
    for lower in (best[1], best[0]):
        if lower is not None and (result is None or _KIND[lower.kind] > _KIND[result.kind]):
            result = lower
    if result is None:
        raise TypeError("result_type() needs at least one operand")
    return result


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """Return the smallest dtype that holds both.

    >>> import rushlight as torch
    >>> torch.promote_types(torch.uint8, torch.int8), torch.promote_types(torch.int64, torch.float16)
    (torch.int16, torch.float16)
    """
    _dtypes_only("promote_types", type1=type1, type2=type2)
    return dtype_of(common(type1.numpy, type2.numpy))


def can_cast(from_: dtype, to: dtype) -> bool:
    """Return whether ``from_`` may become ``to``: never from a higher kind to a lower.

    >>> import rushlight as torch
    >>> torch.can_cast(torch.float64, torch.float32), torch.can_cast(torch.float32, torch.int64)
    (True, False)
    """
    _dtypes_only("can_cast", from_=from_, to=to)
    return _KIND[from_.numpy.kind] <= _KIND[to.numpy.kind]


def _dtypes_only(name: str, **given: Any) -> None:
    for place, (parameter, one) in enumerate(given.items(), 1):
        if not isinstance(one, dtype):
            raise TypeError(
                f"{name}(): argument {parameter!r} (position {place}) must be torch.dtype, not {type(one).__name__}"
            )


# ------------------------------------------------------------------ numbers beside arrays

_CACHED: dict[np.dtype[Any], dict[float, Array]] = {float32.numpy: {}, float64.numpy: {}}
_CACHE_LIMIT = 4096


def number(value: Number, kind: np.dtype[Any]) -> Array:
    """Return ``value`` as a read-only 0-d array: cheaper beside an array than a Python number.

    ``benchmarks/claims.py`` measures both.
    """
    cached = _CACHED.get(kind)
    if cached is None or value == 0 or type(value) is not float:  # 0.0 equals -0.0, and 1 equals True
        made = np.array(value, kind) if kind.kind == "f" else wrapped(value, kind)
        made.flags.writeable = False
        return made
    found = cached.get(value)
    if found is None:
        found = np.array(value, kind)
        found.flags.writeable = False
        if len(cached) < _CACHE_LIMIT:
            cached[value] = found
    return found


def wrapped(value: Number, kind: np.dtype[Any]) -> Array:
    """Return ``value`` in the integer dtype ``kind``, modulo its range: PyTorch converts numbers so."""
    if kind.kind == "b" or isinstance(value, float):
        return np.array(value, kind)
    if not -(2**63) <= value < 2**63:
        raise RuntimeError(f"value cannot be converted to type int64_t without overflow: {value}")
    return np.array(value, np.int64).astype(kind)


_PLAIN = {float, int}
_ZEROS = {each.numpy: np.zeros((), each.numpy) for each in DTYPES}


def scalar_operand(value: float, array: Any) -> Any:
    """Return the number ``value``, an int or float, as the operand that NumPy is fastest with beside floats."""
    kind = array.dtype
    if type(array) is not np.ndarray:
        return kind.type(value)
    if not value:
        return _ZEROS[kind] if type(value) is int else number(value, kind)
    table = _CACHED.get(kind)
    found = None if table is None else table.get(value)
    return number(float(value), kind) if found is None else found


def promote_two(x: Any, y: Any) -> tuple[Any, Any]:
    """Return two operands in their common dtype; Python numbers become arrays."""
    if type(y) in _PLAIN and x.dtype.kind == "f":
        return x, scalar_operand(y, x)
    if type(x) in _PLAIN and y.dtype.kind == "f":
        return scalar_operand(x, y), y
    kind = result_numpy(x, y)
    return cast(x, kind), cast(y, kind)


def cast(x: Any, kind: np.dtype[Any]) -> Any:
    """Return array or number ``x`` in dtype ``kind``, itself if it is already."""
    if isinstance(x, np.ndarray | np.generic):
        return x if x.dtype is kind else x.astype(kind, copy=False)
    return number(x, kind)


def check_float(kind: np.dtype[Any]) -> None:
    """Raise RuntimeError if a recorded result of dtype ``kind`` could have no gradient."""
    if kind.kind != "f":
        raise RuntimeError(f"Autograd not support dtype: {dtype_of(kind).legacy}")


def floating(x: Any) -> Any:
    """Return array ``x``, in the default dtype if it held integers or bools."""
    return x if x.dtype.kind == "f" else x.astype(_DEFAULT[0].numpy)
