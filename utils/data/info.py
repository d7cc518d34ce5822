"""Who a worker of a loader is."""

from __future__ import annotations

from typing import Any


class WorkerInfo:
    """Who this worker is: ``id``, ``num_workers``, ``seed``, and ``dataset``, its copy."""

    __slots__ = ("dataset", "id", "num_workers", "rng", "seed", "worker_method")

    def __init__(self, id: int, num_workers: int, seed: int, dataset: Any) -> None:
        self.id, self.num_workers, self.seed, self.dataset = id, num_workers, seed, dataset
        self.rng, self.worker_method = None, "multiprocessing"

    def __repr__(self) -> str:
        names = ("id", "num_workers", "seed", "dataset", "rng", "worker_method")
        return f"WorkerInfo({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


_CURRENT: list[WorkerInfo | None] = [None]


def get_worker_info() -> WorkerInfo | None:
    """Return who this worker is, or None in the process that made the loader.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info
    """
    return _CURRENT[0]


def set_worker_info(info: WorkerInfo | None) -> None:
    """Let ``get_worker_info`` return ``info`` from now on."""
    _CURRENT[0] = info
