"""Parameters as one long vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...tensors.ops.shape.join import cat
from ...tensors.tensor.methods import Tensor
from ..modules.module_registration import typename


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all ``parameters`` as one vector, through which gradients flow back to them.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html

    >>> import rushlight as torch
    >>> torch.nn.utils.parameters_to_vector([torch.ones(2), torch.zeros(1, 2)])
    tensor([1., 1., 0., 0.])
    """
    joined: Tensor = cat([parameter.view(-1) for parameter in parameters])
    return joined


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Set each of ``parameters`` to its part of ``vec``, whose memory they then share.

    TypeError unless ``vec`` is a tensor. Elements of ``vec`` beyond the last parameter are ignored.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
    """
    vector: Any = vec
    if not isinstance(vector, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vector)}")
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view_as(parameter).data
        start = end
