"""Parametrizations: a parameter that is computed, at every read, from one or several others.

https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.register_parametrization.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import Any

from ...autograd.grad_mode import no_grad
from ...autograd.variable import Variable
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter


class _Cache:
    """What was computed inside of :func:`cached`, by module and name; ``depth`` counts the blocks."""

    def __init__(self) -> None:
        self.depth = 0
        self.found: dict[tuple[int, str], Any] = {}


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once only while the block runs.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import parametrizations, parametrize
    >>> layer = parametrizations.weight_norm(torch.nn.Linear(2, 3))
    >>> with parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.found = {}


def _register(module: Any, name: str, value: Any) -> None:
    if isinstance(value, Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


def _same(found: Any, dtype: Any, shape: Any) -> None:
    """Raise ValueError unless ``found`` is a tensor of this dtype and shape."""
    if not isinstance(found, Variable):
        raise ValueError(f"A parametrization must return a tensor. Got {type(found).__name__}.")
    value: Any = found
    for what, before, after in (("dtype", dtype, value.dtype), ("shape", shape, value.shape)):
        if before != after:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag is "
                f"enabled.\nunparametrized {what}: {before}\nparametrized {what}: {after}"
            )


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, first to last, and what it is computed from.

    That is ``original``; or ``original0``, ``original1``, ... if the ``right_inverse`` of the first returns several.
    """

    original: Any

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        if not len(modules):
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        dtype, shape, before = original.dtype, original.shape, original.data
        new = original
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    with suppress(NotImplementedError):
                        new = module.right_inverse(new)
        if not isinstance(new, Variable | Sequence):
            raise ValueError(f"'right_inverse' must return a Tensor or a Sequence of tensors. Got {type(new).__name__}")
        self.is_tensor = isinstance(new, Variable)
        self.ntensors = 1 if isinstance(new, Variable) else len(new)
        if isinstance(new, Variable):
            self._take_one(original, new)
        else:
            self._take_several(original, new)
        if not unsafe:
            try:
                _same(self(), dtype, shape)
            except Exception:
                original.data = before
                raise

    def _take_one(self, original: Any, new: Any) -> None:
        if new.dtype != original.dtype:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"
            )
        original.data = new  # the same object as before: an optimizer may know it
        _register(self, "original", original)

    def _take_several(self, original: Any, new: Sequence[Any]) -> None:
        for number, one in enumerate(new):
            if not isinstance(one, Variable):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors. "
                    f"Got element {number} of the sequence with type {type(one).__name__}."
                )
            kept: Any = Parameter(one, original.requires_grad) if isinstance(original, Parameter) else one
            _register(self, f"original{number}", kept.requires_grad_(original.requires_grad))

    def right_inverse(self, value: Any) -> None:
        """Set what the tensor is computed from such that it becomes ``value``.

        RuntimeError if a parametrization has no ``right_inverse``; ValueError if one returns what does not fit.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            if self.is_tensor:
                if not isinstance(value, Variable):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
                self._fill([("original", value)])
                return
            if not isinstance(value, Sequence):
                raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value).__name__}.")
            if len(value) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. "
                    f"Got a sequence of length {len(value)}."
                )
            self._fill([(f"original{number}", one) for number, one in enumerate(value)])

    def _fill(self, values: list[tuple[str, Any]]) -> None:
        for name, value in values:
            if not isinstance(value, Variable):
                raise ValueError(f"`right_inverse` must return tensors. Got {type(value).__name__} for `{name}`.")
            given: Any = value
            if given.dtype != getattr(self, name).dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {given.dtype} while `{name}` has dtype "
                    f"{getattr(self, name).dtype}"
                )
        for name, value in values:
            getattr(self, name).data = value

    def originals(self) -> list[Any]:
        """Return what the tensor is computed from."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{number}") for number in range(self.ntensors)]

    def forward(self) -> Any:
        """Return the tensor."""
        first, *rest = self
        found = first(*self.originals())
        for module in rest:
            found = module(found)
        return found


def _unpicklable(self: Any) -> Any:
    raise RuntimeError("Serialization of parametrized modules is only supported through state_dict().")


def _copied(self: Any, memo: dict[int, Any]) -> Any:
    """Return a deep copy, of a class of its own: removing its parametrizations leaves the original's alone."""
    found = memo.get(id(self))
    if found is None:
        cls = type(self)
        make: Any = type
        made = make(cls.__name__, cls.__bases__, {**vars(cls)})
        found = memo[id(self)] = made.__new__(made)
        found.__setstate__(deepcopy(self.__dict__, memo))
    return found


def _become_parametrized(module: Any) -> None:
    """Give ``module`` a class of its own, below the one it had."""
    cls = type(module)
    facts: dict[str, Any] = {"__getstate__": _unpicklable, "__module__": __name__}
    if not hasattr(cls, "__deepcopy__"):
        facts["__deepcopy__"] = _copied
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), facts)
    module.parametrizations = ModuleDict()


def _property(name: str) -> property:
    def read(self: Any) -> Any:
        found = self.parametrizations[name]
        if not _cache.depth:
            return found()
        key = id(self), name
        if key not in _cache.found:
            _cache.found[key] = found()
        return _cache.found[key]

    def write(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(read, write)


def register_parametrization(module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False) -> Any:
    """Return ``module``, its parameter or buffer ``tensor_name`` from now on computed by ``parametrization``.

    The parameter itself becomes ``module.parametrizations[tensor_name].original``. If ``parametrization`` has a method
    ``right_inverse``, that gives the first value of it, and assigning to ``tensor_name`` works. A second
    parametrization is applied to what the first returns. ValueError if there is no such tensor, or its shape or dtype
    would change, unless ``unsafe``.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import parametrize
    >>> class Symmetric(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = parametrize.register_parametrization(torch.nn.Linear(3, 3), "weight", Symmetric())
    >>> torch.equal(layer.weight, layer.weight.T)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(module, tensor_name, parametrization)
        found = module.parametrizations[tensor_name]
        found.append(parametrization)
        found.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        listed = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _become_parametrized(module)
        setattr(type(module), tensor_name, _property(tensor_name))
        module.parametrizations[tensor_name] = listed
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def _check_next(module: Any, name: str, parametrization: Any) -> None:
    """Raise ValueError if ``parametrization`` does not fit behind those that are there."""
    before = getattr(module, name)
    after = parametrization(before)
    _same(after, before.dtype, before.shape)
    if not hasattr(parametrization, "right_inverse"):
        return
    back = parametrization.right_inverse(after)
    if not isinstance(back, Variable):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    value: Any = back
    if (value.dtype, value.shape) != (before.dtype, before.shape):
        raise ValueError(
            f"The tensor returned by parametrization.right_inverse must have the dtype and the shape of "
            f"module.{name}, unless the `unsafe` flag is enabled: {before.dtype}, {before.shape}. "
            f"Got {value.dtype}, {value.shape}"
        )


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Return whether ``module`` has a parametrized tensor, or whether ``tensor_name`` is one."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Return ``module``, its tensor ``tensor_name`` a plain one again.

    It keeps its value, or with ``leave_parametrized=False`` gets that of ``original`` back. ValueError if it is not
    parametrized, or if there is no one original to get back.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    listed = module.parametrizations[tensor_name]
    if listed.is_tensor:
        original = listed.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Any) -> type:
    """Return the class that ``module`` had before it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Any, to_module: Any, tensor_name: str | None = None) -> Any:
    """Return ``to_module``, which then has the parametrizations of ``from_module`` and what they are computed from.

    All of them, or those of ``tensor_name``. A tensor that ``to_module`` does not have is made.
    """
    if is_parametrized(from_module):
        names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
        for name in names:
            if not hasattr(to_module, name):
                setattr(to_module, name, Parameter(getattr(from_module, name)))
            source = from_module.parametrizations[name]
            for parametrization in source:
                register_parametrization(to_module, name, parametrization)
            target = to_module.parametrizations[name]
            endings = [""] if source.is_tensor else [str(number) for number in range(source.ntensors)]
            for ending in endings:
                setattr(target, f"original{ending}", getattr(source, f"original{ending}"))
    return to_module


__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]
