"""Module: the base class of all layers and models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from ...arrays.device import require_cpu
from ...arrays.dtypes import dtype as dtype_class
from ...arrays.dtypes import float16, float32, float64
from ...autograd.grad_mode import no_grad
from ...autograd.hooks import HookDict, keep_ahead
from ...tensors.functions.swap import swap_tensors
from ...tensors.tensor.methods import Tensor
from ..future import get_overwrite_module_params_on_conversion, get_swap_module_params_on_conversion
from ..parameter import Parameter, empty, is_lazy
from .module_attributes import REGISTRIES, Registry, attributes, claim, release
from .module_hooks import (
    ModuleHooks,
    register_module_backward_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)
from .module_registration import (
    ModuleRegistration,
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from .module_state import ModuleState

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_STATE_HOOKS = (
    "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
)  # fmt: skip
_HOOK_FLAGS = ("_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs")


def _forward_unimplemented(self: Module, *input: Any) -> None:
    """Return what the module computes; every subclass writes its own."""
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


class Module(ModuleRegistration, ModuleHooks, ModuleState):
    """A part of a model: a tree of modules whose leaves own parameters. Subclass it and write ``forward``.

    Parameters, buffers and modules assigned as attributes are registered in order; calling the module runs its hooks
    and ``forward``. ``super().__init__()`` comes before the first such assignment.

    https://pytorch.org/docs/stable/generated/torch.nn.Module.html

    >>> import rushlight as torch
    >>> from rushlight import nn
    >>> class Double(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.scale = nn.Parameter(torch.tensor([2.0]))
    ...
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> model = Double()
    >>> model(torch.tensor([1.5]))
    tensor([3.], grad_fn=<MulBackward0>)
    >>> [name for name, _ in model.named_parameters()]
    ['scale']
    """

    dump_patches = False
    call_super_init = False
    """Whether ``__init__`` hands its arguments on to the next class: for a Module that is one base of several."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs and not self.call_super_init:
            name = next(iter(kwargs))
            raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{name}'")
        if args and not self.call_super_init:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        release(self)  # __init__ may be called twice
        own = attributes(self)
        own["training"] = True
        for registry in REGISTRIES:
            own[registry] = Registry(self)
        own["_non_persistent_buffers_set"] = set()
        own["_is_full_backward_hook"] = None
        for name in (*_HOOKS, *_STATE_HOOKS, *_HOOK_FLAGS):
            own[name] = HookDict()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # A Callable attribute: subclasses may take whatever arguments they like, and type checkers agree.
    forward: Callable[..., Any] = _forward_unimplemented

    # Not Any: with that, type checkers would accept every misspelling.
    def __getattr__(self, name: str) -> Tensor | Module:
        found: Tensor | Module = self._find(name)
        return found

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = attributes(self)
        own.update(state)
        claim(self)
        for name in (*_HOOKS, *_STATE_HOOKS, *_HOOK_FLAGS):
            keep_ahead(own.setdefault(name, HookDict()))

    def _replicate_for_data_parallel(self) -> Self:
        """Return a module like this one, whose tensors are still to be set as attributes; none is a parameter."""
        replica = type(self).__new__(type(self))
        replica.__setstate__(self.__getstate__())
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        return replica

    # ------------------------------------------------------------------ modes

    def train(self, mode: bool = True) -> Self:
        """Set this module and all below it to training mode, or with False to evaluation; return the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, not {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Set this module and all below it to evaluation mode; return the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set ``requires_grad`` of all parameters; return the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients of all parameters, or with ``set_to_none=False`` fill them with zeros."""
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Call ``fn`` on every module, children first, and last on this one; return the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # ------------------------------------------------------------------ conversion

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replace each parameter's value and gradient, and each buffer, by ``fn`` of it; return the module."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        with no_grad():
            for name, parameter in self._parameters.items():
                if is_lazy(parameter):
                    parameter._convert(fn)
                elif parameter is not None:
                    self._convert_parameter(name, parameter, fn)
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    buffer._convert(fn)
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def _convert_parameter(self, name: str, parameter: Any, fn: Callable[[Any], Any]) -> None:
        """Give ``parameter`` the value and the gradient that ``fn`` makes of its own, in the way of ``__future__``."""
        grad = parameter.grad
        converted, gradient = fn(parameter), None if grad is None else fn(grad)
        if get_swap_module_params_on_conversion():
            swap_tensors(parameter, Parameter(converted, parameter.requires_grad))
            parameter.grad = gradient
        elif get_overwrite_module_params_on_conversion():
            self._parameters[name] = Parameter(converted, parameter.requires_grad)
            self._parameters[name].grad = gradient
        else:
            parameter.data = converted
            if grad is not None:
                grad.data = gradient
                parameter.grad = grad

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert the floating-point parameters and buffers in place; return the module.

        Forms: ``to(dtype)``, ``to(device, dtype=None, non_blocking=False)``, ``to(tensor)``. TypeError for an integer
        dtype. The only device is the CPU.
        """
        dtype = kwargs.get("dtype")
        for arg in args:
            dtype = arg if isinstance(arg, dtype_class) else arg.dtype if isinstance(arg, Tensor) else dtype
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        rest = [arg for arg in args if not isinstance(arg, dtype_class | Tensor)]
        options = {name: value for name, value in kwargs.items() if name != "dtype"}

        def convert(x: Any) -> Any:
            if rest or options:
                x = x.to(*rest, **options)
            return x.to(dtype) if dtype is not None and x.is_floating_point() else x

        return self._apply(convert)

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to ``dst_type``; return the module."""
        return self._apply(lambda x: x.type(dst_type))

    def _convert_floats(self, dtype: dtype_class) -> Self:
        return self._apply(lambda x: x.to(dtype) if x.is_floating_point() else x)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32; return the module."""
        return self._convert_floats(float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64; return the module."""
        return self._convert_floats(float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16; return the module."""
        return self._convert_floats(float16)

    def cpu(self) -> Self:
        """Return the module, which is on the CPU already."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Raise what a tensor's ``cuda`` raises: there is no GPU here."""
        return self._apply(lambda x: x.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Give every parameter and buffer new memory, whose values are still to be set; return the module."""
        require_cpu(device)
        return self._apply(lambda x: empty(*x.shape, dtype=x.dtype), recurse)

    def share_memory(self) -> Self:
        """Return the module; there are no processes to share memory with. RuntimeError if a shape is not known yet."""
        for value in (*self.parameters(), *self.buffers()):
            value.share_memory_()
        return self

    # ------------------------------------------------------------------ text

    def extra_repr(self) -> str:
        """Return what the text of the module says besides its children; layers override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) > 1 or self._modules:
            lines += [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
            return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"
        return f"{self._get_name()}({extra})"
