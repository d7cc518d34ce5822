"""Keeping gradients small: by their common norm, or element by element."""

from __future__ import annotations

from collections.abc import Iterable
from types import GeneratorType
from typing import Any
from warnings import warn

import numpy as np

from ...autograd.grad_mode import no_grad
from ...autograd.variable import wrap
from ...tensors.ops.shape.join import stack
from ...tensors.tensor.methods import Tensor


def _listed(parameters: Any) -> list[Any]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def _grads(parameters: Any) -> list[Any]:
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all ``tensors`` taken as one vector, as the norm of their norms; 0-d.

    ``norm_type`` may be inf. RuntimeError with ``error_if_nonfinite`` if the norm is inf or nan. ``foreach`` changes
    nothing.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html

    >>> import rushlight as torch
    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0, 0.0]), torch.tensor(4.0)])
    tensor(5.)
    """
    norm_type = float(norm_type)
    listed = _listed(tensors)
    if not listed:
        zero: Tensor = wrap(Tensor, np.float32(0))
        return zero
    with no_grad():
        total: Tensor = stack([tensor.norm(norm_type) for tensor in listed]).norm(norm_type)
    if error_if_nonfinite and not np.isfinite(total.array):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To scale by it anyway, set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiply the gradients of ``parameters`` in place by ``max_norm / (total_norm + 1e-6)`` where that is below 1.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grads_with_norm_.html
    """
    grads = _grads(_listed(parameters))
    max_norm = float(max_norm)
    if not grads:
        return
    with no_grad():
        factor = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of the gradients of ``parameters`` together, after scaling them in place to ``max_norm`` at most.

    ``parameters`` is a tensor, or any iterable of them; those without gradient do not count. RuntimeError with
    ``error_if_nonfinite`` if the norm is inf or nan; the gradients are then as they were.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html

    >>> import rushlight as torch
    >>> w = torch.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> torch.nn.utils.clip_grad_norm_(w, max_norm=1.0), w.grad
    (tensor(10.), tensor([0.6000, 0.8000]))
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, GeneratorType):
        warn("`parameters` is an empty generator, no gradient clipping will occur.", UserWarning, stacklevel=2)
    total = get_total_norm(_grads(listed), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return what :func:`clip_grad_norm_` returns; the old name of it, with a FutureWarning."""
    warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of the gradients of ``parameters`` into [-clip_value, clip_value], in place.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
    """
    clip_value = float(clip_value)
    with no_grad():
        for grad in _grads(_listed(parameters)):
            grad.clamp_(min=-clip_value, max=clip_value)
