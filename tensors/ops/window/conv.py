"""Convolution and its two adjoints.

Fix one of input, weight and result's gradient: the three kernels are each other's derivatives to any order, since all
come from one trilinear form (see ``kernels/conv.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array, dtype_of
from ....arrays.kernels import conv as kernels
from ....arrays.kernels.output_sizes import conv_output_size, conv_transpose_output_size
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from ..shape.order import permute
from ..shape.pad import constant_pad_nd
from ..shape.views import squeeze, unsqueeze
from .common import CONVOLUTION, channel_sum, per_dim

Ints = tuple[int, ...]


def _convolution_rule(
    g: Any, input: Any, weight: Any, stride: Ints, padding: Ints, dilation: Ints, groups: int, needs: list[bool]
) -> tuple[Any, Any, Any]:
    how = stride, padding, dilation, groups
    return (
        _conv_transposed(g, weight, tuple(input.shape), *how) if needs[0] else None,
        _conv_weight(g, input, tuple(weight.shape), *how) if needs[1] else None,
        channel_sum(g) if needs[2] else None,
    )


@primitive(_convolution_rule, ("input", "weight", "bias"), grad_fn_name="ConvolutionBackward0")
def _convolution(
    input: Array, weight: Array, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int, bias: Any = None
) -> Array:
    """Return the cross-correlation of (N, C, ...) ``input`` with ``weight`` (O, C / groups, ...), plus ``bias``.

    The result is (N, O, *size): a transposed convolution may leave so much room that more windows would fit.
    """
    return kernels.conv_forward(input, weight, size, stride, padding, dilation, groups, bias)


def _conv_transposed_rule(
    g: Any, input: Any, weight: Any, stride: Ints, padding: Ints, dilation: Ints, groups: int, needs: list[bool]
) -> tuple[Any, Any, Any]:
    how = stride, padding, dilation, groups
    return (
        _convolution(g, weight, tuple(input.shape[2:]), *how) if needs[0] else None,
        _conv_weight(input, g, tuple(weight.shape), *how) if needs[1] else None,
        channel_sum(g) if needs[2] else None,
    )


@primitive(_conv_transposed_rule, ("input", "weight", "bias"), grad_fn_name="ConvolutionBackward0")
def _conv_transposed(
    input: Array,
    weight: Array,
    shape: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
    bias: Any = None,
) -> Array:
    """Return the adjoint of ``_convolution`` along its input, of that input's ``shape``, plus ``bias``."""
    out = kernels.conv_input_grad(input, weight, shape, stride, padding, dilation, groups)
    if bias is not None:
        out += bias.reshape(-1, *(1,) * (out.ndim - 2))
    return out


def _conv_weight_rule(
    g: Any, grad: Any, input: Any, stride: Ints, padding: Ints, dilation: Ints, groups: int, needs: list[bool]
) -> tuple[Any, Any]:
    how = stride, padding, dilation, groups
    return (
        _convolution(input, g, tuple(grad.shape[2:]), *how) if needs[0] else None,
        _conv_transposed(grad, g, tuple(input.shape), *how) if needs[1] else None,
    )


@primitive(_conv_weight_rule, ("grad", "input"), grad_fn_name="ConvolutionBackward0")
def _conv_weight(
    grad: Array, input: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Array:
    """Return the adjoint of ``_convolution`` along its weight, of that weight's ``shape``."""
    return kernels.conv_weight_grad(grad, input, shape, stride, padding, dilation, groups)


# ------------------------------------------------------------------ arguments


def _check_operands(name: str, dims: int, input: Any, weight: Any, bias: Any) -> None:
    """Raise TypeError or RuntimeError unless the three can be the operands of a convolution of ``dims`` dims."""
    x, w = array_of(input, name), array_of(weight, name, "weight", 2)
    if w.ndim != dims + 2:
        raise RuntimeError(
            f"{name}: expected a weight of {dims + 2} dimensions (channels out, channels in, kernel), but got weight "
            f"of size {list(w.shape)}"
        )
    if x.ndim not in {dims + 1, dims + 2}:
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got input of size: "
            f"{list(x.shape)}"
        )
    if bias is not None:
        b = array_of(bias, name, "bias", 3)
        if b.dtype != x.dtype:
            raise RuntimeError(
                f"Input type ({dtype_of(x.dtype)}) and bias type ({dtype_of(b.dtype)}) should be the same"
            )
    if x.dtype.kind == "b":
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")
    if x.dtype != w.dtype:
        raise RuntimeError(f"Input type ({dtype_of(x.dtype)}) and weight type ({dtype_of(w.dtype)}) should be the same")


def _check_shapes(x_shape: Ints, w_shape: Ints, bias: Any, filters: int) -> None:
    """Raise RuntimeError for a bias that does not fit and for empty images."""
    if bias is not None and tuple(bias.shape) != (filters,):
        raise RuntimeError(
            f"Given weight of size {list(w_shape)}, expected bias to be 1-dimensional with {filters} elements, but got "
            f"bias of size {list(bias.shape)} instead"
        )
    if 0 in x_shape[2:]:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {list(x_shape)}"
        )


def _same_padding(input: Any, weight_shape: Ints, stride: Ints, dilation: Ints) -> tuple[Any, Ints]:
    """Return the input, padded at the end where both ends cannot get the same, and what both ends get."""
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(weight_shape[2:], dilation, strict=True)]
    if any(total % 2 for total in totals):
        pads = [side for total in reversed(totals) for side in (0, total % 2)]
        input = constant_pad_nd(input, tuple(pads), 0)
    return input, tuple(max(total, 0) // 2 for total in totals)


def _conv(
    name: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    _check_operands(name, dims, input, weight, bias)
    if len(input.shape) == dims + 1:
        return squeeze(_conv(name, dims, unsqueeze(input, 0), weight, bias, stride, padding, dilation, groups), 0)
    shape = tuple(weight.shape)
    stride = per_dim(stride, dims, name, "stride", CONVOLUTION)
    dilation = per_dim(dilation, dims, name, "dilation", CONVOLUTION)
    if padding == "same":
        input, padding = _same_padding(input, shape, stride, dilation)
    elif isinstance(padding, str):
        if padding != "valid":
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        padding = (0,) * dims
    else:
        padding = per_dim(padding, dims, name, "padding", CONVOLUTION)
    size = tuple(input.shape)
    out = conv_output_size(size, shape, stride, padding, dilation, groups)
    _check_shapes(size, shape, bias, shape[0])
    return _convolution(input, weight, out, stride, padding, dilation, groups, bias)


@doors("torch functional")
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the cross-correlation of (N, C, L) or (C, L) ``input`` with ``weight`` (O, C / groups, K).

    See :func:`conv2d`. https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html

    >>> import rushlight as torch
    >>> torch.conv1d(torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@doors("torch functional")
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the cross-correlation of (N, C, H, W) or (C, H, W) ``input`` with ``weight`` (O, C / groups, KH, KW).

    The result is (N, O, H', W') with H' = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1. ``stride``,
    ``padding`` and ``dilation`` are one number, or one for each dim; ``padding`` may also be ``"valid"`` (none) or, for
    stride 1, ``"same"`` (H' = H; an odd border is longer at the end). ``bias`` is (O,). All in one dtype; RuntimeError
    for shapes or numbers that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html

    >>> import rushlight as torch
    >>> image = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    >>> torch.conv2d(image, torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([0.5]))
    tensor([[[3.5000],
             [7.5000]]])
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@doors("torch functional")
def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the cross-correlation of (N, C, D, H, W) or (C, D, H, W) ``input`` with ``weight``; see :func:`conv2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html
    """
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _conv_transpose(
    name: str,
    dims: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    _check_operands(name, dims, input, weight, bias)
    if array_of(input, name).dtype.kind in "iu" and array_of(input, name).dtype != np.int64:
        raise NotImplementedError(f"\"{name}\" not implemented for '{array_of(input, name).dtype.name}'")
    if len(input.shape) == dims + 1:
        one = unsqueeze(input, 0)
        how = stride, padding, output_padding, groups, dilation
        return squeeze(_conv_transpose(name, dims, one, weight, bias, *how), 0)
    shape, weight_shape = tuple(input.shape), tuple(weight.shape)
    stride = per_dim(stride, dims, name, "stride", CONVOLUTION)
    padding = per_dim(padding, dims, name, "padding", CONVOLUTION)
    output_padding = per_dim(output_padding, dims, name, "output_padding", CONVOLUTION)
    dilation = per_dim(dilation, dims, name, "dilation", CONVOLUTION)
    if 0 in weight_shape[1:]:
        raise RuntimeError(f"{name}: expected a weight that is not empty, but got size {list(weight_shape)}")
    out = conv_transpose_output_size(shape, weight_shape, stride, padding, output_padding, dilation, groups)
    filters = weight_shape[1] * groups
    _check_shapes(shape, weight_shape, bias, filters)
    return _conv_transposed(input, weight, (shape[0], filters, *out), stride, padding, dilation, groups, bias)


@doors("torch functional")
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of (N, C, L) ``input`` with ``weight`` (C, O / groups, K).

    See :func:`conv_transpose2d`. https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html
    """
    return _conv_transpose(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@doors("torch functional")
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of (N, C, H, W) ``input`` with ``weight`` (C, O / groups, KH, KW).

    It maps as the gradient of a :func:`conv2d` of the same arguments maps back to that one's input, so the result is
    (N, O, H', W') with H' = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1; ``output_padding``
    says which of the sizes is meant that a stride rounds to the same H. ``bias`` is (O,).

    https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html

    >>> import rushlight as torch
    >>> torch.conv_transpose2d(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[[1.0, 10.0]]]]))
    tensor([[[ 1., 12., 20.]]])
    """
    return _conv_transpose(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@doors("torch functional")
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of (N, C, D, H, W) ``input`` with ``weight``; see :func:`conv_transpose2d`.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html
    """
    return _conv_transpose(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@doors("torch functional")
def conv_tbc(input: Any, weight: Any, bias: Any, pad: int = 0) -> Any:
    """Return the convolution of (T, N, C_in) ``input`` with (K, C_in, C_out) ``weight``, plus ``bias`` (C_out).

    ``pad`` zeros come before and after; the result has T + 2 pad - K + 1 steps. RuntimeError for shapes that do not
    fit.
    https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_tbc.html
    """
    x, w = array_of(input, "conv_tbc"), array_of(weight, "conv_tbc", "weight", 2)
    b = array_of(bias, "conv_tbc", "bias", 3)
    if (x.ndim, w.ndim, b.ndim) != (3, 3, 1):
        raise RuntimeError(
            "conv_tbc: Input and weight must have 3 dims: time, batch, in_channel and kernel, in, out; bias 1, but got "
            f"{x.ndim}, {w.ndim} and {b.ndim}"
        )
    if x.shape[2] != w.shape[1] or w.shape[2] != b.shape[0]:
        raise RuntimeError(
            f"conv_tbc: channels of input {list(x.shape)}, weight {list(w.shape)} and bias {list(b.shape)} do not fit"
        )
    out = conv1d(permute(input, (1, 2, 0)), permute(weight, (2, 1, 0)), bias, 1, pad)
    return permute(out, (2, 0, 1))
