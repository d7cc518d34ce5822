"""Padding: a border of a constant, or of copies of what is inside."""

from __future__ import annotations

from typing import ClassVar

from ...tensors.tensor.methods import Tensor
from .. import functional as F
from ..common_types import _size_any_t
from .module import Module
from .utils import _ntuple


class _Pad(Module):
    """A border around the last ``dims`` dims.

    padding: two numbers for each of these dims, the last dim first; negative ones crop.
    """

    dims: ClassVar[int]

    def __init__(self, padding: _size_any_t) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self.dims)(padding)

    def extra_repr(self) -> str:
        """Return the padding."""
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    def __init__(self, padding: _size_any_t, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` in its border."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """Return the sizes and the value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """The last dim in a border of ``value``.

    https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html
    """

    dims = 1


class ConstantPad2d(_ConstantPadNd):
    """The last two dims in a border of ``value``.

    https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html
    """

    dims = 2


class ConstantPad3d(_ConstantPadNd):
    """The last three dims in a border of ``value``.

    https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html
    """

    dims = 3


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: _size_any_t) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Return the padding."""
        return f"{self.padding}"


class ZeroPad1d(_ZeroPadNd, ConstantPad1d):
    """The last dim in a border of zeros.

    https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html
    """


class ZeroPad2d(_ZeroPadNd, ConstantPad2d):
    """The last two dims in a border of zeros.

    https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html

    >>> import rushlight as torch
    >>> torch.nn.ZeroPad2d((1, 0, 0, 1))(torch.ones(1, 1, 2))
    tensor([[[0., 1., 1.],
             [0., 0., 0.]]])
    """


class ZeroPad3d(_ZeroPadNd, ConstantPad3d):
    """The last three dims in a border of zeros.

    https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html
    """


class _ReflectionPadNd(_Pad):
    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` in its border."""
        return F.pad(input, self.padding, "reflect")


class ReflectionPad1d(_ReflectionPadNd):
    """The last dim in a border mirrored at the outermost elements.

    https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html
    """

    dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """The last two dims in a border mirrored at the outermost elements.

    https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html
    """

    dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """The last three dims in a border mirrored at the outermost elements.

    https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html
    """

    dims = 3


class _ReplicationPadNd(_Pad):
    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` in its border."""
        return F.pad(input, self.padding, "replicate")


class ReplicationPad1d(_ReplicationPadNd):
    """The last dim in a border of copies of the outermost elements.

    https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html
    """

    dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """The last two dims in a border of copies of the outermost elements.

    https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html
    """

    dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """The last three dims in a border of copies of the outermost elements.

    https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html
    """

    dims = 3


class _CircularPadNd(_Pad):
    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` in its border; ValueError unless it has ``dims`` dims beside channels and batch."""
        if input.ndim not in {self.dims + 1, self.dims + 2}:
            raise ValueError(f"expected {self.dims + 1}D or {self.dims + 2}D input (got {input.ndim}D input)")
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPadNd):
    """The last dim in a border of what is at its other end.

    https://pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html
    """

    dims = 1


class CircularPad2d(_CircularPadNd):
    """The last two dims in a border of what is at their other ends.

    https://pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html
    """

    dims = 2


class CircularPad3d(_CircularPadNd):
    """The last three dims in a border of what is at their other ends.

    https://pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html
    """

    dims = 3
