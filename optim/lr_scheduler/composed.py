"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, write
from .plateau import ReduceLROnPlateau


class _Composed(LRScheduler):
    """Base of schedules made of others, whose states are part of its own."""

    _schedulers: Sequence[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        """Return all that the schedule and its parts keep, without the optimizer."""
        state = {key: value for key, value in super().state_dict().items() if key != "_schedulers"}
        state["_schedulers"] = [part.state_dict() for part in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})
        for part, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            part.load_state_dict(state)

    def _reset_rates(self) -> None:
        """Write the rates that the optimizer started with."""
        for group in self.optimizer.param_groups:
            write(group, group["initial_lr"])

    def _check_parts(self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler], verb: str) -> Optimizer:
        """Return the optimizer of all parts; raise unless there are parts of one optimizer that step without more."""
        name = type(self).__name__
        if not schedulers:
            raise ValueError(f"{name} expects at least one scheduler{verb}, but got no scheduler.")
        for place, part in enumerate(schedulers):
            if not hasattr(part, "optimizer"):
                raise TypeError(f"{name} at index {place} should have `optimizer` as its attribute.")
            if isinstance(part, ReduceLROnPlateau):
                raise ValueError(
                    f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be "
                    f"specified when calling `step`, but got one at index {place} in the given schedulers sequence."
                )
            optimizer = optimizer or part.optimizer
            if part.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but got scheduler "
                    f"{type(part).__name__} at index {place} has {part.optimizer}, which is different from "
                    f"{type(optimizer).__name__}."
                )
        return optimizer or schedulers[0].optimizer


def rewind(schedule: Any) -> None:
    """Let every schedule that ``schedule`` is made of stand before its start."""
    for part in getattr(schedule, "_schedulers", ()):
        rewind(part)
    if not hasattr(schedule, "_schedulers"):
        schedule.last_epoch = -1


class SequentialLR(_Composed):
    """One schedule after the other: the next begins, from its own start, at each epoch in ``milestones``.

    ``last_epoch`` resumes after that epoch with the rates that the schedule has there. A part may be made of parts
    itself; in PyTorch it then loses a step, or fails.

    https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html

    >>> import rushlight as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> warm = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> then = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.25)
    >>> schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, then], milestones=[2])
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(schedule.get_last_lr())
    [0.5]
    [1.0]
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self._check_parts(optimizer, schedulers, "")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.optimizer = optimizer
        self._reset_rates()  # each part has written its own start
        if last_epoch == -1:
            self.recursive_undo()
        else:
            rewind(self)
        self._initial_step()
        self._replay(last_epoch + 1)

    def _initial_step(self) -> None:
        """Write the rates of the start: those of the first part, whatever the others wrote when they were made."""
        self.last_epoch = 0
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def _replay(self, steps: int) -> None:
        """Go on by ``steps``: parts without a formula for the rate of an epoch come to it only step by step."""
        called, self.optimizer._opt_called = self.optimizer._opt_called, True  # no step of the optimizer is missing
        for _ in range(steps):
            self.step()
        self.optimizer._opt_called = called

    def _update_lr(self, epoch: int | None = None) -> None:
        """Go on by one, or to ``epoch`` anew."""
        if epoch is None:
            self.step()
            return
        self.last_epoch = 0
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._update_lr(0)
        self._last_lr = first.get_last_lr()
        self._replay(epoch)

    def recursive_undo(self, sched: Any = None) -> None:
        """Take back the step that each part made when it was made."""
        schedule = self if sched is None else sched
        if hasattr(schedule, "_schedulers"):
            for part in schedule._schedulers:
                self.recursive_undo(part)
        elif hasattr(schedule, "last_epoch"):
            schedule.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Go on by one with the part whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        part = self._schedulers[turn]
        if turn and self._milestones[turn - 1] == self.last_epoch:
            part._update_lr(0)
        else:
            part.step()
        self._last_lr = part.get_last_lr()


class ChainedScheduler(_Composed):
    """Several schedules of one optimizer at once: every step is one step of each, in order.

    https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html

    >>> import rushlight as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> warm = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> fall = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = torch.optim.lr_scheduler.ChainedScheduler([warm, fall])
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(schedule.get_last_lr())
    [0.25]
    [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.optimizer = self._check_parts(optimizer, schedulers, " to be chained")
        self._schedulers = schedulers
        self._last_lr = self._rates()

    def _initial_step(self) -> None:
        """Write the rates of the start: the product of all parts' starts."""
        for part in self._schedulers:
            part._initial_step()
        self._last_lr = self._rates()

    def _update_lr(self, epoch: int | None = None) -> None:
        """Go on by one, or to ``epoch`` anew."""
        if epoch is not None:
            self._reset_rates()
            rewind(self)
            self._initial_step()
        for _ in range(1 if epoch is None else epoch):
            self.step()

    def step(self) -> None:  # type: ignore[override]
        """Go on by one with every part."""
        for part in self._schedulers:
            part.step()
        self._last_lr = self._rates()
