"""How 32-bit random words become samples: the arithmetic of PyTorch's CPU generator, on arrays.

Nothing here holds state: :class:`~rushlight.arrays.random.streams.Stream` draws the words.

Where PyTorch's compiled kernels contract ``x * scale + shift`` into a fused multiply-add, the same
single rounding is made here by error-free transformations (Boldo and Melquiond, "Emulation of FMA
and correctly rounded sums: proved algorithms using rounding to odd", IEEE TC 57(4), 2008).
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..dtypes import Array

TWO_PI = 2.0 * math.pi
BLOCK = 16  # Box-Muller pairs sample i of a block of 16 with sample i + 8
LONGEST_SHUFFLE = (2**32 - 1) // 20  # from here on PyTorch shuffles in another order, with 64-bit words
_SPLITTER = 134217729.0  # 2**27 + 1 halves a 53-bit significand
_LOOP_SHUFFLE = 500  # below this the plain loop is faster than the sorted one: benchmarks/claims.py
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_DIGITS = {2: 11, 4: 24, 8: 53}  # significand bits of a float, by its size in bytes

_NAMES = {  # dtype -> (the name in range errors, the name in "not implemented" errors)
    "bool": ("bool", "Bool"),
    "uint8": ("unsigned char", "Byte"),
    "int8": ("signed char", "Char"),
    "int16": ("short int", "Short"),
    "int32": ("int", "Int"),
    "int64": ("long int", "Long"),
    "uint16": ("short unsigned int", "UInt16"),
    "uint32": ("unsigned int", "UInt32"),
    "uint64": ("long unsigned int", "UInt64"),
    "float16": ("c10::Half", "Half"),
    "float32": ("float", "Float"),
    "float64": ("double", "Double"),
    "complex64": ("c10::complex<float>", "ComplexFloat"),
    "complex128": ("c10::complex<double>", "ComplexDouble"),
}


def unsupported(kernel: str, dtype: np.dtype[Any]) -> NotImplementedError:
    """Return the error PyTorch raises when ``kernel`` has no version for ``dtype``."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(dtype)}'")


def scalar_name(dtype: np.dtype[Any]) -> str:
    """Return the name of ``dtype`` in PyTorch's messages, such as ``Float``."""
    return _NAMES.get(dtype.name, (dtype.name, dtype.name))[1]


def _two_sum(a: Array, b: Any) -> tuple[Array, Array]:
    """Return the rounded sum of ``a`` and ``b`` and its exact error (Knuth's TwoSum)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _odd_sum(a: Array, b: Any) -> Array:
    """Return ``a + b`` in float64 rounded to odd: rounded again, it is the exact sum rounded once."""
    total, error = _two_sum(a, b)
    bits = total.view(np.int64)
    inexact = (error != 0) & ((bits & 1) == 0)
    if inexact.any():
        away = np.where((error > 0) == (total > 0), 1, -1)
        total = (bits + np.where(inexact, away, 0)).view(np.float64)
    return total


def _halves(x: Any) -> tuple[Any, Any]:
    """Return ``x`` as a sum of two 26-bit numbers (Veltkamp's split)."""
    big = x * _SPLITTER
    high = big - (big - x)
    return high, x - high


def fused64(x: Array, scale: float, shift: float) -> Array:
    """Return ``x * scale + shift`` in float64 with a single rounding."""
    if shift == 0.0 or not (math.isfinite(shift) and abs(scale) < 1e290):
        return x * scale + shift
    product = x * scale
    high, low = _halves(x)
    scale_high, scale_low = _halves(scale)
    error = low * scale_low - (((product - high * scale_high) - low * scale_high) - high * scale_low)
    small, small_error = _two_sum(error, shift)
    total, total_error = _two_sum(product, small)
    return total + _odd_sum(small_error, total_error)


def fused32(x: Array, scale: float, shift: float) -> Array:
    """Return ``x * scale + shift`` in float32 with a single rounding; ``x`` is float32.

    ``scale`` and ``shift`` must be float32 values. The product of two float32 is exact in float64.
    """
    if shift == 0.0:
        return x * np.float32(scale)
    product = x.astype(np.float64)
    product *= scale
    if not (math.isfinite(shift) and math.isfinite(scale)):
        return (product + shift).astype(np.float32)
    return _odd_sum(product, shift).astype(np.float32)


def stretch32(x: Array, scale: float, shift: float) -> Array:
    """Return :func:`fused32` of multiples of 2**-24 in [0, 1), faster where float64 is exact.

    ``benchmarks/claims.py`` measures both.
    """
    top, bottom = math.frexp(scale)[1], math.frexp(shift)[1]
    if shift == 0.0 or max(top, bottom) + 1 - min(top - 48, bottom - 24) > 53:
        return fused32(x, scale, shift)
    out = x.astype(np.float64)
    out *= scale
    out += shift
    return out.astype(np.float32)


def unit32(words: Array) -> Array:
    """Return float32 in [0, 1) made of the low 24 bits of each uint64 that holds a 32-bit word."""
    bits = words.astype(np.uint32)
    bits &= np.uint32(0xFFFFFF)
    out = bits.view(np.int32).astype(np.float32)  # a signed conversion is one machine instruction
    out *= np.float32(2.0**-24)
    return out


def joined(words: Array) -> Array:
    """Return uint64 of half the length: each pair of 32-bit words joined, the high one first."""
    out = words[0::2] << np.uint64(32)
    out |= words[1::2]
    return out


def unit64(words: Array) -> Array:
    """Return float64 in [0, 1): the low 53 bits of each pair of words."""
    bits = joined(words)
    bits &= np.uint64(2**53 - 1)
    out = bits.view(np.int64).astype(np.float64)
    out *= 2.0**-53
    return out


def box_muller(u: Array) -> Array:
    """Return standard normals: in each block of 16 uniforms, 0-7 give radii and 8-15 angles.

    ``u`` is flat, float32 or float64, a multiple of 16 long. Box and Muller, "A Note on the
    Generation of Random Normal Deviates", Ann. Math. Statist. 29(2), 1958.
    """
    blocks = u.reshape(-1, 2, BLOCK // 2)
    radius = 1 - blocks[:, 0]  # (0, 1], so that the logarithm is finite
    np.log(radius, out=radius)
    radius *= -2
    np.sqrt(radius, out=radius)
    angle = blocks[:, 1] * u.dtype.type(TWO_PI)
    out = np.empty_like(blocks)
    np.multiply(radius, np.cos(angle), out=out[:, 0])
    np.multiply(radius, np.sin(angle), out=out[:, 1])
    return out.reshape(-1)


def random_divisor(dtype: np.dtype[Any]) -> int:
    """Return how many values ``Tensor.random_()`` has: all integers >= 0 ``dtype`` can hold."""
    if dtype.kind == "f":
        return int(2 ** _DIGITS[dtype.itemsize] + 1)
    if dtype.kind == "b":
        return 2
    if dtype.kind in "iu" and (dtype.kind == "i" or dtype.itemsize == 1):
        return int(np.iinfo(dtype).max) + 1
    raise unsupported("random_kernel_cpu", dtype)


def _inward(value: int, dtype: np.dtype[Any], step: int) -> int:
    """Return the bound ``value`` moved by ``step`` (1, -1) so that no draw passes it when cast."""
    inside = value + step
    if dtype.itemsize == 2 and abs(inside) > 65519:
        return value  # past float16's range: the bounds check that follows refuses it
    cast = int(np.int64(inside).astype(dtype))
    if cast > _INT64_MAX:  # here PyTorch's cast back overflows, and the bound stays as it is
        return value
    if (cast < value) if step > 0 else (cast >= value):
        spacing = max(abs(inside).bit_length() - _DIGITS[dtype.itemsize], 0)
        return cast + step * (1 << spacing)
    return value


def _check_bound(value: int, name: str, dtype: np.dtype[Any]) -> None:
    """Raise RuntimeError if ``dtype`` cannot hold the bound ``value``; warn if only with gaps."""
    cpp = _NAMES[dtype.name][0]
    if dtype.kind == "f":
        low, high = float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    elif dtype.kind == "b":
        low, high = 0, 1
    else:
        low, high = int(np.iinfo(dtype).min), min(int(np.iinfo(dtype).max), _INT64_MAX)
    if not low <= value <= high:
        raise RuntimeError(f"{name} is out of bounds for {cpp}")
    if dtype.kind == "f" and abs(value) > 2 ** _DIGITS[dtype.itemsize]:
        digits = _DIGITS[dtype.itemsize]
        warnings.warn(
            f"{name} is out of bounds [-(2^{digits}), 2^{digits}]: {cpp} cannot hold every integer "
            "in the range, so the draw is not uniform",
            UserWarning,
            stacklevel=4,
        )


def _last_integer(low: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return ``(low, last)`` of a range without upper bound: up to the largest of ``dtype``."""
    if dtype.kind != "f":
        return low, 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)
    low, last = _inward(low, dtype, 1), 2 ** _DIGITS[dtype.itemsize]
    if low >= last:
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to "
            f"dtype, but got from={low} > to_inc={last}"
        )
    return low, last


def _all_integers(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return (0, 2**64), the range of a 64-bit draw taken as it is; raise for the dtypes that PyTorch refuses."""
    if dtype == np.int64 or (dtype.kind == "f" and dtype.itemsize > 2):
        return 0, 2**64
    kernel = "random_full_64_bits_range_kernel_cpu"
    if dtype.kind in "bf" or (dtype.kind == "u" and dtype.itemsize > 1):
        raise unsupported(kernel, dtype)
    raise RuntimeError(f"{kernel} handles only int64, double, float and bfloat16")


def integer_range(low: int, high: int | None, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return ``(low, count)`` of the integers to draw from, after PyTorch's checks.

    ``high`` is exclusive; None means the largest value of ``dtype`` (of a float, 2**digits) and
    including it, and with ``low`` = -2**63 all 64-bit integers. RuntimeError names a bad bound.
    """
    if dtype.kind not in "biuf":
        handled = "integral, floating-point and boolean types"
        raise RuntimeError(f"check_random_bounds handles only {handled}")
    if high is None:
        if low == _INT64_MIN:
            return _all_integers(dtype)
        low, last = _last_integer(low, dtype)
    else:
        got = "but got from={} >= to={}"
        if low >= high:
            raise RuntimeError("random_ expects 'from' to be less than 'to', " + got.format(low, high))
        if dtype.kind == "f":
            low, high = _inward(low, dtype, 1), _inward(high, dtype, -1)
            if low >= high:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
                    + got.format(low, high)
                )
        last = high - 1
    _check_bound(low, "from", dtype)
    _check_bound(last, "to - 1", dtype)
    return low, last - low + 1


def shuffled(words: Array, n: int) -> Array:
    """Return 0 .. n-1 as int64 in the order of a Fisher-Yates shuffle with the given n - 1 words.

    Step ``i`` swaps the places ``i`` and ``i + words[i] % (n - i)`` (Durstenfeld, Algorithm 235,
    CACM 7(7), 1964).
    """
    targets = words.astype(np.int64)
    targets %= np.arange(n, 1, -1)
    targets += np.arange(n - 1)
    if n >= _LOOP_SHUFFLE:
        return _shuffled_by_sorting(targets, n)
    out = list(range(n))
    for place, target in enumerate(targets.tolist()):
        out[place], out[target] = out[target], out[place]
    return np.array(out, dtype=np.int64)


def _shuffled_by_sorting(targets: Array, n: int) -> Array:
    """Return what the loop of swaps gives, without the loop.

    Step ``i`` puts into place ``i`` what lay in ``targets[i]``: the number of that place, or what
    the last earlier step with this target carried there from its own place. Such steps form chains
    that only go back, followed to their ends all at once by doubling.
    """
    keys = np.sort((targets << 32) | np.arange(n - 1))  # by target, then by step
    order, grouped = keys & 0xFFFFFFFF, keys >> 32
    same = grouped[1:] == grouped[:-1]
    before = np.full(n, -1)  # the last earlier step with the same target
    before[order[1:][same]] = order[:-1][same]
    carried = np.arange(n)  # the step that filled place k before step k; k itself if there was none
    last = np.append(~same, True)
    carried[grouped[last]] = order[last]
    while True:
        further = carried[carried]
        if np.array_equal(further, carried):
            break
        carried = further
    out = np.empty(n, dtype=np.int64)
    out[:-1] = np.where(before[:-1] >= 0, carried[before[:-1]], targets)
    out[-1] = carried[-1]
    return out


def check_weights(weights: Array, count: int, replacement: bool) -> None:
    """Raise RuntimeError if ``weights`` and ``count`` do not make a ``torch.multinomial``."""
    if weights.dtype.kind != "f":
        name = scalar_name(weights.dtype)
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {name}")
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if count <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    categories = weights.shape[-1]
    if not replacement and count > categories:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if categories > 2**24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    if weights.size and not (replacement and count > 1):
        if not (weights.min() >= 0 and weights.max() < np.inf):
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    elif not (weights >= 0).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    elif np.isinf(weights).any():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
    if not (weights.sum(axis=-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


def located(weights: Array, u: Array) -> Array:
    """Return for each ``u`` the first category whose cumulated weight reaches it, as int64.

    ``weights`` is ``(rows, categories)`` and summed one by one in its dtype (float16: in float32).
    """
    total = np.cumsum(weights, axis=-1, dtype=np.float32 if weights.itemsize == 2 else weights.dtype)
    total /= total[:, -1:].copy()
    total[:, -1] = 1
    out = np.empty(u.shape, dtype=np.int64)
    for row, (cumulated, draws) in enumerate(zip(total.astype(np.float64), u, strict=True)):
        out[row] = np.searchsorted(cumulated, draws, side="left")
    return out


def laid_out(flat: Array, like: Array) -> Array:
    """Return ``flat`` in the shape and the memory order of ``like`` (``torch.empty_like``)."""
    if like.flags.c_contiguous:
        return flat.reshape(like.shape)
    strides = np.empty_like(like, subok=False).strides
    order = sorted(range(like.ndim), key=lambda dim: -strides[dim])
    return flat.reshape([like.shape[dim] for dim in order]).transpose(np.argsort(order))


def check_uniform(low: float, high: float, dtype: np.dtype[Any]) -> None:
    """Raise RuntimeError if [low, high) is no interval of ``dtype``."""
    limit, cpp = float(np.finfo(dtype).max), _NAMES[dtype.name][0]
    for value, name in ((low, "from"), (high, "to")):
        if not -limit <= value <= limit:
            raise RuntimeError(f"{name} is out of bounds for {cpp}")
    if not low <= high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{scalar_name(dtype)}>::max(), but "
            f"found to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def narrowed(x: Array, dtype: np.dtype[Any]) -> Array:
    """Return float64 ``x`` in ``dtype``, by way of float32 to float16 as PyTorch converts."""
    if dtype.itemsize == 2:
        x = x.astype(np.float32)
    return x.astype(dtype, copy=False)
