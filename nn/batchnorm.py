"""Normalization of channels over a batch or over one image, with running statistics: BatchNorm, InstanceNorm."""

from __future__ import annotations

from typing import Any, ClassVar
from warnings import warn

import numpy as np

from ..autograd.node import wrap
from ..autograd.tensor import Tensor
from . import functional as F
from . import init
from .norm import _Affine
from .parameter import empty


class _NormBase(_Affine):
    """What BatchNorm and InstanceNorm share: options, affine parameters, running statistics as buffers."""

    _version = 2
    ranks: ClassVar[tuple[int, ...]]
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._make_affine((num_features,), affine, bias, device, dtype)
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, empty(num_features, device=device, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", _zero() if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Set mean 0, variance 1, and the count of batches 0."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Set the running statistics and the affine parameters to their first values."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Any) -> None:
        if input.ndim not in self.ranks:
            expected = " or ".join(f"{rank}D" for rank in self.ranks)
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            state_dict[key] = self.num_batches_tracked  # from times before batches were counted
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


def _zero() -> Tensor:
    made: Tensor = wrap(Tensor, np.int64(0))
    return made


class _BatchNorm(_NormBase):
    """Normalization over the batch in training, by the running statistics in evaluation."""

    def forward(self, input: Any) -> Any:
        """Return ``input`` normalized; in training the running statistics are moved towards the batch's."""
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / float(self.num_batches_tracked)
        used = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if used else None,
            self.running_var if used else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Each channel of (N, C) or (N, C, L) brought to mean 0 and variance 1 over the batch, then times weight plus bias.

    https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) brought to mean 0 and variance 1 over the batch, then times weight plus bias.

    https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
    """

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel of (N, C, D, H, W) brought to mean 0 and variance 1 over the batch, then times weight plus bias.

    https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html
    """

    ranks = (5,)


class _InstanceNorm(_NormBase):
    """Normalization of each channel of each sample."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Any) -> Any:
        """Return ``input`` normalized; ValueError if it has another number of channels than the affine parameters."""
        self._check_input_dim(input)
        channels = input.ndim - self.ranks[0]
        if input.shape[channels] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={channels} to match num_features ({self.num_features}), but got: "
                    f"{input.shape[channels]}."
                )
            warn(
                f"input's size at dim={channels} does not match num_features. You can silence this warning by not "
                "passing in num_features, which is not used because affine=False",
                UserWarning,
                stacklevel=3,
            )
        if input.ndim == self.ranks[0]:
            return self._normalized(input.unsqueeze(0)).squeeze(0)
        return self._normalized(input)

    def _normalized(self, input: Any) -> Any:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (N, C, L) brought to mean 0 and variance 1."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each image of (N, C, H, W) brought to mean 0 and variance 1."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each volume of (N, C, D, H, W) brought to mean 0 and variance 1."""

    ranks = (4, 5)
