"""Convolutions: Conv1d, Conv2d, Conv3d and their transposes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ...tensors.tensor.methods import Tensor
from .. import functional as F
from .. import init
from ..common_types import Device, Dtype, _size_any_t
from ..parameter import Parameter, UninitializedParameter, empty_parameter
from .lazy import LazyModuleMixin, _materialize
from .module import Module
from .utils import _ntuple

_MODES = {"zeros", "reflect", "replicate", "circular"}


class _ConvNd(Module):
    """A convolution or its transpose, over the last ``dims`` dims.

    weight: (out_channels, in_channels / groups, *kernel_size), of a transpose with the channels swapped.
    bias: (out_channels), or None.
    kernel_size, stride, dilation, output_padding: a number for each of ``dims``.
    padding: likewise, or "same" or "valid".
    """

    dims: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_any_t,
        stride: _size_any_t,
        padding: _size_any_t | str,
        dilation: _size_any_t,
        transposed: bool,
        output_padding: _size_any_t,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Device,
        dtype: Dtype,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _ntuple(self.dims)(kernel_size)
        self.stride = _ntuple(self.dims)(stride)
        self.padding = padding if isinstance(padding, str) else _ntuple(self.dims)(padding)
        self.dilation = _ntuple(self.dims)(dilation)
        self.transposed = transposed
        self.output_padding = _ntuple(self.dims)(output_padding)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check_options()
        channels = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = empty_parameter(*channels, *self.kernel_size, device=device, dtype=dtype)
        if bias:
            self.bias = empty_parameter(out_channels, device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check_options(self) -> None:
        """Raise ValueError for options that do not fit together."""
        groups = self.groups
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, not {groups}")
        for name, channels in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups: {channels} is not divisible by {groups}")
        if isinstance(self.padding, str):
            if self.padding not in {"same", "valid"}:
                raise ValueError(f"Invalid padding string {self.padding!r}, should be one of 'same', 'valid'")
            if self.padding == "same" and any(n != 1 for n in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in _MODES:
            raise ValueError(
                f"padding_mode must be one of {sorted(_MODES)}, but got padding_mode='{self.padding_mode}'"
            )

    def reset_parameters(self) -> None:
        """Draw weight and bias from [-b, b), b = 1 / sqrt(fan-in), as in PyTorch."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    @property
    def _reversed_padding_repeated_twice(self) -> list[int]:
        """The padding as ``F.pad`` wants it: last dim first, both sides."""
        if isinstance(self.padding, str):
            same = self.padding == "same"
            total = [d * (k - 1) if same else 0 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return [side for n in reversed(total) for side in (n // 2, n - n // 2)]
        return [n for n in reversed(self.padding) for _ in range(2)]

    def _conv_forward(self, conv: Callable[..., Any], input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode == "zeros":
            return conv(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        padded = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        return conv(padded, weight, bias, self.stride, (0,) * self.dims, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """Return the options that are not the usual ones."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        usual = {"padding": 0, "dilation": 1, "output_padding": 0}
        for name, value in usual.items():
            if getattr(self, name) != (value,) * self.dims:
                text += f", {name}={getattr(self, name)}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    """A convolution, with PyTorch's signature; ``_ConvNd`` is of the transposes too."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_any_t,
        stride: _size_any_t = 1,
        padding: _size_any_t | str = 0,
        dilation: _size_any_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            False,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class Conv1d(_Conv):
    """Convolution along one dim: (N, C_in, L) to (N, C_out, L').

    https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
    """

    dims = 1

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolved ``input``, (N, C_in, L) or (C_in, L)."""
        return self._conv_forward(F.conv1d, input, self.weight, self.bias)


class Conv2d(_Conv):
    """Convolution of images: (N, C_in, H, W) to (N, C_out, H', W').

    Weight and bias start evenly from [-b, b), b = 1 / sqrt(C_in / groups * kernel size).

    https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html

    >>> import rushlight as torch
    >>> torch.nn.Conv2d(3, 8, 3, padding=1)
    Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """

    dims = 2

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolved ``input``, (N, C_in, H, W) or (C_in, H, W)."""
        return self._conv_forward(F.conv2d, input, self.weight, self.bias)


class Conv3d(_Conv):
    """Convolution of volumes: (N, C_in, D, H, W) to (N, C_out, D', H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
    """

    dims = 3

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolved ``input``, (N, C_in, D, H, W) or (C_in, D, H, W)."""
        return self._conv_forward(F.conv3d, input, self.weight, self.bias)


class _ConvTransposeNd(_ConvNd):
    """The transpose of a convolution: the map that takes its gradient from output to input."""

    padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _size_any_t,
        stride: _size_any_t = 1,
        padding: _size_any_t = 0,
        output_padding: _size_any_t = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _size_any_t = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}, not {padding_mode!r}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            True,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _transpose_forward(self, conv: Callable[..., Any], input: Tensor, output_size: Sequence[int] | None) -> Tensor:
        padding = self.output_padding if output_size is None else self._output_padding(input, list(output_size))
        return conv(input, self.weight, self.bias, self.stride, self.padding, padding, self.groups, self.dilation)

    def _output_padding(self, input: Tensor, size: list[int]) -> tuple[int, ...]:
        """Return the output padding that leads to ``size``; ValueError if none does."""
        dims = self.dims
        lead = input.ndim - dims
        if len(size) == input.ndim:
            size = size[lead:]
        if len(size) != dims:
            raise ValueError(
                f"{type(self).__name__}: for {input.ndim}D input, output_size must have {dims} or {input.ndim} "
                f"elements (got {len(size)})"
            )
        min_sizes = [
            (input.shape[lead + d] - 1) * self.stride[d]
            - 2 * self.padding[d]
            + self.dilation[d] * (self.kernel_size[d] - 1)
            + 1
            for d in range(dims)
        ]
        max_sizes = [n + stride - 1 for n, stride in zip(min_sizes, self.stride, strict=True)]
        if not all(low <= n <= high for low, n, high in zip(min_sizes, size, max_sizes, strict=True)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from {min_sizes} to {max_sizes} "
                f"(for an input of {tuple(input.shape[lead:])})"
            )
        return tuple(n - low for n, low in zip(size, min_sizes, strict=True))


class ConvTranspose1d(_ConvTransposeNd):
    """Transposed convolution along one dim: (N, C_in, L) to (N, C_out, L').

    https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
    """

    dims = 1

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the layer's output, of ``output_size`` if that is given."""
        return self._transpose_forward(F.conv_transpose1d, input, output_size)


class ConvTranspose2d(_ConvTransposeNd):
    """Transposed convolution of images: (N, C_in, H, W) to (N, C_out, H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """

    dims = 2

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the layer's output, of ``output_size`` if that is given."""
        return self._transpose_forward(F.conv_transpose2d, input, output_size)


class ConvTranspose3d(_ConvTransposeNd):
    """Transposed convolution of volumes: (N, C_in, D, H, W) to (N, C_out, D', H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
    """

    dims = 3

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the layer's output, of ``output_size`` if that is given."""
        return self._transpose_forward(F.conv_transpose3d, input, output_size)


# ------------------------------------------------------------------ lazy


class _LazyConvXdMixin(LazyModuleMixin):
    """A convolution or transpose that takes ``in_channels`` from its first input."""

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    groups: int
    transposed: bool
    dims: ClassVar[int]
    weight: Any
    bias: Any

    def __init__(self, out_channels: int, bias: bool, **options: Any) -> None:
        super().__init__(0, 0, bias=False, **options)
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=options["device"], dtype=options["dtype"])
        if bias:
            self.bias = UninitializedParameter(device=options["device"], dtype=options["dtype"])

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, if they have a shape."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Make weight and bias for ``input``."""
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._get_in_channels(input)
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        channels = self.out_channels, self.in_channels // self.groups
        if self.transposed:
            channels = self.in_channels, self.out_channels // self.groups
        _materialize(self.weight, (*channels, *self.kernel_size))
        _materialize(self.bias, (self.out_channels,))
        self.reset_parameters()

    def _get_in_channels(self, input: Tensor) -> int:
        unbatched = self.dims + 1
        if input.ndim not in {unbatched, unbatched + 1}:
            raise RuntimeError(
                f"Expected {unbatched}D (unbatched) or {unbatched + 1}D (batched) input to {type(self).__name__}, but "
                f"got input of size: {input.shape}"
            )
        return input.shape[input.ndim - unbatched]


class _LazyConv(_LazyConvXdMixin):
    def __init__(
        self,
        out_channels: int,
        kernel_size: _size_any_t,
        stride: _size_any_t = 1,
        padding: _size_any_t | str = 0,
        dilation: _size_any_t = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(
            out_channels,
            bias,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )


class _LazyConvTranspose(_LazyConvXdMixin):
    def __init__(
        self,
        out_channels: int,
        kernel_size: _size_any_t,
        stride: _size_any_t = 1,
        padding: _size_any_t = 0,
        output_padding: _size_any_t = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _size_any_t = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(
            out_channels,
            bias,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            groups=groups,
            dilation=dilation,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )


class LazyConv1d(_LazyConv, Conv1d):
    """A :class:`Conv1d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConv1d.html
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A :class:`Conv2d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConv2d.html
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A :class:`Conv3d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConv3d.html
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A :class:`ConvTranspose1d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose1d.html
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A :class:`ConvTranspose2d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose2d.html
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A :class:`ConvTranspose3d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose3d.html
    """

    cls_to_become = ConvTranspose3d
