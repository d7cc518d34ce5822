"""``assert_close``: equal within tolerances that fit the dtype, with PyTorch's messages.

https://pytorch.org/docs/stable/testing.html#torch.testing.assert_close
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from warnings import warn

import numpy as np

from ..arrays.dtypes import dtype_of
from ..autograd.variable import Variable
from ..tensors.creation.factories import tensor

Message = str | Callable[[str], str] | None
_TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}

_LOOSE = {"float16": (1e-3, 1e-3), "float32": (1e-4, 1e-5), "float64": (1e-5, 1e-8)}


@dataclass(frozen=True)
class Options:
    """How to compare: the arguments of :func:`assert_close`."""

    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_dtype: bool
    check_stride: bool

    def tolerances(self, *kinds: Any) -> tuple[float, float]:
        """Return relative and absolute tolerance: those given, or the loosest that one of ``kinds`` asks for."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        found = [_TOLERANCES.get(np.dtype(kind).name, (0.0, 0.0)) for kind in kinds]
        return max(rtol for rtol, _ in found), max(atol for _, atol in found)


class Mismatch(Exception):
    """Two values differ: what to raise, in which words, for which item."""

    def __init__(self, kind: type[Exception], text: str, path: tuple[Any, ...]) -> None:
        super().__init__(text)
        self.kind, self.text, self.path = kind, text, path

    def error(self, msg: Message) -> Exception:
        """Return the error for the user."""
        if isinstance(msg, str):
            return self.kind(msg)
        where = "".join(f"[{item!r}]" for item in self.path)
        text = self.text + (f"\n\nThe failure occurred for item {where}" if where else "")
        return self.kind(msg(text) if msg is not None else text)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Message = None,
) -> None:
    """Return None if ``|actual - expected| <= atol + rtol * |expected|`` everywhere, else raise AssertionError.

    Tensors, arrays, numbers, None, and sequences and mappings of them. Without tolerances those of the dtype are
    taken: 1.3e-6 and 1e-5 for float32, 1e-7 twice for float64, 1e-3 and 1e-5 for float16, none for integers. The error
    names the greatest differences and where they are; ``msg`` replaces its text, or makes another of it. TypeError for
    pairs that cannot be compared, ValueError for one tolerance without the other.

    >>> import rushlight as torch
    >>> torch.testing.assert_close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    if rtol is not None and atol is not None and (rtol < 0 or atol < 0):
        raise RuntimeError(f"rtol and atol must not be negative, but are {rtol} and {atol}")
    options = Options(allow_subclasses, rtol, atol, equal_nan, check_dtype, check_stride)
    try:
        _compare(actual, expected, options, ())
    except Mismatch as found:
        raise found.error(msg) from None


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """Return None if both are close, of any dtypes, else raise AssertionError: an older, looser :func:`assert_close`.

    Without tolerances 1e-3 twice for float16, 1e-4 and 1e-5 for float32, 1e-5 and 1e-8 for float64. It warns that it is
    deprecated, as PyTorch's does.
    """
    warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. "
        "Please use `torch.testing.assert_close()` instead. You can find detailed upgrade instructions in "
        "https://github.com/pytorch/pytorch/issues/61844.",
        FutureWarning,
        stacklevel=2,
    )
    mine, other = (value if isinstance(value, Variable) else tensor(value) for value in (actual, expected))
    if rtol is None and atol is None:
        found = [_LOOSE.get(one.array.dtype.name, (0.0, 0.0)) for one in (mine, other)]
        rtol, atol = (max(both) for both in zip(*found, strict=True))
    assert_close(
        mine, other, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, check_stride=False, msg=msg or None
    )


def _compare(actual: Any, expected: Any, options: Options, path: tuple[Any, ...]) -> None:
    """Raise Mismatch unless both are close."""
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            text = f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
            raise Mismatch(AssertionError, text, path)
        for number, (mine, other) in enumerate(zip(actual, expected, strict=True)):
            _compare(mine, other, options, (*path, number))
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        _same_keys(actual, expected, path)
        for key in actual:
            _compare(actual[key], expected[key], options, (*path, key))
    else:
        _pair(actual, expected, options, path)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same_keys(actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
    missing, more = expected.keys() - actual.keys(), actual.keys() - expected.keys()
    if missing or more:
        text = (
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(missing)}\n"
            f"Additional keys in the actual mapping: {sorted(more)}"
        )
        raise Mismatch(AssertionError, text, path)


def _pair(actual: Any, expected: Any, options: Options, path: tuple[Any, ...]) -> None:
    """Compare two values that hold no others."""
    if actual is None or expected is None:
        if actual is not expected:
            raise Mismatch(AssertionError, f"None mismatch: {actual} is not {expected}", path)
        return
    kinds = [isinstance(value, bool | np.bool) for value in (actual, expected)]
    if all(kinds):
        if bool(actual) is not bool(expected):
            raise Mismatch(AssertionError, f"Booleans mismatch: {actual} is not {expected}", path)
        return
    numbers = [isinstance(value, int | float | complex | np.number) for value in (actual, expected)]
    if all(numbers):
        if any(kinds):
            raise Mismatch(RuntimeError, f"A bool and a number cannot be compared: {actual!r} and {expected!r}", path)
        _numbers(actual, expected, options, path)
        return
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if not options.allow_subclasses:
        related = type(actual) is type(expected)
    if not related or not isinstance(actual, Variable | np.ndarray):
        raise Mismatch(
            TypeError,
            f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.",
            path,
        )
    _tensors(actual, expected, options, path)


def _numbers(actual: Any, expected: Any, options: Options, path: tuple[Any, ...]) -> None:
    mine, other = (v.item() if isinstance(v, np.number) else v for v in (actual, expected))
    if options.check_dtype and type(mine) is not type(other):
        text = f"The (d)types do not match: {type(mine)} != {type(other)}."
        raise Mismatch(AssertionError, text, path)
    kinds = [np.int64 if isinstance(v, int) else np.float64 for v in (mine, other)]
    rtol, atol = options.tolerances(*kinds)
    if not _close(np.asarray(mine), np.asarray(other), rtol, atol, options.equal_nan).all():
        raise Mismatch(AssertionError, _scalars(mine, other, rtol, atol, None), path)


def _close(actual: Any, expected: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    with np.errstate(all="ignore"):
        near = np.abs(actual - expected) <= atol + rtol * np.abs(expected)
    same = (actual == expected) | (np.isnan(actual) & np.isnan(expected) if equal_nan else False)
    return same | (near & np.isfinite(expected) & np.isfinite(actual))


def _allowed(tolerance: float, exact: bool) -> str:
    return "" if exact else f" (up to {tolerance} allowed)"


def _scalars(actual: Any, expected: Any, rtol: float, atol: float, relative: Any) -> str:
    exact = rtol == 0 and atol == 0
    off = abs(actual - expected)
    if relative is None:
        relative = off / abs(expected) if expected else float("inf")
    head = "Scalars are not equal!" if exact else "Scalars are not close!"
    return (
        f"{head}\n\nExpected {expected} but got {actual}.\nAbsolute difference: {off}{_allowed(atol, exact)}\n"
        f"Relative difference: {relative}{_allowed(rtol, exact)}"
    )


def _strides(x: Any, array: Any) -> tuple[int, ...]:
    return tuple(x.stride()) if isinstance(x, Variable) else tuple(s // array.itemsize for s in array.strides)  # type: ignore[attr-defined]


def _tensors(actual: Any, expected: Any, options: Options, path: tuple[Any, ...]) -> None:
    """Compare attributes, then values."""
    mine, other = (np.asarray(v.array if isinstance(v, Variable) else v) for v in (actual, expected))

    def demand(name: str, a: Any, b: Any) -> None:
        if a != b:
            text = f"The values for attribute '{name}' do not match: {a} != {b}."
            raise Mismatch(AssertionError, text, path)

    demand("shape", *(f"torch.Size({list(v.shape)})" for v in (mine, other)))
    if options.check_stride:
        demand("stride()", _strides(actual, mine), _strides(expected, other))
    if options.check_dtype:
        demand("dtype", *(dtype_of(v.dtype) for v in (mine, other)))
    rtol, atol = options.tolerances(mine.dtype, other.dtype)
    kind = np.result_type(mine.dtype, other.dtype)
    if mine.dtype.kind != other.dtype.kind and kind.kind == "f":
        kind = next(v.dtype for v in (mine, other) if v.dtype.kind == "f")
    kind = np.dtype(np.int64) if kind.kind != "f" else kind
    mine, other = mine.astype(kind), other.astype(kind)
    matches = _close(mine, other, rtol, atol, options.equal_nan)
    if not matches.all():
        raise Mismatch(AssertionError, _differences(mine, other, matches, rtol, atol), path)


def _differences(actual: Any, expected: Any, matches: Any, rtol: float, atol: float) -> str:
    """Return in words how many elements differ, and where most."""
    with np.errstate(all="ignore"):
        off = np.abs(actual - expected)
        relative = off / np.abs(expected)
        if actual.dtype.kind != "f":
            relative = relative.astype(np.float32)
    if not actual.ndim:
        return _scalars(actual.item(), expected.item(), rtol, atol, relative.item())
    off, relative = np.where(matches, 0, off).astype(off.dtype), np.where(matches, 0, relative).astype(relative.dtype)
    exact = rtol == 0 and atol == 0
    total, wrong = matches.size, matches.size - int(matches.sum())
    lines = [f"Tensor-likes are not {'equal' if exact else 'close'}!", ""]
    lines.append(f"Mismatched elements: {wrong} / {total} ({wrong / total:.1%})")
    for name, values, tolerance in (("absolute", off, atol), ("relative", relative, rtol)):
        place = tuple(int(n) for n in np.unravel_index(int(np.argmax(values)), values.shape))
        lines.append(f"Greatest {name} difference: {values[place].item()} at index {place}{_allowed(tolerance, exact)}")
    return "\n".join(lines)
