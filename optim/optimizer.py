"""Optimizer: parameter groups with their options, the state kept for each parameter, and hooks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import wraps
from itertools import chain
from typing import Any, TypeAlias, TypeVar, overload
from warnings import warn

from ..autograd.hooks import HookDict, RemovableHandle
from ..autograd.variable import Variable
from ..tensors.tensor.methods import Tensor

ParamsT: TypeAlias = Iterable[Tensor | dict[str, Any] | tuple[str, Tensor]]
"""What an optimizer can be made of: tensors, groups with options of their own, or tensors with names.

PyTorch's is a union of three iterables, under which mypy refuses a list of groups written in the call.
"""

Loss = TypeVar("Loss", bound=float | Tensor)
"""What a closure returns, and ``step`` after it."""

Hook = Callable[..., Any]

_HOOKS = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


_before_every_step, _after_every_step = HookDict(), HookDict()


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(optimizer, args, kwargs)`` run before each step of every optimizer, before its own hooks."""
    return _before_every_step.add(hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(optimizer, args, kwargs)`` run after each step of every optimizer, after its own hooks."""
    return _after_every_step.add(hook)


class _Required:
    """Stands in ``defaults`` for an option that every group must state."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Base of all optimizers: subclasses write ``step``.

    ``params`` is an iterable of tensors, of ``(name, tensor)`` pairs, or of dicts: groups with options of their own.
    TypeError for a set, whose order changes between runs: states are loaded by order.
    ``defaults`` holds the options of groups that do not state them. ``state`` maps a tensor to what is kept for it.

    https://pytorch.org/docs/stable/optim.html#torch.optim.Optimizer
    """

    _optimizer_step_pre_hooks: HookDict
    _optimizer_step_post_hooks: HookDict
    _optimizer_state_dict_pre_hooks: HookDict
    _optimizer_state_dict_post_hooks: HookDict
    _optimizer_load_state_dict_pre_hooks: HookDict
    _optimizer_load_state_dict_post_hooks: HookDict
    _opt_called = _opt_watched = False  # whether there was a step since a schedule began to ask
    state: defaultdict[Any, Any]
    param_groups: list[dict[str, Any]]
    defaults: dict[str, Any]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Variable):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}"
            )
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self._prepare()
        _refuse_sets(params)
        given = list(params)
        if not given:
            raise ValueError("optimizer got an empty parameter list")
        groups: list[Any] = given if isinstance(given[0], dict) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()
        self.defaults.setdefault("differentiable", False)

    def _prepare(self) -> None:
        """Make room for hooks, and have them called around the ``step`` of this class."""
        for name in _HOOKS:
            self.__dict__.setdefault(name, HookDict())
        cls: Any = type(self)
        if not hasattr(cls.step, "hooked"):
            cls.step = _with_hooks(cls.step)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for number, group in enumerate(self.param_groups):
            text += f"\nParameter Group {number}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # ------------------------------------------------------------------ steps

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...

    def step(self, closure: Callable[[], Loss] | None = None) -> Loss | None:
        """Change every parameter by its gradient; return what ``closure`` returned, which recomputes the loss."""
        raise NotImplementedError(f"{type(self).__name__} has no step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients of all parameters, or with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                grad = p.grad
                if grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                    continue
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()

    # ------------------------------------------------------------------ groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with options of its own; the others come from ``defaults``.

        TypeError unless it is a dict of tensors in an ordered collection; ValueError for a computed tensor, a missing
        option, or a parameter that is in a group already.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params, names = _listed(param_group["params"])
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for param in params:
            if not isinstance(param, Variable):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            tensor: Any = param
            if not (tensor.is_leaf or tensor.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        self._check_members(param_group)
        self.param_groups.append(param_group)

    def _check_members(self, new: dict[str, Any]) -> None:
        members = {id(param) for param in new["params"]}
        if len(members) != len(new["params"]):
            warn(
                "optimizer contains a parameter group with duplicate parameters; each is updated as often as it occurs",
                UserWarning,
                stacklevel=4,
            )
        for group in self.param_groups:
            if ("param_names" in new) != ("param_names" in group):
                given = "with names" if "param_names" in new else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {given} to the optimizer"
                )
            if any(id(param) in members for param in group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """Return ``{"state": ..., "param_groups": ...}`` in PyTorch's layout, parameters numbered in order."""
        for hook in tuple(self._optimizer_state_dict_pre_hooks.values()):
            hook(self)
        numbers: dict[int, int] = {}
        groups, start = [], 0
        for group in self.param_groups:
            for number, param in enumerate(group["params"], start):
                numbers.setdefault(id(param), number)
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(param)] for param in group["params"]]
            groups.append(packed)
        state = {numbers[id(key)] if isinstance(key, Variable) else key: value for key, value in self.state.items()}
        result = {"state": state, "param_groups": groups}
        for hook in tuple(self._optimizer_state_dict_post_hooks.values()):
            got = hook(self, result)
            result = result if got is None else got
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned, as copies; ValueError if the groups are not of the same sizes."""
        state_dict = state_dict.copy()
        for hook in tuple(self._optimizer_load_state_dict_pre_hooks.values()):
            got = hook(self, state_dict)
            state_dict = state_dict if got is None else got
        groups, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError(
                f"loaded state dict has a different number of parameter groups: {len(saved)}, not {len(groups)}"
            )
        if any(len(mine["params"]) != len(other["params"]) for mine, other in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        numbers = chain.from_iterable(group["params"] for group in saved)
        by_number = dict(zip(numbers, chain.from_iterable(group["params"] for group in groups), strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for number, value in state_dict["state"].items():
            param = by_number.get(number)
            state[number if param is None else param] = _fitted(value, param)
        for mine, other in zip(groups, saved, strict=True):
            other["params"] = mine["params"]
            if "param_names" in mine:
                other.setdefault("param_names", mine["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in tuple(self._optimizer_load_state_dict_post_hooks.values()):
            hook(self)

    # ------------------------------------------------------------------ hooks

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(optimizer, args, kwargs)`` run before each step; it may return both anew, or None.

        ``args`` begins with the optimizer itself.
        """
        return self._optimizer_step_pre_hooks.add(hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(optimizer, args, kwargs)`` run after each step."""
        return self._optimizer_step_post_hooks.add(hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(optimizer)`` run before the state is written down."""
        return self._optimizer_state_dict_pre_hooks.add(hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(optimizer, state_dict)`` run on the finished state; what it returns, unless None, replaces it."""
        return self._optimizer_state_dict_post_hooks.add(hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(optimizer, state_dict)`` run before loading; what it returns, unless None, is loaded instead."""
        return self._optimizer_load_state_dict_pre_hooks.add(hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(optimizer)`` run after loading."""
        return self._optimizer_load_state_dict_post_hooks.add(hook, prepend)


def _refuse_sets(params: Any) -> None:
    if isinstance(params, set | frozenset):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
            "will change between runs. Please use a list instead."
        )


def _listed(params: Any) -> tuple[list[Any], list[str]]:
    """Return the tensors of a group, and their names if they were given as pairs."""
    _refuse_sets(params)
    listed = [params] if isinstance(params, Variable) else list(params)
    names = [param[0] for param in listed if isinstance(param, tuple)]
    if names and len(names) != len(listed):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    return [param[1] if isinstance(param, tuple) else param for param in listed], names


def _fitted(value: Any, param: Any, key: Any = None) -> Any:
    """Return a copy of loaded state with its tensors in the dtype of ``param``, except the count of steps."""
    if isinstance(value, Variable):
        tensor: Any = value
        keeps = param is None or key == "step" or not param.is_floating_point()
        return tensor.detach().to(tensor.dtype if keeps else param.dtype, copy=True)
    if isinstance(value, dict):
        return {each: _fitted(item, param, each) for each, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        made: Any = type(value)
        return made(_fitted(item, param) for item in value)
    return value


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``step`` run between the optimizer's step hooks."""

    @wraps(step)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        self: Optimizer = args[0]  # hooks get all arguments of step, the optimizer first
        self._opt_called = True
        before, after = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if not (before or after or _before_every_step or _after_every_step):
            return step(*args, **kwargs)
        for hook in (*_before_every_step.values(), *before.values()):
            got = hook(self, args, kwargs)
            if got is not None:
                if not isinstance(got, tuple) or len(got) != 2:
                    raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {got}.")
                args, kwargs = got
        result = step(*args, **kwargs)
        for hook in (*after.values(), *_after_every_step.values()):
            hook(self, args, kwargs)
        return result

    hooked.hooked = True  # type: ignore[attr-defined]
    return hooked


def scalar(value: Any) -> float:
    """Return an option, a number or a tensor of one element, as a number."""
    number: float = value.item() if isinstance(value, Tensor) else value
    return number


def check_rate(lr: Any) -> None:
    """Raise ValueError unless ``lr`` is a number or a tensor of one element, and not negative."""
    if isinstance(lr, Variable) and lr.array.size != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_not_negative("learning rate", lr)


def check_not_negative(name: str, value: Any) -> None:
    """Raise ValueError if ``value`` is negative or NaN."""
    if not scalar(value) >= 0.0:
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: Any) -> None:
    """Raise ValueError unless both are at least 0 and less than 1."""
    for place in (0, 1):
        if not 0.0 <= scalar(betas[place]) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {place}: {betas[place]}")


def check_modes(foreach: Any, fused: Any, differentiable: Any) -> None:
    """Raise RuntimeError for modes that exclude each other, and for ``differentiable``, which is not supported."""
    if differentiable:
        raise RuntimeError(
            "`fused` does not support `differentiable`"
            if fused
            else "differentiable=True is not supported: steps are written in place on arrays"
        )
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
