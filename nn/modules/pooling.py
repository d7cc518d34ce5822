"""Pooling: the largest or the mean element of each window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ...tensors.tensor.methods import Tensor
from .. import functional as F
from ..common_types import _ratio_any_t, _size_any_opt_t, _size_any_t
from .module import Module
from .utils import _ntuple


class _MaxPoolNd(Module):
    """A max pooling of any number of dims."""

    def __init__(
        self,
        kernel_size: _size_any_t,
        stride: _size_any_t | None = None,
        padding: _size_any_t = 0,
        dilation: _size_any_t = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _pool(self, pool: Callable[..., Any], input: Tensor) -> Any:
        return pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest element of each window: (N, C, L) to (N, C, L').

    https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
    """

    def forward(self, input: Tensor) -> Any:
        """Return ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return self._pool(F.max_pool1d, input)


class MaxPool2d(_MaxPoolNd):
    """The largest element of each window: (N, C, H, W) to (N, C, H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html

    >>> import rushlight as torch
    >>> torch.nn.MaxPool2d(2)
    MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    """

    def forward(self, input: Tensor) -> Any:
        """Return ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return self._pool(F.max_pool2d, input)


class MaxPool3d(_MaxPoolNd):
    """The largest element of each window: (N, C, D, H, W) to (N, C, D', H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html
    """

    def forward(self, input: Tensor) -> Any:
        """Return ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return self._pool(F.max_pool3d, input)


class AvgPool1d(Module):
    """The mean of each window: (N, C, L) to (N, C, L').

    https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
    """

    def __init__(
        self,
        kernel_size: _size_any_t,
        stride: _size_any_t | None = None,
        padding: _size_any_t = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = _ntuple(1)(kernel_size)
        self.stride = _ntuple(1)(stride if stride is not None else kernel_size)
        self.padding = _ntuple(1)(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPoolNd(Module):
    """A mean pooling of images or volumes."""

    def __init__(
        self,
        kernel_size: _size_any_t,
        stride: _size_any_t | None = None,
        padding: _size_any_t = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _pool(self, pool: Callable[..., Any], input: Tensor) -> Any:
        return pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """Return the options."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_AvgPoolNd):
    """The mean of each window: (N, C, H, W) to (N, C, H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return self._pool(F.avg_pool2d, input)


class AvgPool3d(_AvgPoolNd):
    """The mean of each window: (N, C, D, H, W) to (N, C, D', H', W').

    https://pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return self._pool(F.avg_pool3d, input)


class _AdaptiveAvgPoolNd(Module):
    """A mean pooling to a given size."""

    def __init__(self, output_size: _size_any_opt_t) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """Return the size of the output."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The means of ``output_size`` windows: (N, C, L) to (N, C, output_size)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The means of ``output_size`` windows along each dim; None: as many as there are elements."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The means of ``output_size`` windows along each dim; None: as many as there are elements."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPoolNd(Module):
    """A max pooling to a given size."""

    def __init__(self, output_size: _size_any_opt_t, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        """Return the size of the output."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The largest elements of ``output_size`` windows: (N, C, L) to (N, C, output_size)."""

    def forward(self, input: Tensor) -> Any:
        """Return ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The largest elements of ``output_size`` windows along each dim; None: as many as there are elements."""

    def forward(self, input: Tensor) -> Any:
        """Return ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The largest elements of ``output_size`` windows along each dim; None: as many as there are elements."""

    def forward(self, input: Tensor) -> Any:
        """Return ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _LPPoolNd(Module):
    """A pooling by a norm, of any number of dims."""

    def __init__(
        self, norm_type: float, kernel_size: _size_any_t, stride: _size_any_t | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def _pool(self, pool: Callable[..., Any], input: Tensor) -> Any:
        return pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """The ``norm_type``-norm of each window of (N, C, L).

    https://pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return self._pool(F.lp_pool1d, input)


class LPPool2d(_LPPoolNd):
    """The ``norm_type``-norm of each window of (N, C, H, W).

    https://pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return self._pool(F.lp_pool2d, input)


class LPPool3d(_LPPoolNd):
    """The ``norm_type``-norm of each window of (N, C, D, H, W).

    https://pytorch.org/docs/stable/generated/torch.nn.LPPool3d.html
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` pooled."""
        return self._pool(F.lp_pool3d, input)


class _MaxUnpoolNd(Module):
    """The inverse of a max pooling: zeros but for the maxima."""

    dims: ClassVar[int]

    def __init__(self, kernel_size: _size_any_t, stride: _size_any_t | None = None, padding: _size_any_t = 0) -> None:
        super().__init__()
        self.kernel_size = _ntuple(self.dims)(kernel_size)
        self.stride = _ntuple(self.dims)(stride if stride is not None else kernel_size)
        self.padding = _ntuple(self.dims)(padding)

    def _unpool(
        self, unpool: Callable[..., Any], input: Tensor, indices: Tensor, output_size: Sequence[int] | None
    ) -> Tensor:
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """:class:`MaxPool1d` undone.

    https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html
    """

    dims = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the image of ``output_size`` with the maxima ``input`` at ``indices``."""
        return self._unpool(F.max_unpool1d, input, indices, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """:class:`MaxPool2d` undone.

    https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html
    """

    dims = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the image of ``output_size`` with the maxima ``input`` at ``indices``."""
        return self._unpool(F.max_unpool2d, input, indices, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """:class:`MaxPool3d` undone.

    https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html
    """

    dims = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the image of ``output_size`` with the maxima ``input`` at ``indices``."""
        return self._unpool(F.max_unpool3d, input, indices, output_size)


class _FractionalMaxPoolNd(Module):
    """A max pooling of windows at random places."""

    dims: ClassVar[int]
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: _size_any_t,
        output_size: _size_any_t | None = None,
        output_ratio: _ratio_any_t | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        self._check_kernel(kernel_size)
        self.kernel_size = _ntuple(self.dims)(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else _ntuple(self.dims)(output_size)
        self.output_ratio = None if output_ratio is None else _ntuple(self.dims)(output_ratio)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def _check_kernel(self, kernel_size: _size_any_t) -> None:
        pass

    def _pool(self, pool: Callable[..., Any], input: Tensor) -> Any:
        return pool(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The largest element of each of ``output_size`` windows, whose places are drawn anew at each call.

    Graham, Fractional Max-Pooling, 2014, https://arxiv.org/abs/1412.6071.
    https://pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html
    """

    dims = 2

    def forward(self, input: Tensor) -> Any:
        """Return (N, C, H, W) ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return self._pool(F.fractional_max_pool2d, input)


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """The largest element of each of ``output_size`` windows, whose places are drawn anew at each call.

    https://pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool3d.html
    """

    dims = 3

    def _check_kernel(self, kernel_size: _size_any_t) -> None:
        if any(size <= 0 for size in _ntuple(3)(kernel_size)):
            raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")

    def forward(self, input: Tensor) -> Any:
        """Return (N, C, D, H, W) ``input`` pooled, with ``return_indices`` also the indices of the maxima."""
        return self._pool(F.fractional_max_pool3d, input)
