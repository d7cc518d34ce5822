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
    """Return, for each path of a parameter or buffer that has several, all of them."""
    by_value: dict[int, list[str]] = {}
    for walk in (module.named_parameters, module.named_buffers):
        for name, value in walk(remove_duplicate=False):
            by_value.setdefault(id(value), []).append(name)
    return {name: names for names in by_value.values() if len(names) > 1 for name in names}


def _untied(module: Module, given: dict[str, Any]) -> dict[str, Any]:
    """Return ``given`` with the other names of each tied tensor; ValueError if it holds two values for one."""
    found = dict(given)
    for name, names in _tied(module).items():
        if name in given:
            if any(other in given and given[other] is not given[name] for other in names):
                raise ValueError(f"functional_call got multiple values for keys {sorted(names)}, which are tied.")
            found.update(dict.fromkeys(names, given[name]))
    return found


def _check_strict(module: Module, names: dict[str, Any]) -> None:
    own = {name for walk in (module.named_parameters, module.named_buffers) for name, _ in walk(remove_duplicate=False)}
    problems = []
    for what, keys in (("Unexpected", names.keys() - own), ("Missing", own - names.keys())):
        if keys:
            problems.append(f"{what} key(s): {', '.join(map(repr, sorted(keys)))}.")
    if problems:
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(problems))


def _put(module: Any, name: str, value: Any) -> Any:
    """Make ``value`` what ``module`` holds as ``name``; return what it was, or _MISSING."""
    for held in (module._parameters, module._buffers):
        if name in held:
            before = held[name]
            held[name] = value
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
def _swapped(module: Module, given: dict[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
    values = _untied(module, given) if tie_weights else dict(given)
    if strict:
        _check_strict(module, values)
    before: list[tuple[Any, str, str, Any]] = []
    try:
        for path, value in values.items():
            if not isinstance(value, Variable):
                raise TypeError(f"{value!r} is not an instance of torch.Tensor")
            parent, _, name = path.rpartition(".")
            owner = module.get_submodule(parent)
            before.append((owner, name, path, _put(owner, name, value)))
        yield
    finally:
        for owner, name, path, value in reversed(before):
            now = _put(owner, name, value)
            if path in given and isinstance(now, Variable):
                given[path] = now  # a buffer that the call set anew


def call(module: Module, given: Any, args: Any, kwargs: Any, tie_weights: bool, strict: bool) -> Any:
    """Return ``module(*args, **kwargs)`` with the tensors of ``given`` in place of its own."""
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _swapped(module, given, tie_weights, strict):
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
    """Return what ``module`` makes of ``args`` with other parameters and buffers: the older ``func.functional_call``.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.stateless.functional_call.html
    """
    warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
        "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return call(module, parameters_and_buffers, args, kwargs, tie_weights, strict)
