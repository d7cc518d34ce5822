"""Normalization: means and variances of channels, groups and rows, and what follows from them, block by block.

A block of the array goes through all steps of a pass while it is in the cache. Sums run over centred values, so that
a large mean costs no digits. Statistics of (N, C, R) images are (N, C) arrays, or (1, C) where shared by the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import Array
from .magnitude import scale

_BLOCK_BYTES = 250_000
_MANY = 8  # images that make it worth while to write out what they share


def wide(x: Array) -> Array:
    """Return half precision as single, in which statistics are taken; anything else as it is."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def images(x: Array) -> Array:
    """Return (N, C, ...) ``x`` as (N, C, R), or as (N, C) if R is 1."""
    rest = int(np.prod(x.shape[2:]))
    return x.reshape(x.shape[:2] if rest == 1 else (*x.shape[:2], rest))


def _blocks(x: Array) -> Iterator[slice]:
    """Yield the slices of the first dim that make blocks of a size kind to the cache."""
    step = max(1, _BLOCK_BYTES * len(x) // max(1, x.nbytes))
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def _broadcast(statistic: Array, x: Array) -> Array:
    """Return an (N, C) or (1, C) ``statistic`` to broadcast with ``x``.

    NumPy works at half its speed where each row meets one number, so what all images share is written out once.
    """
    if x.ndim == 2:
        return statistic
    if len(statistic) == 1 and len(x) >= _MANY and x[0].nbytes <= _BLOCK_BYTES:
        return np.repeat(statistic[..., None], x.shape[2], 2)
    return statistic[..., None]


def _at(spread: Array, block: slice) -> Array:
    """Return the part of a broadcast statistic that belongs to ``block``."""
    return spread if len(spread) == 1 else spread[block]


def totals(x: Array) -> Array:
    """Return the sum of each channel of each image: shape (N, C)."""
    return np.einsum("ncr->nc", x) if x.ndim == 3 else x


def _dot(x: Array, y: Array) -> Array:
    return np.einsum("ncr,ncr->nc", x, y) if x.ndim == 3 else x * y


def squares(x: Array, mean: Array) -> Array:
    """Return the sum of ``(x - mean) ** 2`` over each channel of each image: shape (N, C)."""
    out, mean = np.empty(x.shape[:2], x.dtype), _broadcast(mean, x)
    for block in _blocks(x):
        centred = x[block] - _at(mean, block)
        out[block] = _dot(centred, centred)
    return out


def affine(x: Array, scale: Array, shift: Array) -> Array:
    """Return ``x * scale + shift``."""
    out, scale, shift = np.empty(x.shape, x.dtype), _broadcast(scale, x), _broadcast(shift, x)
    for block in _blocks(x):
        part = out[block]
        np.multiply(x[block], _at(scale, block), out=part)
        part += _at(shift, block)
    return out


def slope_sums(x: Array, mean: Array, g: Array) -> tuple[Array, Array]:
    """Return the sums of ``g`` and of ``g * (x - mean)`` over each channel of each image: shapes (N, C)."""
    dots, mean = np.empty(x.shape[:2], x.dtype), _broadcast(mean, x)
    for block in _blocks(x):
        dots[block] = _dot(x[block] - _at(mean, block), g[block])
    return totals(g), dots


def slopes(x: Array, mean: Array, g: Array, scale: Array, tilt: Array, shift: Array) -> Array:
    """Return ``g * scale - (x - mean) * tilt - shift``."""
    out = np.empty(x.shape, x.dtype)
    mean, scale, tilt, shift = (_broadcast(each, x) for each in (mean, scale, tilt, shift))
    for block in _blocks(x):
        part = out[block]
        np.subtract(x[block], _at(mean, block), out=part)
        part *= _at(tilt, block)
        part += _at(shift, block)
        np.subtract(g[block] * _at(scale, block), part, out=part)
    return out


# ------------------------------------------------------------------ numbers of any size


def plain(mean: Array, rstd: Array, var: Array) -> bool:
    """Return whether ``x * rstd - mean * rstd`` keeps most digits, and no variance is infinite."""
    ratio = (mean * rstd).ravel()
    return bool(ratio.dot(ratio) < 1e8 and np.add.reduce(var, None) < np.inf)


def centred(x: Array, axes: tuple[int, ...], eps: Any) -> tuple[Array, ...]:
    """Return ``x`` normalized over ``axes``, with the mean, rstd and variance, for numbers that are not plain.

    It is divided by a power of two before anything is squared, and centred before it is multiplied.
    """
    by = scale(x, axes).astype(np.float64)
    if eps > 1e-30:
        by = np.maximum(by, 1)
    out = x / by.astype(x.dtype)
    mean = np.mean(out, axes, np.float64, keepdims=True)
    out -= mean.astype(x.dtype)
    var = np.mean(out * out, axes, np.float64, keepdims=True)
    rstd = 1 / np.sqrt(var + eps / by / by)
    out *= rstd.astype(x.dtype)
    return out, mean * by, rstd / by, var * by * by


def small_units(rstd: Array) -> Array | None:
    """Return powers of two near ``rstd`` if a cube of one would vanish: gradients are then those of scaled numbers."""
    if not rstd.size or not rstd.min() < 1e-9:
        return None
    units: Array = np.ldexp(np.ones((), rstd.dtype), np.frexp(rstd)[1])
    return units


def times(x: Array, factor: Array) -> Array:
    """Return (N, C, R) or (N, C) ``x`` times an (N, C) or (1, C) ``factor``."""
    product: Array = x * (factor if x.ndim == 2 else factor[..., None])
    return product


# ------------------------------------------------------------------ rows


def row_norm(x: Array, weight: Array | None, bias: Array | None, eps: float, centre: bool) -> tuple[Array, ...]:
    """Return (M, D) ``x`` with each row at mean 0 (if ``centre``) and mean square 1, times ``weight`` plus ``bias``.

    Also the means and the reciprocal roots, both (M, 1).
    """
    out = np.empty(x.shape, x.dtype)
    mean, rstd = np.zeros((len(x), 1), x.dtype), np.empty((len(x), 1), x.dtype)
    size = np.asarray(x.shape[1], x.dtype)
    row = None if weight is None else weight.astype(x.dtype, copy=False)[None]  # BLAS makes the outer product fastest
    for block in _blocks(x):
        part = x[block]
        if centre:
            np.divide(_row_sums(part), size, out=mean[block])
            part = np.subtract(part, mean[block], out=out[block])
        root = np.sqrt(np.vecdot(part, part)[:, None] / size + np.asarray(eps, x.dtype))
        if (eps < 1e-30 or not np.vdot(root, root) < np.inf) and x.size:
            return _far_rows(x, weight, bias, eps, centre)
        np.divide(1, root, out=rstd[block])
        part = np.multiply(part, rstd[block] if row is None else rstd[block].dot(row), out=out[block])
        if bias is not None:
            part += bias
    return out, mean, rstd


def _far_rows(x: Array, weight: Array | None, bias: Array | None, eps: float, centre: bool) -> tuple[Array, ...]:
    """Return what ``row_norm`` does of numbers whose squares may be infinite, or 0 where ``eps`` does not hide it."""
    by = scale(x, 1) if eps < 1e-30 else np.maximum(scale(x, 1), 1)
    out = x / by
    mean = np.mean(out, 1, keepdims=True) if centre else np.zeros_like(by)
    out -= mean
    rstd = 1 / np.sqrt(np.mean(out * out, 1, keepdims=True) + np.asarray(eps, x.dtype) / by / by)
    out *= rstd
    if weight is not None:
        out *= weight.astype(x.dtype)
    if bias is not None:
        out += bias.astype(x.dtype)
    return out, mean * by, rstd / by


def _row_sums(x: Array) -> Array:
    """Return the sum of each row; long rows are summed in pairs, which keeps more digits."""
    if x.shape[1] > 8192:
        return np.add.reduce(x, 1, keepdims=True)
    sums: Array = np.einsum("md->m", x)[:, None]
    return sums


def row_slopes(
    g: Array, x: Array, weight: Array | None, mean: Array, rstd: Array, centre: bool, needs: list[bool]
) -> tuple[Any, ...]:
    """Return the gradients of ``row_norm`` for ``x``, ``weight`` and ``bias``, None where not needed."""
    units = small_units(rstd)
    if units is not None:
        dx, *rest = row_slopes(g, x * units, weight, mean * units, rstd / units, centre, needs)
        return (None if dx is None else dx * units), *rest
    size = np.asarray(x.shape[1], x.dtype)
    dx = np.empty(x.shape, x.dtype) if needs[0] else None
    sums = [np.zeros(x.shape[1]) if need else None for need in needs[1:]]
    factor = np.ones(x.shape[1], x.dtype) if weight is None else weight.astype(x.dtype, copy=False)
    for block in _blocks(x):
        seed, root = g[block], rstd[block, 0]
        apart = np.subtract(x[block], mean[block]) if centre else x[block]
        products = seed * apart
        if sums[0] is not None:
            sums[0] += root @ products
        if len(sums) > 1 and sums[1] is not None:
            sums[1] += np.ones(len(seed), x.dtype) @ seed
        if dx is None:
            continue
        part = np.multiply(seed, rstd[block].dot(factor[None]), out=dx[block])
        tilt = (products @ factor * root / size * root * root)[:, None]  # in this order it does not overflow
        np.multiply(apart, tilt, products)
        if centre:
            products += (seed @ factor * root / size)[:, None]
        part -= products
    return dx, *[None if s is None else s.astype(x.dtype) for s in sums]
