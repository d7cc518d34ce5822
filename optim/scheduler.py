"""The base of all learning-rate schedules."""

from __future__ import annotations

from typing import Any
from warnings import warn

from ..autograd.node import Variable, shared, wrote
from ..autograd.tensor import Tensor
from .optimizer import Optimizer


class LRScheduler:
    """Writes ``group["lr"]`` of every group, once when made and once a ``step``; subclasses write ``get_lr``.

    Schedules start from each group's current rate, so that several on one optimizer multiply. ``last_epoch`` counts
    the steps; -1 starts anew.

    https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
    """

    _is_initial = False
    _last_lr: list[Any]

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
        self._step_count = 0
        optimizer._opt_called = False
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

    def get_last_lr(self) -> list[Any]:
        """Return the rates written last, one a group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """Return the rates for ``last_epoch``, one a group."""
        raise NotImplementedError(f"{type(self).__name__} does not say its rates: get_lr is missing")

    def _get_closed_form_lr(self) -> list[Any]:
        """Return the rates for ``last_epoch`` whatever they are now, for a step to a certain epoch."""
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
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            warn(
                "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
                "Please use `scheduler.step()` to step the scheduler.",
                UserWarning,
                stacklevel=2,
            )
            self.last_epoch = epoch
            rates = self._get_closed_form_lr()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            write(group, rate)
        self._last_lr = self._rates()

    def _rates(self) -> list[Any]:
        """Return the rates as they are now, one a group."""
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _times(self, factor: float) -> list[Any]:
        """Return the rates as they are now, times ``factor``."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]


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
        shared(lr)[...] = rate.array if isinstance(rate, Variable) else rate
        wrote(lr, "lr_scheduler")
    else:
        group["lr"] = rate
