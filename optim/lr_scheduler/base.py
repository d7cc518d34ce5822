"""The base of all learning-rate schedules."""

from __future__ import annotations

from typing import Any
from warnings import warn

from ...autograd.variable import Variable, as_ndarray, bump_version
from ...tensors.tensor.methods import Tensor
from ..optimizer import Optimizer


class LRScheduler:
    """Writes ``group["lr"]`` of every group, once when made and once a ``step``; subclasses write ``get_lr``.

    Schedules start from each group's current rate, so that several on one optimizer multiply. ``last_epoch`` counts
    the steps; -1 starts anew.

    https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
    """

    _is_initial = False
    _get_lr_called_within_step = False  # users' own schedules ask for it
    _last_lr: list[float | Tensor]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                lr = group["lr"]
                group.setdefault("initial_lr", copied(lr))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming scheduler with "
                    f"last_epoch >= 0: load the optimizer's state first"
                )
        self.base_lrs = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        if not optimizer._opt_watched:
            optimizer._opt_watched, optimizer._opt_called = True, False
        self._initial_step()

    def _initial_step(self) -> None:
        """Write the rates of the start, and count from there."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Return all that the schedule keeps, without the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[float | Tensor]:
        """Return the rates written last, one a group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """Return the rates for ``last_epoch``, one a group."""
        raise NotImplementedError(f"{type(self).__name__} does not say its rates: get_lr is missing")

    def _get_closed_form_lr(self) -> list[Any]:
        """Return the rates for ``last_epoch`` computed from ``base_lrs`` alone, for ``step(epoch)``."""
        return self.get_lr()

    def step(self, epoch: int | None = None) -> None:
        """Go on by one, or to ``epoch``, and write the rates. Call it after the optimizer's step."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite order, or "
                "the first value of the learning rate schedule is skipped.",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        """Write the rates for the next epoch, or for ``epoch``."""
        self._get_lr_called_within_step = True
        try:
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            rates = self.get_lr() if epoch is None else self._get_closed_form_lr()
        finally:
            self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            write(group, rate)
        self._last_lr = self._rates()

    def _warn_outside_step(self) -> None:
        """Warn if ``get_lr`` was called from outside ``step``: what it returns then need not be the current rates."""
        if not self._get_lr_called_within_step:
            warn("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=3)

    def _rates(self) -> list[Any]:
        """Return copies of the current rates, one a group."""
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _times(self, factor: float) -> list[Any]:
        """Return the current rates times ``factor``."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]


EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
    "Please use `scheduler.step()` to step the scheduler."
)


class _LRScheduler(LRScheduler):
    """The old name of the base class."""


def check_optimizer(optimizer: Any) -> None:
    """Raise TypeError unless ``optimizer`` is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def copied(value: Any) -> Any:
    """Return a rate, a tensor as a tensor of its own."""
    return value.clone() if isinstance(value, Tensor) else value


def write(group: dict[str, Any], rate: Any) -> None:
    """Set the group's rate; a rate that is a tensor is written in place."""
    lr: Any = group["lr"]
    if isinstance(lr, Variable):
        as_ndarray(lr)[...] = rate.array if isinstance(rate, Variable) else rate
        bump_version(lr, "lr_scheduler")
    else:
        group["lr"] = rate


def for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return an option as one value a group; ValueError if a list of another length was given."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [copied(value) for _ in range(groups)]
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, param_groups "
            f"has {groups}."
        )
    return [copied(each) for each in value]
