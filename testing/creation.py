"""``make_tensor``: random values of any dtype for tests, the same as PyTorch's for the same seed.

https://pytorch.org/docs/stable/testing.html#torch.testing.make_tensor
"""

from __future__ import annotations

import math
import warnings
from math import prod
from typing import Any

import numpy as np

from ..arrays.dtypes import as_numpy
from ..autograd.variable import as_ndarray
from ..tensors.creation.factories import empty, full
from ..tensors.random.creation import randint


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """Return a tensor of ``shape`` of values drawn evenly from ``low`` to ``high`` (excluded).

    Without bounds: -9 to 9 for floats, -9 to 10 for integers, 0 to 10 for uint8, either for bool. ``noncontiguous``
    tensors of more than one element look at every other place in memory. ``exclude_zero`` puts the smallest number, or
    1, where zeros were drawn. ValueError for bounds in the wrong order, or NaN, for integers that require a gradient,
    and for both of ``noncontiguous`` and ``memory_format``.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.testing.make_tensor(3, dtype=torch.float32, device="cpu")
    tensor([-0.0674,  4.8280, -7.4074])
    """
    size = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    kind = as_numpy(dtype)
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"noncontiguous={noncontiguous!r} and memory_format={memory_format!r}"
        )
    if requires_grad and kind.kind != "f":
        raise ValueError(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype!r}"
        )
    spaced = noncontiguous and prod(size) > 1
    drawn = (*size[:-1], 2 * size[-1]) if spaced else size
    first, last = _bounds(kind, low, high)
    made = _floats(drawn, dtype, first, last) if kind.kind == "f" else randint(first, last, drawn, dtype=dtype)
    if spaced:
        made = made[..., 1::2]
    if memory_format is not None:
        made = made.contiguous(memory_format=memory_format)
    if exclude_zero:
        array = as_ndarray(made)
        array[array == 0] = np.finfo(kind).tiny if kind.kind == "f" else 1
    if device is not None:
        made = made.to(device)
    return made.requires_grad_() if requires_grad else made


def _floats(shape: tuple[int, ...], dtype: Any, low: float, high: float) -> Any:
    if low == high:
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is deprecated since 2.1 "
            "and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
            stacklevel=3,
        )
        return full(shape, low, dtype=dtype)
    if high - low > float(np.finfo(as_numpy(dtype)).max):  # the width is no number of this dtype: draw half of it
        return empty(shape, dtype=dtype).uniform_(low / 2, high / 2).mul_(2)
    return empty(shape, dtype=dtype).uniform_(low, high)


def _bounds(kind: np.dtype[Any], low: float | None, high: float | None) -> tuple[Any, Any]:
    """Return the bounds, those of the dtype where none is given, limited to what the dtype can hold."""
    if kind.kind == "f":
        least, most = float(np.finfo(kind).min), float(np.finfo(kind).max)
        usual: tuple[int, int] = (-9, 9)
    elif kind.kind == "b":
        (least, most), usual = (0, 2), (0, 2)
    else:
        least, most = int(np.iinfo(kind).min), int(np.iinfo(kind).max) + 1
        usual = (0, 10) if kind.kind == "u" else (-9, 10)
    low, high = usual[0] if low is None else low, usual[1] if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={low} and high={high}")
    if low > high or (low == high and kind.kind != "f") or (math.isinf(low) and low > 0):
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if kind.kind == "f":
        return max(low, least), min(high, most)
    first = least if math.isinf(low) else max(math.ceil(low), least)
    last = most if math.isinf(high) else min(math.ceil(high), most)
    return int(first), int(last)
