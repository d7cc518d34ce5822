"""PyTorch's CPU random stream in NumPy: the same seed gives the same numbers, in the same order.

The words are those of the Mersenne Twister (Matsumoto and Nishimura, ACM TOMACS 8(1), 1998), seeded
with the low 32 bits of the seed. A draw fills a new array in C order, one element after another:

===========================================  =================================================
draw                                         words taken
===========================================  =================================================
uniform, float16 and float32; integers       1 an element
integers out of 2**28 values or more         2 an element, if the dtype has 4 bytes or more
uniform, float64; bernoulli with one p       2 an element
exponential, any dtype                       2 an element
normal, below 16 elements                    4 a pair; the second is kept for the next call
normal, from 16 elements on                  1 an element (float64: 2), and 16 elements more
                                             if the size is no multiple of 16
permutation of n                             n - 1
===========================================  =================================================

Everything but normals agrees with PyTorch bit for bit; normals do within 4 units in the last place,
since the logarithm and the sine are another library's. On Intel processors PyTorch takes
``bernoulli_(p)``, and with it dropout, from MKL; followed here is what it does on all others.
"""

from __future__ import annotations

import math
import os
from typing import Any, TypeAlias

import numpy as np

from ..dtypes import Array, as_int64
from . import sampling as kernel

Shape: TypeAlias = tuple[int, ...]

DEFAULT_SEED = 67280421310721
_LENGTH = 624  # words in the state of MT19937
_WIDE = 2**28  # integers out of so many values take two words
_FLOAT64 = np.dtype(np.float64)
_INT64 = np.dtype(np.int64)

STATE = np.dtype(  # the layout of torch.Generator.get_state(): a C struct of 5056 bytes
    [
        ("seed", "u8"),
        ("left", "i4"),
        ("seeded", "i4"),
        ("next", "u8"),
        ("key", "u8", (_LENGTH,)),
        ("normal_x", "f8"),
        ("normal_y", "f8"),
        ("normal_rho", "f8"),
        ("normal_is_valid", "i4"),
        ("padding", "i4"),
        ("float_sample", "f4"),
        ("float_is_valid", "?"),
    ],
    align=True,
)


def checked_seed(seed: int) -> int:
    """Return ``seed`` as the unsigned 64-bit number it stands for; negative seeds count from 2**64.

    Raises ValueError outside [-2**63, 2**64).
    """
    if not -(2**63) <= seed < 2**64:
        raise ValueError("Overflow when unpacking long long")
    return seed % 2**64


class Stream:
    """A stream of random numbers that follows ``torch.Generator(device="cpu")``.

    >>> stream = Stream(0)
    >>> stream.uniform((2,), np.dtype(np.float32))
    array([0.4962566, 0.7682218], dtype=float32)
    """

    __slots__ = ("__weakref__", "_bits", "_seed", "_spare", "_spare32")

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._bits: np.random.MT19937 | None = None  # made at the first draw: numpy.random loads lazily
        self._seed = checked_seed(seed)
        self._spare: float | None = None  # the second normal of a pair, until it is asked for
        self._spare32: float | None = None  # PyTorch's state has a place for it; no CPU draw fills it

    # ------------------------------------------------------------------------ seed and state

    def _start(self) -> np.random.MT19937:
        """Return the bit generator, made from the seed."""
        self._bits = bits = np.random.MT19937(0)
        bits._legacy_seeding(self._seed & 0xFFFFFFFF)
        return bits

    def manual_seed(self, seed: int) -> None:
        """Restart the stream from ``seed``; ValueError outside [-2**63, 2**64)."""
        self._seed = checked_seed(seed)
        self._spare = self._spare32 = None
        if self._bits is not None:
            self._bits._legacy_seeding(self._seed & 0xFFFFFFFF)

    def initial_seed(self) -> int:
        """Return the seed the stream was last started from, as an unsigned 64-bit number."""
        return self._seed

    def seed(self) -> int:
        """Restart the stream from a seed of the operating system, and return that seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def get_state(self) -> Array:
        """Return the state as uint8 of shape ``(5056,)``, byte for byte as PyTorch lays it out."""
        inner = (self._bits or self._start()).state["state"]
        record = np.zeros((), STATE)
        used = int(inner["pos"])
        record["seed"], record["seeded"] = self._seed, 1
        record["left"], record["next"] = _LENGTH + 1 - used, used
        if used == _LENGTH:  # both a stream just seeded and a block just used up
            fresh = np.random.MT19937(0)
            fresh._legacy_seeding(self._seed & 0xFFFFFFFF)
            if np.array_equal(fresh.state["state"]["key"], inner["key"]):
                record["next"] = 0
        record["key"] = inner["key"]
        if self._spare is not None:
            record["normal_y"], record["normal_is_valid"] = self._spare, 1
        if self._spare32 is not None:
            record["float_sample"], record["float_is_valid"] = self._spare32, True
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def set_state(self, state: Array) -> None:
        """Continue from ``state``, the 5056 bytes of :meth:`get_state`, here or in PyTorch.

        Raises TypeError if it is not uint8, RuntimeError for another size or an impossible state.
        """
        if state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if state.size != STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE.itemsize} but found the input "
                f"RNG state size to be {state.size}"
            )
        record = np.frombuffer(state.tobytes(), STATE)[0]
        left, position = int(record["left"]), int(record["next"])
        if (left, position) == (1, 0):
            position = _LENGTH
        if int(record["seeded"]) != 1 or not 0 < position <= _LENGTH or left + position != 625:
            raise RuntimeError("Invalid mt19937 state")
        bits = self._bits or self._start()
        key = record["key"].astype(np.uint32)
        bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
        self._seed = int(record["seed"])
        self._spare = float(record["normal_y"]) if record["normal_is_valid"] else None
        self._spare32 = float(record["float_sample"]) if record["float_is_valid"] else None

    def words(self, count: int) -> Array:
        """Return the next ``count`` 32-bit words, each in a uint64."""
        bits = self._bits or self._start()
        return bits.random_raw(count)

    # ------------------------------------------------------------------------ real numbers

    def uniform(self, shape: Shape, dtype: np.dtype[Any], low: float = 0.0, high: float = 1.0) -> Array:
        """Return numbers of [low, high) in a floating ``dtype`` (``Tensor.uniform_``).

        Raises RuntimeError if ``low > high`` or a bound is beyond ``dtype``.
        """
        if dtype.kind != "f":
            raise kernel.unsupported("check_uniform_bounds", dtype)
        plain = low == 0.0 and high == 1.0
        if not plain:
            kernel.check_uniform(low, high, dtype)
        count = math.prod(shape)
        if dtype.itemsize == 8:
            out = kernel.unit64(self.words(2 * count))
            if not plain:
                out = kernel.fused64(out, high - low, low)
        else:
            out = kernel.unit32(self.words(count))
            if not plain:
                first, width = np.float32(low), np.float32(high) - np.float32(low)
                out = kernel.stretch32(out, float(width), float(first))
            if dtype.itemsize == 2:
                out = out.astype(dtype)
        if not plain or dtype.itemsize == 2:
            over = out >= dtype.type(high)  # rounding may reach the excluded end
            if over.any():
                out[over] = low
        return out.reshape(shape)

    def normal(self, shape: Shape, dtype: np.dtype[Any], mean: float = 0.0, std: float = 1.0) -> Array:
        """Return normals of ``mean`` and ``std`` in a floating ``dtype`` (``Tensor.normal_``).

        Raises RuntimeError if ``std`` is negative or NaN.
        """
        if not std >= 0.0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        if dtype.kind != "f":
            raise kernel.unsupported("normal_kernel_cpu", dtype)
        count = math.prod(shape)
        if count < kernel.BLOCK:
            few = np.array(self._few_normals(count), _FLOAT64)
            if std != 1.0 or mean != 0.0:
                few = kernel.fused64(few, std, mean)
            return kernel.narrowed(few, dtype).reshape(shape)
        whole = count - count % kernel.BLOCK
        # with a tail, the last 16 are made again from 16 new uniforms; float16 skips the old ones
        skipped = whole if dtype.itemsize == 2 else count
        extra = kernel.BLOCK if whole != count else 0
        if dtype.itemsize == 8:
            u = kernel.unit64(self.words(2 * (skipped + extra)))
        else:
            u = kernel.unit32(self.words(skipped + extra))
        if extra:
            out = np.empty(count, u.dtype)
            out[:whole] = kernel.box_muller(u[:whole])
            out[-kernel.BLOCK :] = kernel.box_muller(u[skipped:])
        else:
            out = kernel.box_muller(u)
        if std != 1.0 or mean != 0.0:
            if dtype.itemsize == 8:
                out = kernel.fused64(out, std, mean)
            else:
                out = kernel.fused32(out, float(np.float32(std)), float(np.float32(mean)))
        return out.astype(dtype, copy=False).reshape(shape)

    def _few_normals(self, count: int) -> list[float]:
        """Return fewer than 16 standard normals, drawn by pairs; few enough for ``math``."""
        out = [] if self._spare is None or not count else [self._spare]
        pairs = (count - len(out) + 1) // 2
        u = iter(kernel.unit64(self.words(4 * pairs)).tolist())
        for angle, radius in zip(u, u, strict=True):
            length = math.sqrt(-2.0 * math.log1p(-radius))
            turned = kernel.TWO_PI * angle
            out += length * math.cos(turned), length * math.sin(turned)
        if count:
            self._spare = out.pop() if len(out) > count else None
        return out

    def exponential(self, shape: Shape, dtype: np.dtype[Any], rate: float = 1.0) -> Array:
        """Return exponentials of mean ``1 / rate`` in a floating ``dtype`` (``exponential_``).

        Raises RuntimeError if ``rate`` is not positive.
        """
        if dtype.kind != "f":
            raise RuntimeError(
                "Exponential distribution is a continuous probability distribution. dtype must "
                f"be a floating point but you specified {kernel.scalar_name(dtype)}"
            )
        if not rate > 0.0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
        u = kernel.unit64(self.words(2 * math.prod(shape)))
        np.negative(u, out=u)
        out = np.log1p(u)
        if dtype.itemsize == 8:  # NumPy's log1p is a unit off now and then; float32 hides that
            out = np.fromiter(map(math.log1p, u.tolist()), _FLOAT64, u.size)
        out *= -1.0 / rate
        return kernel.narrowed(out, dtype).reshape(shape)

    # ------------------------------------------------------------------------ whole numbers

    def random(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return integers of [0, largest value]; of a float, all it holds exactly (``random_``)."""
        divisor = kernel.random_divisor(dtype)
        wide = dtype.kind in "if" and dtype.itemsize == 8
        return self._remainders(math.prod(shape), divisor, 0, wide).astype(dtype).reshape(shape)

    def integers(self, shape: Shape, dtype: np.dtype[Any], low: int, high: int | None) -> Array:
        """Return integers of [low, high) in any real ``dtype`` (``randint``, ``random_``).

        ``high`` None means the largest value of ``dtype`` and including it. Raises RuntimeError if
        the range is empty or does not fit ``dtype``.
        """
        low, count = kernel.integer_range(low, high, dtype)
        wide = count >= _WIDE and dtype.itemsize >= 4
        return self._remainders(math.prod(shape), count, low, wide).astype(dtype).reshape(shape)

    def _remainders(self, size: int, divisor: int, base: int, wide: bool) -> Array:
        """Return ``base + draw % divisor`` as int64, wrapping around as in PyTorch."""
        draws = kernel.joined(self.words(2 * size)) if wide else self.words(size)
        if divisor & (divisor - 1) == 0:
            draws &= np.uint64(divisor - 1)
        elif wide:
            draws %= np.uint64(divisor)
        else:
            draws = (draws.astype(np.uint32) % np.uint32(divisor)).astype(np.uint64)
        if base:
            draws += np.uint64(base % 2**64)
        return draws.view(_INT64)

    def permutation(self, n: int, dtype: np.dtype[Any] = _INT64) -> Array:
        """Return 0 .. n-1 in random order, shape ``(n,)`` (``torch.randperm``).

        Raises RuntimeError if ``n`` is negative, or so large that PyTorch takes 64-bit words.
        """
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
        if n >= kernel.LONGEST_SHUFFLE:
            raise RuntimeError(f"randperm: n must be below {kernel.LONGEST_SHUFFLE}, got {n}")
        return kernel.shuffled(self.words(max(n - 1, 0)), n).astype(dtype, copy=False)

    # ------------------------------------------------------------------------ choices

    def _hits(self, count: int, p: float) -> Array:
        """Return ``count`` booleans, True with probability ``p``: a 53-bit uniform below ``p``."""
        if not 0.0 <= p <= 1.0:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        bits = kernel.joined(self.words(2 * count))
        bits &= np.uint64(2**53 - 1)
        return bits < np.uint64(math.ceil(p * 2.0**53))  # exact: the scaling is by a power of two

    def bernoulli(self, shape: Shape, dtype: np.dtype[Any], p: float = 0.5) -> Array:
        """Return ones with probability ``p``, else zeros (``Tensor.bernoulli_(p)``).

        Raises RuntimeError unless ``0 <= p <= 1``.
        """
        if dtype.kind not in "bfiu" or (dtype.kind == "u" and dtype.itemsize > 1):
            raise kernel.unsupported("bernoulli_scalar_cpu_", dtype)
        return self._hits(math.prod(shape), p).astype(dtype, copy=False).reshape(shape)

    def bernoulli_each(self, p: Array, dtype: np.dtype[Any]) -> Array:
        """Return ones with the probability at each place of ``p``, else zeros (``bernoulli``).

        A float64 ``p`` takes 2 words an element, another 1. RuntimeError unless 0 <= p <= 1.
        """
        if p.dtype.kind != "f":
            raise kernel.unsupported("bernoulli_tensor_cpu_p_", p.dtype)
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
        wide = p.dtype.itemsize == 8
        u = kernel.unit64(self.words(2 * p.size)) if wide else kernel.unit32(self.words(p.size))
        return (u.reshape(p.shape) < p).astype(dtype, copy=False)

    def multinomial(self, weights: Array, count: int, replacement: bool = False) -> Array:
        """Return int64 indices drawn by ``weights``, ``(count,)`` or ``(rows, count)``.

        Without replacement, and for one sample, they are the places of the largest ``weights /
        exponential`` (Efraimidis and Spirakis, Inf. Process. Lett. 97(5), 2006); else each is found
        in the cumulated weights. The order of equal ones is not PyTorch's: zeros where positive
        weights run out, and float16. RuntimeError for negative, infinite, NaN or all-zero weights.
        """
        kernel.check_weights(weights, count, replacement)
        if replacement and count > 1:
            rows = np.atleast_2d(weights)
            u = kernel.unit64(self.words(2 * len(rows) * count)).reshape(len(rows), count)
            return kernel.located(rows, u).reshape(*weights.shape[:-1], count)
        race = weights / self.exponential(weights.shape, weights.dtype)
        if count == 1:
            return np.asarray(as_int64(race.argmax(axis=-1, keepdims=True)))
        return np.asarray(as_int64(np.argsort(-race, axis=-1, kind="stable")[..., :count]))

    # ------------------------------------------------------------------------ dropout

    def _kept(self, like: Array, p: float, features: bool) -> Array:
        """Return booleans, True with probability ``1 - p``, for ``like`` or its channels."""
        if not features:
            return kernel.laid_out(self._hits(like.size, 1.0 - p), like)
        if like.ndim < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        shape = like.shape[:2] + (1,) * (like.ndim - 2)
        return self._hits(math.prod(shape), 1.0 - p).reshape(shape)

    def dropout_mask(self, like: Array, p: float, features: bool = False) -> Array:
        """Return the factors of dropout: 0 with probability ``p``, else ``1 / (1 - p)``.

        Drawn in the order of the memory of ``like``. ``features`` gives one number a channel, shape
        ``(N, C, 1, ...)`` (``dropout2d``). ``p`` of 0 and 1 and an empty ``like`` draw nothing.
        """
        if p in (0.0, 1.0) or like.size == 0:
            return np.full(like.shape, 1.0 - p, like.dtype)
        kept = self._kept(like, p, features)
        single = np.float64 if like.itemsize == 8 else np.float32  # float16 divides in float32
        gain = (single(1) / single(1.0 - p)).astype(like.dtype)
        return np.asarray(kept * gain)

    def alpha_mask(self, like: Array, p: float, features: bool = False) -> tuple[Array, Array]:
        """Return ``(scale, shift)`` of alpha dropout, ``like * scale + shift``.

        Drawn as :meth:`dropout_mask`. Klambauer et al., "Self-Normalizing Neural Networks", 2017.
        """
        dtype = like.dtype
        if p in (0.0, 1.0) or like.size == 0:
            return np.full(like.shape, 1.0 - p, dtype), np.zeros(like.shape, dtype)
        alpha = 1.7580993408473766
        a = 1.0 / math.sqrt((alpha * alpha * p + 1.0) * (1.0 - p))
        noise = self._kept(like, p, features).astype(dtype)
        shift = (noise - dtype.type(1)) * dtype.type(alpha * a) + dtype.type(alpha * a * p)
        return noise * dtype.type(a), shift
