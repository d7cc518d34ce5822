"""Calling a module with other parameters and buffers than its own.

https://pytorch.org/docs/stable/generated/torch.func.functional_call.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from warnings import warn

from ...autograd.variable import Variable
from ..modules.module import Module

_MISSING = object()


def _tied(module: Module) -> dict[str, list[str]]:
    """Return all paths of each tensor that has several, under each of these paths."""
    by_value: dict[int, list[str]] = {}
    for walk in (module.named_parameters, module.named_buffers):
        for name, value in walk(remove_duplicate=False):
            by_value.setdefault(id(value), []).append(name)
    return {name: names for names in by_value.values() if len(names) > 1 for name in names}


def _with_tied_names(module: Module, values: dict[str, Any]) -> dict[str, Any]:
    """Return ``values`` under all names of each tied tensor; ValueError if two names of one have different values."""
    result = dict(values)
    for name, names in _tied(module).items():
        if name in values:
            if any(other in values and values[other] is not values[name] for other in names):
                raise ValueError(f"functional_call got multiple values for keys {sorted(names)}, which are tied.")
            result.update(dict.fromkeys(names, values[name]))
    return result


def _check_strict(module: Module, names: dict[str, Any]) -> None:
    own = {name for walk in (module.named_parameters, module.named_buffers) for name, _ in walk(remove_duplicate=False)}
    problems = []
    for problem, keys in (("Unexpected", names.keys() - own), ("Missing", own - names.keys())):
        if keys:
            problems.append(f"{problem} key(s): {', '.join(map(repr, sorted(keys)))}.")
    if problems:
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(problems))


def _swap_tensor(module: Any, name: str, value: Any) -> Any:
    """Set the tensor ``name`` of ``module`` to ``value``, or remove it for _MISSING; return the one before."""
    for registry in (module._parameters, module._buffers):
        if name in registry:
            before = registry[name]
            registry[name] = value
            return before
    before = getattr(module, name, _MISSING)
    if before is not _MISSING and not isinstance(before, Variable):
        raise TypeError(f"attribute '{name}' is not a Tensor")
    if value is _MISSING:
        delattr(module, name)
    else:
        setattr(module, name, value)
    return before


@contextmanager
def _swapped(module: Module, parameters_and_buffers: dict[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
    """Let ``module`` have other tensors while the block runs."""
    values = _with_tied_names(module, parameters_and_buffers) if tie_weights else dict(parameters_and_buffers)
    if strict:
        _check_strict(module, values)
    before: list[tuple[Any, str, str, Any]] = []
    try:
        for path, value in values.items():
            if not isinstance(value, Variable):
                raise TypeError(f"{value!r} is not an instance of torch.Tensor")
            parent, _, name = path.rpartition(".")
            owner = module.get_submodule(parent)
            before.append((owner, name, path, _swap_tensor(owner, name, value)))
        yield
    finally:
        for owner, name, path, value in reversed(before):
            now = _swap_tensor(owner, name, value)
            if path in parameters_and_buffers and isinstance(now, Variable):
                parameters_and_buffers[path] = now  # a buffer that the call replaced


def call(module: Module, parameters_and_buffers: Any, args: Any, kwargs: Any, tie_weights: bool, strict: bool) -> Any:
    """Return ``module(*args, **kwargs)`` with other tensors in place of its own."""
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _swapped(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **({} if kwargs is None else kwargs))


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Any],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Return the output of ``module`` with other parameters and buffers: the older ``func.functional_call``.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.stateless.functional_call.html
    """
    warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
        "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return call(module, parameters_and_buffers, args, kwargs, tie_weights, strict)
