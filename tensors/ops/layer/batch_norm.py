"""Normalization over the batch, groups of channels, or single images: each norm one node with a joint rule.

All are ``y = (x - mean) rstd weight + bias``, where mean and rstd are taken over some dims of a view of ``x``. On
arrays the rules reuse mean and rstd and work in blocks; on tensors, for second derivatives, ``recorded_slopes``
computes both again with ops, as they depend on ``x``. Half precision is computed in single. ``layer_norm.py`` uses the
parts shared by all norms.

Ioffe and Szegedy, Batch Normalization, 2015; Wu and He, Group Normalization, 2018; Ulyanov et al., Instance
Normalization, 2016.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels import normalization
from ....arrays.kernels.magnitude import in_range, scale
from ....autograd.arguments import array_of
from ....autograd.broadcast import convert, sum_to
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, as_ndarray, bump_version
from ...doors import doors
from ..backward_ops import as_array
from ..elementwise.power import power
from ..shape.views import reshape
from ..window.common import channel_expand, channel_sum

Ints = tuple[int, ...]


# ------------------------------------------------------------------ shared by all norms


class Normalized(NamedTuple):
    """A normalized input, and the statistics used: ``rstd`` is 1 / sqrt(var + eps), ``var`` the biased variance."""

    output: Any
    mean: Any
    rstd: Any
    var: Any


def single(x: Any) -> Any:
    """Return a tensor in single precision if it is in half."""
    return convert(x, np.dtype(np.float32)) if x.array.dtype == np.float16 else x


def recorded_slopes(
    g: Any, input: Any, weight: Any, view: Ints, stats: Ints, params: Ints, eps: Any, needs: Any, centre: bool = True
) -> list[Any]:
    """Return the gradients for input, weight and bias, computed with ops: they can be differentiated again.

    ``view`` is the shape in which the input is normalized, ``stats`` that of its means, ``params`` that in which weight
    and bias broadcast with it. Dims of size 1 in ``stats`` are those the means are taken over.
    """
    x, seed = reshape(single(input), view), reshape(single(g), view)
    count = prod(view) / max(prod(stats), 1)
    if centre:
        x = x - sum_to(x, stats) / count
    squares, by = sum_to(x * x, stats) / count, None
    if not in_range(as_array(squares) + eps):
        axes = tuple(d for d, n in enumerate(stats) if n == 1)
        by = scale(as_array(x), axes) if eps < 1e-30 else np.maximum(scale(as_array(x), axes), 1)
        x = x / by
        squares, eps = sum_to(x * x, stats) / count, eps / by / by
    rstd = power(squares + eps, -0.5)
    unit = x * rstd
    found: list[Any] = [None, None, None]
    if needs[0]:
        part = seed if weight is None else seed * reshape(weight, params)
        slope = part - unit * (sum_to(part * unit, stats) / count)
        if centre:
            slope = slope - sum_to(part, stats) / count
        slope = slope * rstd
        found[0] = reshape(slope if by is None else slope / by, tuple(input.shape))
    if needs[1]:
        found[1] = reshape(sum_to(seed * unit, params), tuple(weight.shape))
    if len(needs) > 2 and needs[2]:
        found[2] = reshape(sum_to(seed, params), (prod(params),))
    return found


def over_batch(x: Array) -> Array:
    """Return (N, C) sums added up over the batch: shape (1, C), in double precision."""
    return np.add.reduce(x, 0, dtype=np.float64, keepdims=True)


def check_parameters(name: str, x: Array, **parameters: Any) -> None:
    """Raise NotImplementedError or RuntimeError for dtypes that a norm does not take."""
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtype_of(x.dtype).legacy}'")
    for what, one in parameters.items():
        if one is None:
            continue
        kind = array_of(one, name, what).dtype
        if kind != x.dtype and not (x.dtype == np.float16 and kind == np.float32):
            raise RuntimeError(
                f"mixed dtype (CPU): {name} of {dtype_of(x.dtype)} takes no {what} of {dtype_of(kind)}: "
                f"expect parameter to have scalar type of {dtype_of(x.dtype).legacy}"
            )


def check_sizes(channels: int, **parameters: Any) -> None:
    """Raise RuntimeError unless each parameter that is given has one number for each channel."""
    for what, one in parameters.items():
        if one is not None and one.shape != (channels,):
            raise RuntimeError(f"{what} should contain {channels} elements not {prod(one.shape)}")


def check_constant(name: str, **running: Any) -> None:
    """Raise RuntimeError for a running statistic that requires grad."""
    for what, one in running.items():
        if isinstance(one, Variable) and one.node is not None:
            raise RuntimeError(
                f"The function '{name}' is not differentiable with respect to argument '{what}'. This input cannot "
                "have requires_grad True."
            )


def check_eps(eps: float, training: bool) -> None:
    """Raise ValueError for an ``eps`` below 0, in training for 0 too."""
    if training and not eps > 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {float(eps)}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {float(eps)}")


def update_running(running: Any, value: Array, momentum: float, name: str) -> None:
    """Move a running statistic towards ``value``, in place."""
    array = as_ndarray(running)
    array[...] = (1 - momentum) * array + momentum * value
    bump_version(running, name)


# ------------------------------------------------------------------ batch norm


def _batch_norm_rule(
    g: Any, input: Any, weight: Any, training: bool, eps: float, mean: Array, rstd: Array, needs: list[bool]
) -> Any:
    if isinstance(g, Variable):
        shape = tuple(input.shape)
        if training:
            view = (shape[0], shape[1], prod(shape[2:]))
            return recorded_slopes(g, input, weight, view, (1, shape[1], 1), (1, shape[1], 1), eps, needs)
        return _fixed_recorded(g, input, weight, mean, rstd, needs)
    x, seed = normalization.images(normalization.wide(input)), normalization.images(normalization.wide(g))
    units = normalization.small_units(rstd)
    if units is not None:
        x, mean, rstd = normalization.times(x, units[None]), mean * units, rstd / units
    sums, dots = normalization.slope_sums(x, mean[None], seed)
    total, dot = over_batch(sums), over_batch(dots)
    found: list[Any] = [None, (dot[0] * rstd).astype(x.dtype), total[0].astype(x.dtype)]
    if needs[0]:
        factors = rstd if weight is None else rstd * weight
        if training:
            count = max(1, prod(input.shape) // max(1, input.shape[1]))
            tilt, shift = factors * rstd * rstd * dot / count, factors * total / count
            slope = normalization.slopes(
                x, mean[None], seed, factors[None], tilt.astype(x.dtype), shift.astype(x.dtype)
            )
        else:
            slope = seed * factors.reshape(-1, *(1,) * (x.ndim - 2))
        slope = slope if units is None else normalization.times(slope, units[None])
        found[0] = slope.reshape(input.shape).astype(input.dtype, copy=False)
    return [part if need else None for part, need in zip(found, needs, strict=True)]


def _fixed_recorded(g: Any, input: Any, weight: Any, mean: Array, rstd: Array, needs: list[bool]) -> list[Any]:
    """Return the gradients where mean and rstd are constants."""
    shape = tuple(input.shape)
    x, seed = single(input), single(g)
    spread = channel_expand(rstd, shape)
    slope = seed * spread
    if weight is not None:
        slope = slope * channel_expand(single(weight), shape)
    unit = (x - channel_expand(mean, shape)) * spread
    found = slope, channel_sum(seed * unit) if needs[1] else None, channel_sum(seed)
    return [part if need else None for part, need in zip(found, needs, strict=True)]


def _weighted(x: Array, weight: Any, bias: Any) -> Array:
    """Return (N, C) or (N, C, R) ``x`` times ``weight`` plus ``bias``, in its dtype."""
    shape = (-1, *(1,) * (x.ndim - 2))
    if weight is not None:
        x = x * weight.astype(x.dtype).reshape(shape)
    return x if bias is None else x + bias.astype(x.dtype).reshape(shape)


@primitive(
    _batch_norm_rule,
    ("input", "weight", "bias"),
    running_mean=None,
    running_var=None,
    aux=("mean", "rstd", "var"),
    returns=Normalized,
    grad_fn_name="NativeBatchNormBackward0",
    numbers=("eps",),
)
def _batch_norm(
    input: Array,
    training: bool,
    eps: float,
    weight: Any = None,
    bias: Any = None,
    running_mean: Any = None,
    running_var: Any = None,
) -> tuple[Array, ...]:
    """Return (N, C, ...) ``input`` normalized by channel, with the mean, rstd and variance of each."""
    x = normalization.images(normalization.wide(input))
    kind = x.dtype
    if training:
        count = max(1, prod(input.shape) // max(1, input.shape[1]))
        mean = over_batch(normalization.totals(x)) / np.float64(count)
        var = over_batch(normalization.squares(x, mean.astype(kind)))[0] / np.float64(count)
        mean = mean[0]
    else:
        mean, var = running_mean.astype(np.float64), running_var.astype(np.float64)
    rstd = 1 / np.sqrt(var + eps)
    if normalization.plain(mean, rstd, var) or not x.size:
        factors = rstd if weight is None else rstd * weight
        shift = -mean * factors if bias is None else bias - mean * factors
        out = normalization.affine(x, factors.astype(kind)[None], shift.astype(kind)[None])
    else:
        axes = (0, 2)[: x.ndim - 1]
        if training:
            out, mean, rstd, var = normalization.centred(x, axes, eps)
            mean, rstd, var = mean.reshape(-1), rstd.reshape(-1), var.reshape(-1)
        else:
            spread = (-1, *(1,) * (x.ndim - 2))
            out = (x - mean.astype(kind).reshape(spread)) * rstd.astype(kind).reshape(spread)
        out = _weighted(out, weight, bias)
    out = out.reshape(input.shape).astype(input.dtype, copy=False)
    return out, mean.astype(kind), rstd.astype(kind), var


@doors("functional")
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Return (N, C, ...) ``input`` with each channel at mean 0 and variance 1, times ``weight`` plus ``bias``.

    In training mean and variance are those of the batch, and ``running_mean`` and ``running_var``, if given, move
    towards them in place by ``momentum`` (the variance then divides by the count less one); else they are used instead.
    Raises ValueError in training for one value a channel, RuntimeError for sizes and dtypes that do not fit.

    Ioffe and Szegedy, Batch Normalization, 2015.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html

    >>> import rushlight as torch
    >>> x = torch.tensor([[1.0], [3.0]])
    >>> torch.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    x = array_of(input, "batch_norm")
    channels = x.shape[1] if x.ndim > 1 else 0
    count = prod(x.shape) // max(channels, 1)
    if training and x.ndim and prod((x.shape[0], *x.shape[2:])) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size torch.Size({list(x.shape)})"
        )
    if not training and (running_mean is None or running_var is None):
        missing = "running_mean" if running_mean is None else "running_var"
        raise RuntimeError(f"{missing} must be defined in evaluation mode")
    if not isinstance(momentum, float | int):
        raise TypeError(f"batch_norm(): argument 'momentum' must be float, not {type(momentum).__name__}")
    parameters = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    check_parameters("batch_norm", x, **parameters)
    if x.ndim or not training:
        check_sizes(channels, **parameters)
    check_constant("native_batch_norm", running_mean=running_mean, running_var=running_var)
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    check_eps(eps, training)
    if x.shape == (0,):  # PyTorch asks an empty batch for no channels
        return input * 1
    if x.ndim < 2:
        raise IndexError(
            f"batch_norm(): input needs a batch and a channel dim, but got size {list(x.shape)}: Dimension out of range"
        )
    if not training:
        return _batch_norm(input, False, eps, weight, bias, running_mean, running_var)[0]
    out, mean, _, var = _batch_norm(input, True, eps, weight, bias)
    if running_mean is not None and count:  # no element says nothing of mean and variance
        update_running(running_mean, array_of(mean, ""), momentum, "batch_norm")
        update_running(running_var, array_of(var, "") * (count / max(count - 1, 1)), momentum, "batch_norm")
    return out


# ------------------------------------------------------------------ group and instance norm


def _group_norm_rule(
    g: Any, input: Any, weight: Any, groups: int, eps: float, mean: Array, rstd: Array, needs: list[bool]
) -> Any:
    batch, channels, *rest = input.shape
    size = channels // groups
    if isinstance(g, Variable):
        view = (batch, groups, size, prod(rest))
        return recorded_slopes(g, input, weight, view, (batch, groups, 1, 1), (1, groups, size, 1), eps, needs)
    x, seed = normalization.images(normalization.wide(input)), normalization.images(normalization.wide(g))
    units = normalization.small_units(rstd)
    each_unit = None if units is None else np.repeat(units, size, 1)
    if each_unit is not None:
        x, mean, rstd = normalization.times(x, each_unit), mean * units, rstd / units
    means, roots = np.repeat(mean, size, 1), np.repeat(rstd, size, 1)
    sums, dots = normalization.slope_sums(x, means, seed)
    found: list[Any] = [None, over_batch(dots * roots)[0].astype(x.dtype), over_batch(sums)[0].astype(x.dtype)]
    if needs[0]:
        factors = roots if weight is None else roots * weight
        if weight is not None:
            sums, dots = sums * weight, dots * weight
        count = max(1, size * prod(rest))
        shift = rstd * np.add.reduce(sums.reshape(batch, groups, size), 2) / np.asarray(count, x.dtype)
        tilt = rstd**3 * np.add.reduce(dots.reshape(batch, groups, size), 2) / np.asarray(count, x.dtype)
        each = np.repeat(tilt, size, 1), np.repeat(shift, size, 1)
        slope = normalization.slopes(x, means, seed, factors.astype(x.dtype, copy=False), *each)
        slope = slope if each_unit is None else normalization.times(slope, each_unit)
        found[0] = slope.reshape(input.shape).astype(input.dtype, copy=False)
    return [part if need else None for part, need in zip(found, needs, strict=True)]


@primitive(
    _group_norm_rule,
    ("input", "weight", "bias"),
    aux=("mean", "rstd", "var"),
    returns=Normalized,
    grad_fn_name=lambda groups, kind_of_norm: kind_of_norm,
    numbers=("eps",),
)
def _group_norm(
    input: Array, groups: int, eps: float, kind_of_norm: str, weight: Any = None, bias: Any = None
) -> tuple[Array, ...]:
    """Return (N, C, ...) ``input`` normalized by ``groups`` of channels of each image, with mean, rstd and variance."""
    x = normalization.images(normalization.wide(input))
    batch, channels = x.shape[:2]
    size = channels // groups
    count = np.float64(max(1, size * prod(x.shape[2:])))
    in_groups = (batch, groups, size)
    mean = np.add.reduce(normalization.totals(x).reshape(in_groups), 2, dtype=np.float64) / count
    means = np.repeat(mean, size, 1)
    var = np.add.reduce(normalization.squares(x, means.astype(x.dtype)).reshape(in_groups), 2, dtype=np.float64) / count
    rstd = 1 / np.sqrt(var + eps)
    if normalization.plain(mean, rstd, var) or not x.size:
        factors = np.repeat(rstd, size, 1)
        factors = factors if weight is None else factors * weight
        shift = -means * factors if bias is None else bias - means * factors
        out = normalization.affine(x, factors.astype(x.dtype), shift.astype(x.dtype))
    else:
        out, mean, rstd, var = normalization.centred(x.reshape(batch, groups, -1), (2,), eps)
        out = _weighted(out.reshape(x.shape), weight, bias)
        mean, rstd, var = mean[..., 0], rstd[..., 0], var[..., 0]
    return out.reshape(input.shape).astype(input.dtype, copy=False), mean.astype(x.dtype), rstd.astype(x.dtype), var


@doors("torch functional")
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Return (N, C, ...) ``input`` with each of ``num_groups`` groups of channels of each image at mean 0, variance 1.

    Then times ``weight`` plus ``bias``, both (C,). Raises RuntimeError if the groups do not divide the channels.

    Wu and He, Group Normalization, 2018.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html

    >>> import rushlight as torch
    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0, 5.0, 5.0]]).reshape(1, 2, 2), 2)
    tensor([[[-1.0000,  1.0000],
             [ 0.0000,  0.0000]]])
    """
    x = array_of(input, "group_norm")
    if x.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {x.ndim}")
    channels = x.shape[1]
    if x.shape[0] * channels // num_groups * prod(x.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size torch.Size({list(x.shape)})"
        )
    if num_groups < 0 or channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(x.shape)} and num_groups={num_groups}"
        )
    for what, one in (("weight", weight), ("bias", bias)):
        if one is not None and tuple(one.shape) != (channels,):
            raise RuntimeError(
                f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of "
                f"shape {list(one.shape)} and input of shape {list(x.shape)}"
            )
    check_parameters("group_norm", x, weight=weight, bias=bias)
    return _group_norm(input, num_groups, eps, "NativeGroupNormBackward0", weight, bias)[0]


@doors("functional")
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Return (N, C, ...) ``input`` with each channel of each image at mean 0 and variance 1.

    Otherwise as :func:`batch_norm`; ``use_input_stats`` is its ``training``. Raises ValueError for images of one
    element. https://pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html

    >>> import rushlight as torch
    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0], [4.0, 8.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    x = array_of(input, "instance_norm")
    if use_input_stats and prod(x.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size torch.Size({list(x.shape)})"
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    check_constant("instance_norm", running_mean=running_mean, running_var=running_var)
    parameters = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    check_parameters("instance_norm", x, **parameters)
    check_sizes(x.shape[1], **parameters)
    if not use_input_stats:
        return _batch_norm(input, False, eps, weight, bias, running_mean, running_var)[0]
    out, mean, _, var = _group_norm(input, max(x.shape[1], 1), eps, "InstanceNormBackward0", weight, bias)
    count = prod(x.shape[2:])
    if not x.size:
        return out
    if running_mean is not None:
        update_running(running_mean, np.mean(array_of(mean, ""), 0), momentum, "instance_norm")
    if running_var is not None:
        unbiased = np.mean(array_of(var, ""), 0) * (count / max(count - 1, 1))
        update_running(running_var, unbiased, momentum, "instance_norm")
    return out


@doors("torch.batch_norm")
def weights_first_batch_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = False,
) -> Any:
    """Return ``nn.functional.batch_norm`` of the same arguments, in the order of ``torch.batch_norm``."""
    return batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


@doors("torch.instance_norm")
def weights_first_instance_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = False,
) -> Any:
    """Return ``nn.functional.instance_norm`` of the same arguments, in the order of ``torch.instance_norm``."""
    return instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
