"""Random draws against PyTorch: the same seed gives the same numbers, whatever was drawn before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushlight.arrays.random.streams import Stream
from support.oracle import not_mkl

torch = pytest.importorskip("torch")

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "bool"]
SEEDS = st.integers(-(2**63), 2**64 - 1)

# One draw of a program: ("exact" or "near", the draw of a Stream, the draw of a torch.Generator).
Draw = tuple[str, Callable[[Stream], Any], Callable[[Any], Any]]


def generator(seed: int) -> Any:
    return torch.Generator().manual_seed(seed)


def empty(shape: Any, dtype: str) -> Any:
    return torch.empty(shape, dtype=getattr(torch, dtype))


def same(ours: Any, theirs: Any, how: str) -> None:
    """Assert equal dtype, shape and values; ``how`` is "exact" or "near" (normals)."""
    expected = theirs.numpy()
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    if how == "exact":
        np.testing.assert_array_equal(ours, expected)
    else:
        # with a mean, a sample near zero has lost digits: an absolute tolerance at the scale of one
        near = {2: 2e-3, 4: 1e-6, 8: 2e-15}[ours.itemsize]
        np.testing.assert_allclose(ours, expected, rtol=near, atol=near)


shapes = st.one_of(
    st.integers(0, 40).map(lambda n: (n,)),
    st.sampled_from([(), (1,), (15,), (16,), (17,), (3, 5), (2, 0, 3), (4, 4), (5, 7, 3), (700,)]),
)
probabilities = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0, 0.1, 1e-300]))


@st.composite
def uniforms(draw: Any) -> Draw:
    shape, dtype = draw(shapes), draw(st.sampled_from(FLOATS))
    ends = st.floats(-2000, 2000)
    around = st.floats(0.0009, 3).map(lambda b: (-b, b))
    between = st.tuples(ends, ends).map(lambda b: (min(b), max(b)))
    bounds = draw(st.one_of(st.just((0.0, 1.0)), around, between))
    return (
        "exact",
        lambda s: s.uniform(shape, np.dtype(dtype), *bounds),
        lambda g: empty(shape, dtype).uniform_(*bounds, generator=g),
    )


@st.composite
def normals(draw: Any) -> Draw:
    shape, dtype = draw(shapes), draw(st.sampled_from(FLOATS))
    mean = draw(st.sampled_from([0.0, 0.3, -2.0]))
    std = draw(st.sampled_from([1.0, 0.02, 1.7, 0.0]))
    return (
        "near",
        lambda s: s.normal(shape, np.dtype(dtype), mean, std),
        lambda g: empty(shape, dtype).normal_(mean, std, generator=g),
    )


@st.composite
def integers(draw: Any) -> Draw:
    shape, dtype = draw(shapes), draw(st.sampled_from(INTEGERS + FLOATS))
    least, most = (0, 1) if dtype == "bool" else (-(2**11), 2**11)
    if dtype in ("float32", "float64"):
        least, most = -(2**24), 2**24
    elif dtype not in ("bool", "float16"):
        info = np.iinfo(dtype)
        least, most = int(info.min), min(int(info.max), 2**63 - 2)
    low = draw(st.integers(least, most))
    high = draw(st.integers(low, most).map(lambda v: v + 1))
    return (
        "exact",
        lambda s: s.integers(shape, np.dtype(dtype), low, high),
        lambda g: empty(shape, dtype).random_(low, high, generator=g),
    )


@st.composite
def open_integers(draw: Any) -> Draw:
    shape, dtype = draw(shapes), draw(st.sampled_from(INTEGERS[:5] + FLOATS + ["bool"]))
    if draw(st.booleans()):
        return (
            "exact",
            lambda s: s.random(shape, np.dtype(dtype)),
            lambda g: empty(shape, dtype).random_(generator=g),
        )
    low = 0 if dtype == "bool" else draw(st.integers(0, 100))
    if dtype in ("int64", "float32", "float64") and draw(st.booleans()):
        low = -(2**63)
    return (
        "exact",
        lambda s: s.integers(shape, np.dtype(dtype), low, None),
        lambda g: empty(shape, dtype).random_(low, None, generator=g),
    )


@st.composite
def permutations(draw: Any) -> Draw:
    n = draw(st.one_of(st.integers(0, 40), st.sampled_from([799, 800, 801, 3000])))
    return "exact", lambda s: s.permutation(n), lambda g: torch.randperm(n, generator=g)


@st.composite
def bernoullis(draw: Any) -> Draw:
    shape, dtype = draw(shapes), draw(st.sampled_from([*FLOATS, *INTEGERS[:5], "bool"]))
    if draw(st.booleans()):
        p = draw(probabilities)
        return (
            "exact",
            lambda s: s.bernoulli(shape, np.dtype(dtype), p),
            lambda g: empty(shape, dtype).bernoulli_(p, generator=g),
        )
    kind = draw(st.sampled_from(FLOATS))
    n = int(np.prod(shape))
    chances = np.random.default_rng(draw(st.integers(0, 9))).random(n).astype(kind).reshape(shape)
    return (
        "exact",
        lambda s: s.bernoulli_each(chances, np.dtype(dtype)),
        lambda g: empty(shape, dtype).bernoulli_(torch.from_numpy(chances), generator=g),
    )


@st.composite
def exponentials(draw: Any) -> Draw:
    shape, dtype = draw(shapes), draw(st.sampled_from(FLOATS))
    rate = draw(st.sampled_from([1.0, 0.3, 2.5, 17.0]))
    return (
        "exact",
        lambda s: s.exponential(shape, np.dtype(dtype), rate),
        lambda g: empty(shape, dtype).exponential_(rate, generator=g),
    )


@st.composite
def multinomials(draw: Any) -> Draw:
    replacement = draw(st.booleans())
    dtype = draw(st.sampled_from(FLOATS if replacement else FLOATS[1:]))  # float16 has ties
    rows, categories = draw(st.sampled_from([(), (1,), (3,)])), draw(st.integers(1, 70))
    source = np.random.default_rng(draw(st.integers(0, 99)))
    weights = (source.random((*rows, categories)) + 0.01).astype(dtype)
    if replacement and categories > 1:
        weights[..., source.integers(categories)] = 0
    count = draw(st.integers(1, 80 if replacement else categories))
    return (
        "exact",
        lambda s: s.multinomial(weights, count, replacement),
        lambda g: torch.multinomial(torch.from_numpy(weights), count, replacement, generator=g),
    )


plain = st.one_of(uniforms(), normals(), integers(), open_integers(), permutations())
mkl = st.one_of(bernoullis(), exponentials(), multinomials())


def run(seed: int, program: list[Draw]) -> None:
    ours, theirs = Stream(seed), generator(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    for how, draw, reference in program:
        same(draw(ours), reference(theirs), how)
        np.testing.assert_array_equal(ours.get_state(), theirs.get_state().numpy())


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.lists(plain, min_size=1, max_size=8))
@pytest.mark.filterwarnings("ignore:.*out of bounds")
def test_programs_of_draws(seed: int, program: list[Draw]) -> None:
    run(seed, program)


@not_mkl
@settings(max_examples=150, deadline=None)
@given(SEEDS, st.lists(st.one_of(plain, mkl), min_size=1, max_size=8))
@pytest.mark.filterwarnings("ignore:.*out of bounds")
def test_programs_of_all_draws(seed: int, program: list[Draw]) -> None:
    run(seed, program)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.lists(st.one_of(normals(), uniforms()), max_size=5), uniforms())
def test_state_moves_both_ways(seed: int, program: list[Draw], last: Draw) -> None:
    ours, theirs = Stream(seed), generator(seed)
    for _, draw, reference in program:
        draw(ours)
        reference(theirs)
    to_us, to_them = Stream(1), generator(1)
    to_us.set_state(theirs.get_state().numpy())
    to_them.set_state(torch.from_numpy(ours.get_state()))
    assert to_us.initial_seed() == to_them.initial_seed() == seed % 2**64
    for _ in range(2):
        three = np.dtype("float64")
        same(to_us.normal((3,), three), empty(3, "float64").normal_(generator=to_them), "near")
        same(last[1](to_us), last[2](to_them), "exact")
    np.testing.assert_array_equal(to_us.get_state(), to_them.get_state().numpy())


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bounds", [(0, 1), (-0.3, 0.7), (100, 100.7), (1000, 1000.001), (0, 0.7), (3, 3)])
def test_many_uniforms(dtype: str, bounds: tuple[float, float]) -> None:
    ours = Stream(3).uniform((200_000,), np.dtype(dtype), *bounds)
    same(ours, empty(200_000, dtype).uniform_(*bounds, generator=generator(3)), "exact")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [16, 17, 31, 33, 1600, 100_003])
def test_many_normals(dtype: str, size: int) -> None:
    ours = Stream(5).normal((size,), np.dtype(dtype))
    theirs = empty(size, dtype).normal_(generator=generator(5)).numpy()
    same(ours, torch.from_numpy(theirs), "near")
    assert (np.abs(ours - theirs) <= 4 * np.spacing(np.abs(theirs))).all()


@pytest.mark.parametrize("dtype", ["uint32", "int64", "float32", "float64"])
@pytest.mark.parametrize("values", [2**28 - 1, 2**28, 2**28 + 1, 2**32, 2**32 + 1])
@pytest.mark.filterwarnings("ignore:.*out of bounds")
def test_one_or_two_words(values: int, dtype: str) -> None:
    high = min(values, 2**32) if dtype == "uint32" else values
    ours = Stream(1).integers((9,), np.dtype(dtype), 0, high)
    same(ours, empty(9, dtype).random_(0, high, generator=generator(1)), "exact")


@pytest.mark.parametrize("n", [800, 20_000, 300_000])
def test_long_permutations(n: int) -> None:
    same(Stream(n).permutation(n), torch.randperm(n, generator=generator(n)), "exact")


@not_mkl
@pytest.mark.parametrize("dtype", FLOATS)
def test_many_exponentials(dtype: str) -> None:
    ours = Stream(5).exponential((100_000,), np.dtype(dtype), 0.7)
    same(ours, empty(100_000, dtype).exponential_(0.7, generator=generator(5)), "exact")


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda x: x,
    "transposed": lambda x: x.swapaxes(1, 2),
    "reversed": lambda x: x.swapaxes(0, 3).swapaxes(1, 2),
    "sliced": lambda x: x[:, 1:],
    "stepped": lambda x: x[:, :, ::2],
    "transposed and sliced": lambda x: x.swapaxes(0, 2)[:, 1:],
}


@not_mkl
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.73, 1.0])
@pytest.mark.parametrize("kind", ["dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"])
def test_dropout(kind: str, p: float, dtype: str, layout: str) -> None:
    base = (np.random.default_rng(0).random((4, 5, 6, 3)) + 0.5).astype(dtype)
    x, tensor = LAYOUTS[layout](base), LAYOUTS[layout](torch.from_numpy(base))
    features, stream = kind.startswith("feature"), Stream(11)
    if "alpha" in kind:
        scale, shift = stream.alpha_mask(x, p, features)
        ours = x * scale + shift
    else:
        ours = x * stream.dropout_mask(x, p, features)
    torch.manual_seed(11)
    same(ours, getattr(torch, kind)(tensor, p, True), "exact")
    np.testing.assert_array_equal(stream.get_state(), torch.get_rng_state().numpy())


def refused(call: Callable[[], Any]) -> tuple[type[BaseException], str]:
    with pytest.raises((RuntimeError, NotImplementedError, TypeError, ValueError)) as caught:
        call()
    return caught.type, str(caught.value).split("  (Could")[0]


def same_refusal(ours: Callable[[Stream], Any], theirs: Callable[[], Any]) -> None:
    """Assert the same error, and that it came before anything was drawn."""
    stream = Stream(0)
    before = stream.get_state()
    assert refused(lambda: ours(stream)) == refused(theirs)
    np.testing.assert_array_equal(stream.get_state(), before)


@pytest.mark.parametrize(
    ("draw", "dtype", "arguments"),
    [
        ("uniform", "float32", (1, 0)),
        ("uniform", "float32", (0, 1e39)),
        ("uniform", "float16", (0, 1e5)),
        ("uniform", "float32", (-3e38, 3e38)),
        ("uniform", "float32", (np.nan, 1)),
        ("uniform", "int64", ()),
        ("normal", "float32", (0, -1)),
        ("normal", "float32", (0, np.nan)),
        ("normal", "int64", ()),
        ("exponential", "float32", (0,)),
        ("exponential", "float32", (np.nan,)),
        ("exponential", "int64", ()),
        ("bernoulli", "float32", (1.5,)),
        ("bernoulli", "float32", (np.nan,)),
        ("bernoulli", "uint16", (0.5,)),
        ("bernoulli", "complex64", (0.5,)),
        ("random", "uint16", ()),
        ("random", "complex64", ()),
        ("integers", "int64", (3, 3)),
        ("integers", "uint8", (0, 257)),
        ("integers", "uint8", (-1, 25)),
        ("integers", "bool", (0, 3)),
        ("integers", "float16", (0, 70000)),
        ("integers", "float16", (-70000, 5)),
        ("integers", "float16", (-(2**63), None)),
        ("integers", "float32", (2**25, None)),
        ("integers", "uint64", (1, None)),
        ("integers", "uint16", (-(2**63), None)),
        ("integers", "int32", (-(2**63), None)),
        ("integers", "bool", (-(2**63), None)),
        ("integers", "complex64", (0, 3)),
    ],
)
def test_refused_draws(draw: str, dtype: str, arguments: tuple[Any, ...]) -> None:
    method = "random_" if draw == "integers" else f"{draw}_"
    same_refusal(
        lambda s: getattr(s, draw)((2,), np.dtype(dtype), *arguments),
        lambda: getattr(empty(2, dtype), method)(*arguments),
    )


@pytest.mark.parametrize(
    ("weights", "arguments"),
    [
        (np.ones(3), (4,)),
        (np.ones(3), (0,)),
        (np.ones(3), (-1, True)),
        (np.zeros(3), (1,)),
        (np.zeros(3), (2, True)),
        (np.array([[1.0, 0], [0, 0]]), (1,)),
        (np.array([[1.0, 0], [0, 0]]), (2, True)),
        (np.array([1.0, -1]), (1,)),
        (np.array([1.0, -1]), (2, True)),
        (np.array([1.0, np.inf]), (1,)),
        (np.array([1.0, np.inf]), (2, True)),
        (np.array([1.0, np.nan]), (1,)),
        (np.array([1.0, np.nan]), (2, True)),
        (np.ones((2, 2, 2)), (1,)),
        (np.ones(()), (1,)),
        (np.ones(3, np.int64), (1,)),
        (np.ones((3, 0)), (1,)),
    ],
)
def test_refused_weights(weights: Any, arguments: tuple[Any, ...]) -> None:
    same_refusal(
        lambda s: s.multinomial(weights, *arguments),
        lambda: torch.multinomial(torch.from_numpy(weights), *arguments),
    )


@pytest.mark.parametrize("p", [[1.5], [-0.1], [np.nan], [1]])
def test_refused_chances(p: list[float]) -> None:
    ours, theirs = np.array(p), torch.from_numpy(np.array(p))
    same_refusal(lambda s: s.bernoulli_each(ours, ours.dtype), lambda: torch.bernoulli(theirs))


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_refused_seeds(seed: int) -> None:
    same_refusal(lambda s: s.manual_seed(seed), lambda: generator(seed))


@pytest.mark.parametrize("state", [np.zeros(10, "u1"), np.zeros(5056), np.zeros(5056, "u1")])
def test_refused_states(state: Any) -> None:
    same_refusal(lambda s: s.set_state(state), lambda: generator(0).set_state(torch.from_numpy(state)))


def test_refused_permutation() -> None:
    same_refusal(lambda s: s.permutation(-1), lambda: torch.randperm(-1))


def test_no_rows() -> None:
    theirs = torch.multinomial(torch.ones(0, 3), 1)
    same(Stream(0).multinomial(np.ones((0, 3), np.float32), 1), theirs, "exact")
