"""The error function and its kin, which NumPy lacks.

erf(x) = 2/sqrt(pi) * integral of exp(-t²) from 0 to x. The coefficients are rational fits made for this file: weighted
least squares at Chebyshev nodes with Lawson's reweighting (toward the smallest largest relative error), in 60 digits.

=============  =================================  =======  ==========================
function       what is fitted, and where          degrees  largest relative error
=============  =================================  =======  ==========================
``erf`` (f4)   atanh(erf(x))/x by x² in 0 … 16    3 / 3    3.3e-9, seen through tanh
``erf`` (f8)   erf(x)/x by x² in 0 … 1            4 / 5    2.2e-18
``erfc``       exp(x²) erfc(x) (1 + 2x) by        19       1.1e-17
               (x - 2.5)/(x + 2.5), x in 1 … 28
=============  =================================  =======  ==========================
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array

_BLOCK = 8192  # elements that stay in the cache while a polynomial is evaluated
_FEW = 128  # so many calls of math.erf are faster than two dozen of NumPy: benchmarks/claims.py
_SINGLE_EDGE = np.array(4.5, np.float32)  # here erf(x) has long been 1 in float32

SINGLE = (
    (1.1283791708828697, 0.2798080102139443, 0.04264699581019096, 0.0021783215528983365),
    (1.0, 0.15689362532826112, 0.023690219438066096, 0.00032493312429889546),
)
_INNER = (
    (1.1283791670955126, 0.14214928877309924, 0.04530390623266312, 0.001827294213418424, 0.00019495603637725964),
    (1.0, 0.4593098604780129, 0.09325282835758832, 0.010582211213459616, 0.0006812156206862353,
     2.0297406677801758e-05),
)  # fmt: skip
_OUTER = (
    1.2648381843668615, -0.12235676308240472, -0.09902453957359957, 0.15762991902329473, -0.10296705603882766,
    0.03276089326472263, 0.000931892829457379, -0.004382078252665175, 0.0004918655226970909, 0.0006321233974341472,
    -8.847544482160098e-05, -0.00011351794909384405, 6.238427451476451e-06, 2.2700628281024933e-05,
    2.7156834920598445e-06, -4.306738254619305e-06, -1.7667362078586594e-06, 8.20708615068571e-07,
    5.622599967329472e-07, -2.4521294579411425e-07,
)  # fmt: skip


def _typed(fit: Any, kind: Any) -> Any:
    return [[np.array(c, kind) for c in reversed(part)] for part in fit]


_SINGLE_FIT, _INNER_FIT = _typed(SINGLE, np.float32), _typed(_INNER, np.float64)
(_OUTER_FIT,) = _typed([_OUTER], np.float64)


def _horner(coefficients: list[Array], t: Array) -> Array:
    out = coefficients[0] * t
    for c in coefficients[1:-1]:
        out += c
        out *= t
    out += coefficients[-1]
    return out


def _ratio(fit: Any, t: Array) -> Array:
    out = _horner(fit[0], t)
    out /= _horner(fit[1], t)
    return out


def erf(x: Any) -> Array:
    """Return the error function of each element, in the float dtype of ``x``.

    Within 4 ulp in float64, and within 5 in float32.
    """
    x = np.asarray(x)
    if x.size <= _FEW:
        return np.array([math.erf(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)
    if x.dtype == np.float16:
        return erf(x.astype(np.float32)).astype(np.float16)
    return _blockwise(_erf_single if x.dtype == np.float32 else _erf_double, x)


def erfc(x: Any) -> Array:
    """Return ``1 - erf(x)`` of each element, accurate where that is tiny; in the float dtype of ``x``."""
    x = np.asarray(x)
    return _blockwise(_erfc_double, x.astype(np.float64)).astype(x.dtype)


def _blockwise(function: Any, x: Array) -> Array:
    flat = np.ascontiguousarray(x).reshape(-1)
    out = np.empty_like(flat)
    for i in range(0, flat.size, _BLOCK):
        out[i : i + _BLOCK] = function(flat[i : i + _BLOCK])
    return out.reshape(x.shape)


def _erf_single(x: Array) -> Array:
    x = x.clip(-_SINGLE_EDGE, _SINGLE_EDGE)
    out = _ratio(_SINGLE_FIT, x * x)
    out *= x
    return np.tanh(out, out)


def _erf_double(x: Array) -> Array:
    size = np.abs(x)
    outer = size >= 1
    out = np.minimum(size, 1.0)
    out *= _ratio(_INNER_FIT, out * out)
    if outer.any():
        out[outer] = 1 - _tail(np.minimum(size[outer], 6.0))
    out[np.isnan(x)] = np.nan
    return np.copysign(out, x)


def _erfc_double(x: Array) -> Array:
    out = 1 - _erf_double(x)
    outer = x >= 1
    if outer.any():
        out[outer] = _tail(np.minimum(x[outer], 28.0))
    return out


def scaled_tail(x: Array) -> Array:
    """Return exp(x²) erfc(x) for x in 1 … 28."""
    out = _horner(_OUTER_FIT, (x - 2.5) / (x + 2.5))
    out /= 2 * x + 1
    return out


def _tail(x: Array) -> Array:
    """Return erfc(x) for x in 1 … 28."""
    near = x.astype(np.float32).astype(np.float64)  # its square is exact, so exp is not led astray by rounding
    out = scaled_tail(x)
    out *= np.exp(-near * near)
    out *= np.exp((near - x) * (near + x))
    return out


def laid_out_as(x: Any, made: Array) -> Array:
    """Return ``made`` with its elements in memory in the order of those of ``x``, as PyTorch's elementwise ops do."""
    if x.flags.c_contiguous or made.size < 2 or 0 in x.strides:
        return made
    out: Array = np.empty_like(x, made.dtype)
    out[...] = made
    return out


def erfinv(y: Any) -> Any:
    """Return the x with ``erf(x) = y`` for each element, NaN outside -1 … 1; in the float dtype of ``y``.

    Winitzki's estimate (A handy approximation for the error function and its inverse, 2008), made exact by three
    steps of Halley's method on ``erfc``, which keeps its precision where ``y`` is close to 1.
    """
    y = np.asarray(y)
    size = np.abs(y.astype(np.float64))
    rest = 1 - size
    a = 0.147
    log = np.log(np.maximum(rest * (1 + size), 1e-300))
    b = 2 / (math.pi * a) + log / 2
    x = np.sqrt(np.maximum(np.sqrt(b * b - log / a) - b, 0.0))
    for _ in range(3):
        error = np.where(size < 0.5, size - _blockwise(_erf_double, x), _blockwise(_erfc_double, x) - rest)
        step = error * (math.sqrt(math.pi) / 2) * np.exp(x * x)
        x = x + step / (1 - x * step)
    x = np.where(size < 1, x, np.where(size == 1, np.inf, np.nan))
    return np.copysign(x, y).astype(y.dtype)
