"""Sums over all dims but the channels, and their adjoint; arguments given once for all spatial dims or one for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import ints
from ....arrays.dtypes import Array
from ....autograd.broadcast import broadcast_view
from ....autograd.primitive import primitive


@primitive(input=lambda g, input_shape: channel_expand(g, input_shape), grad_fn_name="SumBackward1")
def channel_sum(input: Array) -> Array:
    """Return the sum of (N, C, ...) ``input`` over all dims but the second: shape (C,), in the dtype of ``input``."""
    return sums(input).astype(input.dtype)


@primitive(input=lambda g: channel_sum(g), grad_fn_name="ExpandBackward0")
def channel_expand(input: Array, shape: tuple[int, ...]) -> Array:
    """Return (C,) ``input`` as the channels of a read-only array of ``shape`` (N, C, ...)."""
    return broadcast_view(input.reshape(len(input), *(1,) * (len(shape) - 2)), shape)


def flat_image(x: Array) -> Array:
    """Return (N, C, ...) ``x`` as (N, C, rest)."""
    if x.ndim == 3:
        return x
    return x.reshape(*x.shape[:2], -1) if x.size else x.reshape(*x.shape[:2], int(np.prod(x.shape[2:])))


def sums(x: Array) -> Array:
    """Return the sums over all dims but the second: over each image in the dtype of ``x``, over the batch in double.

    einsum takes half the time of ``np.sum`` for this (``benchmarks/claims.py``). Half precision is summed in single.
    """
    single = x.dtype.kind == "f" and x.dtype.itemsize < 8
    wide = np.dtype(np.float64) if single else x.dtype
    x = x.astype(np.float32) if x.dtype == np.float16 else x
    image = x if x.ndim == 2 else np.einsum("ncr->nc", flat_image(x))
    total: Array = np.add.reduce(image, 0, dtype=wide)
    return total


POOLING = "{name}: {parameter} must either be {omitted}a single int, or a tuple of {ints}, not {given}"
CONVOLUTION = (
    "expected {parameter} to be a single integer value or a list of {dims} values to match the convolution dimensions, "
    "but got {parameter}={listed}"
)
BLOCKS = "It is expected {parameter} equals to {dims}, but got size {count}"
"""How PyTorch says, for each family of ops, that an argument has the wrong number of numbers."""


def per_dim(given: Any, dims: int, name: str, parameter: str, complaint: str = POOLING) -> tuple[int, ...]:
    """Return one whole number, or a sequence of ``dims`` of them, as a tuple of one for each dim.

    A sequence of one stands for all dims, except in the family of ``BLOCKS``. Raises TypeError for anything but whole
    numbers, and RuntimeError, in the words of ``complaint``, for another count.
    """
    if type(given) is int:
        return (given,) * dims
    values = ints(given, name, parameter)
    if len(values) == dims:
        return values
    if len(values) == 1 and complaint is not BLOCKS:
        return values * dims
    raise RuntimeError(
        complaint.format(
            name=name,
            parameter=parameter,
            omitted="omitted, " if parameter == "stride" else "",
            ints=("one int", "two ints", "three ints")[dims - 1],
            given=values,
            dims=dims,
            listed=list(values),
            count=len(values),
        )
    )
