"""Lazy modules: layers that learn the size of their input from the first batch.

https://pytorch.org/docs/stable/generated/torch.nn.modules.lazy.LazyModuleMixin.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from ...autograd.grad_mode import no_grad
from ...autograd.hooks import HookDict
from ..parameter import is_lazy


class LazyModuleMixin:
    """Put before a Module class: its first call runs ``initialize_parameters`` on the arguments.

    After that the module is of the class ``cls_to_become``, if one is named. A state loaded before gives the shapes.
    """

    cls_to_become: ClassVar[type | None] = None
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _forward_pre_hooks: HookDict
    _load_state_dict_pre_hooks: HookDict

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        this: Any = self
        # Plain functions: bound methods would make the module part of a cycle.
        this._register_load_state_dict_pre_hook(_shape_from_state, with_module=True)
        this.register_forward_pre_hook(_initialize, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give every parameter and buffer its shape, from what the module was called with; subclasses write it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Return whether a parameter or buffer has no shape yet."""
        return any(is_lazy(value) for value in (*self._parameters.values(), *self._buffers.values()))

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        _remove_hook(module._forward_pre_hooks, _initialize)
        _remove_hook(module._load_state_dict_pre_hooks, (_shape_from_state, True))
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


def _initialize(module: Any, args: Any, kwargs: Any) -> None:
    module._infer_parameters(module, args, kwargs)


def _shape_from_state(module: Any, state_dict: Any, prefix: str, *rest: Any) -> None:
    """Materialize the parameters and buffers without shape in the shapes about to be loaded."""
    for name, value in (*module._parameters.items(), *module._buffers.items()):
        loaded = state_dict.get(prefix + name)
        if is_lazy(value) and loaded is not None and not is_lazy(loaded):
            with no_grad():
                value.materialize(loaded.shape)


def _remove_hook(hooks: dict[int, Any], hook: Any) -> None:
    for number in [number for number, registered in hooks.items() if registered == hook]:
        del hooks[number]


def _materialize(value: Any, shape: tuple[int, ...]) -> None:
    """Give ``value`` this shape if it is a parameter or buffer without one."""
    if is_lazy(value):
        value.materialize(shape)
