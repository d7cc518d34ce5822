"""Lazy modules: layers that learn the size of their input from the first batch.

https://pytorch.org/docs/stable/generated/torch.nn.modules.lazy.LazyModuleMixin.html
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..autograd.hooks import HookDict
from ..autograd.mode import no_grad
from ..autograd.node import wrap
from ..autograd.tensor import Tensor
from .batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .linear import Linear
from .parameter import UninitializedBuffer, UninitializedParameter, is_lazy


class LazyModuleMixin:
    """Put before a Module class: its first call runs ``initialize_parameters`` on the arguments.

    After that the module is of the class ``cls_to_become``, if one is named. A state loaded before gives the shapes.
    """

    cls_to_become: ClassVar[type | None] = None
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _forward_pre_hooks: HookDict
    _load_state_dict_pre_hooks: HookDict

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        this: Any = self
        # Plain functions: bound methods would make the module part of a cycle.
        this._register_load_state_dict_pre_hook(_shape_from_state, with_module=True)
        this.register_forward_pre_hook(_initialize, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give every parameter and buffer its shape, from what the module was called with; subclasses write it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Return whether a parameter or buffer has no shape yet."""
        return any(is_lazy(value) for value in (*self._parameters.values(), *self._buffers.values()))

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        _drop(module._forward_pre_hooks, _initialize)
        _drop(module._load_state_dict_pre_hooks, (_shape_from_state, True))
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


def _initialize(module: Any, args: Any, kwargs: Any) -> None:
    module._infer_parameters(module, args, kwargs)


def _shape_from_state(module: Any, state_dict: Any, prefix: str, *rest: Any) -> None:
    """Give the tensors without shape that of the values about to be loaded."""
    for name, value in (*module._parameters.items(), *module._buffers.items()):
        given = state_dict.get(prefix + name)
        if is_lazy(value) and given is not None and not is_lazy(given):
            with no_grad():
                value.materialize(given.shape)


def _drop(hooks: dict[int, Any], hook: Any) -> None:
    for number in [number for number, each in hooks.items() if each == hook]:
        del hooks[number]


# ------------------------------------------------------------------ linear


class LazyLinear(LazyModuleMixin, Linear):
    """A :class:`Linear` that takes ``in_features`` from the last dim of its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyLinear.html

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> layer(torch.ones(4, 3)).shape, layer
    (torch.Size([4, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, if they have a shape."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Make weight and bias for ``input``, (..., in_features)."""
        if self.has_uninitialized_params():
            with no_grad():
                self.in_features = input.shape[-1]
                _materialize(self.weight, (self.out_features, self.in_features))
                _materialize(self.bias, (self.out_features,))
                self.reset_parameters()
        if self.in_features == 0:  # the shapes came with a state
            if input.shape[-1] != self.weight.shape[-1]:
                raise AssertionError(
                    f"The in_features inferred from input: {input.shape[-1]} is not equal to in_features from "
                    f"self.weight: {self.weight.shape[-1]}"
                )
            self.in_features = input.shape[-1]


def _materialize(value: Any, shape: tuple[int, ...]) -> None:
    if is_lazy(value):
        value.materialize(shape)


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


# ------------------------------------------------------------------ normalization


class _LazyNorm(LazyModuleMixin):
    """What all lazy normalizations share: as many features as dim 1 of the first input has."""

    num_features: int
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = wrap(Tensor, np.int64(0))

    def reset_parameters(self) -> None:
        """Set everything to its first value, if it has a shape."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Any) -> None:
        """Make parameters and statistics for ``input``."""
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            for value in (self.weight, self.bias, self.running_mean, self.running_var):
                _materialize(value, (self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A :class:`BatchNorm1d` that takes ``num_features`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyBatchNorm1d.html
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A :class:`BatchNorm2d` that takes ``num_features`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyBatchNorm2d.html
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A :class:`BatchNorm3d` that takes ``num_features`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyBatchNorm3d.html
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """A :class:`InstanceNorm1d` that takes ``num_features`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyInstanceNorm1d.html
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """A :class:`InstanceNorm2d` that takes ``num_features`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyInstanceNorm2d.html
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """A :class:`InstanceNorm3d` that takes ``num_features`` from its first input.

    https://pytorch.org/docs/stable/generated/torch.nn.LazyInstanceNorm3d.html
    """

    cls_to_become = InstanceNorm3d
