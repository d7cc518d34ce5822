"""DistributedSampler: the share of one process among several that train together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...tensors.random.creation import randperm
from ...tensors.random.generator import Generator
from .sampler import Sampler


class DistributedSampler(Sampler[int]):
    """The indices that process ``rank`` of ``num_replicas`` reads: every ``num_replicas``-th of an order all share.

    If the length does not divide, the first indices come again at the end, or with ``drop_last`` the last are left out.
    Call ``set_epoch`` before each pass, else all have the same order. There is no process group to ask for
    ``num_replicas`` and ``rank``: RuntimeError if one is missing. ValueError for a rank out of range.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler

    >>> import rushlight as torch
    >>> sampler = torch.utils.data.DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False)
    >>> list(sampler)
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "Requires distributed package to be available, to ask it for num_replicas and rank: rushlight has "
                "none, give both"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.epoch, self.drop_last, self.shuffle, self.seed = 0, drop_last, shuffle, seed
        count = len(dataset)
        self.num_samples = count // num_replicas if drop_last else -(-count // num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        order = list(range(count))
        if self.shuffle:
            order = randperm(count, generator=Generator().manual_seed(self.seed + self.epoch)).tolist()
        if self.drop_last:
            order = order[: self.total_size]
        elif order and count < self.total_size:
            order = (order * -(-self.total_size // count))[: self.total_size]
        if len(order) != self.total_size:
            raise AssertionError(
                f"Number of indices ({len(order)}) does not match total_size ({self.total_size}): the dataset changed "
                "its length"
            )
        return iter(order[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass have the order of this epoch."""
        self.epoch = epoch
