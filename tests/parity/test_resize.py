"""Interpolation and shuffles against PyTorch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight.nn.functional
from support.oracle import DTYPES, same
from support.values import normals

RNG = np.random.default_rng(0)
normal = normals(RNG)
MODES = {
    1: ["nearest", "nearest-exact", "linear", "area"],
    2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
    3: ["nearest", "nearest-exact", "trilinear", "area"],
}
ALL = [(dims, mode) for dims, modes in MODES.items() for mode in modes]


def resized(T: Any, x: Any, **how: Any) -> Any:
    """The square: of a linear function the engines may disagree whether 0 or None is the second derivative."""
    out = T.nn.functional.interpolate(x, **how)
    return out * out


@pytest.mark.parametrize(("dims", "mode"), ALL)
def test_interpolate(dims: int, mode: str) -> None:
    x = normal(2, 3, *(5, 4, 3)[:dims])
    # float32 positions of PyTorch's float64 kernels differ from ours in the last digits
    for how in (
        {"size": 7},
        {"size": 2},
        {"scale_factor": 2},
        {"scale_factor": 1.7},
        {"scale_factor": 0.6},
        {"size": 1},
    ):
        same(lambda T, x, how=how: resized(T, x, mode=mode, **how), x)
        same(lambda T, x, how=how: resized(T, x, mode=mode, **how), x.astype("float32"), tol=1e-5)
    same(lambda T, x: resized(T, x, mode=mode, scale_factor=1.7, recompute_scale_factor=True), x)
    same(lambda T, x: resized(T, x, mode=mode, scale_factor=[1.3, 2.0, 0.8][:dims]), x)
    same(lambda T, x: resized(T, x, mode=mode, size=[6, 4, 2][:dims]), x)
    if mode.endswith(("linear", "cubic")):
        for size in (7, 2, 1, 4):
            same(lambda T, x, size=size: resized(T, x, mode=mode, size=size, align_corners=True), x)
    if mode != "area":
        name = lambda T, x: T.nn.functional.interpolate(x.requires_grad_(), 6, mode=mode).grad_fn.name()
        same(name, x, grad=False)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
def test_dtypes(kind: str, mode: str) -> None:
    if kind == "uint8" and mode.startswith("bi"):
        with pytest.raises(NotImplementedError, match="uint8"):
            rushlight.nn.functional.interpolate(rushlight.from_numpy(np.ones((1, 1, 2, 2), "uint8")), 3, mode=mode)
        return
    same(lambda T, x: T.nn.functional.interpolate(x, 5, mode=mode), (normal(1, 2, 3, 4) * 3).astype(kind), grad=False)


BAD: list[dict[str, Any]] = [
    {},
    {"size": 3, "scale_factor": 2.0},
    {"size": 3, "mode": "foo"},
    {"size": 3, "mode": "linear"},
    {"size": 3, "mode": "trilinear"},
    {"size": (1, 2, 3)},
    {"scale_factor": [2.0]},
    {"size": 3, "align_corners": True},
    {"size": 3, "antialias": True},
    {"size": 3, "recompute_scale_factor": True},
    {"size": 0},
    {"size": -1},
    {"scale_factor": -1.0},
    {"scale_factor": 0.1},
    {"size": 2.5},
]


@pytest.mark.parametrize("how", BAD, ids=str)
def test_bad_arguments(how: dict[str, Any]) -> None:
    same(lambda T, x: resized(T, x, **how), normal(2, 4, 6, 6))


@pytest.mark.parametrize("shape", [(0, 4, 6, 6), (2, 0, 6, 6), (2, 4, 0, 6), (4, 6), (2, 2, 2, 2, 2, 2)], ids=str)
def test_shapes(shape: tuple[int, ...]) -> None:
    for mode in ("nearest", "bilinear"):
        same(lambda T, x, mode=mode: T.nn.functional.interpolate(x, 3, mode=mode), normal(*shape), grad=False)


def test_upsample() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("upsample", "upsample_nearest", "upsample_bilinear"):
            same(lambda T, x, name=name: getattr(T.nn.functional, name)(x, 5) ** 2, normal(2, 2, 3, 4))
            same(lambda T, x, name=name: getattr(T.nn.functional, name)(x, scale_factor=2) ** 2, normal(2, 2, 3, 4))
    with pytest.warns(UserWarning, match="deprecated"):
        rushlight.nn.functional.upsample(rushlight.from_numpy(normal(1, 1, 2, 2)), 3)


@settings(max_examples=60)
@given(st.data())
def test_drawn_sizes(data: st.DataObject) -> None:
    dims, mode = data.draw(st.sampled_from(ALL))
    x = normal(1, 2, *(data.draw(st.integers(1, 6)) for _ in range(dims)))
    size = [data.draw(st.integers(1, 9)) for _ in range(dims)]
    align = data.draw(st.booleans()) if mode.endswith(("linear", "cubic")) else None
    same(lambda T, x: resized(T, x, size=size, mode=mode, align_corners=align), x)


# ------------------------------------------------------------------ shuffles


@pytest.mark.parametrize("factor", [1, 2, 3, 0, -1, 2.0, "2"])
@pytest.mark.parametrize("shape", [(8, 2, 3), (2, 4, 6, 6), (2, 1, 9, 6, 3), (0, 4, 6, 6), (4, 4), ()], ids=str)
@pytest.mark.parametrize("name", ["pixel_shuffle", "pixel_unshuffle"])
def test_pixel_shuffle(factor: Any, shape: tuple[int, ...], name: str) -> None:
    x = np.asarray(normal(*shape))
    grad = 0 not in shape
    if (
        name == "pixel_unshuffle" and not grad and type(factor) is int and factor in {2, 3}
    ):  # PyTorch hands an empty batch on as it is
        assert rushlight.pixel_unshuffle(rushlight.from_numpy(x), factor).shape == (
            0,
            4 * factor**2,
            6 // factor,
            6 // factor,
        )
        return
    same(lambda T, x: getattr(T.nn.functional, name)(x, factor), x, names=grad, grad=grad)
    same(lambda T, x: getattr(T, name)(x, factor) ** 2, x, grad=grad)


@pytest.mark.parametrize("groups", [1, 2, 3, 6, 0, -1, 4])
@pytest.mark.parametrize("shape", [(2, 6, 2), (2, 6, 2, 2), (0, 6, 2, 2), (4, 6), (6,)], ids=str)
def test_channel_shuffle(groups: int, shape: tuple[int, ...]) -> None:
    grad = 0 not in shape
    same(lambda T, x: T.nn.functional.channel_shuffle(x, groups), normal(*shape), names=grad, grad=grad)
    same(lambda T, x: T.channel_shuffle(x, groups) ** 2, normal(*shape), grad=grad)
