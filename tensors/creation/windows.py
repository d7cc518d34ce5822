"""Window functions, in the old style of the top level: a length, and whether the window is periodic."""

from __future__ import annotations

import math
from operator import index
from typing import Any, Unpack

import numpy as np

from ...arrays.dtypes import Array, default_numpy
from ...autograd.codegen.signature import spell_out_options
from ..doors import doors
from ..tensor.methods import Tensor
from .factories import Options, finish, kind_of


def _window(name: str, length: int, periodic: bool, shape: Any, options: Any) -> Tensor:
    """Return ``shape`` at places from 0 to 1; a ``periodic`` window is one element longer, which is left out."""
    kind = kind_of(name, options, None) or default_numpy()
    if kind.kind != "f":
        raise RuntimeError(f"{name} expects floating point dtypes, got: {kind}")
    length = index(length)
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if length <= 1:
        return finish(name, np.ones(length, kind), options)
    last = length if periodic else length - 1
    made: Array = shape(np.arange(length) / last).astype(kind)
    return finish(name, made, options)


def _cosine(x: Array, times: int = 1) -> Array:
    wave: Array = np.cos(2 * math.pi * times * x)
    return wave


@doors("torch")
@spell_out_options
def hann_window(window_length: int, periodic: bool = True, **options: Unpack[Options]) -> Tensor:
    """Return ``sin²`` over half a turn: Hann's window.

    https://pytorch.org/docs/stable/generated/torch.hann_window.html

    >>> import rushlight as torch
    >>> torch.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", window_length, periodic, lambda x: 0.5 - 0.5 * _cosine(x), options)


@doors("torch")
@spell_out_options
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Unpack[Options]
) -> Tensor:
    """Return ``alpha - beta * cos`` over a turn: Hamming's window.

    https://pytorch.org/docs/stable/generated/torch.hamming_window.html
    """
    return _window("hamming_window", window_length, periodic, lambda x: alpha - beta * _cosine(x), options)


@doors("torch")
@spell_out_options
def blackman_window(window_length: int, periodic: bool = True, **options: Unpack[Options]) -> Tensor:
    """Return Blackman's window.

    https://pytorch.org/docs/stable/generated/torch.blackman_window.html
    """
    return _window(
        "blackman_window", window_length, periodic, lambda x: 0.42 - 0.5 * _cosine(x) + 0.08 * _cosine(x, 2), options
    )


@doors("torch")
@spell_out_options
def bartlett_window(window_length: int, periodic: bool = True, **options: Unpack[Options]) -> Tensor:
    """Return a triangle: Bartlett's window.

    https://pytorch.org/docs/stable/generated/torch.bartlett_window.html
    """
    return _window("bartlett_window", window_length, periodic, lambda x: 1 - np.abs(2 * x - 1), options)


@doors("torch")
@spell_out_options
def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Unpack[Options]) -> Tensor:
    """Return Kaiser's window of shape ``beta``.

    https://pytorch.org/docs/stable/generated/torch.kaiser_window.html
    """

    def shape(x: Array) -> Array:
        found: Array = np.i0(beta * np.sqrt(np.maximum(1 - (2 * x - 1) ** 2, 0))) / np.i0(beta)
        return found

    return _window("kaiser_window", window_length, periodic, shape, options)
