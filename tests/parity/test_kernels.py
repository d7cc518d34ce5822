"""The windowed kernels against PyTorch: values, gradients, dtypes and complaints."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushlight import Tensor
from rushlight.arrays.kernels import average_pool, conv, fold, interpolation, max_pool, output_sizes, pad, pixel_shuffle
from rushlight.nn.functional import interpolate

torch = pytest.importorskip("torch")
F = torch.nn.functional

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_AVG = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}


def close(ours: Any, theirs: Any, tolerance: float = 1e-10) -> None:
    theirs = theirs.detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, strict=True)


def same(ours: Any, theirs: Any) -> None:
    np.testing.assert_array_equal(ours, theirs.detach().numpy(), strict=True)


def leaf(array: Any) -> Any:
    return torch.from_numpy(np.ascontiguousarray(array)).requires_grad_()


def grads(y: Any, leaves: Any, seed: int) -> tuple[Any, Any]:
    """Return a random gradient of ``y`` and what PyTorch makes of it at the leaves."""
    g = np.random.default_rng(seed).standard_normal(tuple(y.shape)).astype(y.detach().numpy().dtype)
    return g, torch.autograd.grad(y, leaves, torch.from_numpy(g))


def ints(data: st.DataObject, dims: int, low: int, high: int) -> tuple[int, ...]:
    return tuple(data.draw(st.integers(low, high)) for _ in range(dims))


def normal(data: st.DataObject, *shape: int) -> Any:
    return np.random.default_rng(data.draw(st.integers(0, 99))).standard_normal(shape)


@settings(deadline=None)
@given(st.data())
def test_conv(data: st.DataObject) -> None:
    dims, groups = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    kernel, stride = ints(data, dims, 1, 4), ints(data, dims, 1, 4)
    padding, dilation = ints(data, dims, 0, 3), ints(data, dims, 1, 3)
    least = [d * (k - 1) + 1 - 2 * p for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = tuple(max(data.draw(st.integers(1, 9)), n) for n in least)
    batch, channels, filters = (data.draw(st.integers(low, 5)) for low in (0, 1, 1))
    x = normal(data, batch, groups * channels, *size)
    weight = normal(data, groups * filters, channels, *kernel)
    how = (stride, padding, dilation, groups)
    tx, tw = leaf(x), leaf(weight)
    expected = CONV[dims](tx, tw, None, *how)
    out = output_sizes.conv_output_size(x.shape, weight.shape, *how)
    assert out == tuple(expected.shape[2:])
    close(conv.conv_forward(x, weight, out, *how), expected)
    g, (gx, gw) = grads(expected, (tx, tw), 1)
    close(conv.conv_input_grad(g, weight, x.shape, *how), gx)
    close(conv.conv_weight_grad(g, x, weight.shape, *how), gw)


@settings(deadline=None)
@given(st.data())
def test_conv_transpose(data: st.DataObject) -> None:
    dims, groups = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    kernel, stride = ints(data, dims, 1, 4), ints(data, dims, 1, 4)
    dilation = ints(data, dims, 1, 3)
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    size = ints(data, dims, 1, 6)
    room = [(n - 1) * s + d * (k - 1) + e for n, s, d, k, e in zip(size, stride, dilation, kernel, extra, strict=True)]
    padding = tuple(data.draw(st.integers(0, min(3, n // 2))) for n in room)
    x = normal(data, 2, groups * 2, *size)
    weight = normal(data, groups * 2, 3, *kernel)
    tx, tw = leaf(x), leaf(weight)
    expected = CONV_TRANSPOSE[dims](tx, tw, None, stride, padding, extra, groups, dilation)
    out = output_sizes.conv_transpose_output_size(x.shape, weight.shape, stride, padding, extra, dilation, groups)
    assert out == tuple(expected.shape[2:])
    how = (stride, padding, dilation, groups)
    shape = (2, groups * 3, *out)
    close(conv.conv_input_grad(x, weight, shape, *how), expected)
    g, (gx, gw) = grads(expected, (tx, tw), 1)
    close(conv.conv_forward(g, weight, size, *how), gx)  # output padding can leave room for another window
    close(conv.conv_weight_grad(x, g, weight.shape, *how), gw)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_conv_in_narrow_types_is_rounded_once(dtype: str) -> None:
    """PyTorch in double precision is the reference: in half it rounds sums on the way."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 9, 9)).astype(dtype)
    weight = rng.standard_normal((6, 4, 3, 3)).astype(dtype)
    how = ((2, 1), (1, 1), (1, 2), 1)
    tx, tw = leaf(x.astype(float)), leaf(weight.astype(float))
    expected = F.conv2d(tx, tw, None, *how)
    g = rng.standard_normal(tuple(expected.shape)).astype(dtype)
    gx, gw = torch.autograd.grad(expected, (tx, tw), torch.from_numpy(g.astype(float)))
    pairs = [
        (conv.conv_forward(x, weight, tuple(expected.shape[2:]), *how), expected),
        (conv.conv_input_grad(g, weight, x.shape, *how), gx),
        (conv.conv_weight_grad(g, x, weight.shape, *how), gw),
    ]
    for ours, theirs in pairs:
        assert ours.dtype == dtype
        epsilon = float(np.finfo(dtype).eps)
        tolerance = {"float16": epsilon / 2, "float32": 4 * epsilon}[dtype]
        spread = 1e-5 if dtype == "float16" else 2e-5
        np.testing.assert_allclose(ours.astype(float), theirs.detach().numpy(), rtol=tolerance, atol=spread)


def pool_how(data: st.DataObject, dims: int, dilated: bool) -> Any:
    kernel, stride = ints(data, dims, 1, 4), ints(data, dims, 1, 4)
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    dilation = ints(data, dims, 1, 2 if dilated else 1)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    # no smaller than the kernel: PyTorch's index is undefined for a window without elements
    size = tuple(max(data.draw(st.integers(1, 9)), n) for n in spans)
    return size, (kernel, stride, padding, dilation)


@settings(deadline=None)
@given(st.data(), st.booleans(), st.sampled_from(["normal", "ties", "nan", "int64", "float32"]))
def test_max_pool(data: st.DataObject, ceil: bool, kind: str) -> None:
    dims = data.draw(st.integers(1, 3))
    size, how = pool_how(data, dims, True)
    x = normal(data, data.draw(st.integers(0, 2)), 3, *size)
    if kind == "ties":
        x = np.round(x)
    elif kind == "nan":
        x[x > 0.5] = np.nan
    elif kind != "normal":
        x = (3 * x).astype(kind)
    tx = torch.from_numpy(x)
    expected, where = MAX_POOL[dims](tx, *how, ceil_mode=ceil, return_indices=True)
    kernel, stride, padding, dilation = how
    out, indices = max_pool.max_pool_forward(x, kernel, stride, padding, dilation, ceil)
    same(out, expected)
    same(indices, where)
    if kind == "normal":
        tx.requires_grad_()
        y = MAX_POOL[dims](tx, *how, ceil_mode=ceil)
        g, (gx,) = grads(y, (tx,), 1)
        close(max_pool.max_pool_scatter(g, indices, size), gx)


@settings(deadline=None)
@given(st.data(), st.booleans(), st.booleans(), st.sampled_from([None, 3, -2]))
def test_avg_pool(data: st.DataObject, ceil: bool, include: bool, divisor: int | None) -> None:
    dims = data.draw(st.integers(1, 3))
    divisor = divisor if dims > 1 else None
    size, (kernel, stride, padding, _) = pool_how(data, dims, False)
    x = normal(data, data.draw(st.integers(0, 2)), 3, *size)
    more = (divisor,) if dims > 1 else ()
    tx = leaf(x)
    expected = AVG_POOL[dims](tx, kernel, stride, padding, ceil, include, *more)
    how = (kernel, stride, padding)
    close(average_pool.avg_pool_forward(x, *how, ceil, include, divisor), expected)
    g, (gx,) = grads(expected, (tx,), 1)
    close(average_pool.avg_pool_adjoint(g, x.shape, *how, include, divisor), gx)
    whole = (9 * x).astype(np.int64)
    counted = AVG_POOL[dims](torch.from_numpy(whole), *how, ceil, include, *more)
    same(average_pool.avg_pool_forward(whole, *how, ceil, include, divisor), counted)


@settings(deadline=None)
@given(st.data(), st.booleans())
def test_adaptive_pools(data: st.DataObject, nan: bool) -> None:
    dims = data.draw(st.integers(1, 3))
    size, out = ints(data, dims, 1, 9), ints(data, dims, 0, 9)
    x = normal(data, data.draw(st.integers(0, 2)), 3, *size)
    tx = leaf(x)
    expected = ADAPTIVE_AVG[dims](tx, out)
    close(average_pool.adaptive_avg_pool(x, out), expected)
    if 0 not in out:  # PyTorch has no gradient of nothing
        g, (gx,) = grads(expected, (tx,), 1)
        close(average_pool.adaptive_avg_pool_adjoint(g, x.shape, dims), gx)
    if nan:
        x[x > 0.7] = np.nan
    best, where = ADAPTIVE_MAX[dims](torch.from_numpy(x), out, return_indices=True)
    ours, indices = average_pool.adaptive_max_pool(x, out)
    same(ours, best)
    same(indices, where)


@settings(deadline=None)
@given(st.data())
def test_unfold_and_fold(data: st.DataObject) -> None:
    kernel, stride = ints(data, 2, 1, 3), ints(data, 2, 1, 3)
    padding, dilation = ints(data, 2, 0, 2), ints(data, 2, 1, 2)
    least = [d * (k - 1) + 1 - 2 * p for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = tuple(max(data.draw(st.integers(1, 8)), n) for n in least)
    x = normal(data, data.draw(st.integers(0, 2)), 3, *size)
    how = (kernel, dilation, padding, stride)
    tx = torch.from_numpy(x)
    blocks = F.unfold(tx, *how)
    same(fold.unfold(x, *how), blocks)
    close(fold.fold(blocks.numpy(), size, *how), F.fold(blocks, size, *how))


@settings(deadline=None)
@given(st.data(), st.sampled_from(["constant", "reflect", "replicate", "circular"]))
def test_pad(data: st.DataObject, mode: str) -> None:
    dims = data.draw(st.integers(1, 3))
    size, pads = ints(data, dims, 1, 6), ints(data, 2 * dims, -3, 6)
    x = normal(data, 2, 3, *size)
    tx = leaf(x)
    pairs = zip(reversed(size), pads[::2], pads[1::2], strict=True)
    if mode == "circular" and any(max(b, a) > n + min(b, 0) + min(a, 0) for n, b, a in pairs):
        # a dim that is cropped and then goes round more than once: PyTorch may return
        # elements that were never written
        with pytest.raises(RuntimeError, match=r"wrapping around|empty dimension"):
            pad.pad(x, pads, mode)
        return
    try:
        expected = F.pad(tx, pads, mode)
    except (RuntimeError, NotImplementedError) as error:
        with pytest.raises(type(error)):
            pad.pad(x, pads, mode)
        return
    same(pad.pad(x, pads, mode), expected)
    g, (gx,) = grads(expected, (tx,), 1)
    close(pad.pad_adjoint(g, x.shape, pads, mode), gx)


def test_pad_value_takes_the_dtype() -> None:
    for dtype in ("int64", "bool", "float16"):
        x = np.ones(3, dtype)
        same(pad.pad(x, (1, 2), "constant", 2.7), F.pad(torch.from_numpy(x), (1, 2), value=2.7))


@settings(deadline=None)
@given(st.data(), st.sampled_from(["float32", "float64", "uint8"]))
def test_nearest(data: st.DataObject, dtype: str) -> None:
    dims = data.draw(st.integers(1, 3))
    size, high = ints(data, dims, 1, 9), 300 if dims == 1 else 12
    x = (9 * abs(normal(data, 1, 2, *size))).astype(dtype)
    tx = torch.from_numpy(x)
    out = ints(data, dims, 1, high)
    same(interpolation.resample(x, out, "nearest", False, None), F.interpolate(tx, out))
    scale = tuple(data.draw(st.floats(1 / min(size), 5)) for _ in range(dims))
    expected = F.interpolate(tx, scale_factor=scale)
    made = tuple(floor(n * s) for n, s in zip(size, scale, strict=True))
    same(interpolation.resample(x, made, "nearest", False, scale), expected)
    if dtype == "float64":
        # in one and three dims PyTorch's gradient ignores the scale where its forward does not
        odd = dims != 2 and any(m in (n, 2 * n) for n, m in zip(size, made, strict=True))
        scale = () if odd else scale
        tx.requires_grad_()
        y = F.interpolate(tx, made) if odd else F.interpolate(tx, scale_factor=scale)
        g, (gx,) = grads(y, (tx,), 1)
        close(interpolation.resample_adjoint(g, x.shape, "nearest", False, scale or None), gx)


def test_pixel_shuffle() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 18, 6, 9))
    tx = torch.from_numpy(x)
    same(pixel_shuffle.pixel_shuffle(x, 3), F.pixel_shuffle(tx, 3))
    same(pixel_shuffle.pixel_unshuffle(x, 3), F.pixel_unshuffle(tx, 3))


X = np.ones((1, 2, 4, 4))
T = torch.ones(1, 2, 4, 4)
P1 = (1, 1)

COMPLAINTS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "stride 0": (
        lambda: output_sizes.conv_output_size(X.shape, (1, 2, 2, 2), (0, 0), (0, 0), P1, 1),
        lambda: F.conv2d(T, torch.ones(1, 2, 2, 2), stride=0),
    ),
    "padding -1": (
        lambda: output_sizes.conv_output_size(X.shape, (1, 2, 2, 2), P1, (-1, -1), P1, 1),
        lambda: F.conv2d(T, torch.ones(1, 2, 2, 2), padding=-1),
    ),
    "dilation 0": (
        lambda: output_sizes.conv_output_size(X.shape, (1, 2, 2, 2), P1, (0, 0), (0, 0), 1),
        lambda: F.conv2d(T, torch.ones(1, 2, 2, 2), dilation=0),
    ),
    "channels": (
        lambda: output_sizes.conv_output_size(X.shape, (1, 3, 2, 2), P1, (0, 0), P1, 1),
        lambda: F.conv2d(T, torch.ones(1, 3, 2, 2)),
    ),
    "groups": (
        lambda: output_sizes.conv_output_size(X.shape, (3, 1, 2, 2), P1, (0, 0), P1, 2),
        lambda: F.conv2d(T, torch.ones(3, 1, 2, 2), groups=2),
    ),
    "large kernel": (
        lambda: output_sizes.conv_output_size(X.shape, (1, 2, 5, 5), P1, (0, 0), P1, 1),
        lambda: F.conv2d(T, torch.ones(1, 2, 5, 5)),
    ),
    "output padding": (
        lambda: output_sizes.conv_transpose_output_size(X.shape, (2, 1, 2, 2), P1, (0, 0), P1, P1, 1),
        lambda: F.conv_transpose2d(T, torch.ones(2, 1, 2, 2), output_padding=1),
    ),
    "transposed channels": (
        lambda: output_sizes.conv_transpose_output_size(X.shape, (3, 1, 2, 2), P1, (0, 0), (0, 0), P1, 1),
        lambda: F.conv_transpose2d(T, torch.ones(3, 1, 2, 2)),
    ),
    "pool pad": (
        lambda: max_pool.max_pool_forward(X, (2, 2), (2, 2), (2, 2), P1, False),
        lambda: F.max_pool2d(T, 2, padding=2),
    ),
    "pool pad of dilated": (
        lambda: max_pool.max_pool_forward(X, (3, 3), (3, 3), (2, 2), (2, 2), False),
        lambda: F.max_pool2d(T, 3, padding=2, dilation=2),
    ),
    "pool negative pad": (
        lambda: max_pool.max_pool_forward(X, (2, 2), (2, 2), (-1, -1), P1, False),
        lambda: F.max_pool2d(T, 2, padding=-1),
    ),
    "pool large kernel": (
        lambda: max_pool.max_pool_forward(X, (5, 5), (5, 5), (0, 0), P1, False),
        lambda: F.max_pool2d(T, 5),
    ),
    "pool kernel 0": (
        lambda: max_pool.max_pool_forward(X, (0, 0), P1, (0, 0), P1, False),
        lambda: F.max_pool2d(T, 0, stride=1),
    ),
    "pool stride 0": (
        lambda: max_pool.max_pool_forward(X, (2, 2), (0, 0), (0, 0), P1, False),
        lambda: F.max_pool2d(T, 2, stride=0),
    ),
    "pool empty image": (
        lambda: max_pool.max_pool_forward(X[:, :, :0], (2, 2), (2, 2), (0, 0), P1, False),
        lambda: F.max_pool2d(T[:, :, :0], 2),
    ),
    "pool bool": (
        lambda: max_pool.max_pool_forward(X.astype(bool), (2, 2), (2, 2), (0, 0), P1, False),
        lambda: F.max_pool2d(T.bool(), 2),
    ),
    "divisor 0": (
        lambda: average_pool.avg_pool_forward(X, (2, 2), (2, 2), (0, 0), False, True, 0),
        lambda: F.avg_pool2d(T, 2, divisor_override=0),
    ),
    "avg int32": (
        lambda: average_pool.avg_pool_forward(X.astype("i4"), (2, 2), (2, 2), (0, 0), False, True, None),
        lambda: F.avg_pool2d(T.int(), 2),
    ),
    "adaptive negative": (
        lambda: average_pool.adaptive_avg_pool(X, (-1, 2)),
        lambda: F.adaptive_avg_pool2d(T, (-1, 2)),
    ),
    "adaptive empty": (
        lambda: average_pool.adaptive_avg_pool(X[:, :, :0], (1, 2)),
        lambda: F.adaptive_avg_pool2d(T[:, :, :0], (1, 2)),
    ),
    "adaptive int": (
        lambda: average_pool.adaptive_max_pool(X.astype(int), (3, 2)),
        lambda: F.adaptive_max_pool2d(T.long(), (3, 2), return_indices=True),
    ),
    "unfold large kernel": (
        lambda: fold.unfold(X, (5, 5), P1, (0, 0), P1),
        lambda: F.unfold(T, 5),
    ),
    "unfold dilation": (
        lambda: fold.unfold(X, (2, 2), (0, 0), (0, 0), P1),
        lambda: F.unfold(T, 2, dilation=0),
    ),
    "fold blocks": (
        lambda: fold.fold(np.ones((1, 4, 8)), (4, 4), (2, 2), P1, (0, 0), P1),
        lambda: F.fold(torch.ones(1, 4, 8), (4, 4), 2),
    ),
    "fold channels": (
        lambda: fold.fold(np.ones((1, 5, 9)), (4, 4), (2, 2), P1, (0, 0), P1),
        lambda: F.fold(torch.ones(1, 5, 9), (4, 4), 2),
    ),
    "fold without blocks": (
        lambda: fold.fold(np.ones((1, 4, 9)), (1, 1), (2, 2), P1, (0, 0), P1),
        lambda: F.fold(torch.ones(1, 4, 9), (1, 1), 2),
    ),
    "odd pads": (lambda: pad.pad(X, (1,)), lambda: F.pad(T, (1,))),
    "too many pads": (lambda: pad.pad(X[0, 0], P1 * 3), lambda: F.pad(T[0, 0], P1 * 3)),
    "unknown mode": (lambda: pad.pad(X, P1 * 2, "foo"), lambda: F.pad(T, P1 * 2, "foo")),
    "rank of reflect": (
        lambda: pad.pad(X, P1, "reflect"),
        lambda: F.pad(T, P1, "reflect"),
    ),
    "empty replicate": (
        lambda: pad.pad(X[:, :0], P1 * 2, "replicate"),
        lambda: F.pad(T[:, :0], P1 * 2, "replicate"),
    ),
    "nearest to nothing": (
        lambda: interpolate(Tensor(X), (0, 3)),
        lambda: F.interpolate(T, (0, 3)),
    ),
    "shuffled channels": (lambda: pixel_shuffle.pixel_shuffle(X, 2), lambda: F.pixel_shuffle(T, 2)),
    "shuffle by 0": (lambda: pixel_shuffle.pixel_shuffle(X, 0), lambda: F.pixel_shuffle(T, 0)),
    "unshuffled size": (lambda: pixel_shuffle.pixel_unshuffle(X, 3), lambda: F.pixel_unshuffle(T, 3)),
    "shuffled rank": (
        lambda: pixel_shuffle.pixel_shuffle(X[0, 0], 2),
        lambda: F.pixel_shuffle(T[0, 0], 2),
    ),
}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_complaints_are_of_the_same_type_and_speak_alike(name: str) -> None:
    ours, theirs = COMPLAINTS[name]
    with pytest.raises((RuntimeError, NotImplementedError)) as expected:
        theirs()
    with pytest.raises(expected.type) as raised:
        ours()
    words = [set(str(error.value).lower().replace(",", " ").split()) for error in (raised, expected)]
    shared = len(words[0] & words[1]) / min(map(len, words))
    assert shared >= 0.4, f"{raised.value}\n{expected.value}"
