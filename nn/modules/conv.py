"""Convolutions: Conv1d, Conv2d, Conv3d and their transposes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedParameter, empty_parameter
from .lazy import LazyModuleMixin, _materialize
from .module import Module
from .utils import per_dim

_MODES = {"zeros", "reflect", "replicate", "circular"}


class _ConvNd(Module):
    """What all convolutions share: options, parameters, text."""

    dims: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def _setup(self, transposed: bool, bias: bool, device: Any, dtype: Any, **options: Any) -> None:
        """Check and keep the options, and make the parameters."""
        super().__init__()
        dims, groups = self.dims, options["groups"]
        for name in ("kernel_size", "stride", "dilation", "output_padding"):
            options[name] = per_dim(options[name], dims)
        if not isinstance(options["padding"], str):
            options["padding"] = per_dim(options["padding"], dims)
        _check(options)
        for name, value in options.items():
            setattr(self, name, value)
        self.transposed = transposed
        inputs, outputs = options["in_channels"], options["out_channels"]
        first, second = (inputs, outputs // groups) if transposed else (outputs, inputs // groups)
        self.weight = empty_parameter(first, second, *options["kernel_size"], device=device, dtype=dtype)
        if bias:
            self.bias = empty_parameter(outputs, device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Any
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
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

    def _conv_forward(self, conv: Any, input: Any, weight: Any, bias: Any) -> Any:
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


def _check(options: dict[str, Any]) -> None:
    """Raise ValueError for options that do not fit together."""
    groups, padding = options["groups"], options["padding"]
    if groups <= 0:
        raise ValueError(f"groups must be a positive integer, not {groups}")
    for name in ("in_channels", "out_channels"):
        if options[name] % groups:
            raise ValueError(f"{name} must be divisible by groups: {options[name]} is not divisible by {groups}")
    if isinstance(padding, str):
        if padding not in {"same", "valid"}:
            raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
        if padding == "same" and any(n != 1 for n in options["stride"]):
            raise ValueError("padding='same' is not supported for strided convolutions")
    mode = options["padding_mode"]
    if mode not in _MODES:
        raise ValueError(f"padding_mode must be one of {sorted(_MODES)}, but got padding_mode='{mode}'")


class _Conv(_ConvNd):
    """A convolution, of as many dims as ``dims`` says."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self._setup(
            False,
            bias,
            device,
            dtype,
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            output_padding=0,
            groups=groups,
            padding_mode=padding_mode,
        )


class Conv1d(_Conv):
    """Convolution along one dim: (N, C_in, L) to (N, C_out, L').

    https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
    """

    dims = 1

    def forward(self, input: Any) -> Any:
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

    def forward(self, input: Any) -> Any:
        """Return the convolved ``input``, (N, C_in, H, W) or (C_in, H, W)."""
        return self._conv_forward(F.conv2d, input, self.weight, self.bias)


class Conv3d(_Conv):
    """Convolution of volumes: (N, C_in, D, H, W) to (N, C_out, D', H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
    """

    dims = 3

    def forward(self, input: Any) -> Any:
        """Return the convolved ``input``, (N, C_in, D, H, W) or (C_in, D, H, W)."""
        return self._conv_forward(F.conv3d, input, self.weight, self.bias)


class _ConvTranspose(_ConvNd):
    """The transpose of a convolution: what its gradient does to its input."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}, not {padding_mode!r}')
        self._setup(
            True,
            bias,
            device,
            dtype,
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            output_padding=output_padding,
            groups=groups,
            padding_mode=padding_mode,
        )

    def _transpose_forward(self, conv: Any, input: Any, output_size: Any) -> Any:
        extra = self.output_padding if output_size is None else self._extra(input, list(output_size))
        return conv(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, input: Any, size: list[int]) -> tuple[int, ...]:
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
        least = [
            (input.shape[lead + d] - 1) * self.stride[d]
            - 2 * self.padding[d]
            + self.dilation[d] * (self.kernel_size[d] - 1)
            + 1
            for d in range(dims)
        ]
        most = [low + self.stride[d] - 1 for d, low in enumerate(least)]
        if not all(low <= n <= high for low, n, high in zip(least, size, most, strict=True)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from {least} to {most} "
                f"(for an input of {tuple(input.shape[lead:])})"
            )
        return tuple(n - low for n, low in zip(size, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution along one dim: (N, C_in, L) to (N, C_out, L').

    https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
    """

    dims = 1

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """Return the layer's output, of ``output_size`` if that is given."""
        return self._transpose_forward(F.conv_transpose1d, input, output_size)


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution of images: (N, C_in, H, W) to (N, C_out, H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """

    dims = 2

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """Return the layer's output, of ``output_size`` if that is given."""
        return self._transpose_forward(F.conv_transpose2d, input, output_size)


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution of volumes: (N, C_in, D, H, W) to (N, C_out, D', H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
    """

    dims = 3

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """Return the layer's output, of ``output_size`` if that is given."""
        return self._transpose_forward(F.conv_transpose3d, input, output_size)


# ------------------------------------------------------------------ convolutions


class _LazyConv(LazyModuleMixin):
    """What all lazy convolutions share: the channels of the first input."""

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    groups: int
    transposed: bool
    dims: ClassVar[int]
    weight: Any
    bias: Any

    def _begin(self, out_channels: int, bias: bool, **options: Any) -> None:
        """Make the layer without channels, and its parameters without shapes."""
        LazyModuleMixin.__init__(self, 0, 0, bias=False, **options)
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=options["device"], dtype=options["dtype"])
        if bias:
            self.bias = UninitializedParameter(device=options["device"], dtype=options["dtype"])

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, if they have a shape."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Any, *args: Any, **kwargs: Any) -> None:
        """Make weight and bias for ``input``."""
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._channels(input)
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        first, second = self.out_channels, self.in_channels // self.groups
        if self.transposed:
            first, second = self.in_channels, self.out_channels // self.groups
        _materialize(self.weight, (first, second, *self.kernel_size))
        _materialize(self.bias, (self.out_channels,))
        self.reset_parameters()

    def _channels(self, input: Any) -> int:
        alone = self.dims + 1
        if input.ndim not in {alone, alone + 1}:
            raise RuntimeError(
                f"Expected {alone}D (unbatched) or {alone + 1}D (batched) input to {type(self).__name__}, but got "
                f"input of size: {input.shape}"
            )
        found: int = input.shape[input.ndim - alone]
        return found


class _LazyPlain(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self._begin(
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


class _LazyTransposed(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self._begin(
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


class LazyConv1d(_LazyPlain, Conv1d):
    """A :class:`Conv1d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConv1d.html
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyPlain, Conv2d):
    """A :class:`Conv2d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConv2d.html
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyPlain, Conv3d):
    """A :class:`Conv3d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConv3d.html
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyTransposed, ConvTranspose1d):
    """A :class:`ConvTranspose1d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose1d.html
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposed, ConvTranspose2d):
    """A :class:`ConvTranspose2d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose2d.html
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposed, ConvTranspose3d):
    """A :class:`ConvTranspose3d` that takes ``in_channels`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose3d.html
    """

    cls_to_become = ConvTranspose3d
