"""A layer and the batch norm behind it as one layer, for evaluation."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from ...autograd.variable import wrap
from ...tensors.tensor.methods import Tensor
from ..parameter import Parameter


def _fused(
    weight: Any, bias: Any, mean: Any, var: Any, eps: float, bn_weight: Any, bn_bias: Any, dim: int
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of the layer that does both; ``dim`` is where ``weight`` has its outputs."""
    if bias is None:
        bias = wrap(Tensor, np.zeros(mean.array.shape, mean.array.dtype))
    scale = (var + eps).rsqrt()
    if bn_weight is not None:
        scale = bn_weight * scale
    shape = [1] * weight.ndim
    shape[dim] = -1
    shift = (bias - mean) * scale
    if bn_bias is not None:
        shift = shift + bn_bias
    fused = (weight * scale.reshape(shape)).to(weight.dtype)
    return Parameter(fused, weight.requires_grad), Parameter(shift.to(bias.dtype), bias.requires_grad)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of the convolution that also does what the batch norm behind it does.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_weights.html
    """
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 1 if transpose else 0)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor, bn_b: Tensor
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of the linear layer that also does what the batch norm behind it does."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _check(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("Fusion needs the running statistics of the batch norm")


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """Return a copy of the convolution ``conv`` that also does what ``bn`` behind it does; both must be in eval mode.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html
    """
    _check(conv, bn)
    fused = deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """Return a copy of ``linear`` that also does what ``bn`` behind it does; both must be in eval mode.

    AssertionError unless ``bn`` has as many features as ``linear`` returns, or one.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_eval.html
    """
    _check(linear, bn)
    if bn.num_features not in {linear.out_features, 1}:
        raise AssertionError(
            f"To fuse, linear.out_features == bn.num_features or bn.num_features == 1, but they are "
            f"{linear.out_features} and {bn.num_features}"
        )
    fused = deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused
