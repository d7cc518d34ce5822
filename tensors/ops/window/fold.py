"""Blocks of an image as columns, and back."""

from __future__ import annotations

from typing import Any

from ....arrays.dtypes import Array
from ....arrays.kernels import fold as window
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from .common import BLOCKS, per_dim

Ints = tuple[int, ...]


def _im2col_rule(g: Any, input_shape: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    return col2im(g, tuple(input_shape[-2:]), kernel_size, dilation, padding, stride)


@primitive(
    input=_im2col_rule,
    grad_fn_name="Im2ColBackward0",
)
def im2col(input: Array, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Any:
    """Return the blocks of (N, C, H, W) or (C, H, W) ``input`` as columns: shape (N, C * kernel, blocks)."""
    if input.ndim == 3:
        return window.unfold(input[None], kernel_size, dilation, padding, stride)[0]
    return window.unfold(input, kernel_size, dilation, padding, stride)


@primitive(
    input=lambda g, kernel_size, dilation, padding, stride: im2col(g, kernel_size, dilation, padding, stride),
    grad_fn_name="Col2ImBackward0",
)
def col2im(input: Array, output_size: Ints, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Any:
    """Return the image (N, C, H, W) or (C, H, W) that sums the blocks in ``input``; the adjoint of ``im2col``."""
    if input.ndim == 2:
        return window.fold(input[None], output_size, kernel_size, dilation, padding, stride)[0]
    return window.fold(input, output_size, kernel_size, dilation, padding, stride)


def _pairs(name: str, **given: Any) -> list[Ints]:
    """Return each argument as two ints; RuntimeError if another count is given."""
    return [per_dim(value, 2, name, parameter, BLOCKS) for parameter, value in given.items()]


@doors("functional")
def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Return the blocks of (N, C, H, W) or (C, H, W) ``input`` as columns: shape (N, C * KH * KW, blocks).

    Raises RuntimeError where no block fits. https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html

    >>> import rushlight as torch
    >>> torch.nn.functional.unfold(torch.tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
    tensor([[1., 2.],
            [2., 3.]])
    """
    x = array_of(input, "unfold")
    sizes = _pairs("unfold", kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    if x.ndim not in {3, 4} or 0 in x.shape[x.ndim - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(x.shape)}"
        )
    if x.dtype.kind in "iu":
        raise NotImplementedError(f"\"im2col_out_cpu\" not implemented for '{x.dtype.name}'")
    return im2col(input, *sizes)


@doors("functional")
def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Return the image (N, C, *output_size) that sums the blocks in ``input`` (N, C * KH * KW, blocks).

    The transpose of :func:`unfold`, not its inverse: where blocks overlap they add up. Raises RuntimeError if the
    columns do not fit. https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html

    >>> import rushlight as torch
    >>> torch.nn.functional.fold(torch.tensor([[1.0, 2.0], [2.0, 3.0]]), (1, 3), (1, 2))
    tensor([[[1., 4., 3.]]])
    """
    x = array_of(input, "fold")
    sizes = _pairs(
        "fold", output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    if x.ndim not in {2, 3} or 0 in x.shape[x.ndim - 2 :]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(x.shape)}"
        )
    if x.dtype.kind in "iu":
        raise NotImplementedError(f"\"col2im_out_cpu\" not implemented for '{x.dtype.name}'")
    return col2im(input, *sizes)
