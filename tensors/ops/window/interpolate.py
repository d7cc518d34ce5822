"""Images in another size: interpolation, and channels traded for height and width."""

from __future__ import annotations

from math import floor
from typing import Any
from warnings import warn

import numpy as np

from ....arrays.dims import as_int, ints
from ....arrays.dtypes import Array
from ....arrays.kernels import pixel_shuffle as kernels
from ....arrays.kernels.interpolation import resample, resample_adjoint
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from .average_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

Ints = tuple[int, ...]

# PyTorch's name of a mode -> how it works along each dim, the number of dims it is for, and its node
_NEAREST = {"nearest": "UpsampleNearest", "nearest-exact": "UpsampleNearestExact"}
_WEIGHTED = {
    "linear": ("linear", 1, "UpsampleLinear1D"),
    "bilinear": ("linear", 2, "UpsampleBilinear2D"),
    "trilinear": ("linear", 3, "UpsampleTrilinear3D"),
    "bicubic": ("cubic", 2, "UpsampleBicubic2D"),
    "bilinear, antialias": ("linear-smooth", 2, "UpsampleBilinear2DAa"),
    "bicubic, antialias": ("cubic-smooth", 2, "UpsampleBicubic2DAa"),
    "lanczos, antialias": ("lanczos-smooth", 2, "UpsampleLanczos2DAa"),
}
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def _title(how: str, output_size: Ints) -> str:
    found = _NEAREST.get(how)
    return f"{found}{len(output_size)}DBackward0" if found else f"{_WEIGHTED[how][2]}Backward0"


def _way(how: str) -> str:
    return how if how in _NEAREST else _WEIGHTED[how][0]


def _upsample_rule(g: Any, input_shape: Any, how: Any, align_corners: Any, scales: Any) -> Any:
    return _upsample_back(g, input_shape, how, align_corners, scales)


@primitive(
    input=_upsample_rule,
    grad_fn_name=_title,
)
def _upsample(input: Array, output_size: Ints, how: str, align_corners: bool, scales: Any) -> Array:
    """Return (N, C, ...) ``input`` interpolated to ``output_size``."""
    return resample(input, output_size, _way(how), align_corners, scales)


@primitive(
    grad=lambda g, grad_shape, how, align_corners, scales: _upsample(
        g, tuple(grad_shape[2:]), how, align_corners, scales
    )
)
def _upsample_back(grad: Array, shape: Ints, how: str, align_corners: bool, scales: Any) -> Array:
    """Return ``grad`` added up where its elements were taken from; the adjoint of ``_upsample``."""
    return resample_adjoint(grad, shape, _way(how), align_corners, scales)


def _output_size(shape: Ints, size: Any, scale_factor: Any) -> tuple[Ints, tuple[float, ...] | None]:
    """Return the new spatial size, and the factor for each dim if factors were given."""
    spatial = shape[2:]
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if isinstance(size, list | tuple) and len(size) != len(spatial):
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(spatial)} and output size of {size}. Please provide input tensor in (N, C, d1, "
                "d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        sizes = ints(size, "interpolate", "size") if isinstance(size, list | tuple) else (as_int(size),) * len(spatial)
        return sizes, None
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if isinstance(scale_factor, list | tuple) and len(scale_factor) != len(spatial):
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(spatial)} and scale_factor of shape {scale_factor}. Please provide input tensor in "
            "(N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    factors = tuple(map(float, scale_factor)) if isinstance(scale_factor, list | tuple) else None
    factors = factors or (float(scale_factor),) * len(spatial)
    return tuple(floor(n * s) for n, s in zip(spatial, factors, strict=True)), factors


def _check_mode(mode: str, ndim: int, align_corners: bool | None, antialias: bool) -> None:
    """Raise unless images of ``ndim`` dims can be interpolated in ``mode`` with these options."""
    if align_corners is not None and (mode in _NEAREST or mode == "area"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias and not (mode in {"bilinear", "bicubic", "lanczos"} and ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "lanczos" and not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    if mode == "lanczos" and align_corners:
        raise ValueError("Lanczos mode does not support align_corners=True")


def _check_rank(mode: str, ndim: int, antialias: bool) -> None:
    """Raise NotImplementedError unless images of ``ndim`` dims can be interpolated in ``mode``."""
    if antialias:
        return
    if ndim in {3, 4, 5} and (mode in _NEAREST or mode == "area"):
        return
    needed = _WEIGHTED[mode][1] + 2 if mode in _WEIGHTED else None
    if needed == ndim:
        return
    if needed is not None and ndim in {3, 4, 5} and mode != "bicubic":
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {needed}D input")
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: nearest | linear | "
        f"bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
    )


def _check_image(x: Array, sizes: Ints, mode: str) -> None:
    """Raise unless ``x`` holds images of a dtype and size that can be interpolated to ``sizes``."""
    if min(*x.shape[2:], *sizes) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {x.shape[2:]} and output {sizes}"
        )
    if x.shape[1] == 0:
        raise RuntimeError(f"Non-empty {x.ndim}D data tensor expected but got a tensor with sizes {list(x.shape)}")
    if x.dtype.kind != "f" and not (x.dtype == np.uint8 and mode in _NEAREST):
        raise NotImplementedError(f"interpolate: mode {mode!r} is not implemented for '{x.dtype.name}'")


@doors("functional")
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Return (N, C, ...) ``input`` with its spatial dims resized to ``size``, or by ``scale_factor`` rounded down.

    ``mode`` is ``"nearest"``, ``"nearest-exact"`` (which rounds like Pillow), ``"area"`` (adaptive means), all for one
    to three dims, ``"linear"``, ``"bilinear"``, ``"trilinear"`` or ``"bicubic"``. With ``align_corners`` the first and
    last elements of both images lie on each other, else their edges do. ``recompute_scale_factor`` takes the scale from
    the rounded size. Raises ValueError for options that contradict each other, NotImplementedError for a mode that the
    rank or dtype does not have. With ``antialias``, for images in modes "bilinear", "bicubic" and "lanczos", shrinking
    takes all elements into account, as Pillow does.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html

    >>> import rushlight as torch
    >>> x = torch.tensor([[[1.0, 3.0]]])
    >>> torch.nn.functional.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    >>> torch.nn.functional.interpolate(x, size=3, mode="linear", align_corners=True)
    tensor([[[1., 2., 3.]]])
    """
    x = array_of(input, "interpolate")
    _check_mode(mode, x.ndim, align_corners, antialias)
    sizes, scales = _output_size(x.shape, size, scale_factor)
    _check_rank(mode, x.ndim, antialias)
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if mode == "area":
        return _AREA[x.ndim - 2](input, sizes)
    _check_image(x, sizes, mode)
    if antialias and x.dtype.itemsize < 4:
        raise NotImplementedError("\"compute_index_ranges_weights\" not implemented for 'Half'")
    mode = f"{mode}, antialias" if antialias else mode
    return _upsample(input, sizes, mode, bool(align_corners), None if recompute_scale_factor else scales)


@doors("functional")
def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Return ``interpolate(input, size, scale_factor, mode, align_corners)``; warns, as it is deprecated.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.upsample.html
    """
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@doors("functional")
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Return ``interpolate(input, size, scale_factor, mode="nearest")``; warns, as it is deprecated.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.upsample_nearest.html
    """
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor)


@doors("functional")
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Return ``interpolate`` with corners aligned, bilinear; warns, as it is deprecated.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.upsample_bilinear.html
    """
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


def _deprecated(name: str) -> None:
    warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", UserWarning, stacklevel=3)


# ------------------------------------------------------------------ channels for height and width


@primitive(
    input=lambda g, upscale_factor: pixel_unshuffle(g, upscale_factor),
    integers=("upscale_factor",),
    doors="torch functional",
)
def pixel_shuffle(input: Array, upscale_factor: int) -> Array:
    """Return (..., C r r, H, W) ``input`` rearranged to (..., C, H r, W r), r being ``upscale_factor``.

    Raises RuntimeError for a rank below 3, a factor below 1, or channels that do not divide.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html

    >>> import rushlight as torch
    >>> torch.pixel_shuffle(torch.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
    tensor([[[1., 2.],
             [3., 4.]]])
    """
    return kernels.pixel_shuffle(np.asarray(input), _factor("pixel_shuffle", "upscale_factor", upscale_factor))


@primitive(
    input=lambda g, downscale_factor: pixel_shuffle(g, downscale_factor),
    integers=("downscale_factor",),
    doors="torch functional",
)
def pixel_unshuffle(input: Array, downscale_factor: int) -> Array:
    """Return (..., C, H r, W r) ``input`` rearranged to (..., C r r, H, W): undoes :func:`pixel_shuffle`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html
    """
    return kernels.pixel_unshuffle(np.asarray(input), _factor("pixel_unshuffle", "downscale_factor", downscale_factor))


def _factor(name: str, parameter: str, value: Any) -> int:
    if not isinstance(value, int | np.integer):
        raise TypeError(f"{name}(): argument '{parameter}' (position 2) must be int, not {type(value).__name__}")
    return int(value)


@primitive(
    input=lambda g, input_shape, groups: channel_shuffle(g, max(input_shape[1] // groups, 1)),
    integers=("groups",),
    doors="torch functional",
)
def channel_shuffle(input: Array, groups: int) -> Array:
    """Return (N, C, ...) ``input`` with its channels dealt out: of ``groups`` groups the first of each, the second, ...

    Raises RuntimeError for a rank below 3 and groups that do not divide the channels.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.channel_shuffle.html

    >>> import rushlight as torch
    >>> torch.channel_shuffle(torch.tensor([[[0.0], [1.0], [2.0], [3.0]]]), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    shape = input.shape
    if len(shape) < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups."
        )
    dealt = input.reshape(shape[0], groups, shape[1] // groups, *shape[2:]).swapaxes(1, 2)
    return np.array(dealt, order="C").reshape(shape)


@doors("torch functional")
def native_channel_shuffle(input: Any, groups: int) -> Any:
    """Return ``channel_shuffle(input, groups)``."""
    return channel_shuffle(input, groups)
