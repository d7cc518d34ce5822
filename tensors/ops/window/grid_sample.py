"""Images looked up at given places: affine grids, and samples at the points of a grid."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any
from warnings import warn

import numpy as np

from ....arrays.dims import ints
from ....arrays.dtypes import Array, dtype_of
from ....autograd.arguments import array_of
from ...doors import doors
from ..common import floats_only, keep
from ..elementwise.rounding import floor
from ..index.embedding import gather_rows
from ..matrix.matmul import matmul
from ..shape.order import movedim, transpose
from ..shape.views import reshape

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")
_CHANGED = (
    "Since PyTorch 1.3 grid_sample and affine_grid align no corners by default. Give align_corners=True for what was "
    "before."
)

# ------------------------------------------------------------------ grids


def _steps(size: int, align_corners: bool, kind: Any) -> Array:
    """Return the coordinates of ``size`` elements between -1 and 1: their centres, or from corner to corner."""
    if size == 1:
        return np.zeros(1, kind)
    places = np.linspace(-1, 1, size, dtype=np.float64)
    return (places if align_corners else places * (size - 1) / size).astype(kind)


@doors("torch")
def affine_grid_generator(theta: Any, size: Any, align_corners: bool) -> Any:
    """Return the grid of the affine maps ``theta`` (N, dims, dims + 1); see :func:`affine_grid`."""
    sizes, kind = ints(size, "affine_grid_generator", "size"), array_of(theta, "affine_grid_generator", "theta").dtype
    spatial = sizes[2:]
    axes = [_steps(n, align_corners, kind) for n in spatial[::-1]]  # x comes first
    mesh = np.meshgrid(*axes[::-1], indexing="ij")[::-1]
    points = np.stack([*mesh, np.ones(spatial, kind)], -1).reshape(1, prod(spatial), len(spatial) + 1)
    base = np.broadcast_to(points, (sizes[0], *points.shape[1:]))
    return reshape(matmul(np.ascontiguousarray(base), transpose(theta, 1, 2)), (sizes[0], *spatial, len(spatial)))


@doors("functional")
def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """Return the grid (N, H, W, 2) or (N, D, H, W, 3) that maps an image of ``size`` by ``theta``.

    ``theta`` is (N, 2, 3) or (N, 3, 4): a matrix and a shift for each image, in coordinates from -1 to 1, x before y.
    ``size`` is (N, C, H, W) or (N, C, D, H, W). With ``align_corners`` -1 and 1 are the middles of the outermost
    elements, else their outer edges. Raises ValueError for shapes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html

    >>> import rushlight as torch
    >>> same = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> torch.nn.functional.affine_grid(same, (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    if align_corners is None:
        warn(_CHANGED, stacklevel=2)
        align_corners = False
    x = array_of(theta, "affine_grid", "theta")
    if x.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {dtype_of(x.dtype)}")
    sizes = ints(size, "affine_grid", "size")
    dims = len(sizes) - 2
    if dims not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{size}."
        )
    if x.ndim != 3 or x.shape[1:] != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {size}. Got "
            f"{list(x.shape)}."
        )
    if align_corners and min(sizes[2:]) == 1:
        warn("affine_grid: a grid of one element has no corners to align; it lies in the middle.", stacklevel=2)
    elif min(sizes) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if x.shape[0] != sizes[0]:
        raise RuntimeError(f"affine_grid: theta has {x.shape[0]} matrices, but size {size} asks for {sizes[0]}")
    return affine_grid_generator(theta, sizes, align_corners)


# ------------------------------------------------------------------ places


def _reflected(x: Array, low: float, span: float) -> tuple[Array, Array]:
    """Return ``x`` mirrored at ``low`` and ``low + span`` until it lies between, and the sign of its slope."""
    if span == 0:
        return np.zeros_like(x), np.zeros_like(x)
    away = x - x.dtype.type(low)
    distance, sign = np.abs(away), np.where(away < 0, -1, 1)
    rest, flips = np.fmod(distance, x.dtype.type(span)), np.floor(distance / x.dtype.type(span))
    odd = flips % 2 == 1
    back = np.where(odd, span - rest, rest).astype(x.dtype) + x.dtype.type(low)
    return back, np.where(odd, -sign, sign).astype(x.dtype)


def _brought_in(x: Array, size: int, padding: str, align: bool) -> tuple[Array, Array]:
    """Return coordinates ``x`` moved into the image as the mode ``padding`` says, and the slopes of that."""
    slope = np.ones_like(x)
    if padding == "reflection":
        x, slope = _reflected(x, 0.0, size - 1.0) if align else _reflected(x, -0.5, float(size))
    if padding != "zeros":
        slope = np.where((x <= 0) | (x >= size - 1), x.dtype.type(0), slope)
        slope = np.where(np.isnan(x), x.dtype.type(0), slope)
        x = np.clip(np.where(np.isnan(x), x.dtype.type(0), x), 0, size - 1)
    return x, slope


def _unnormalized(x: Any, size: int, align: bool) -> Any:
    """Return coordinates from -1 to 1 as numbers of elements."""
    return (x + 1) / 2 * (size - 1) if align else ((x + 1) * size - 1) / 2


def _index(place: Array) -> Array:
    """Return whole ``place`` as int64; what is no number or far away lies outside."""
    bounded: Array = np.clip(np.nan_to_num(place, nan=-1.0), -(2.0**31), 2.0**31)
    return bounded.astype(np.int64)


def _cubic(t: Any) -> list[Any]:
    """Return the weights of four neighbours for fractions ``t``: cubic convolution with a = -0.75 (Keys, 1981)."""
    a = -0.75

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


Taps = list[tuple[Array, Any]]
"""For each neighbour along a dim: its index, and its weight."""


def _taps(x: Any, size: int, mode: str, padding: str, align: bool) -> Taps:
    """Return the neighbours, along one dim of ``size``, of places with coordinates ``x``."""
    raw = _unnormalized(x, size, align)
    plain = np.asarray(array_of(raw, "grid_sample"))
    if mode == "bicubic":
        first = np.floor(plain)
        numbers = [_brought_in(first + shift, size, padding, align)[0] for shift in (-1, 0, 1, 2)]
        weights = _cubic(raw - first)
        return [(_index(number), weight) for number, weight in zip(numbers, weights, strict=True)]
    place, slope = _brought_in(plain, size, padding, align)
    if mode == "nearest":
        return [(_index(np.rint(place)), floor(raw) - np.floor(plain) + 1)]  # a step function, whose slope is zero
    place = place.astype(plain.dtype)
    moved = raw
    if padding != "zeros":
        finite = np.isfinite(plain)
        moved = keep(raw, finite) * slope + (place - np.where(finite, plain, plain.dtype.type(0)) * slope)
    first = np.floor(place)
    part = moved - first
    return [(_index(first), 1 - part), (_index(first) + 1, part)]


# ------------------------------------------------------------------ samples


def _sampled(input: Any, grid: Any, mode: str, padding: str, align: bool) -> Any:
    """Return (N, C, ...) ``input`` at the places of ``grid``, as rows of channels gathered and weighted."""
    x, places = array_of(input, "grid_sample"), array_of(grid, "grid_sample", "grid", 2)
    batch, channels, *size = x.shape
    rows = reshape(movedim(input, 1, -1), (batch * prod(size), channels))
    dims, out = len(size), places.shape[1:-1]
    each = [_taps(grid[..., dims - 1 - d], n, mode, padding, align) for d, n in enumerate(size)]
    start = np.arange(batch).reshape(-1, *(1,) * dims)
    total: Any = None
    for corner in product(*each):
        inside, flat, weight = np.ones((batch, *out), bool), start, None
        for (number, share), n in zip(corner, size, strict=True):
            inside &= (number >= 0) & (number < n)
            flat = flat * n + np.clip(number, 0, n - 1)
            weight = share if weight is None else weight * share
        found = gather_rows(rows, flat.reshape(-1), None)
        if not inside.all():
            found = keep(found, np.broadcast_to(inside.reshape(-1, 1), found.shape))
            weight = keep(weight, inside)
        part = found * reshape(weight, (-1, 1))
        total = part if total is None else total + part
    return movedim(reshape(total, (batch, *out, channels)), -1, 1)


@doors("torch")
def grid_sampler(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """Return :func:`grid_sample` with modes by number: 0, 1, 2 in the order in which that names them."""
    x, places = array_of(input, "grid_sampler"), array_of(grid, "grid_sampler", "grid", 2)
    if x.ndim not in (4, 5) or x.ndim != places.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with "
            f"sizes {list(x.shape)} and grid with sizes {list(places.shape)}"
        )
    if x.shape[0] != places.shape[0]:
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(x.shape)} and grid with sizes {list(places.shape)}"
        )
    if places.shape[-1] != x.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but got grid with sizes "
            f"{list(places.shape)}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(x.shape)}"
        )
    if x.ndim == 5 and interpolation_mode == 2:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if x.dtype != places.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {dtype_of(x.dtype)} and grid "
            f"has {dtype_of(places.dtype)}"
        )
    floats_only("grid_sampler_2d_cpu", x)
    return _sampled(input, grid, MODES[interpolation_mode], PADDINGS[padding_mode], bool(align_corners))


@doors("functional")
def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """Return (N, C, H, W) or (N, C, D, H, W) ``input`` at the places of ``grid``: (N, C, *grid.shape[1:-1]).

    ``grid`` (N, ..., 2) or (N, ..., 3) holds coordinates, x before y before z; -1 and 1 are the outer edges of the
    image, with ``align_corners`` the middles of its outermost elements. ``mode`` is "bilinear", "nearest" or "bicubic"
    (images only); beyond the edges are ``padding_mode`` "zeros", the "border" or a "reflection". Raises ValueError for
    another mode, RuntimeError for shapes and dtypes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html

    >>> import rushlight as torch
    >>> image, middle = torch.tensor([[[[1.0, 3.0]]]]), torch.zeros(1, 1, 1, 2)
    >>> torch.nn.functional.grid_sample(image, middle, align_corners=False)
    tensor([[[[2.]]]])
    """
    for name, given, known in (("mode", mode, MODES), ("padding_mode", padding_mode, PADDINGS)):
        if given not in known:
            raise ValueError(
                f"nn.functional.grid_sample(): expected {name} to be one of {', '.join(known)}, but got: '{given}'"
            )
    if align_corners is None:
        warn(_CHANGED, stacklevel=2)
        align_corners = False
    return grid_sampler(input, grid, MODES.index(mode), PADDINGS.index(padding_mode), align_corners)
