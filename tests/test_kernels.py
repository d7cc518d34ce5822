"""The windowed kernels: naive loops on small sizes, and the dot-product test for adjoints."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushlight.arrays.kernels import average_pool, conv, fold, im2col, interpolation, max_pool, pad, pixel_shuffle
from rushlight.arrays.kernels.output_sizes import conv_output_size

Array = np.ndarray[Any, np.dtype[Any]]


def normal(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def index(place: tuple[Any, ...]) -> Any:
    """Return the index of ``place`` in the last dims."""
    return (..., *place)


def close(a: Array, b: Array) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10, strict=True)


def adjoint(forward: Any, backward: Any, x: Array, seed: int) -> None:
    """Check <A x, y> = <x, B y> for a random y."""
    y = forward(x)
    g = normal(seed + 1, *y.shape)
    back = backward(g)
    assert back.shape == x.shape
    assert np.vdot(y, g) == pytest.approx(np.vdot(x, back), rel=1e-9, abs=1e-9)


def sizes(draw: Callable[..., Any], dims: int, low: int, high: int) -> tuple[int, ...]:
    return tuple(draw(st.integers(low, high)) for _ in range(dims))


@st.composite
def conv_cases(draw: st.DrawFn) -> dict[str, Any]:
    dims, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel, stride = sizes(draw, dims, 1, 4), sizes(draw, dims, 1, 4)
    padding, dilation = sizes(draw, dims, 0, 3), sizes(draw, dims, 1, 3)
    size = tuple(
        max(draw(st.integers(1, 8)), d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)
    )
    batch, channels, filters = (draw(st.integers(low, 4)) for low in (0, 1, 1))
    seed = draw(st.integers(0, 99))
    return {
        "x": normal(seed, batch, groups * channels, *size),
        "weight": normal(seed + 1, groups * filters, channels, *kernel),
        "settings": (stride, padding, dilation, groups),
        "block": draw(st.sampled_from([1, 300, 3000, 10**6])),
        "least": draw(st.sampled_from([1, 9, 256])),
    }


def correlated(x: Array, weight: Array, *how: Any) -> Array:
    return conv.conv_forward(x, weight, conv_output_size(x.shape, weight.shape, *how), *how)


def naive_conv(x: Array, weight: Array, stride: Any, padding: Any, dilation: Any, groups: int) -> Array:
    kernel = weight.shape[2:]
    border = [(p, p) for p in padding]
    x = np.pad(x, [(0, 0), (0, 0), *border])
    parts = zip(x.shape[2:], kernel, stride, dilation, strict=True)
    out = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in parts)
    x = x.reshape(len(x), groups, weight.shape[1], *x.shape[2:])
    w = weight.reshape(groups, -1, *weight.shape[1:])
    y = np.zeros((len(x), groups, w.shape[1], *out))
    for place in product(*map(range, out)):
        for tap in product(*map(range, kernel)):
            at = tuple(t * s + k * d for t, s, k, d in zip(place, stride, tap, dilation, strict=True))
            y[index(place)] += np.einsum("ngc,goc->ngo", x[index(at)], w[index(tap)])
    return y.reshape(len(x), len(weight), *out)


@settings(deadline=None)
@given(conv_cases())
def test_conv_is_the_sum_over_windows_and_its_adjoints_fit(case: dict[str, Any]) -> None:
    x, weight, how = case["x"], case["weight"], case["settings"]
    with pytest.MonkeyPatch.context() as patch:  # blocks of any size, bands included
        patch.setattr(im2col, "_BLOCK_BYTES", case["block"])
        patch.setattr(im2col, "_BLOCK_COLUMNS", case["least"])
        patch.setattr(conv, "_TINY", case["least"])
        close(correlated(x, weight, *how), naive_conv(x, weight, *how))
        adjoint(
            lambda x: correlated(x, weight, *how),
            lambda g: conv.conv_input_grad(g, weight, x.shape, *how),
            x,
            2,
        )
        adjoint(
            lambda w: correlated(x, w, *how),
            lambda g: conv.conv_weight_grad(g, x, weight.shape, *how),
            weight,
            3,
        )


def test_conv_of_no_image_and_of_no_channel() -> None:
    how: Any = ((1, 1), (0, 0), (1, 1), 1)
    weight = normal(0, 3, 2, 2, 2)
    assert correlated(np.zeros((0, 2, 4, 4)), weight, *how).shape == (0, 3, 3, 3)
    assert not conv.conv_weight_grad(np.zeros((0, 3, 3, 3)), np.zeros((0, 2, 4, 4)), weight.shape, *how).any()
    bare = conv.conv_forward(np.zeros((2, 0, 4, 4)), np.zeros((3, 0, 2, 2)), (3, 3), *how)
    close(bare, np.zeros((2, 3, 3, 3)))
    assert conv.conv_input_grad(bare, np.zeros((3, 0, 2, 2)), (2, 0, 4, 4), *how).size == 0


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "complex128"])
def test_conv_keeps_the_dtype(dtype: str) -> None:
    x = (np.arange(2 * 2 * 5 * 5) % 7).reshape(2, 2, 5, 5).astype(dtype)
    weight = (np.arange(3 * 2 * 2 * 2) % 3).reshape(3, 2, 2, 2).astype(dtype)
    how: Any = ((2, 1), (1, 0), (1, 2), 1)
    y = correlated(x, weight, *how)
    results = (
        y,
        conv.conv_input_grad(y, weight, x.shape, *how),
        conv.conv_weight_grad(y, x, weight.shape, *how),
    )
    assert [r.dtype for r in results] == [np.dtype(dtype)] * 3
    close(y.astype(complex), naive_conv(x.real.astype(float), weight.real.astype(float), *how).astype(complex))


def test_conv_takes_any_strides() -> None:
    x, weight = normal(0, 9, 8, 3, 2).T[:, :, ::-1, 1:8], normal(1, 2, 3, 3, 3)[:, :, ::-1].copy()
    x = x.transpose(0, 1, 3, 2)
    how: Any = ((1, 2), (1, 1), (1, 1), 1)
    y = correlated(x, weight[:, :, ::-1], *how)
    plain = np.ascontiguousarray(x), np.ascontiguousarray(weight[:, :, ::-1])
    close(y, naive_conv(*plain, *how))
    g = normal(2, *y.shape[::-1]).T
    copied = np.ascontiguousarray(g)
    close(
        conv.conv_input_grad(g, weight[:, :, ::-1], x.shape, *how),
        conv.conv_input_grad(copied, plain[1], x.shape, *how),
    )
    close(
        conv.conv_weight_grad(g, x, weight.shape, *how),
        conv.conv_weight_grad(copied, plain[0], weight.shape, *how),
    )


@st.composite
def pool_cases(draw: st.DrawFn) -> dict[str, Any]:
    dims = draw(st.integers(1, 3))
    kernel, stride = sizes(draw, dims, 1, 4), sizes(draw, dims, 1, 4)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    dilation = sizes(draw, dims, 1, 2)
    size = tuple(
        max(draw(st.integers(1, 8)), d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)
    )
    shape = (*draw(st.sampled_from([(1,), (2, 3), (0, 2)])), *size)
    return {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "ceil": draw(st.booleans()),
        "shape": shape,
        "seed": draw(st.integers(0, 99)),
    }


def window_elements(case: dict[str, Any], out: tuple[int, ...], dilation: Any) -> Any:
    """Yield each window's place and the elements of the image it holds, in order."""
    size = case["shape"][-len(out) :]
    fields = (case["stride"], case["padding"], dilation)
    for place in product(*map(range, out)):
        inside = []
        for tap in product(*map(range, case["kernel"])):
            at = tuple(t * s - p + k * d for t, k, s, p, d in zip(place, tap, *fields, strict=True))
            if all(0 <= i < n for i, n in zip(at, size, strict=True)):
                inside.append(at)
        yield place, inside


@settings(deadline=None)
@given(pool_cases(), st.sampled_from(["normal", "ties", "nan", "lowest", "int"]))
def test_max_pool_takes_the_first_maximum_or_the_last_nan(case: dict[str, Any], kind: str) -> None:
    rng = np.random.default_rng(case["seed"])
    x: Array = rng.standard_normal(case["shape"])
    if kind in ("ties", "int"):
        x = rng.integers(-1, 2, case["shape"]).astype("int32" if kind == "int" else "float32")
    elif kind == "nan":
        x = np.where(rng.random(x.shape) < 0.3, np.nan, x)
    elif kind == "lowest":
        x = np.full(x.shape, -np.inf)
    how: Any = tuple(case[key] for key in ("kernel", "stride", "padding", "dilation", "ceil"))
    out, indices = max_pool.max_pool_forward(x, *how)
    dims = len(case["kernel"])
    assert out.dtype == x.dtype
    assert indices.dtype == np.int64
    lead = x.shape[: x.ndim - dims]
    whole = True
    for place, inside in window_elements(case, out.shape[-dims:], case["dilation"]):
        if not inside:  # a dilated kernel can step over the image
            whole = False
            assert (out[(..., *place)] == max_pool.lowest(x.dtype)).all()
            continue
        for plane in np.ndindex(*lead):
            values = [x[(*plane, *at)] for at in inside]
            winner = max(range(len(values)), key=lambda i: (values[i], -i))
            nans = [i for i, v in enumerate(values) if np.isnan(v)]
            at = inside[nans[-1] if nans else winner]
            np.testing.assert_equal(out[(*plane, *place)], x[(*plane, *at)])
            flat = np.ravel_multi_index(at, x.shape[-dims:])
            assert indices[(*plane, *place)] == flat
    if kind == "normal" and whole:
        spatial = x.shape[-dims:]
        adjoint(
            lambda x: max_pool.max_pool_gather(x, indices, dims),
            lambda g: max_pool.max_pool_scatter(g, indices, spatial),
            x,
            case["seed"],
        )
        close(max_pool.max_pool_gather(x, indices, dims), out)


def test_max_pool_refuses_an_index_outside() -> None:
    with pytest.raises(RuntimeError, match="invalid max index"):
        max_pool.max_pool_scatter(np.ones((1, 1, 1, 1)), np.full((1, 1, 1, 1), 4), (2, 2))
    with pytest.raises(RuntimeError, match="invalid max index"):
        max_pool.max_pool_gather(np.ones((1, 1, 2, 2)), np.full((1, 1, 1, 1), -1), 2)


def test_pool_with_more_taps_than_a_byte_counts() -> None:
    x = normal(0, 2, 20, 20)
    out, indices = max_pool.max_pool_forward(x, (20, 20), (1, 1), (0, 0), (1, 1), False)
    assert (indices.ravel() == x.reshape(2, -1).argmax(1)).all()
    assert (out.ravel() == x.reshape(2, -1).max(1)).all()


@settings(deadline=None)
@given(pool_cases(), st.booleans(), st.sampled_from([None, 3, -2]))
def test_avg_pool_is_the_mean_of_windows(case: dict[str, Any], include: bool, divisor: int | None) -> None:
    x = normal(case["seed"], *case["shape"])
    kernel, stride, padding = how = tuple(case[key] for key in ("kernel", "stride", "padding"))
    out = average_pool.avg_pool_forward(x, kernel, stride, padding, case["ceil"], include, divisor)
    dims = len(case["kernel"])
    size = x.shape[-dims:]
    for place, inside in window_elements(case, out.shape[-dims:], (1,) * dims):
        bounds = [min(t * s - p + k, n + p) - (t * s - p) for t, k, s, p, n in zip(place, *how, size, strict=True)]
        count = divisor or (prod(bounds) if include else len(inside))
        total = sum(x[index(at)] for at in inside)
        close(np.asarray(out[(..., *place)]), np.asarray(total / count))
    adjoint(
        lambda x: average_pool.avg_pool_forward(x, kernel, stride, padding, case["ceil"], include, divisor),
        lambda g: average_pool.avg_pool_adjoint(g, x.shape, kernel, stride, padding, include, divisor),
        x,
        case["seed"],
    )


@settings(deadline=None)
@given(st.data())
def test_adaptive_pools_cover_the_image(data: st.DataObject) -> None:
    dims = data.draw(st.integers(1, 3))
    size = sizes(data.draw, dims, 1, 7)
    out = sizes(data.draw, dims, 0, 8)
    x = normal(data.draw(st.integers(0, 99)), 2, 3, *size)
    if data.draw(st.booleans()):
        x[x > 1] = np.nan
    mean = average_pool.adaptive_avg_pool(x, out)
    best, indices = average_pool.adaptive_max_pool(x, out)
    assert mean.shape == best.shape == indices.shape == (2, 3, *out)
    for place in np.ndindex(*out):
        box = tuple(slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(place, size, out, strict=True))
        part = x[index(box)].reshape(2, 3, -1)
        close(mean[(..., *place)], part.mean(-1))
        np.testing.assert_equal(best[(..., *place)], part.max(-1))
    np.testing.assert_equal(max_pool.max_pool_gather(x, indices, dims), best)
    adjoint(
        lambda x: average_pool.adaptive_avg_pool(x, out),
        lambda g: average_pool.adaptive_avg_pool_adjoint(g, x.shape, dims),
        np.nan_to_num(x),
        1,
    )


@settings(deadline=None)
@given(conv_cases())
def test_unfold_holds_the_blocks_and_fold_adds_them(case: dict[str, Any]) -> None:
    x, weight = case["x"], case["weight"]
    stride, padding, dilation, _ = case["settings"]
    kernel = weight.shape[2:]
    how = (kernel, dilation, padding, stride)
    weight = normal(1, 2, x.shape[1], *kernel)
    blocks = fold.unfold(x, *how)
    y = naive_conv(x, weight, stride, padding, dilation, 1)
    close((weight.reshape(2, -1) @ blocks).reshape(y.shape), y)
    adjoint(lambda x: fold.unfold(x, *how), lambda g: fold.fold(g, x.shape[2:], *how), x, 1)


NUMPY_MODE = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "constant": "constant"}


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(NUMPY_MODE)))
def test_pad_agrees_with_numpy_and_its_adjoint_fits(data: st.DataObject, mode: str) -> None:
    dims = data.draw(st.integers(1, 3))
    size = sizes(data.draw, dims, 1, 5)
    x = normal(0, 2, 2, *size)
    limits = [n - 1 if mode == "reflect" else n if mode == "circular" else 6 for n in size]
    pairs = [(data.draw(st.integers(0, n)), data.draw(st.integers(0, n))) for n in limits]
    pads = tuple(n for pair in reversed(pairs) for n in pair)
    expected = np.pad(x, [(0, 0), (0, 0), *pairs], NUMPY_MODE[mode])  # type: ignore[call-overload]
    close(pad.pad(x, pads, mode), expected)
    adjoint(lambda x: pad.pad(x, pads, mode), lambda g: pad.pad_adjoint(g, x.shape, pads, mode), x, 1)


@pytest.mark.parametrize(
    ("mode", "pads", "expected"),
    [
        ("constant", (-1, 2), [1, 2, 3, 9, 9]),
        ("constant", (1, -4), [9]),
        ("reflect", (-1, 3), [1, 2, 3, 2, 1, 0]),
        ("reflect", (-5, 3), [1, 0]),
        ("replicate", (-1, 3), [1, 2, 3, 3, 3, 3]),
        ("replicate", (-5, 3), [3, 3]),
        ("circular", (-1, 3), [1, 2, 3, 1, 2, 3]),
        ("circular", (-3, -1), []),
    ],
)
def test_negative_pads_crop(mode: str, pads: tuple[int, int], expected: list[float]) -> None:
    x = np.arange(4.0).reshape(1, 4)
    close(pad.pad(x, pads, mode, 9), np.array([expected], float))
    adjoint(lambda x: pad.pad(x, pads, mode), lambda g: pad.pad_adjoint(g, x.shape, pads, mode), x, 1)


@settings(deadline=None)
@given(st.data())
def test_nearest_copies_and_its_adjoint_adds_up(data: st.DataObject) -> None:
    dims = data.draw(st.integers(1, 3))
    size, factor = sizes(data.draw, dims, 1, 5), data.draw(st.integers(1, 4))
    x = normal(0, 2, 2, *size)
    expected = x
    for axis in range(2, 2 + dims):
        expected = expected.repeat(factor, axis)
    close(interpolation.resample(x, expected.shape[2:], "nearest", False, None), expected)
    out = sizes(data.draw, dims, 1, 9)
    adjoint(
        lambda x: interpolation.resample(x, out, "nearest", False, None),
        lambda g: interpolation.resample_adjoint(g, x.shape, "nearest", False, None),
        x,
        1,
    )


def test_pixel_shuffle_puts_channels_side_by_side() -> None:
    x = np.arange(8.0).reshape(8, 1, 1)
    shuffled = pixel_shuffle.pixel_shuffle(x, 2)
    close(shuffled, np.arange(8.0).reshape(2, 2, 2))
    close(pixel_shuffle.pixel_unshuffle(shuffled, 2), x)
    many = normal(0, 2, 3, 18, 2, 5)
    assert pixel_shuffle.pixel_shuffle(many, 3).shape == (2, 3, 2, 6, 15)
    close(pixel_shuffle.pixel_unshuffle(pixel_shuffle.pixel_shuffle(many, 3), 3), many)
    assert pixel_shuffle.pixel_shuffle(np.zeros((0, 4, 2, 2)), 2).shape == (0, 1, 4, 4)
