"""The random stream by itself: values recorded from PyTorch 2.13, its state, and its arithmetic."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rushlight.arrays.random import sampling
from rushlight.arrays.random.streams import STATE, Stream

F2, F4, F8 = np.dtype("f2"), np.dtype("f4"), np.dtype("f8")
I8, U1 = np.dtype("i8"), np.dtype("u1")


def digest(x: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()


RECORDED: list[tuple[Any, Any, list[float]]] = [
    (
        Stream(0).uniform((4,), F4),
        F4,
        [0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688],
    ),
    (
        Stream(0).uniform((3,), F8),
        F8,
        [0.9700530018065531, 0.707819864399788, 0.45938294312745087],
    ),
    (
        Stream(0).uniform((4,), F2),
        F2,
        [0.496337890625, 0.76806640625, 0.0885009765625, 0.132080078125],
    ),
    (
        Stream(7).uniform((4,), F4, -0.3, 0.45),
        F4,
        [0.10119189321994781, -0.15089762210845947, 0.19440875947475433, 0.19266769289970398],
    ),
    (
        Stream(7).uniform((3,), F8, 0.1, 0.7),
        F8,
        [0.2676282579438424, 0.2642162281910594, 0.6172557768505753],
    ),
    (Stream(0).integers((8,), I8, 0, 10), I8, [4, 9, 3, 0, 3, 9, 7, 3]),
    (
        Stream(0).integers((3,), I8, -(2**40), 2**40),
        I8,
        [-358231004625, -593374360384, 291447657211],
    ),
    (
        Stream(0).integers((2,), I8, -(2**63), None),
        I8,
        [-8322921849960486353, -5253828890213626688],
    ),
    (Stream(-1).integers((4,), I8, 0, 1000), I8, [371, 978, 476, 639]),
    (Stream(0).random((4,), U1), U1, [172, 47, 117, 192]),
    (Stream(0).random((2,), I8), I8, [900450186894289455, 3969543146641149120]),
    (Stream(0).random((3,), F4), F4, [8325664.0, 12888472.0, 1484222.0]),
    (Stream(0).permutation(10), I8, [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]),
    (Stream(0).bernoulli((12,), F4, 0.3), F4, [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1]),
    (
        Stream(0).bernoulli_each(np.linspace(0, 1, 11, dtype=F4), F4),
        F4,
        [0, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1],
    ),
    (
        Stream(0).bernoulli_each(np.linspace(0, 1, 11), F8),
        F8,
        [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    (Stream(0).multinomial(np.array([0.1, 0.2, 0.3, 0.4], F4), 3), I8, [2, 1, 3]),
    (
        Stream(0).multinomial(np.array([0.1, 0.2, 0.3, 0.4], F4), 8, replacement=True),
        I8,
        [3, 3, 2, 3, 3, 3, 1, 2],
    ),
]


@pytest.mark.parametrize(("drawn", "dtype", "recorded"), RECORDED)
def test_recorded(drawn: Any, dtype: Any, recorded: list[float]) -> None:
    assert drawn.dtype == dtype
    assert drawn.tolist() == recorded


def test_recorded_normals() -> None:
    few = [1.5409961082440433, -0.2934289057609464, -2.1787893820745574]
    np.testing.assert_allclose(Stream(0).normal((3,), F8), few, rtol=4e-16)
    moved = [-0.5275272762111255, -0.7264966994028066, -0.6487635924002507]
    np.testing.assert_allclose(Stream(5).normal((3,), F8, 0.3, 1.7), moved, rtol=4e-15)
    many = Stream(0).normal((17,), F4)
    first = [-1.1258398294448853, -1.6959311962127686, 0.5666506290435791, 0.7935083508491516]
    np.testing.assert_allclose(many[:4], np.array(first, F4), rtol=1e-6)
    np.testing.assert_allclose(many[-1:], np.array([0.9318265914916992], F4), rtol=1e-6)
    tail = [-0.4484158047114511, -0.8910030351707375, 0.6748575435940039]
    np.testing.assert_allclose(Stream(0).normal((17,), F8)[-3:], tail, rtol=2e-15)
    half = [-1.1259765625, -1.3525390625, -1.6962890625]
    np.testing.assert_allclose(Stream(0).normal((17,), F2)[:3], np.array(half, F2), rtol=2e-3)


def test_recorded_exponentials() -> None:
    recorded = [1.4033304746830568, 0.49215390567187073, 0.2460176375576046]
    np.testing.assert_allclose(Stream(0).exponential((3,), F8, 2.5), recorded, rtol=4e-16)


def test_recorded_long_permutation() -> None:
    recorded = "31dfe1f9fcd00d080c5eb9cb033544f550bee7a819549630c6a0b72dcb171988"
    assert digest(Stream(0).permutation(5000)) == recorded


def test_recorded_states() -> None:
    fresh = "76fe321e2dc1dfdec62a274bcedbeea2727be2e2972f97e728e07e0345c21ede"
    assert digest(Stream(3).get_state()) == fresh
    used_up = Stream(3)
    used_up.uniform((624,), F4)
    recorded = "5294adef869311a97b9b9bfa34400a35322399b967301af24e23f23c460602be"
    assert digest(used_up.get_state()) == recorded


def test_recorded_dropout() -> None:
    ones, gain = np.ones((2, 4), F4), float(F4.type(1) / F4.type(0.6))
    plain = [[0, 0, gain, 0], [0, 0, gain, gain]]
    assert Stream(0).dropout_mask(ones, 0.4).tolist() == plain
    in_memory_order = [[0, gain, 0, gain], [0, 0, 0, gain]]
    assert Stream(0).dropout_mask(np.ones((4, 2), F4).T, 0.4).tolist() == in_memory_order
    channels = Stream(0).dropout_mask(np.ones((2, 3, 2), F4), 0.4, features=True)
    assert channels.tolist() == [[[0], [0], [gain]], [[0], [0], [0]]]
    low, high = -0.9106420278549194, 1.4703772068023682
    scale, shift = Stream(0).alpha_mask(ones, 0.4)
    expected = [[low, low, high, low], [low, low, high, high]]
    assert (ones * scale + shift).tolist() == expected


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_dropout_draws_nothing(p: float) -> None:
    stream = Stream(0)
    before = stream.get_state()
    np.testing.assert_array_equal(stream.dropout_mask(np.ones((2, 3)), p), np.full((2, 3), 1 - p))
    scale, shift = stream.alpha_mask(np.ones((2, 3)), p)
    np.testing.assert_array_equal(scale + shift, np.full((2, 3), 1 - p))
    np.testing.assert_array_equal(stream.get_state(), before)


def test_seeds() -> None:
    assert Stream().initial_seed() == 67280421310721
    assert Stream(-1).initial_seed() == 2**64 - 1
    stream = Stream(4)
    first = stream.normal((3,), F8)
    stream.manual_seed(4)  # forgets the kept half of a pair too
    np.testing.assert_array_equal(stream.normal((3,), F8), first)
    assert stream.seed() == stream.initial_seed() != 4
    np.testing.assert_array_equal(Stream(2**32 + 4).normal((3,), F8), first)
    for seed in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="Overflow"):
            stream.manual_seed(seed)


@pytest.mark.parametrize("words", [0, 1, 623, 624, 625, 5000])
@pytest.mark.parametrize("normals", [0, 1, 2])
def test_state_round_trip(words: int, normals: int) -> None:
    stream, other = Stream(9), Stream(1)
    stream.uniform((words,), F4)
    stream.normal((normals,), F8)
    state = stream.get_state()
    assert state.dtype == np.uint8
    assert state.shape == (5056,) == (STATE.itemsize,)
    other.set_state(state)
    assert other.initial_seed() == 9
    np.testing.assert_array_equal(other.get_state(), state)
    for _ in range(2):
        np.testing.assert_array_equal(stream.normal((3,), F8), other.normal((3,), F8))
        np.testing.assert_array_equal(stream.uniform((700,), F8), other.uniform((700,), F8))


def test_state_keeps_the_float_sample() -> None:
    state = Stream(0).get_state()
    record = state.view(STATE)
    record["float_sample"], record["float_is_valid"] = 0.25, True
    stream = Stream(1)
    stream.set_state(state)
    np.testing.assert_array_equal(stream.get_state(), state)


@pytest.mark.parametrize(("left", "position", "seeded"), [(0, 625, 1), (10, 3, 1), (624, 1, 0)])
def test_impossible_states(left: int, position: int, seeded: int) -> None:
    state = Stream(0).get_state()
    record = state.view(STATE)
    record["left"], record["next"], record["seeded"] = left, position, seeded
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        Stream(0).set_state(state)


def test_numpy_global_state_is_left_alone() -> None:
    shared = np.random.get_bit_generator()
    before = shared.state["state"]
    stream = Stream(0)
    stream.normal((20,), F4)
    stream.permutation(5)
    stream.seed()
    after = shared.state["state"]
    assert before["pos"] == after["pos"]
    np.testing.assert_array_equal(before["key"], after["key"])
    expected = Stream(0).uniform((3,), F4)
    shared.random_raw(10)
    np.testing.assert_array_equal(Stream(0).uniform((3,), F4), expected)


def test_import_does_not_load_numpy_random() -> None:
    code = "import sys, rushlight.arrays.random.streams as m; print('numpy.random' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("n", [0, 1])
def test_permutation_of_nothing_to_swap(n: int) -> None:
    stream = Stream(0)
    before = stream.get_state()
    assert stream.permutation(n, F4).tolist() == list(range(n))
    np.testing.assert_array_equal(stream.get_state(), before)


def test_permutation_refuses_what_needs_wide_words() -> None:
    with pytest.raises(RuntimeError, match="n must be below 214748364"):
        Stream(0).permutation(214748364)


@pytest.mark.parametrize("n", [2, 3, 5, 50, 1000])
def test_sorted_shuffle_is_the_loop(n: int) -> None:
    for seed in range(20):
        targets = Stream(seed).words(n - 1).astype(np.int64) % np.arange(n, 1, -1) + np.arange(n - 1)
        looped = list(range(n))
        for place, target in enumerate(targets.tolist()):
            looped[place], looped[target] = looped[target], looped[place]
        assert sampling._shuffled_by_sorting(targets, n).tolist() == looped


def rounded32(x: Fraction) -> float:
    """Return the float32 nearest to ``x``, ties to even."""
    near = np.float32(float(x))
    around = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
    return float(min(around, key=lambda c: (abs(Fraction(float(c)) - x), int(c.view(np.int32)) & 1)))


scales = st.floats(2.0**-30, 2.0**30)
shifts = scales.flatmap(lambda x: st.sampled_from([x, -x]))


# The examples lie just beside the middle of two floats, by less than the wider sum can hold.
@example(6713103182899, 21982971 * 2.0**-67, 1.0)
@given(st.integers(0, 2**53 - 1), scales, shifts)
def test_fused64_rounds_once(k: int, scale: float, shift: float) -> None:
    x = k * 2.0**-53
    exact = Fraction(x) * Fraction(scale) + Fraction(shift)
    assert sampling.fused64(np.array([x]), scale, shift)[0] == float(exact)


@example(1774001, 38737 * 2.0**-36, 1.0)
@example(262143, 262145 * 2.0**-36, 1 + 2.0**-23)
@example(262143, -262145 * 2.0**-36, -1 - 2.0**-23)
@given(st.integers(0, 2**24 - 1), scales, shifts)
def test_fused32_rounds_once(k: int, scale: float, shift: float) -> None:
    x, scale, shift = k * 2.0**-24, float(np.float32(scale)), float(np.float32(shift))
    expected = rounded32(Fraction(x) * Fraction(scale) + Fraction(shift))
    array = np.array([x], F4)
    assert sampling.fused32(array, scale, shift)[0] == expected
    assert sampling.stretch32(array, scale, shift)[0] == expected


def test_float_integers_warn_beyond_their_digits() -> None:
    with pytest.warns(UserWarning, match=r"to - 1 is out of bounds \[-\(2\^24\), 2\^24\]"):
        Stream(0).integers((2,), F4, 0, 2**25)


def test_moments() -> None:
    """Means and spreads of a million samples are those of the distribution."""
    n, stream = 1_000_000, Stream(12)
    for drawn, mean, variance in (
        (stream.uniform((n,), F4, -1, 3), 1.0, 16 / 12),
        (stream.normal((n,), F4, 2, 3), 2.0, 9.0),
        (stream.exponential((n,), F4, 0.5), 2.0, 4.0),
        (stream.bernoulli((n,), F8, 0.2), 0.2, 0.16),
        (stream.integers((n,), F8, 0, 10), 4.5, 8.25),
    ):
        assert abs(drawn.mean(dtype=F8) - mean) < 5 * math.sqrt(variance / n)
        assert abs(drawn.var(dtype=F8) / variance - 1) < 0.02
