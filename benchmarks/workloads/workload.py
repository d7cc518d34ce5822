"""A workload: the same step in NumPy by hand and in PyTorch's API, and its targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Results = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Case:
    """One engine, ready to run: `step` is timed; `read` names the arrays of what it returned."""

    step: Callable[[], Any]
    read: Callable[[Any], Results]


@dataclass(frozen=True)
class Workload:
    """A step to measure, in both spellings.

    Args:
        name: for ``--only``.
        title: for the table.
        by_hand: makes the NumPy case.
        in_torch: makes the case of an engine with PyTorch's API, from its module.
        over_torch: target, time over PyTorch's.
        over_numpy: target, time over NumPy by hand; None where NumPy does other work.
        tolerance: largest relative error (in the Euclidean norm) at which times are shown.
        nodes: nodes a step, where the time is told per node.
    """

    name: str
    title: str
    by_hand: Callable[[], Case]
    in_torch: Callable[[ModuleType], Case]
    over_torch: float
    over_numpy: float | None
    tolerance: float = 1e-5
    nodes: int = 1


def start_from(torch: ModuleType, model: Any, values: Sequence[Array]) -> None:
    """Give the parameters of `model` these values."""
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value))


def training_step(torch: ModuleType, model: Any, optimizer: Any, x: Any, labels: Any) -> Callable[[], Any]:
    """Return a function that trains once on one batch and returns the cross-entropy before."""

    def step() -> Any:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step
