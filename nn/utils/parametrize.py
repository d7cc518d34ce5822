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
    """The tensors computed inside of :func:`cached`.

    depth: how many such blocks are open.
    tensors: the tensors, by their module's id and their name.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.tensors: dict[tuple[int, str], Any] = {}


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
            _cache.tensors = {}


def _register(module: Any, name: str, value: Any) -> None:
    if isinstance(value, Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


def _check_same(output: Any, dtype: Any, shape: Any) -> None:
    """Raise ValueError unless ``output`` is a tensor of this dtype and shape."""
    value: Any = output
    if not isinstance(output, Variable):
        raise ValueError(f"A parametrization must return a tensor. Got {type(output).__name__}.")
    for what, before, after in (("dtype", dtype, value.dtype), ("shape", shape, value.shape)):
        if before != after:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag is "
                f"enabled.\nunparametrized {what}: {before}\nparametrized {what}: {after}"
            )


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, first to last, and the tensors it is computed from.

    original: the one it is computed from; or
    original0, original1, ...: several, if the ``right_inverse`` of the first parametrization returns several.
    is_tensor: whether it is one.
    ntensors: how many there are.
    unsafe: whether shape and dtype may change.
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
            parametrizations: list[Any] = list(self)
            for module in reversed(parametrizations):
                if hasattr(module, "right_inverse"):
                    with suppress(NotImplementedError):
                        new = module.right_inverse(new)
        if not isinstance(new, Variable | Sequence):
            raise ValueError(f"'right_inverse' must return a Tensor or a Sequence of tensors. Got {type(new).__name__}")
        self.is_tensor = isinstance(new, Variable)
        self.ntensors = 1 if isinstance(new, Variable) else len(new)
        if isinstance(new, Variable):
            self._register_original(original, new)
        else:
            self._register_originals(original, new)
        if not unsafe:
            try:
                _check_same(self(), dtype, shape)
            except Exception:
                original.data = before
                raise

    def _register_original(self, original: Any, new: Any) -> None:
        if new.dtype != original.dtype:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"
            )
        original.data = new  # the same object as before: an optimizer may know it
        _register(self, "original", original)

    def _register_originals(self, original: Any, new: Sequence[Any]) -> None:
        for number, value in enumerate(new):
            if not isinstance(value, Variable):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors. "
                    f"Got element {number} of the sequence with type {type(value).__name__}."
                )
            tensor: Any = Parameter(value, original.requires_grad) if isinstance(original, Parameter) else value
            _register(self, f"original{number}", tensor.requires_grad_(original.requires_grad))

    def right_inverse(self, value: Any) -> None:
        """Set the originals such that the tensor computed from them becomes ``value``.

        RuntimeError if a parametrization has no ``right_inverse``; ValueError if one returns no tensors, or of another
        dtype or number.
        """
        with no_grad():
            parametrizations: list[Any] = list(self)
            for module in reversed(parametrizations):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            if self.is_tensor:
                if not isinstance(value, Variable):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
                self._set_originals([("original", value)])
                return
            if not isinstance(value, Sequence):
                raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value).__name__}.")
            if len(value) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. "
                    f"Got a sequence of length {len(value)}."
                )
            self._set_originals([(f"original{number}", tensor) for number, tensor in enumerate(value)])

    def _set_originals(self, values: list[tuple[str, Any]]) -> None:
        for name, value in values:
            if not isinstance(value, Variable):
                raise ValueError(f"`right_inverse` must return tensors. Got {type(value).__name__} for `{name}`.")
            tensor: Any = value
            if tensor.dtype != getattr(self, name).dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {tensor.dtype} while `{name}` has dtype "
                    f"{getattr(self, name).dtype}"
                )
        for name, value in values:
            getattr(self, name).data = value

    def originals(self) -> list[Any]:
        """Return the tensors it is computed from."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{number}") for number in range(self.ntensors)]

    def forward(self) -> Any:
        """Return the tensor."""
        first, *rest = self
        value = first(*self.originals())
        for module in rest:
            value = module(value)
        return value


def _unpicklable(self: Any) -> Any:
    raise RuntimeError("Serialization of parametrized modules is only supported through state_dict().")


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    """Return a deep copy, of a class of its own: removing its parametrizations leaves the original's alone."""
    copy = memo.get(id(self))
    if copy is None:
        cls = type(self)
        make: Any = type
        new_class = make(cls.__name__, cls.__bases__, {**vars(cls)})
        copy = memo[id(self)] = new_class.__new__(new_class)
        copy.__setstate__(deepcopy(super(cls, self).__getstate__(), memo))
    return copy


def _become_parametrized(module: Any) -> None:
    """Give ``module`` a class of its own, below the one it had."""
    cls = type(module)
    members: dict[str, Any] = {"__getstate__": _unpicklable, "__module__": __name__}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)
    module.parametrizations = ModuleDict()


def _property(name: str) -> property:
    def read(self: Any) -> Any:
        parametrizations = self.parametrizations[name]
        if not _cache.depth:
            return parametrizations()
        key = id(self), name
        if key not in _cache.tensors:
            _cache.tensors[key] = parametrizations()
        return _cache.tensors[key]

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
        parametrizations = module.parametrizations[tensor_name]
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        parametrizations = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _become_parametrized(module)
        setattr(type(module), tensor_name, _property(tensor_name))
        module.parametrizations[tensor_name] = parametrizations
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
    _check_same(after, before.dtype, before.shape)
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
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Return ``module``, its tensor ``tensor_name`` a plain one again.

    It keeps its value, or with ``leave_parametrized=False`` gets that of ``original`` back. ValueError if it is not
    parametrized, or if there is no one original to get back.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations = module.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
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
    """Return ``to_module``, which then has the parametrizations of ``from_module`` and their originals.

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
