"""Numbers in a row: arange, linspace, logspace, range.

Rounded as PyTorch's CPU kernels round (with AVX2, as on any x86-64 machine of the last ten years): they fuse multiply
and add, and ``arange`` starts anew from a rounded base for every vector of 32 bytes.
"""

from __future__ import annotations

import math
from typing import Any, Unpack
from warnings import warn

import numpy as np

from ...arrays.dtypes import Array, default_numpy, int64
from ...arrays.random.sampling import fused32, fused64
from ...autograd.codegen.signature import called_as, spell_out_options
from ...autograd.variable import Variable
from ..doors import doors
from ..tensor.methods import Tensor
from .factories import Options, finish, kind_of, whole

_LANES = {"f4": 8, "f8": 4}  # numbers in a vector of 32 bytes


@doors("torch")
@called_as("start: Number = 0, end: Number | None = None, step: Number = 1, **options")
def arange(*args: Any, **options: Any) -> Tensor:
    """Return the numbers from ``start`` (0) to ``end``, which is excluded, in steps of ``step`` (1).

    ``arange(end)``, ``arange(start, end)`` or ``arange(start, end, step)``. int64 if all three are ints, else the
    default dtype. Raises RuntimeError for a step of 0 or in the wrong direction, and for infinite bounds.

    https://pytorch.org/docs/stable/generated/torch.arange.html

    >>> import rushlight as torch
    >>> torch.arange(3), torch.arange(1, 2, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    start, end, step = (_number("arange", name, n) for name, n in _bounds("arange", args, options))
    given: Any = options
    kind = kind_of("arange", given, _inferred(start, end, step))
    if kind is None or kind.kind == "b":
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    _check_range("arange", start, end, step)
    if kind.kind == "f":
        return finish("arange", _spaced(start, step, math.ceil((end - start) / step), kind), given)
    if kind == int64.numpy:
        start, end, step = _int64(start), _int64(end), _int64(step)
        if not step:
            raise RuntimeError("step must be nonzero")
        return finish("arange", np.arange(start, end, step, dtype=np.int64), given)
    count = math.ceil((end - start) / step)
    return finish("arange", (int(start) + np.arange(count) * int(step)).astype(kind), given)


@doors("torch")
@called_as("start: Number = 0, end: Number | None = None, step: Number = 1, **options")
def range(*args: Any, **options: Any) -> Tensor:
    """Return the numbers from ``start`` to ``end``, which is included: deprecated, use :func:`arange`.

    https://pytorch.org/docs/stable/generated/torch.range.html
    """
    warn("torch.range is deprecated: use torch.arange, whose end is excluded as in Python", UserWarning, stacklevel=2)
    start, end, step = (_number("range", name, n) for name, n in _bounds("range", args, options))
    given: Any = options
    kind = np.dtype(kind_of("range", given, default_numpy()))
    _check_range("range", start, end, step)
    if kind.kind == "f":
        return finish("range", _spaced(start, step, math.floor((end - start) / step) + 1, kind), given)
    return finish("range", np.arange(_int64(start), _int64(end) + 1, _int64(step), dtype=np.int64).astype(kind), given)


@doors("torch")
@spell_out_options
def linspace(start: Any, end: Any, steps: int, **options: Unpack[Options]) -> Tensor:
    """Return ``steps`` numbers evenly spaced from ``start`` to ``end``, both included.

    Raises RuntimeError for negative ``steps``.

    https://pytorch.org/docs/stable/generated/torch.linspace.html

    >>> import rushlight as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    kind = np.dtype(kind_of("linspace", options, default_numpy()))
    return finish("linspace", _even("linspace", start, end, steps, kind), options)


@doors("torch")
@spell_out_options
def logspace(start: Any, end: Any, steps: int, base: float = 10.0, **options: Unpack[Options]) -> Tensor:
    """Return ``base`` raised to each of ``steps`` numbers evenly spaced from ``start`` to ``end``.

    https://pytorch.org/docs/stable/generated/torch.logspace.html
    """
    kind = np.dtype(kind_of("logspace", options, default_numpy()))
    if kind.kind != "f":
        start, end = _int64(_number("logspace", "start", start)), _int64(_number("logspace", "end", end))
    powers = _even("logspace", start, end, steps, kind if kind.kind == "f" else np.dtype(np.float64))
    return finish("logspace", np.power(powers.dtype.type(base), powers).astype(kind), options)


# ------------------------------------------------------------------ how


def _bounds(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return start, end and step from all the ways to give them."""
    names = ("end",) if len(args) == 1 and "end" not in options else ("start", "end", "step")
    if len(args) > 3:
        raise TypeError(f"{name}() takes at most 3 positional arguments, {len(args)} were given")
    found: dict[str, Any] = {"start": 0, "step": 1}
    for place, value in zip(names, args, strict=False):
        found[place] = value
        if place in options or "start" in options:
            raise TypeError(f"{name}() got multiple values for argument {place!r}")
    for place in ("start", "end", "step"):
        if place in options:
            found[place] = options.pop(place)
    if "end" not in found:
        raise TypeError(f'{name}() missing 1 required positional arguments: "end"')
    return [(place, found[place]) for place in ("start", "end", "step")]


def _number(function: str, name: str, given: Any) -> Any:
    """Return a number given as such, as a NumPy scalar, or as a tensor without dims."""
    if isinstance(given, Variable) and not given.array.ndim:
        return given.array.item()
    if isinstance(given, np.generic) and given.dtype.kind in "fiub":
        return given.item()
    if isinstance(given, int | float):
        return given
    raise TypeError(f"{function}(): argument {name!r} must be Number, not {type(given).__name__}")


def _inferred(*numbers: Any) -> np.dtype[Any]:
    return int64.numpy if all(isinstance(n, int) for n in numbers) else default_numpy()


def _check_range(name: str, start: Any, end: Any, step: Any) -> None:
    if not step:
        raise RuntimeError(f"{name}: step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"{name}: unsupported range: {start} -> {end}")
    if (end < start) if step > 0 else (end > start):
        raise RuntimeError(
            f"{name}: upper bound and lower bound inconsistent with step sign: {start} -> {end} by {step}"
        )


def _int64(number: Any) -> int:
    whole = int(number)
    if not -(2**63) <= whole < 2**63:
        raise RuntimeError(f"value cannot be converted to type int64_t without overflow: {number}")
    return whole


def _spaced(start: float, step: float, count: int, kind: np.dtype[Any]) -> Array:
    """Return ``start + i * step`` for ``i`` below ``count``."""
    places = np.arange(max(count, 0), dtype=np.float64)
    plain = fused64(places, float(step), float(start))
    lanes = _LANES.get(kind.str[1:])
    if lanes is None or count < 2 * lanes:
        return plain.astype(kind)
    vectors = count // (2 * lanes) * 2
    bases = plain[: vectors * lanes : lanes].astype(kind).astype(np.float64)
    plain[: vectors * lanes] = (bases[:, None] + places[:lanes] * float(step)).reshape(-1)
    return plain.astype(kind)


def _even(name: str, start: Any, end: Any, steps: Any, kind: np.dtype[Any]) -> Array:
    """Return ``steps`` numbers from ``start`` to ``end``, the first half counted from one, the rest from the other."""
    for word, bound in (("start", start), ("end", end)):
        if isinstance(bound, Variable) and bound.array.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {word} with "
                f"{bound.array.ndim} dimension(s)."
            )
    start, end = _number(name, "start", start), _number(name, "end", end)
    count = whole(name, "steps", steps, 3)
    if count < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {count}")
    if kind.kind == "b":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    if kind.kind != "f":
        start, end = _int64(start), _int64(end)
    if count < 2:
        return np.full(count, start).astype(kind)
    exact, fused = (np.float32, fused32) if kind.itemsize < 8 and kind.kind == "f" else (np.float64, fused64)
    first, last = exact(start), exact(end)
    step, places = (last - first) / exact(count - 1), np.arange(count).astype(exact)
    half = count // 2
    rising = fused(places[:half], float(step), float(first))
    falling = fused(places[: count - half][::-1], -float(step), float(last))
    joined = np.concatenate([rising, falling])
    return joined.astype(kind) if kind.kind == "f" else np.trunc(joined).astype(np.int64).astype(kind)
